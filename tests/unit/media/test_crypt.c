/* SRTP on a flow's way: learned only from what is proven, refused with its reason, keys changed
 * under way, a successor after kill -9. */
#include "unit/check.h"

#include <arpa/inet.h>

#include "media/crypt.h"
#include "media/limits.h"
#include "unit/failing_alloc.h"

#define ROOM  256
#define PLAIN 172
#define INDEX 20000
#define NOW   1000000000ull

static const struct ip_endpoint peer = {{IP_V4, {192, 0, 2, 7}}, 40000};

struct rig {
	struct vault_fds fds;
	struct vault *signal, *media;
	struct vault_keys keys;
	struct hw_flow flow;
	struct hw_flow_stats stats;
	struct crypt *crypt;
	struct srtp *sender; /* the peer's */
	struct srtp_streams sent;
};

static struct srtp_key key_of(enum srtp_suite suite, uint8_t fill)
{
	struct srtp_key key = {.suite = (uint8_t)suite};

	memset(key.master, fill, srtp_master_bytes(suite));
	return key;
}

static struct vault *map(const struct vault_fds *fds, enum vault_rights rights)
{
	struct vault_fds shared;
	struct vault *v = NULL;

	assert_int_equal(vault_share(fds, rights, &shared), 0);
	assert_int_equal(vault_map(&shared, rights, &v), 0);
	vault_fds_close(&shared);
	return v;
}

/* A key of the sender's, or of ours, is agreed on and published. */
static void agree(struct rig *r, uint32_t number, uint8_t fill)
{
	r->keys.open_number = number;
	r->keys.open = key_of(SRTP_AES_128_CM_SHA1_80, fill);
	vault_put(r->signal, INDEX, &r->keys);
	r->flow.open_key = number;
	r->flow.generation++;
	srtp_free(r->sender);
	r->sent = (struct srtp_streams){0};
	assert_int_equal(srtp_new(&r->keys.open, SRTP_SEAL, &r->sender), 0);
}

static struct rig rig_new(unsigned flags)
{
	struct rig r = {0};

	r.flow = (struct hw_flow){
		.generation = 1,
		.opened = 1,
		.flags = (__u16)(HW_FLOW_RTP | HW_FLOW_RTCP | HW_FLOW_LEARN_PORT | flags)};
	memcpy(r.flow.source, peer.addr.bytes, sizeof(r.flow.source));
	assert_int_equal(vault_create(1, &r.fds), 0);
	r.signal = map(&r.fds, VAULT_WRITER);
	r.media = map(&r.fds, VAULT_PATH);
	r.keys.seal_number = 77;
	r.keys.seal = key_of(SRTP_AEAD_AES_128_GCM, 0x33);
	r.flow.seal_key = flags & HW_FLOW_SEAL ? 77 : 0;
	agree(&r, 50, 0x11);
	if (!(flags & HW_FLOW_OPEN))
		r.flow.open_key = 0;
	assert_int_equal(crypt_new(r.media, INDEX, &r.crypt), 0);
	crypt_sync(r.crypt, &r.flow, NOW);
	return r;
}

static void rig_free(struct rig *r)
{
	crypt_free(r->crypt);
	srtp_free(r->sender);
	vault_free(r->signal);
	vault_free(r->media);
	vault_fds_close(&r->fds);
}

static size_t rtp(uint8_t *at, uint16_t seq)
{
	memset(at, 0xff, ROOM);
	at[0] = 0x80;
	at[1] = 0;
	at[2] = (uint8_t)(seq >> 8);
	at[3] = (uint8_t)seq;
	return PLAIN;
}

static size_t sealed(struct rig *r, uint8_t *at, uint16_t seq)
{
	size_t n = rtp(at, seq);

	assert_int_equal(srtp_seal(r->sender, &r->sent, at, &n, ROOM), SRTP_DONE);
	return n;
}

static enum hw_refused pass_from(struct rig *r, const struct ip_endpoint *from, uint8_t *at,
				 size_t *n, uint64_t now_ns)
{
	return crypt_pass(r->crypt, &r->stats, &r->flow, from, at, n, ROOM, now_ns);
}

static enum hw_refused pass(struct rig *r, uint8_t *at, size_t *n)
{
	return pass_from(r, &peer, at, n, NOW);
}

static void comes_through(struct rig *r, uint16_t seq)
{
	uint8_t packet[ROOM], plain[ROOM];
	size_t n = sealed(r, packet, seq);

	assert_int_equal(pass(r, packet, &n), JUDGE_PASS);
	assert_int_equal(n, rtp(plain, seq));
	assert_memory_equal(packet, plain, n);
}

static void what_comes_is_opened(void **state)
{
	struct rig r = rig_new(HW_FLOW_OPEN);

	for (uint32_t i = 65000; i < 67000; i++)
		comes_through(&r, (uint16_t)i);
	assert_int_equal(r.stats.stream.packets, 2000);
	assert_int_equal(r.stats.stream.bytes, 2000 * PLAIN);
	rig_free(&r);
}

static void what_goes_out_is_sealed(void **state)
{
	struct rig r = rig_new(HW_FLOW_SEAL);
	struct srtp_streams got = {0};
	uint8_t packet[ROOM], plain[ROOM];
	struct srtp *receiver;
	size_t n = rtp(packet, 1);

	assert_int_equal(srtp_new(&r.keys.seal, SRTP_OPEN, &receiver), 0);
	assert_int_equal(pass(&r, packet, &n), JUDGE_PASS);
	assert_int_equal(n, PLAIN + 16);
	assert_int_equal(srtp_open(receiver, &got, packet, &n), SRTP_DONE);
	assert_int_equal(n, rtp(plain, 1));
	assert_memory_equal(packet, plain, n);
	n = rtp(packet, 1);
	assert_int_equal(pass(&r, packet, &n), HW_REFUSED_REPLAYED);
	n = rtp(packet, 2);
	assert_int_equal(crypt_pass(r.crypt, &r.stats, &r.flow, &peer, packet, &n, PLAIN + 15, NOW),
			 HW_REFUSED_TOO_LONG);
	srtp_free(receiver);
	rig_free(&r);
}

static void nothing_is_learned_from_what_is_not_proven(void **state)
{
	struct ip_endpoint attacker = peer;
	struct rig r = rig_new(HW_FLOW_OPEN);
	uint8_t packet[ROOM];
	size_t n = sealed(&r, packet, 1);

	attacker.port = 666;
	packet[60] ^= 1;
	assert_int_equal(pass_from(&r, &attacker, packet, &n, NOW), HW_REFUSED_FORGED);
	n = rtp(packet, 2);
	assert_int_equal(pass_from(&r, &attacker, packet, &n, NOW), HW_REFUSED_PLAIN);
	assert_int_equal(r.stats.learned, 0);
	comes_through(&r, 3);
	n = sealed(&r, packet, 4);
	assert_int_equal(pass_from(&r, &attacker, packet, &n, NOW), HW_REFUSED_PORT);
	assert_int_equal((uint16_t)r.stats.learned, peer.port);
	assert_int_equal(r.stats.stream.packets, 1);
	rig_free(&r);
}

static void each_refusal_has_its_reason(void **state)
{
	struct rig r = rig_new(HW_FLOW_OPEN);
	struct ip_endpoint other = peer;
	uint8_t packet[ROOM], again[ROOM];
	size_t n = sealed(&r, packet, 9), again_n = n;

	memcpy(again, packet, n);
	assert_int_equal(pass(&r, packet, &n), JUDGE_PASS);
	assert_int_equal(pass(&r, again, &again_n), HW_REFUSED_REPLAYED);
	n = sealed(&r, packet, 10);
	packet[n - 1] ^= 1;
	assert_int_equal(pass(&r, packet, &n), HW_REFUSED_FORGED);
	n = rtp(packet, 11);
	assert_int_equal(pass(&r, packet, &n), HW_REFUSED_PLAIN);
	n = rtp(packet, 12);
	packet[1] = 200; /* RTCP in the clear */
	packet[2] = 0;
	packet[3] = 6;
	n = 28;
	assert_int_equal(pass(&r, packet, &n), HW_REFUSED_FORGED);
	other.addr.bytes[3]++;
	n = sealed(&r, packet, 13);
	assert_int_equal(pass_from(&r, &other, packet, &n, NOW), HW_REFUSED_ADDRESS);
	assert_int_equal(r.stats.stream.keyed_refused[HW_REFUSED_PLAIN - HW_REFUSED_KEYED], 1);
	assert_int_equal(r.stats.stream.keyed_refused[HW_REFUSED_FORGED - HW_REFUSED_KEYED], 2);
	assert_int_equal(r.stats.stream.keyed_refused[HW_REFUSED_REPLAYED - HW_REFUSED_KEYED], 1);
	rig_free(&r);
}

/* Published again with the same numbers (hold, transfer of the other side): counters go on. */
static void the_same_key_goes_on(void **state)
{
	struct rig r = rig_new(HW_FLOW_OPEN | HW_FLOW_SEAL);
	uint8_t packet[ROOM];
	size_t n;

	for (uint32_t i = 65530; i < 65540; i++) {
		n = sealed(&r, packet, (uint16_t)i);
		assert_int_equal(pass(&r, packet, &n), JUDGE_PASS);
	}
	r.flow.generation++;
	crypt_sync(r.crypt, &r.flow, NOW);
	n = sealed(&r, packet, 4);
	assert_int_equal(pass(&r, packet, &n), JUDGE_PASS);
	assert_int_equal(vault_counters(r.media, INDEX)->open.stream[0].index, 65536 + 4);
	assert_int_equal(vault_counters(r.media, INDEX)->seal.stream[0].index, 65536 + 4);
	rig_free(&r);
}

static void a_new_key_takes_over_and_the_old_one_lingers(void **state)
{
	struct rig r = rig_new(HW_FLOW_OPEN);
	uint8_t late[ROOM], later[ROOM];
	size_t late_n, later_n;

	comes_through(&r, 1);
	late_n = sealed(&r, late, 2);
	later_n = sealed(&r, later, 3);
	agree(&r, 51, 0x22);
	crypt_sync(r.crypt, &r.flow, NOW);
	comes_through(&r, 4);
	assert_int_equal(pass(&r, late, &late_n), JUDGE_PASS);
	assert_int_equal(pass_from(&r, &peer, later, &later_n, NOW + CRYPT_GRACE_NS),
			 HW_REFUSED_FORGED);
	rig_free(&r);
}

static void a_successor_goes_on_with_keys_and_counters(void **state)
{
	struct rig r = rig_new(HW_FLOW_OPEN | HW_FLOW_SEAL);
	uint8_t packet[ROOM], replay[ROOM];
	size_t n = 0, replay_n;

	for (uint32_t i = 65000; i < 66000; i++) {
		n = sealed(&r, packet, (uint16_t)i);
		memcpy(replay, packet, n);
		replay_n = n;
		assert_int_equal(pass(&r, packet, &n), JUDGE_PASS);
	}
	crypt_free(r.crypt);
	vault_free(r.media);
	r.media = map(&r.fds, VAULT_PATH);
	assert_int_equal(crypt_new(r.media, INDEX, &r.crypt), 0);
	crypt_sync(r.crypt, &r.flow, NOW);
	assert_int_equal(pass(&r, replay, &replay_n), HW_REFUSED_REPLAYED);
	n = sealed(&r, packet, (uint16_t)66000);
	assert_int_equal(pass(&r, packet, &n), JUDGE_PASS);
	rig_free(&r);
}

static void without_a_key_nothing_passes(void **state)
{
	struct rig r = rig_new(HW_FLOW_OPEN | HW_FLOW_SEAL);
	uint8_t packet[ROOM];
	size_t n = sealed(&r, packet, 1);

	assert_int_equal(crypt_pass(NULL, &r.stats, &r.flow, &peer, packet, &n, ROOM, NOW),
			 HW_REFUSED_FORGED);
	/* The vault holds another key than the flow speaks of. */
	crypt_free(r.crypt);
	r.flow.open_key = 1234;
	assert_int_equal(crypt_new(r.media, INDEX, &r.crypt), 0);
	crypt_sync(r.crypt, &r.flow, NOW);
	assert_int_equal(pass(&r, packet, &n), HW_REFUSED_FORGED);
	/* What we should seal with is not there. */
	r.flow.flags = (__u16)(r.flow.flags & ~HW_FLOW_OPEN);
	r.flow.seal_key = 1235;
	crypt_free(r.crypt);
	assert_int_equal(crypt_new(r.media, INDEX, &r.crypt), 0);
	crypt_sync(r.crypt, &r.flow, NOW);
	n = rtp(packet, 5);
	assert_int_equal(pass(&r, packet, &n), HW_REFUSED_SEND);
	rig_free(&r);
}

/* End to end under keys that we do not use: plain packets are seen by their looks. */
static void clear_packets_do_not_pass_where_secrecy_is_policy(void **state)
{
	const unsigned ways[] = {HW_FLOW_SECRET_IN, HW_FLOW_SECRET_OUT};

	for (size_t i = 0; i < ROWS(ways); i++) {
		struct rig r = rig_new(ways[i]);
		uint8_t packet[ROOM];
		size_t n = rtp(packet, 1);

		assert_int_equal(pass(&r, packet, &n), HW_REFUSED_PLAIN);
		n = sealed(&r, packet, 2);
		assert_int_equal(pass(&r, packet, &n), JUDGE_PASS);
		assert_int_equal(n, PLAIN + 10);
		rig_free(&r);
	}
}

/* Nothing trips the wire; what is added to the gauge the keeper reads. */
static void the_trip_wire_is_heard(void **state)
{
	struct rig r = rig_new(HW_FLOW_SEAL | HW_FLOW_SECRET_OUT);
	struct vault_gauge *gauge;
	uint8_t packet[ROOM];
	size_t n;

	assert_int_equal(vault_gauge_new(&r.fds, &gauge), 0);
	r.flow.out_zone = 3;
	for (uint16_t seq = 1; seq < 200; seq++) {
		n = rtp(packet, seq);
		assert_int_equal(pass(&r, packet, &n), JUDGE_PASS);
	}
	for (unsigned zone = 0; zone <= VAULT_ZONES_MAX; zone++)
		assert_int_equal(vault_gauge_clear_bytes(gauge, zone), 0);
	vault_clear_add(r.media, 3, 172);
	vault_clear_add(r.media, VAULT_ZONES_MAX, 1);
	assert_int_equal(vault_gauge_clear_bytes(gauge, 3), 172);
	vault_gauge_free(gauge);
	vault_gauge_free(NULL);
	rig_free(&r);
}

static int make_one(void *context)
{
	struct rig *r = context;
	struct crypt *c = NULL;
	int err = crypt_new(r->media, INDEX, &c);

	if (!err)
		err = crypt_key(c, SRTP_OPEN, 50, &r->keys.open, NOW);
	crypt_free(c);
	return err;
}

static void memory_may_run_out(void **state)
{
	struct rig r = rig_new(HW_FLOW_OPEN);

	assert_int_equal(failing_alloc_each(make_one, &r), 2);
	rig_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_is_opened),
		cmocka_unit_test(what_goes_out_is_sealed),
		cmocka_unit_test(nothing_is_learned_from_what_is_not_proven),
		cmocka_unit_test(each_refusal_has_its_reason),
		cmocka_unit_test(the_same_key_goes_on),
		cmocka_unit_test(a_new_key_takes_over_and_the_old_one_lingers),
		cmocka_unit_test(a_successor_goes_on_with_keys_and_counters),
		cmocka_unit_test(without_a_key_nothing_passes),
		cmocka_unit_test(clear_packets_do_not_pass_where_secrecy_is_policy),
		cmocka_unit_test(the_trip_wire_is_heard),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
