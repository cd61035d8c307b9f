#include "flow/lib/harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "call/media_session.h"

#define HIDDEN_MIN 6 /* shorter words may stand anywhere by chance */

/* ---- failures ---- */

__attribute__((format(printf, 2, 0))) static void fail_v(struct harness *h, const char *fmt,
							 va_list args)
{
	int n;

	if (h->failed)
		return;
	h->failed = true;
	n = snprintf(h->failure, sizeof(h->failure),
		     "at %llu ms: ", (unsigned long long)(h->now_ms - HARNESS_START_MS));
	(void)vsnprintf(h->failure + n, sizeof(h->failure) - (size_t)n, fmt, args);
}

void harness_fail(struct harness *h, const char *fmt, ...)
{
	va_list args;

	if (h->lenient)
		return;
	va_start(args, fmt);
	fail_v(h, fmt, args);
	va_end(args);
}

void harness_fail_always(struct harness *h, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail_v(h, fmt, args);
	va_end(args);
}

/* ---- what the core asks for ---- */

/* For whoever looks at a failure: what came in and went out. */
static void trace(const struct harness *h, const char *how, const struct path *path,
		  struct slice bytes)
{
	char remote[IP_ENDPOINT_TEXT_MAX];

	if (h->trace)
		fprintf(stderr, "--- at %llu ms %s %s\n%.*s\n",
			(unsigned long long)(h->now_ms - HARNESS_START_MS), how,
			ip_endpoint_text(&path->remote, remote), SLICE_ARGS(bytes));
}

void harness_hide(struct harness *h, uint16_t zone, struct slice text)
{
	struct harness_hidden *x = &h->hidden[h->hidden_count];

	if (text.n < HIDDEN_MIN || text.n >= HARNESS_HIDDEN_TEXT)
		return;
	for (size_t i = 0; i < h->hidden_count; i++)
		if (h->hidden[i].zone == zone && slice_eq(slice_z(h->hidden[i].text), text))
			return;
	if (h->hidden_count == HARNESS_HIDDEN_MAX)
		return;
	x->zone = zone;
	(void)slice_to_z(text, x->text, sizeof(x->text));
	h->hidden_count++;
}

static bool is_digest(const char *line)
{
	static const char *const names[] = {"Authorization:", "Proxy-Authorization:",
					    "WWW-Authenticate:", "Proxy-Authenticate:"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Digests cross untouched; nothing else of another zone may be seen. */
static bool stands_openly(const char *bytes, const char *text)
{
	char *copy = strdup(bytes), *rest = copy, *line;
	bool found = false;

	while (!found && (line = strsep(&rest, "\n")) != NULL)
		found = !is_digest(line) && strstr(line, text);
	free(copy);
	return found;
}

static void check_hidden(struct harness *h, uint16_t zone, const char *bytes)
{
	for (size_t i = 0; !h->hiding_off && i < h->hidden_count; i++)
		if (h->hidden[i].zone != zone && strstr(bytes, h->hidden[i].text) &&
		    stands_openly(bytes, h->hidden[i].text))
			harness_fail_always(h, "\"%s\" of another zone stands in:\n%s",
					    h->hidden[i].text, bytes);
}

static void check_sent(struct harness *h, const struct path *path, struct slice bytes)
{
	enum reason why = REASON_NONE;
	struct sip_msg msg;

	if (!h->refusing && !h->rubbish &&
	    sip_msg_parse(bytes, CORE_MESSAGE_MAX, &msg, &why) != SIP_DONE)
		harness_fail_always(h, "what is sent does not parse (%s):\n%.*s",
				    reason_row(why)->name, SLICE_ARGS(bytes));
}

static void on_send(struct harness *h, const struct action *a)
{
	struct harness_sent *s = &h->sent[h->sent_count];

	if (a->path.listener >= h->config->listener_count) {
		harness_fail_always(h, "a send to listener %u, which is not there",
				    a->path.listener);
		return;
	}
	if (slice_eq(a->bytes, SL("\r\n\r\n")))
		return;
	check_sent(h, &a->path, a->bytes);
	if (h->sent_count == HARNESS_SENT_MAX) {
		harness_fail(h, "more than %d sends", HARNESS_SENT_MAX);
		return;
	}
	trace(h, "to", &a->path, a->bytes);
	s->path = a->path;
	s->n = a->bytes.n;
	s->bytes = malloc(s->n + 1);
	memcpy(s->bytes, a->bytes.p, s->n);
	s->bytes[s->n] = '\0';
	check_hidden(h, h->config->listeners[a->path.listener].zone, s->bytes);
	h->sent_count++;
}

static void trace_flow(const struct harness *h, const char *what, const struct flow_spec *f)
{
	char local[IP_ENDPOINT_TEXT_MAX];

	if (h->trace)
		fprintf(stderr, "--- at %llu ms %s: flow %s of call %u\n",
			(unsigned long long)(h->now_ms - HARNESS_START_MS), what,
			ip_endpoint_text(&f->local, local), f->call);
}

static void on_open(struct harness *h, const struct flow_spec *f, const struct flow_keys *keys)
{
	size_t i = 0;

	while (i < h->flow_count && !ip_endpoint_eq(&h->flow[i].local, &f->local))
		i++;
	if (i == HARNESS_FLOWS_MAX) {
		harness_fail(h, "more than %d flows", HARNESS_FLOWS_MAX);
		return;
	}
	trace_flow(h, "open", f);
	if (f->call == 0)
		harness_fail_always(h, "a flow without a call");
	harness_check_secret(h, &f->secret_in, keys ? &keys->in : NULL);
	harness_check_secret(h, &f->secret_out, keys ? &keys->out : NULL);
	h->flow[i] = *f;
	if (i == h->flow_count)
		h->flow_count++;
}

/* The successor wants exactly what stands there. */
static void on_adopt(struct harness *h, const struct flow_spec *f, const struct flow_keys *keys)
{
	size_t i = 0;

	while (i < h->orphan_count && !(ip_endpoint_eq(&h->orphan[i].local, &f->local) &&
					media_flow_same(&h->orphan[i], f)))
		i++;
	if (i == h->orphan_count)
		harness_fail(h, "a flow is adopted that does not stand there like this");
	else
		h->orphan[i] = h->orphan[--h->orphan_count];
	on_open(h, f, keys);
}

static void on_close(struct harness *h, const struct flow_spec *f, enum reason why)
{
	trace_flow(h, reason_row(why)->name, f);
	for (size_t i = 0; i < h->flow_count; i++) {
		if (!ip_endpoint_eq(&h->flow[i].local, &f->local))
			continue;
		h->flow[i] = h->flow[--h->flow_count];
		if (h->closed_count < HARNESS_FLOWS_MAX)
			h->closed[h->closed_count++] = why;
		return;
	}
	harness_fail(h, "a flow is closed that was not open");
}

static void on_report(struct harness *h, const struct action *a)
{
	struct harness_report *r = &h->report[h->report_count];

	if (h->report_count == HARNESS_REPORTS_MAX)
		return;
	*r = (struct harness_report){.type = a->type, .reason = a->reason};
	(void)slice_to_z(a->bytes.p ? a->bytes : SL(""), r->text, sizeof(r->text));
	h->report_count++;
}

static void on_action(void *ctx, const struct action *a)
{
	struct harness *h = ctx;

	switch (a->kind) {
	case ACT_SEND:
		on_send(h, a);
		break;
	case ACT_OPEN_FLOW:
		on_open(h, a->flow, a->keys);
		break;
	case ACT_ADOPT_FLOW:
		on_adopt(h, a->flow, a->keys);
		break;
	case ACT_KEEP:
		harness_on_keep(h, a);
		break;
	case ACT_FORGET:
		harness_on_forget(h, a->kept, a->number);
		break;
	case ACT_CLOSE_FLOW:
		on_close(h, a->flow, a->reason);
		break;
	case ACT_REPORT:
		on_report(h, a);
		break;
	case ACT_TRACE:
		h->traced += a->bytes.n;
		break;
	case ACT_IDENTITY:
		h->asked = *a->identity;
		break;
	case ACT_DISTRUST:
		h->distrusted++;
		break;
	case ACT_BAN:
	case ACT_UNBAN:
		h->bans += a->kind == ACT_BAN ? 1 : -1;
		break;
	}
}

/* SplitMix64 (Steele, Lea, Flood, 2014). */
static uint64_t next_chance(struct harness *h)
{
	uint64_t z = h->chance += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void on_random(void *ctx, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)next_chance(ctx);
}

/* No digest of the world, but one that depends on every byte: FNV-1a. */
static int on_digest(void *ctx, struct slice algorithm, const struct slice *parts, size_t count,
		     char out[static 65])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	if (algorithm.n && !slice_eq_nocase(algorithm, SL("MD5")) &&
	    !slice_eq_nocase(algorithm, SL("SHA-256")))
		return ERR_ABSENT;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < parts[i].n; k++)
			hash = (hash ^ (uint8_t)parts[i].p[k]) * UINT64_C(0x100000001b3);
	(void)snprintf(out, 65, "%016llx%016llx", (unsigned long long)hash,
		       (unsigned long long)~hash);
	return 0;
}

/* ---- configuration ---- */

static void hide_own_addresses(struct harness *h)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < h->config->listener_count; i++)
		harness_hide(h, h->config->listeners[i].zone,
			     slice_z(ip_text(&h->config->listeners[i].local.addr, text)));
}

void harness_init(struct harness *h, const char *config_text, bool lenient)
{
	*h = (struct harness){.now_ms = HARNESS_START_MS, .lenient = lenient};
	h->env = (struct core_env){.ctx = h,
				   .key = &h->key,
				   .act = on_action,
				   .random = on_random,
				   .digest = on_digest};
	on_random(h, (uint8_t *)&h->key, sizeof(h->key));
	h->trace = getenv("FLOW_TRACE") && !lenient;
	h->live_before = mem_test_live();
	h->config = harness_config_read(config_text);
	hide_own_addresses(h);
}

void harness_start(struct harness *h)
{
	if (core_new(&h->env, h->config, h->now_ms, &h->core))
		harness_fail(h, "no core");
}

/* The same address, port and transport is the same listener. */
static uint16_t listener_again(const struct config_listener *old, const struct config *now)
{
	for (size_t i = 0; i < now->listener_count; i++)
		if (now->listeners[i].transport == old->transport &&
		    ip_endpoint_eq(&now->listeners[i].local, &old->local))
			return (uint16_t)i;
	return CONFIG_NONE;
}

void harness_reload(struct harness *h, const char *config_text)
{
	struct config *old = h->config;
	uint16_t *map = calloc(old->listener_count, sizeof(*map));

	h->config = harness_config_read(config_text);
	for (size_t i = 0; i < old->listener_count; i++)
		map[i] = listener_again(&old->listeners[i], h->config);
	h->hidden_count = 0;
	hide_own_addresses(h);
	harness_forget(h);
	if (h->core)
		core_reload(h->core, h->config, map, h->now_ms);
	config_free(old);
	free(map);
}

/* ---- events ---- */

void harness_forget(struct harness *h)
{
	for (size_t i = 0; i < h->sent_count; i++)
		free(h->sent[i].bytes);
	h->sent_count = 0;
	h->report_count = 0;
	h->kept_out = h->distrusted = 0;
	h->closed_count = 0;
}

void harness_check_always(struct harness *h)
{
	struct core_stats stats;

	if (!h->core)
		return;
	core_stats_get(h->core, &stats);
	if (stats.calls && core_idle_ms(h->core, h->now_ms) == UINT64_MAX)
		harness_fail_always(h, "%zu calls without a timer", stats.calls);
	if (stats.transactions && core_idle_ms(h->core, h->now_ms) == UINT64_MAX)
		harness_fail_always(h, "%zu transactions without a timer", stats.transactions);
	for (uint16_t z = 0; stats.calls == 0 && z < h->config->zone_count; z++)
		if (core_zone_bps(h->core, z))
			harness_fail_always(h, "bandwidth of zone %u is kept without a call", z);
	if (h->flow_count && stats.calls == 0)
		harness_fail_always(h, "%zu flows without a call", h->flow_count);
	if (stats.flows_open != h->flow_count && !h->lenient)
		harness_fail_always(h, "%zu flows are open, the core counts %zu", h->flow_count,
				    stats.flows_open);
}

void harness_pass_to(struct harness *h, uint64_t now_ms)
{
	while (h->core && !h->failed) {
		uint64_t idle_ms = core_idle_ms(h->core, h->now_ms);

		if (idle_ms == UINT64_MAX || idle_ms > now_ms - h->now_ms)
			break;
		h->now_ms += idle_ms ? idle_ms : 1;
		core_tick(h->core, h->now_ms);
	}
	if (now_ms > h->now_ms)
		h->now_ms = now_ms;
	if (h->core)
		core_tick(h->core, h->now_ms);
	harness_check_always(h);
}

static void hide_identifiers(struct harness *h, uint16_t zone, const struct sip_msg *m)
{
	if (m->request) {
		harness_hide(h, zone, m->via.branch);
		harness_hide(h, zone, m->from.tag);
		harness_hide(h, zone, m->call_id);
	} else {
		harness_hide(h, zone, m->to.tag);
	}
}

void harness_feed(struct harness *h, const struct path *from, const char *bytes, size_t n)
{
	/* Of the exact size, so that the sanitizer sees one byte too far. */
	char *copy = malloc(n ? n : 1);
	enum reason why = REASON_NONE;
	struct sip_msg *msg = calloc(1, sizeof(*msg));
	char text[IP_TEXT_MAX];
	uint16_t zone = h->config->listeners[from->listener].zone;

	trace(h, "from", from, slice_of(bytes, n));
	memcpy(copy, bytes, n);
	harness_hide(h, zone, slice_z(ip_text(&from->remote.addr, text)));
	if (h->core && !core_admits(h->core, h->now_ms, from)) {
		h->kept_out++;
	} else if (h->core &&
		   sip_msg_parse(slice_of(copy, n), CORE_MESSAGE_MAX, msg, &why) == SIP_DONE) {
		hide_identifiers(h, zone, msg);
		core_on_message(h->core, h->now_ms, from, msg);
	} else if (h->core) {
		h->refusing = true;
		core_on_refused(h->core, h->now_ms, from, msg, why);
		h->refusing = false;
	}
	free(msg);
	free(copy);
	harness_check_always(h);
}

static bool is_what(const char *bytes, const char *what)
{
	size_t n = strlen(what);

	if (strncmp(bytes, "SIP/2.0 ", 8) == 0)
		bytes += 8;
	return strncmp(bytes, what, n) == 0 && bytes[n] == ' ';
}

bool harness_take(struct harness *h, const struct path *path, const char *what,
		  struct harness_sent *out)
{
	for (size_t i = 0; i < h->sent_count; i++) {
		struct harness_sent *s = &h->sent[i];

		if (!path_same_source(&s->path, path) || (what && !is_what(s->bytes, what)))
			continue;
		*out = *s;
		memmove(s, s + 1, (h->sent_count - i - 1) * sizeof(*s));
		h->sent_count--;
		return true;
	}
	return false;
}
