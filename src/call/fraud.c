#include "call/fraud.h"

#include "call/call.h"

#define WEEK_MINUTES 10080u

static uint32_t fraud_week_minutes(const struct core *c, uint64_t now_ms)
{
	if (c->week_minutes == R2_WEEK_UNKNOWN)
		return R2_WEEK_UNKNOWN;
	return (uint32_t)((c->week_minutes + (now_ms - c->week_at_ms) / 60000) % WEEK_MINUTES);
}

void core_set_week(struct core *c, uint64_t now_ms, uint32_t week_minutes)
{
	c->week_minutes = week_minutes % WEEK_MINUTES;
	c->week_at_ms = now_ms;
}

const struct r2_caller *core_fraud_account(const struct core *c, struct slice account)
{
	return r2_fraud_find(&c->fraud, account);
}

enum reason core_fraud_number(const struct core *c, uint64_t now_ms, struct slice number)
{
	struct r2_dialled d = {.number = number, .week_minutes = fraud_week_minutes(c, now_ms)};

	return r2_fraud_number(&c->config->fraud, &d);
}

/* ---- whose call it is ---- */

/* "alice@pbx.example" for a registered phone, "alice@carrier" for who calls through a trunk. False:
 * such calls are not judged. */
static bool account_write(const struct call *k, const struct sip_msg *msg, struct out *o)
{
	const struct config *c = k->core->config;
	const struct side *caller = &k->leg[CALLER].side, *callee = &k->leg[CALLEE].side;
	const struct binding *b;

	if (caller->owner.kind == OWNER_PHONES && c->fraud.judges != FRAUD_JUDGES_TRUNKS) {
		b = registrar_by_source(&k->core->registrar, &caller->path, msg->from.uri.user);
		out_z(o, b ? b->aor : "");
		return b != NULL;
	}
	if (callee->owner.kind == OWNER_TRUNK && callee->owner.index < c->trunk_count &&
	    c->fraud.judges != FRAUD_JUDGES_PHONES) {
		out_bytes(o, slice_first(msg->from.uri.user, CALL_TEXT_MAX / 2));
		out_char(o, '@');
		out_z(o, c->trunks[callee->owner.index].name);
		return true;
	}
	return false;
}

/* ---- what becomes of it ---- */

static void tell(struct call *k, const struct r2_caller *caller, struct slice number,
		 enum reason why, const char *what)
{
	char text[2 * CALL_TEXT_MAX + R2_CALLER_NAME_MAX];
	struct out o = out_to(text, sizeof(text));

	out_fmt(&o, "account %s", caller->name);
	if (number.n) {
		out_z(&o, ", number ");
		out_bytes(&o, slice_first(number, R2_NUMBER_MAX));
	}
	out_fmt(&o, "; %s", what);
	call_report(k, REPORT_ALERT, why, &k->leg[CALLER].side.path, out_slice(&o));
}

/* The account's other calls to the outside. */
static void end_others(struct call *k, const struct r2_caller *caller, enum reason why,
		       uint64_t now_ms)
{
	struct core *c = k->core;

	list_for_each_safe (n, &c->calls) {
		struct call *other = container_of(n, struct call, node);

		if (other->fraud.caller == caller && other != k)
			call_end(other, now_ms, why, 2);
	}
}

static void minutes_fired(struct timer *t, uint64_t now_ms)
{
	struct call *k = container_of(t, struct call, fraud.minutes);
	const struct config_fraud *rules = &k->core->config->fraud;
	const struct r2_caller *caller = k->fraud.caller;
	uint64_t left_ms = r2_fraud_left_ms(caller, rules, now_ms);

	if (rules->line == 0 || left_ms == UINT64_MAX)
		return;
	if (left_ms > 0) {
		timer_start(&k->core->wheel, t, left_ms);
		return;
	}
	tell(k, caller, SL(""), REASON_fraud_minutes,
	     rules->action == FRAUD_END ? "its calls are ended" : "its running calls go on");
	if (rules->action != FRAUD_END)
		return;
	end_others(k, caller, REASON_fraud_minutes, now_ms);
	call_end(k, now_ms, REASON_fraud_minutes, 2);
}

void fraud_init(struct call *k)
{
	timer_init(&k->fraud.minutes, minutes_fired);
}

/* REASON_NONE when the call may go on; then it is counted. */
static enum reason judge(struct call *k, const struct sip_msg *msg, const struct r2_dialled *d,
			 uint64_t now_ms)
{
	static const char *const what[] = {[FRAUD_EVENT] = "the call goes on",
					   [FRAUD_REFUSE] = "the call is refused",
					   [FRAUD_END] = "the call is refused, its others end"};
	const struct config_fraud *rules = &k->core->config->fraud;
	struct r2_fraud *f = &k->core->fraud;
	struct r2_caller *caller;
	enum reason why = r2_fraud_judge(f, rules, d, now_ms, &caller);

	if (!caller)
		return why;
	if (why) {
		tell(k, caller, msg->uri.user, why, what[rules->action]);
		if (rules->action == FRAUD_END)
			end_others(k, caller, why, now_ms);
		if (rules->action != FRAUD_EVENT)
			return why;
	}
	k->fraud.caller = caller;
	r2_fraud_begin(f, rules, caller, d, now_ms);
	return REASON_NONE;
}

enum reason fraud_enter(struct call *k, const struct sip_msg *msg, uint64_t now_ms)
{
	const struct core *c = k->core;
	char text[R2_CALLER_NAME_MAX + CALL_TEXT_MAX];
	struct out account = out_to(text, sizeof(text));
	struct r2_dialled d;

	if (c->config->fraud.line == 0 || k->kind != CALL_INVITE ||
	    !account_write(k, msg, &account))
		return REASON_NONE;
	d = (struct r2_dialled){
		.account = out_slice(&account),
		.number = msg->uri.user,
		.from_phone = k->leg[CALLER].side.owner.kind == OWNER_PHONES,
		.week_minutes = fraud_week_minutes(c, now_ms),
	};
	return judge(k, msg, &d, now_ms);
}

static void minutes_start(struct call *k, uint64_t now_ms)
{
	const struct config_fraud *rules = &k->core->config->fraud;
	uint64_t left_ms = r2_fraud_left_ms(k->fraud.caller, rules, now_ms);

	if (rules->line && left_ms != UINT64_MAX)
		timer_start(&k->core->wheel, &k->fraud.minutes, left_ms);
}

void fraud_answered(struct call *k, uint64_t now_ms)
{
	if (!k->fraud.caller || k->fraud.answered_ms)
		return;
	k->fraud.answered_ms = now_ms;
	r2_fraud_answered(k->fraud.caller, now_ms);
	minutes_start(k, now_ms);
}

/* ---- after another process ---- */

void fraud_pack(struct pack *p, struct call_fraud *f)
{
	struct slice account = slice_z(f->caller ? f->caller->name : "");

	pack_slice(p, &account);
	pack_u64(p, &f->answered_ms);
	if (p->reading)
		f->account = account;
}

int fraud_take_over(struct call *k, uint64_t now_ms)
{
	uint64_t answered_ms = k->fraud.answered_ms;

	k->fraud.answered_ms = 0;
	if (k->core->config->fraud.line == 0 || k->fraud.account.n == 0)
		return 0;
	if (answered_ms > now_ms || k->fraud.account.n >= R2_CALLER_NAME_MAX ||
	    slice_find(k->fraud.account, '\0') < k->fraud.account.n)
		return ERR_SYNTAX;
	k->fraud.caller = r2_fraud_go_on(&k->core->fraud, k->fraud.account, k->started_ms, now_ms);
	if (!k->fraud.caller)
		return ERR_NOMEM;
	k->fraud.answered_ms = answered_ms;
	if (answered_ms == 0)
		return 0;
	r2_fraud_answered(k->fraud.caller, answered_ms);
	minutes_start(k, now_ms);
	return 0;
}

void fraud_done(struct call *k, uint64_t now_ms)
{
	timer_stop(&k->fraud.minutes);
	if (k->fraud.caller)
		r2_fraud_end(k->fraud.caller, k->fraud.answered_ms, now_ms);
	k->fraud.caller = NULL;
}
