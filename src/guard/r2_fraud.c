#include "guard/r2_fraud.h"

#include "base/mem.h"
#include "base/out.h"

#define HOUR_MS	     UINT64_C(3600000)
#define DAY_MS	     (24 * HOUR_MS)
#define DAY_MINUTES  1440u
#define WEEKEND_FROM (5 * DAY_MINUTES) /* Saturday, 0:00 */

/* ---- windows ---- */

static struct r2_window window_at(const struct r2_window *w, uint64_t length_ms, uint64_t now_ms)
{
	uint64_t passed = now_ms > w->begun_ms ? (now_ms - w->begun_ms) / length_ms : 0;

	if (w->begun_ms == 0 || passed >= 2)
		return (struct r2_window){.begun_ms = now_ms};
	if (passed == 0)
		return *w;
	return (struct r2_window){.begun_ms = w->begun_ms + length_ms, .before = w->here};
}

static uint32_t window_sum(const struct r2_window *w, uint64_t length_ms, uint64_t now_ms)
{
	struct r2_window at = window_at(w, length_ms, now_ms);
	uint64_t in_ms = now_ms > at.begun_ms ? now_ms - at.begun_ms : 0;

	return at.here + (uint32_t)(at.before * (length_ms - in_ms) / length_ms);
}

static void window_add(struct r2_window *w, uint64_t length_ms, uint64_t now_ms, uint32_t n)
{
	*w = window_at(w, length_ms, now_ms);
	w->here = n > UINT32_MAX / 4 - w->here ? UINT32_MAX / 4 : w->here + n;
}

/* ---- numbers ---- */

/* The number as the outside knows it: what a phone dials before it is taken off. */
static struct slice bare(const struct config_fraud *rules, const struct r2_number *n, bool phone)
{
	struct slice text = r2_number_text(n);
	bool hit;

	return slice_from(text, phone ? r2_number_longest(rules->outside_prefix,
							  rules->outside_prefix_count, text, &hit)
				      : 0);
}

static bool named(const struct slice *list, size_t count, struct slice text)
{
	for (size_t i = 0; i < count; i++)
		if (slice_eq(list[i], text))
			return true;
	return false;
}

static bool begins(const struct slice *list, size_t count, struct slice text)
{
	bool hit;

	(void)r2_number_longest(list, count, text, &hit);
	return hit;
}

/* How long what stands before the country code is; 0 = the number is not abroad. */
static size_t abroad(const struct config_fraud *rules, struct slice text)
{
	bool out, home;
	size_t far = r2_number_longest(rules->abroad, rules->abroad_count, text, &out);
	size_t near = r2_number_longest(rules->home, rules->home_count, text, &home);

	return out && (!home || far > near) ? far : 0;
}

bool r2_fraud_is_emergency(const struct config_fraud *rules, struct slice number, bool from_phone)
{
	struct r2_number n;

	return r2_number_read(number, &n) &&
	       (named(rules->emergency, rules->emergency_count, r2_number_text(&n)) ||
		named(rules->emergency, rules->emergency_count, bare(rules, &n, from_phone)));
}

static bool premium(const struct config_fraud *rules, const struct r2_number *n, bool phone)
{
	return begins(rules->premium, rules->premium_count, r2_number_text(n)) ||
	       begins(rules->premium, rules->premium_count, bare(rules, n, phone));
}

bool r2_fraud_is_outside(const struct config_fraud *rules, struct slice number, bool from_phone)
{
	struct r2_number n;

	return r2_number_read(number, &n) &&
	       (n.digit_count >= rules->outside_digits || premium(rules, &n, from_phone) ||
		abroad(rules, bare(rules, &n, from_phone)));
}

static bool quiet(const struct config_fraud *rules, uint32_t week_minutes)
{
	uint32_t minute = week_minutes % DAY_MINUTES;
	uint32_t first = rules->quiet_first, last = rules->quiet_last;

	if (week_minutes == R2_WEEK_UNKNOWN)
		return false;
	if (rules->quiet_weekend && week_minutes >= WEEKEND_FROM)
		return true;
	if (first == last)
		return false;
	return first < last ? minute >= first && minute < last : minute >= first || minute < last;
}

enum reason r2_fraud_number(const struct config_fraud *rules, const struct r2_dialled *d)
{
	struct r2_number n;

	if (!r2_number_read(d->number, &n) ||
	    r2_fraud_is_emergency(rules, d->number, d->from_phone) ||
	    !r2_fraud_is_outside(rules, d->number, d->from_phone))
		return REASON_NONE;
	if (premium(rules, &n, d->from_phone))
		return REASON_fraud_premium;
	if (quiet(rules, d->week_minutes) && (rules->quiet_refuses == FRAUD_QUIET_OUTSIDE ||
					      abroad(rules, bare(rules, &n, d->from_phone))))
		return REASON_fraud_quiet;
	return REASON_NONE;
}

/* ---- accounts ---- */

int r2_fraud_init(struct r2_fraud *f, const struct hash_key *key)
{
	*f = (struct r2_fraud){.key = *key};
	list_init(&f->callers);
	return hash_init(&f->by_name, R2_CALLERS_MAX);
}

static void caller_free(struct r2_fraud *f, struct r2_caller *c)
{
	hash_remove(&f->by_name, &c->by_name);
	list_remove(&c->node);
	mem_free(c);
}

void r2_fraud_done(struct r2_fraud *f)
{
	if (!f->callers.next)
		return; /* never set up */
	while (!list_empty(&f->callers))
		caller_free(f, container_of(f->callers.next, struct r2_caller, node));
	hash_done(&f->by_name);
}

static struct r2_caller *find(const struct r2_fraud *f, struct slice account)
{
	struct slice name = slice_first(account, R2_CALLER_NAME_MAX - 1);

	for (struct hash_node *n = hash_first(&f->by_name, hash_bytes(&f->key, name)); n;
	     n = hash_next(n)) {
		struct r2_caller *c = container_of(n, struct r2_caller, by_name);

		if (slice_eq(slice_z(c->name), name))
			return c;
	}
	return NULL;
}

const struct r2_caller *r2_fraud_find(const struct r2_fraud *f, struct slice account)
{
	return find(f, account);
}

/* There are more places than calls can run, so somebody is idle. */
static void make_room(struct r2_fraud *f)
{
	if (f->by_name.count < R2_CALLERS_MAX)
		return;
	list_for_each (n, &f->callers) {
		struct r2_caller *c = container_of(n, struct r2_caller, node);

		if (c->live == 0) {
			caller_free(f, c);
			return;
		}
	}
}

static struct r2_caller *find_or_enter(struct r2_fraud *f, struct slice account)
{
	struct slice name = slice_first(account, R2_CALLER_NAME_MAX - 1);
	struct r2_caller *c = find(f, account);

	if (c)
		return c;
	make_room(f);
	c = mem_zalloc(1, sizeof(*c));
	if (!c)
		return NULL;
	list_init(&c->node);
	(void)slice_to_z(name, c->name, sizeof(c->name));
	if (hash_add(&f->by_name, &c->by_name, hash_bytes(&f->key, slice_z(c->name)))) {
		mem_free(c);
		return NULL;
	}
	return c;
}

/* The one used last. */
static struct r2_caller *touch(struct r2_fraud *f, struct slice account)
{
	struct r2_caller *c = find_or_enter(f, account);

	if (!c)
		return NULL;
	list_remove(&c->node);
	list_append(&f->callers, &c->node);
	return c;
}

/* ---- destinations ---- */

static bool destination(const struct r2_fraud *f, const struct config_fraud *rules,
			const struct r2_dialled *d, uint32_t *out_name)
{
	struct r2_number n;
	struct slice text;
	size_t before;

	if (!r2_number_read(d->number, &n))
		return false;
	text = bare(rules, &n, d->from_phone);
	before = abroad(rules, text);
	if (before == 0)
		return false;
	*out_name = (uint32_t)hash_bytes(
		&f->key, slice_first(slice_from(text, before), R2_DESTINATION_DIGITS));
	return true;
}

static struct r2_destination *known(struct r2_caller *c, uint32_t name)
{
	for (size_t i = 0; i < c->known_count; i++)
		if (c->known[i].name == name)
			return &c->known[i];
	return NULL;
}

static uint32_t new_destinations(const struct r2_caller *c, uint64_t now_ms)
{
	uint32_t n = 0;

	for (size_t i = 0; i < c->known_count; i++)
		n += now_ms - c->known[i].first_ms < HOUR_MS;
	return n;
}

static void learn(struct r2_caller *c, uint32_t name, uint64_t now_ms)
{
	struct r2_destination *at = known(c, name);

	if (at) {
		at->last_ms = now_ms;
		return;
	}
	at = &c->known[0];
	if (c->known_count < R2_DESTINATIONS_MAX)
		at = &c->known[c->known_count++];
	else
		for (size_t i = 1; i < R2_DESTINATIONS_MAX; i++)
			at = c->known[i].last_ms < at->last_ms ? &c->known[i] : at;
	*at = (struct r2_destination){name, now_ms, now_ms};
}

/* ---- judging ---- */

static bool used_up(uint32_t limit, uint64_t used)
{
	return limit != 0 && used >= limit;
}

struct r2_used r2_fraud_used(const struct r2_caller *c, uint64_t now_ms)
{
	uint64_t seconds = window_sum(&c->day_seconds, DAY_MS, now_ms);

	return (struct r2_used){
		.calls_hour = window_sum(&c->hour, HOUR_MS, now_ms),
		.calls_day = window_sum(&c->day, DAY_MS, now_ms),
		.new_destinations = new_destinations(c, now_ms),
		.day_ms = seconds * 1000 + (c->talking * now_ms - c->talking_since),
	};
}

uint64_t r2_fraud_left_ms(const struct r2_caller *c, const struct config_fraud *rules,
			  uint64_t now_ms)
{
	uint64_t limit_ms = (uint64_t)rules->minutes_per_day * 60000;
	uint64_t used_ms = r2_fraud_used(c, now_ms).day_ms;

	if (limit_ms == 0)
		return UINT64_MAX;
	if (used_ms >= limit_ms)
		return 0;
	return c->talking ? (limit_ms - used_ms + c->talking - 1) / c->talking : UINT64_MAX;
}

static enum reason limits(const struct r2_caller *c, const struct config_fraud *rules,
			  uint64_t now_ms)
{
	struct r2_used used = r2_fraud_used(c, now_ms);

	if (used_up(rules->parallel_calls, c->live))
		return REASON_fraud_parallel;
	if (used_up(rules->calls_per_hour, used.calls_hour) ||
	    used_up(rules->calls_per_day, used.calls_day))
		return REASON_fraud_calls;
	return r2_fraud_left_ms(c, rules, now_ms) == 0 ? REASON_fraud_minutes : REASON_NONE;
}

enum reason r2_fraud_judge(struct r2_fraud *f, const struct config_fraud *rules,
			   const struct r2_dialled *d, uint64_t now_ms,
			   struct r2_caller **out_caller)
{
	enum reason why = r2_fraud_number(rules, d);
	struct r2_caller *c;
	uint32_t name;

	*out_caller = NULL;
	if (rules->line == 0 || r2_fraud_is_emergency(rules, d->number, d->from_phone) ||
	    !r2_fraud_is_outside(rules, d->number, d->from_phone))
		return REASON_NONE;
	c = touch(f, d->account);
	if (!c)
		return REASON_out_of_memory;
	*out_caller = c;
	if (!why)
		why = limits(c, rules, now_ms);
	if (!why && destination(f, rules, d, &name) && !known(c, name) &&
	    used_up(rules->new_destinations, new_destinations(c, now_ms)))
		why = REASON_fraud_destinations;
	if (why) {
		c->last_why = why;
		c->last_ms = now_ms;
		c->broken++;
	}
	return why;
}

void r2_fraud_begin(struct r2_fraud *f, const struct config_fraud *rules, struct r2_caller *c,
		    const struct r2_dialled *d, uint64_t now_ms)
{
	uint32_t name;

	c->live++;
	window_add(&c->hour, HOUR_MS, now_ms, 1);
	window_add(&c->day, DAY_MS, now_ms, 1);
	if (destination(f, rules, d, &name))
		learn(c, name, now_ms);
}

struct r2_caller *r2_fraud_go_on(struct r2_fraud *f, struct slice account, uint64_t began_ms,
				 uint64_t now_ms)
{
	uint64_t ago_ms = now_ms > began_ms ? now_ms - began_ms : 0;
	struct r2_caller *c = touch(f, account);

	if (!c)
		return NULL;
	c->live++;
	if (ago_ms < HOUR_MS)
		window_add(&c->hour, HOUR_MS, now_ms - ago_ms, 1);
	if (ago_ms < DAY_MS)
		window_add(&c->day, DAY_MS, now_ms - ago_ms, 1);
	return c;
}

void r2_fraud_answered(struct r2_caller *c, uint64_t now_ms)
{
	c->talking++;
	c->talking_since += now_ms;
}

void r2_fraud_end(struct r2_caller *c, uint64_t answered_ms, uint64_t now_ms)
{
	c->live--;
	if (!answered_ms)
		return;
	c->talking--;
	c->talking_since -= answered_ms;
	window_add(&c->day_seconds, DAY_MS, now_ms,
		   (uint32_t)((now_ms - answered_ms + 999) / 1000));
}
