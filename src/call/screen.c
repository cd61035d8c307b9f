#include "call/screen.h"

#include "call/registrar.h"
#include "guard/r2_tools.h"

int screen_init(struct screen *s, const struct core_env *env, const struct config *config,
		const struct registrar *registrar, const struct hash_key *key)
{
	int err;

	*s = (struct screen){.env = env, .config = config, .registrar = registrar};
	err = r2_bans_init(&s->bans, key);
	if (!err)
		err = r2_detect_init(&s->detect, key);
	if (!err)
		err = r2_swarm_init(&s->swarm, key);
	return err ? err : r2_digests_init(&s->digests, key);
}

void screen_done(struct screen *s)
{
	r2_bans_done(&s->bans);
	r2_detect_done(&s->detect);
	r2_swarm_done(&s->swarm);
	r2_digests_done(&s->digests);
}

/* ---- who is never punished ---- */

bool screen_never_banned(const struct screen *s, const struct path *from)
{
	const struct config *c = s->config;
	struct config_owner owner;

	for (size_t i = 0; i < c->limits.never_ban_count; i++)
		if (ip_in_prefix(&from->remote.addr, &c->limits.never_ban[i]))
			return true;
	return from->listener >= c->listener_count ||
	       config_peer_at(c, c->listeners[from->listener].zone, &from->remote, &owner);
}

static bool registered_here(const struct screen *s, const struct path *from)
{
	return from->listener < s->config->listener_count &&
	       registrar_by_source(s->registrar, from, SL("")) != NULL;
}

/* ---- bans ---- */

static void report(const struct screen *s, const struct ban *ban, const struct path *from,
		   uint64_t now_ms)
{
	char text[BAN_NOTE_MAX + 96];
	struct out o = out_to(text, sizeof(text));
	struct action a = {.kind = ACT_REPORT,
			   .type = REPORT_BAN,
			   .reason = (enum reason)ban->reason,
			   .path = *from};

	ban_write_who(&o, ban);
	if (ban->until_ms != BAN_FOR_EVER)
		out_fmt(&o, " for %llu s", (unsigned long long)(ban->until_ms - now_ms) / 1000);
	if (!ban->port && !ban->whole)
		out_z(&o, ", registered phones excepted");
	a.bytes = out_slice(&o);
	s->env->act(s->env->ctx, &a);
}

int screen_ban(struct screen *s, const struct ban *ban, const struct path *from, uint64_t now_ms)
{
	struct action a = {.kind = ACT_BAN, .path = *from, .ban = ban};
	int err = r2_bans_put(&s->bans, ban, now_ms);

	if (err)
		return err;
	s->env->act(s->env->ctx, &a);
	report(s, ban, from, now_ms);
	return 0;
}

bool screen_lift(struct screen *s, const struct ban *ban)
{
	struct action a = {.kind = ACT_UNBAN, .ban = ban};

	if (!r2_bans_lift(&s->bans, &ban->prefix, ban->port))
		return false;
	s->env->act(s->env->ctx, &a);
	return true;
}

bool screen_admits(struct screen *s, const struct path *from, uint64_t now_ms)
{
	if (r2_bans_count(&s->bans) == 0 ||
	    !r2_bans_find(&s->bans, &from->remote, registered_here(s, from), now_ms) ||
	    screen_never_banned(s, from))
		return true;
	s->bans.dropped++;
	return false;
}

bool screen_trusts(struct screen *s, const struct path *from, uint64_t now_ms)
{
	return !r2_detect_doubted(&s->detect, &from->remote, now_ms);
}

void screen_on_refused(struct screen *s, const struct path *from, enum reason why, uint64_t now_ms)
{
	uint64_t ban_ms = (uint64_t)s->config->limits.ban_time_s * 1000;
	struct r2_culprit who = {.source = from->remote};
	struct action a = {.kind = ACT_DISTRUST, .path = *from, .reason = why};
	enum r2_offence kind;
	struct ban ban;

	if (r2_offence_points(why, &kind) == 0 || screen_never_banned(s, from))
		return;
	who.office = registrar_has_address(s->registrar, from);
	if (r2_detect_offence(&s->detect, &who, why, now_ms, ban_ms, &ban))
		(void)!screen_ban(s, &ban, from,
				  now_ms); /* full of bans: this one is held by the limit */
	else if (!screen_trusts(s, from, now_ms))
		s->env->act(s->env->ctx, &a);
}

/* ---- requests ---- */

static bool asks_for_users(const struct screen *s, const struct path *from,
			   const struct sip_msg *msg)
{
	const struct config *c = s->config;

	return msg->method == SIP_OPTIONS && msg->uri.user.n && !msg->to.tag.n &&
	       !transport_reliable(from->transport) &&
	       c->zones[c->listeners[from->listener].zone].trust == ZONE_UNTRUSTED &&
	       !registered_here(s, from);
}

enum reason screen_on_request(struct screen *s, const struct path *from, struct config_owner owner,
			      const struct sip_msg *msg, uint64_t now_ms, struct slice *out_detail)
{
	const char *tool;

	*out_detail = SL("");
	if (owner.kind != OWNER_PHONES || screen_never_banned(s, from))
		return REASON_NONE;
	tool = r2_tool_of(msg);
	if (tool) {
		*out_detail = slice_z(tool);
		return REASON_scanner_tool;
	}
	if (screen_in_swarm(s, from, msg, now_ms)) {
		*out_detail = slice_first(msg->method_text, SIP_METHOD_MAX);
		return REASON_distributed_flood;
	}
	if (asks_for_users(s, from, msg)) {
		*out_detail = SL("OPTIONS");
		return REASON_stranger_options;
	}
	return REASON_NONE;
}

/* ---- passwords ---- */

static uint64_t guard_ms(const struct screen *s)
{
	return (uint64_t)s->config->limits.ban_time_s * 1000;
}

enum reason screen_may_try(const struct screen *s, const struct path *from, struct slice account,
			   uint64_t now_ms)
{
	if (!r2_account_guarded(&s->detect, account, now_ms) || screen_never_banned(s, from) ||
	    registrar_has_aor_at(s->registrar, account, from))
		return REASON_NONE;
	return REASON_account_guarded;
}

static void tell_replay(const struct screen *s, const struct path *from, const char *aor)
{
	const struct action a = {.kind = ACT_REPORT,
				 .type = REPORT_ALERT,
				 .reason = REASON_digest_replayed,
				 .path = *from,
				 .bytes = slice_z(aor)};

	s->env->act(s->env->ctx, &a);
}

enum reason screen_on_register(struct screen *s, const struct path *from, const char *aor,
			       const struct sip_msg *msg, uint64_t now_ms, struct r2_try *out)
{
	struct slice name = slice_z(aor);

	*out = (struct r2_try){.password = r2_has_password(msg)};
	if (!out->password || screen_never_banned(s, from))
		return REASON_NONE;
	if (r2_digest_replayed(&s->digests, msg, &from->remote.addr, now_ms)) {
		tell_replay(s, from, aor);
		*out = (struct r2_try){.replayed = true};
		return REASON_NONE;
	}
	if (r2_digest_downgraded(&s->digests, msg, now_ms))
		return REASON_digest_downgraded;
	out->fresh = r2_detect_tried(&s->detect, &from->remote, name, now_ms);
	return screen_may_try(s, from, name, now_ms);
}

enum reason screen_on_register_answer(struct screen *s, const struct path *from, const char *aor,
				      const struct r2_try *attempt, const struct sip_msg *response,
				      uint64_t now_ms)
{
	const struct r2_asked asked = {from->remote, slice_z(aor), SL(""), now_ms, guard_ms(s)};

	if (screen_never_banned(s, from))
		return REASON_NONE;
	r2_digest_challenged(&s->digests, response, now_ms);
	return r2_on_register_answer(&s->detect, &asked, attempt, response);
}

void screen_on_guessed(struct screen *s, struct slice account, uint64_t now_ms)
{
	(void)r2_account_failed(&s->detect, account, now_ms, guard_ms(s));
}

enum reason screen_on_answer(struct screen *s, const struct path *from, struct slice aor,
			     struct slice account, const struct sip_msg *response, uint64_t now_ms)
{
	const struct r2_asked asked = {from->remote, aor, account, now_ms, guard_ms(s)};

	if (screen_never_banned(s, from))
		return REASON_NONE;
	return r2_on_answer(&s->detect, &asked, response);
}
