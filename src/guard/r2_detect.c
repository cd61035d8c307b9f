#include "guard/r2_detect.h"

#include "base/mem.h"

/* ---- what weighs how much ---- */

struct weight {
	enum reason reason;
	uint8_t kind; /* enum r2_offence */
	uint8_t points;
};

/* Points against R2_POINTS_BAN: a tool that names itself is out at once; a phone whose password was
 * changed has five tries in short order; a stranger's calls, seven; attacks on
 * known flaws, three; garbage, fifty messages. Every
 * other refusal of a message by the parser weighs GARBAGE_POINTS. */
static const struct weight weights[] = {
	{REASON_scanner_tool, R2_SCAN, 100},	    {REASON_name_walk, R2_SCAN, 15},
	{REASON_stranger_options, R2_SCAN, 15},	    {REASON_caller_not_registered, R2_SCAN, 15},
	{REASON_source_unknown, R2_SCAN, 10},	    {REASON_method_not_allowed, R2_SCAN, 10},
	{REASON_credentials_wrong, R2_GUESS, 20},   {REASON_account_guarded, R2_GUESS, 20},
	{REASON_dialog_source, R2_FORGERY, 30},	    {REASON_sdp_bad_target, R2_FORGERY, 20},
	{REASON_dialog_unknown, R2_FORGERY, 5},	    {REASON_response_unmatched, R2_FORGERY, 5},
	{REASON_loop_detected, R2_FORGERY, 5},	    {REASON_source_rate_limit, R2_FLOOD, 20},
	{REASON_connection_refused, R2_GARBAGE, 5}, {REASON_virtual_patch, R2_EXPLOIT, 34},
	{REASON_digest_downgraded, R2_GUESS, 5},
};

#define GARBAGE_POINTS 2

/* The rows of proto/sip and proto/sdp stand first in reasons.def. */
static bool from_parser(enum reason why)
{
	return why >= REASON_sip_too_long && why <= REASON_sdp_answer_mismatch;
}

unsigned r2_offence_points(enum reason why, enum r2_offence *out_kind)
{
	for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
		if (weights[i].reason != why)
			continue;
		*out_kind = (enum r2_offence)weights[i].kind;
		return weights[i].points;
	}
	*out_kind = R2_GARBAGE;
	return from_parser(why) ? GARBAGE_POINTS : 0;
}

/* The row that a ban for this offence names. */
static enum reason r2_offence_reason(enum r2_offence kind)
{
	static const enum reason rows[R2_OFFENCE_COUNT] = {
		[R2_SCAN] = REASON_ban_scan,	   [R2_GUESS] = REASON_ban_guess,
		[R2_FORGERY] = REASON_ban_forgery, [R2_GARBAGE] = REASON_ban_garbage,
		[R2_FLOOD] = REASON_ban_flood,	   [R2_EXPLOIT] = REASON_ban_exploit,
	};

	return (unsigned)kind < R2_OFFENCE_COUNT ? rows[kind] : REASON_NONE;
}

/* ---- the tables ---- */

int r2_detect_init(struct r2_detect *d, const struct hash_key *key)
{
	*d = (struct r2_detect){.key = *key};
	d->suspects = mem_zalloc((size_t)R2_SUSPECT_SETS * R2_SUSPECT_WAYS, sizeof(*d->suspects));
	d->accounts = mem_zalloc((size_t)R2_ACCOUNT_SETS * R2_ACCOUNT_WAYS, sizeof(*d->accounts));
	if (d->suspects && d->accounts)
		return 0;
	r2_detect_done(d);
	return ERR_NOMEM;
}

void r2_detect_done(struct r2_detect *d)
{
	mem_free(d->suspects);
	mem_free(d->accounts);
	*d = (struct r2_detect){0};
}

static unsigned total(const struct r2_suspect *s)
{
	unsigned sum = 0;

	for (size_t i = 0; i < R2_OFFENCE_COUNT; i++)
		sum += s->points[i];
	return sum;
}

/* Time passes: each kind loses a point per R2_FORGIVE_MS. What is left of the time counts on. */
static void forgive(struct r2_suspect *s, uint64_t now_ms)
{
	uint64_t turns = now_ms > s->seen_ms ? (now_ms - s->seen_ms) / R2_FORGIVE_MS : 0;

	for (size_t i = 0; i < R2_OFFENCE_COUNT; i++)
		s->points[i] = s->points[i] > turns ? (uint16_t)(s->points[i] - turns) : 0;
	s->seen_ms += turns * R2_FORGIVE_MS;
}

static bool less_suspect(const struct r2_suspect *a, const struct r2_suspect *b)
{
	unsigned pa = total(a) + a->asked_count, pb = total(b) + b->asked_count;

	return pa == pb ? a->seen_ms < b->seen_ms : pa < pb;
}

static struct r2_suspect *suspect_set(const struct r2_detect *d, const struct ip_endpoint *who)
{
	char key[sizeof(who->addr) + sizeof(who->port)]; /* without padding */

	memcpy(key, &who->addr, sizeof(who->addr));
	memcpy(key + sizeof(who->addr), &who->port, sizeof(who->port));
	return &d->suspects[hash_bytes(&d->key, slice_of(key, sizeof(key))) % R2_SUSPECT_SETS *
			    R2_SUSPECT_WAYS];
}

static struct r2_suspect *suspect_of(struct r2_detect *d, const struct ip_endpoint *who,
				     uint64_t now_ms)
{
	struct r2_suspect *set = suspect_set(d, who), *victim = set;

	for (size_t i = 0; i < R2_SUSPECT_WAYS; i++) {
		forgive(&set[i], now_ms);
		if (ip_endpoint_eq(&set[i].who, who))
			return &set[i];
		if (less_suspect(&set[i], victim))
			victim = &set[i];
	}
	*victim = (struct r2_suspect){.who = *who, .seen_ms = now_ms};
	return victim;
}

/* ---- offences ---- */

static unsigned add_points(struct r2_detect *d, const struct ip_endpoint *who, enum r2_offence kind,
			   unsigned points, uint64_t now_ms)
{
	struct r2_suspect *s = suspect_of(d, who, now_ms);

	s->points[kind] = (uint16_t)(s->points[kind] + points);
	return total(s);
}

/* What most of the points are for; they are settled with the ban. */
static enum r2_offence settle(struct r2_detect *d, const struct ip_endpoint *who, uint64_t now_ms)
{
	struct r2_suspect *s = suspect_of(d, who, now_ms);
	unsigned most = 0;

	for (unsigned i = 1; i < R2_OFFENCE_COUNT; i++)
		if (s->points[i] > s->points[most])
			most = i;
	memset(s->points, 0, sizeof(s->points));
	s->asked_count = 0;
	return (enum r2_offence)most;
}

bool r2_detect_offence(struct r2_detect *d, const struct r2_culprit *who, enum reason why,
		       uint64_t now_ms, uint64_t ban_ms, struct ban *out_ban)
{
	const struct ip_endpoint *flow = &who->source, whole = {who->source.addr, 0}, *banned;
	enum r2_offence kind;
	unsigned points = r2_offence_points(why, &kind), of_flow, of_whole;

	if (points == 0 || flow->addr.family == IP_NONE)
		return false;
	of_flow = add_points(d, flow, kind, points, now_ms);
	of_whole = add_points(d, &whole, kind, points, now_ms);
	if (of_whole >= R2_POINTS_BAN * (who->office ? R2_OFFICE_FACTOR : 1u))
		banned = &whole;
	else if (of_flow >= R2_POINTS_BAN)
		banned = flow;
	else
		return false;
	*out_ban = (struct ban){
		.prefix = {flow->addr, flow->addr.family == IP_V4 ? 32 : 128},
		.port = banned->port,
		.reason = (uint16_t)r2_offence_reason(settle(d, banned, now_ms)),
		.since_ms = now_ms,
		.until_ms = now_ms + ban_ms,
		.whole = !banned->port && !who->office,
	};
	return true;
}

bool r2_detect_doubted(struct r2_detect *d, const struct ip_endpoint *flow, uint64_t now_ms)
{
	struct r2_suspect *set = suspect_set(d, flow);

	for (size_t i = 0; i < R2_SUSPECT_WAYS; i++) {
		if (!ip_endpoint_eq(&set[i].who, flow))
			continue;
		forgive(&set[i], now_ms);
		return total(&set[i]) >= R2_POINTS_DOUBT;
	}
	return false;
}

/* ---- names asked for ---- */

static size_t asked_find(const struct r2_suspect *s, uint32_t name)
{
	size_t i = 0;

	while (i < s->asked_count && s->asked[i] != name)
		i++;
	return i;
}

static void asked_remove(struct r2_suspect *s, size_t at)
{
	s->asked_count--;
	memmove(&s->asked[at], &s->asked[at + 1], (s->asked_count - at) * sizeof(s->asked[0]));
}

bool r2_detect_challenged(struct r2_detect *d, const struct ip_endpoint *flow, struct slice name,
			  uint64_t now_ms)
{
	struct r2_suspect *s = suspect_of(d, flow, now_ms);
	uint32_t hash = (uint32_t)hash_bytes(&d->key, name);
	bool walks = false;

	if (asked_find(s, hash) < s->asked_count)
		return false;
	if (s->asked_count == R2_ASKED_MAX) {
		asked_remove(s, 0);
		walks = true;
	}
	s->asked[s->asked_count++] = hash;
	return walks;
}

bool r2_detect_tried(struct r2_detect *d, const struct ip_endpoint *flow, struct slice name,
		     uint64_t now_ms)
{
	struct r2_suspect *s = suspect_of(d, flow, now_ms);
	size_t at = asked_find(s, (uint32_t)hash_bytes(&d->key, name));

	if (at == s->asked_count)
		return false;
	asked_remove(s, at);
	return true;
}

bool r2_detect_awaited(const struct r2_detect *d, const struct ip_endpoint *flow)
{
	const struct r2_suspect *set = suspect_set(d, flow);

	for (size_t i = 0; i < R2_SUSPECT_WAYS; i++)
		if (ip_endpoint_eq(&set[i].who, flow))
			return set[i].asked_count > 0;
	return false;
}

void r2_detect_proved(struct r2_detect *d, const struct ip_endpoint *flow, uint64_t now_ms)
{
	suspect_of(d, flow, now_ms)->points[R2_GUESS] = 0;
}

/* ---- accounts ---- */

static struct r2_account *account_set(const struct r2_detect *d, struct slice name,
				      uint64_t *out_hash)
{
	*out_hash = hash_bytes(&d->key, name) | 1; /* never 0 */
	return &d->accounts[*out_hash / 2 % R2_ACCOUNT_SETS * R2_ACCOUNT_WAYS];
}

static struct r2_account *account_find(const struct r2_detect *d, struct slice name)
{
	uint64_t hash;
	struct r2_account *set = account_set(d, name, &hash);

	for (size_t i = 0; i < R2_ACCOUNT_WAYS; i++)
		if (set[i].name == hash)
			return &set[i];
	return NULL;
}

static struct r2_account *account_enter(struct r2_detect *d, struct slice name, uint64_t now_ms)
{
	uint64_t hash;
	struct r2_account *set = account_set(d, name, &hash), *victim = set;

	for (size_t i = 1; i < R2_ACCOUNT_WAYS; i++)
		if (set[i].failures < victim->failures)
			victim = &set[i];
	*victim = (struct r2_account){.name = hash, .seen_ms = now_ms};
	return victim;
}

bool r2_account_failed(struct r2_detect *d, struct slice name, uint64_t now_ms, uint64_t ban_ms)
{
	struct r2_account *a = account_find(d, name);
	uint64_t forgiven;

	if (!a)
		a = account_enter(d, name, now_ms);
	forgiven = (now_ms - a->seen_ms) / R2_ACCOUNT_FORGIVE_MS;
	a->failures = a->failures > forgiven ? (uint32_t)(a->failures - forgiven) : 0;
	a->seen_ms += forgiven * R2_ACCOUNT_FORGIVE_MS;
	a->failures++;
	if (a->failures < R2_ACCOUNT_MAX)
		return false;
	a->failures = 0;
	a->guarded_until_ms = now_ms + ban_ms;
	return true;
}

bool r2_account_guarded(const struct r2_detect *d, struct slice name, uint64_t now_ms)
{
	const struct r2_account *a = account_find(d, name);

	return a && now_ms < a->guarded_until_ms;
}

void r2_account_proved(struct r2_detect *d, struct slice name)
{
	struct r2_account *a = account_find(d, name);

	if (a)
		a->failures = 0;
}
