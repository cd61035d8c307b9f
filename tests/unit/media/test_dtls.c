#include "media/dtls_identities.h"

#include <time.h>

#include "unit/check.h"
#include "unit/failing_alloc.h"

#define QUEUE_MAX 64
#define ROUNDS	  40
#define BYTES_MAX 1500

static const struct ip_endpoint active_at = {{IP_V4, {192, 0, 2, 1}}, 4000};
static const struct ip_endpoint passive_at = {{IP_V4, {192, 0, 2, 2}}, 5000};

/* Datagrams on their way to one end. */
struct queue {
	char bytes[QUEUE_MAX][BYTES_MAX];
	size_t n[QUEUE_MAX];
	unsigned count, sent; /* sent: also those that were lost */
	size_t sent_bytes;
	unsigned lose; /* bit n: the n-th datagram is lost */
};

struct play {
	struct dtls_identity *identity[2]; /* 0: active, 1: passive */
	struct dtls_session *session[2];
	struct queue to[2];
	struct fingerprint expected[2]; /* of the peer, by each end */
	bool validated;
	uint64_t now_ms;
};

static void queue_put(void *ctx, struct slice datagram)
{
	struct queue *q = ctx;
	bool lost = q->sent < 32 && q->lose >> q->sent & 1;

	q->sent++;
	q->sent_bytes += datagram.n;
	assert_true(datagram.n <= BYTES_MAX);
	if (lost || q->count == QUEUE_MAX)
		return;
	memcpy(q->bytes[q->count], datagram.p, datagram.n);
	q->n[q->count++] = datagram.n;
}

static void play_begin(struct play *p)
{
	*p = (struct play){.now_ms = 1000};
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(dtls_identity_new(&p->identity[i]), 0);
	for (unsigned i = 0; i < 2; i++)
		p->expected[i] = *dtls_identity_fingerprint(p->identity[!i]);
}

static void play_sessions(struct play *p)
{
	for (unsigned i = 0; i < 2; i++) {
		struct dtls_setup setup = {
			.identity = p->identity[i],
			.role = i == 0 ? DTLS_ACTIVE : DTLS_PASSIVE,
			.validated = p->validated,
			.fingerprints = &p->expected[i],
			.fingerprint_count = 1,
			.send = queue_put,
			.ctx = &p->to[!i],
		};

		assert_int_equal(dtls_new(&setup, &p->session[i]), 0);
	}
	dtls_start(p->session[0], p->now_ms);
}

static void play_end(struct play *p)
{
	for (unsigned i = 0; i < 2; i++) {
		dtls_free(p->session[i]);
		dtls_identity_unref(p->identity[i]);
	}
}

static void deliver(struct play *p, unsigned end)
{
	struct queue *q = &p->to[end];
	unsigned count = q->count;

	for (unsigned i = 0; i < count; i++)
		(void)dtls_on_datagram(p->session[end], end ? &active_at : &passive_at,
				       slice_of(q->bytes[i], q->n[i]), p->now_ms);
	memmove(q->bytes[0], q->bytes[count], sizeof(q->bytes[0]) * (q->count - count));
	memmove(q->n, q->n + count, sizeof(q->n[0]) * (q->count - count));
	q->count -= count;
}

static void exchange(struct play *p)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		deliver(p, 1);
		deliver(p, 0);
	}
}

static void keys_agree(struct play *p)
{
	struct srtp_key ours[2], theirs[2];

	for (unsigned i = 0; i < 2; i++)
		assert_true(dtls_keys(p->session[i], &ours[i], &theirs[i]));
	assert_true(srtp_key_valid(&ours[0]));
	assert_true(srtp_key_eq(&ours[0], &theirs[1]));
	assert_true(srtp_key_eq(&ours[1], &theirs[0]));
	assert_false(srtp_key_eq(&ours[0], &ours[1]));
	assert_int_equal(ours[0].suite, SRTP_AEAD_AES_128_GCM);
}

static void both_come_up(void **state)
{
	for (unsigned validated = 0; validated < 2; validated++) {
		struct play p;

		play_begin(&p);
		p.validated = validated;
		play_sessions(&p);
		exchange(&p);
		assert_int_equal(dtls_state(p.session[0]), DTLS_UP);
		assert_int_equal(dtls_state(p.session[1]), DTLS_UP);
		keys_agree(&p);
		play_end(&p);
	}
}

/* Who has not shown that it receives at its address is sent less than it sent. */
static void a_cookie_comes_first(void **state)
{
	struct play p;

	play_begin(&p);
	play_sessions(&p);
	deliver(&p, 1);
	assert_int_equal(p.to[0].sent, 1);
	assert_true(p.to[0].sent_bytes < p.to[1].sent_bytes);
	/* The cookie was asked for at one address and comes from another one. */
	deliver(&p, 0);
	for (unsigned i = 0; i < p.to[1].count; i++) {
		struct ip_endpoint elsewhere = active_at;

		elsewhere.port++;
		(void)dtls_on_datagram(p.session[1], &elsewhere,
				       slice_of(p.to[1].bytes[i], p.to[1].n[i]), p.now_ms);
	}
	assert_true(p.to[0].sent_bytes < p.to[1].sent_bytes);
	assert_int_equal(dtls_state(p.session[1]), DTLS_HANDSHAKE);
	play_end(&p);
}

static void a_wrong_fingerprint_is_refused(void **state)
{
	for (unsigned end = 0; end < 2; end++) {
		struct srtp_key a, b;
		struct play p;

		play_begin(&p);
		p.expected[end].digest[31] ^= 1;
		play_sessions(&p);
		exchange(&p);
		assert_int_equal(dtls_state(p.session[end]), DTLS_BAD_FINGERPRINT);
		assert_false(dtls_keys(p.session[end], &a, &b));
		/* The one that sends its Finished first cannot have its keys accepted either. */
		assert_int_not_equal(dtls_state(p.session[!end]), DTLS_UP);
		play_end(&p);
	}
}

static void an_unknown_hash_fits_nothing(void **state)
{
	struct play p;

	play_begin(&p);
	p.expected[0].hash = FINGERPRINT_NONE;
	play_sessions(&p);
	exchange(&p);
	assert_int_equal(dtls_state(p.session[0]), DTLS_BAD_FINGERPRINT);
	play_end(&p);
}

static void one_of_several_fingerprints_is_enough(void **state)
{
	struct fingerprint several[ASSOCIATION_FINGERPRINTS_MAX + 1] = {0};
	struct dtls_session *none = NULL;
	struct dtls_setup setup;
	struct play p;

	play_begin(&p);
	play_sessions(&p);
	dtls_free(p.session[0]);
	several[ASSOCIATION_FINGERPRINTS_MAX - 1] = p.expected[0];
	setup = (struct dtls_setup){.identity = p.identity[0],
				    .fingerprints = several,
				    .fingerprint_count = ASSOCIATION_FINGERPRINTS_MAX,
				    .send = queue_put,
				    .ctx = &p.to[1]};
	assert_int_equal(dtls_new(&setup, &p.session[0]), 0);
	p.to[1].count = 0;
	dtls_start(p.session[0], p.now_ms);
	exchange(&p);
	keys_agree(&p);
	setup.fingerprint_count++;
	assert_int_equal(dtls_new(&setup, &none), ERR_LIMIT);
	setup.fingerprint_count = 0;
	assert_int_equal(dtls_new(&setup, &none), ERR_LIMIT);
	play_end(&p);
}

static void wait_ms(long ms)
{
	struct timespec t = {.tv_nsec = ms * 1000000};

	assert_int_equal(nanosleep(&t, NULL), 0);
}

/* Each of the first datagrams is lost once, in each direction; OpenSSL's timer is the real clock.
 */
static void losses_are_made_good(void **state)
{
	struct play p;

	play_begin(&p);
	p.to[0].lose = 0x5;
	p.to[1].lose = 0x5;
	play_sessions(&p);
	for (unsigned i = 0; i < 400 && (dtls_state(p.session[0]) == DTLS_HANDSHAKE ||
					 dtls_state(p.session[1]) == DTLS_HANDSHAKE);
	     i++) {
		exchange(&p);
		wait_ms(20);
		for (unsigned end = 0; end < 2; end++)
			(void)dtls_on_tick(p.session[end], p.now_ms);
	}
	keys_agree(&p);
	play_end(&p);
}

static void a_silent_peer_is_given_up(void **state)
{
	struct play p;

	play_begin(&p);
	play_sessions(&p);
	assert_int_equal(dtls_on_tick(p.session[0], p.now_ms + DTLS_HANDSHAKE_MS), DTLS_HANDSHAKE);
	assert_int_equal(dtls_on_tick(p.session[0], p.now_ms + DTLS_HANDSHAKE_MS + 1),
			 DTLS_TIMEOUT);
	/* A passive one waits for as long as nobody begins. */
	assert_int_equal(dtls_on_tick(p.session[1], p.now_ms + 10 * DTLS_HANDSHAKE_MS),
			 DTLS_HANDSHAKE);
	play_end(&p);
}

static void rubbish_is_dropped(void **state)
{
	static const struct slice rubbish[] = {SLICE(""), SLICE("\x16"), SLICE("\x16\xfe\xfd\0\0"),
					       SLICE("\x80\x60 an RTP packet"),
					       SLICE("\x17\xfe\xfd\0\0\0\0\0\0\0\1\0\4data")};
	struct play p;

	play_begin(&p);
	play_sessions(&p);
	for (unsigned end = 0; end < 2; end++)
		for (size_t i = 0; i < ROWS(rubbish); i++)
			(void)dtls_on_datagram(p.session[end], &active_at, rubbish[i], p.now_ms);
	exchange(&p);
	keys_agree(&p);
	for (unsigned end = 0; end < 2; end++)
		for (size_t i = 0; i < ROWS(rubbish); i++)
			assert_int_equal(
				dtls_on_datagram(p.session[end], &active_at, rubbish[i], p.now_ms),
				DTLS_UP);
	play_end(&p);
}

/* Calls that were told of an earlier certificate find it for a while. */
static void certificates_change(void **state)
{
	struct fingerprint told[DTLS_IDENTITIES_MAX + 1];
	struct dtls_identities *ids;

	assert_int_equal(dtls_identities_new(&ids), 0);
	for (unsigned i = 0; i <= DTLS_IDENTITIES_MAX; i++) {
		told[i] = dtls_identities_present(ids);
		for (unsigned k = 0; k <= i; k++) {
			struct dtls_identity *id = dtls_identities_find(ids, &told[k]);

			assert_int_equal(id != NULL, i - k < DTLS_IDENTITIES_MAX);
			dtls_identity_unref(id);
		}
		assert_int_equal(dtls_identities_rotate(ids), 0);
	}
	dtls_identities_free(ids);
	dtls_identities_free(NULL);
}

static int a_set(void *context)
{
	struct dtls_identities *ids = NULL;
	int err = dtls_identities_new(&ids);

	err = err ? err : dtls_identities_rotate(ids);
	dtls_identities_free(ids);
	return err;
}

static int a_handshake(void *context)
{
	struct dtls_identity *id = NULL;
	struct dtls_session *s = NULL;
	struct fingerprint f = {.hash = FINGERPRINT_SHA256};
	struct queue *q = context;
	struct dtls_setup setup = {
		.fingerprints = &f, .fingerprint_count = 1, .send = queue_put, .ctx = q};
	int err = dtls_identity_new(&id);

	setup.identity = id;
	err = err ? err : dtls_new(&setup, &s);
	if (!err)
		dtls_start(s, 1);
	dtls_free(s);
	dtls_identity_unref(id);
	return err;
}

static void memory_may_fail(void **state)
{
	struct queue q = {0};

	assert_int_equal(failing_alloc_each(a_handshake, &q), 2);
	assert_int_equal(failing_alloc_each(a_set, NULL), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_come_up),
		cmocka_unit_test(a_cookie_comes_first),
		cmocka_unit_test(a_wrong_fingerprint_is_refused),
		cmocka_unit_test(an_unknown_hash_fits_nothing),
		cmocka_unit_test(one_of_several_fingerprints_is_enough),
		cmocka_unit_test(losses_are_made_good),
		cmocka_unit_test(a_silent_peer_is_given_up),
		cmocka_unit_test(rubbish_is_dropped),
		cmocka_unit_test(certificates_change),
		cmocka_unit_test(memory_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
