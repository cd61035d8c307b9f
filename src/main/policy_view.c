#include "main/policy_view.h"

#include "guard/r5_segment.h"

#define VIEW_BASE_BYTES	    4096
#define VIEW_ZONE_BYTES	    2048
#define VIEW_LISTENER_BYTES 256
#define VIEW_CELL_BYTES	    512
#define VIEW_RULE_BYTES	    256
#define VIEW_SENTENCE_MAX   512

size_t policy_view_bytes(const struct config *c)
{
	size_t zones = c->zone_count, n = VIEW_BASE_BYTES + zones * VIEW_ZONE_BYTES;

	for (size_t i = 0; i < zones; i++)
		n += (c->zones[i].subnet_count + c->zones[i].service_count +
		      c->zones[i].reach_count) *
		     VIEW_RULE_BYTES;
	return n + zones * zones * VIEW_CELL_BYTES + c->listener_count * VIEW_LISTENER_BYTES;
}

static const char *role_text(uint8_t role)
{
	static const char *const words[] = {
		[ZONE_WAN] = "wan",   [ZONE_VOICE] = "voice",		[ZONE_DATA] = "data",
		[ZONE_CORE] = "core", [ZONE_MANAGEMENT] = "management",
	};

	return words[role];
}

/* ---- what reaches the gateway itself ---- */

static void write_owner(const struct config *c, uint16_t listener, struct out *o)
{
	uint16_t phones = config_phones_at(c, listener);

	if (phones != CONFIG_NONE)
		out_fmt(o, " for phones %s", c->phones[phones].name);
	else
		out_z(o, " for the peers of the zone");
}

static unsigned owner_line(const struct config *c, uint16_t listener)
{
	uint16_t zone = c->listeners[listener].zone, phones = config_phones_at(c, listener);

	if (phones != CONFIG_NONE)
		return c->phones[phones].line;
	for (size_t i = 0; i < c->pbx_count; i++)
		if (c->pbxs[i].zone == zone)
			return c->pbxs[i].line;
	for (size_t i = 0; i < c->trunk_count; i++)
		if (c->trunks[i].zone == zone)
			return c->trunks[i].line;
	return c->zones[zone].line;
}

static const char *wire(uint8_t transport)
{
	return transport == TRANSPORT_UDP ? "udp" : "tcp";
}

static void write_gateway(struct json *j, const struct config *c, uint16_t zone)
{
	const struct config_zone *z = &c->zones[zone];
	char text[VIEW_SENTENCE_MAX];

	json_member_open(j, "gateway", '[');
	for (uint16_t i = 0; i < c->listener_count; i++) {
		const struct config_listener *l = &c->listeners[i];
		struct out o = out_to(text, sizeof(text));
		bool both = z->address4.family && z->address6.family;

		if (l->zone != zone || (both && l->local.addr.family == IP_V6))
			continue;
		out_fmt(&o, "SIP on %s:%u", transport_text(l->transport), l->local.port);
		write_owner(c, i, &o);
		json_str(j, out_slice(&o));
	}
	for (size_t i = 0; i < z->service_count; i++) {
		struct out o = out_to(text, sizeof(text));

		out_fmt(&o, "%s:%u", wire(z->services[i].transport), z->services[i].port);
		json_str(j, out_slice(&o));
	}
	json_str(j, SL("media of calls that are set up"));
	json_close(j, ']');
}

static void write_sources(struct json *j, const struct config_zone *z)
{
	char text[IP_TEXT_MAX + 8], a[IP_TEXT_MAX];

	json_member_open(j, "subnets", '[');
	for (size_t i = 0; i < z->subnet_count; i++) {
		struct out o = out_to(text, sizeof(text));

		out_fmt(&o, "%s/%u", ip_text(&z->subnets[i].addr, a), z->subnets[i].bits);
		json_str(j, out_slice(&o));
	}
	json_close(j, ']');
}

static void write_zone(struct json *j, const struct config *c, uint16_t zone,
		       const struct policy_counts *counts)
{
	const struct config_zone *z = &c->zones[zone];
	struct policy_zone_counts n;

	json_open(j, '{');
	json_member_z(j, "name", z->name);
	json_member_z(j, "role", role_text(z->role));
	json_member_z(j, "interface", z->interface);
	json_member_u64(j, "vlan", z->vlan);
	json_member_u64(j, "line", z->line);
	write_sources(j, z);
	write_gateway(j, c, zone);
	if (counts && counts->zone(counts->ctx, zone, &n)) {
		json_member_u64(j, "dropped_packets", n.dropped);
		json_member_u64(j, "spoofed_packets", n.spoofed);
		json_member_u64(j, "tagged_packets", n.tagged);
		json_member_u64(j, "forged_packets", n.forged);
	}
	json_close(j, '}');
}

/* ---- pairs ---- */

static void rule_words(const struct segment_rule *r, struct out *o)
{
	if (r->ports == SEGMENT_MANAGEMENT)
		out_z(o, "management ports");
	else if (r->ports == SEGMENT_ONE_PORT)
		out_fmt(o, "%s:%u", wire(r->transport), r->port);
	else
		out_z(o, "everything else");
	out_z(o, r->admins_only ? " from administrators" : "");
}

/* A port that an earlier line closes is not passed on, whatever stands further down. */
static bool has_effect(const struct segment_policy *p, const struct segment_rule *r)
{
	if (!r->pass || r->admins_only)
		return r->pass && p->admin_count > 0;
	return r->ports != SEGMENT_ONE_PORT ||
	       r5_segment_decide(p, r->from, r->to, NULL, r->transport, r->port) == r;
}

static void write_cell(struct json *j, const struct config *c, const struct segment_policy *p,
		       uint16_t from, uint16_t to, const struct policy_counts *counts)
{
	char text[VIEW_SENTENCE_MAX];
	uint64_t packets;

	json_open(j, '{');
	json_member_z(j, "from", c->zones[from].name);
	json_member_z(j, "to", c->zones[to].name);
	json_member_open(j, "passes", '[');
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct segment_rule *r = &p->rules[i];
		struct out o = out_to(text, sizeof(text));

		if (r->from != from || r->to != to || !has_effect(p, r))
			continue;
		rule_words(r, &o);
		json_str(j, out_slice(&o));
	}
	json_close(j, ']');
	if (counts && counts->denied(counts->ctx, from, to, &packets))
		json_member_u64(j, "denied_packets", packets);
	json_close(j, '}');
}

void policy_view_matrix(struct json *j, const struct config *c, const struct segment_policy *p,
			const struct policy_counts *counts)
{
	json_open(j, '[');
	json_open(j, '{');
	json_member_open(j, "zones", '[');
	for (uint16_t z = 0; z < c->zone_count; z++)
		write_zone(j, c, z, counts);
	json_close(j, ']');
	json_member_open(j, "pairs", '[');
	for (uint16_t from = 0; from < c->zone_count; from++)
		for (uint16_t to = 0; to < c->zone_count; to++)
			if (from != to)
				write_cell(j, c, p, from, to, counts);
	json_close(j, ']');
	json_close(j, '}');
	json_close(j, ']');
}

/* ---- one packet ---- */

struct place {
	bool gateway;
	uint16_t zone;
	struct ip_addr address; /* family IP_NONE: any of the zone's */
};

struct asked {
	const struct config *c;
	const struct segment_policy *p;
	struct place from, to;
	uint8_t transport;
	uint16_t port;
};

struct verdict {
	bool passes;
	unsigned line;
	char text[VIEW_SENTENCE_MAX];
	struct out words;
};

static int read_place(const struct config *c, struct slice text, struct place *out, struct out *why)
{
	struct place p = {.zone = config_zone_find(c, text)};

	if (slice_eq(text, SL("gateway"))) {
		p.gateway = true;
	} else if (p.zone == CONFIG_NONE && ip_parse(text, &p.address) == 0) {
		p.zone = r5_segment_zone_of(c, &p.address);
		for (size_t i = 0; i < c->zone_count; i++)
			p.gateway = p.gateway || ip_eq(&c->zones[i].address4, &p.address) ||
				    ip_eq(&c->zones[i].address6, &p.address);
		if (p.zone == CONFIG_NONE) {
			out_fmt(why, "%.*s belongs to no zone", SLICE_ARGS(text));
			return ERR_SYNTAX;
		}
	} else if (p.zone == CONFIG_NONE) {
		out_fmt(why, "there is no zone %.*s; write a zone, an address or \"gateway\"",
			SLICE_ARGS(text));
		return ERR_SYNTAX;
	}
	*out = p;
	return 0;
}

/* Bit 0: UDP, bit 1: TCP. */
static int read_port(struct slice text, unsigned *out_transports, uint16_t *out_port,
		     struct out *why)
{
	unsigned transports = 3;
	uint32_t port;

	if (slice_starts(text, SL("udp:")))
		transports = 1;
	else if (slice_starts(text, SL("tcp:")))
		transports = 2;
	if (transports != 3)
		text = slice_from(text, 4);
	if (slice_u32(text, UINT16_MAX, &port) || port == 0) {
		out_z(why, "write a port as tcp:22, udp:5060 or 22");
		return ERR_SYNTAX;
	}
	*out_transports = transports;
	*out_port = (uint16_t)port;
	return 0;
}

static bool in_subnets(const struct config_zone *z, const struct ip_addr *a)
{
	for (size_t i = 0; i < z->subnet_count; i++)
		if (ip_in_prefix(a, &z->subnets[i]))
			return true;
	return z->subnet_count == 0 || a->family == IP_NONE;
}

static bool judge_listener(const struct asked *q, struct verdict *v)
{
	const struct config *c = q->c;

	for (uint16_t i = 0; i < c->listener_count; i++) {
		const struct config_listener *l = &c->listeners[i];
		bool udp = l->transport == TRANSPORT_UDP;

		if (l->zone != q->from.zone || l->local.port != q->port ||
		    udp != (q->transport == TRANSPORT_UDP))
			continue;
		v->passes = in_subnets(&c->zones[l->zone], &q->from.address);
		v->line = v->passes ? owner_line(c, i) : c->zones[l->zone].line;
		out_fmt(&v->words, "the gateway listens there");
		write_owner(c, i, &v->words);
		if (!v->passes)
			out_fmt(&v->words, ", but the source is not in the subnets of zone %s",
				c->zones[l->zone].name);
		return true;
	}
	return false;
}

static void judge_gateway(const struct asked *q, struct verdict *v)
{
	const struct config *c = q->c;
	const struct config_zone *z = &c->zones[q->from.zone];

	if (judge_listener(q, v))
		return;
	v->line = z->line;
	for (size_t i = 0; i < z->service_count; i++)
		if (z->services[i].port == q->port && (z->services[i].transport == TRANSPORT_UDP) ==
							      (q->transport == TRANSPORT_UDP)) {
			v->passes = true;
			out_fmt(&v->words, "it is one of the services of zone %s", z->name);
			return;
		}
	if (q->transport == TRANSPORT_UDP && q->port >= c->media.port_first &&
	    q->port <= c->media.port_last)
		out_z(&v->words, "a media port is closed but for the sources of the call that it "
				 "was opened for, while the call lasts");
	else
		out_fmt(&v->words,
			"no section listens there for zone %s, and it is none of its "
			"services",
			z->name);
}

static bool apart(uint8_t a, uint8_t b)
{
	return (a == ZONE_VOICE && b == ZONE_DATA) || (a == ZONE_DATA && b == ZONE_VOICE);
}

static void judge_pair(const struct asked *q, struct verdict *v)
{
	const struct config_zone *from = &q->c->zones[q->from.zone];
	const struct config_zone *to = &q->c->zones[q->to.zone];
	const struct segment_rule *r = r5_segment_decide(q->p, q->from.zone, q->to.zone,
							 &q->from.address, q->transport, q->port);

	v->passes = r && r->pass;
	v->line = r ? r->line : from->line;
	if (r && r->ports == SEGMENT_MANAGEMENT)
		out_fmt(&v->words,
			"management ports of voice devices (zone %s) are for assess { "
			"admins } alone%s",
			to->name, r->pass ? ", and the source is one of them" : "");
	else if (r)
		out_fmt(&v->words, "zone %s reaches %s", from->name, to->name);
	else if (apart(from->role, to->role))
		out_fmt(&v->words,
			"zone %s (%s) and zone %s (%s) meet through the gateway's SIP "
			"alone",
			from->name, role_text(from->role), to->name, role_text(to->role));
	else
		out_fmt(&v->words, "nothing in reaches of zone %s admits it to zone %s", from->name,
			to->name);
}

/* From port to port of a bridge. */
static void judge_bridge(const struct asked *q, struct verdict *v)
{
	const struct config_zone *z = &q->c->zones[q->to.zone];
	bool managed = false, admin = false;

	for (size_t i = 0; i < q->p->management_count && z->role == ZONE_VOICE; i++)
		managed = managed || (q->p->management[i].port == q->port &&
				      q->p->management[i].transport == q->transport);
	for (size_t i = 0; i < q->p->admin_count; i++)
		admin = admin || ip_in_prefix(&q->from.address, &q->p->admins[i]);
	v->line = z->line;
	v->passes = !managed || admin;
	if (managed)
		out_fmt(&v->words,
			"management ports of voice devices (zone %s) are for assess { admins } "
			"alone, from port to port of bridge %s too%s",
			z->name, z->bridge, admin ? ", and the source is one of them" : "");
	else
		out_fmt(&v->words, "within zone %s it passes from port to port of bridge %s",
			z->name, z->bridge);
}

static void judge(const struct asked *q, struct verdict *v)
{
	if (q->from.gateway) {
		v->passes = true;
		out_z(&v->words, "what the gateway's host itself sends is not filtered");
	} else if (q->to.gateway) {
		judge_gateway(q, v);
	} else if (q->from.zone == q->to.zone && *q->c->zones[q->to.zone].bridge) {
		judge_bridge(q, v);
	} else if (q->from.zone == q->to.zone) {
		v->line = q->c->zones[q->to.zone].line;
		out_fmt(&v->words,
			"within zone %s the switch delivers it; what is sent through "
			"the gateway instead is dropped",
			q->c->zones[q->to.zone].name);
	} else {
		judge_pair(q, v);
	}
}

static const char *place_name(const struct config *c, const struct place *p)
{
	return p->gateway ? "gateway" : c->zones[p->zone].name;
}

static void explain_one(struct json *j, const struct asked *q)
{
	struct verdict v = {0};
	char port[16], sentence[VIEW_SENTENCE_MAX + 128];
	struct out p = out_to(port, sizeof(port)), s = out_to(sentence, sizeof(sentence));

	v.words = out_to(v.text, sizeof(v.text));
	judge(q, &v);
	out_fmt(&p, "%s:%u", wire(q->transport), q->port);
	out_fmt(&s, "%s from %s to %s is %s: %.*s", port, place_name(q->c, &q->from),
		place_name(q->c, &q->to), v.passes ? "passed on" : "dropped",
		SLICE_ARGS(out_slice(&v.words)));
	json_open(j, '{');
	json_member_z(j, "from", place_name(q->c, &q->from));
	json_member_z(j, "to", place_name(q->c, &q->to));
	json_member_str(j, "port", out_slice(&p));
	json_member_z(j, "verdict", v.passes ? "pass" : "drop");
	json_member_u64(j, "line", v.line);
	json_member_str(j, "sentence", out_slice(&s));
	json_close(j, '}');
}

int policy_view_explain(struct json *j, const struct config *c, const struct segment_policy *p,
			struct slice question, struct out *why)
{
	struct slice rest = question, from = slice_split(rest, ' ', &rest);
	struct slice to = slice_split(rest, ' ', &rest);
	struct asked q = {.c = c, .p = p};
	unsigned transports = 0;
	int err = read_place(c, from, &q.from, why);

	err = err ? err : read_place(c, to, &q.to, why);
	err = err ? err : read_port(slice_trim(rest), &transports, &q.port, why);
	if (!err && q.from.gateway && q.to.gateway) {
		out_z(why, "name a zone besides the gateway");
		err = ERR_SYNTAX;
	}
	if (err)
		return err;
	json_open(j, '[');
	for (unsigned t = 0; t < 2; t++) {
		if (!(transports & (1u << t)))
			continue;
		q.transport = t == 0 ? TRANSPORT_UDP : TRANSPORT_TCP;
		explain_one(j, &q);
	}
	json_close(j, ']');
	return 0;
}
