#include "assess/tftp.h"

#include <errno.h>

#include "base/cursor.h"

#define TFTP_PORT    69
#define BLOCK_BYTES  512
#define OP_READ	     1
#define OP_DATA	     3
#define OP_ACK	     4
#define OP_ERROR     5
#define PACKET_BYTES (4 + BLOCK_BYTES)

/* The transfer's end: the server shall not repeat its block. */
static void say_enough(struct dgram *u)
{
	char text[16];
	struct out o = out_to(text, sizeof(text));

	out_be16(&o, OP_ERROR);
	out_be16(&o, 0);
	out_bytes(&o, SL("enough\0"));
	(void)!dgram_send(u, out_slice(&o));
}

static int acknowledge(struct visit *v, struct dgram *u, uint16_t block)
{
	char text[4];
	struct out o = out_to(text, sizeof(text));

	out_be16(&o, OP_ACK);
	out_be16(&o, block);
	return visit_send(v, PACKET_TFTP, u, out_slice(&o));
}

/* One block into buf; its bytes, or an error. */
static int read_block(struct dgram *u, uint16_t block, char *buf, size_t size)
{
	char packet[PACKET_BYTES + 1];
	int n = dgram_recv(u, packet, sizeof(packet), DGRAM_TIMEOUT_MS);
	struct cursor c;
	struct slice data;

	if (n < 0)
		return n;
	c = cur_of(slice_of(packet, (size_t)n));
	switch (cur_u16(&c)) {
	case OP_DATA:
		if (cur_u16(&c) != block || c.err)
			return ERR_PEER;
		data = cur_rest(&c);
		memcpy(buf, data.p, data.n < size ? data.n : size);
		return (int)data.n;
	case OP_ERROR:
		return ERR_ABSENT;
	default:
		return ERR_PEER;
	}
}

static int read_file(struct visit *v, struct dgram *u, char *buf, size_t size)
{
	size_t have = 0;

	for (uint16_t block = 1;; block++) {
		int n = read_block(u, block, buf + have, size - have);

		if (n < 0)
			return have ? (int)have : n;
		have += (size_t)n < size - have ? (size_t)n : size - have;
		if (n < BLOCK_BYTES) {
			(void)!acknowledge(v, u, block);
			return (int)have;
		}
		if (have == size || acknowledge(v, u, block)) {
			say_enough(u);
			return (int)have;
		}
	}
}

int visit_tftp(struct visit *v, const char *name, char *buf, size_t size)
{
	char request[256];
	struct out o = out_to(request, sizeof(request));
	struct dgram u;
	int n = visit_udp(v, TFTP_PORT, &u);

	if (n)
		return n;
	out_be16(&o, OP_READ);
	out_z(&o, name);
	out_char(&o, '\0');
	out_bytes(&o, SL("octet\0"));
	n = o.err ? o.err : visit_send(v, PACKET_TFTP, &u, out_slice(&o));
	if (!n)
		n = read_file(v, &u, buf, size);
	dgram_close(&u);
	return n;
}
