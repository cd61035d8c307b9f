#include "unit/failing_alloc.h"

#include "base/hash.h"
#include "base/list.h"

/* The test vector of the paper: key 00..0f, input 00..n-1 (Aumasson and Bernstein, 2012, appendix A
 * and its reference code). */
static void siphash_vectors(void **state)
{
	static const struct hash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
	static const struct {
		const char *name;
		size_t bytes;
		uint64_t want;
	} rows[] = {
		{"no byte", 0, 0x726fdb47dd0e0e31u},
		{"one byte", 1, 0x74f839c593dc67fdu},
		{"a word less one", 7, 0xab0200f58b01d137u},
		{"a word", 8, 0x93f5f5799a932462u},
		{"the paper's 15 bytes", 15, 0xa129ca6149be45e5u},
	};
	char input[16];

	(void)state;
	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (char)i;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (hash_bytes(&key, slice_of(input, rows[i].bytes)) != rows[i].want)
			fail_msg("%s: %016llx", rows[i].name,
				 (unsigned long long)hash_bytes(&key,
								slice_of(input, rows[i].bytes)));
}

struct thing {
	struct hash_node node;
	unsigned number;
	bool seen;
};

#define THINGS 1000

static uint64_t hash_of(unsigned number)
{
	static const struct hash_key key = {1, 2};

	return hash_bytes(&key, slice_of((const char *)&number, sizeof(number)));
}

static struct thing *find(const struct hash_table *t, unsigned number)
{
	struct hash_node *n = hash_first(t, hash_of(number));

	while (n && container_of(n, struct thing, node)->number != number)
		n = hash_next(n);
	return n ? container_of(n, struct thing, node) : NULL;
}

static void fill(struct hash_table *t, struct thing *things)
{
	for (unsigned i = 0; i < THINGS; i++) {
		things[i] = (struct thing){.number = i};
		assert_int_equal(hash_add(t, &things[i].node, hash_of(i)), 0);
	}
}

static void what_was_added_is_found_until_removed(void **state)
{
	static struct thing things[THINGS];
	struct hash_table t;

	(void)state;
	assert_int_equal(hash_init(&t, THINGS), 0);
	fill(&t, things);
	assert_true(t.bucket_count >= THINGS / 2);
	for (unsigned i = 0; i < THINGS; i++)
		assert_ptr_equal(find(&t, i), &things[i]);
	for (unsigned i = 0; i < THINGS; i += 2)
		hash_remove(&t, &things[i].node);
	for (unsigned i = 0; i < THINGS; i++)
		assert_ptr_equal(find(&t, i), i % 2 ? &things[i] : NULL);
	assert_int_equal(t.count, THINGS / 2);
	hash_remove(&t, &things[0].node);
	assert_int_equal(t.count, THINGS / 2);
	hash_done(&t);
}

static void walk_meets_each_once(void **state)
{
	static struct thing things[THINGS];
	struct hash_node *n = NULL;
	struct hash_table t;
	size_t at = 0;

	(void)state;
	assert_int_equal(hash_init(&t, THINGS), 0);
	assert_null(hash_walk(&t, &at, NULL));
	fill(&t, things);
	at = 0;
	for (unsigned met = 0; met < THINGS; met++) {
		n = hash_walk(&t, &at, n);
		assert_non_null(n);
		assert_false(container_of(n, struct thing, node)->seen);
		container_of(n, struct thing, node)->seen = true;
	}
	assert_null(hash_walk(&t, &at, n));
	hash_done(&t);
}

static void bytes_decide_where_hashes_collide(void **state)
{
	struct thing a = {.number = 1}, b = {.number = 2}, far = {.number = 3};
	struct hash_table t;

	(void)state;
	assert_int_equal(hash_init(&t, 8), 0);
	assert_int_equal(hash_add(&t, &a.node, 64), 0);
	assert_int_equal(hash_add(&t, &far.node, 128), 0); /* the same bucket, another hash */
	assert_int_equal(hash_add(&t, &b.node, 64), 0);
	assert_ptr_equal(hash_first(&t, 64), &b.node);
	assert_ptr_equal(hash_next(&b.node), &a.node);
	assert_null(hash_next(&a.node));
	assert_ptr_equal(hash_first(&t, 128), &far.node);
	assert_null(hash_first(&t, 0));
	hash_done(&t);
}

static void limit_at_n_and_n_plus_1(void **state)
{
	struct thing things[3];
	struct hash_table t;

	(void)state;
	assert_int_equal(hash_init(&t, 2), 0);
	assert_int_equal(hash_add(&t, &things[0].node, 0), 0);
	assert_int_equal(hash_add(&t, &things[1].node, 1), 0);
	assert_int_equal(hash_add(&t, &things[2].node, 2), ERR_LIMIT);
	hash_remove(&t, &things[0].node);
	assert_int_equal(hash_add(&t, &things[2].node, 2), 0);
	hash_done(&t);
}

static int use_table(void *context)
{
	struct thing *things = context;
	struct hash_table t;
	int err = hash_init(&t, THINGS);

	if (err)
		return err;
	fill(&t, things); /* a failed growth is no failure */
	for (unsigned i = 0; i < THINGS; i++)
		assert_ptr_equal(find(&t, i), &things[i]);
	hash_done(&t);
	return 0;
}

static void each_allocation_fails_once(void **state)
{
	static struct thing things[THINGS];

	(void)state;
	assert_true(failing_alloc_each(use_table, things) > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_vectors),
		cmocka_unit_test(what_was_added_is_found_until_removed),
		cmocka_unit_test(walk_meets_each_once),
		cmocka_unit_test(bytes_decide_where_hashes_collide),
		cmocka_unit_test(limit_at_n_and_n_plus_1),
		cmocka_unit_test(each_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
