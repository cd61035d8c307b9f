/* GW: what bounds calls: silence, their number, a flood beside them. By marked test calls. */
#include <errno.h>

#include "assess/place_sip.h"
#include "assess/trial.h"
#include "assess/checks/table.h"
#include "io/clock.h"

#define FOUND(c, ...)                                                                              \
	visit_found((c)->v, &(struct found){.pcap = (c)->pcap ? (c)->pcap_path : NULL}, __VA_ARGS__)

/* ---- GW-05 ---- */

#define SILENCE_MS_MAX	   45000 /* that the check waits */
#define SILENCE_MS_DEFAULT 40000 /* of a gateway whose limit is not known */
#define SILENCE_GRACE_MS   2000
#define TALK_MS		   300

static enum verdict after_silence(struct trial *c, uint32_t limit_ms)
{
	int err;

	(void)trial_idle(c, limit_ms + SILENCE_GRACE_MS);
	trial_forget(c);
	err = trial_talk(c, TALK_MS);
	if (err)
		return visit_failed(c->v, "the test call's media", err);
	if (c->heard[TRIAL_IN][TRIAL_OUT] || c->heard[TRIAL_OUT][TRIAL_IN])
		return FOUND(c,
			     "media passes again after %u s of silence (the limit is %u s), no BYE "
			     "was needed",
			     (limit_ms + SILENCE_GRACE_MS) / 1000, limit_ms / 1000);
	return VERDICT_CLEAN;
}

enum verdict gw05_lost_bye(struct visit *v)
{
	bool known = !config_is_assets_only(v->config);
	uint32_t limit_ms = known ? v->config->media.idle_timeout_ms : SILENCE_MS_DEFAULT;
	struct trial c;
	enum verdict verdict;

	if (limit_ms > SILENCE_MS_MAX)
		return visit_not_asked(v,
				       "media { idle-timeout } is %u s, and the check waits for "
				       "%u s at most",
				       limit_ms / 1000, SILENCE_MS_MAX / 1000);
	verdict = trial_talking(v, &c);
	if (verdict == VERDICT_CLEAN)
		verdict = after_silence(&c, limit_ms);
	trial_done(&c);
	return verdict;
}

/* ---- GW-16 ---- */

#define CALLS_MAX 8 /* test calls at once, the one too many among them */

static bool is_address_of(const struct config_zone *z, const struct ip_addr *a)
{
	return ip_eq(&z->address4, a) || ip_eq(&z->address6, a) || ip_eq(&z->public4, a) ||
	       ip_eq(&z->public6, a);
}

/* Whether the section serves place outside: by its zone's address where that is known. */
static bool serves_outside(const struct visit *v, const struct config_phones *p)
{
	const struct config_zone *z = &v->config->zones[p->zone];

	if (z->address4.family || z->address6.family || z->public4.family || z->public6.family)
		return is_address_of(z, &v->target->address);
	return z->trust == ZONE_UNTRUSTED;
}

/* How many calls the sections of phones outside admit at most. */
static uint32_t call_limit(const struct visit *v)
{
	const struct config *c = v->config;
	uint32_t most = 0;

	for (size_t i = 0; i < c->phones_count; i++) {
		uint32_t max = c->phones[i].max_calls ? c->phones[i].max_calls : UINT32_MAX;

		if (serves_outside(v, &c->phones[i]) && max > most)
			most = max;
	}
	return most && most < c->limits.calls ? most : c->limits.calls;
}

struct calls {
	struct trial_end ends[CALLS_MAX][2];
	unsigned count;
};

/* One more call, until one is refused. */
static enum verdict call_until(struct trial *c, struct calls *calls, uint32_t limit)
{
	while (calls->count <= limit) {
		enum verdict verdict = trial_connect(c);

		if (verdict != VERDICT_CLEAN)
			return c->refused_with && calls->count ? VERDICT_CLEAN : verdict;
		memcpy(calls->ends[calls->count++], c->ends, sizeof(calls->ends[0]));
	}
	return FOUND(c, "%u calls stand at once, and %u is the limit", calls->count, limit);
}

static enum verdict first_goes_on(struct trial *c, const struct calls *calls)
{
	int err;

	memcpy(c->ends, calls->ends[0], sizeof(calls->ends[0]));
	trial_forget(c);
	err = trial_talk(c, TALK_MS);
	if (err)
		return visit_failed(c->v, "the test call's media", err);
	if (c->heard[TRIAL_IN][TRIAL_OUT] && c->heard[TRIAL_OUT][TRIAL_IN])
		return VERDICT_CLEAN;
	return FOUND(c, "the first call falls silent when one too many is refused with %u",
		     c->refused_with);
}

enum verdict gw16_call_limit(struct visit *v)
{
	uint32_t limit;
	struct calls calls = {.count = 0};
	struct trial c;
	enum verdict verdict;

	if (config_is_assets_only(v->config))
		return visit_not_asked(v, "no gateway's section says how many calls it admits");
	limit = call_limit(v);
	if (limit >= CALLS_MAX)
		return visit_not_asked(v,
				       "phones { max-calls } is not set or above %u, the most "
				       "that the check fills",
				       CALLS_MAX - 1);
	verdict = trial_open(v, &c);
	if (verdict == VERDICT_CLEAN)
		verdict = call_until(&c, &calls, limit);
	if (verdict == VERDICT_CLEAN)
		verdict = first_goes_on(&c, &calls);
	for (unsigned i = 0; i < calls.count; i++) {
		memcpy(c.ends, calls.ends[i], sizeof(calls.ends[i]));
		(void)!trial_hang_up(&c);
	}
	trial_done(&c);
	return verdict;
}

/* ---- GW-17 ---- */

#define FLOOD_MS      3000
#define FLOOD_CALL_MS 1000 /* after so long another call is set up */
#define FLOOD_PACKETS 400  /* of each method, at most */
#define FLOOD_LOSS    2.0  /* percent; an idle gateway loses nothing */

struct flood {
	uint32_t requests; /* that were sent */
	bool second_up;
	struct trial_end second[2];
};

/* A stranger's request, in the pace that the asset's section admits. */
static void flood_a_little(struct trial *c)
{
	struct trial_end *e = &c->ends[TRIAL_STRANGER];
	struct ip_endpoint to = {c->v->target->address, c->v->target->asset->sip_port};
	bool asks = e->cseq % 2;
	char text[1024];
	struct out o = out_to(text, sizeof(text));

	if (e->cseq == 2 * FLOOD_PACKETS)
		return;
	place_sip_write_method(&o, asks ? "OPTIONS" : "REGISTER", e->place, e->sip, &to);
	if (!o.err &&
	    place_send(c->v, e->place, e->sip, asks ? PACKET_SIP_OPTIONS : PACKET_SIP_REGISTER, &to,
		       out_slice(&o)) == 0)
		e->cseq++;
}

static double loss_percent(const struct trial_path *p)
{
	return p->sent > p->received ? 100.0 * (p->sent - p->received) / p->sent : 0;
}

static enum verdict judge_flood(struct trial *c, const struct flood *f)
{
	if (!f->second_up)
		(void)FOUND(c, "beside %u requests of a stranger no other call is set up: %s",
			    f->requests, c->v->why);
	for (enum trial_at at = TRIAL_OUT; at <= TRIAL_IN; at++)
		if (loss_percent(&c->paths[at]) > FLOOD_LOSS)
			(void)FOUND(c,
				    "beside %u requests of a stranger a call loses %.0f %% of its "
				    "packets from %s",
				    f->requests, loss_percent(&c->paths[at]),
				    at == TRIAL_OUT ? "outside" : "inside");
	return c->v->finding_count ? VERDICT_FOUND : VERDICT_CLEAN;
}

/* The flood, a second call in the middle of it, and what became of the first one's packets. */
static enum verdict under_flood(struct trial *c, struct flood *f)
{
	uint64_t until = clock_ms() + FLOOD_MS;
	char why[PLACE_WHY_MAX];
	int err = trial_measure_begin(c, FLOOD_MS);

	if (err)
		return visit_failed(c->v, "the test call's media", err);
	c->ends[TRIAL_STRANGER].cseq = 0;
	c->meanwhile = flood_a_little;
	trial_listen(c, FLOOD_CALL_MS);
	f->second_up = trial_connect(c) == VERDICT_CLEAN;
	memcpy(f->second, c->ends, sizeof(f->second));
	while (clock_ms() < until)
		trial_listen(c, 20);
	c->meanwhile = NULL;
	f->requests = c->ends[TRIAL_STRANGER].cseq;
	err = trial_measure_end(c);
	if (err)
		return visit_failed(c->v, "the test call's media", err);
	for (enum trial_at at = TRIAL_OUT; at <= TRIAL_IN; at++)
		if (place_trouble(c->ends[at].place, why))
			return visit_untested(c->v, "%s", why);
	return judge_flood(c, f);
}

/* What the flood has left behind: most gateways keep the place out for a while. */
static enum verdict after_flood(struct trial *c, enum verdict verdict)
{
	char z[IP_TEXT_MAX];
	const char *who = ip_text(place_address(c->ends[TRIAL_STRANGER].place), z);

	if (trial_reaches(c, TRIAL_STRANGER))
		return verdict;
	if (verdict == VERDICT_FOUND)
		return FOUND(c, "place stranger (%s) is shut out now", who);
	return visit_noted(c->v,
			   "place stranger (%s) is shut out now: until that ends, checks that need "
			   "it are not tested (hornwork bans lift %s)",
			   who, who);
}

enum verdict gw17_flood(struct visit *v)
{
	struct trial_end first[2];
	struct flood f = {.requests = 0};
	struct trial c;
	bool reached;
	enum verdict verdict = trial_talking(v, &c);

	if (verdict == VERDICT_CLEAN && c.ends[TRIAL_STRANGER].place == c.ends[TRIAL_OUT].place)
		verdict = visit_not_asked(v, "no place stranger { address = ... }: a flood from "
					     "outside's address would be the caller's own");
	if (verdict == VERDICT_CLEAN) {
		memcpy(first, c.ends, sizeof(first));
		reached = trial_reaches(&c, TRIAL_STRANGER);
		verdict = under_flood(&c, &f);
		if (verdict == VERDICT_CLEAN && !reached)
			verdict = trial_unreached(&c, TRIAL_STRANGER, true);
		else if (verdict != VERDICT_UNTESTED)
			verdict = after_flood(&c, verdict);
		if (f.second_up) {
			memcpy(c.ends, f.second, sizeof(f.second));
			(void)!trial_hang_up(&c);
		}
		memcpy(c.ends, first, sizeof(first));
		c.up = true;
	}
	trial_done(&c);
	return verdict;
}
