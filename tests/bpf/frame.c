#include "bpf/frame.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#define ETH_BYTES 14
#define UDP_BYTES 8

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static uint32_t sum(const uint8_t *p, unsigned n, uint32_t start)
{
	for (unsigned i = 0; i < n; i += 2)
		start += (unsigned)(p[i] << 8) + (i + 1 < n ? p[i + 1] : 0);
	return start;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

uint16_t frame_udp_sum(const struct frame *f)
{
	unsigned udp_bytes = f->payload_bytes + UDP_BYTES;
	bool v4 = f->ip[0] >> 4 == 4;

	return fold(sum(v4 ? f->ip + 12 : f->ip + 8, v4 ? 8 : 32, 17 + udp_bytes) +
		    sum(f->udp, udp_bytes, 0));
}

static unsigned put_ethernet(struct frame *f, const struct frame_ends *e)
{
	unsigned at = 12;

	memcpy(f->bytes, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
	for (unsigned i = 0; i < e->tags; i++, at += 4) {
		put16(f->bytes + at, i == 0 && e->tags == 2 ? 0x88a8 : 0x8100);
		put16(f->bytes + at + 2, e->vlan[i] | 5u << 13);
	}
	put16(f->bytes + at, e->from.addr.family == IP_V4 ? 0x0800 : 0x86dd);
	return at + 2;
}

void frame_build(struct frame *f, const struct frame_ends *e, const void *payload, unsigned n)
{
	bool v4 = e->from.addr.family == IP_V4;
	unsigned ip_bytes = v4 ? 20 : 40;

	memset(f, 0, sizeof(*f));
	f->ip = f->bytes + put_ethernet(f, e);
	f->udp = f->ip + ip_bytes;
	f->payload = f->udp + UDP_BYTES;
	f->payload_bytes = n;
	f->tags = e->tags;
	if (v4) {
		memcpy(f->ip, "\x45\x00\0\0\x12\x34\x40\x00\x3f\x11\0\0", 12);
		put16(f->ip + 2, ip_bytes + UDP_BYTES + n);
		memcpy(f->ip + 12, e->from.addr.bytes, 4);
		memcpy(f->ip + 16, e->to.addr.bytes, 4);
		put16(f->ip + 10, (uint16_t)~fold(sum(f->ip, 20, 0)));
	} else {
		memcpy(f->ip, "\x60\0\0\0\0\0\x11\x3f", 8);
		put16(f->ip + 4, UDP_BYTES + n);
		memcpy(f->ip + 8, e->from.addr.bytes, 16);
		memcpy(f->ip + 24, e->to.addr.bytes, 16);
	}
	put16(f->udp, e->from.port);
	put16(f->udp + 2, e->to.port);
	put16(f->udp + 4, UDP_BYTES + n);
	memcpy(f->payload, payload, n);
	put16(f->udp + 6, (uint16_t)~frame_udp_sum(f));
	if (get16(f->udp + 6) == 0)
		put16(f->udp + 6, 0xffff);
	f->n = (unsigned)(f->payload - f->bytes) + n;
}

bool frame_read(struct frame *f)
{
	unsigned at = 12, type = get16(f->bytes + at), next;

	f->tags = 0;
	f->ip = f->udp = f->payload = NULL;
	for (; (type == 0x8100 || type == 0x88a8) && f->tags < 2; type = get16(f->bytes + at)) {
		f->vlan[f->tags++] = (uint16_t)get16(f->bytes + at + 2);
		at += 4;
	}
	f->ip = f->bytes + at + 2;
	if ((type != 0x0800 || fold(sum(f->ip, 20, 0)) != 0xffff) && type != 0x86dd)
		return false;
	f->udp = f->ip + (type == 0x0800 ? 20 : 40);
	next = type == 0x0800 ? f->ip[9] : f->ip[6];
	f->payload = f->udp + UDP_BYTES;
	f->payload_bytes = get16(f->udp + 4) - UDP_BYTES;
	return next == 17 && (unsigned)(f->payload - f->bytes) + f->payload_bytes <= f->n &&
	       (get16(f->udp + 6) == 0 || frame_udp_sum(f) == 0xffff);
}

struct frame_ends frame_ends(const struct frame *f)
{
	bool v4 = f->ip[0] >> 4 == 4;
	struct frame_ends e = {.tags = f->tags, .vlan = {f->vlan[0], f->vlan[1]}};

	e.from.addr.family = e.to.addr.family = v4 ? IP_V4 : IP_V6;
	memcpy(e.from.addr.bytes, f->ip + (v4 ? 12 : 8), v4 ? 4 : 16);
	memcpy(e.to.addr.bytes, f->ip + (v4 ? 16 : 24), v4 ? 4 : 16);
	e.from.port = (uint16_t)get16(f->udp);
	e.to.port = (uint16_t)get16(f->udp + 2);
	return e;
}

int frame_run(int program, struct frame *f)
{
	uint8_t out[FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes, .data_size_in = f->n,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);

	if (bpf_prog_test_run_opts(program, &opts) != 0)
		return -errno;
	memcpy(f->bytes, out, opts.data_size_out);
	f->n = opts.data_size_out;
	return (int)opts.retval;
}
