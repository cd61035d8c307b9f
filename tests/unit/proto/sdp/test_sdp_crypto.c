/* a=crypto, RFC 4568 9.1 (grammar) and 6. */
#include "proto/sdp/sdp_crypto.h"
#include "unit/check.h"

#define KEY "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define AES "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY

static const struct {
	const char *name, *value;
	uint32_t tag;
	uint64_t lifetime, mki;
	unsigned mki_bytes;
	bool several, weakened, unknown;
} good[] = {
	{"RFC 4568 9.1 with everything", AES "|2^20|1:4", 1, 1 << 20, 1, 4, 0, 0, 0},
	{"the key alone", AES, 1, 0, 0, 0, 0, 0, 0},
	{"a plain lifetime", AES "|1048576", 1, 1 << 20, 0, 0, 0, 0, 0},
	{"MKI without lifetime", AES "|66051:4", 1, 0, 66051, 4, 0, 0, 0},
	{"the longest lifetime", AES "|2^48", 1, 1ull << 48, 0, 0, 0, 0, 0},
	{"the longest MKI", AES "|7:16", 1, 0, 7, 16, 0, 0, 0},
	{"nine digits of tag", "999999999 S inline:" KEY, 999999999, 0, 0, 0, 0, 0, 0},
	{"two keys", AES "|2^20|1:4;inline:" KEY "|2^20|2:4", 1, 1 << 20, 1, 4, 1, 0, 0},
	{"6.3.2: no encryption", AES " UNENCRYPTED_SRTP", 1, 0, 0, 0, 0, 1, 0},
	{"6.3.2: none of SRTCP", AES " UNENCRYPTED_SRTCP", 1, 0, 0, 0, 0, 1, 0},
	{"6.3.2: no authentication", AES " UNAUTHENTICATED_SRTP", 1, 0, 0, 0, 0, 1, 0},
	{"6.3.1: key derivation rate", AES " KDR=1", 1, 0, 0, 0, 0, 0, 1},
	{"6.3.6: window size hint", AES " WSH=64", 1, 0, 0, 0, 0, 0, 0},
	{"6.3.7: optional extension", AES " -x=1", 1, 0, 0, 0, 0, 0, 0},
	{"6.3.7: mandatory extension", AES " x=1", 1, 0, 0, 0, 0, 0, 1},
};

static const char *const bad[] = {
	"",
	"1",
	"1 S",
	"1 S uri:x",
	"1 S inline:",
	"x S inline:" KEY,
	"1000000000 S inline:" KEY,
	AES "|2^49",
	AES "|0",
	AES "|3^20",
	AES "|x",
	AES "|2^20|2^20",
	AES "|1:0",
	AES "|1:17",
	AES "|256:1",
	AES "|:4",
	AES "|1:4|1:4",
};

static void lines_are_read(void **state)
{
	for (size_t i = 0; i < ROWS(good); i++) {
		struct sdp_crypto c;

		if (!sdp_crypto_parse(slice_z(good[i].value), &c))
			fail_msg("%s: refused", good[i].name);
		check_int(good[i].name, c.tag, good[i].tag);
		check_int(good[i].name, (long long)c.lifetime_packets, (long long)good[i].lifetime);
		check_int(good[i].name, (long long)c.mki, (long long)good[i].mki);
		check_int(good[i].name, c.mki_bytes, good[i].mki_bytes);
		check_int(good[i].name, c.several_keys, good[i].several);
		check_int(good[i].name, c.weakened, good[i].weakened);
		check_int(good[i].name, c.unknown, good[i].unknown);
		check_slice(good[i].name, c.key, KEY);
	}
	for (size_t i = 0; i < ROWS(bad); i++) {
		struct sdp_crypto c;

		if (sdp_crypto_parse(slice_z(bad[i]), &c))
			fail_msg("\"%s\" is taken", bad[i]);
	}
}

static void keys_are_decoded_within_their_room(void **state)
{
	uint8_t out[32];

	assert_int_equal(sdp_crypto_key_bytes(SL(KEY), out, 30), 30);
	assert_int_equal(out[0], 'w');
	assert_int_equal(out[29], '#');
	assert_int_equal(sdp_crypto_key_bytes(SL(KEY), out, 29), -1);
	assert_int_equal(sdp_crypto_key_bytes(SL("AAEC"), out, 3), 3);
	assert_int_equal(sdp_crypto_key_bytes(SL("AAE="), out, 3), 2);
	assert_int_equal(sdp_crypto_key_bytes(SL("AA"), out, 3), 1);
	assert_int_equal(sdp_crypto_key_bytes(SL("A"), out, 3), -1);
	assert_int_equal(sdp_crypto_key_bytes(SL("A-A="), out, 3), -1);
	assert_int_equal(sdp_crypto_key_bytes(SL(""), out, 3), 0);
}

static void what_is_written_is_read(void **state)
{
	const uint8_t mki[] = {1, 2, 3};
	uint8_t key[46], back[46];
	char text[256];
	struct slice lines, value;
	struct sdp_crypto c;
	struct out o = out_to(text, sizeof(text));

	for (size_t n = 0; n < sizeof(key); n++)
		key[n] = (uint8_t)(n * 37);
	sdp_crypto_write(&o, 7, "AEAD_AES_256_GCM", key, 44, NULL, 0);
	sdp_crypto_write(&o, 8, "AES_256_CM_HMAC_SHA1_80", key, 46, mki, sizeof(mki));
	assert_int_equal(o.err, 0);
	lines = out_slice(&o);
	assert_true(sdp_crypto_next(&lines, &value));
	assert_true(sdp_crypto_parse(value, &c));
	check_slice("suite", c.suite, "AEAD_AES_256_GCM");
	assert_int_equal(sdp_crypto_key_bytes(c.key, back, sizeof(back)), 44);
	assert_memory_equal(back, key, 44);
	assert_true(sdp_crypto_next(&lines, &value));
	assert_true(sdp_crypto_parse(value, &c));
	assert_int_equal(c.tag, 8);
	assert_int_equal(c.mki, 0x010203);
	assert_int_equal(c.mki_bytes, 3);
	assert_int_equal(sdp_crypto_key_bytes(c.key, back, sizeof(back)), 46);
	assert_memory_equal(back, key, 46);
	assert_false(sdp_crypto_next(&lines, &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(keys_are_decoded_within_their_room),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
