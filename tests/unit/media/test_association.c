#include "media/association.h"

#include "proto/stun/stun.h"
#include "unit/check.h"
#include "unit/failing_alloc.h"

#define QUEUE_MAX 64
#define BYTES_MAX 1500
#define ROUNDS	  12

static const struct ip_endpoint at[2] = {{{IP_V4, {192, 0, 2, 1}}, 4000},
					 {{IP_V4, {192, 0, 2, 2}}, 5000}};
static const struct ip_endpoint nowhere;
static const struct ip_endpoint stranger = {{IP_V4, {192, 0, 2, 66}}, 6000};
static const struct slice rtp = SLICE("\x80\x00\x00\x01\0\0\0\1\0\0\0\1 speech");
static const struct slice hello = SLICE("\x16\xfe\xff\0\0\0\0\0\0\0\0\0\1\1");

struct packet {
	struct ip_endpoint to;
	size_t n;
	char bytes[BYTES_MAX];
};

/* One end and what it has sent. */
struct end {
	struct dtls_identity *identity;
	struct association_spec spec;
	struct association *a;
	struct packet sent[QUEUE_MAX];
	unsigned sent_count;
};

struct play {
	struct end end[2]; /* 0: active, 1: passive */
	uint64_t now_ms;
};

static void on_send(void *ctx, const struct ip_endpoint *to, struct slice datagram)
{
	struct end *e = ctx;

	assert_true(datagram.n <= BYTES_MAX && e->sent_count < QUEUE_MAX);
	e->sent[e->sent_count].to = *to;
	e->sent[e->sent_count].n = datagram.n;
	memcpy(e->sent[e->sent_count++].bytes, datagram.p, datagram.n);
}

static void play_begin(struct play *p)
{
	memset(p, 0, sizeof(*p));
	p->now_ms = 1000;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(dtls_identity_new(&p->end[i].identity), 0);
	for (unsigned i = 0; i < 2; i++) {
		p->end[i].spec.role = i == 0 ? DTLS_ACTIVE : DTLS_PASSIVE;
		p->end[i].spec.fingerprint_count = 1;
		p->end[i].spec.fingerprint[0] = *dtls_identity_fingerprint(p->end[!i].identity);
	}
}

static int open_end(struct play *p, unsigned i, const struct ip_endpoint *to)
{
	struct association_tools tools = {p->end[i].identity, on_send, &p->end[i]};

	return association_new(&p->end[i].spec, &tools, to, NULL, p->now_ms, &p->end[i].a);
}

static void play_end(struct play *p)
{
	for (unsigned i = 0; i < 2; i++) {
		association_free(p->end[i].a);
		dtls_identity_unref(p->end[i].identity);
	}
}

/* What was sent arrives where it was sent to, from the address of its sender. */
static void exchange(struct play *p)
{
	for (unsigned round = 0; round < 2 * ROUNDS; round++) {
		unsigned from = round % 2;
		struct end *e = &p->end[from];
		unsigned count = e->sent_count;

		e->sent_count = 0;
		for (unsigned i = 0; i < count; i++)
			if (ip_endpoint_eq(&e->sent[i].to, &at[!from]))
				(void)association_on_datagram(
					p->end[!from].a, &at[from],
					slice_of(e->sent[i].bytes, e->sent[i].n), p->now_ms);
	}
}

static enum association_verdict comes(struct play *p, unsigned to, const struct ip_endpoint *from,
				      struct slice datagram)
{
	return association_on_datagram(p->end[to].a, from, datagram, p->now_ms);
}

static void target_is(const struct play *p, unsigned end, const struct ip_endpoint *want)
{
	struct ip_endpoint e = {0};

	(void)association_target(p->end[end].a, p->now_ms, &e);
	assert_true(ip_endpoint_eq(&e, want));
}

static void keys_agree(const struct play *p)
{
	struct vault_kept kept[2];

	for (unsigned i = 0; i < 2; i++)
		assert_true(association_keep(p->end[i].a, &kept[i]));
	assert_true(srtp_key_eq(&kept[0].ours, &kept[1].theirs));
	assert_true(srtp_key_eq(&kept[1].ours, &kept[0].theirs));
}

static void without_ice(void **state)
{
	struct play p;

	play_begin(&p);
	assert_int_equal(open_end(&p, 1, &nowhere), 0);
	assert_int_equal(comes(&p, 1, &at[0], rtp), ASSOCIATION_NOT_YET);
	assert_int_equal(comes(&p, 1, &at[0], SL("\0\1\0\0")), ASSOCIATION_REFUSED);
	assert_int_equal(comes(&p, 1, &at[0], SL("\x7f?")), ASSOCIATION_REFUSED);
	target_is(&p, 1, &nowhere);
	assert_int_equal(open_end(&p, 0, &at[1]), 0);
	assert_true(association_busy(p.end[0].a) && association_busy(p.end[1].a));
	exchange(&p);
	keys_agree(&p);
	p.now_ms += DTLS_LINGER_MS + 1;
	for (unsigned i = 0; i < 2; i++)
		association_on_tick(p.end[i].a, p.now_ms);
	assert_false(association_busy(p.end[0].a) || association_busy(p.end[1].a));
	keys_agree(&p);
	assert_int_equal(comes(&p, 0, &at[1], hello), ASSOCIATION_TAKEN);
	assert_null(association_ice(p.end[0].a));
	for (unsigned i = 0; i < 2; i++) {
		target_is(&p, i, &at[!i]);
		assert_int_equal(comes(&p, i, &at[!i], rtp), ASSOCIATION_MEDIA);
		assert_int_equal(comes(&p, i, &stranger, rtp), ASSOCIATION_STRANGER);
		assert_int_equal(comes(&p, i, &stranger, hello), ASSOCIATION_STRANGER);
	}
	play_end(&p);
}

static void a_wrong_fingerprint_passes_nothing(void **state)
{
	struct vault_kept kept;
	struct play p;

	play_begin(&p);
	p.end[1].spec.fingerprint[0].digest[0] ^= 1;
	assert_int_equal(open_end(&p, 1, &nowhere), 0);
	assert_int_equal(open_end(&p, 0, &at[1]), 0);
	exchange(&p);
	assert_int_equal(association_dtls(p.end[1].a), DTLS_BAD_FINGERPRINT);
	assert_false(association_keep(p.end[1].a, &kept));
	assert_int_equal(comes(&p, 1, &at[0], rtp), ASSOCIATION_NOT_YET);
	target_is(&p, 1, &nowhere);
	play_end(&p);
}

static void new_association_new_keys(void **state)
{
	struct vault_kept before, after;
	struct play p;

	play_begin(&p);
	assert_int_equal(open_end(&p, 1, &nowhere), 0);
	assert_int_equal(open_end(&p, 0, &at[1]), 0);
	exchange(&p);
	assert_true(association_keep(p.end[0].a, &before));
	/* The same association described again: nothing changes. */
	assert_int_equal(
		association_update(p.end[0].a, &p.end[0].spec, p.end[0].identity, &at[1], p.now_ms),
		0);
	assert_int_equal(comes(&p, 0, &at[1], rtp), ASSOCIATION_MEDIA);
	for (unsigned i = 2; i-- > 0;) {
		p.end[i].spec.serial++;
		assert_int_equal(association_update(p.end[i].a, &p.end[i].spec, p.end[i].identity,
						    &at[!i], p.now_ms),
				 0);
		assert_int_equal(comes(&p, i, &at[!i], rtp), ASSOCIATION_NOT_YET);
	}
	exchange(&p);
	keys_agree(&p);
	assert_true(association_keep(p.end[0].a, &after));
	assert_false(srtp_key_eq(&before.ours, &after.ours));
	assert_int_not_equal(before.serial, after.serial);
	play_end(&p);
}

static void check_write(struct out *o, bool right)
{
	static const uint8_t transaction[STUN_TRANSACTION_BYTES] = "transaction";

	stun_begin(o, STUN_REQUEST, STUN_BINDING, transaction);
	stun_add(o, STUN_ATTR_USERNAME, SL("ours:theirs"));
	stun_add_u32(o, STUN_ATTR_PRIORITY, 1);
	stun_add_u64(o, STUN_ATTR_ICE_CONTROLLING, 1);
	stun_add(o, STUN_ATTR_USE_CANDIDATE, SL(""));
	stun_add_integrity(o, STUN_SHA1, right ? SL("0123456789012345678901") : SL("wrong"));
	stun_add_fingerprint(o);
}

/* With ICE an address is nobody, whatever it sends, until its check was right. */
static void with_ice(void **state)
{
	for (unsigned active = 0; active < 2; active++) {
		unsigned us = !active, peer = active; /* we are the active or the passive end */
		char buf[256];
		struct out right = out_to(buf, sizeof(buf) / 2);
		struct out wrong = out_to(buf + sizeof(buf) / 2, sizeof(buf) / 2);
		struct association_spec *spec;
		struct play p;

		check_write(&right, true);
		check_write(&wrong, false);
		play_begin(&p);
		spec = &p.end[us].spec;
		spec->ice = true;
		(void)snprintf(spec->local.ufrag, sizeof(spec->local.ufrag), "ours");
		(void)snprintf(spec->local.pwd, sizeof(spec->local.pwd), "0123456789012345678901");
		(void)snprintf(spec->remote_ufrag, sizeof(spec->remote_ufrag), "theirs");
		assert_int_equal(open_end(&p, us, &at[peer]), 0);
		assert_int_equal(p.end[us].sent_count, 0);
		assert_int_equal(comes(&p, us, &at[peer], rtp), ASSOCIATION_STRANGER);
		assert_int_equal(comes(&p, us, &at[peer], hello), ASSOCIATION_STRANGER);
		assert_int_equal(comes(&p, us, &at[peer], out_slice(&wrong)), ASSOCIATION_REFUSED);
		association_on_tick(p.end[us].a, p.now_ms);
		assert_int_equal(p.end[us].sent_count, 0);
		assert_int_equal(comes(&p, us, &at[peer], out_slice(&right)), ASSOCIATION_TAKEN);
		assert_true(p.end[us].sent_count > 0);
		assert_int_equal(ice_state(association_ice(p.end[us].a), p.now_ms), ICE_CONNECTED);
		/* The peer has no ICE of its own here: the answer to its check means nothing to it.
		 */
		assert_int_equal(open_end(&p, peer, &at[us]), 0);
		exchange(&p);
		keys_agree(&p);
		assert_int_equal(comes(&p, us, &at[peer], rtp), ASSOCIATION_MEDIA);
		assert_int_equal(comes(&p, us, &stranger, rtp), ASSOCIATION_STRANGER);
		target_is(&p, us, &at[peer]);
		p.now_ms += ICE_CONSENT_MS + 1;
		target_is(&p, us, &nowhere);
		assert_int_equal(comes(&p, us, &at[peer], rtp), ASSOCIATION_STRANGER);
		play_end(&p);
	}
}

static void ice_restarts(void **state)
{
	char buf[128];
	struct out right = out_to(buf, sizeof(buf));
	struct association_spec *spec;
	struct play p;

	check_write(&right, true);
	play_begin(&p);
	spec = &p.end[1].spec;
	spec->ice = true;
	(void)snprintf(spec->local.ufrag, sizeof(spec->local.ufrag), "ours");
	(void)snprintf(spec->local.pwd, sizeof(spec->local.pwd), "0123456789012345678901");
	assert_int_equal(open_end(&p, 1, &nowhere), 0);
	assert_int_equal(comes(&p, 1, &at[0], out_slice(&right)), ASSOCIATION_TAKEN);
	(void)snprintf(spec->local.pwd, sizeof(spec->local.pwd), "anotherPasswordOf24Chars");
	assert_int_equal(
		association_update(p.end[1].a, spec, p.end[1].identity, &nowhere, p.now_ms), 0);
	assert_int_equal(comes(&p, 1, &at[0], out_slice(&right)), ASSOCIATION_REFUSED);
	target_is(&p, 1, &at[0]);
	play_end(&p);
}

/* Another process goes on where its predecessor died: the peer makes no second handshake. */
static void a_successor_goes_on(void **state)
{
	for (unsigned ice = 0; ice < 2; ice++) {
		struct vault_kept kept = {0}, again = {0};
		struct association_tools tools;
		struct play p;

		play_begin(&p);
		assert_int_equal(open_end(&p, 1, &nowhere), 0);
		assert_int_equal(open_end(&p, 0, &at[1]), 0);
		exchange(&p);
		assert_true(association_keep(p.end[1].a, &kept));
		association_free(p.end[1].a);
		p.end[1].spec.ice = ice;
		kept.peer = at[0];
		tools = (struct association_tools){p.end[1].identity, on_send, &p.end[1]};
		assert_int_equal(association_new(&p.end[1].spec, &tools, &nowhere, &kept, p.now_ms,
						 &p.end[1].a),
				 0);
		keys_agree(&p);
		assert_int_equal(comes(&p, 1, &at[0], rtp), ASSOCIATION_MEDIA);
		assert_int_equal(comes(&p, 1, &stranger, rtp), ASSOCIATION_STRANGER);
		target_is(&p, 1, &at[0]);
		assert_true(association_keep(p.end[1].a, &again));
		assert_memory_equal(&again, &kept, sizeof(kept));
		p.now_ms += ICE_CONSENT_MS + 1;
		target_is(&p, 1, ice ? &nowhere : &at[0]);
		play_end(&p);
	}
}

static int born(void *context)
{
	struct play *p = context;
	int err = open_end(p, 1, &nowhere);

	association_free(err ? NULL : p->end[1].a);
	p->end[1].a = NULL;
	return err;
}

static void memory_may_fail(void **state)
{
	struct play p;

	play_begin(&p);
	assert_int_equal(failing_alloc_each(born, &p), 2);
	play_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_ice),
		cmocka_unit_test(a_wrong_fingerprint_passes_nothing),
		cmocka_unit_test(new_association_new_keys),
		cmocka_unit_test(with_ice),
		cmocka_unit_test(ice_restarts),
		cmocka_unit_test(a_successor_goes_on),
		cmocka_unit_test(memory_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
