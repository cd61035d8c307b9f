/* What outlives signal: whole or not at all, and nobody is harmed by what stands there. */
#include "unit/check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/journal.h"

#define SHAPE	  7u
#define HEAD	  4096 /* bytes before the first block */
#define LATER_MS  (JOURNAL_QUICK_MS + 1)
#define SEEN_MAX  8
#define BLOCKS(n) ((off_t)(HEAD + (n)*JOURNAL_BLOCK_BYTES))

static const struct hash_key fresh = {11, 22};

struct seen {
	struct journal *j;
	size_t n;
	enum kept_kind kind[SEEN_MAX];
	char text[SEEN_MAX][2048];
	bool put_again;
	int fd;
};

static struct journal *open_at(int fd, uint64_t now_ms)
{
	struct journal *j = NULL;

	assert_int_equal(journal_open(fd, now_ms, &fresh, &j), 0);
	return j;
}

static int file(void)
{
	int fd = -1;

	assert_int_equal(journal_create(&fd), 0);
	return fd;
}

static void note(void *ctx, enum kept_kind kind, struct slice record)
{
	struct seen *s = ctx;

	assert_true(s->n < SEEN_MAX);
	s->kind[s->n] = kind;
	assert_true(slice_to_z(record, s->text[s->n], sizeof(s->text[0])));
	s->n++;
	if (s->put_again)
		assert_int_equal(journal_put(s->j, kind, (uint32_t)s->n, SHAPE, record), 0);
}

static struct seen read_all(struct journal *j)
{
	struct seen s = {.j = j};

	assert_int_equal(journal_read(j, SHAPE, note, &s), 0);
	return s;
}

static void put(struct journal *j, enum kept_kind kind, uint32_t number, const char *text)
{
	assert_int_equal(journal_put(j, kind, number, SHAPE, slice_z(text)), 0);
}

static void what_is_kept_is_there_for_a_successor(void **state)
{
	int fd = file();
	struct journal *j = open_at(fd, 1);
	char longer[1500];
	struct seen s;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	put(j, KEPT_CALL, 1, "one");
	put(j, KEPT_BINDING, 1, "phone");
	put(j, KEPT_CALL, 2, longer);
	put(j, KEPT_CALL, 1, "one again");
	put(j, KEPT_CALL, 3, "gone");
	journal_forget(j, KEPT_CALL, 3);
	journal_forget(j, KEPT_CALL, 99);
	journal_call_seen(j, 40);
	journal_call_seen(j, 3);
	assert_int_equal(journal_count(j), 3);
	journal_free(j);
	j = open_at(fd, LATER_MS);
	assert_int_equal(journal_count(j), 3);
	assert_int_equal(journal_last_call(j), 40);
	assert_int_equal(journal_key(j)->k0, fresh.k0);
	s = read_all(j);
	assert_int_equal(s.n, 3);
	for (size_t i = 0; i < s.n; i++)
		assert_true(s.kind[i] == KEPT_BINDING ? strcmp(s.text[i], "phone") == 0
						      : strcmp(s.text[i], "one again") == 0 ||
								strcmp(s.text[i], longer) == 0);
	/* What nobody kept anew was theirs and is nobody's. */
	assert_int_equal(journal_count(j), 0);
	journal_free(j);
	close(fd);
}

static void records_put_anew_while_reading_are_read_once(void **state)
{
	int fd = file();
	struct journal *j = open_at(fd, 1);
	struct seen s = {.put_again = true};

	for (uint32_t i = 1; i <= 3; i++)
		put(j, KEPT_CALL, i, "record");
	journal_free(j);
	s.j = j = open_at(fd, LATER_MS);
	assert_int_equal(journal_read(j, SHAPE, note, &s), 0);
	assert_int_equal(s.n, 3);
	assert_int_equal(journal_count(j), 3);
	journal_free(j);
	close(fd);
}

static void another_shape_is_not_read(void **state)
{
	int fd = file();
	struct journal *j = open_at(fd, 1);
	struct seen s = {0};

	put(j, KEPT_CALL, 1, "of zones that mean something else now");
	assert_int_equal(journal_read(j, SHAPE + 1, note, &s), 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(journal_count(j), 0);
	journal_free(j);
	close(fd);
}

static bool holds(int fd, const char *text)
{
	static char all[64 * 1024];
	ssize_t n = pread(fd, all, sizeof(all), 0);

	assert_true(n > 0);
	return memmem(all, (size_t)n, text, strlen(text)) != NULL;
}

static void what_is_forgotten_is_wiped(void **state)
{
	int fd = file();
	struct journal *j = open_at(fd, 1);

	put(j, KEPT_CALL, 1, "secret-one");
	assert_true(holds(fd, "secret-one"));
	put(j, KEPT_CALL, 1, "secret-two");
	assert_false(holds(fd, "secret-one"));
	journal_forget(j, KEPT_CALL, 1);
	assert_false(holds(fd, "secret-two"));
	journal_free(j);
	/* What a death between two steps left behind is wiped by the next one. */
	assert_int_equal(pwrite(fd, "leftover", 8, BLOCKS(1) - 8), 8);
	journal_free(open_at(fd, LATER_MS));
	assert_false(holds(fd, "leftover"));
	close(fd);
}

/* Dies in the middle of reading, as far as the next one can tell. */
static void stop_reading(void *ctx, enum kept_kind kind, struct slice record)
{
	struct seen *s = ctx;
	struct seen next;
	struct journal *j;

	s->n++;
	if (s->n > 1)
		return;
	j = open_at(s->fd, LATER_MS * 3);
	next = read_all(j);
	assert_int_equal(next.n, 1);
	assert_string_equal(next.text[0], "harmless");
	journal_free(j);
}

static void who_kills_its_reader_is_read_once(void **state)
{
	struct seen s = {.fd = file()};
	struct journal *j = open_at(s.fd, 1);

	put(j, KEPT_CALL, 1, "deadly");
	put(j, KEPT_CALL, 2, "harmless");
	journal_free(j);
	j = open_at(s.fd, LATER_MS);
	assert_int_equal(journal_read(j, SHAPE, stop_reading, &s), 0);
	journal_free(j);
	close(s.fd);
}

static void after_three_quick_deaths_nothing_is_left(void **state)
{
	int fd = file();
	uint64_t now_ms = 1000;
	struct journal *j = open_at(fd, now_ms);

	put(j, KEPT_CALL, 1, "record");
	for (unsigned i = 0; i < JOURNAL_QUICK_STARTS; i++) {
		assert_int_equal(journal_count(j), 1);
		journal_free(j);
		j = open_at(fd, now_ms += 100);
	}
	assert_int_equal(journal_count(j), 0);
	/* It begins anew, and who lives long is no longer counted. */
	put(j, KEPT_CALL, 2, "record");
	for (unsigned i = 0; i < 2 * JOURNAL_QUICK_STARTS; i++) {
		journal_free(j);
		j = open_at(fd, now_ms += LATER_MS);
		assert_int_equal(journal_count(j), 1);
	}
	journal_free(j);
	close(fd);
}

static void limits(void **state)
{
	static char big[JOURNAL_RECORD_MAX + 1];
	int fd = file();
	struct journal *j = open_at(fd, 1);
	struct slice most = slice_of(big, JOURNAL_RECORD_MAX);
	uint32_t n = 0;

	assert_int_equal(journal_put(j, KEPT_CALL, 0, SHAPE, slice_z("x")), ERR_LIMIT);
	put(j, KEPT_CALL, 1, "short");
	assert_int_equal(journal_put(j, KEPT_CALL, 1, SHAPE, slice_of(big, sizeof(big))),
			 ERR_LIMIT);
	assert_int_equal(journal_count(j), 0);
	while (journal_put(j, KEPT_BINDING, n + 1, SHAPE, most) == 0)
		n++;
	assert_in_range(n, JOURNAL_BLOCKS / 140, JOURNAL_BLOCKS / 128);
	assert_int_equal(journal_count(j), n);
	/* What is full takes the next one when something went. */
	journal_forget(j, KEPT_BINDING, 5);
	assert_int_equal(journal_put(j, KEPT_CALL, 1, SHAPE, most), 0);
	journal_free(j);
	close(fd);
}

static void no_memory(void **state)
{
	int fd = file();
	struct journal *j = NULL;
	struct seen s = {0};
	int err;

	for (unsigned long n = 1; !j; n++) {
		mem_test_fail_nth(n);
		err = journal_open(fd, 1, &fresh, &j);
		assert_int_equal(err, j ? 0 : ERR_NOMEM);
	}
	mem_test_fail_nth(1);
	assert_int_equal(journal_put(j, KEPT_CALL, 1, SHAPE, slice_z("x")), ERR_NOMEM);
	assert_int_equal(journal_count(j), 0);
	put(j, KEPT_CALL, 1, "x");
	mem_test_fail_nth(1);
	assert_int_equal(journal_read(j, SHAPE, note, &s), ERR_NOMEM);
	assert_int_equal(journal_count(j), 1);
	mem_test_fail_nth(0);
	journal_free(j);
	close(fd);
}

static void not_a_journal(void **state)
{
	struct journal *j = NULL;
	int fd = memfd_create("small", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(journal_open(fd, 1, &fresh, &j), ERR_SYNTAX);
	assert_true(journal_open(-1, 1, &fresh, &j) < 0);
	close(fd);
	/* Its size stands. */
	fd = file();
	assert_true(ftruncate(fd, 0) < 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_is_there_for_a_successor),
		cmocka_unit_test(records_put_anew_while_reading_are_read_once),
		cmocka_unit_test(another_shape_is_not_read),
		cmocka_unit_test(what_is_forgotten_is_wiped),
		cmocka_unit_test(who_kills_its_reader_is_read_once),
		cmocka_unit_test(after_three_quick_deaths_nothing_is_left),
		cmocka_unit_test(limits),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(not_a_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
