#include "base/fingerprint.h"
#include "unit/check.h"

#define PAIRS_31                                                                                   \
	"4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:"  \
	"02:12"

static const struct {
	const char *name, *text;
	int want;
} rows[] = {
	{"sha-256", "sha-256 " PAIRS_31 ":DF", 0},
	{"upper-case name", "SHA-256 " PAIRS_31 ":df", 0},
	{"blanks around", " sha-256  " PAIRS_31 ":DF ", 0},
	{"one byte too few", "sha-256 " PAIRS_31, ERR_SYNTAX},
	{"one byte too many", "sha-256 " PAIRS_31 ":DF:00", ERR_SYNTAX},
	{"no hexadecimal", "sha-256 " PAIRS_31 ":DG", ERR_SYNTAX},
	{"no colon", "sha-256 " PAIRS_31 "-DF", ERR_SYNTAX},
	{"nothing behind the name", "sha-256", ERR_SYNTAX},
	{"sha-1", "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB", ERR_ABSENT},
	{"sha-384 with 32 bytes", "sha-384 " PAIRS_31 ":DF", ERR_SYNTAX},
	{"nothing", "", ERR_SYNTAX},
};

static void each_text(void **state)
{
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct fingerprint f = {.hash = 77};
		char buf[256];
		struct out o = out_to(buf, sizeof(buf));

		check_int(rows[i].name, fingerprint_parse(slice_z(rows[i].text), &f), rows[i].want);
		if (rows[i].want) {
			check_int(rows[i].name, f.hash, 77);
			continue;
		}
		fingerprint_write(&o, &f);
		check_slice(rows[i].name, out_slice(&o), "sha-256 " PAIRS_31 ":DF");
	}
}

static void each_hash_is_written_and_read(void **state)
{
	for (unsigned hash = FINGERPRINT_NONE + 1; hash < FINGERPRINT_HASH_COUNT; hash++) {
		struct fingerprint f = {.hash = (uint8_t)hash}, again;
		char buf[256];
		struct out o = out_to(buf, sizeof(buf));

		memset(f.digest, (int)hash + 0x80, fingerprint_bytes(hash));
		fingerprint_write(&o, &f);
		assert_int_equal(fingerprint_parse(out_slice(&o), &again), 0);
		assert_true(fingerprint_eq(&f, &again));
		again.digest[0] ^= 1;
		assert_false(fingerprint_eq(&f, &again));
	}
}

static void no_hash_is_no_text(void **state)
{
	struct fingerprint f = {0};
	char buf[8];
	struct out o = out_to(buf, sizeof(buf));

	fingerprint_write(&o, &f);
	assert_int_equal(o.n, 0);
	assert_int_equal(fingerprint_bytes(FINGERPRINT_HASH_COUNT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text),
		cmocka_unit_test(each_hash_is_written_and_read),
		cmocka_unit_test(no_hash_is_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
