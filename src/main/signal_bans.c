/* Bans: what the core decides goes to the warden and its firewall; what the administrator says
 * comes in here. */
#include "base/json.h"
#include "io/clock.h"
#include "main/answer.h"
#include "main/signal_proc.h"

/* ---- to and from the warden ---- */

void signal_on_ban(struct signal *s, const struct ban *ban, bool lifted)
{
	struct proc_ban m = {.lifted = lifted, .ban = *ban};

	if (s->taking_ban)
		return; /* it came from there */
	if (proc_send(&s->warden.channel, PROC_BAN, &m, sizeof(m), NULL, 0) != 0)
		s->failed = ERR_PEER;
}

int signal_take_ban(struct signal *s)
{
	struct proc_ban m;

	memcpy(&m, s->msg.payload, sizeof(m));
	m.ban.note[sizeof(m.ban.note) - 1] = '\0';
	if (!s->core)
		return ERR_PEER;
	s->taking_ban = true;
	(void)!core_ban(s->core, clock_ms(), &m.ban); /* there was room for it before */
	s->taking_ban = false;
	return 0;
}

/* ---- the listing ---- */

struct bans_view {
	struct json j;
	struct answer *a;
	uint64_t now_ms;
};

static void write_ban(void *ctx, const struct ban *ban)
{
	struct bans_view *v = ctx;
	char who[IP_ENDPOINT_TEXT_MAX + 4], when[CLOCK_TEXT_MAX];
	struct out o = out_to(who, sizeof(who));

	ban_write_who(&o, ban);
	json_open(&v->j, '{');
	json_member_str(&v->j, "who", out_slice(&o));
	json_member_z(&v->j, "reason", reason_row((enum reason)ban->reason)->name);
	json_member_z(&v->j, "sentence", reason_row((enum reason)ban->reason)->sentence);
	json_member_bool(&v->j, "registered_phones_too", ban->whole || ban->port);
	json_member_z(&v->j, "since", clock_text(clock_wall_of(ban->since_ms), when));
	json_key(&v->j, "expires_s");
	if (ban->until_ms == BAN_FOR_EVER)
		json_null(&v->j);
	else
		json_u64(&v->j, (ban->until_ms - v->now_ms + 999) / 1000);
	json_member_z(&v->j, "note", ban->note);
	json_close(&v->j, '}');
	answer_flush(v->a);
}

void signal_view_bans(struct signal *s, struct answer *a)
{
	struct bans_view v = {.j = json_to(&a->o), .a = a, .now_ms = clock_ms()};

	json_open(&v.j, '[');
	core_bans_walk(s->core, v.now_ms, write_ban, &v);
	json_close(&v.j, ']');
}

/* ---- what the administrator says ---- */

static unsigned answer_error(struct answer *a, unsigned status, const char *why)
{
	struct json j = json_to(&a->o);

	json_open(&j, '{');
	json_member_z(&j, "error", why);
	json_close(&j, '}');
	return status;
}

static unsigned answer_done(struct answer *a, const struct ban *ban)
{
	struct json j = json_to(&a->o);
	char who[IP_ENDPOINT_TEXT_MAX + 4];
	struct out o = out_to(who, sizeof(who));

	ban_write_who(&o, ban);
	json_open(&j, '[');
	json_open(&j, '{');
	json_member_str(&j, "who", out_slice(&o));
	json_close(&j, '}');
	json_close(&j, ']');
	return 200;
}

/* "203.0.113.5", "203.0.113.0/24", "203.0.113.5:5060", "[2001:db8::1]:5060". */
static int read_who(struct slice text, struct ban *out)
{
	struct ip_endpoint flow;

	if (ip_prefix_parse(text, &out->prefix) == 0)
		return 0;
	if (ip_endpoint_parse(text, 0, &flow) || flow.port == 0)
		return ERR_SYNTAX;
	out->prefix = (struct ip_prefix){flow.addr,
					 flow.addr.family == IP_V4 ? (uint8_t)32 : (uint8_t)128};
	out->port = flow.port;
	return 0;
}

/* "WHO SECONDS NOTE"; 0 seconds: until it is lifted. */
unsigned signal_ban_add(struct signal *s, struct answer *a, struct slice what)
{
	struct slice rest, note, who = slice_split(what, ' ', &rest);
	struct slice seconds = slice_split(rest, ' ', &note);
	uint64_t now_ms = clock_ms(), for_s;
	struct ban ban = {.reason = REASON_ban_by_hand, .since_ms = now_ms, .whole = true};

	if (read_who(who, &ban))
		return answer_error(a, 400, "an address, ADDRESS/BITS or ADDRESS:PORT is expected");
	if (slice_u64(seconds, BAN_SECONDS_MAX, &for_s))
		return answer_error(a, 400, "the time is no number of seconds up to 30 days");
	ban.until_ms = for_s ? now_ms + for_s * 1000 : BAN_FOR_EVER;
	(void)slice_to_z(note, ban.note, sizeof(ban.note));
	if (core_ban(s->core, now_ms, &ban))
		return answer_error(a, 507, "there are as many bans as the gateway can hold");
	return answer_done(a, &ban);
}

unsigned signal_ban_lift(struct signal *s, struct answer *a, struct slice what)
{
	struct ban ban = {.reason = REASON_ban_by_hand};

	if (read_who(what, &ban))
		return answer_error(a, 400, "an address, ADDRESS/BITS or ADDRESS:PORT is expected");
	if (!core_unban(s->core, &ban))
		return answer_error(a, 404,
				    "nobody is kept out by exactly this; see 'hornwork bans'");
	return answer_done(a, &ban);
}
