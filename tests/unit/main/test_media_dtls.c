/* A browser's side of a call at the media process in its sandbox: ICE, the handshake, media both
 * ways, and a successor that goes on. This program starts itself again, as the spawner would. */
#include "unit/main/media_rig.h"

#include "media/dtls.h"
#include "proto/stun/stun.h"

#define UFRAG "ourFrag1"
#define PWD   "0123456789012345678901234567"

/* The peer: a DTLS client of its own on the caller's socket. */
struct browser {
	struct media_rig *rig;
	struct dtls_identity *identity;
	struct dtls_session *session;
	struct srtp *seal, *open;
	struct srtp_streams sent, got;
	uint16_t seq;
};

static void from_browser(void *ctx, struct slice datagram)
{
	struct browser *b = ctx;

	rig_send(b->rig->caller_fd, &b->rig->outside, datagram);
}

static void peer_put(struct media_rig *r, const struct browser *b, bool wrong)
{
	struct association_spec spec = {.ice = true,
					.role = DTLS_PASSIVE,
					.fingerprint_count = 1,
					.own = r->own,
					.serial = 1};
	struct vault_fds fds;
	struct vault *v;

	(void)snprintf(spec.local.ufrag, sizeof(spec.local.ufrag), UFRAG);
	(void)snprintf(spec.local.pwd, sizeof(spec.local.pwd), PWD);
	(void)snprintf(spec.remote_ufrag, sizeof(spec.remote_ufrag), "theirs");
	spec.fingerprint[0] = *dtls_identity_fingerprint(b->identity);
	spec.fingerprint[0].digest[0] ^= wrong;
	assert_int_equal(vault_share(&r->vault, VAULT_WRITER, &fds), 0);
	assert_int_equal(vault_map(&fds, VAULT_WRITER, &v), 0);
	vault_peer_put(v, flow_table_index(r->table, &r->spec[0].local), &spec);
	vault_free(v);
	vault_fds_close(&fds);
	r->spec[0].source = r->spec[1].to = (struct ip_endpoint){0};
	r->spec[0].ice = r->spec[0].dtls = r->spec[0].rtcp_mux = true;
	r->spec[0].secret_in = r->spec[1].secret_out =
		(struct flow_secret){KEYS_DTLS, SRTP_NONE, true, true, 0};
}

static void browser_start(struct browser *b, struct media_rig *r, bool wrong)
{
	struct dtls_setup setup = {.role = DTLS_ACTIVE,
				   .fingerprints = &r->own,
				   .fingerprint_count = 1,
				   .send = from_browser,
				   .ctx = b};

	*b = (struct browser){.rig = r};
	assert_int_equal(dtls_identity_new(&b->identity), 0);
	setup.identity = b->identity;
	assert_int_equal(dtls_new(&setup, &b->session), 0);
	peer_put(r, b, wrong);
	media_rig_publish(r);
	media_rig_kick(r);
}

static void browser_end(struct browser *b)
{
	srtp_free(b->seal);
	srtp_free(b->open);
	dtls_free(b->session);
	dtls_identity_unref(b->identity);
}

static void check_send(struct browser *b, const char *pwd)
{
	static const uint8_t transaction[STUN_TRANSACTION_BYTES] = "transaction";
	char buf[256];
	struct out o = out_to(buf, sizeof(buf));

	stun_begin(&o, STUN_REQUEST, STUN_BINDING, transaction);
	stun_add(&o, STUN_ATTR_USERNAME, SL(UFRAG ":theirs"));
	stun_add_u32(&o, STUN_ATTR_PRIORITY, 1);
	stun_add_u64(&o, STUN_ATTR_ICE_CONTROLLING, 1);
	stun_add(&o, STUN_ATTR_USE_CANDIDATE, SL(""));
	stun_add_integrity(&o, STUN_SHA1, slice_z(pwd));
	stun_add_fingerprint(&o);
	from_browser(b, out_slice(&o));
}

/* The next datagram that the browser gets within the time; 0: none. */
static size_t receives(struct browser *b, char *buf, size_t room, int ms)
{
	ssize_t n;

	if (!rig_readable(b->rig->caller_fd, ms))
		return 0;
	n = recv(b->rig->caller_fd, buf, room, 0);
	assert_true(n > 0);
	return (size_t)n;
}

/* Checks until one is answered: a socket opens a moment after the kick. */
static bool check_answered(struct browser *b, const char *pwd, unsigned tries)
{
	char buf[2048];

	for (unsigned i = 0; i < tries; i++) {
		struct stun_msg m;
		size_t n;

		check_send(b, pwd);
		n = receives(b, buf, sizeof(buf), 5);
		if (n && stun_parse(slice_of(buf, n), &m) == 0 && m.class == STUN_SUCCESS)
			return stun_is_proven(&m, slice_z(pwd));
	}
	return false;
}

static enum dtls_state shake_hands(struct browser *b)
{
	uint64_t now_ms = 1;
	char buf[2048];

	dtls_start(b->session, now_ms);
	for (unsigned i = 0; i < 400 && dtls_state(b->session) == DTLS_HANDSHAKE; i++) {
		size_t n = receives(b, buf, sizeof(buf), 10);

		if (n)
			(void)dtls_on_datagram(b->session, &b->rig->outside, slice_of(buf, n),
					       now_ms);
		(void)dtls_on_tick(b->session, ++now_ms);
	}
	return dtls_state(b->session);
}

static void keys_take(struct browser *b)
{
	struct srtp_key ours, theirs;

	assert_true(dtls_keys(b->session, &ours, &theirs));
	assert_int_equal(srtp_new(&ours, SRTP_SEAL, &b->seal), 0);
	assert_int_equal(srtp_new(&theirs, SRTP_OPEN, &b->open), 0);
}

/* Speech from the browser to the plain side, and back; tried until it comes through. */
static bool speaks(struct browser *b, unsigned tries)
{
	char buf[2048], plain[BYTES];

	for (unsigned i = 0; i < tries; i++) {
		size_t n = BYTES;

		memcpy(plain, rig_rtp(buf, BYTES, 0, b->seq++).p, BYTES);
		assert_int_equal(srtp_seal(b->seal, &b->sent, (uint8_t *)buf, &n, sizeof(buf)),
				 SRTP_DONE);
		from_browser(b, slice_of(buf, n));
		if (!rig_readable(b->rig->callee_fd, 5))
			continue;
		assert_int_equal(recv(b->rig->callee_fd, buf, sizeof(buf), 0), BYTES);
		return memcmp(buf, plain, BYTES) == 0;
	}
	return false;
}

static bool hears(struct browser *b, uint16_t seq)
{
	char buf[2048], plain[BYTES];
	size_t n;

	memcpy(plain, rig_rtp(buf, BYTES, 0, seq).p, BYTES);
	rig_send(b->rig->callee_fd, &b->rig->inside, slice_of(plain, BYTES));
	while ((n = receives(b, buf, sizeof(buf), 1000)) != 0) {
		if (((uint8_t)buf[0] & 0xc0) != 0x80)
			continue; /* STUN or DTLS */
		if (srtp_open(b->open, &b->got, (uint8_t *)buf, &n) != SRTP_DONE)
			return false;
		return n == BYTES && memcmp(buf, plain, BYTES) == 0;
	}
	return false;
}

static struct flow_stats figures(const struct media_rig *r)
{
	struct flow_stats f = {0};

	assert_true(flow_table_stats(r->table, r->index[0], &f));
	return f;
}

static void r4_a_browser_talks(void **state)
{
	struct media_rig *r = *state;
	struct browser b;
	struct flow_stats f;

	browser_start(&b, r, false);
	assert_false(check_answered(&b, "wrong", 20));
	assert_true(check_answered(&b, PWD, 400));
	assert_int_equal(shake_hands(&b), DTLS_UP);
	keys_take(&b);
	assert_true(speaks(&b, 20));
	assert_true(hears(&b, 1));
	f = figures(r);
	assert_int_equal(f.handshake, HW_HANDSHAKE_UP);
	assert_int_equal(f.ice, HW_ICE_CONNECTED);
	assert_int_equal(f.suite, SRTP_AEAD_AES_128_GCM);

	/* The successor goes on: the peer makes no second handshake. */
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	assert_true(WIFSIGNALED(media_rig_end(r)));
	media_rig_start(r);
	assert_true(check_answered(&b, PWD, 400));
	assert_true(speaks(&b, 400));
	assert_true(hears(&b, 2));
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	(void)media_rig_end(r);
	browser_end(&b);
}

static void r4_strangers_pass_nothing(void **state)
{
	struct media_rig *r = *state;
	struct browser b;
	char buf[BYTES];

	browser_start(&b, r, false);
	assert_true(check_answered(&b, PWD, 400));
	assert_int_equal(shake_hands(&b), DTLS_UP);
	keys_take(&b);
	assert_true(speaks(&b, 20));
	from_browser(&b, rig_rtp(buf, BYTES, 0, 7));			/* in the clear */
	rig_send(r->callee_fd, &r->outside, rig_rtp(buf, BYTES, 0, 8)); /* from elsewhere */
	assert_false(rig_readable(r->callee_fd, 200));
	assert_int_equal(figures(r).refused[HW_REFUSED_PLAIN], 1);
	assert_int_equal(figures(r).refused[HW_REFUSED_ADDRESS], 1);
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	(void)media_rig_end(r);
	browser_end(&b);
}

static void r4_a_wrong_fingerprint_passes_nothing(void **state)
{
	struct media_rig *r = *state;
	struct browser b;
	char buf[BYTES];

	browser_start(&b, r, true);
	assert_true(check_answered(&b, PWD, 400));
	assert_int_not_equal(shake_hands(&b), DTLS_UP);
	from_browser(&b, rig_rtp(buf, BYTES, 0, 7));
	rig_send(r->callee_fd, &r->inside, rig_rtp(buf, BYTES, 0, 8));
	assert_false(rig_readable(r->callee_fd, 200));
	assert_int_equal(figures(r).handshake, HW_HANDSHAKE_BAD_FINGERPRINT);
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	(void)media_rig_end(r);
	browser_end(&b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(r4_a_browser_talks, media_rig_set_up,
						media_rig_tear_down),
		cmocka_unit_test_setup_teardown(r4_strangers_pass_nothing, media_rig_set_up,
						media_rig_tear_down),
		cmocka_unit_test_setup_teardown(r4_a_wrong_fingerprint_passes_nothing,
						media_rig_set_up, media_rig_tear_down),
	};

	if (argc > 1 && strcmp(argv[1], "@media") == 0)
		return child_media(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
