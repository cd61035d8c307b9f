/* What the rules against toll fraud say of an account or a number; the time of the week for them.
 */
#include <time.h>

#include "base/json.h"
#include "io/clock.h"
#include "main/answer.h"
#include "main/signal_proc.h"

#define SENTENCE_MAX 1024

void signal_fraud_clock(struct signal *s)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm local;

	if (!s->core || !localtime_r(&now, &local))
		return;
	core_set_week(
		s->core, clock_ms(),
		(uint32_t)(((local.tm_wday + 6) % 7) * 1440 + local.tm_hour * 60 + local.tm_min));
}

static void write_limit(struct out *o, const char *what, uint64_t used, uint32_t limit)
{
	out_fmt(o, ", %llu", (unsigned long long)used);
	if (limit)
		out_fmt(o, " of %u", limit);
	out_fmt(o, " %s", what);
}

static void sentence_of_account(struct out *o, const struct config_fraud *rules,
				const struct r2_caller *c, uint64_t now_ms)
{
	struct r2_used used = r2_fraud_used(c, now_ms);
	char when[CLOCK_TEXT_MAX];

	out_fmt(o, "The account %s has %u", c->name, c->live);
	if (rules->parallel_calls)
		out_fmt(o, " of %u", rules->parallel_calls);
	out_z(o, " calls to the outside");
	write_limit(o, "begun within an hour", used.calls_hour, rules->calls_per_hour);
	write_limit(o, "within a day", used.calls_day, rules->calls_per_day);
	write_limit(o, "minutes spoken within a day", used.day_ms / 60000, rules->minutes_per_day);
	write_limit(o, "destinations new to it within an hour", used.new_destinations,
		    rules->new_destinations);
	if (c->broken)
		out_fmt(o, "; it broke a rule %u time%s, last at %s: %s", c->broken,
			c->broken == 1 ? "" : "s", clock_text(clock_wall_of(c->last_ms), when),
			reason_row(c->last_why)->sentence);
}

/* What would become of a call to this number now, whoever dials it. */
static void sentence_of_number(struct signal *s, struct out *o, struct slice number)
{
	const struct config_fraud *rules = &s->config->fraud;
	enum reason why = core_fraud_number(s->core, clock_ms(), number);

	out_z(o, "The number ");
	out_bytes(o, slice_first(number, R2_NUMBER_MAX));
	if (r2_fraud_is_emergency(rules, number, false))
		out_z(o, " is an emergency number: no rule refuses it");
	else if (!r2_fraud_is_outside(rules, number, false))
		out_z(o, " is not one of the outside: fraud { } does not judge it");
	else if (why)
		out_fmt(o, " %s: %s (%s)",
			rules->action == FRAUD_EVENT ? "is told of when it is called"
						     : "is refused",
			reason_row(why)->sentence, reason_row(why)->reference);
	else
		out_z(o, " leads outside: it may be called within the account's limits");
}

bool signal_explain_fraud(struct signal *s, struct answer *a, struct slice what)
{
	const struct r2_caller *c = core_fraud_account(s->core, what);
	struct r2_number number;
	char text[SENTENCE_MAX];
	struct out o = out_to(text, sizeof(text));
	struct json j = json_to(&a->o);

	if (s->config->fraud.line == 0 || (!c && !r2_number_read(what, &number)))
		return false;
	if (c)
		sentence_of_account(&o, &s->config->fraud, c, clock_ms());
	else
		sentence_of_number(s, &o, what);
	json_open(&j, '[');
	json_open(&j, '{');
	json_member_str(&j, "what", what);
	json_member_z(&j, "kind", c ? "account" : "number");
	json_member_str(&j, "sentence", out_slice(&o));
	json_member_open(&j, "facts", '[');
	json_close(&j, ']');
	json_close(&j, '}');
	json_close(&j, ']');
	return true;
}
