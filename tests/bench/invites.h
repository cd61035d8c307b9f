/* INVITEs with SDP as phones and trunks send them, all different, the same in every run. */
#ifndef HW_TESTS_BENCH_INVITES_H
#define HW_TESTS_BENCH_INVITES_H

#include <stddef.h>

#define INVITES		 512
#define INVITE_BYTES_MAX 4096

struct invites {
	char text[INVITES][INVITE_BYTES_MAX]; /* each followed by a NUL */
	size_t bytes[INVITES];
	size_t total_bytes;
};

void invites_make(struct invites *out);

#endif
