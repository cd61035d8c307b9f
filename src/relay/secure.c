#include "relay/secure.h"

#include <arpa/inet.h>

#include "media/limits.h"
#include "media/stream.h"

#define NS_PER_MS   1000000ull
#define NUMBER_DTLS 0x80000000u /* keys of a handshake: told from those that signal numbers */

void secure_init(struct secure *s, struct vault *vault, struct dtls_identities *identities,
		 struct flow_table *table, struct relay_port **ports)
{
	*s = (struct secure){vault, identities, table, ports, .tick_ns = UINT64_MAX};
	list_init(&s->busy);
}

bool secure_wanted(const struct hw_flow *flow)
{
	return flow->flags & HW_FLOW_DTLS && flow->flags & HW_FLOW_OPEN && flow->open_key == 0;
}

/* ---- what listings say ---- */

static uint8_t ice_of(const struct association *a, uint64_t now_ns)
{
	const struct ice_agent *agent = association_ice(a);

	if (!agent)
		return HW_ICE_NONE;
	return (uint8_t)(HW_ICE_NEW + (unsigned)ice_state(agent, now_ns / NS_PER_MS));
}

static void show(struct relay_port *p, uint64_t now_ns)
{
	struct vault_kept kept = {0};
	bool up = association_keep(p->association, &kept);

	p->stats->handshake =
		(uint8_t)(HW_HANDSHAKE_UNDER_WAY + (unsigned)association_dtls(p->association));
	p->stats->ice = ice_of(p->association, now_ns);
	p->stats->suite = up ? kept.ours.suite : SRTP_NONE;
	explicit_bzero(&kept, sizeof(kept));
}

/* ---- keys ---- */

/* The port at our other side that sends to this one's peer gets the key for it. */
static void key_give(struct relay_port *from, const struct relay_port *to,
		     const struct vault_kept *keys, uint64_t now_ns)
{
	if (from && from->crypt && from->flow.out_index == to->index &&
	    from->flow.flags & HW_FLOW_SEAL && from->flow.seal_key == 0)
		(void)!crypt_key(from->crypt, SRTP_SEAL, keys->number, &keys->ours, now_ns);
}

/* RTCP of a peer that has it on one port with RTP may come in at a port of its own at our other
 * side. */
static void keys_give(struct secure *s, struct relay_port *p, const struct vault_kept *keys,
		      uint64_t now_ns)
{
	uint32_t out = p->flow.out_index;

	if (p->crypt)
		(void)!crypt_key(p->crypt, SRTP_OPEN, keys->number, &keys->theirs, now_ns);
	key_give(s->ports[out], p, keys, now_ns);
	if (out + 1 < flow_table_size(s->table))
		key_give(s->ports[out + 1], p, keys, now_ns);
}

/* After every event: new keys go where they are needed, and are kept for a successor. */
static void settle(struct secure *s, struct relay_port *p, uint64_t now_ns)
{
	struct vault_kept *kept = vault_kept(s->vault, p->index);
	struct vault_kept now = {.opened = p->flow.opened, .number = p->key_number};

	show(p, now_ns);
	if (!kept || !association_keep(p->association, &now))
		return;
	if (p->key_number == 0 || p->key_serial != now.serial) {
		p->key_number = p->flow.generation | NUMBER_DTLS;
		p->key_serial = now.serial;
		now.number = p->key_number;
	}
	keys_give(s, p, &now, now_ns); /* a crypt may be new; one that has them keeps them */
	*kept = now;
	explicit_bzero(&now, sizeof(now));
}

/* ---- life ---- */

static void send_to(void *ctx, const struct ip_endpoint *to, struct slice datagram)
{
	struct relay_port *p = ctx;
	struct sockaddr_storage ss;
	socklen_t bytes = port_address(to, &ss);

	if (p->fd >= 0 && sendto(p->fd, datagram.p, datagram.n, MSG_DONTWAIT,
				 (const struct sockaddr *)&ss, bytes) < 0)
		judge_refuse(p->stats, HW_REFUSED_SEND, 1);
}

/* A handshake is looked at often; where ICE is, consent may end. */
static void stay_busy(struct secure *s, struct relay_port *p, uint64_t now_ns)
{
	uint64_t due_ns = now_ns;

	list_remove(&p->busy);
	if (!p->association)
		return;
	if (association_busy(p->association))
		due_ns += DTLS_TICK_MS * NS_PER_MS;
	else if (association_ice(p->association))
		due_ns += ICE_TICK_MS * NS_PER_MS;
	else
		return;
	list_append(&s->busy, &p->busy);
	if (due_ns < s->tick_ns)
		s->tick_ns = due_ns;
}

/* Where a description says that the peer is, for a handshake that we begin. */
static struct ip_endpoint described(const struct hw_flow *flow)
{
	struct ip_endpoint e = {.port = ntohs(flow->source_port_be)};
	bool known = e.port != 0 && !(flow->flags & (HW_FLOW_LEARN_PORT | HW_FLOW_ICE));

	if (!known)
		return (struct ip_endpoint){0};
	e.addr.family = flow->flags & HW_FLOW_SOURCE_V6 ? IP_V6 : IP_V4;
	memcpy(e.addr.bytes, flow->source, sizeof(e.addr.bytes));
	return e;
}

static void associate(struct secure *s, struct relay_port *p, const struct association_spec *spec,
		      struct dtls_identity *identity, uint64_t now_ns)
{
	const struct vault_kept *kept = vault_kept(s->vault, p->index);
	struct association_tools tools = {identity, send_to, p};
	struct ip_endpoint to = described(&p->flow);
	bool resumes = kept && kept->opened == p->flow.opened && kept->serial == spec->serial;

	if (association_new(spec, &tools, &to, resumes ? kept : NULL, now_ns / NS_PER_MS,
			    &p->association) != 0)
		return; /* the port then refuses all; the next publication asks again */
	if (resumes) {
		p->key_number = kept->number;
		p->key_serial = kept->serial;
	}
}

static void become(struct secure *s, struct relay_port *p, const struct association_spec *spec,
		   uint64_t now_ns)
{
	struct dtls_identity *identity = dtls_identities_find(s->identities, &spec->own);
	struct ip_endpoint to = described(&p->flow);

	if (!p->association)
		associate(s, p, spec, identity, now_ns);
	else if (association_update(p->association, spec, identity, &to, now_ns / NS_PER_MS))
		secure_drop(s, p, true);
	dtls_identity_unref(identity);
}

/* What this port sends on may be sealed by a key that is known at the other end already. */
static void key_fetch(struct secure *s, struct relay_port *p, uint64_t now_ns)
{
	const struct relay_port *out = s->ports[p->flow.out_index];
	const struct vault_kept *kept = out && out->association && out->key_number
						? vault_kept(s->vault, out->index)
						: NULL;

	if (kept && kept->number == out->key_number)
		key_give(p, out, kept, now_ns);
}

void secure_sync(struct secure *s, struct relay_port *p, uint64_t now_ns)
{
	struct association_spec spec;

	if (!s->vault || !s->identities)
		return;
	if (!secure_wanted(&p->flow) || !vault_peer_get(s->vault, p->index, &spec)) {
		secure_drop(s, p, true);
	} else {
		become(s, p, &spec, now_ns);
		explicit_bzero(&spec, sizeof(spec));
	}
	if (p->association)
		settle(s, p, now_ns);
	stay_busy(s, p, now_ns);
	key_fetch(s, p, now_ns);
}

void secure_drop(struct secure *s, struct relay_port *p, bool forget)
{
	struct vault_kept *kept = p->association && forget ? vault_kept(s->vault, p->index) : NULL;

	if (kept)
		explicit_bzero(kept, sizeof(*kept));
	list_remove(&p->busy);
	association_free(p->association);
	p->association = NULL;
	p->key_number = p->key_serial = 0;
}

/* ---- packets ---- */

/* Whoever has proven itself is the permitted source. */
static void source_becomes(struct hw_flow *flow, const struct ip_endpoint *source)
{
	flow->flags &= (uint16_t) ~(HW_FLOW_LEARN_PORT | HW_FLOW_SOURCE_V6);
	flow->flags |= source->addr.family == IP_V6 ? HW_FLOW_SOURCE_V6 : 0;
	memcpy(flow->source, source->addr.bytes, sizeof(flow->source));
	flow->source_port_be = htons(source->port);
}

static bool address_permitted(const struct hw_flow *flow, const struct ip_endpoint *source)
{
	return (source->addr.family == IP_V6) == !!(flow->flags & HW_FLOW_SOURCE_V6) &&
	       memcmp(source->addr.bytes, flow->source, sizeof(flow->source)) == 0;
}

bool secure_admit(struct secure *s, struct relay_port *p, const struct ip_endpoint *source,
		  struct slice datagram, uint64_t now_ns, struct hw_flow *flow)
{
	enum hw_refused why = JUDGE_PASS;

	if (!p->association) {
		judge_refuse(p->stats, HW_REFUSED_FORGED, 1);
		return false;
	}
	if (!(p->flow.flags & HW_FLOW_ICE) && !address_permitted(&p->flow, source)) {
		judge_refuse(p->stats, HW_REFUSED_ADDRESS, 1);
		return false;
	}
	switch (association_on_datagram(p->association, source, datagram, now_ns / NS_PER_MS)) {
	case ASSOCIATION_MEDIA:
		*flow = p->flow;
		source_becomes(flow, source);
		return true;
	case ASSOCIATION_TAKEN:
		stream_on_control(&p->stats->stream, now_ns);
		break;
	case ASSOCIATION_STRANGER:
		why = HW_REFUSED_ADDRESS;
		break;
	case ASSOCIATION_NOT_YET:
		why = HW_REFUSED_FORGED;
		break;
	case ASSOCIATION_REFUSED:
	default:
		why = HW_REFUSED_NOT_RTP;
		break;
	}
	if (why != JUDGE_PASS)
		judge_refuse(p->stats, why, 1);
	else
		settle(s, p, now_ns);
	stay_busy(s, p, now_ns);
	return false;
}

bool secure_target(const struct relay_port *p, uint64_t now_ns, struct ip_endpoint *out)
{
	return association_target(p->association, now_ns / NS_PER_MS, out);
}

void secure_tick(struct secure *s, uint64_t now_ns)
{
	struct list due;

	if (now_ns < s->tick_ns)
		return;
	s->tick_ns = UINT64_MAX;
	list_init(&due);
	list_for_each_safe (node, &s->busy) {
		list_remove(node);
		list_append(&due, node);
	}
	list_for_each_safe (node, &due) {
		struct relay_port *p = container_of(node, struct relay_port, busy);

		association_on_tick(p->association, now_ns / NS_PER_MS);
		settle(s, p, now_ns);
		stay_busy(s, p, now_ns);
	}
}
