#include "call/crowd.h"

#include "call/call.h"

struct pair {
	char caller[R2_CALLER_NAME_MAX + CALL_TEXT_MAX], callee[2 * CALL_TEXT_MAX];
	bool nameless; /* the caller withholds his number */
};

/* ---- who calls whom ---- */

/* RFC 3323 4.1.1.3 has anonymous; the others are what gateways of the telephone network write. */
static bool withheld(struct slice user)
{
	static const char *const words[] = {"anonymous", "restricted", "unavailable", "unknown",
					    "private"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_eq_nocase(user, slice_z(words[i])))
			return true;
	return user.n == 0;
}

/* The name of the section beyond this leg's owner. */
static struct slice owner_name(const struct config *c, struct config_owner owner)
{
	switch ((enum owner_kind)owner.kind) {
	case OWNER_PBX:
		return slice_z(c->pbxs[owner.index].name);
	case OWNER_TRUNK:
		return slice_z(c->trunks[owner.index].name);
	case OWNER_PHONES:
		return slice_z(c->phones[owner.index].name);
	}
	return SL("");
}

static void user_at(struct out *o, struct slice user, struct slice host)
{
	out_bytes(o, slice_first(user, CALL_TEXT_MAX / 2));
	out_char(o, '@');
	out_bytes(o, host);
}

/* "alice@pbx.example" or "+4930123@carrier" calls "200@main" or "0301234@carrier". */
static void pair_write(const struct call *k, const struct sip_msg *msg, struct pair *p)
{
	const struct config *c = k->core->config;
	const struct side *caller = &k->leg[CALLER].side;
	const struct config_owner to = k->leg[CALLEE].side.owner;
	struct out from = out_to(p->caller, sizeof(p->caller) - 1);
	struct out callee = out_to(p->callee, sizeof(p->callee) - 1);
	struct slice called = msg->uri.user;
	const struct binding *b = NULL;
	struct r2_number n;

	if (caller->owner.kind == OWNER_PHONES)
		b = registrar_by_source(&k->core->registrar, &caller->path, msg->from.uri.user);
	if (b)
		out_z(&from, b->aor);
	else
		user_at(&from, msg->from.uri.user,
			owner_name(c, to.kind == OWNER_TRUNK ? to : caller->owner));
	p->nameless = !b && withheld(msg->from.uri.user);
	if (r2_number_read(called, &n))
		called = r2_number_text(&n);
	user_at(&callee, called, owner_name(c, to));
	p->caller[from.n] = '\0';
	p->callee[callee.n] = '\0';
}

/* ---- what becomes of it ---- */

static void tell(struct call *k, const char *what, const char *who, enum reason why,
		 const struct r2_crowd_size *size)
{
	char text[R2_CALLER_NAME_MAX + 3 * CALL_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));
	bool walks = why == REASON_war_dialling;

	out_fmt(&o, "%s %s, %u %s within %u s", what, who, size->others,
		walks ? "callees that it did not talk with" : "callers",
		(unsigned)((walks ? R2_DIALLED_MS : R2_CALLED_MS) / 1000));
	if (size->in_row)
		out_fmt(&o, ", %u of them in a row", size->in_row);
	out_z(&o, k->core->config->limits.call_patterns == PATTERNS_REFUSE ? "; the call is refused"
									   : "; the call goes on");
	call_report(k, REPORT_ALERT, why, &k->leg[CALLER].side.path, out_slice(&o));
}

static enum reason judged(const struct call *k, enum reason why)
{
	return k->core->config->limits.call_patterns == PATTERNS_REFUSE ? why : REASON_NONE;
}

/* A number in a row with others counts twice: nobody calls so by chance. */
static enum reason judge_caller(struct call *k, const struct pair *p, uint64_t now_ms)
{
	struct r2_crowd *crowd = &k->core->dialled;
	uint32_t limit = k->core->config->limits.callees_per_caller;
	struct r2_crowd_size size;

	if (limit == 0 || !k->crowd.caller)
		return REASON_NONE;
	size = r2_crowd_look(crowd, k->crowd.caller, &k->crowd.callee, now_ms);
	if (size.known || size.others + size.in_row < limit)
		return REASON_NONE;
	if (r2_crowd_tell(crowd, k->crowd.caller, now_ms))
		tell(k, "caller", p->caller, REASON_war_dialling, &size);
	return judged(k, REASON_war_dialling);
}

/* Who is refused does not count: so many callers as the limit says get through in any case. */
static enum reason judge_callee(struct call *k, const struct pair *p, uint64_t now_ms)
{
	struct r2_crowd *crowd = &k->core->called;
	uint32_t limit = k->core->config->limits.callers_per_callee;
	struct r2_party callee = r2_crowd_party(crowd, slice_z(p->callee), SL(""));
	/* Who has no name is a different one each time. */
	struct r2_party caller = r2_crowd_party(
		crowd, p->nameless ? k->leg[CALLER].call_id : slice_z(p->caller), SL(""));
	struct r2_crowd_size size;
	enum reason why = REASON_NONE;

	if (limit == 0)
		return REASON_NONE;
	size = r2_crowd_look(crowd, callee.name, &caller, now_ms);
	if (!size.known && size.others >= limit) {
		if (r2_crowd_tell(crowd, callee.name, now_ms))
			tell(k, "callee", p->callee, REASON_callee_crowded, &size);
		why = judged(k, REASON_callee_crowded);
	}
	if (!why)
		r2_crowd_add(crowd, callee.name, &caller, now_ms);
	return why;
}

enum reason crowd_enter(struct call *k, const struct sip_msg *msg, uint64_t now_ms)
{
	const struct core *c = k->core;
	bool phone = k->leg[CALLER].side.owner.kind == OWNER_PHONES;
	struct pair p;
	enum reason why;

	/* What the PBX sends to its phones came to it before, or is of the house. */
	if (k->kind != CALL_INVITE || k->leg[CALLEE].side.owner.kind == OWNER_PHONES ||
	    r2_fraud_is_emergency(&c->config->fraud, msg->uri.user, phone))
		return REASON_NONE;
	pair_write(k, msg, &p);
	if (!p.nameless) {
		k->crowd.caller = r2_crowd_party(&c->dialled, slice_z(p.caller), SL("")).name;
		k->crowd.callee = r2_crowd_party(&c->dialled, slice_z(p.callee), msg->uri.user);
	}
	why = judge_caller(k, &p, now_ms);
	return why ? why : judge_callee(k, &p, now_ms);
}

void crowd_ended(const struct call *k)
{
	if (!k->crowd.caller ||
	    (k->answered_ms && k->ended_ms - k->answered_ms >= R2_SHORT_CALL_MS))
		return;
	r2_crowd_add(&k->core->dialled, k->crowd.caller, &k->crowd.callee, k->ended_ms);
}
