#include "enforce/shield_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/random.h>

#include "base/mem.h"

#define NS_PER_S      1000000000ull
#define NS_PER_MS     1000000ull
#define NO_LIMIT_NS   (1ull << 62) /* whatever an earlier limit left in a bucket is within it */
#define KEY_BYTES_MAX 32

struct hw_shield_prefix shield_prefix_key(const struct ip_prefix *p)
{
	struct hw_shield_prefix key = {.bits = HW_SHIELD_ADDRESS_BITS + p->bits,
				       .family = p->addr.family == IP_V4 ? 4 : 6};

	memcpy(key.address, p->addr.bytes, sizeof(key.address));
	return key;
}

struct hw_shield_flow_key shield_flow_key(const struct ip_endpoint *flow)
{
	struct hw_shield_flow_key key = {.port = flow->port,
					 .family = flow->addr.family == IP_V4 ? 4 : 6};

	memcpy(key.address, flow->addr.bytes, sizeof(key.address));
	return key;
}

/* Empties a map of keys of so many bytes, from the first key again and again: a removed one has no
 * next. */
static void shield_clear(int fd, size_t key_bytes)
{
	uint8_t key[KEY_BYTES_MAX];

	while (key_bytes <= sizeof(key) && bpf_map_get_next_key(fd, NULL, key) == 0)
		if (bpf_map_delete_elem(fd, key) != 0)
			return;
}

int shield_new(struct xdp *xdp, uint64_t now_ms, struct shield **out)
{
	struct shield *s = mem_zalloc(1, sizeof(*s));

	if (!s)
		return ERR_NOMEM;
	s->xdp = xdp;
	s->setup.recovery_until_ns = (now_ms + SHIELD_RECOVERY_MS) * NS_PER_MS;
	if (getrandom(s->setup.key, sizeof(s->setup.key), 0) != sizeof(s->setup.key)) {
		mem_free(s);
		return -EIO;
	}
	/* A predecessor's bans come again from signal; its flows keep what they earned. */
	shield_clear(xdp_map_fd(xdp, XDP_MAP_BANS), sizeof(struct hw_shield_prefix));
	*out = s;
	return 0;
}

void shield_free(struct shield *s)
{
	if (!s)
		return;
	mem_free(s->bans);
	mem_free(s->flow_bans);
	mem_free(s);
}

/* ---- the configuration ---- */

static struct hw_shield_rate rate_of(uint64_t per_s)
{
	if (per_s == 0)
		return (struct hw_shield_rate){0, NO_LIMIT_NS};
	return (struct hw_shield_rate){NS_PER_S / per_s, SHIELD_BURST_S * NS_PER_S};
}

/* What many may send is never less than what one may. */
static struct hw_shield_rate common_rate(uint32_t per_s, uint32_t per_source)
{
	if (per_s == 0 || per_source == 0)
		return rate_of(0);
	return rate_of(per_s > per_source ? per_s : per_source);
}

static int write_setup(struct shield *s)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(xdp_map_fd(s->xdp, XDP_MAP_SHIELD), &zero, &s->setup, BPF_ANY)
		       ? -errno
		       : 0;
}

int shield_recover(struct shield *s, uint64_t now_ms)
{
	s->setup.recovery_until_ns = (now_ms + SHIELD_RECOVERY_MS) * NS_PER_MS;
	return s->setup.active ? write_setup(s) : 0;
}

uint64_t shield_recovery_ms(const struct shield *s, uint64_t now_ms)
{
	uint64_t until_ms = s->setup.recovery_until_ns / NS_PER_MS;

	return until_ms > now_ms ? until_ms - now_ms : 0;
}

static int put_setup(struct shield *s, const struct config_limits *l)
{
	struct hw_shield_rate *rate = s->setup.rate;

	s->per_source_pps = l->per_source_pps * SHIELD_SLACK;
	s->setup.active = 1;
	rate[HW_BUDGET_SOURCE] = rate_of(s->per_source_pps);
	rate[HW_BUDGET_RECOVERY] = rate_of((uint64_t)s->per_source_pps * SHIELD_RECOVERY_FOLD);
	rate[HW_BUDGET_PREFIX] = common_rate(l->per_network_pps, s->per_source_pps);
	rate[HW_BUDGET_SYN] = rate[HW_BUDGET_SOURCE];
	rate[HW_BUDGET_STRANGERS] = rate[HW_BUDGET_REGISTERS] = rate[HW_BUDGET_RETURNING] =
		rate[HW_BUDGET_SYNS] = common_rate(l->strangers_pps, s->per_source_pps);
	rate[HW_BUDGET_NOT_SIP] = rate_of(SHIELD_NOT_SIP_PPS);
	return write_setup(s);
}

static int put_ports(const struct shield *s, const struct config *c)
{
	int fd = xdp_map_fd(s->xdp, XDP_MAP_PORTS);

	shield_clear(fd, sizeof(struct hw_shield_port_key));
	for (size_t i = 0; i < c->listener_count; i++) {
		const struct config_listener *l = &c->listeners[i];
		struct hw_shield_port_key key = {
			.port = l->local.port,
			.protocol = l->transport == TRANSPORT_UDP ? IPPROTO_UDP : IPPROTO_TCP};
		struct hw_shield_port port = {.zone = l->zone};

		if (l->local.addr.family == IP_NONE)
			continue;
		memcpy(key.address, l->local.addr.bytes, sizeof(key.address));
		if (bpf_map_update_elem(fd, &key, &port, BPF_ANY) != 0)
			return -errno;
		key.port = key.protocol = 0; /* the address itself */
		if (bpf_map_update_elem(fd, &key, &port, BPF_ANY) != 0)
			return -errno;
	}
	return 0;
}

static int put_friend(int fd, const struct ip_prefix *p, uint16_t zone, enum hw_trust trust)
{
	struct hw_shield_prefix key = shield_prefix_key(p);
	struct hw_shield_friend friend = {.zone = zone, .trust = (uint8_t)trust};

	if (p->addr.family == IP_NONE)
		return 0;
	return bpf_map_update_elem(fd, &key, &friend, BPF_ANY) ? -errno : 0;
}

static int put_peer(int fd, const struct config_peer *peer, uint16_t zone)
{
	struct ip_prefix p = {peer->at.addr, peer->at.addr.family == IP_V4 ? 32 : 128};

	return put_friend(fd, &p, zone, HW_TRUST_PEER);
}

/* never-ban last: whoever it names is under no limit anywhere. */
static int put_friends(const struct shield *s, const struct config *c)
{
	int err = 0, fd = xdp_map_fd(s->xdp, XDP_MAP_FRIENDS);

	shield_clear(fd, sizeof(struct hw_shield_prefix));
	for (size_t i = 0; i < c->pbx_count && !err; i++)
		err = put_peer(fd, &c->pbxs[i].peer, c->pbxs[i].zone);
	for (size_t i = 0; i < c->trunk_count && !err; i++)
		err = put_peer(fd, &c->trunks[i].peer, c->trunks[i].zone);
	for (size_t i = 0; i < c->limits.never_ban_count && !err; i++)
		err = put_friend(fd, &c->limits.never_ban[i], 0, HW_TRUST_EXEMPT);
	return err;
}

int shield_apply(struct shield *s, const struct config *config)
{
	int err = put_friends(s, config); /* before anybody is held to a limit */

	err = err ? err : put_ports(s, config);
	return err ? err : put_setup(s, &config->limits);
}

/* ---- figures ---- */

void shield_counts(const struct shield *s, struct hw_shield_counts *out)
{
	int cpus = libbpf_num_possible_cpus();
	struct hw_shield_counts *all = cpus > 0 ? mem_zalloc((size_t)cpus, sizeof(*all)) : NULL;
	uint32_t zero = 0;

	*out = (struct hw_shield_counts){0};
	if (all && bpf_map_lookup_elem(xdp_map_fd(s->xdp, XDP_MAP_SHIELDED), &zero, all) == 0) {
		for (int i = 0; i < cpus; i++) {
			for (unsigned w = 0; w < HW_SHIELD_WHY_COUNT; w++)
				out->dropped[w] += all[i].dropped[w];
			for (unsigned t = 0; t < HW_TRUST_COUNT; t++)
				out->passed[t] += all[i].passed[t];
			out->sampled += all[i].sampled;
		}
	}
	mem_free(all);
}

int shield_seen(const struct shield *s, const struct ip_addr *a, struct hw_shield_seen *out)
{
	int fd = xdp_map_fd(s->xdp, XDP_MAP_SEEN);
	uint8_t family = a->family == IP_V4 ? 4 : 6;

	for (uint32_t i = 0; i < HW_SHIELD_SEEN; i++) {
		struct hw_shield_seen seen;

		if (bpf_map_lookup_elem(fd, &i, &seen) != 0 || seen.family != family ||
		    memcmp(seen.address, a->bytes, sizeof(seen.address)) != 0)
			continue;
		*out = seen;
		return 0;
	}
	return ERR_ABSENT;
}

static const struct {
	const char *name, *sentence;
} whys[HW_SHIELD_WHY_COUNT] = {
	[HW_SHIELD_PASS] = {"passed", "it passed"},
	[HW_SHIELD_BANNED] = {"banned", "it is banned"},
	[HW_SHIELD_FLOW_BANNED] = {"flow-banned", "this address and port is banned"},
	[HW_SHIELD_SOURCE] = {"source-limit", "one source sends more packets per second than its "
					      "limit (limits { per-source-pps })"},
	[HW_SHIELD_PREFIX] = {"network-limit", "its network sends more packets per second than one "
					       "network may (limits { per-network-pps })"},
	[HW_SHIELD_STRANGERS] = {"strangers-limit",
				 "all strangers together sent more packets per second than they "
				 "may (limits { strangers-pps })"},
	[HW_SHIELD_REGISTERS] = {"registers-limit",
				 "all strangers together sent more REGISTERs per second than they "
				 "may (limits { strangers-pps })"},
	[HW_SHIELD_RETURNING] = {"returning-limit",
				 "strangers beside known phones sent more packets per second than "
				 "they may (limits { strangers-pps })"},
	[HW_SHIELD_TRUSTED] = {"phone-limit", "a phone sends more packets per second than its "
					      "limit (limits { per-source-pps })"},
	[HW_SHIELD_SYN] = {"connection-limit",
			   "one source opens more connections per second than its limit (limits { "
			   "per-source-pps })"},
	[HW_SHIELD_SYNS] = {"connections-limit",
			    "all strangers together opened more connections per second than they "
			    "may (limits { strangers-pps })"},
	[HW_SHIELD_FRAGMENT] = {"stray-fragment", "a fragment came that nobody waits for"},
	[HW_SHIELD_OVERLAP] = {"overlapping-fragment", "a fragment came that overlaps another"},
	[HW_SHIELD_NOT_SIP] = {"not-sip", "what strangers send is no SIP by its first bytes"},
};

const char *shield_why_name(unsigned why)
{
	return why < HW_SHIELD_WHY_COUNT ? whys[why].name : "unknown";
}

const char *shield_why_sentence(unsigned why)
{
	return why < HW_SHIELD_WHY_COUNT ? whys[why].sentence : "unknown";
}

const char *shield_trust_name(unsigned trust)
{
	static const char *const names[HW_TRUST_COUNT] = {
		[HW_TRUST_STRANGER] = "stranger",   [HW_TRUST_CHALLENGED] = "challenged",
		[HW_TRUST_RETURNING] = "returning", [HW_TRUST_REGISTERED] = "registered",
		[HW_TRUST_PEER] = "peer",	    [HW_TRUST_EXEMPT] = "never-ban",
		[HW_TRUST_BANNED] = "banned",
	};

	return trust < HW_TRUST_COUNT ? names[trust] : "unknown";
}
