/* One description writes and reads: what comes back is what went in, or nothing. */
#include "unit/check.h"

#include "base/mem.h"
#include "base/pack.h"

struct thing {
	uint8_t small;
	uint16_t port;
	uint32_t number;
	uint64_t time;
	bool flag;
	char name[8];
	struct slice text;
};

static void pack_thing(struct pack *p, struct thing *t)
{
	pack_u8(p, &t->small, 3);
	pack_u16(p, &t->port);
	pack_u32(p, &t->number);
	pack_u64(p, &t->time);
	pack_bool(p, &t->flag);
	pack_z(p, t->name, sizeof(t->name));
	pack_slice(p, &t->text);
}

static size_t write_thing(struct thing t, char *buf, size_t size)
{
	struct pack p = pack_to(buf, size);

	pack_thing(&p, &t);
	return pack_error(&p) ? 0 : out_slice(&p.out).n;
}

static int read_thing(const char *buf, size_t n, struct arena *arena, struct thing *out)
{
	struct pack p = pack_of(slice_of(buf, n), arena);

	memset(out, 0, sizeof(*out));
	pack_thing(&p, out);
	return pack_error(&p);
}

static const struct thing whole = {.small = 3,
				   .port = 5060,
				   .number = 0xdeadbeef,
				   .time = 1ull << 60,
				   .flag = true,
				   .name = "seven77",
				   .text = SLICE("any\0thing")};

static void comes_back(void **state)
{
	char buf[256];
	size_t n = write_thing(whole, buf, sizeof(buf));
	struct arena arena;
	struct thing t;

	arena_init(&arena, 256, 4096);
	assert_true(n > 0);
	assert_int_equal(read_thing(buf, n, &arena, &t), 0);
	assert_int_equal(t.small, 3);
	assert_int_equal(t.port, 5060);
	assert_int_equal(t.number, 0xdeadbeef);
	assert_true(t.time == 1ull << 60 && t.flag);
	assert_string_equal(t.name, "seven77");
	assert_true(slice_eq(t.text, whole.text) && t.text.p != whole.text.p);
	arena_done(&arena);
}

static void each_byte_too_few_is_an_error(void **state)
{
	char buf[256];
	size_t n = write_thing(whole, buf, sizeof(buf));
	struct arena arena;
	struct thing t;

	arena_init(&arena, 256, 4096);
	for (size_t cut = 0; cut < n; cut++) {
		assert_int_equal(read_thing(buf, cut, &arena, &t), ERR_SYNTAX);
		assert_int_equal(t.text.n, 0);
	}
	for (size_t room = 0; room < n; room++)
		assert_int_equal(write_thing(whole, buf, room), 0);
	arena_done(&arena);
}

static void what_may_not_stand_there(void **state)
{
	char buf[256];
	size_t n = write_thing(whole, buf, sizeof(buf));
	struct arena arena;
	struct thing t;

	arena_init(&arena, 256, 4096);
	buf[0] = 4;
	assert_int_equal(read_thing(buf, n, &arena, &t), ERR_SYNTAX);
	assert_int_equal(t.small, 0);
	buf[0] = 3;
	buf[15] = 2; /* a bool */
	assert_int_equal(read_thing(buf, n, &arena, &t), ERR_SYNTAX);
	buf[15] = 1;
	buf[16] = 8; /* a name of eight bytes has no room for its end */
	assert_int_equal(read_thing(buf, n, &arena, &t), ERR_SYNTAX);
	assert_string_equal(t.name, "");
	buf[16] = 7;
	assert_int_equal(read_thing(buf, n, &arena, &t), 0);
	arena_done(&arena);
}

static void no_memory(void **state)
{
	char buf[256];
	size_t n = write_thing(whole, buf, sizeof(buf));
	struct arena arena;
	struct thing t;

	arena_init(&arena, 256, 4096);
	mem_test_fail_nth(1);
	assert_int_equal(read_thing(buf, n, &arena, &t), ERR_NOMEM);
	mem_test_fail_nth(0);
	assert_int_equal(t.text.n, 0);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(each_byte_too_few_is_an_error),
		cmocka_unit_test(what_may_not_stand_there),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
