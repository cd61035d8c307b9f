/* libsrtp2 as the judge: what we seal it opens, what it seals we open, past the sequence's wrap.
 * Not for AES-192, whose session keys it does not derive as RFC 6188 prints them (test_cipher.c has
 * those). */
#include "unit/check.h"

#include <srtp2/srtp.h>

#include "proto/srtp/srtp.h"

#define ROOM	    2048
#define SEED	    20240607u
#define PACKETS	    70000 /* past 65,536 */
#define PACKETS_FEW 3000

static const struct {
	enum srtp_suite suite;
	void (*policy)(srtp_crypto_policy_t *rtp);
	void (*rtcp_policy)(srtp_crypto_policy_t *rtcp);
	unsigned packets;
	bool optional; /* a libsrtp2 built without a library of ciphers lacks it */
} suites[] = {
	{SRTP_AES_128_CM_SHA1_80, srtp_crypto_policy_set_rtp_default,
	 srtp_crypto_policy_set_rtp_default, PACKETS},
	{SRTP_AES_128_CM_SHA1_32, srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
	 srtp_crypto_policy_set_rtp_default, PACKETS_FEW},
	{SRTP_AES_256_CM_SHA1_80, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
	 srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80, PACKETS_FEW, true},
	{SRTP_AES_256_CM_SHA1_32, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
	 srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80, PACKETS_FEW, true},
	{SRTP_AEAD_AES_128_GCM, srtp_crypto_policy_set_aes_gcm_128_16_auth,
	 srtp_crypto_policy_set_aes_gcm_128_16_auth, PACKETS, true},
	{SRTP_AEAD_AES_256_GCM, srtp_crypto_policy_set_aes_gcm_256_16_auth,
	 srtp_crypto_policy_set_aes_gcm_256_16_auth, PACKETS_FEW, true},
};

static uint32_t random_state = SEED;

static uint32_t draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static void put32(uint8_t *at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* With CSRCs, an extension, padding, or none of them. */
static size_t random_rtp(uint8_t *at, uint16_t seq)
{
	size_t csrcs = draw() % 4, words = draw() % 3, body = draw() % 300;
	bool extended = draw() % 2;
	size_t n = 12 + csrcs * 4;

	for (size_t i = 0; i < ROOM; i++)
		at[i] = (uint8_t)draw();
	at[0] = (uint8_t)(0x80 | (extended ? 0x10 : 0) | csrcs);
	at[1] = (uint8_t)(draw() % 128);
	at[2] = (uint8_t)(seq >> 8);
	at[3] = (uint8_t)seq;
	put32(at + 8, 0xcafe0001);
	if (extended) {
		put32(at + n, 0xbede0000u | (uint32_t)words);
		n += 4 + words * 4;
	}
	return n + body;
}

static size_t random_rtcp(uint8_t *at)
{
	size_t words = 1 + draw() % 40;

	for (size_t i = 0; i < ROOM; i++)
		at[i] = (uint8_t)draw();
	put32(at, 0x80c80000u | (uint32_t)words);
	put32(at + 4, 0xcafe0001);
	return 4 + words * 4;
}

struct ends {
	struct srtp *seal, *open;
	struct srtp_streams sent, got;
	srtp_t their_seal, their_open;
};

static srtp_t theirs(size_t i, const struct srtp_key *key, bool mki, srtp_ssrc_type_t way)
{
	static uint8_t master[SRTP_MASTER_BYTES_MAX], id[4];
	static srtp_master_key_t one;
	static srtp_master_key_t *keys[] = {&one};
	srtp_policy_t policy = {.ssrc = {.type = way}, .window_size = 128};
	srtp_t s = NULL;

	memcpy(master, key->master, sizeof(master));
	memcpy(id, key->mki, sizeof(id));
	suites[i].policy(&policy.rtp);
	suites[i].rtcp_policy(&policy.rtcp);
	policy.key = master;
	if (mki) {
		one = (srtp_master_key_t){.key = master, .mki_id = id, .mki_size = 4};
		policy.key = NULL;
		policy.keys = keys;
		policy.num_master_keys = 1;
	}
	if (srtp_create(&s, &policy) != srtp_err_status_ok)
		return NULL; /* this build of theirs lacks the suite */
	return s;
}

static void we_seal(struct ends *e, uint16_t seq, bool mki)
{
	uint8_t plain[ROOM], packet[ROOM];
	size_t n = random_rtp(plain, seq), before = n;
	int theirs_n;

	memcpy(packet, plain, n);
	assert_int_equal(srtp_seal(e->seal, &e->sent, packet, &n, ROOM), SRTP_DONE);
	theirs_n = (int)n;
	assert_int_equal(srtp_unprotect_mki(e->their_open, packet, &theirs_n, mki),
			 srtp_err_status_ok);
	assert_int_equal(theirs_n, before);
	assert_memory_equal(packet, plain, before);
}

static void they_seal(struct ends *e, uint16_t seq, bool mki)
{
	uint8_t plain[ROOM], packet[ROOM];
	size_t n = random_rtp(plain, seq), before = n;
	int theirs_n = (int)n;

	memcpy(packet, plain, n);
	assert_int_equal(srtp_protect_mki(e->their_seal, packet, &theirs_n, mki, 0),
			 srtp_err_status_ok);
	n = (size_t)theirs_n;
	assert_int_equal(srtp_open(e->open, &e->got, packet, &n), SRTP_DONE);
	assert_int_equal(n, before);
	assert_memory_equal(packet, plain, before);
}

static void control(struct ends *e, bool mki)
{
	uint8_t plain[ROOM], packet[ROOM];
	size_t n = random_rtcp(plain), before = n;
	int theirs_n;

	memcpy(packet, plain, n);
	assert_int_equal(srtcp_seal(e->seal, &e->sent, packet, &n, ROOM), SRTP_DONE);
	theirs_n = (int)n;
	assert_int_equal(srtp_unprotect_rtcp_mki(e->their_open, packet, &theirs_n, mki),
			 srtp_err_status_ok);
	assert_int_equal(theirs_n, before);
	assert_memory_equal(packet, plain, before);

	assert_int_equal(srtp_protect_rtcp_mki(e->their_seal, packet, &theirs_n, mki, 0),
			 srtp_err_status_ok);
	n = (size_t)theirs_n;
	assert_int_equal(srtcp_open(e->open, &e->got, packet, &n), SRTP_DONE);
	assert_int_equal(n, before);
	assert_memory_equal(packet, plain, before);
}

static void agrees(size_t i, bool mki, unsigned packets)
{
	struct srtp_key key = {.suite = (uint8_t)suites[i].suite};
	const struct srtp_suite_row *row = srtp_suite_row(key.suite);
	struct ends e = {0};
	uint16_t seq = (uint16_t)draw();

	for (size_t b = 0; b < srtp_master_bytes(key.suite); b++)
		key.master[b] = (uint8_t)draw();
	if (mki) {
		key.mki_bytes = 4;
		put32(key.mki, 7);
	}
	e.their_open = theirs(i, &key, mki, ssrc_any_inbound);
	e.their_seal = theirs(i, &key, mki, ssrc_any_outbound);
	if (!e.their_open || !e.their_seal) {
		if (!suites[i].optional)
			fail_msg("%s: libsrtp2 does not take it", row->name);
		print_message("SKIPPED %s: not in this libsrtp2\n", row->name);
		return;
	}
	assert_int_equal(srtp_new(&key, SRTP_SEAL, &e.seal), 0);
	assert_int_equal(srtp_new(&key, SRTP_OPEN, &e.open), 0);
	for (unsigned n = 0; n < packets; n++, seq++) {
		if (draw() % 50 == 0)
			continue; /* lost */
		we_seal(&e, seq, mki);
		they_seal(&e, seq, mki);
		/* It looks for an SRTCP MKI where a tag of SRTP's length would end. */
		if (n % 100 == 0 && (!mki || row->tag_bytes == row->rtcp_tag_bytes))
			control(&e, mki);
	}
	srtp_free(e.seal);
	srtp_free(e.open);
	srtp_dealloc(e.their_open);
	srtp_dealloc(e.their_seal);
}

static void libsrtp2_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(suites); i++)
		agrees(i, false, suites[i].packets);
}

static void libsrtp2_agrees_with_mki(void **state)
{
	for (size_t i = 0; i < ROWS(suites); i++)
		agrees(i, true, 200);
}

static int set_up(void **state)
{
	return srtp_init() == srtp_err_status_ok ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libsrtp2_agrees),
		cmocka_unit_test(libsrtp2_agrees_with_mki),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
