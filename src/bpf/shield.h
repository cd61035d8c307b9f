/* Kernel side: who may speak to our UDP listeners for SIP now. Media and the host's services are
 * none of its business. */
#ifndef HW_BPF_SHIELD_H
#define HW_BPF_SHIELD_H

#include "bpf/shield_maps.h"

#define HW_STEP static __attribute__((noinline)) /* with a stack of its own */

#define HW_MIX_1 0x9e3779b97f4a7c15ull /* odd constants of a multiplicative hash */
#define HW_MIX_2 0xbf58476d1ce4e5b9ull

/* Who speaks; a copy, for the verifier keeps track of a packet while nobody takes its address. */
struct hw_speaker {
	const struct hw_shield_setup *setup;
	__u64 source[2]; /* as in hw_packet */
	__u64 now_ns;
	__u16 source_port;
	__u16 zone; /* of the listener */
	__u8 family;
	__u8 registers; /* it is a REGISTER */
	__u8 not_sip;	/* by its first bytes */
	__u8 syn;	/* it opens a connection */
};

/* ---- hashes and budgets ---- */

HW_INLINE __u64 hw_mix(const struct hw_shield_setup *setup, __u64 a, __u64 b)
{
	__u64 h = (a ^ setup->key[0]) * HW_MIX_1;

	h ^= h >> 32;
	h = (h ^ b ^ setup->key[1]) * HW_MIX_2;
	return h ^ h >> 29;
}

/* A source is an IPv4 address, or the /64 that one host has of IPv6. */
HW_INLINE __u32 hw_bucket_of(const struct hw_speaker *s, enum hw_shield_budget which)
{
	__u64 a = s->source[0], h;

	if (which == HW_BUDGET_PREFIX)
		a &= s->family == 4 ? bpf_cpu_to_be64(0xffffff0000000000ull)
				    : bpf_cpu_to_be64(0xffffffffffff0000ull);
	/* datagrams and connections of one source have buckets of their own */
	h = hw_mix(s->setup, a, s->family | (__u32)s->syn << 8) >> 20;
	if (which == HW_BUDGET_PREFIX)
		return HW_SHIELD_SOURCES + (__u32)(h & (HW_SHIELD_PREFIXES - 1));
	return (__u32)(h & (HW_SHIELD_SOURCES - 1));
}

HW_INLINE int hw_rate_has(const __u64 *due_ns, const struct hw_shield_rate *rate, __u64 now_ns)
{
	return *(const volatile __u64 *)due_ns <= now_ns + rate->burst_ns;
}

/* Two processors may take one token both: a budget is no account. */
HW_INLINE void hw_rate_take(__u64 *due_ns, const struct hw_shield_rate *rate, __u64 now_ns)
{
	__u64 due = *(volatile __u64 *)due_ns;

	*(volatile __u64 *)due_ns = (due > now_ns ? due : now_ns) + rate->interval_ns;
}

HW_INLINE __u64 *hw_total(enum hw_shield_budget which)
{
	__u32 at = which;
	struct hw_shield_total *total = bpf_map_lookup_elem(&hw_totals, &at);

	return total ? &total->due_ns : 0;
}

/* One of a budget that all have together: 1, or it is used up. */
HW_INLINE int hw_total_take(const struct hw_shield_setup *setup, enum hw_shield_budget which,
			    __u64 now_ns)
{
	__u64 *due_ns = hw_total(which);

	if (!due_ns || !hw_rate_has(due_ns, &setup->rate[which], now_ns))
		return 0;
	hw_rate_take(due_ns, &setup->rate[which], now_ns);
	return 1;
}

/* ---- what is told ---- */

HW_INLINE struct hw_shield_counts *hw_shield_figures(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&hw_shielded, &zero);
}

HW_INLINE void hw_seen_note(const struct hw_speaker *s, enum hw_shield_why why)
{
	__u32 at =
		(__u32)(hw_mix(s->setup, s->source[0], s->source[1]) >> 24) & (HW_SHIELD_SEEN - 1);
	struct hw_shield_seen *seen = bpf_map_lookup_elem(&hw_seen, &at);
	__u64 *address;

	if (!seen)
		return;
	address = (__u64 *)seen->address;
	if (address[0] != s->source[0] || address[1] != s->source[1]) {
		address[0] = s->source[0];
		address[1] = s->source[1];
		seen->family = s->family;
		seen->count = 0;
		seen->first_ns = s->now_ns;
	}
	seen->count++;
	seen->last_ns = s->now_ns;
	seen->port = s->source_port;
	seen->why = why;
}

/* Its end, counted and noted; 0 stands for "drop". */
HW_STEP int hw_shield_drop(const struct hw_speaker *s, enum hw_shield_why why)
{
	struct hw_shield_counts *figures = hw_shield_figures();

	if (figures && why < HW_SHIELD_WHY_COUNT)
		figures->dropped[why]++;
	hw_seen_note(s, why);
	return 0;
}

HW_INLINE void hw_shield_passed(enum hw_trust trust)
{
	struct hw_shield_counts *figures = hw_shield_figures();

	if (figures && trust < HW_TRUST_COUNT)
		figures->passed[trust]++;
}

/* ---- first bytes ---- */

HW_INLINE int hw_is_upper(__u8 c)
{
	return c >= 'A' && c <= 'Z';
}

/* Line ends and zero bytes that keep a NAT's mapping open (RFC 5626 3.5.1); a message may have line
 * ends in front (RFC 3261 7.5). */
HW_INLINE int hw_is_keepalive(const struct hw_datagram *d)
{
	for (__u32 i = 0; i < 4 && i < d->n; i++) {
		if (d->p + i + 1 > d->end)
			return 0;
		if (d->p[i] == '\r' || d->p[i] == '\n')
			continue;
		if (d->p[i] != 0)
			return i >= 2 && hw_is_upper(d->p[i]);
	}
	return 1;
}

/* A method, all of which are in capital letters, "SIP/2.0", a keep-alive or STUN (RFC 8489 5). */
HW_INLINE int hw_speaks_sip(const struct hw_datagram *d)
{
	const __u8 *p = d->p;

	if (d->n < 8)
		return hw_is_keepalive(d);
	if (p + 8 > d->end)
		return 0;
	if (hw_is_upper(p[0])) {
		if (!hw_is_upper(p[1]) || !hw_is_upper(p[2]))
			return 0;
		if (p[3] == '/')
			return p[0] == 'S' && p[1] == 'I' && p[2] == 'P' && p[4] == '2' &&
			       p[5] == '.' && p[6] == '0';
		return hw_is_upper(p[3]) || p[3] == ' ';
	}
	if (p[0] <= 1 && hw_u32(p + 4) == 0x2112a442)
		return 1;
	return hw_is_keepalive(d);
}

HW_INLINE int hw_registers(const struct hw_datagram *d)
{
	return d->n >= 8 && d->p + 8 <= d->end && hw_u32(d->p) == 0x52454749u /* "REGI" */;
}

/* ---- who ---- */

HW_INLINE const struct hw_shield_port *hw_port_at(const struct hw_packet *p, __u16 port,
						  __u16 protocol)
{
	struct hw_shield_port_key key = {.port = port, .protocol = protocol};

	__builtin_memcpy(key.address, p->local, 16);
	return bpf_map_lookup_elem(&hw_ports, &key);
}

HW_INLINE struct hw_shield_flow *hw_flow_find(const struct hw_speaker *s, __u16 port)
{
	struct hw_shield_flow_key key = {.port = port, .family = s->family};
	struct hw_shield_flow *flow;

	__builtin_memcpy(key.address, s->source, 16);
	flow = bpf_map_lookup_elem(&hw_trusted, &key);
	return flow && flow->until_ns > s->now_ns ? flow : 0;
}

HW_INLINE void hw_prefix_of(const struct hw_speaker *s, struct hw_shield_prefix *key)
{
	key->bits = HW_SHIELD_ADDRESS_BITS + (s->family == 4 ? 32 : 128);
	key->family = s->family;
	__builtin_memcpy(key->address, s->source, 16);
	key->reserved[0] = key->reserved[1] = key->reserved[2] = 0;
}

/* HW_TRUST_PEER, HW_TRUST_EXEMPT, or HW_TRUST_STRANGER. */
HW_STEP int hw_friend_find(const struct hw_speaker *s)
{
	const struct hw_shield_friend *friend;
	struct hw_shield_prefix key;

	hw_prefix_of(s, &key);
	friend = bpf_map_lookup_elem(&hw_friends, &key);
	if (!friend || (friend->trust == HW_TRUST_PEER && friend->zone != s->zone))
		return HW_TRUST_STRANGER;
	return friend->trust;
}

/* 1: its address is banned, for flows with trust too where they are asked for. */
HW_STEP int hw_banned(const struct hw_speaker *s, int trusted)
{
	const struct hw_shield_ban *ban;
	struct hw_shield_prefix key;

	hw_prefix_of(s, &key);
	ban = bpf_map_lookup_elem(&hw_bans, &key);
	return ban && ban->until_ns > s->now_ns && (!trusted || ban->whole);
}

/* ---- verdicts ---- */

/* HW_SHIELD_PASS, or what its own budgets say: those of its source and of its network. */
HW_STEP int hw_stranger_buckets(const struct hw_speaker *s)
{
	const struct hw_shield_setup *setup = s->setup;
	enum hw_shield_budget one = s->syn ? HW_BUDGET_SYN
				    : s->registers && setup->recovery_until_ns > s->now_ns
					    ? HW_BUDGET_RECOVERY
					    : HW_BUDGET_SOURCE;
	__u32 at = hw_bucket_of(s, one);
	__u64 *source = bpf_map_lookup_elem(&hw_buckets, &at), *prefix;

	at = hw_bucket_of(s, HW_BUDGET_PREFIX);
	prefix = bpf_map_lookup_elem(&hw_buckets, &at);
	if (!source || !prefix)
		return HW_SHIELD_PASS;
	if (!hw_rate_has(source, &setup->rate[one], s->now_ns))
		return s->syn ? HW_SHIELD_SYN : HW_SHIELD_SOURCE;
	if (!hw_rate_has(prefix, &setup->rate[HW_BUDGET_PREFIX], s->now_ns))
		return HW_SHIELD_PREFIX;
	hw_rate_take(source, &setup->rate[one], s->now_ns);
	hw_rate_take(prefix, &setup->rate[HW_BUDGET_PREFIX], s->now_ns);
	return HW_SHIELD_PASS;
}

/* An address where phones are or were registered has a bucket of its own and shares a budget with
 * the likes of it alone. */
HW_INLINE int hw_returning(const struct hw_speaker *s, struct hw_shield_flow *home)
{
	struct hw_shield_rate own = {home->interval_ns, home->burst_ns};

	if (!hw_rate_has(&home->due_ns, &own, s->now_ns))
		return hw_shield_drop(s, s->syn ? HW_SHIELD_SYN : HW_SHIELD_SOURCE);
	if (!hw_total_take(s->setup, HW_BUDGET_RETURNING, s->now_ns))
		return hw_shield_drop(s, HW_SHIELD_RETURNING);
	hw_rate_take(&home->due_ns, &own, s->now_ns);
	hw_shield_passed(HW_TRUST_RETURNING);
	return 1;
}

/* Which budget it shares with its likes, and what it is called when that is used up. */
HW_INLINE enum hw_shield_budget hw_total_of(const struct hw_speaker *s, int *why)
{
	*why = s->syn	      ? HW_SHIELD_SYNS
	       : s->not_sip   ? HW_SHIELD_NOT_SIP
	       : s->registers ? HW_SHIELD_REGISTERS
			      : HW_SHIELD_STRANGERS;
	return s->syn	      ? HW_BUDGET_SYNS
	       : s->not_sip   ? HW_BUDGET_NOT_SIP
	       : s->registers ? HW_BUDGET_REGISTERS
			      : HW_BUDGET_STRANGERS;
}

HW_INLINE void hw_stranger_passed(const struct hw_speaker *s)
{
	struct hw_shield_counts *figures = hw_shield_figures();

	if (!figures)
		return;
	figures->passed[HW_TRUST_STRANGER]++;
	figures->sampled += s->not_sip;
}

/* What is cheap and drops most in a flood comes first. */
HW_STEP int hw_stranger(const struct hw_speaker *s)
{
	struct hw_shield_flow *home = s->not_sip ? 0 : hw_flow_find(s, 0);
	int why;
	enum hw_shield_budget total = hw_total_of(s, &why);
	__u64 *due_ns = hw_total(total);

	if (home || !due_ns || hw_rate_has(due_ns, &s->setup->rate[total], s->now_ns)) {
		if (hw_banned(s, 0))
			return hw_shield_drop(s, HW_SHIELD_BANNED);
		if (home)
			return hw_returning(s, home);
		why = hw_stranger_buckets(s);
	}
	if (why != HW_SHIELD_PASS)
		return hw_shield_drop(s, why);
	if (due_ns)
		hw_rate_take(due_ns, &s->setup->rate[total], s->now_ns);
	hw_stranger_passed(s);
	return 1;
}

/* A flow that has an entry of its own; an address' entry is not the flow's. */
HW_INLINE int hw_known_flow(const struct hw_speaker *s, struct hw_shield_flow *flow)
{
	struct hw_shield_rate own = {flow->interval_ns, flow->burst_ns};

	if (flow->trust == HW_TRUST_BANNED)
		return hw_shield_drop(s, HW_SHIELD_FLOW_BANNED);
	if (hw_banned(s, flow->trust == HW_TRUST_REGISTERED))
		return hw_shield_drop(s, HW_SHIELD_BANNED);
	if (!hw_rate_has(&flow->due_ns, &own, s->now_ns))
		return hw_shield_drop(s, HW_SHIELD_TRUSTED);
	hw_rate_take(&flow->due_ns, &own, s->now_ns);
	hw_shield_passed(flow->trust);
	return 1;
}

HW_INLINE const struct hw_shield_setup *hw_shield_setup(void)
{
	__u32 zero = 0;
	const struct hw_shield_setup *setup = bpf_map_lookup_elem(&hw_shield, &zero);

	return setup && setup->active ? setup : 0;
}

/* 1: it may go on to the stack. Not static: so the verifier walks it once, not for each form of a
 * frame that leads here, and so it finds its setup itself. */
__attribute__((noinline)) int hw_may_speak(const struct hw_speaker *asks)
{
	struct hw_shield_flow *flow;
	struct hw_speaker s;
	int trust;

	if (!asks)
		return 1;
	s = *asks;
	s.setup = hw_shield_setup();
	if (!s.setup)
		return 1;
	trust = hw_friend_find(&s);
	if (trust != HW_TRUST_STRANGER) {
		hw_shield_passed(trust);
		return 1;
	}
	flow = s.source_port ? hw_flow_find(&s, s.source_port) : 0;
	return flow ? hw_known_flow(&s, flow) : hw_stranger(&s);
}

HW_INLINE void hw_speaker_of(const struct hw_shield_port *port, const struct hw_packet *p,
			     struct hw_speaker *out)
{
	out->setup = 0;
	out->source[0] = p->source[0];
	out->source[1] = p->source[1];
	out->now_ns = bpf_ktime_get_ns();
	out->source_port = p->source_port;
	out->zone = port->zone;
	out->family = p->family;
	out->registers = out->not_sip = out->syn = 0;
}

/* A datagram in one piece: 1 to go on. */
HW_INLINE int hw_shield_datagram(const struct hw_packet *p)
{
	const struct hw_shield_port *port =
		hw_shield_setup() ? hw_port_at(p, p->local_port, IPPROTO_UDP) : 0;
	struct hw_speaker s;

	if (!port)
		return 1;
	hw_speaker_of(port, p, &s);
	s.registers = hw_registers(&p->datagram);
	s.not_sip = !hw_speaks_sip(&p->datagram);
	return hw_may_speak(&s);
}

#endif
