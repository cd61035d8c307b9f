#include "assess/visit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>

#define EVIDENCE_LINE_MAX 1024

int visit_begin(struct visit *v, const struct check_row *row, struct target *t,
		const struct visit_host *host, struct arena *arena)
{
	v->row = row;
	v->target = t;
	v->config = t->config;
	v->host = host;
	v->arena = arena;
	v->finding_count = 0;
	v->why[0] = '\0';
	v->not_asked = false;
	v->noted = false;
	v->more = false;
	v->in_call = false;
	return packet_plan_parse(slice_z(row->packets), &v->left);
}

/* ---- verdicts ---- */

/* Printable ASCII and line ends; anything else as \xNN. */
static void write_clean(struct out *o, const char *text)
{
	for (; *text && !o->err; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 0x20 && c < 0x7f) || c == '\n')
			out_char(o, (char)c);
		else if (c == '\t')
			out_char(o, ' ');
		else if (c != '\r')
			out_fmt(o, "\\x%02x", c);
	}
}

static struct finding *finding_of(struct visit *v, const struct found *f)
{
	for (size_t i = 0; i < v->finding_count; i++)
		if (v->findings[i].port == f->port &&
		    strcmp(v->findings[i].cve, f->cve ? f->cve : "") == 0)
			return &v->findings[i];
	if (v->finding_count == VISIT_FINDINGS_MAX)
		return NULL;
	v->findings[v->finding_count] = (struct finding){0};
	return &v->findings[v->finding_count++];
}

static const char *copy_z(struct visit *v, const char *z)
{
	struct slice copy;

	return z && arena_copy(v->arena, slice_z(z), &copy) == 0 ? copy.p : NULL;
}

/* The section as `hornwork shield` writes it. */
static const char *shield_section(struct visit *v, const struct finding *f, const char *body)
{
	char text[512];
	struct out o = out_to(text, sizeof(text) - 1);

	out_fmt(&o, "shield %s { %s }  # %s on %s: %s", f->id, body, f->check, f->asset, f->title);
	text[o.n] = '\0';
	return o.err ? NULL : copy_z(v, text);
}

static void fill(struct visit *v, struct finding *n, const struct found *f)
{
	const struct check_row *row = v->row;

	*n = (struct finding){
		.check = row->id,
		.address = v->target->address,
		.port = f->port,
		.severity = f->severity ? *f->severity : row->severity,
		.confidence = f->confidence ? *f->confidence : ASSESS_CONFIDENCE_HIGH,
		.cvss_tenths = f->cvss_tenths ? f->cvss_tenths : row->cvss_tenths,
		.kev = f->kev,
		.tag = row->tag,
		.title = row->title,
		.remediation = f->remediation ? copy_z(v, f->remediation) : row->remediation,
		.references = row->references,
		.pcap = copy_z(v, f->pcap),
	};
	(void)slice_to_z(slice_z(v->target->name), n->asset, sizeof(n->asset));
	if (f->cve)
		(void)slice_to_z(slice_z(f->cve), n->cve, sizeof(n->cve));
	finding_identify(n);
	n->shield = f->shield ? shield_section(v, n, f->shield) : NULL;
}

static void add_evidence(struct visit *v, struct finding *n, const char *line)
{
	char text[FINDING_EVIDENCE_MAX];
	struct out o = out_to(text, sizeof(text) - 1);

	if (n->evidence) {
		out_z(&o, n->evidence);
		out_char(&o, '\n');
	}
	write_clean(&o, line);
	text[o.n] = '\0';
	n->evidence = copy_z(v, text);
}

enum verdict visit_found(struct visit *v, const struct found *f, const char *fmt, ...)
{
	char line[EVIDENCE_LINE_MAX];
	struct finding *n = finding_of(v, f);
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (!n) {
		v->more = true;
		add_evidence(v, &v->findings[VISIT_FINDINGS_MAX - 1],
			     "there are more of this kind than are listed");
		return VERDICT_FOUND;
	}
	if (!n->check)
		fill(v, n, f);
	add_evidence(v, n, line);
	return VERDICT_FOUND;
}

enum verdict visit_absent(struct visit *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(v->why, sizeof(v->why), fmt, args);
	va_end(args);
	return VERDICT_ABSENT;
}

enum verdict visit_noted(struct visit *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(v->why, sizeof(v->why), fmt, args);
	va_end(args);
	v->noted = true;
	return VERDICT_CLEAN;
}

enum verdict visit_untested(struct visit *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(v->why, sizeof(v->why), fmt, args);
	va_end(args);
	return VERDICT_UNTESTED;
}

enum verdict visit_not_asked(struct visit *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(v->why, sizeof(v->why), fmt, args);
	va_end(args);
	v->not_asked = true;
	return VERDICT_UNTESTED;
}

const char *visit_quarantine(struct visit *v)
{
	char text[IP_TEXT_MAX + 32], z[IP_TEXT_MAX];

	snprintf(text, sizeof(text), "quarantine = {\"%s\"}", ip_text(&v->target->address, z));
	return copy_z(v, text);
}

/* Whether a pbx section names the target: its messages pass the gateway then. */
static bool is_behind_gateway(const struct visit *v)
{
	for (size_t i = 0; i < v->config->pbx_count; i++)
		if (ip_eq(&v->config->pbxs[i].peer.at.addr, &v->target->address))
			return true;
	return false;
}

const char *visit_virtual_patch(struct visit *v, const char *cve)
{
	char text[64];

	if (!cve || !v->host->is_patchable || v->target->asset->kind != ASSET_PBX ||
	    !is_behind_gateway(v) || !v->host->is_patchable(v->host->patches, cve))
		return NULL;
	snprintf(text, sizeof(text), "patch = {\"%s\"}", cve);
	return copy_z(v, text);
}

enum verdict visit_closed(struct visit *v, int err)
{
	if (err == -ECONNREFUSED || err == -ETIMEDOUT || err == -ECONNRESET ||
	    err == -EHOSTUNREACH || err == -ENETUNREACH || err == -EACCES)
		return VERDICT_CLEAN;
	return visit_failed(v, "the connection", err);
}

enum verdict visit_failed(struct visit *v, const char *what, int err)
{
	if (err == ERR_LIMIT)
		return visit_untested(v, "%s: beyond what the check may send", what);
	return visit_untested(v, "%s: %s", what, err_text(err));
}

/* ---- means ---- */

bool visit_in_call(struct visit *v)
{
	if (v->host->in_call && v->host->in_call(v->host->ctx, v->target))
		v->in_call = true;
	return v->in_call;
}

int visit_spend(struct visit *v, enum packet_class class)
{
	if (!v->left.most[class])
		return ERR_LIMIT;
	if (visit_in_call(v))
		return ERR_DENIED;
	v->left.most[class]--;
	v->target->sent.most[class]++;
	return 0;
}

int visit_connect(struct visit *v, enum packet_class class, uint16_t port, struct wire **out)
{
	const struct seen_port *seen = target_seen_port(v->target, port);
	int err;

	if (seen && !seen->open)
		return -ECONNREFUSED;
	err = visit_spend(v, class);
	if (err)
		return err;
	err = wire_open(v->target, port, WIRE_TIMEOUT_MS, out);
	target_saw_port(v->target, port, err);
	return err;
}

int visit_udp(struct visit *v, uint16_t port, struct dgram *out)
{
	return dgram_open(v->target, port, 0, out);
}

int visit_send(struct visit *v, enum packet_class class, struct dgram *u, struct slice bytes)
{
	int err = visit_spend(v, class);

	return err ? err : dgram_send(u, bytes);
}

int visit_ask(struct visit *v, enum packet_class class, uint16_t port, struct slice request,
	      char *answer, size_t size)
{
	struct dgram u;
	int n = visit_udp(v, port, &u);

	if (n)
		return n;
	n = -ETIMEDOUT;
	for (int attempt = 0; attempt < 2 && n == -ETIMEDOUT; attempt++) {
		/* A budget of one is one try. */
		int err = visit_send(v, class, &u, request);

		if (err) {
			n = attempt ? -ETIMEDOUT : err;
			break;
		}
		n = dgram_recv(&u, answer, size, DGRAM_TIMEOUT_MS);
	}
	dgram_close(&u);
	return n;
}

int visit_may_guess(struct visit *v)
{
	return v->host->may_guess ? v->host->may_guess(v->host->ctx, v->target) : ERR_DENIED;
}

int visit_ask_gateway(struct visit *v, const char *path, char **out_text)
{
	return v->host->ask_gateway ? v->host->ask_gateway(v->host->ctx, path, out_text)
				    : ERR_ABSENT;
}

void visit_token(char out[static 17])
{
	uint8_t bytes[8] = {0};
	struct out o = out_to(out, 16);

	while (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		;
	out_hex(&o, bytes, sizeof(bytes));
	out[16] = '\0';
}
