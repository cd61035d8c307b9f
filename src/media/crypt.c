#include "media/crypt.h"

#include "base/mem.h"
#include "media/evidence.h"
#include "media/limits.h"
#include "proto/rtp/rtp.h"

#define LOCK_TRIES     10000 /* a packet takes less than a microsecond */
#define TRIP_WIRE_STEP 16    /* sequence numbers */

/* One direction's key. */
struct half {
	uint32_t number;
	struct srtp *srtp; /* NULL = no key */
	struct srtp_streams *streams;
};

struct crypt {
	struct vault *vault;
	uint32_t index;
	struct vault_counters *counters; /* in the vault, or own */
	struct half open, seal;
	struct half old; /* the sender's former key */
	uint64_t old_until_ns;
	struct srtp_streams old_streams;
	struct vault_counters own;
};

bool crypt_wanted(const struct hw_flow *flow)
{
	return flow->flags & (HW_FLOW_OPEN | HW_FLOW_SEAL | HW_FLOW_SECRET_IN | HW_FLOW_SECRET_OUT);
}

int crypt_new(struct vault *v, uint32_t index, struct crypt **out)
{
	struct crypt *c = mem_zalloc(1, sizeof(*c));

	if (!c)
		return ERR_NOMEM;
	c->vault = v;
	c->index = index;
	c->counters = v ? vault_counters(v, index) : NULL;
	if (!c->counters)
		c->counters = &c->own;
	c->open.streams = &c->counters->open;
	c->seal.streams = &c->counters->seal;
	c->old.streams = &c->old_streams;
	*out = c;
	return 0;
}

void crypt_free(struct crypt *c)
{
	if (!c)
		return;
	srtp_free(c->open.srtp);
	srtp_free(c->seal.srtp);
	srtp_free(c->old.srtp);
	mem_free(c);
}

/* A flow's packets may come by its port's socket and by an AF_XDP socket, on two threads. A lock of
 * a process that was killed is taken over. */
static void counters_lock(struct crypt *c)
{
	uint32_t mine = c && c->vault ? vault_epoch(c->vault) : 0, there;

	for (unsigned i = 0; mine && i < LOCK_TRIES; i++) {
		there = __atomic_load_n(&c->counters->lock, __ATOMIC_RELAXED);
		if (there != mine &&
		    __atomic_compare_exchange_n(&c->counters->lock, &there, mine, false,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return;
	}
}

static void counters_unlock(struct crypt *c)
{
	if (c)
		__atomic_store_n(&c->counters->lock, 0, __ATOMIC_RELEASE);
}

/* Counters of another key are of no use to this one. */
static void counters_claim(uint32_t *owner, struct srtp_streams *streams, uint32_t number)
{
	if (*owner == number)
		return;
	__atomic_store_n(owner, 0, __ATOMIC_RELEASE);
	memset(streams, 0, sizeof(*streams));
	__atomic_store_n(owner, number, __ATOMIC_RELEASE);
}

/* The former key with its counters steps aside. */
static void open_retire(struct crypt *c, uint64_t now_ns)
{
	srtp_free(c->old.srtp);
	c->old.srtp = c->open.srtp;
	c->old.number = c->open.number;
	c->old_streams = *c->open.streams;
	c->old_until_ns = now_ns + CRYPT_GRACE_NS;
	c->open.srtp = NULL;
}

static void half_drop(struct crypt *c, enum srtp_way way, uint64_t now_ns)
{
	struct half *h = way == SRTP_OPEN ? &c->open : &c->seal;

	if (way == SRTP_OPEN && h->srtp)
		open_retire(c, now_ns);
	srtp_free(h->srtp);
	h->srtp = NULL;
	h->number = 0;
}

int crypt_key(struct crypt *c, enum srtp_way way, uint32_t number, const struct srtp_key *key,
	      uint64_t now_ns)
{
	struct half *h = way == SRTP_OPEN ? &c->open : &c->seal;
	struct srtp *fresh;
	int err;

	if (h->srtp && h->number == number)
		return 0;
	err = srtp_new(key, way, &fresh);
	if (err)
		return err;
	half_drop(c, way, now_ns);
	counters_lock(c);
	if (way == SRTP_OPEN)
		counters_claim(&c->counters->open_number, h->streams, number);
	else
		counters_claim(&c->counters->seal_number, h->streams, number);
	counters_unlock(c);
	h->srtp = fresh;
	h->number = number;
	return 0;
}

/* Makes one direction's key that of this number, 0 = none; with another one in the vault it waits
 * for the publication that speaks of that. */
static void half_sync(struct crypt *c, enum srtp_way way, uint32_t number,
		      const struct vault_keys *keys, uint64_t now_ns)
{
	uint32_t there = way == SRTP_OPEN ? keys->open_number : keys->seal_number;

	if (number == 0)
		half_drop(c, way, now_ns);
	else if (there == number)
		(void)!crypt_key(c, way, number, way == SRTP_OPEN ? &keys->open : &keys->seal,
				 now_ns);
}

void crypt_sync(struct crypt *c, const struct hw_flow *flow, uint64_t now_ns)
{
	struct vault_keys keys = {0};

	if (c->vault && (flow->open_key || flow->seal_key))
		(void)vault_get(c->vault, c->index, &keys);
	/* A direction that has a key without a number gets it by crypt_key. */
	if (flow->open_key || !(flow->flags & HW_FLOW_OPEN))
		half_sync(c, SRTP_OPEN, flow->open_key, &keys, now_ns);
	if (flow->seal_key || !(flow->flags & HW_FLOW_SEAL))
		half_sync(c, SRTP_SEAL, flow->seal_key, &keys, now_ns);
	explicit_bzero(&keys, sizeof(keys));
}

static bool is_media(const struct hw_flow *flow, enum rtp_class class)
{
	return !(flow->flags & HW_FLOW_RAW) && (class == RTP_CLASS_RTP || class == RTP_CLASS_RTCP);
}

static enum srtp_result half_open(const struct half *h, enum rtp_class class, uint8_t *packet,
				  size_t *bytes)
{
	if (!h->srtp)
		return SRTP_FORGED;
	return class == RTP_CLASS_RTCP ? srtcp_open(h->srtp, h->streams, packet, bytes)
				       : srtp_open(h->srtp, h->streams, packet, bytes);
}

/* Behind its clear header, which is all that can be told apart without the key. */
static bool looks_plain(struct slice packet, enum rtp_class class)
{
	struct rtp_header h;

	return class == RTP_CLASS_RTP && rtp_parse_header(packet, &h) == 0 &&
	       evidence_packet_clear(h.payload);
}

static enum hw_refused refusal_of(enum srtp_result r, struct slice packet, enum rtp_class class)
{
	if (r == SRTP_REPLAYED)
		return HW_REFUSED_REPLAYED;
	if (r == SRTP_NO_ROOM)
		return HW_REFUSED_TOO_LONG;
	return looks_plain(packet, class) ? HW_REFUSED_PLAIN : HW_REFUSED_FORGED;
}

static enum hw_refused open_packet(struct crypt *c, enum rtp_class class, uint8_t *packet,
				   size_t *bytes, uint64_t now_ns)
{
	struct slice whole = slice_of((const char *)packet, *bytes);
	/* Another thread may have gone on to a newer key already. */
	bool ours = c->open.number == c->counters->open_number;
	enum srtp_result r = ours ? half_open(&c->open, class, packet, bytes) : SRTP_FORGED;

	if (r == SRTP_DONE)
		return JUDGE_PASS;
	if (c->old.srtp && now_ns < c->old_until_ns &&
	    half_open(&c->old, class, packet, bytes) == SRTP_DONE)
		return JUDGE_PASS;
	return refusal_of(r, whole, class);
}

static enum hw_refused refuse(struct hw_flow_stats *stats, enum hw_refused why)
{
	judge_refuse(stats, why, 1);
	return why;
}

static enum hw_refused come_in(struct crypt *c, struct hw_flow_stats *stats,
			       const struct hw_flow *flow, const struct ip_endpoint *source,
			       uint8_t *packet, size_t *bytes, uint64_t now_ns)
{
	struct slice whole = slice_of((const char *)packet, *bytes);
	enum rtp_class class = rtp_classify(whole);
	enum hw_refused why = JUDGE_PASS;

	if (!(flow->flags & HW_FLOW_RAW) && *bytes > RTP_PACKET_BYTES_MAX)
		return refuse(stats, HW_REFUSED_TOO_LONG);
	if (flow->flags & HW_FLOW_OPEN && is_media(flow, class)) {
		why = judge_foreseen(stats, flow, source, whole);
		if (why == JUDGE_PASS)
			why = c ? open_packet(c, class, packet, bytes, now_ns) : HW_REFUSED_FORGED;
	} else if (flow->flags & HW_FLOW_SECRET_IN && looks_plain(whole, class)) {
		why = HW_REFUSED_PLAIN;
	}
	if (why != JUDGE_PASS)
		return refuse(stats, why);
	return judge_packet(stats, flow, source, slice_first(whole, *bytes), now_ns);
}

/* What passes from end to end without our keys must at least look like it. */
static bool clear_leaves(const struct hw_flow *flow, struct slice packet, enum rtp_class class)
{
	return flow->flags & HW_FLOW_SECRET_OUT && looks_plain(packet, class);
}

/* Looks at what leaves where policy wants it encrypted, as a stranger on the wire would: in one
 * packet of TRIP_WIRE_STEP. It must never see anything. */
static bool trip_wire(const struct crypt *c, const struct hw_flow *flow, const uint8_t *packet,
		      size_t bytes)
{
	struct slice whole = slice_of((const char *)packet, bytes);

	if (!(flow->flags & HW_FLOW_SECRET_OUT) || packet[3] % TRIP_WIRE_STEP ||
	    !looks_plain(whole, rtp_classify(whole)))
		return false;
	if (c->vault)
		vault_clear_add(c->vault, flow->out_zone, bytes);
	return true;
}

static enum hw_refused go_out(struct crypt *c, struct hw_flow_stats *stats,
			      const struct hw_flow *flow, uint8_t *packet, size_t *bytes,
			      size_t room)
{
	struct slice whole = slice_of((const char *)packet, *bytes);
	enum rtp_class class = rtp_classify(whole);
	enum srtp_result r = SRTP_BROKEN;

	if (!is_media(flow, class))
		return JUDGE_PASS;
	if (!(flow->flags & HW_FLOW_SEAL))
		return clear_leaves(flow, whole, class) ? refuse(stats, HW_REFUSED_PLAIN)
							: JUDGE_PASS;
	if (!c || c->seal.number != c->counters->seal_number)
		return refuse(stats, HW_REFUSED_SEND);
	if (c->seal.srtp && class == RTP_CLASS_RTCP)
		r = srtcp_seal(c->seal.srtp, c->seal.streams, packet, bytes, room);
	else if (c->seal.srtp)
		r = srtp_seal(c->seal.srtp, c->seal.streams, packet, bytes, room);
	if (r == SRTP_DONE)
		return trip_wire(c, flow, packet, *bytes) ? refuse(stats, HW_REFUSED_SEND)
							  : JUDGE_PASS;
	/* Nothing leaves in the clear: it goes nowhere. */
	if (r == SRTP_REPLAYED)
		return refuse(stats, HW_REFUSED_REPLAYED);
	return refuse(stats, r == SRTP_NO_ROOM ? HW_REFUSED_TOO_LONG : HW_REFUSED_SEND);
}

enum hw_refused crypt_pass(struct crypt *c, struct hw_flow_stats *stats, const struct hw_flow *flow,
			   const struct ip_endpoint *source, uint8_t *packet, size_t *bytes,
			   size_t room, uint64_t now_ns)
{
	enum hw_refused why;

	if (!c && flow->flags & (HW_FLOW_OPEN | HW_FLOW_SEAL))
		return refuse(stats, HW_REFUSED_FORGED);
	counters_lock(c);
	why = come_in(c, stats, flow, source, packet, bytes, now_ns);
	if (why == JUDGE_PASS)
		why = go_out(c, stats, flow, packet, bytes, room);
	counters_unlock(c);
	return why;
}
