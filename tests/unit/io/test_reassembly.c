#include "unit/check.h"
#include "unit/failing_alloc.h"

#include "io/reassembly.h"

static const struct hash_key key = {1, 2};

static struct packet segment(uint32_t seq, const char *text)
{
	return (struct packet){.src = {{IP_V4, {192, 0, 2, 1}}, 40000},
			       .dst = {{IP_V4, {192, 0, 2, 2}}, 5060},
			       .seq = seq,
			       .payload = slice_z(text)};
}

struct step {
	uint32_t seq;
	const char *text; /* NULL = a SYN */
};

static const struct {
	const char *name;
	struct step steps[6];
	const char *want;
} rows[] = {
	{"in order", {{99, NULL}, {100, "abc"}, {103, "def"}}, "abcdef"},
	{"without a beginning", {{100, "abc"}, {103, "def"}}, "abcdef"},
	{"out of order", {{99, NULL}, {103, "def"}, {106, "g"}, {100, "abc"}}, "abcdefg"},
	{"backwards", {{99, NULL}, {106, "g"}, {103, "def"}, {100, "abc"}}, "abcdefg"},
	{"sent again", {{99, NULL}, {100, "abc"}, {100, "abc"}, {103, "d"}}, "abcd"},
	{"overlapping", {{99, NULL}, {100, "abc"}, {101, "bcdef"}}, "abcdef"},
	{"held and overlapping", {{99, NULL}, {104, "ef"}, {103, "de"}, {100, "abcd"}}, "abcdef"},
	{"SYN again", {{99, NULL}, {100, "abc"}, {103, "d"}}, "abcd"},
	{"over the end of the numbers",
	 {{0xfffffffd, NULL}, {0xfffffffe, "ab"}, {0, "cd"}},
	 "abcd"},
	{"another connection over the same ports",
	 {{99, NULL}, {100, "abc"}, {5000, NULL}, {5001, "xy"}},
	 "xy"},
	{"a hole stays", {{99, NULL}, {100, "abc"}, {110, "z"}}, "abc"},
};

static struct tcp_flow *play(struct reassembly *r, const struct step *steps)
{
	struct tcp_flow *f = NULL;

	for (unsigned i = 0; i < 6 && (steps[i].text || steps[i].seq); i++) {
		struct packet p = segment(steps[i].seq, steps[i].text);

		p.syn = !steps[i].text;
		f = reassembly_add(r, &p);
		assert_non_null(f);
	}
	return f;
}

static void each_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct reassembly r;
		struct tcp_flow *f;

		assert_int_equal(reassembly_init(&r, &key), 0);
		f = play(&r, rows[i].steps);
		check_slice(rows[i].name, slice_of(f->buf, f->n), rows[i].want);
		reassembly_done(&r);
	}
}

static void taking_and_skipping(void **state)
{
	static const struct step steps[] = {{99, NULL}, {100, "abc"}, {110, "xyz"}, {0, NULL}};
	struct reassembly r;
	struct tcp_flow *f;

	(void)state;
	assert_int_equal(reassembly_init(&r, &key), 0);
	f = play(&r, steps);
	assert_false(reassembly_take(f, 2));
	check_slice("left", slice_of(f->buf, f->n), "c");
	assert_true(reassembly_skip(f));
	assert_true(f->hole);
	check_slice("behind the hole", slice_of(f->buf, f->n), "xyz");
	assert_false(reassembly_skip(f));
	assert_false(reassembly_take(f, 99));
	assert_int_equal(f->n, 0);
	reassembly_done(&r);
}

static void ignored_keeps_nothing(void **state)
{
	struct packet a = segment(100, "abc"), b = segment(103, "def");
	struct reassembly r;
	struct tcp_flow *f;

	(void)state;
	assert_int_equal(reassembly_init(&r, &key), 0);
	f = reassembly_add(&r, &a);
	f->ignored = true;
	assert_ptr_equal(reassembly_add(&r, &b), f);
	assert_int_equal(f->n, 0);
	assert_null(f->buf);
	reassembly_done(&r);
}

static void held_limit(void **state)
{
	struct packet first = segment(99, NULL);
	struct reassembly r;
	struct tcp_flow *f = NULL;

	(void)state;
	first.syn = true;
	assert_int_equal(reassembly_init(&r, &key), 0);
	assert_non_null(reassembly_add(&r, &first));
	for (uint32_t i = 0; i < REASSEMBLY_HELD_MAX; i++) {
		struct packet p = segment(200 + 2 * i, "x");

		f = reassembly_add(&r, &p);
	}
	assert_int_equal(f->held_count, REASSEMBLY_HELD_MAX);
	assert_false(f->hole);
	/* One more: the first hole is given up. */
	first = segment(200 + 2 * REASSEMBLY_HELD_MAX, "x");
	assert_ptr_equal(reassembly_add(&r, &first), f);
	assert_true(f->hole);
	check_slice("behind it", slice_of(f->buf, f->n), "x");
	reassembly_done(&r);
}

static void bytes_limit(void **state)
{
	static char many[REASSEMBLY_BYTES_MAX + 1];
	struct packet p = segment(100, "");
	struct reassembly r;
	struct tcp_flow *f;

	(void)state;
	assert_int_equal(reassembly_init(&r, &key), 0);
	p.payload = slice_of(many, REASSEMBLY_BYTES_MAX);
	f = reassembly_add(&r, &p);
	assert_int_equal(f->n, REASSEMBLY_BYTES_MAX);
	assert_int_equal(r.dropped, 0);
	p = segment(100 + REASSEMBLY_BYTES_MAX, "x");
	assert_ptr_equal(reassembly_add(&r, &p), f);
	assert_int_equal(r.dropped, 1);
	reassembly_done(&r);
}

static int allocate(void *context)
{
	static const struct step steps[] = {{99, NULL}, {103, "def"}, {100, "abc"}, {0, NULL}};
	struct reassembly r;
	int err = reassembly_init(&r, &key);

	(void)context;
	if (err)
		return err;
	for (unsigned i = 0; i < 3; i++) {
		struct packet p = segment(steps[i].seq, steps[i].text);

		p.syn = !steps[i].text;
		(void)reassembly_add(&r, &p);
	}
	err = r.dropped ? ERR_NOMEM : 0;
	reassembly_done(&r);
	return err;
}

static void failing(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(allocate, NULL), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_order),
		cmocka_unit_test(taking_and_skipping),
		cmocka_unit_test(ignored_keeps_nothing),
		cmocka_unit_test(held_limit),
		cmocka_unit_test(bytes_limit),
		cmocka_unit_test(failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
