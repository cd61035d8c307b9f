#include "base/mem.h"
#include "proto/stun/stun.h"
#include "unit/check.h"

#define TEXT_MAX (2 * STUN_MESSAGE_BYTES_MAX)

/* The messages of RFC 5769 2.1 to 2.4 and their keys; the last one's is a long-term key, the MD5 of
 * RFC 8489 9.2.2. */
static const struct {
	const char *name, *hex, *key, *username, *mapped;
	enum stun_class class;
	bool has_fingerprint;
} vectors[] = {
	{"request",
	 "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e7400240004"
	 "6e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56"
	 "781ef2b5b2d3f249c1b571a280280004e57a3bcf",
	 "564f6b4a7862526c31526d547855"
	 "6b2f57764a784274",
	 "6576746a3a68367659", NULL, STUN_REQUEST, true},
	{"response over IPv4",
	 "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147"
	 "e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96",
	 "564f6b4a7862526c31526d547855"
	 "6b2f57764a784274",
	 NULL, "192.0.2.1:32853", STUN_SUCCESS, true},
	{"response over IPv6",
	 "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a147"
	 "0113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004"
	 "c8fb0b4c",
	 "564f6b4a7862526c31526d547855"
	 "6b2f57764a784274",
	 NULL, "[2001:db8:1234:5678:11:2233:4455:6677]:32853", STUN_SUCCESS, true},
	{"request, long term",
	 "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b90000"
	 "0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341001400"
	 "0b6578616d706c652e"
	 "6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666",
	 NULL, "e3839ee38388e383aae38383e382afe382b9", NULL, STUN_REQUEST, false},
};

static const uint8_t transaction[STUN_TRANSACTION_BYTES] = "transaction";

static size_t from_hex(const char *hex, char *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned byte = 0;

		for (size_t k = 0; k < 2; k++) {
			char c = hex[2 * i + k];

			byte = byte << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		}
		out[i] = (char)byte;
	}
	return n;
}

static void vectors_of_rfc_5769(void **state)
{
	for (size_t i = 0; i < ROWS(vectors); i++) {
		char bytes[TEXT_MAX], key[64], text[TEXT_MAX], at[IP_ENDPOINT_TEXT_MAX];
		size_t n = from_hex(vectors[i].hex, bytes), key_n;
		struct out o = out_to(text, sizeof(text));
		struct stun_msg m;

		check_int(vectors[i].name, stun_parse(slice_of(bytes, n), &m), 0);
		check_int(vectors[i].name, m.class, vectors[i].class);
		check_int(vectors[i].name, m.method, STUN_BINDING);
		check_int(vectors[i].name, m.fingerprint_at != 0, vectors[i].has_fingerprint);
		out_hex(&o, (const uint8_t *)m.username.p, m.username.n);
		check_slice(vectors[i].name, out_slice(&o),
			    vectors[i].username ? vectors[i].username : "");
		if (vectors[i].mapped)
			assert_string_equal(ip_endpoint_text(&m.mapped, at), vectors[i].mapped);
		if (!vectors[i].key)
			continue;
		key_n = from_hex(vectors[i].key, key);
		assert_true(stun_is_proven(&m, slice_of(key, key_n)));
		key[0] ^= 1;
		assert_false(stun_is_proven(&m, slice_of(key, key_n)));
	}
}

static void attributes_of_a_check(void **state)
{
	char bytes[TEXT_MAX];
	struct stun_msg m;
	size_t n = from_hex(vectors[0].hex, bytes);

	assert_int_equal(stun_parse(slice_of(bytes, n), &m), 0);
	check_slice("software", m.software, "STUN test client");
	check_slice("username", m.username, "evtj:h6vY");
	assert_true(m.has_priority);
	assert_int_equal(m.priority, 0x6e0001ff);
	assert_int_equal(m.role, STUN_ROLE_CONTROLLED);
	assert_true(m.tie_breaker == 0x932ff9b151263b36u);
	assert_false(m.use_candidate);
	assert_int_equal(m.unknown_count, 0);
}

static void each_bit_flipped(const char *name, struct slice message, size_t bytes_covered)
{
	char bytes[TEXT_MAX], key[64];
	size_t key_n = from_hex(vectors[0].key, key);

	memcpy(bytes, message.p, message.n);
	for (size_t bit = 0; bit < 8 * bytes_covered; bit++) {
		struct stun_msg m;

		bytes[bit / 8] ^= (char)(1 << bit % 8);
		if (stun_parse(slice_of(bytes, message.n), &m) == 0 &&
		    stun_is_proven(&m, slice_of(key, key_n)))
			fail_msg("%s: bit %zu", name, bit);
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
}

/* Each bit up to the fingerprint is covered by the integrity, be there a fingerprint or not. */
static void any_bit_breaks_it(void **state)
{
	char bytes[TEXT_MAX];
	size_t n = from_hex(vectors[0].hex, bytes);

	each_bit_flipped("with fingerprint", slice_of(bytes, n), n - 8);
	bytes[3] -= 8;
	each_bit_flipped("without fingerprint", slice_of(bytes, n - 8), n - 8);
}

static void any_cut_breaks_it(void **state)
{
	char bytes[TEXT_MAX];
	size_t n = from_hex(vectors[0].hex, bytes);
	struct stun_msg m;

	for (size_t cut = 0; cut < n; cut++)
		check_int("cut", stun_parse(slice_of(bytes, cut), &m), ERR_SYNTAX);
}

static struct out begun(char *buf, size_t size, enum stun_class class)
{
	struct out o = out_to(buf, size);

	stun_begin(&o, class, STUN_BINDING, transaction);
	return o;
}

static int parsed(const struct out *o, struct stun_msg *m)
{
	assert_int_equal(o->err, 0);
	return stun_parse(out_slice(o), m);
}

static void written_and_read(void **state)
{
	static const struct slice keys = SLICE("correct horse battery");
	struct ip_endpoint e;
	char buf[512];

	assert_int_equal(ip_endpoint_parse(SL("[2001:db8::7]:4711"), 0, &e), 0);
	for (unsigned hash = STUN_SHA1; hash <= STUN_SHA256; hash++) {
		struct out o = begun(buf, sizeof(buf), STUN_SUCCESS);
		struct stun_msg m;

		stun_add(&o, STUN_ATTR_USERNAME, SL("a:bc"));
		stun_add_xor_mapped(&o, &e);
		stun_add_u32(&o, STUN_ATTR_PRIORITY, 77);
		stun_add_u64(&o, STUN_ATTR_ICE_CONTROLLING, 0x0102030405060708u);
		stun_add(&o, STUN_ATTR_USE_CANDIDATE, SL(""));
		stun_add_integrity(&o, hash, keys);
		stun_add_fingerprint(&o);
		assert_int_equal(parsed(&o, &m), 0);
		assert_int_equal(m.class, STUN_SUCCESS);
		assert_memory_equal(m.transaction, transaction, sizeof(transaction));
		assert_true(ip_endpoint_eq(&m.mapped, &e));
		assert_int_equal(m.priority, 77);
		assert_int_equal(m.role, STUN_ROLE_CONTROLLING);
		assert_true(m.tie_breaker == 0x0102030405060708u && m.use_candidate);
		assert_true(stun_is_proven(&m, keys));
		assert_false(stun_is_proven(&m, SL("wrong")));
		assert_int_equal(m.integrity_sha256_at != 0, hash == STUN_SHA256);
	}
}

static void error_is_written_and_read(void **state)
{
	static const uint16_t types[] = {0x7001, 0x7002, 0x7003};
	char buf[512];
	struct out o = begun(buf, sizeof(buf), STUN_ERROR);
	struct stun_msg m;

	stun_add_error(&o, 487, SL("Role Conflict"));
	stun_add_unknown(&o, types, ROWS(types));
	assert_int_equal(parsed(&o, &m), 0);
	assert_int_equal(m.class, STUN_ERROR);
	assert_int_equal(m.error_code, 487);
	check_slice("text", m.error_text, "Role Conflict");
	assert_false(stun_is_proven(&m, SL("")));
}

/* RFC 8489 14.5: what stands behind the integrity is ignored, for anybody could have put it there.
 */
static void behind_the_integrity_nothing_counts(void **state)
{
	char buf[512];
	struct out o = begun(buf, sizeof(buf), STUN_REQUEST);
	struct stun_msg m;

	stun_add_integrity(&o, STUN_SHA1, SL("k"));
	stun_add(&o, STUN_ATTR_USE_CANDIDATE, SL(""));
	stun_add(&o, (enum stun_attribute)0x7777, SL(""));
	assert_int_equal(parsed(&o, &m), 0);
	assert_false(m.use_candidate);
	assert_int_equal(m.unknown_count, 0);
	assert_true(stun_is_proven(&m, SL("k")));
}

static void stronger_integrity_decides(void **state)
{
	char buf[512];
	struct out o = begun(buf, sizeof(buf), STUN_REQUEST);
	struct stun_msg m;

	stun_add_integrity(&o, STUN_SHA1, SL("k"));
	stun_add_integrity(&o, STUN_SHA256, SL("other"));
	assert_int_equal(parsed(&o, &m), 0);
	assert_false(stun_is_proven(&m, SL("k")));
	assert_true(stun_is_proven(&m, SL("other")));
}

static void of_twice_the_first_counts(void **state)
{
	char buf[512];
	struct out o = begun(buf, sizeof(buf), STUN_REQUEST);
	struct stun_msg m;

	stun_add(&o, STUN_ATTR_USERNAME, SL("first"));
	stun_add(&o, STUN_ATTR_USERNAME, SL("second"));
	assert_int_equal(parsed(&o, &m), 0);
	check_slice("username", m.username, "first");
}

static void unknown_types_are_named(void **state)
{
	char buf[1024];
	struct out o = begun(buf, sizeof(buf), STUN_REQUEST);
	struct stun_msg m;

	stun_add(&o, (enum stun_attribute)0x8111, SL("optional"));
	for (unsigned i = 0; i < STUN_UNKNOWN_MAX + 1; i++)
		stun_add(&o, (enum stun_attribute)(0x7000 + i), SL("x"));
	assert_int_equal(parsed(&o, &m), 0);
	assert_int_equal(m.unknown_count, STUN_UNKNOWN_MAX);
	assert_int_equal(m.unknown[0], 0x7000);
}

static void attributes_limit(void **state)
{
	char buf[STUN_MESSAGE_BYTES_MAX];

	for (unsigned count = STUN_ATTRIBUTES_MAX; count <= STUN_ATTRIBUTES_MAX + 1; count++) {
		struct out o = begun(buf, sizeof(buf), STUN_REQUEST);
		struct stun_msg m;

		for (unsigned i = 0; i < count; i++)
			stun_add(&o, (enum stun_attribute)(0x8100 + i), SL(""));
		check_int("attributes", parsed(&o, &m),
			  count > STUN_ATTRIBUTES_MAX ? ERR_LIMIT : 0);
	}
}

static void bytes_limit(void **state)
{
	static char value[STUN_MESSAGE_BYTES_MAX];
	char buf[STUN_MESSAGE_BYTES_MAX + 8];

	for (size_t n = STUN_MESSAGE_BYTES_MAX; n <= STUN_MESSAGE_BYTES_MAX + 4; n += 4) {
		struct out o = begun(buf, sizeof(buf), STUN_REQUEST);
		struct stun_msg m;

		stun_add(&o, STUN_ATTR_SOFTWARE, slice_of(value, n - STUN_HEADER_BYTES - 4));
		check_int("bytes", parsed(&o, &m), n > STUN_MESSAGE_BYTES_MAX ? ERR_LIMIT : 0);
	}
}

static void username_limit(void **state)
{
	static char value[STUN_USERNAME_MAX + 1];
	char buf[1024];

	for (size_t n = 0; n <= STUN_USERNAME_MAX + 1; n++) {
		struct out o = begun(buf, sizeof(buf), STUN_REQUEST);
		struct stun_msg m;
		bool fits = n > 0 && n <= STUN_USERNAME_MAX;

		stun_add(&o, STUN_ATTR_USERNAME, slice_of(value, n));
		check_int("username", parsed(&o, &m), fits ? 0 : ERR_SYNTAX);
	}
}

static const struct {
	const char *name;
	enum stun_attribute type;
	struct slice value;
} malformed[] = {
	{"priority of 3 bytes", STUN_ATTR_PRIORITY, SLICE("abc")},
	{"use-candidate with a value", STUN_ATTR_USE_CANDIDATE, SLICE("x")},
	{"role of 4 bytes", STUN_ATTR_ICE_CONTROLLED, SLICE("abcd")},
	{"integrity of 16 bytes", STUN_ATTR_INTEGRITY, SLICE("0123456789abcdef")},
	{"sha256 of 12 bytes", STUN_ATTR_INTEGRITY_SHA256, SLICE("0123456789ab")},
	{"sha256 of 17 bytes", STUN_ATTR_INTEGRITY_SHA256, SLICE("0123456789abcdef0")},
	{"address of an unknown family", STUN_ATTR_XOR_MAPPED_ADDRESS, SLICE("\0\3\1\1abcd")},
	{"IPv4 address of 5 bytes", STUN_ATTR_XOR_MAPPED_ADDRESS, SLICE("\0\1\1\1abcde")},
	{"IPv6 address of 4 bytes", STUN_ATTR_MAPPED_ADDRESS, SLICE("\0\2\1\1abcd")},
	{"error 200", STUN_ATTR_ERROR_CODE, SLICE("\0\0\2\0")},
	{"error 7xx", STUN_ATTR_ERROR_CODE, SLICE("\0\0\7\0")},
	{"error x100", STUN_ATTR_ERROR_CODE, SLICE("\0\0\4\x64")},
	{"error without code", STUN_ATTR_ERROR_CODE, SLICE("\0\0")},
	{"fingerprint that is wrong", STUN_ATTR_FINGERPRINT, SLICE("abcd")},
	{"fingerprint of 3 bytes", STUN_ATTR_FINGERPRINT, SLICE("abc")},
};

static void malformed_attributes(void **state)
{
	for (size_t i = 0; i < ROWS(malformed); i++) {
		char buf[256];
		struct out o = begun(buf, sizeof(buf), STUN_REQUEST);
		struct stun_msg m = {.method = 0xabc};

		stun_add(&o, malformed[i].type, malformed[i].value);
		check_int(malformed[i].name, parsed(&o, &m), ERR_SYNTAX);
		check_int(malformed[i].name, m.method, 0xabc); /* outputs only on success */
	}
}

static void both_roles_are_none(void **state)
{
	char buf[256];
	struct out o = begun(buf, sizeof(buf), STUN_REQUEST);
	struct stun_msg m;

	stun_add_u64(&o, STUN_ATTR_ICE_CONTROLLED, 1);
	stun_add_u64(&o, STUN_ATTR_ICE_CONTROLLING, 1);
	assert_int_equal(parsed(&o, &m), ERR_SYNTAX);
}

static void something_behind_the_fingerprint(void **state)
{
	char buf[256];
	struct out o = begun(buf, sizeof(buf), STUN_REQUEST);
	struct stun_msg m;

	stun_add_fingerprint(&o);
	stun_add(&o, STUN_ATTR_SOFTWARE, SL("x"));
	assert_int_equal(parsed(&o, &m), ERR_SYNTAX);
}

static void too_little_room(void **state)
{
	char buf[256];
	struct ip_endpoint e = {{IP_V4, {192, 0, 2, 1}}, 5};

	for (size_t size = 0; size < 20 + 4 + 8 + 24 + 8; size++) {
		struct out o = begun(buf, size, STUN_REQUEST);

		stun_add_xor_mapped(&o, &e);
		stun_add_integrity(&o, STUN_SHA1, SL("k"));
		stun_add_fingerprint(&o);
		assert_int_equal(o.err, ERR_SPACE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_rfc_5769),
		cmocka_unit_test(attributes_of_a_check),
		cmocka_unit_test(any_bit_breaks_it),
		cmocka_unit_test(any_cut_breaks_it),
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(error_is_written_and_read),
		cmocka_unit_test(behind_the_integrity_nothing_counts),
		cmocka_unit_test(stronger_integrity_decides),
		cmocka_unit_test(of_twice_the_first_counts),
		cmocka_unit_test(unknown_types_are_named),
		cmocka_unit_test(attributes_limit),
		cmocka_unit_test(bytes_limit),
		cmocka_unit_test(username_limit),
		cmocka_unit_test(malformed_attributes),
		cmocka_unit_test(both_roles_are_none),
		cmocka_unit_test(something_behind_the_fingerprint),
		cmocka_unit_test(too_little_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
