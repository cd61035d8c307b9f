/* Every limit of the vici codec. */
#ifndef HW_PROTO_VICI_LIMITS_H
#define HW_PROTO_VICI_LIMITS_H

#define VICI_HEAD_BYTES	  4	      /* the length before each packet */
#define VICI_PACKET_MAX	  (64 * 1024) /* bytes; strongSwan admits 512 kB, a tunnel needs 4 kB */
#define VICI_NAME_MAX	  255	      /* bytes: its length is one byte */
#define VICI_VALUE_MAX	  65535	      /* bytes: its length is two bytes */
#define VICI_DEPTH_MAX	  8	      /* sections in each other; a list of SAs has three */
#define VICI_ELEMENTS_MAX 4096	      /* of one message: a list of SAs has a hundred */

#endif
