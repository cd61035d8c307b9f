#include "unit/check.h"

#include <stdio.h>

#include "base/mem.h"
#include "guard/r2_crowd.h"

#define WINDOW_MS UINT64_C(60000)

static const struct hash_key key = {1, 2};

static struct r2_party party(const struct r2_crowd *c, const char *name)
{
	return r2_crowd_party(c, slice_z(name), slice_z(name));
}

static void add(struct r2_crowd *c, const char *centre, const char *other, uint64_t now_ms)
{
	struct r2_party p = party(c, other);

	r2_crowd_add(c, party(c, centre).name, &p, now_ms);
}

static struct r2_crowd_size look(struct r2_crowd *c, const char *centre, const char *other,
				 uint64_t now_ms)
{
	struct r2_party p = party(c, other);

	return r2_crowd_look(c, party(c, centre).name, &p, now_ms);
}

static void different_ones_within_the_window(void **state)
{
	struct r2_crowd c;

	(void)state;
	assert_int_equal(r2_crowd_init(&c, &key, WINDOW_MS), 0);
	assert_int_equal(look(&c, "200", "a", 1000).others, 0);
	add(&c, "200", "a", 1000);
	add(&c, "200", "b", 20000);
	add(&c, "200", "a", 30000);
	add(&c, "201", "c", 30000);
	assert_int_equal(look(&c, "200", "a", 30000).others, 2);
	assert_true(look(&c, "200", "a", 30000).known);
	assert_false(look(&c, "200", "c", 30000).known);
	assert_int_equal(look(&c, "201", "c", 30000).others, 1);
	/* b is forgotten a window after it came, a after it came last. */
	assert_int_equal(look(&c, "200", "b", 79999).others, 2);
	assert_int_equal(look(&c, "200", "b", 80000).others, 1);
	assert_false(look(&c, "200", "b", 80000).known);
	assert_int_equal(look(&c, "200", "a", 90000).others, 0);
	r2_crowd_done(&c);
}

static void numbers_in_a_row(void **state)
{
	static const struct {
		const char *number;
		unsigned in_row;
	} rows[] = {
		{"0301200", 0}, {"0301299", 1}, {"+49-30-1300", 1}, {"+49301301", 2}, {"alice", 2},
		{"alicf", 2},	{"12", 2},	{"13", 2},	    {"0301299", 2},
	};
	struct r2_crowd c;

	(void)state;
	assert_int_equal(r2_crowd_init(&c, &key, WINDOW_MS), 0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		add(&c, "dialler", rows[i].number, 1000 + i);
		check_int(rows[i].number, look(&c, "dialler", "", 1000 + i).in_row,
			  (int)rows[i].in_row);
	}
	assert_int_equal(look(&c, "dialler", "", 1000).others, ROWS(rows) - 1);
	r2_crowd_done(&c);
}

static void told_once_a_minute(void **state)
{
	struct r2_crowd c;
	uint64_t name;

	(void)state;
	assert_int_equal(r2_crowd_init(&c, &key, WINDOW_MS), 0);
	name = party(&c, "200").name;
	assert_false(r2_crowd_tell(&c, name, 1000)); /* nobody knows it */
	add(&c, "200", "a", 1000);
	assert_true(r2_crowd_tell(&c, name, 1000));
	assert_false(r2_crowd_tell(&c, name, 1000 + R2_CROWD_TELL_MS - 1));
	assert_true(r2_crowd_tell(&c, name, 1000 + R2_CROWD_TELL_MS));
	r2_crowd_done(&c);
}

/* However many there are, tables stay as they are, and who has most to do with others stays. */
static void bounded(void **state)
{
	struct r2_crowd c;
	char name[16];

	(void)state;
	assert_int_equal(r2_crowd_init(&c, &key, WINDOW_MS), 0);
	for (unsigned i = 0; i < 3 * R2_OTHERS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "x%u", i);
		add(&c, "200", name, 1000 + i * 100);
	}
	assert_int_equal(look(&c, "200", name, 31000).others, R2_OTHERS_MAX);
	assert_true(look(&c, "200", name, 31000).known);
	assert_false(look(&c, "200", "x0", 31000).known);
	for (unsigned i = 0; i < 50000; i++) {
		(void)snprintf(name, sizeof(name), "y%u", i);
		add(&c, name, "a", 31000);
	}
	assert_int_equal(look(&c, "200", "", 31000).others, R2_OTHERS_MAX);
	assert_int_equal(look(&c, name, "a", 31000).others, 1);
	r2_crowd_done(&c);
}

static void no_memory(void **state)
{
	struct r2_crowd c;

	(void)state;
	mem_test_fail_nth(1);
	assert_int_equal(r2_crowd_init(&c, &key, WINDOW_MS), ERR_NOMEM);
	mem_test_fail_nth(0);
	r2_crowd_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(different_ones_within_the_window),
		cmocka_unit_test(numbers_in_a_row),
		cmocka_unit_test(told_once_a_minute),
		cmocka_unit_test(bounded),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
