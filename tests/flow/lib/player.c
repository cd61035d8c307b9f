#include "flow/lib/player.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* ---- statements ---- */

static void do_config(struct player *p)
{
	char *text;

	if (!p->at->block)
		player_fault(p, "a configuration in a block");
	text = player_expand(p, p->at->block);
	if (p->h.config) {
		player_settle(p);
		harness_reload(&p->h, text);
	} else {
		bool lenient = p->h.lenient;

		harness_init(&p->h, text, lenient);
		mem_test_fail_nth(p->mishap.fail_alloc);
		harness_start(&p->h);
		harness_certificate(&p->h);
	}
	free(text);
}

/* The pbx or trunk whose certificate the connection showed. */
static uint16_t certified_as(struct player *p, const char *name)
{
	const struct config *c = p->h.config;
	struct config_owner o = {OWNER_TRUNK, config_trunk_find(c, slice_z(name))};

	if (o.index == CONFIG_NONE)
		o = (struct config_owner){OWNER_PBX, config_pbx_find(c, slice_z(name))};
	if (o.index == CONFIG_NONE)
		player_fault(p, "no pbx or trunk has this name");
	return config_peer_number(c, o);
}

/* path NAME TRANSPORT REMOTE LOCAL [conn=N] [proves=PEER] */
static void do_path(struct player *p)
{
	const struct statement *st = p->at;
	const char *conn = player_option(st, "conn"), *proves = player_option(st, "proves");
	struct player_path *path = &p->path[p->path_count];

	if (st->word_count < 5 || !p->h.config)
		player_fault(p, "path NAME TRANSPORT REMOTE LOCAL, behind the configuration");
	for (size_t i = 0; i < p->path_count; i++)
		if (strcmp(p->path[i].name, st->word[1]) == 0)
			path = &p->path[i];
	if (path == &p->path[PLAYER_PATHS_MAX])
		player_fault(p, "too many paths");
	path->name = st->word[1];
	path->remote = st->word[3];
	path->path = harness_path(&p->h, st->word[2], st->word[3], st->word[4],
				  conn ? (uint32_t)strtoul(conn, NULL, 10) : 0);
	if (proves)
		path->path.certified = certified_as(p, proves);
	if (path == &p->path[p->path_count])
		p->path_count++;
}

static void do_set(struct player *p)
{
	const struct statement *st = p->at;
	char *value;

	if (st->word_count < 2 || (!st->block && st->word_count < 3))
		player_fault(p, "set NAME VALUE");
	/* Blocks are expanded where they are used; their last line end is not theirs. */
	value = st->block ? strdup(st->block) : player_expand(p, st->word[2]);
	if (st->block && *value)
		value[strlen(value) - 1] = '\0';
	player_set(p, st->word[1], value);
	free(value);
}

/* at TIME (from the start) | after TIME (from now) */
static void do_at(struct player *p)
{
	uint64_t from_ms = strcmp(p->at->word[0], "after") == 0 ? p->h.now_ms : HARNESS_START_MS;

	player_settle(p);
	harness_pass_to(&p->h, from_ms + player_duration_ms(p, p->at->word[1]));
}

static void do_hide(struct player *p)
{
	uint16_t zone = config_zone_find(p->h.config, slice_z(p->at->word[1]));

	if (zone == CONFIG_NONE || p->at->word_count < 3)
		player_fault(p, "hide ZONE TEXT");
	harness_hide(&p->h, zone, slice_z(p->at->word[2]));
}

static void do_ignore(struct player *p)
{
	if (p->at->word_count < 3 || p->ignore_count == PLAYER_IGNORES_MAX)
		player_fault(p, "ignore PATH WHAT");
	p->ignore_path[p->ignore_count] = p->at->word[1];
	p->ignore_what[p->ignore_count++] = p->at->word[2];
}

static enum reason player_reason(struct player *p, const char *name)
{
	for (unsigned i = 1; i < REASON_COUNT; i++)
		if (strcmp(reason_row((enum reason)i)->name, name) == 0)
			return (enum reason)i;
	player_fault(p, "no such reason");
	return REASON_NONE;
}

static void do_broken(struct player *p)
{
	player_settle(p);
	harness_break(&p->h, &player_path_find(p, p->at->word[1])->path,
		      p->at->word_count > 2 ? player_reason(p, p->at->word[2]) : REASON_NONE);
}

static void do_hangs_up(struct player *p)
{
	player_settle(p);
	if (p->h.core)
		core_on_closed(p->h.core, p->h.now_ms, &player_path_find(p, p->at->word[1])->path);
	harness_check_always(&p->h);
}

static void each_call(void *ctx, const struct call_info *info)
{
	uint32_t *last = ctx;

	if (info->state == CALL_ESTABLISHED || info->state == CALL_EARLY)
		*last = info->call;
}

/* media-idle: the relay saw nothing on the flows of the newest call. */
static void do_media_idle(struct player *p)
{
	uint32_t call = 0;

	player_settle(p);
	if (p->h.core) {
		core_calls_walk(p->h.core, each_call, &call);
		core_on_media_idle(p->h.core, p->h.now_ms, call);
	}
	harness_check_always(&p->h);
}

/* flow-refused: the flow that was asked for last was not opened. */
static void do_flow_refused(struct player *p)
{
	const struct flow_spec *f = &p->h.flow[p->h.flow_count ? p->h.flow_count - 1 : 0];

	player_settle(p);
	if (p->h.core && p->h.flow_count == 0)
		harness_fail(&p->h, "no flow is open");
	else if (p->h.core)
		core_on_flow_refused(p->h.core, p->h.now_ms, f->call, &f->local,
				     REASON_warden_refused);
	harness_check_always(&p->h);
}

/* waited TIME: what comes next lay unread so long. */
static void do_waited(struct player *p)
{
	player_settle(p);
	if (p->h.core)
		core_on_waited(p->h.core, p->h.now_ms, player_duration_ms(p, p->at->word[1]));
	harness_check_always(&p->h);
}

/* asks FROM TO [ASSERTED [ASSERTED]]: the users of these URIs are to be signed, or verified. */
static void do_asks(struct player *p)
{
	const struct identity_ask *a = &p->h.asked;
	const char *asserted = p->at->word_count > 3 ? p->at->word[3] : "";
	const char *too = p->at->word_count > 4 ? p->at->word[4] : "";

	if (strcmp(a->from, p->at->word[1]) != 0 || strcmp(a->to, p->at->word[2]) != 0 ||
	    strcmp(a->asserted, asserted) != 0 || strcmp(a->asserted_too, too) != 0)
		harness_fail(&p->h, "asked of \"%s\" to \"%s\", asserted \"%s\" \"%s\"", a->from,
			     a->to, a->asserted, a->asserted_too);
}

/* signs VALUE: what was asked for last is signed. signs-not WHY: it is not. */
static void do_signs(struct player *p)
{
	bool good = strcmp(p->at->word[0], "signs") == 0;
	struct identity_answer a = {.call = p->h.asked.call,
				    .work = IDENTITY_SIGN,
				    .reason = good ? REASON_identity_signed
						   : REASON_identity_unsigned};

	player_settle(p);
	a.attest = good ? 'A' : 0;
	(void)slice_to_z(slice_z(good ? "4930555" : ""), a.tn, sizeof(a.tn));
	(void)slice_to_z(slice_z(p->at->word[1]), good ? a.header : a.detail, sizeof(a.detail));
	if (p->h.core)
		core_on_identity(p->h.core, p->h.now_ms, &a);
	harness_check_always(&p->h);
}

/* week DAY HH:MM: what time it is now. */
static void do_week(struct player *p)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	unsigned hour, minute, day = 0;

	if (p->at->word_count < 3 || sscanf(p->at->word[2], "%u:%u", &hour, &minute) != 2)
		player_fault(p, "week DAY HH:MM");
	while (day < 7 && strcmp(days[day], p->at->word[1]) != 0)
		day++;
	if (p->h.core)
		core_set_week(p->h.core, p->h.now_ms, (day * 24 + hour) * 60 + minute);
}

static enum reason reason_named(const char *name)
{
	for (unsigned i = 1; i < REASON_COUNT; i++)
		if (strcmp(reason_row((enum reason)i)->name, name) == 0)
			return (enum reason)i;
	return REASON_NONE;
}

/* verifies ATTEST: what was asked for last is as it says. verifies-not REASON: it is not. */
static void do_verifies(struct player *p)
{
	bool good = strcmp(p->at->word[0], "verifies") == 0;
	struct identity_answer a = {.call = p->h.asked.call, .work = IDENTITY_VERIFY};

	player_settle(p);
	if (p->h.asked.work != IDENTITY_VERIFY)
		harness_fail(&p->h, "nobody asked for a verdict");
	a.reason = good ? REASON_identity_verified : reason_named(p->at->word[1]);
	a.attest = good ? (uint8_t)p->at->word[1][0] : 0;
	if (good) {
		(void)slice_to_z(SL("4930555"), a.tn, sizeof(a.tn));
		(void)slice_to_z(SL("123e4567-e89b-12d3-a456-426614174000"), a.origid,
				 sizeof(a.origid));
	}
	if (p->h.core)
		core_on_identity(p->h.core, p->h.now_ms, &a);
	harness_check_always(&p->h);
}

static void do_stop(struct player *p)
{
	player_settle(p);
	if (p->h.core)
		core_stop(p->h.core, p->h.now_ms);
	harness_check_always(&p->h);
}

static void do_restart(struct player *p)
{
	player_settle(p);
	harness_restart(&p->h);
}

static void do_forget(struct player *p)
{
	harness_forget(&p->h);
}

static struct core_stats stats_of(const struct player *p)
{
	struct core_stats stats = {0};

	if (p->h.core)
		core_stats_get(p->h.core, &stats);
	return stats;
}

static void do_calls(struct player *p)
{
	player_count(p, "calls", stats_of(p).calls);
}

static void do_registrations(struct player *p)
{
	player_count(p, "registrations", stats_of(p).registrations);
}

static void do_transactions(struct player *p)
{
	player_count(p, "transactions", stats_of(p).transactions);
}

static void do_flows(struct player *p)
{
	player_count(p, "flows", p->h.flow_count);
}

/* mark-memory ... same-memory: as many blocks of memory as at the mark. */
static void do_mark_memory(struct player *p)
{
	p->marked_live = mem_test_live();
}

static void do_same_memory(struct player *p)
{
	if (mem_test_live() != p->marked_live)
		harness_fail(&p->h, "%ld blocks of memory more than at the mark",
			     mem_test_live() - p->marked_live);
}

static const struct {
	const char *word;
	void (*run)(struct player *p);
} verbs[] = {
	{"config", do_config},
	{"path", do_path},
	{"set", do_set},
	{"at", do_at},
	{"after", do_at},
	{"in", player_in},
	{"reply", player_reply},
	{"ask", player_ask},
	{"ack", player_ack},
	{"out", player_out},
	{"has", player_detail},
	{"lacks", player_detail},
	{"is", player_detail},
	{"flow", player_flow},
	{"flows", do_flows},
	{"closed", player_closed},
	{"listed", player_listed},
	{"refused", player_refused},
	{"kept-out", player_kept_out},
	{"distrusted", player_distrusted},
	{"report", player_report},
	{"calls", do_calls},
	{"registrations", do_registrations},
	{"transactions", do_transactions},
	{"hide", do_hide},
	{"ignore", do_ignore},
	{"broken", do_broken},
	{"hangs-up", do_hangs_up},
	{"media-idle", do_media_idle},
	{"flow-refused", do_flow_refused},
	{"waited", do_waited},
	{"asks", do_asks},
	{"week", do_week},
	{"signs", do_signs},
	{"signs-not", do_signs},
	{"verifies", do_verifies},
	{"verifies-not", do_verifies},
	{"stop", do_stop},
	{"restart", do_restart},
	{"forget", do_forget},
	{"settle", player_settle},
	{"mark-memory", do_mark_memory},
	{"same-memory", do_same_memory},
};

/* ---- a play ---- */

static void do_statement(struct player *p)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].word, p->at->word[0]) == 0) {
			verbs[i].run(p);
			return;
		}
	}
	player_fault(p, "no such statement: %s", p->at->word[0]);
}

/* The statement behind the `end` that belongs to a `repeat` at `i`. */
static size_t behind_end(const struct script *s, size_t i)
{
	while (i < s->count && strcmp(s->statement[i].word[0], "end") != 0)
		i++;
	return i + 1;
}

static void play_range(struct player *p, size_t from, size_t to);

/* repeat N ... end; ${round} counts from 1. */
static size_t play_repeat(struct player *p, size_t i)
{
	size_t behind = behind_end(p->script, i);
	unsigned long rounds = strtoul(p->at->word[1] ? p->at->word[1] : "0", NULL, 10);
	char text[24];

	for (unsigned long n = 1; n <= rounds && !p->h.failed; n++) {
		(void)snprintf(text, sizeof(text), "%lu", n);
		player_set(p, "round", text);
		play_range(p, i + 1, behind - 1);
	}
	return behind;
}

static void play_range(struct player *p, size_t from, size_t to)
{
	for (size_t i = from; i < to && !p->h.failed;) {
		p->at = &p->script->statement[i];
		if (strcmp(p->at->word[0], "repeat") == 0) {
			i = play_repeat(p, i);
		} else {
			do_statement(p);
			i++;
		}
	}
}

static void free_names(struct player *p)
{
	for (size_t i = 0; i < p->var_count; i++) {
		free(p->var[i].name);
		free(p->var[i].value);
	}
	for (size_t i = 0; i < p->message_count; i++) {
		free(p->message[i].name);
		free(p->message[i].bytes);
		free(p->message[i].reply_tag);
	}
}

struct player_result player_play(const struct script *script, struct player_mishap mishap)
{
	struct player *p = calloc(1, sizeof(*p));
	struct player_result result = {0};
	unsigned long before = mem_test_requests();

	p->script = script;
	p->mishap = mishap;
	p->h.lenient =
		mishap.fail_alloc || mishap.lose_event || mishap.double_event || mishap.die_event;
	play_range(p, 0, script->count);
	result.allocations = mem_test_requests() - before;
	result.events = p->events;
	if (p->h.config) {
		if (!p->h.failed)
			player_settle(p);
		if (p->h.failed) {
			/* What comes after a failure says nothing more. */
			harness_forget(&p->h);
			core_free(p->h.core);
			harness_kept_free(&p->h);
			config_free(p->h.config);
		} else {
			harness_finish(&p->h);
		}
	}
	mem_test_fail_nth(0);
	result.good = !p->h.failed;
	(void)snprintf(result.failure, sizeof(result.failure), "%s:%u: %s", p->at->file,
		       p->at->line, p->h.failure);
	free_names(p);
	free(p);
	return result;
}
