/* Roll-over, replay, MKI, limits: what one end does and the other makes of it. */
#include "unit/check.h"

#include "proto/srtp/srtp.h"
#include "unit/failing_alloc.h"

#define ROOM	 256
#define PLAIN	 172
#define RTCP_ALL 28

struct pair {
	struct srtp *seal, *open;
	struct srtp_streams sent, got;
};

static struct srtp_key key_of(enum srtp_suite suite)
{
	struct srtp_key key = {.suite = (uint8_t)suite};

	for (size_t i = 0; i < srtp_master_bytes(suite); i++)
		key.master[i] = (uint8_t)(i * 7 + suite);
	return key;
}

static struct pair pair_with(const struct srtp_key *key)
{
	struct pair p = {0};

	assert_int_equal(srtp_new(key, SRTP_SEAL, &p.seal), 0);
	assert_int_equal(srtp_new(key, SRTP_OPEN, &p.open), 0);
	return p;
}

static struct pair pair_of(enum srtp_suite suite)
{
	struct srtp_key key = key_of(suite);

	return pair_with(&key);
}

static void pair_free(struct pair *p)
{
	srtp_free(p->seal);
	srtp_free(p->open);
}

static size_t rtp(uint8_t *at, uint32_t ssrc, uint16_t seq)
{
	for (size_t i = 0; i < PLAIN; i++)
		at[i] = (uint8_t)(i + seq);
	at[0] = 0x80;
	at[1] = 0;
	at[2] = (uint8_t)(seq >> 8);
	at[3] = (uint8_t)seq;
	for (unsigned i = 0; i < 4; i++)
		at[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	return PLAIN;
}

static size_t rtcp(uint8_t *at, uint32_t ssrc)
{
	memset(at, 0x55, RTCP_ALL);
	at[0] = 0x80;
	at[1] = 200;
	at[2] = 0;
	at[3] = 6;
	for (unsigned i = 0; i < 4; i++)
		at[4 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	return RTCP_ALL;
}

static enum srtp_result sealed(struct pair *p, uint32_t ssrc, uint16_t seq, uint8_t *at, size_t *n)
{
	*n = rtp(at, ssrc, seq);
	return srtp_seal(p->seal, &p->sent, at, n, ROOM);
}

static void crosses(struct pair *p, uint32_t ssrc, uint16_t seq)
{
	uint8_t packet[ROOM], plain[ROOM];
	size_t n;

	assert_int_equal(sealed(p, ssrc, seq, packet, &n), SRTP_DONE);
	assert_int_equal(srtp_open(p->open, &p->got, packet, &n), SRTP_DONE);
	assert_int_equal(n, rtp(plain, ssrc, seq));
	assert_memory_equal(packet, plain, n);
}

static void every_suite_grows_and_shrinks(void **state)
{
	for (unsigned suite = 1; suite < SRTP_SUITE_COUNT; suite++) {
		struct pair p = pair_of((enum srtp_suite)suite);
		uint8_t packet[ROOM], plain[ROOM];
		size_t n, plain_n = rtcp(plain, 9);

		assert_int_equal(sealed(&p, 9, 1, packet, &n), SRTP_DONE);
		check_int(srtp_suite_row(suite)->name, (long long)n,
			  PLAIN + srtp_suite_row(suite)->tag_bytes);
		crosses(&p, 9, 2);
		n = rtcp(packet, 9);
		assert_int_equal(srtcp_seal(p.seal, &p.sent, packet, &n, ROOM), SRTP_DONE);
		assert_int_equal(n, RTCP_ALL + srtcp_trailer_bytes(p.seal));
		assert_memory_not_equal(packet + 8, plain + 8, RTCP_ALL - 8);
		assert_int_equal(srtcp_open(p.open, &p.got, packet, &n), SRTP_DONE);
		assert_int_equal(n, plain_n);
		assert_memory_equal(packet, plain, n);
		pair_free(&p);
	}
}

/* RFC 3711 3.3.1: across two wraps, with losses and packets out of order on both sides of one. */
static void the_roll_over_counter_follows(void **state)
{
	struct pair p = pair_of(SRTP_AES_128_CM_SHA1_80);
	uint8_t late[ROOM];
	size_t late_n = 0;

	for (uint32_t i = 65000; i < 65000 + 140000; i++) {
		if (i % 997 == 3)
			continue;
		if (i == 131071) {
			assert_int_equal(sealed(&p, 1, (uint16_t)i, late, &late_n), SRTP_DONE);
			continue;
		}
		crosses(&p, 1, (uint16_t)i);
		if (i == 131075)
			assert_int_equal(srtp_open(p.open, &p.got, late, &late_n), SRTP_DONE);
	}
	assert_int_equal(p.got.stream[0].index, 65000 + 140000 - 1);
	pair_free(&p);
}

static void a_loss_of_half_a_cycle_is_survived(void **state)
{
	struct pair p = pair_of(SRTP_AEAD_AES_128_GCM);

	crosses(&p, 1, 60000);
	crosses(&p, 1, (uint16_t)(60000 + 32767));
	assert_int_equal(p.got.stream[0].index, 60000 + 32767);
	pair_free(&p);
}

static void another_ssrc_counts_for_itself(void **state)
{
	struct pair p = pair_of(SRTP_AES_128_CM_SHA1_80);

	for (uint32_t i = 65530; i < 65545; i++) {
		crosses(&p, 1, (uint16_t)i);
		crosses(&p, 2, (uint16_t)(i - 60000));
	}
	assert_int_equal(p.got.stream[0].index >> 16, 1);
	assert_int_equal(p.got.stream[1].index >> 16, 0);
	pair_free(&p);
}

static void nothing_passes_twice(void **state)
{
	struct pair p = pair_of(SRTP_AES_128_CM_SHA1_80);
	uint8_t first[ROOM], again[ROOM];
	size_t n, again_n;

	assert_int_equal(sealed(&p, 1, 100, first, &n), SRTP_DONE);
	memcpy(again, first, n);
	again_n = n;
	assert_int_equal(srtp_open(p.open, &p.got, first, &n), SRTP_DONE);
	assert_int_equal(srtp_open(p.open, &p.got, again, &again_n), SRTP_REPLAYED);
	for (uint16_t seq = 101; seq < 101 + SRTP_WINDOW; seq++)
		crosses(&p, 1, seq);
	assert_int_equal(srtp_open(p.open, &p.got, again, &again_n), SRTP_REPLAYED);
	/* A sender that repeats itself would use the key stream twice. */
	assert_int_equal(sealed(&p, 1, 101, first, &n), SRTP_REPLAYED);
	assert_int_equal(n, PLAIN);
	pair_free(&p);
}

/* SRTP_WINDOW - 1 behind is within, SRTP_WINDOW behind is not. */
static void the_window_ends_where_it_says(void **state)
{
	struct pair p = pair_of(SRTP_AES_128_CM_SHA1_80);
	uint8_t early[2][ROOM];
	size_t n[2];

	assert_int_equal(sealed(&p, 1, 100, early[0], &n[0]), SRTP_DONE);
	assert_int_equal(sealed(&p, 1, 101, early[1], &n[1]), SRTP_DONE);
	crosses(&p, 1, 100 + SRTP_WINDOW);
	assert_int_equal(srtp_open(p.open, &p.got, early[0], &n[0]), SRTP_REPLAYED);
	assert_int_equal(srtp_open(p.open, &p.got, early[1], &n[1]), SRTP_DONE);
	pair_free(&p);
}

static void what_is_tampered_changes_nothing(void **state)
{
	const enum srtp_suite suites[] = {SRTP_AES_128_CM_SHA1_80, SRTP_AEAD_AES_256_GCM};

	for (size_t s = 0; s < ROWS(suites); s++) {
		struct pair p = pair_of(suites[s]);
		uint8_t packet[ROOM], bad[ROOM];
		struct srtp_streams before;
		size_t n;

		crosses(&p, 1, 5);
		before = p.got;
		assert_int_equal(sealed(&p, 1, 6, packet, &n), SRTP_DONE);
		for (size_t at = 1; at < n; at++) {
			size_t bad_n = n;
			uint8_t was;

			memcpy(bad, packet, n);
			bad[at] ^= 0x40;
			was = bad[at];
			assert_int_not_equal(srtp_open(p.open, &p.got, bad, &bad_n), SRTP_DONE);
			assert_int_equal(bad[at], was);
			bad[at] ^= 0x40;
			assert_memory_equal(bad, packet, n);
			assert_int_equal(bad_n, n);
		}
		assert_memory_equal(&before, &p.got, sizeof(before));
		assert_int_equal(srtp_open(p.open, &p.got, packet, &n), SRTP_DONE);
		pair_free(&p);
	}
}

static void plain_packets_do_not_open(void **state)
{
	struct pair p = pair_of(SRTP_AES_128_CM_SHA1_32);
	uint8_t packet[ROOM];
	size_t n = rtp(packet, 1, 1);

	assert_int_equal(srtp_open(p.open, &p.got, packet, &n), SRTP_FORGED);
	n = 12 + srtp_trailer_bytes(p.open) - 1;
	assert_int_equal(srtp_open(p.open, &p.got, packet, &n), SRTP_MALFORMED);
	n = rtcp(packet, 1);
	assert_int_equal(srtcp_open(p.open, &p.got, packet, &n), SRTP_FORGED);
	n = 3;
	assert_int_equal(srtcp_open(p.open, &p.got, packet, &n), SRTP_MALFORMED);
	assert_int_equal(srtcp_seal(p.seal, &p.sent, packet, &n, ROOM), SRTP_MALFORMED);
	pair_free(&p);
}

static void control_packets_are_numbered(void **state)
{
	const enum srtp_suite suites[] = {SRTP_AES_128_CM_SHA1_32, SRTP_AEAD_AES_128_GCM};

	for (size_t s = 0; s < ROWS(suites); s++) {
		struct pair p = pair_of(suites[s]);
		uint8_t packet[ROOM], again[ROOM];
		size_t n = rtcp(packet, 7), again_n;

		assert_int_equal(srtcp_seal(p.seal, &p.sent, packet, &n, ROOM), SRTP_DONE);
		memcpy(again, packet, n);
		again_n = n;
		assert_int_equal(srtcp_open(p.open, &p.got, packet, &n), SRTP_DONE);
		assert_int_equal(srtcp_open(p.open, &p.got, again, &again_n), SRTP_REPLAYED);
		n = rtcp(packet, 7);
		assert_int_equal(srtcp_seal(p.seal, &p.sent, packet, &n, ROOM), SRTP_DONE);
		assert_memory_not_equal(packet, again, n);
		packet[9] ^= 1;
		assert_int_equal(srtcp_open(p.open, &p.got, packet, &n), SRTP_FORGED);
		packet[9] ^= 1;
		assert_int_equal(srtcp_open(p.open, &p.got, packet, &n), SRTP_DONE);
		assert_int_equal(p.got.stream[0].rtcp_index, 2);
		p.sent.stream[0].rtcp_index = SRTCP_INDEX_MAX;
		n = rtcp(packet, 7);
		assert_int_equal(srtcp_seal(p.seal, &p.sent, packet, &n, ROOM), SRTP_WORN_OUT);
		pair_free(&p);
	}
}

static void the_mki_names_the_key(void **state)
{
	const enum srtp_suite suites[] = {SRTP_AES_128_CM_SHA1_80, SRTP_AEAD_AES_256_GCM};

	for (size_t s = 0; s < ROWS(suites); s++) {
		struct srtp_key key = key_of(suites[s]), other;
		struct pair p, q;
		uint8_t packet[ROOM];
		size_t n;

		key.mki_bytes = 4;
		memcpy(key.mki, "\0\0\0\1", 4);
		other = key;
		other.mki[3] = 2;
		p = pair_with(&key);
		q = pair_with(&other);
		crosses(&p, 1, 1);
		assert_int_equal(sealed(&p, 1, 2, packet, &n), SRTP_DONE);
		assert_int_equal(n, PLAIN + srtp_suite_row(key.suite)->tag_bytes + 4);
		assert_int_equal(srtp_open(q.open, &q.got, packet, &n), SRTP_FORGED);
		n = rtcp(packet, 1);
		assert_int_equal(srtcp_seal(p.seal, &p.sent, packet, &n, ROOM), SRTP_DONE);
		assert_int_equal(srtcp_open(q.open, &q.got, packet, &n), SRTP_FORGED);
		assert_int_equal(srtcp_open(p.open, &p.got, packet, &n), SRTP_DONE);
		pair_free(&p);
		pair_free(&q);
	}
}

static void limits_hold(void **state)
{
	struct pair p = pair_of(SRTP_AES_128_CM_SHA1_80);
	uint8_t packet[ROOM];
	size_t n;

	for (uint32_t ssrc = 1; ssrc <= SRTP_STREAMS_MAX; ssrc++)
		crosses(&p, ssrc, 1);
	assert_int_equal(sealed(&p, 1000, 1, packet, &n), SRTP_CROWDED);
	n = rtcp(packet, 1000);
	assert_int_equal(srtcp_seal(p.seal, &p.sent, packet, &n, ROOM), SRTP_CROWDED);
	n = rtp(packet, 1, 2);
	assert_int_equal(srtp_seal(p.seal, &p.sent, packet, &n, PLAIN + 9), SRTP_NO_ROOM);
	assert_int_equal(srtp_seal(p.seal, &p.sent, packet, &n, PLAIN + 10), SRTP_DONE);
	p.sent.stream[1].index = SRTP_INDEX_MAX;
	n = rtp(packet, 2, 0);
	assert_int_equal(srtp_seal(p.seal, &p.sent, packet, &n, ROOM), SRTP_WORN_OUT);
	pair_free(&p);
}

/* Another process goes on where one was killed: the counters stand outside. */
static void a_successor_goes_on(void **state)
{
	struct srtp_key key = key_of(SRTP_AES_128_CM_SHA1_80);
	struct pair p = pair_with(&key), q;

	for (uint32_t i = 65000; i < 66000; i++)
		crosses(&p, 1, (uint16_t)i);
	q = pair_with(&key);
	q.sent = p.sent;
	q.got = p.got;
	crosses(&q, 1, (uint16_t)66001);
	assert_int_equal(q.got.stream[0].index, 66001);
	pair_free(&p);
	pair_free(&q);
}

static void only_valid_keys_are_taken(void **state)
{
	struct srtp_key key = {0};
	struct srtp *s = NULL;

	assert_int_equal(srtp_new(&key, SRTP_SEAL, &s), ERR_SYNTAX);
	key.suite = SRTP_SUITE_COUNT;
	assert_int_equal(srtp_new(&key, SRTP_SEAL, &s), ERR_SYNTAX);
	key = key_of(SRTP_AES_128_CM_SHA1_80);
	key.mki_bytes = SRTP_MKI_BYTES_MAX + 1;
	assert_int_equal(srtp_new(&key, SRTP_SEAL, &s), ERR_SYNTAX);
	assert_null(s);
	srtp_free(NULL);
}

static int make_one(void *context)
{
	struct srtp_key key = key_of(SRTP_AEAD_AES_128_GCM);
	struct srtp *s = NULL;
	int err = srtp_new(&key, SRTP_OPEN, &s);

	srtp_free(s);
	return err;
}

static void memory_may_run_out(void **state)
{
	assert_int_equal(failing_alloc_each(make_one, NULL), 1);
}

static void packets_cost_no_allocation(void **state)
{
	struct pair p = pair_of(SRTP_AEAD_AES_128_GCM);
	unsigned long before = mem_test_requests();

	for (uint16_t seq = 1; seq < 100; seq++)
		crosses(&p, 1, seq);
	assert_int_equal(mem_test_requests(), before);
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_grows_and_shrinks),
		cmocka_unit_test(the_roll_over_counter_follows),
		cmocka_unit_test(a_loss_of_half_a_cycle_is_survived),
		cmocka_unit_test(another_ssrc_counts_for_itself),
		cmocka_unit_test(nothing_passes_twice),
		cmocka_unit_test(the_window_ends_where_it_says),
		cmocka_unit_test(what_is_tampered_changes_nothing),
		cmocka_unit_test(plain_packets_do_not_open),
		cmocka_unit_test(control_packets_are_numbered),
		cmocka_unit_test(the_mki_names_the_key),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(a_successor_goes_on),
		cmocka_unit_test(only_valid_keys_are_taken),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(packets_cost_no_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
