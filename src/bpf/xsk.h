/* Sizes of the AF_XDP sockets that the warden makes and media uses. A lane is one receive queue of
 * every interface, with one memory for their frames, so that a frame goes out where it came in
 * without being copied. */
#ifndef HW_BPF_XSK_H
#define HW_BPF_XSK_H

#define HW_XSK_FRAME_BYTES   2048u /* a packet of 1,500 bytes with the kernel's room before it */
#define HW_XSK_PACKET_MAX    1600u /* bytes of a frame that goes this way; longer: by the sockets */
#define HW_XSK_SOCKET_FRAMES 1024u /* frames that a socket brings into its lane; a power of two */
#define HW_XSK_RING	     1024u /* descriptors of each ring; a power of two */
#define HW_XSK_FILL	     768u  /* frames that wait in a socket for packets: 20 ms of 40,000/s */
#define HW_XSK_LANES_MAX     16u   /* threads that have one */
#define HW_XSK_SOCKETS_MAX   8u	   /* interfaces of a lane; more go by ordinary sockets */

#endif
