/* Reads capture files (pcap and pcapng, through libpcap) packet by packet. */
#ifndef HW_IO_CAPTURE_H
#define HW_IO_CAPTURE_H

#include "base/slice.h"

#define CAPTURE_ERROR_MAX 256 /* bytes of a message with its NUL; libpcap's own size */

struct capture;

/* A packet as it lies in the file; bytes are borrowed until the next one is read. */
struct capture_packet {
	uint64_t time_ns; /* since 1970 */
	struct slice bytes;
	bool cut; /* the file holds less of it than the wire did */
};

/* ERR_SYNTAX when the file is no capture or cannot be read, ERR_NOMEM; `why` then says it in words.
 */
int capture_open(const char *path, struct capture **out,
		 char why[static CAPTURE_ERROR_MAX]) must_check;
/* 1 and a packet, 0 at the end, or ERR_SYNTAX when the file breaks off; `why` then says how. */
int capture_next(struct capture *c, struct capture_packet *out,
		 char why[static CAPTURE_ERROR_MAX]) must_check;
/* libpcap's DLT_ number of all its packets. */
int capture_link_type(const struct capture *c);
/* Accepts NULL. */
void capture_close(struct capture *c);

#endif
