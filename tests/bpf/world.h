/* What the tests of the program share: two IPv4 and two IPv6 addresses of ours on the loopback
 * interface, from which test runs come, a next hop, and a call's flows. */
#ifndef HW_TESTS_BPF_WORLD_H
#define HW_TESTS_BPF_WORLD_H

#include "unit/check.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <unistd.h>

#include "bpf/frame.h"
#include "bpf/path.h"

#define FIRST	 16384
#define LAST	 20478 /* all of one block but its last port */
#define LOOPBACK 1     /* the interface from which test runs come */

#define RTP_HEAD       "\x80\x00\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"
#define RTP_OTHER_TYPE "\x80\x08\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"
#define RTCP_RR	       "\x80\xc9\x00\x01\x11\x11\x11\x11"
#define STUN                                                                                       \
	"\x00\x01\x00\x00\x21\x12\xa4\x42"                                                         \
	"aaaaaaaaaaaa"

struct world {
	struct bpf_path path;
	uint16_t hop;
};

static inline struct ip_endpoint at(const char *text)
{
	struct ip_endpoint e = {0};

	if (ip_endpoint_parse(slice_z(text), 0, &e))
		fail_msg("bad address %s", text);
	return e;
}

static const struct hw_next_hop plain_hop = {
	.ifindex = LOOPBACK,
	.mtu = 1500,
	.mac_to = {2, 0, 0, 0, 1, 9},
	.mac_from = {2, 0, 0, 0, 1, 1},
};

static inline int set_up(void **state)
{
	static const char *const addresses[] = {"192.0.2.1:1", "10.0.0.1:1", "[2001:db8::1]:1",
						"[2001:db8:1::1]:1"};
	struct world *w = calloc(1, sizeof(*w));
	struct flow_reach reach = {.ifindex = LOOPBACK};
	const char *why;
	int err = path_init(&w->path, NULL, FIRST, LAST, &why);

	if (err)
		fail_msg("%s", why);
	for (size_t i = 0; i < ROWS(addresses); i++) {
		struct ip_endpoint e = at(addresses[i]);

		assert_int_equal(path_address(&w->path, &e.addr, &reach, FIRST, LAST), 0);
	}
	w->hop = path_hop(&w->path, &plain_hop);
	*state = w;
	return 0;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;

	path_done(&w->path);
	free(w);
	return 0;
}

static inline struct flow_spec to_inside(void)
{
	return (struct flow_spec){.call = 7,
				  .kind = FLOW_RTP,
				  .dscp = 46,
				  .clock_khz = 8,
				  .local = at("192.0.2.1:16400"),
				  .source = at("203.0.113.5:4000"),
				  .out = at("10.0.0.1:16402"),
				  .to = at("10.0.0.9:5000"),
				  .payload_types = {1, 0},
				  .codec = "PCMU/8000"};
}

static inline struct flow_spec to_outside(const struct flow_spec *s)
{
	struct flow_spec back = *s;

	back.local = s->out;
	back.out = s->local;
	back.source = s->to;
	back.to = s->source;
	return back;
}

static inline uint32_t publish(struct world *w, const struct flow_spec *s, uint8_t user_why)
{
	struct flow_way way = {w->hop, w->hop, user_why};
	uint32_t index = HW_FLOW_NONE;

	assert_int_equal(flow_table_publish_by(w->path.table, s, &way, 1, &index), 0);
	return index;
}

static inline uint32_t publish_both(struct world *w, const struct flow_spec *s)
{
	struct flow_spec back = to_outside(s);

	(void)publish(w, &back, HW_USER_NOT);
	return publish(w, s, HW_USER_NOT);
}

static inline int send(struct world *w, struct frame *f, const char *from, const char *to,
		       const char *payload, size_t n)
{
	struct frame_ends e = {.from = at(from), .to = at(to)};

	frame_build(f, &e, payload, (unsigned)n);
	return frame_run(xdp_program_fd(w->path.xdp), f);
}
#define SEND(w, f, from, to, payload) send(w, f, from, to, payload, sizeof(payload) - 1)

static inline void assert_left(struct frame *f, const char *from, const char *to)
{
	struct ip_endpoint want_from = at(from), want_to = at(to);
	struct frame_ends got;

	assert_true(frame_read(f));
	got = frame_ends(f);
	assert_true(ip_endpoint_eq(&got.from, &want_from));
	assert_true(ip_endpoint_eq(&got.to, &want_to));
	assert_memory_equal(f->bytes, plain_hop.mac_to, 6);
	assert_memory_equal(f->bytes + 6, plain_hop.mac_from, 6);
}

static inline uint64_t refused(struct world *w, uint32_t index, enum hw_refused why)
{
	struct flow_stats stats;

	assert_true(flow_table_stats(w->path.table, index, &stats));
	return stats.refused[why];
}

static inline int world_root(void)
{
	if (geteuid() == 0)
		return 0;
	printf("skipped: loading a BPF program needs root\n");
	return 77;
}

#endif
