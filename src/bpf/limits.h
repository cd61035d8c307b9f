/* Limits of the packet path, the same in kernel and user space. */
#ifndef HW_BPF_LIMITS_H
#define HW_BPF_LIMITS_H

#define STREAM_DROPOUT_MAX  3000 /* sequence numbers; a larger step is a restart, RFC 3550 A.1 */
#define STREAM_MISORDER_MAX 100	 /* sequence numbers; an older one is a restart, RFC 3550 A.1 */
#define STREAM_WINDOW	    64	 /* sequence numbers in which duplicates are told apart */
#define STREAM_GAP_NS	    100000000ull /* a pause that a listener notices */

#define STREAM_JITTER_STEP_MAX 0xffffffu /* timestamp units; keeps the running mean in 32 bits */

#define RELAY_BUCKET_MS	       500  /* burst that policing lets pass, in ms of the rate */
#define RELAY_BUCKET_BYTES_MIN 4096 /* and never less: a video frame comes as one burst */

#define RELAY_LOCK_TRIES 64 /* looks at a flow's lock; its holder needs some 50 ns */

#endif
