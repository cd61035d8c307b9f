/* INVITEs with SDP as phones and trunks send them, all different, the same in every run. */
#ifndef HW_TESTS_BENCH_INVITES_H
#define HW_TESTS_BENCH_INVITES_H

#include <stddef.h>

#define INVITES		 512
#define INVITE_BYTES_MAX 4096

struct invites {
	const char *text[INVITES]; /* each followed by a NUL, in `pool` one behind the other: at
				      page starts they would all fight for the same cache sets */
	size_t bytes[INVITES];
	size_t total_bytes;
	char pool[INVITES * INVITE_BYTES_MAX];
};

void invites_make(struct invites *out);

#endif
