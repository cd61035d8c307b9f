/* The ciphers against the RFCs' own examples, whose keys are session keys. */
#include "proto/srtp/cipher.h"

#include <openssl/hmac.h>
#include <stdlib.h>

#include "unit/check.h"

#define BYTES_MAX 128

static size_t unhex(const char *text, uint8_t *out)
{
	size_t n = 0;

	for (; text[2 * n]; n++) {
		char pair[3] = {text[2 * n], text[2 * n + 1], 0};

		out[n] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

static void check_hex(const char *name, const uint8_t *got, const char *want)
{
	uint8_t bytes[BYTES_MAX];
	size_t n = unhex(want, bytes);

	for (size_t i = 0; i < n; i++)
		if (got[i] != bytes[i])
			fail_msg("%s: byte %zu is %02x, want %02x", name, i, got[i], bytes[i]);
}

/* ---- key derivation: RFC 3711 B.3, RFC 6188 7.2 and 7.4 ---- */

static const struct {
	const char *name;
	enum srtp_suite suite;
	const char *master, *cipher_key, *cipher_salt, *auth_key;
} derivations[] = {
	{"rfc3711 B.3", SRTP_AES_128_CM_SHA1_80,
	 "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6",
	 "c61e7a93744f39ee10734afe3ff7a087", "30cbbc08863d8c85d49db34a9ae1",
	 "cebe321f6ff7716b6fd4ab49af256a156d38baa4"},
	{"rfc6188 7.2", SRTP_AES_256_CM_SHA1_80,
	 "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b63b04803de51ee7c96423ab5b7"
	 "8d"
	 "2",
	 "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
	 "fa31791685ca444a9e07c6c64e93", "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"},
	{"rfc6188 7.4", SRTP_AES_192_CM_SHA1_80,
	 "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1c8522f3acd4ce86d5add78edbb11",
	 "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb", "2372b82d639b6d8503a47adc0a6c",
	 "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb"},
};

/* The key stream of the first packet, straight from OpenSSL. */
static void expected_stream(const uint8_t *key, size_t key_bytes, const uint8_t *salt,
			    uint8_t out[32])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *mode = key_bytes == 32   ? EVP_aes_256_ctr()
				 : key_bytes == 24 ? EVP_aes_192_ctr()
						   : EVP_aes_128_ctr();
	uint8_t iv[16] = {0};
	int n;

	memcpy(iv, salt, 14);
	memset(out, 0, 32);
	assert_int_equal(EVP_EncryptInit_ex(c, mode, NULL, key, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(c, out, &n, out, 32), 1);
	EVP_CIPHER_CTX_free(c);
}

static void session_keys_are_derived(void **state)
{
	for (size_t i = 0; i < ROWS(derivations); i++) {
		struct srtp_key key = {.suite = (uint8_t)derivations[i].suite};
		uint8_t cipher_key[32], auth[20], stream[32], zeros[32] = {0}, mac[20],
							      want_mac[20];
		struct srtp_keyed c = {0};
		unsigned mac_bytes = sizeof(want_mac);

		assert_int_equal(unhex(derivations[i].master, key.master),
				 srtp_master_bytes(key.suite));
		assert_int_equal(srtp_keyed_init(&c, &key, SRTP_LABEL_RTP, SRTP_SEAL), 0);
		check_hex(derivations[i].name, c.salt, derivations[i].cipher_salt);
		expected_stream(cipher_key, unhex(derivations[i].cipher_key, cipher_key), c.salt,
				stream);
		assert_true(srtp_keyed_ctr(&c, 0, 0, zeros, sizeof(zeros)));
		assert_memory_equal(zeros, stream, sizeof(stream));
		unhex(derivations[i].auth_key, auth);
		srtp_keyed_mac(&c, (const uint8_t *)"abc", 3, (const uint8_t *)"d", 1, mac);
		HMAC(EVP_sha1(), auth, sizeof(auth), (const uint8_t *)"abcd", 4, want_mac,
		     &mac_bytes);
		assert_memory_equal(mac, want_mac, sizeof(mac));
		srtp_keyed_done(&c);
	}
}

/* ---- RFC 3711 B.2, RFC 6188 7.1 and 7.3: the key stream far out ---- */

static const struct {
	const char *name, *key, *first, *last;
} streams[] = {
	{"rfc3711 B.2", "2b7e151628aed2a6abf7158809cf4f3c",
	 "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4f"
	 "ca8"
	 "94c0",
	 "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b1"
	 "7ba"
	 "6c44"},
	{"rfc6188 7.1", "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
	 "92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac63c4868b7096d88421b563b8c"
	 "94c"
	 "9a31",
	 "cea518c90fd91ced9cbb18c078a547113dbc4814f4da5f00a08772b63c6a046d6eb246913062a16891433e97d"
	 "d01"
	 "a57f"},
	{"rfc6188 7.3", "eab234764e517b2d3d160d587d8c86219740f65f99b6bcf7",
	 "35096cba4610028dc1b57503804ce37c5de986291dcce161d5165ec4568f5c9a474a40c77894bc17180202272"
	 "a4c"
	 "264d",
	 "d108d1a31a00bad6367ec23eb044b415c8f57129fdeb970b59f917b257662d4ca5dab625811034e8cebdfeb6d"
	 "c15"
	 "8dd3"},
};

static void key_streams_run_to_their_end(void **state)
{
	static uint8_t bytes[1044512];

	for (size_t i = 0; i < ROWS(streams); i++) {
		struct srtp_keyed c = {.aes = EVP_CIPHER_CTX_new()};
		uint8_t key[32];
		size_t n = unhex(streams[i].key, key);
		const EVP_CIPHER *mode = n == 32   ? EVP_aes_256_ctr()
					 : n == 24 ? EVP_aes_192_ctr()
						   : EVP_aes_128_ctr();

		unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfd", c.salt);
		assert_int_equal(EVP_EncryptInit_ex(c.aes, mode, NULL, key, NULL), 1);
		memset(bytes, 0, sizeof(bytes));
		assert_true(srtp_keyed_ctr(&c, 0, 0, bytes, sizeof(bytes)));
		check_hex(streams[i].name, bytes, streams[i].first);
		check_hex(streams[i].name, bytes + sizeof(bytes) - 48, streams[i].last);
		srtp_keyed_done(&c);
	}
}

/* ---- RFC 7714 16 and 17 ---- */

#define KEY_128	  "000102030405060708090a0b0c0d0e0f"
#define KEY_256	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define RTP_AAD	  "8040f17b8041f8d35501a0b2"
#define RTP_CLEAR "47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
#define RTCP_HEAD "81c8000d4d617273"
#define RTCP_WORD "800005d4"
#define RTCP_CLEAR                                                                                 \
	"4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeef"         \
	"deadbeef"

static const struct {
	const char *name, *key, *aad, *aad2, *clear, *sealed;
	uint32_t ssrc;
	uint64_t index;
} gcm[] = {
	{"16.1", KEY_128, RTP_AAD, "", RTP_CLEAR,
	 "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16"
	 "a91"
	 "52cf765ee4390cce",
	 0x5501a0b2, 0xf17b},
	{"16.2", KEY_256, RTP_AAD, "", RTP_CLEAR,
	 "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd"
	 "6b0"
	 "f9bb7878d7a76c13",
	 0x5501a0b2, 0xf17b},
	{"17.1", KEY_128, RTCP_HEAD, RTCP_WORD, RTCP_CLEAR,
	 "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc"
	 "84a"
	 "a45896cf4d2fc5abf87245d9eade",
	 0x4d617273, 0x5d4},
	{"17.2", KEY_256, RTCP_HEAD, RTCP_WORD, RTCP_CLEAR,
	 "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1"
	 "d1e"
	 "b30c4446839f57ff6f6cb26ac3be",
	 0x4d617273, 0x5d4},
	{"17.3", KEY_128, RTCP_HEAD RTCP_CLEAR, "000005d4", "", "841dd9683dd78ec92ae58790125f62b3",
	 0x4d617273, 0x5d4},
	{"17.4", KEY_256, RTCP_HEAD RTCP_CLEAR, "000005d4", "", "91db4afbfeee5a978fab4393ed2615fe",
	 0x4d617273, 0x5d4},
};

static struct srtp_keyed gcm_cipher(const char *key_text, int encrypts)
{
	struct srtp_keyed c = {.aes = EVP_CIPHER_CTX_new()};
	uint8_t key[32];
	const EVP_CIPHER *mode = unhex(key_text, key) == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();

	unhex("517569642070726f2071756f", c.salt);
	assert_int_equal(EVP_CipherInit_ex(c.aes, mode, NULL, key, NULL, encrypts), 1);
	return c;
}

static void gcm_seals_and_opens_as_printed(void **state)
{
	for (size_t i = 0; i < ROWS(gcm); i++) {
		struct srtp_keyed seal = gcm_cipher(gcm[i].key, 1),
				  open = gcm_cipher(gcm[i].key, 0);
		uint8_t a[BYTES_MAX], b[BYTES_MAX], body[BYTES_MAX], tag[16];
		struct srtp_aad aad = {a, b, unhex(gcm[i].aad, a), unhex(gcm[i].aad2, b)};
		size_t n = unhex(gcm[i].clear, body);

		assert_true(
			srtp_keyed_gcm_seal(&seal, gcm[i].ssrc, gcm[i].index, &aad, body, n, tag));
		memcpy(body + n, tag, sizeof(tag));
		check_hex(gcm[i].name, body, gcm[i].sealed);
		tag[3] ^= 1;
		assert_false(
			srtp_keyed_gcm_open(&open, gcm[i].ssrc, gcm[i].index, &aad, body, n, tag));
		check_hex(gcm[i].name, body, gcm[i].sealed);
		tag[3] ^= 1;
		assert_true(
			srtp_keyed_gcm_open(&open, gcm[i].ssrc, gcm[i].index, &aad, body, n, tag));
		check_hex(gcm[i].name, body, gcm[i].clear);
		srtp_keyed_done(&seal);
		srtp_keyed_done(&open);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_keys_are_derived),
		cmocka_unit_test(key_streams_run_to_their_end),
		cmocka_unit_test(gcm_seals_and_opens_as_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
