#include <stdio.h>
#include <stdlib.h>

#include "flow/lib/player.h"

/* ---- sends ---- */

static struct player_message *message_slot(struct player *p, const char *name)
{
	struct player_message *m = player_message_find(p, name);

	if (m) {
		free(m->bytes);
		free(m->reply_tag);
		m->reply_tag = NULL;
		m->next_cseq = 0;
		m->bytes = NULL;
		return m;
	}
	if (p->message_count == PLAYER_MESSAGES_MAX)
		player_fault(p, "too many messages are kept");
	m = &p->message[p->message_count++];
	m->name = strdup(name);
	return m;
}

static const char *word_after(const struct statement *st, const char *word, const char *otherwise)
{
	for (unsigned i = 1; i + 1 < st->word_count; i++)
		if (strcmp(st->word[i], word) == 0)
			return st->word[i + 1];
	return otherwise;
}

static const char *first_pending(const struct player *p)
{
	return p->h.sent_count ? p->h.sent[0].bytes : "nothing";
}

/* out PATH WHAT [as NAME] */
void player_out(struct player *p)
{
	const struct player_path *path = player_path_find(p, p->at->word[1]);
	struct player_message *m = message_slot(p, word_after(p->at, "as", "last"));
	struct harness_sent sent;

	p->last = m;
	m->path = path;
	if (p->at->word_count < 3)
		player_fault(p, "out of what?");
	if (!harness_take(&p->h, &path->path, p->at->word[2], &sent)) {
		harness_fail(&p->h, "no %s to %s; what there is:\n%s", p->at->word[2], path->name,
			     first_pending(p));
		return;
	}
	m->bytes = sent.bytes;
	m->n = sent.n;
}

static void check_field(struct player *p, const char *field, const char *want)
{
	char *got = player_field(p, p->last, field);

	if (!got || strcmp(got, want) != 0)
		harness_fail(&p->h, "%s is \"%s\", not \"%s\", in:\n%s", field,
			     got ? got : "(absent)", want, p->last->bytes);
	free(got);
}

/* has TEXT | lacks TEXT | is FIELD TEXT, below an out. */
void player_detail(struct player *p)
{
	const struct statement *st = p->at;
	const char *verb = st->word[0];
	char *want;

	if (!p->last || !p->last->bytes)
		return;
	want = player_expand(p, st->word[st->word_count - 1]);
	if (strcmp(verb, "is") == 0)
		check_field(p, st->word[1], want);
	else if (strcmp(verb, "has") == 0 && !strstr(p->last->bytes, want))
		harness_fail(&p->h, "no \"%s\" in:\n%s", want, p->last->bytes);
	else if (strcmp(verb, "lacks") == 0 && strstr(p->last->bytes, want))
		harness_fail(&p->h, "\"%s\" in:\n%s", want, p->last->bytes);
	free(want);
}

static bool ignored(const struct player *p, const struct harness_sent *s)
{
	for (size_t i = 0; i < p->ignore_count; i++) {
		const struct player_path *path = player_path_find(p, p->ignore_path[i]);
		const char *start = s->bytes + (strncmp(s->bytes, "SIP/2.0 ", 8) ? 0 : 8);

		if (path_same_source(&path->path, &s->path) &&
		    strncmp(start, p->ignore_what[i], strlen(p->ignore_what[i])) == 0)
			return true;
	}
	return false;
}

void player_settle(struct player *p)
{
	for (size_t i = 0; i < p->h.sent_count; i++)
		if (!ignored(p, &p->h.sent[i]))
			harness_fail(&p->h, "nobody expected:\n%s", p->h.sent[i].bytes);
	for (size_t i = 0; i < p->h.report_count; i++)
		if (p->h.report[i].type == REPORT_REFUSED && !p->h.report[i].taken)
			harness_fail(&p->h, "nobody expected the refusal %s (%s)",
				     reason_row(p->h.report[i].reason)->name, p->h.report[i].text);
	harness_forget(&p->h);
}

/* ---- reports ---- */

static bool take_report(struct player *p, enum report_type type, const char *reason,
			const char *text)
{
	for (size_t i = 0; i < p->h.report_count; i++) {
		struct harness_report *r = &p->h.report[i];

		if (r->taken || r->type != type ||
		    strcmp(reason_row(r->reason)->name, reason) != 0 || !strstr(r->text, text))
			continue;
		r->taken = true;
		return true;
	}
	return false;
}

/* refused REASON */
void player_refused(struct player *p)
{
	if (!take_report(p, REPORT_REFUSED, p->at->word[1] ? p->at->word[1] : "", ""))
		harness_fail(&p->h, "no refusal %s", p->at->word[1] ? p->at->word[1] : "");
}

/* kept-out: the last message was dropped because of a ban */
void player_kept_out(struct player *p)
{
	if (p->h.kept_out == 0)
		harness_fail(&p->h, "no ban kept anything out");
}

/* distrusted: the last message cost its flow the trust it had */
void player_distrusted(struct player *p)
{
	if (p->h.distrusted == 0)
		harness_fail(&p->h, "no flow lost its trust");
}

/* report call|registration|sip|flow|ban REASON [TEXT] */
void player_report(struct player *p)
{
	static const char *const types[] = {
		[REPORT_SIP] = "sip",	      [REPORT_CALL] = "call",
		[REPORT_FLOW] = "flow",	      [REPORT_REGISTRATION] = "registration",
		[REPORT_REFUSED] = "refused", [REPORT_BAN] = "ban",
		[REPORT_LOAD] = "load",	      [REPORT_ALERT] = "alert"};
	const struct statement *st = p->at;

	if (st->word_count < 3)
		player_fault(p, "report of what?");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i], st->word[1]) == 0 &&
		    take_report(p, (enum report_type)i, st->word[2],
				st->word_count > 3 ? st->word[3] : ""))
			return;
	harness_fail(&p->h, "no report %s %s", st->word[1], st->word[2]);
}

/* ---- flows ---- */

static bool endpoint_is(struct player *p, const struct ip_endpoint *e, const char *want)
{
	char text[IP_ENDPOINT_TEXT_MAX], *expanded;
	bool same;

	if (!want)
		return true;
	expanded = player_expand(p, want);
	same = e->addr.family == IP_NONE ? strcmp(expanded, "none") == 0
					 : strcmp(expanded, ip_endpoint_text(e, text)) == 0;
	free(expanded);
	return same;
}

static bool word_is(const char *got, const char *want)
{
	return !want || strcmp(got, want) == 0;
}

/* "none", a suite's name, or "through:" and the suite's name. */
static bool secret_is(const struct flow_secret *s, const char *want)
{
	const struct srtp_suite_row *row = srtp_suite_row(s->suite);
	char text[64];

	snprintf(text, sizeof(text), "%s%s",
		 s->exchange != KEYS_NONE && !s->terminated ? "through:" : "",
		 s->exchange == KEYS_NONE ? "none"
		 : row			  ? row->name
					  : "dtls");
	return word_is(text, want);
}

static bool flow_is(struct player *p, const struct flow_spec *f)
{
	const struct statement *st = p->at;

	return word_is(p->h.config->zones[f->zone].name, player_option(st, "zone")) &&
	       word_is(f->kind == FLOW_RTP ? "rtp" : "rtcp", player_option(st, "kind")) &&
	       word_is(f->from_caller ? "caller" : "callee", player_option(st, "from")) &&
	       word_is(f->learn_port ? "yes" : "no", player_option(st, "learn")) &&
	       word_is(f->codec, player_option(st, "codec")) &&
	       secret_is(&f->secret_in, player_option(st, "in")) &&
	       secret_is(&f->secret_out, player_option(st, "out")) &&
	       endpoint_is(p, &f->local, player_option(st, "local")) &&
	       endpoint_is(p, &f->source, player_option(st, "source")) &&
	       endpoint_is(p, &f->to, player_option(st, "to"));
}

static void list_flows(const struct player *p, char *text, size_t size)
{
	struct out o = out_to(text, size - 1);

	for (size_t i = 0; i < p->h.flow_count; i++) {
		const struct flow_spec *f = &p->h.flow[i];

		out_fmt(&o, "zone=%s kind=%u from=%s learn=%d codec=%s local=",
			p->h.config->zones[f->zone].name, f->kind,
			f->from_caller ? "caller" : "callee", f->learn_port, f->codec);
		ip_endpoint_write(&o, &f->local);
		out_z(&o, " source=");
		ip_endpoint_write(&o, &f->source);
		out_z(&o, " to=");
		ip_endpoint_write(&o, &f->to);
		out_fmt(&o, " in=%u/%u/%d out=%u/%u/%d\n", f->secret_in.exchange,
			f->secret_in.suite, f->secret_in.terminated, f->secret_out.exchange,
			f->secret_out.suite, f->secret_out.terminated);
	}
	text[o.n] = '\0';
}

/* flow KEY=VALUE ...: one such is open. */
void player_flow(struct player *p)
{
	char text[2000];

	for (size_t i = 0; i < p->h.flow_count; i++)
		if (flow_is(p, &p->h.flow[i]))
			return;
	list_flows(p, text, sizeof(text));
	harness_fail(&p->h, "no such flow is open; open are:\n%s", text);
}

struct listing {
	struct player *p;
	bool found;
};

static void each_listed(void *ctx, const struct call_info *info)
{
	static const char *const states[] = {"early", "established", "ending", "ended"};
	struct listing *l = ctx;
	const struct statement *st = l->p->at;
	char *call_id =
		player_option(st, "find") ? player_expand(l->p, player_option(st, "find")) : NULL;

	if (word_is(states[info->state], player_option(st, "state")) &&
	    word_is(info->from, player_option(st, "from")) &&
	    word_is(info->to, player_option(st, "to")) &&
	    word_is(info->caller, player_option(st, "caller")) &&
	    word_is(info->callee, player_option(st, "callee")) &&
	    (!call_id || core_call_find(l->p->h.core, slice_z(call_id)) == info->call))
		l->found = true;
	free(call_id);
}

/* listed KEY=VALUE ...: the core lists such a call. */
void player_listed(struct player *p)
{
	struct listing l = {.p = p};

	if (p->h.core)
		core_calls_walk(p->h.core, each_listed, &l);
	if (!l.found)
		harness_fail(&p->h, "no such call is listed");
}

/* closed N REASON: so many flows were closed so since the last event. */
void player_closed(struct player *p)
{
	size_t got = 0;

	if (p->at->word_count < 3)
		player_fault(p, "closed how many and why?");
	for (size_t i = 0; i < p->h.closed_count; i++)
		got += strcmp(reason_row(p->h.closed[i])->name, p->at->word[2]) == 0;
	if (got != strtoul(p->at->word[1], NULL, 10))
		harness_fail(&p->h, "%zu of %zu closings for %s", got, p->h.closed_count,
			     p->at->word[2]);
}

/* calls N | flows N | registrations N | transactions N */
void player_count(struct player *p, const char *what, size_t got)
{
	if (p->at->word_count < 2)
		player_fault(p, "how many?");
	if (got != strtoul(p->at->word[1], NULL, 10))
		harness_fail(&p->h, "%zu %s, not %s", got, what, p->at->word[1]);
}
