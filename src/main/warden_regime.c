#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/limits.h"
#include "config/resolve.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/warden.h"

static int read_text(const char *path, struct slice *out, struct out *errors)
{
	char *text = mem_zalloc(1, CONFIG_TEXT_MAX + 1);
	int fd = text ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
	int err = !text ? ERR_NOMEM : fd < 0 ? -errno : 0;
	size_t n = 0;

	while (!err && n <= CONFIG_TEXT_MAX) {
		ssize_t got = read(fd, text + n, CONFIG_TEXT_MAX + 1 - n);

		if (got < 0)
			err = -errno;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	if (!err && n > CONFIG_TEXT_MAX)
		err = ERR_LIMIT;
	if (err) {
		out_fmt(errors, "%s: %s\n", path, err_text(err));
		mem_free(text);
		return err;
	}
	*out = slice_of(text, n);
	return 0;
}

/* All that is wrong, and what is merely odd only if nothing is wrong. */
static void write_issues(struct out *errors, const char *path, const struct config_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		struct out before = *errors;

		config_issue_write(errors, path, &report->issues[i]);
		out_char(errors, '\n');
		if (errors->err) { /* it is full: whole lines only */
			*errors = before;
			return;
		}
	}
}

struct rule_errors {
	struct out *errors;
	const char *path; /* of the configuration */
	unsigned line;
};

static void on_rule_error(void *ctx, const char *file, unsigned line, const char *text)
{
	struct rule_errors *e = ctx;
	struct out before = *e->errors;

	if (!file && !e->line)
		out_fmt(e->errors, "%s: %s\n", e->path, text);
	else
		out_fmt(e->errors, "%s:%u: %s\n", file ? file : e->path, file ? line : e->line,
			text);
	if (e->errors->err)
		*e->errors = before;
}

static int read_config(const char *path, struct slice text, struct config **out,
		       struct tls_material *tls, struct signer_files *signers,
		       struct trust_files *trust, struct out *errors)
{
	struct config_report report = config_report_empty();
	struct config_world world = config_world_system();
	struct config *c = NULL;
	int err = config_parse(text, &report, &c);

	if (!err)
		err = config_resolve(c, &world, &report);
	if (!err)
		err = config_secrets_read(c, &report);
	if (!err)
		err = signer_files_open(c, clock_wall_ms() / 1000, signers, &report);
	if (!err)
		err = trust_files_open(c, trust, &report);
	if (!err)
		err = tls_material_open(c, clock_wall_ms() / 1000, tls, &report);
	write_issues(errors, path, &report);
	if (err && report.count == 0)
		out_fmt(errors, "%s: %s\n", path, err_text(err));
	config_report_done(&report);
	if (err) {
		config_free(c);
		return err;
	}
	*out = c;
	return 0;
}

static int read_rules(const char *path, struct regime *r, struct out *errors)
{
	struct rule_errors e = {errors, path, r->config->patches.line};
	int err = patch_files_open(r->config, &r->patches, on_rule_error, &e);

	if (err == ERR_NOMEM)
		out_fmt(errors, "%s: %s\n", path, err_text(err));
	return err;
}

/* The line of the first section that asks for this listener. */
static unsigned listener_line(const struct config *c, const struct config_listener *l)
{
	for (size_t i = 0; i < c->phones_count; i++)
		for (size_t k = 0; k < c->phones[i].listen_count; k++)
			if (c->phones[i].zone == l->zone &&
			    c->phones[i].listen[k].port == l->local.port)
				return c->phones[i].line;
	for (size_t i = 0; i < c->pbx_count; i++)
		if (c->pbxs[i].zone == l->zone)
			return c->pbxs[i].line;
	return c->zones[l->zone].line;
}

static int make_links(const char *path, struct vlans *vlans, const struct config *c,
		      struct out *errors)
{
	size_t failed;
	int err = vlans_make(vlans, c, &failed);
	const struct config_zone *z = &c->zones[failed];

	if (err == ERR_ABSENT)
		out_fmt(errors,
			"%s:%u: zone %s: this kernel makes no VLAN links (modprobe 8021q); make %s "
			"yourself, or name the interface that carries the VLAN untagged\n",
			path, z->line, z->name, z->interface);
	else if (err)
		out_fmt(errors, "%s:%u: zone %s: the link %s cannot be made: %s\n", path, z->line,
			z->name, z->interface, err_text(err));
	return err;
}

int regime_bind(const char *path, struct vlans *vlans, const struct regime *old, struct regime *r,
		struct out *errors)
{
	size_t failed = 0;
	int err = make_links(path, vlans, r->config, errors);
	const struct config_listener *l;
	char text[IP_ENDPOINT_TEXT_MAX];

	if (err)
		return err;
	err = listeners_open(r->config, old ? old->config : NULL, old ? &old->listeners : NULL,
			     &r->listeners, &failed);
	l = &r->config->listeners[failed];
	if (err)
		out_fmt(errors, "%s:%u: cannot listen on %s:%s: %s\n", path,
			listener_line(r->config, l), transport_text(l->transport),
			ip_endpoint_text(&l->local, text), err_text(err));
	return err;
}

int regime_read(const char *path, uint64_t generation, struct regime *out, struct out *errors)
{
	struct regime r = {.generation = generation};
	int err = read_text(path, &r.text, errors);

	if (!err)
		err = read_config(path, r.text, &r.config, &r.tls, &r.signers, &r.trust, errors);
	if (!err)
		err = read_rules(path, &r, errors);
	if (err) {
		tls_material_close(&r.tls);
		config_free(r.config);
		signer_files_close(&r.signers);
		trust_files_close(&r.trust);
		mem_free((void *)(uintptr_t)r.text.p);
		return err;
	}
	*out = r;
	return 0;
}

void regime_done(struct regime *r, const struct regime *heir)
{
	listeners_close(&r->listeners, heir ? &heir->listeners : NULL);
	tls_material_close(&r->tls);
	signer_files_close(&r->signers);
	trust_files_close(&r->trust);
	patch_files_close(&r->patches);
	mem_free((void *)(uintptr_t)r->text.p);
	config_free(r->config);
	*r = (struct regime){0};
}
