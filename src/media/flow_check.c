#include "media/flow_check.h"

#include "media/limits.h"

static const struct config_zone *zone_of(const struct config *config, uint16_t zone)
{
	return zone < config->zone_count ? &config->zones[zone] : NULL;
}

static bool is_zone_address(const struct config_zone *z, const struct ip_addr *a)
{
	return a->family != IP_NONE && (ip_eq(a, &z->address4) || ip_eq(a, &z->address6));
}

static bool is_own(const struct config *config, const struct ip_addr *a)
{
	for (size_t i = 0; i < config->zone_count; i++)
		if (is_zone_address(&config->zones[i], a))
			return true;
	return false;
}

static bool is_broadcast(const struct ip_addr *a)
{
	static const struct ip_addr all = {IP_V4, {255, 255, 255, 255}};

	return ip_eq(a, &all);
}

/* Somebody who may live in the zone, or ourselves. */
static bool is_peer(const struct config *config, const struct config_zone *z,
		    const struct ip_addr *a)
{
	if (a->family == IP_NONE || ip_is_unspecified(a) || ip_is_multicast(a) || is_broadcast(a))
		return false;
	if (is_own(config, a))
		return true;
	if (ip_is_loopback(a) && !ip_is_loopback(&z->address4) && !ip_is_loopback(&z->address6))
		return false;
	for (size_t i = 0; i < z->subnet_count; i++)
		if (ip_in_prefix(a, &z->subnets[i]))
			return true;
	return z->subnet_count == 0;
}

static bool in_range(const struct config_media *m, uint16_t port)
{
	return port >= m->port_first && port <= m->port_last;
}

static const char *ends_check(const struct flow_spec *s, const struct config_zone *in,
			      const struct config_zone *out)
{
	if (!in || !out)
		return "no such zone";
	if (!is_zone_address(in, &s->local.addr))
		return "the local address is not its zone's";
	if (!is_zone_address(out, &s->out.addr))
		return "the sending address is not its zone's";
	if (ip_endpoint_eq(&s->local, &s->out))
		return "the flow ends where it begins";
	return NULL;
}

/* Nobody: a held end sends nothing, its port is there to send from. */
static bool is_nobody(const struct ip_addr *a)
{
	return a->family == IP_NONE || ip_is_unspecified(a);
}

static const char *source_check(const struct config *config, const struct flow_spec *s,
				const struct config_zone *in)
{
	if (s->ice && (!s->dtls || s->secret_in.exchange != KEYS_DTLS || !s->secret_in.terminated))
		return "anybody may send there, and nobody has to prove itself";
	if (is_nobody(&s->source.addr))
		return NULL;
	if (s->ice)
		return "a permitted source beside ICE";
	if (s->source.addr.family != s->local.addr.family || !is_peer(config, in, &s->source.addr))
		return "the permitted source cannot live in its zone";
	if (s->source.port < FLOW_PORT_MIN && !(s->source.port == 0 && s->learn_port))
		return "the permitted source's port is unknown or reserved";
	return NULL;
}

/* Media may come back to a port of ours, never to another service of this host. */
static bool is_own_service(const struct config *config, const struct ip_endpoint *to)
{
	return is_own(config, &to->addr) && !in_range(&config->media, to->port);
}

static const char *target_check(const struct config *config, const struct flow_spec *s,
				const struct config_zone *out)
{
	if (s->to.addr.family == IP_NONE)
		return NULL;
	if (s->to.addr.family != s->out.addr.family || !is_peer(config, out, &s->to.addr))
		return "the destination cannot live in its zone";
	if (is_own_service(config, &s->to))
		return "the destination is a service of ours";
	return s->to.port < FLOW_PORT_MIN ? "the destination's port is reserved" : NULL;
}

/* In a zone without cleartext no media is in the clear, whatever signal was told; nor does a
 * running flow that had to be encrypted become another one. `before`: that one, or NULL. */
static bool is_clear(const struct flow_secret *s, const struct config_zone *z,
		     const struct flow_secret *before)
{
	return s->exchange == KEYS_NONE && (before ? before->required : z->cleartext_deny);
}

static const char *secret_check(const struct flow_spec *s, const struct config_zone *in,
				const struct config_zone *out, const struct flow_spec *open)
{
	if (s->secret_in.exchange > KEYS_DTLS || s->secret_out.exchange > KEYS_DTLS)
		return "unknown way of agreeing on keys";
	if (is_clear(&s->secret_in, in, open ? &open->secret_in : NULL) ||
	    is_clear(&s->secret_out, out, open ? &open->secret_out : NULL))
		return s->dtls ? NULL : "the zone admits no media in the clear";
	return NULL;
}

static const char *rest_check(const struct flow_spec *s)
{
	if (s->call == 0)
		return "the flow belongs to no call";
	if (s->kind > FLOW_RAW)
		return "unknown kind of flow";
	if (s->dscp > 63)
		return "no such DSCP";
	if (s->rate_bytes_s > FLOW_RATE_MAX)
		return "the rate is higher than any codec's";
	return memchr(s->codec, '\0', sizeof(s->codec)) ? NULL : "the codec's name has no end";
}

/* The zone that has this address now: a reload may have given it another index. */
static const struct config_zone *zone_at(const struct config *config, const struct ip_addr *a)
{
	for (size_t i = 0; i < config->zone_count; i++)
		if (is_zone_address(&config->zones[i], a))
			return &config->zones[i];
	return NULL;
}

static bool same_ends(const struct flow_spec *a, const struct flow_spec *b)
{
	return a->call == b->call && ip_endpoint_eq(&a->local, &b->local) &&
	       ip_endpoint_eq(&a->out, &b->out);
}

static bool ports_in_range(const struct config *config, const struct flow_spec *s)
{
	return in_range(&config->media, s->local.port) && in_range(&config->media, s->out.port);
}

/* All but our own ends. `open` is the same flow as it runs, or NULL: a target that it had is none
 * to be looked at again. */
static const char *peers_check(const struct config *config, const struct flow_spec *s,
			       const struct config_zone *in, const struct config_zone *out,
			       const struct flow_spec *open)
{
	const char *why = NULL;

	if (!open || !ip_endpoint_eq(&open->to, &s->to))
		why = target_check(config, s, out);
	if (!why)
		why = source_check(config, s, in);
	if (!why)
		why = rest_check(s);
	return why ? why : secret_check(s, in, out, open);
}

enum reason flow_check(const struct config *config, const struct flow_spec *spec,
		       const struct flow_spec *open, const char **out_why)
{
	bool goes_on = open && same_ends(open, spec);
	const struct config_zone *in =
		goes_on ? zone_at(config, &spec->local.addr) : zone_of(config, spec->zone);
	const struct config_zone *out =
		goes_on ? zone_at(config, &spec->out.addr) : zone_of(config, spec->out_zone);
	const char *why = ends_check(spec, in, out);
	enum reason reason = REASON_warden_refused;

	if (!why && !goes_on && !ports_in_range(config, spec)) {
		why = "a port of ours lies outside the media range";
		reason = REASON_pinhole_outside_range;
	}
	if (!why)
		why = peers_check(config, spec, in, out, goes_on ? open : NULL);
	if (!why)
		return REASON_NONE;
	if (out_why)
		*out_why = why;
	return reason;
}

bool flow_is_tunnelled(const struct config *config, const struct flow_spec *spec)
{
	return config_is_tunnelled(config, &spec->local.addr, &spec->source.addr) ||
	       config_is_tunnelled(config, &spec->out.addr, &spec->to.addr);
}
