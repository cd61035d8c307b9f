/* Both paths do the same: random packets at random flows, through the program and through the
 * user-space judge; verdict, bytes and every figure are compared. */
#include "bpf/world.h"

#include "media/judge.h"

#define PACKETS	 60000
#define FLOWS	 6
#define NS_PER_S 1000000000ull

/* xorshift64: the same packets in every run. */
static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 32) % below;
}

static const char *const sources[] = {"203.0.113.5:4000", "203.0.113.5:4001", "203.0.113.6:4000",
				      "10.0.0.9:5000", "[2001:db8:5::5]:4000"};
static const char *const locals[] = {"192.0.2.1:16400", "192.0.2.1:16402",     "10.0.0.1:16404",
				     "10.0.0.1:16406",	"[2001:db8::1]:16408", "192.0.2.1:16410"};
static const char *const payloads[] = {
	"\x80\x00\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"
	"0123456789",
	"\x80\x65\x12\x35\x00\x00\x01\x40\xde\xad\xbe\xef"
	"0123456789",
	"\x93\x00\x12\x36\x00\x00\x01\xe0\xde\xad\xbe\xef"
	"0123456789abcdef",
	"\x80\xc9\x00\x02\x11\x11\x11\x11"
	"11111111111111",
	"\x00\x01\x00\x00\x21\x12\xa4\x42"
	"aaaaaaaaaaaa  ",
	"\x16\xfe\xfd\x00\x00\x00\x00\x00"
	"00000000000000",
	"\r\n                    ",
};

struct pair {
	struct world *w;
	struct hw_flow_stats user[FLOWS]; /* the user-space side's figures */
	uint32_t index[FLOWS];
	uint64_t seed;
	unsigned relayed, dropped, passed;
};

static void publish_some(struct pair *p)
{
	static const uint8_t kinds[] = {FLOW_RTP, FLOW_RTP, FLOW_RTCP, FLOW_RAW};

	for (size_t i = 0; i < FLOWS; i++) {
		struct flow_spec s = to_inside();
		bool v6 = i == 4;

		s.kind = kinds[draw(&p->seed, 4)];
		s.rtcp_mux = draw(&p->seed, 2);
		s.dtls = draw(&p->seed, 2);
		s.learn_port = draw(&p->seed, 2);
		s.local = at(locals[i]);
		s.source = at(v6 ? sources[4] : sources[i < 2 || i == 5 ? 0 : 3]);
		s.out = at(v6 ? locals[4] : locals[(i + 1) % 4]);
		if (v6)
			s.out.port = 16420;
		s.to = at(v6 ? "[2001:db8:1::9]:5000" : "10.0.0.9:5000");
		s.payload_types[0] = draw(&p->seed, 2);
		s.payload_types[1] = s.payload_types[0] ? 1ull << (101 - 64) : 0;
		s.rate_bytes_s = draw(&p->seed, 3) ? 0 : 100;
		p->index[i] = publish(p->w, &s, HW_USER_NOT);
		if (v6) {
			s.local = s.out;
			(void)publish(p->w, &s, HW_USER_NOT);
		}
	}
}

static void random_frame(struct pair *p, struct frame *f)
{
	struct frame_ends e = {.from = at(sources[draw(&p->seed, ROWS(sources))]),
			       .to = at(locals[draw(&p->seed, FLOWS)])};
	const char *payload = payloads[draw(&p->seed, ROWS(payloads))];
	unsigned n = draw(&p->seed, 4) ? 22 : draw(&p->seed, 23);
	char bytes[22];

	memcpy(bytes, payload, sizeof(bytes));
	bytes[3] = (char)(bytes[3] + (int)draw(&p->seed, 8)); /* the sequence moves */
	if (e.from.addr.family != e.to.addr.family)
		e.from.addr = e.to.addr;
	frame_build(f, &e, bytes, n);
	for (unsigned i = draw(&p->seed, 4); i > 2; i--)
		f->bytes[draw(&p->seed, f->n)] = (uint8_t)draw(&p->seed, 256);
}

static int number_of(const struct pair *p, const struct ip_endpoint *local)
{
	uint32_t index = flow_table_index(p->w->path.table, local);

	for (int i = 0; i < FLOWS; i++)
		if (p->index[i] == index && index != HW_FLOW_NONE)
			return i;
	return -1;
}

/* Written from scratch, not by what the program is made of. */
static bool is_plain_udp(const struct frame *f)
{
	unsigned type = (unsigned)(f->bytes[12] << 8 | f->bytes[13]), ip_bytes, udp_bytes, head;

	if (type == 0x0800) {
		if (f->bytes[14] != 0x45 || f->bytes[23] != 17 || f->bytes[20] & 0x3f ||
		    f->bytes[21])
			return false;
		head = 20;
		ip_bytes = (unsigned)(f->bytes[16] << 8 | f->bytes[17]);
	} else {
		if (type != 0x86dd || f->bytes[14] >> 4 != 6 || f->bytes[20] != 17)
			return false;
		head = 40;
		ip_bytes = 40u + (unsigned)(f->bytes[18] << 8 | f->bytes[19]);
	}
	udp_bytes = (unsigned)(f->bytes[14 + head + 4] << 8 | f->bytes[14 + head + 5]);
	return udp_bytes >= 8 && ip_bytes == head + udp_bytes && 14 + ip_bytes <= f->n;
}

static bool ip_sum_good(const struct frame *f)
{
	uint32_t sum = 0;

	for (int i = 14; i < 34; i += 2)
		sum += (uint32_t)(f->bytes[i] << 8 | f->bytes[i + 1]);
	return f->bytes[12] == 0x86 || (sum & 0xffff) + (sum >> 16) == 0xffff;
}

static void assert_same_figures(const struct pair *p, int i, const struct frame *f)
{
	const struct hw_flow_stats *user = &p->user[i];
	struct flow_stats got;

	assert_true(flow_table_stats(p->w->path.table, p->index[i], &got));
	for (int why = 0; why < HW_REFUSED_KEYED; why++)
		check_int("refused", got.refused[why], user->refused[why]);
	check_int("packets", (long long)got.packets, (long long)user->stream.packets);
	check_int("bytes", (long long)got.bytes, (long long)user->stream.bytes);
	check_int("control", (long long)got.control_packets, user->stream.control_packets);
	check_int("ssrc", got.ssrc, user->stream.ssrc);
	check_int("changes", got.ssrc_changes, user->stream.ssrc_changes);
	check_int("reordered", got.reordered, user->stream.reordered);
	check_int("duplicate", got.duplicate, user->stream.duplicate);
	check_int("seen", (long long)got.last_seen_ns, (long long)user->stream.last_seen_ns);
	check_int("gaps", got.gaps, user->stream.gaps);
}

/* The same packet to the user-space judge, at the moment at which the program saw it. */
static enum hw_refused judge_too(struct pair *p, int i, const struct frame_ends *e,
				 const uint8_t *payload, unsigned n)
{
	struct slice packet = slice_of((const char *)payload, n);
	struct flow_stats now;
	struct hw_flow flow;
	uint64_t now_ns;

	assert_true(flow_table_stats(p->w->path.table, p->index[i], &now));
	assert_true(flow_table_read(p->w->path.table, p->index[i], &flow));
	now_ns = now.last_seen_ns;
	if (p->user[i].opened != flow.opened)
		p->user[i] = (struct hw_flow_stats){.opened = flow.opened};
	/* A packet that the bucket stopped left no time; any between two others is right. */
	if (now_ns == p->user[i].stream.last_seen_ns)
		now_ns = now_ns ? now_ns : NS_PER_S;
	return judge_packet(&p->user[i], &flow, &e->from, packet, now_ns);
}

static void step(struct pair *p)
{
	struct frame f, before;
	struct frame_ends e;
	int verdict, i;
	enum hw_refused why;

	random_frame(p, &f);
	before = f;
	verdict = frame_run(xdp_program_fd(p->w->path.xdp), &f);
	if (verdict == XDP_PASS) {
		p->passed++;
		assert_int_equal(f.n, before.n);
		assert_memory_equal(f.bytes, before.bytes, f.n);
	}
	if (!is_plain_udp(&before) || !ip_sum_good(&before)) {
		assert_int_equal(verdict, XDP_PASS);
		return;
	}
	before.ip = before.bytes + 14;
	before.udp = before.ip + (before.bytes[12] == 0x08 ? 20 : 40);
	before.payload = before.udp + 8;
	before.payload_bytes = (unsigned)(before.udp[4] << 8 | before.udp[5]) - 8;
	e = frame_ends(&before);
	i = number_of(p, &e.to);
	if (i < 0 || verdict == XDP_PASS)
		return; /* no flow of ours, or IPv6 without a sum, or from nobody */
	why = judge_too(p, i, &e, before.payload, before.payload_bytes);
	assert_int_equal(verdict, why == JUDGE_PASS ? XDP_REDIRECT : XDP_DROP);
	assert_same_figures(p, i, &before);
	p->relayed += verdict == XDP_REDIRECT;
	p->dropped += verdict == XDP_DROP;
	if (verdict != XDP_REDIRECT)
		return;
	/* The payload is the same; a sum that was right is right, one that was wrong stays wrong.
	 */
	assert_int_equal(f.n, before.n);
	assert_memory_equal(f.bytes + (before.payload - before.bytes), before.payload,
			    before.payload_bytes);
	if (before.udp[6] | before.udp[7]) {
		bool was_good = frame_udp_sum(&before) == 0xffff;

		assert_true(frame_read(&f) == was_good);
	}
}

static void both_paths_do_the_same(void **state)
{
	struct pair p = {.w = *state, .seed = 0x9e3779b97f4a7c15ull};

	for (unsigned i = 0; i < PACKETS; i++) {
		if (i % 500 == 0)
			publish_some(&p);
		step(&p);
	}
	/* the test saw something of each */
	assert_true(p.relayed > PACKETS / 50 && p.dropped > PACKETS / 50 &&
		    p.passed > PACKETS / 500);
}

/* What the verifier has to walk and what the kernel has to run, so that a change that doubles it is
 * seen. */
static void program_size(void **state)
{
	struct world *w = *state;
	struct xdp_size size;

	if (getenv("HW_BPF_COUNTERS"))
		skip(); /* with its counters it is another one */
	assert_int_equal(xdp_program_size(w->path.xdp, &size), 0);
	printf("%u instructions, %u walked by the verifier, %u bytes of machine code\n",
	       size.instructions, size.verified, size.machine_bytes);
	assert_in_range(size.instructions, 200, 4000);
	assert_in_range(size.verified, 1, 200000); /* the kernel's limit is a million */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_paths_do_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(program_size, set_up, tear_down),
	};

	return world_root() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
