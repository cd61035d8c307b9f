/* An answer of any length on its way to the console: written piece by piece into memory that is
 * sealed and sent. */
#ifndef HW_MAIN_ANSWER_H
#define HW_MAIN_ANSWER_H

#include "base/out.h"
#include "proc/channel.h"

#define ANSWER_PIECE_BYTES 65536	/* no single element of a listing is longer */
#define ANSWER_BYTES_MAX   (256u << 20) /* a full gateway's listing has about 40 MiB */

struct answer {
	int fd;
	int err;
	uint64_t bytes;
	struct out o; /* the piece being written */
	char *piece;
};

/* ERR_NOMEM, -errno. */
int answer_begin(struct answer *a) must_check;
/* After each element: the piece leaves. An element that did not fit fails the answer. */
void answer_flush(struct answer *a);
/* Sends it, or a 500 in its place. Frees all. As proc_send. */
int answer_end(struct answer *a, struct proc_channel *ch, uint32_t id, unsigned status) must_check;

#endif
