/* The kernel path, branch by branch: a frame in, a verdict and a frame out. */
#include "unit/check.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <unistd.h>

#include "bpf/frame.h"
#include "bpf/path.h"

#define FIRST	 16384
#define LAST	 20479 /* one block */
#define LOOPBACK 1     /* the interface from which test runs come */

#define RTP_HEAD       "\x80\x00\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"
#define RTP_OTHER_TYPE "\x80\x08\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"
#define RTCP_RR	       "\x80\xc9\x00\x01\x11\x11\x11\x11"
#define STUN                                                                                       \
	"\x00\x01\x00\x00\x21\x12\xa4\x42"                                                         \
	"aaaaaaaaaaaa"

struct world {
	struct path path;
	uint16_t hop;
};

static struct ip_endpoint at(const char *text)
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

static int set_up(void **state)
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

static int tear_down(void **state)
{
	struct world *w = *state;

	path_done(&w->path);
	free(w);
	return 0;
}

static struct flow_spec to_inside(void)
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

static struct flow_spec to_outside(const struct flow_spec *s)
{
	struct flow_spec back = *s;

	back.local = s->out;
	back.out = s->local;
	back.source = s->to;
	back.to = s->source;
	return back;
}

static uint32_t publish(struct world *w, const struct flow_spec *s, uint8_t user_why)
{
	struct flow_way way = {w->hop, w->hop, user_why};
	uint32_t index = HW_FLOW_NONE;

	assert_int_equal(flow_table_publish_by(w->path.table, s, &way, 1, &index), 0);
	return index;
}

static uint32_t publish_both(struct world *w, const struct flow_spec *s)
{
	struct flow_spec back = to_outside(s);

	(void)publish(w, &back, HW_USER_NOT);
	return publish(w, s, HW_USER_NOT);
}

static int send(struct world *w, struct frame *f, const char *from, const char *to,
		const char *payload, size_t n)
{
	struct frame_ends e = {.from = at(from), .to = at(to)};

	frame_build(f, &e, payload, (unsigned)n);
	return frame_run(xdp_program_fd(w->path.xdp), f);
}
#define SEND(w, f, from, to, payload) send(w, f, from, to, payload, sizeof(payload) - 1)

static void assert_left(struct frame *f, const char *from, const char *to)
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

static void relays_and_counts(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct flow_stats stats;
	struct frame f;

	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:16400", RTP_HEAD "speech"),
			 XDP_REDIRECT);
	assert_left(&f, "10.0.0.1:16402", "10.0.0.9:5000");
	assert_int_equal(f.ip[1], 46 << 2);
	assert_memory_equal(f.payload, RTP_HEAD "speech", 18);
	assert_true(flow_table_stats(w->path.table, index, &stats));
	assert_int_equal(stats.packets, 1);
	assert_int_equal(stats.bytes, 18);
	assert_int_equal(stats.ssrc, 0xdeadbeef);
	assert_int_equal(SEND(w, &f, "10.0.0.9:5000", "10.0.0.1:16402", RTP_HEAD), XDP_REDIRECT);
	assert_left(&f, "192.0.2.1:16400", "203.0.113.5:4000");
}

static void relays_ipv6(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	struct frame f;

	s.local = at("[2001:db8::1]:16400");
	s.source = at("[2001:db8:5::5]:4000");
	s.out = at("[2001:db8:1::1]:16402");
	s.to = at("[2001:db8:1::9]:5000");
	(void)publish_both(w, &s);
	assert_int_equal(SEND(w, &f, "[2001:db8:5::5]:4000", "[2001:db8::1]:16400", RTP_HEAD "x"),
			 XDP_REDIRECT);
	assert_left(&f, "[2001:db8:1::1]:16402", "[2001:db8:1::9]:5000");
	assert_int_equal((f.ip[0] << 4 & 0xf0) | f.ip[1] >> 4, 46 << 2);
}

static const struct {
	const char *name, *from, *to, *payload;
	unsigned n;
	int verdict;
	enum hw_refused why;
} refusals[] = {
	{"other address", "203.0.113.6:4000", "192.0.2.1:16400", RTP_HEAD, 12, XDP_DROP,
	 HW_REFUSED_ADDRESS},
	{"other port", "203.0.113.5:4001", "192.0.2.1:16400", RTP_HEAD, 12, XDP_DROP,
	 HW_REFUSED_PORT},
	{"no RTP", "203.0.113.5:4000", "192.0.2.1:16400", "GET / HTTP/1.1", 14, XDP_DROP,
	 HW_REFUSED_NOT_RTP},
	{"RTP cut", "203.0.113.5:4000", "192.0.2.1:16400", RTP_HEAD, 11, XDP_DROP,
	 HW_REFUSED_NOT_RTP},
	{"RTCP on RTP's port", "203.0.113.5:4000", "192.0.2.1:16400", RTCP_RR, 8, XDP_DROP,
	 HW_REFUSED_NOT_RTP},
	{"STUN", "203.0.113.5:4000", "192.0.2.1:16400", STUN, 20, XDP_DROP, HW_REFUSED_NOT_RTP},
	{"empty", "203.0.113.5:4000", "192.0.2.1:16400", "", 0, XDP_DROP, HW_REFUSED_NOT_RTP},
	{"type", "203.0.113.5:4000", "192.0.2.1:16400", RTP_OTHER_TYPE, 12, XDP_DROP,
	 HW_REFUSED_TYPE},
};

static void refuses(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct flow_stats stats;

	for (size_t i = 0; i < ROWS(refusals); i++) {
		struct frame f;
		int got;

		assert_true(flow_table_stats(w->path.table, index, &stats));
		got = send(w, &f, refusals[i].from, refusals[i].to, refusals[i].payload,
			   refusals[i].n);
		check_int(refusals[i].name, got, refusals[i].verdict);
		got = (int)stats.refused[refusals[i].why];
		assert_true(flow_table_stats(w->path.table, index, &stats));
		check_int(refusals[i].name, stats.refused[refusals[i].why], got + 1);
		check_int(refusals[i].name, (long long)stats.packets, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(relays_and_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(relays_ipv6, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses, set_up, tear_down),
	};

	if (geteuid() != 0) {
		printf("skipped: loading a BPF program needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
