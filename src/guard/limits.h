/* Limits of the guard: name, value, unit, reason. */
#ifndef HW_GUARD_LIMITS_H
#define HW_GUARD_LIMITS_H

#define R1_ADDRESSES_MAX    64	 /* local media addresses: two per zone */
#define R1_PORT_MIN	    1024 /* a peer's media port below is refused: no phone uses one */
#define R1_STREAM_FLOWS_MAX 4	 /* RTP and RTCP in both directions */
#define R5_CHUNK_BYTES	    (16 * 1024)
#define R5_MEMORY_MAX	    (16 * 1024 * 1024) /* bytes of a policy: 256 zones fit */

#endif
