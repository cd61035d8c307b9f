/* Sealed packets for a generator that cannot seal: they lie in a pool before a run begins. */
#ifndef HW_BENCH_MEDIA_SEALED_H
#define HW_BENCH_MEDIA_SEALED_H

#include "base/srtp_key.h"
#include "bench/media/load.h"

struct sealed;

/* The key that a stream's packets are sealed with: its number, then zeros. */
struct srtp_key sealed_key(enum srtp_suite suite, uint32_t number);

/* ERR_NOMEM, ERR_SYNTAX: no suite that the generator knows the size of. */
int sealed_new(enum srtp_suite suite, uint32_t streams, struct sealed **out);
void sealed_free(struct sealed *s);
/* Of a packet. */
uint32_t sealed_bytes(const struct sealed *s);
/* Packets `first` and following into their slots: packet n is number n / streams of its stream, and
 * sealed with the roll-over counter that this gives. */
int sealed_fill(struct sealed *s, struct load_slot *pool, uint64_t first, uint32_t count);

#endif
