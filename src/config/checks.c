#include "config/checks.h"

#include <sys/un.h>

#include "config/check_identity.h"
#include "config/check_tls.h"
#include "config/check_tunnel.h"
#include "config/checks_assess.h"
#include "config/check_secret.h"
#include "config/peers.h"
#include "config/schema.h"

struct check {
	const struct config *c;
	const struct doc *doc;
	struct config_report *report;
};

/* The line of a key in the section that starts in `section_line`; that line when the key is not
 * written there. */
static unsigned line_of(const struct check *k, unsigned section_line, const char *key)
{
	for (const struct doc_section *s = k->doc->sections; s; s = s->next)
		for (const struct doc_entry *e = s->entries;
		     (s->line == section_line || (s->within && s->within->line == section_line)) &&
		     e;
		     e = e->next)
			if (strcmp(e->row->key, key) == 0)
				return e->line;
	return section_line;
}

/* The line of a key in a section without a name; 0 when it is not written. */
static unsigned line_in(const struct check *k, const char *section, const char *key)
{
	for (const struct doc_section *s = k->doc->sections; s; s = s->next)
		for (const struct doc_entry *e = s->entries;
		     strcmp(s->schema->name, section) == 0 && e; e = e->next)
			if (strcmp(e->row->key, key) == 0)
				return e->line;
	return 0;
}

/* ---- zones ---- */

static bool zone_is_used(const struct config *c, uint16_t zone)
{
	for (size_t i = 0; i < c->pbx_count; i++)
		if (c->pbxs[i].zone == zone)
			return true;
	for (size_t i = 0; i < c->phones_count; i++)
		if (c->phones[i].zone == zone)
			return true;
	for (size_t i = 0; i < c->trunk_count; i++)
		if (c->trunks[i].zone == zone)
			return true;
	return false;
}

static bool have_own_addresses(const struct config_zone *a, const struct config_zone *b)
{
	return (a->address4.family || a->address6.family) &&
	       (b->address4.family || b->address6.family);
}

static bool share_address(const struct config_zone *a, const struct config_zone *b)
{
	return (a->address4.family && ip_eq(&a->address4, &b->address4)) ||
	       (a->address6.family && ip_eq(&a->address6, &b->address6));
}

/* What goes through a tunnel is told from the rest of its interface by an address of its own, which
 * config_check_tunnels asks for. */
static bool bound_apart(const struct config *c, const struct config_zone *a,
			const struct config_zone *b)
{
	return config_tunnel_at(c, a->tunnel) != config_tunnel_at(c, b->tunnel);
}

static void check_zone_pair(const struct check *k, const struct config_zone *a,
			    const struct config_zone *b)
{
	if (share_address(a, b))
		config_error(k->report, line_of(k, b->line, "address"),
			     "zone %s has an address of zone %s; give each its own", b->name,
			     a->name);
	else if (a->vlan && strcmp(a->interface, b->interface) == 0)
		config_error(k->report, line_of(k, b->line, "vlan"),
			     "zones %s and %s are both VLAN %u of %s; merge the two or give one "
			     "another vlan",
			     a->name, b->name, a->vlan, a->parent);
	else if (*a->interface && strcmp(a->interface, b->interface) == 0 &&
		 !have_own_addresses(a, b) && !bound_apart(k->c, a, b))
		config_error(k->report, line_of(k, b->line, "interface"),
			     "zone %s is on the interface of zone %s; name another interface, or "
			     "give each zone an address",
			     b->name, a->name);
	else if (*a->interface && strcmp(a->interface, b->interface) == 0 &&
		 !bound_apart(k->c, a, b))
		config_warning(k->report, line_of(k, b->line, "interface"),
			       "zones %s and %s share %s: what is in one can reach the other "
			       "without passing the gateway",
			       a->name, b->name, a->interface);
}

/* "Everything" is what no other zone has: it may stand beside any subnet. */
static bool clash(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->bits && b->bits && ip_prefixes_overlap(a, b);
}

/* Subnets of b against those of a, or against the earlier ones of b when they are the same. */
static void check_subnets(const struct check *k, const struct config_zone *a,
			  const struct config_zone *b)
{
	char z[IP_TEXT_MAX];

	for (size_t i = 0; i < b->subnet_count; i++)
		for (size_t n = 0; n < (a == b ? i : a->subnet_count); n++) {
			if (!clash(&a->subnets[n], &b->subnets[i]))
				continue;
			config_error(k->report, line_of(k, b->line, "subnets"),
				     "subnet %s/%u of zone %s overlaps with one of zone %s; let "
				     "each address belong to one",
				     ip_text(&b->subnets[i].addr, z), b->subnets[i].bits, b->name,
				     a->name);
			return;
		}
}

static void check_zones(const struct check *k)
{
	const struct config *c = k->c;

	if (c->zone_count == 0)
		config_error(k->report, 0, "there is no zone; add zone NAME { interface = ... }");
	for (size_t i = 0; i < c->zone_count; i++) {
		for (size_t n = 0; n < i; n++) {
			check_zone_pair(k, &c->zones[n], &c->zones[i]);
			check_subnets(k, &c->zones[n], &c->zones[i]);
		}
		check_subnets(k, &c->zones[i], &c->zones[i]);
		if (!zone_is_used(c, (uint16_t)i))
			config_warning(k->report, c->zones[i].line,
				       "zone %s is named by no pbx, phones or trunk",
				       c->zones[i].name);
	}
}

/* ---- what zones reach ---- */

static bool apart(uint8_t a, uint8_t b)
{
	return (a == ZONE_VOICE && b == ZONE_DATA) || (a == ZONE_DATA && b == ZONE_VOICE);
}

/* What comes out of a tunnel is told from the rest of its interface by the kernel's word for it. */
static bool shares_interface(const struct config *c, const struct config_zone *z)
{
	uint16_t zone = (uint16_t)(z - c->zones);

	for (uint16_t i = 0; i < c->zone_count; i++)
		if (i != zone && config_zone_first(c, i) == config_zone_first(c, zone))
			return true;
	return false;
}

static void check_reach(const struct check *k, const struct config_zone *z,
			const struct config_reach *r)
{
	const struct config_zone *to = r->zone < k->c->zone_count ? &k->c->zones[r->zone] : NULL;
	unsigned line = line_of(k, z->line, "reaches");

	if (!to)
		config_error(k->report, line, "reaches: there is no zone %s; add zone %s { ... }",
			     r->to, r->to);
	else if (to == z)
		config_error(k->report, line, "zone %s reaches itself anyway; remove it", z->name);
	else if (apart(z->role, to->role))
		config_error(k->report, line,
			     "zone %s is for %s and zone %s for %s: they are kept apart and meet "
			     "through the gateway's SIP alone; remove it",
			     z->name, z->role == ZONE_VOICE ? "voice" : "data", to->name,
			     to->role == ZONE_VOICE ? "voice" : "data");
	else if (shares_interface(k->c, z) || shares_interface(k->c, to))
		config_error(
			k->report, line,
			"zone %s shares its interface with another zone, so what comes from it "
			"cannot be told; give it an interface or a vlan of its own",
			shares_interface(k->c, z) ? z->name : to->name);
}

static void check_reaches(const struct check *k)
{
	for (size_t i = 0; i < k->c->zone_count; i++)
		for (size_t n = 0; n < k->c->zones[i].reach_count; n++)
			check_reach(k, &k->c->zones[i], &k->c->zones[i].reaches[n]);
}

/* ---- listeners ---- */

/* A section's listeners, whatever its kind. */
struct listening {
	const char *kind, *name;
	unsigned line;
	uint16_t zone;
	const struct config_listen *listen;
	size_t count;
};

static struct listening listening_phones(const struct config_phones *p)
{
	return (struct listening){.kind = "phones",
				  .name = p->name,
				  .line = p->line,
				  .zone = p->zone,
				  .listen = p->listen,
				  .count = p->listen_count};
}

static struct listening listening_pbx(const struct config_pbx *p)
{
	return (struct listening){.kind = "pbx",
				  .name = p->name,
				  .line = p->line,
				  .zone = p->zone,
				  .listen = p->listen,
				  .count = p->listen_count};
}

static bool same_listen(const struct config_listen *a, const struct config_listen *b)
{
	return a->port == b->port && a->transport == b->transport && a->port;
}

static bool in_list(const struct config_listen *list, size_t count, const struct config_listen *l)
{
	for (size_t i = 0; i < count; i++)
		if (same_listen(&list[i], l))
			return true;
	return false;
}

/* One listener of a section against the rest of that section, its zone and the media ports. */
static void check_listen(const struct check *k, const struct listening *s, size_t index)
{
	const struct config_media *m = &k->c->media;
	const struct config_listen *l = &s->listen[index];
	const struct config_zone *z = s->zone < k->c->zone_count ? &k->c->zones[s->zone] : NULL;
	unsigned line = line_of(k, s->line, "listen");

	if (in_list(s->listen, index, l))
		config_error(k->report, line, "%s:%u stands twice in listen; remove one",
			     transport_text(l->transport), l->port);
	if (l->transport == TRANSPORT_UDP && l->port >= m->port_first && l->port <= m->port_last)
		config_error(k->report, line,
			     "udp:%u lies within the media ports %u-%u; move one of them", l->port,
			     m->port_first, m->port_last);
	if (z && in_list(z->services, z->service_count,
			 &(struct config_listen){.transport = l->transport == TRANSPORT_UDP
								      ? TRANSPORT_UDP
								      : TRANSPORT_TCP,
						 .port = l->port}))
		config_error(k->report, line,
			     "port %u is listed in services of zone %s already; it cannot be both",
			     l->port, z->name);
}

static void check_listening(const struct check *k, const struct listening *s)
{
	if (s->count == 0)
		config_error(k->report, line_of(k, s->line, "listen"),
			     "%s %s listens nowhere; write listen = \"udp:5060\"", s->kind,
			     s->name);
	if (s->count > CONFIG_LISTEN_MAX)
		config_error(k->report, line_of(k, s->line, "listen"),
			     "listen has %zu entries; at most %d can be", s->count,
			     CONFIG_LISTEN_MAX);
	for (size_t i = 0; i < s->count; i++)
		check_listen(k, s, i);
}

/* Which phones a packet belongs to is told by its zone, transport and port alone. */
static void check_phones_pair(const struct check *k, const struct config_phones *a,
			      const struct config_phones *b)
{
	for (size_t i = 0; a->zone == b->zone && a->zone != CONFIG_NONE && i < b->listen_count;
	     i++) {
		const struct config_listen *l = &b->listen[i];

		if (!in_list(a->listen, a->listen_count, l))
			continue;
		config_error(k->report, line_of(k, b->line, "listen"),
			     "phones %s and phones %s both listen on %s:%u of zone %s; give one "
			     "another port",
			     a->name, b->name, transport_text(l->transport), l->port,
			     k->c->zones[a->zone].name);
		return;
	}
}

static void check_services(const struct check *k, const struct config_zone *z)
{
	const struct config_media *m = &k->c->media;

	for (size_t i = 0; i < z->service_count; i++)
		if (z->services[i].transport == TRANSPORT_UDP &&
		    z->services[i].port >= m->port_first && z->services[i].port <= m->port_last)
			config_error(k->report, line_of(k, z->line, "services"),
				     "udp:%u lies within the media ports %u-%u; move one of them",
				     z->services[i].port, m->port_first, m->port_last);
}

static void check_listeners(const struct check *k)
{
	const struct config *c = k->c;

	for (size_t i = 0; i < c->pbx_count; i++) {
		struct listening s = listening_pbx(&c->pbxs[i]);

		check_listening(k, &s);
	}
	for (size_t i = 0; i < c->phones_count; i++) {
		struct listening s = listening_phones(&c->phones[i]);

		check_listening(k, &s);
		for (size_t n = 0; n < i; n++)
			check_phones_pair(k, &c->phones[n], &c->phones[i]);
	}
	for (size_t i = 0; i < c->zone_count; i++)
		check_services(k, &c->zones[i]);
}

/* ---- all of it ---- */

static bool pbx_is_used(const struct config *c, uint16_t pbx)
{
	for (size_t i = 0; i < c->phones_count; i++)
		if (c->phones[i].to == pbx)
			return true;
	for (size_t i = 0; i < c->trunk_count; i++)
		if (c->trunks[i].to == pbx)
			return true;
	return false;
}

static void check_pbxs(const struct check *k)
{
	const struct config *c = k->c;

	if (c->pbx_count == 0)
		config_error(k->report, 0,
			     "there is no pbx; add pbx NAME { zone = ...  address = ... }");
	if (c->phones_count == 0 && c->trunk_count == 0)
		config_warning(k->report, 0,
			       "there are neither phones nor trunks: nobody can call");
	for (size_t i = 0; i < c->pbx_count; i++)
		if (!pbx_is_used(c, (uint16_t)i))
			config_warning(k->report, c->pbxs[i].line,
				       "no phones and no trunk lead to pbx %s", c->pbxs[i].name);
}

static bool in_slices(const struct slice *list, size_t count, struct slice s)
{
	for (size_t i = 0; i < count; i++)
		if (slice_eq(list[i], s))
			return true;
	return false;
}

static void check_trunk(const struct check *k, const struct config_trunk *t)
{
	if (*t->username && !*t->password_file)
		config_error(k->report, line_of(k, t->line, "username"),
			     "trunk %s has a username but no password; add password-file = "
			     "\"/etc/hornwork/%s.secret\"",
			     t->name, t->name);
	if (!*t->username && *t->password_file)
		config_error(k->report, line_of(k, t->line, "password-file"),
			     "trunk %s has a password but no username; add username = ...",
			     t->name);
	for (size_t i = 0; i < t->dial_allow_count; i++)
		if (in_slices(t->dial_deny, t->dial_deny_count, t->dial_allow[i]))
			config_warning(k->report, line_of(k, t->line, "dial-allow"),
				       "\"%.*s\" stands in dial-deny too, which decides",
				       SLICE_ARGS(t->dial_allow[i]));
	if (t->max_calls > k->c->limits.calls)
		config_warning(k->report, line_of(k, t->line, "max-calls"),
			       "max-calls = %u is never reached: limits { calls } is %u",
			       t->max_calls, k->c->limits.calls);
}

static void check_limits(const struct check *k)
{
	const struct config *c = k->c;
	uint32_t pairs = (uint32_t)(c->media.port_last - c->media.port_first + 1) / 2;
	unsigned line = line_in(k, "limits", "calls");

	for (size_t i = 0; i < c->phones_count; i++)
		if (c->phones[i].max_calls > c->limits.calls)
			config_warning(k->report, line_of(k, c->phones[i].line, "max-calls"),
				       "max-calls = %u is never reached: limits { calls } is %u",
				       c->phones[i].max_calls, c->limits.calls);
	if (line && !k->report->error_count && c->limits.calls > pairs)
		config_warning(k->report, line,
			       "calls = %u is never reached: media { ports } has room for %u",
			       c->limits.calls, pairs);
}

/* Strangers must not ask who calls whom. */
static void check_console(const struct check *k)
{
	const struct config_console *con = &k->c->console;

	if (con->listen.port && !ip_is_loopback(&con->listen.addr) && !*con->token_file)
		config_error(
			k->report, line_in(k, "console", "listen"),
			"other machines could ask the console without a token; add token-file = "
			"\"/etc/hornwork/console.token\" or write listen = \"127.0.0.1:%u\"",
			con->listen.port);
	if (strlen(con->syslog) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		config_error(k->report, line_in(k, "console", "syslog"),
			     "syslog = \"%s\": the name of a socket has at most 107 bytes",
			     con->syslog);
	if (con->listen.port == 0 && *con->token_file)
		config_warning(
			k->report, line_in(k, "console", "token-file"),
			"token-file is for listen, which is not set; the Unix socket needs no "
			"token");
}

static void check_voice_vlan(const struct check *k)
{
	const struct config *c = k->c;

	if (c->voice_vlan.line && !c->voice_vlan.lldp && !c->voice_vlan.cdp) {
		config_warning(k->report, c->voice_vlan.line,
			       "voice-vlan tells nobody: neither lldp nor cdp is yes");
		return;
	}
	for (size_t i = 0; i < c->zone_count; i++)
		if (c->zones[i].role == ZONE_VOICE)
			return;
	if (c->voice_vlan.line && !k->report->error_count)
		config_warning(k->report, c->voice_vlan.line,
			       "voice-vlan tells nobody: no zone has role = voice");
}

void config_check(const struct config *c, const struct doc *doc, struct config_report *report)
{
	struct check k = {.c = c, .doc = doc, .report = report};

	config_check_assess(c, report);
	if (config_is_assets_only(c))
		return;
	check_zones(&k);
	check_reaches(&k);
	check_listeners(&k);
	check_pbxs(&k);
	for (size_t i = 0; i < c->trunk_count; i++)
		check_trunk(&k, &c->trunks[i]);
	check_limits(&k);
	check_console(&k);
	check_voice_vlan(&k);
	config_check_peers(c, report);
	config_check_tls(c, report);
	config_check_identity(c, report);
	config_check_tunnels(c, report);
	config_check_secret(c, doc, report);
}
