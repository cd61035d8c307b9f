#include "config/config_load.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/build.h"
#include "config/checks.h"
#include "config/checks_assess.h"
#include "config/doc.h"
#include "config/schema.h"
#include "config/text.h"

static bool has_method(const struct config_phones *p, const char *method)
{
	for (size_t i = 0; i < p->method_count; i++)
		if (slice_eq(p->methods[i], slice_z(method)))
			return true;
	return false;
}

/* Nobody can hold a call without these: they go with INVITE. */
static int complete_methods(struct config *c, struct config_phones *p)
{
	static const char *const with_invite[] = {"ACK", "BYE", "CANCEL"};
	size_t n = p->method_count;
	struct slice *list;

	if (!has_method(p, "INVITE"))
		return 0;
	list = arena_alloc(&c->arena, (n + 3) * sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	memcpy(list, p->methods, n * sizeof(*list));
	for (size_t i = 0; i < 3; i++)
		if (!has_method(p, with_invite[i]))
			list[n++] = slice_z(with_invite[i]);
	p->methods = list;
	p->method_count = n;
	return 0;
}

/* Lists that follow from other keys. ERR_NOMEM. */
static int derive_defaults(struct config *c)
{
	static const struct config_listen ssh = {.transport = TRANSPORT_TCP, .port = 22};

	for (size_t i = 0; i < c->zone_count; i++) {
		struct config_zone *z = &c->zones[i];

		if (!z->services && z->trust == ZONE_TRUSTED) {
			z->services = &ssh;
			z->service_count = 1;
		}
		if (z->public4.family == IP_NONE)
			z->public4 = z->address4;
		if (z->public6.family == IP_NONE)
			z->public6 = z->address6;
	}
	for (size_t i = 0; i < c->pbx_count; i++) {
		struct config_pbx *p = &c->pbxs[i];
		struct slice *host;

		if (p->domains)
			continue;
		host = arena_alloc(&c->arena, sizeof(*host));
		if (!host)
			return ERR_NOMEM;
		*host = slice_z(p->peer.host);
		p->domains = host;
		p->domain_count = 1;
	}
	for (size_t i = 0; i < c->phones_count; i++) {
		int err = complete_methods(c, &c->phones[i]);

		if (err)
			return err;
	}
	return 0;
}

static const struct doc_entry *entry_of(const struct doc_section *s, const char *key)
{
	for (const struct doc_entry *e = s->entries; e; e = e->next)
		if (strcmp(e->row->key, key) == 0)
			return e;
	return NULL;
}

static void note_reach_lines(struct config_zone *z, const struct doc_entry *e)
{
	struct config_reach *list = (struct config_reach *)(uintptr_t)z->reaches;
	size_t n = 0;

	for (const struct doc_value *v = e->values; v && n < z->reach_count; v = v->next)
		list[n++].line = v->line;
}

/* Where it is written what may pass: the policy names these lines. */
static void note_lines(struct config *c, const struct doc *doc)
{
	for (const struct doc_section *s = doc->sections; s; s = s->next) {
		const struct doc_entry *reaches = entry_of(s, "reaches");
		const struct doc_entry *admins = entry_of(s, "admins");

		for (size_t i = 0; reaches && i < c->zone_count; i++)
			if (c->zones[i].line == s->line)
				note_reach_lines(&c->zones[i], reaches);
		if (admins)
			c->assess.admins_line = admins->line;
	}
}

/* By name, in any order; what names no zone stays CONFIG_NONE and is told by the checks. */
static void resolve_reaches(struct config *c)
{
	for (size_t i = 0; i < c->zone_count; i++) {
		struct config_reach *list = (struct config_reach *)(uintptr_t)c->zones[i].reaches;

		for (size_t n = 0; n < c->zones[i].reach_count; n++)
			list[n].zone = config_zone_find(c, slice_z(list[n].to));
	}
}

/* A zone that is bound to a tunnel and names no subnets is what the tunnel leads to. */
static void take_tunnels(struct config *c)
{
	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_tunnel *t = config_tunnel_of(c, (uint16_t)i);

		if (!t || c->zones[i].subnet_count)
			continue;
		c->zones[i].subnets = t->remote_subnets;
		c->zones[i].subnet_count = t->remote_subnet_count;
	}
}

/* A tagged zone is on the link of its VLAN. */
static void name_links(struct config *c)
{
	for (size_t i = 0; i < c->zone_count; i++) {
		struct config_zone *z = &c->zones[i];
		struct out o = out_to(z->interface, sizeof(z->interface) - 1);

		if (!z->vlan)
			continue;
		memcpy(z->parent, z->interface, sizeof(z->parent));
		out_fmt(&o, "%s.%u", z->parent, z->vlan);
		if (o.err) {
			o = out_to(z->interface, sizeof(z->interface) - 1);
			out_fmt(&o, "vlan%u", z->vlan);
		}
		memset(z->interface + o.n, 0, sizeof(z->interface) - o.n);
	}
}

static int fill(struct config *c, struct arena *scratch, const char *text,
		struct config_report *report)
{
	struct doc doc;
	int err = doc_read(scratch, text, report, &doc);

	if (!err)
		err = config_build(c, &doc, report);
	if (!err)
		err = derive_defaults(c);
	if (!err) {
		resolve_reaches(c);
		note_lines(c, &doc);
		name_links(c);
		take_tunnels(c);
	}
	if (!err)
		err = config_apply_shields(c);
	if (!err && doc.whole)
		config_check(c, &doc, report);
	return err ? err : config_report_verdict(report);
}

static struct config *config_new(void)
{
	struct config *c = mem_zalloc(1, sizeof(*c));

	if (c)
		arena_init(&c->arena, CONFIG_CHUNK_BYTES, CONFIG_MEMORY_MAX);
	return c;
}

static int parse_clean(const char *text, struct config_report *report, struct config **out)
{
	struct config *c = config_new();
	struct arena scratch;
	int err;

	if (!c)
		return ERR_NOMEM;
	arena_init(&scratch, CONFIG_CHUNK_BYTES, CONFIG_MEMORY_MAX);
	err = fill(c, &scratch, text, report);
	arena_done(&scratch);
	if (err) {
		config_free(c);
		return err;
	}
	*out = c;
	return 0;
}

int config_parse(struct slice text, struct config_report *report, struct config **out)
{
	char *clean;
	int err;

	if (text.n > CONFIG_TEXT_MAX) {
		config_error(report, 0, "the configuration is longer than %d bytes; shorten it",
			     CONFIG_TEXT_MAX);
		return ERR_SYNTAX;
	}
	clean = mem_zalloc(text.n + 1, 1);
	if (!clean)
		return ERR_NOMEM;
	err = config_text_clean(text, clean, report);
	if (!err)
		err = parse_clean(clean, report, out);
	mem_free(clean);
	return err;
}

/* Up to size bytes; the number read or -errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = read(fd, buf + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

int config_load(const char *path, struct config_report *report, struct config **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;
	ssize_t n;
	int err;

	if (fd < 0) {
		err = -errno;
		config_error(report, 0, "cannot be opened: %s", strerror(-err));
		return err;
	}
	text = mem_zalloc(CONFIG_TEXT_MAX + 1, 1);
	if (!text) {
		close(fd);
		return ERR_NOMEM;
	}
	n = read_all(fd, text, CONFIG_TEXT_MAX + 1);
	close(fd);
	if (n < 0)
		config_error(report, 0, "cannot be read: %s", strerror((int)-n));
	err = n < 0 ? (int)n : config_parse(slice_of(text, (size_t)n), report, out);
	mem_free(text);
	return err;
}
