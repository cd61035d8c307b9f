#include "stir/service.h"

#include "base/list.h"
#include "base/mem.h"
#include "stir/certificate.h"
#include "stir/number.h"
#include "stir/passport.h"

/* A certificate that was fetched, or why it is of no use. */
struct kept {
	struct hash_node by_url;
	struct list age;
	char url[STIR_URL_MAX];
	uint64_t until_s;
	enum reason reason; /* REASON_NONE: `certificate` is good */
	char why[IDENTITY_DETAIL_MAX];
	struct stir_certificate certificate;
};

/* A PASSporT that was good once. */
struct seen {
	struct hash_node by_text;
	struct list age;
	uint64_t dialog, until_s;
};

struct pending {
	struct list node;
	struct identity_ask ask;
	char url[STIR_URL_MAX];
};

struct stir_service {
	struct stir_service_env env;
	struct hash_key key;
	struct stir_trust trust;
	struct hash_table kept, seen;
	struct list kept_age, seen_age, pending;
	size_t pending_count;
};

/* ---- life ---- */

int stir_service_new(const struct stir_service_env *env, const struct hash_key *key,
		     struct stir_service **out)
{
	struct stir_service *s = mem_zalloc(1, sizeof(*s));

	if (!s)
		return ERR_NOMEM;
	s->env = *env;
	s->key = *key;
	list_init(&s->kept_age);
	list_init(&s->seen_age);
	list_init(&s->pending);
	if (hash_init(&s->kept, STIR_CACHE_MAX) || hash_init(&s->seen, STIR_SEEN_MAX)) {
		stir_service_free(s);
		return ERR_NOMEM;
	}
	*out = s;
	return 0;
}

static void kept_drop(struct stir_service *s, struct kept *k)
{
	hash_remove(&s->kept, &k->by_url);
	list_remove(&k->age);
	stir_certificate_done(&k->certificate);
	mem_free(k);
}

static void seen_drop(struct stir_service *s, struct seen *e)
{
	hash_remove(&s->seen, &e->by_text);
	list_remove(&e->age);
	mem_free(e);
}

static void pending_drop(struct stir_service *s, struct pending *p)
{
	list_remove(&p->node);
	s->pending_count--;
	mem_free(p);
}

static void forget_kept(struct stir_service *s)
{
	while (!list_empty(&s->kept_age))
		kept_drop(s, container_of(s->kept_age.next, struct kept, age));
}

void stir_service_free(struct stir_service *s)
{
	if (!s)
		return;
	forget_kept(s);
	while (!list_empty(&s->seen_age))
		seen_drop(s, container_of(s->seen_age.next, struct seen, age));
	while (!list_empty(&s->pending))
		pending_drop(s, container_of(s->pending.next, struct pending, node));
	X509_STORE_free(s->trust.anchors);
	hash_done(&s->kept);
	hash_done(&s->seen);
	mem_free(s);
}

void stir_service_trust(struct stir_service *s, const struct stir_trust *trust)
{
	X509_STORE_free(s->trust.anchors);
	s->trust = *trust;
	if (s->trust.anchors)
		X509_STORE_up_ref(s->trust.anchors);
	forget_kept(s);
}

/* ---- answers ---- */

static void answer(struct stir_service *s, const struct identity_ask *ask, enum reason why,
		   const struct passport *p, const char *detail)
{
	struct identity_answer a = {
		.call = ask->call, .work = IDENTITY_VERIFY, .reason = (uint32_t)why};

	if (p) {
		a.attest = (uint32_t)p->attest;
		(void)slice_to_z(slice_z(p->orig), a.tn, sizeof(a.tn));
		(void)slice_to_z(slice_z(p->origid), a.origid, sizeof(a.origid));
	}
	(void)slice_to_z(slice_z(detail), a.detail, sizeof(a.detail));
	s->env.answer(s->env.ctx, &a);
}

/* ---- what needs no certificate ---- */

static bool same_number(const struct number_plan *plan, const char *user, const char *tn)
{
	char canonical[IDENTITY_TN_MAX];

	return number_canonical(slice_z(user), plan, canonical) == 0 && strcmp(canonical, tn) == 0;
}

/* Who withholds his number is no number in From; then P-Asserted-Identity says who he is. */
static bool is_anonymous(const char *user)
{
	struct slice u = slice_z(user);

	return u.n == 0 || slice_eq_nocase(u, SL("anonymous")) ||
	       slice_eq_nocase(u, SL("restricted")) || slice_eq_nocase(u, SL("unavailable"));
}

/* Every number under which the caller shows himself is the one that was signed. */
static bool caller_matches(const struct number_plan *plan, const struct identity_ask *ask,
			   const struct passport *p)
{
	if (ask->asserted[0] && !same_number(plan, ask->asserted, p->orig))
		return false;
	if (ask->asserted_too[0] && !same_number(plan, ask->asserted_too, p->orig))
		return false;
	if (is_anonymous(ask->from))
		return ask->asserted[0] != '\0';
	return same_number(plan, ask->from, p->orig);
}

static bool called_matches(const struct number_plan *plan, const struct identity_ask *ask,
			   const struct passport *p)
{
	for (size_t i = 0; i < p->dest_count; i++)
		if (same_number(plan, ask->to, p->dest[i]))
			return true;
	return false;
}

static bool is_fresh(const struct passport *p, uint64_t now_s)
{
	int64_t now = (int64_t)now_s;

	return p->iat_s >= 0 && p->iat_s <= now + STIR_FRESH_S && p->iat_s >= now - STIR_FRESH_S;
}

static enum reason judge_text(const struct stir_service *s, uint64_t now_s,
			      const struct number_plan *plan, const struct identity_ask *ask,
			      struct passport *p, const char **detail)
{
	enum reason why = passport_read(slice_z(ask->header), p);

	if (why)
		return why;
	if (!stir_url_allowed(slice_z(p->x5u), &s->trust.hosts)) {
		*detail = p->x5u;
		return REASON_identity_url;
	}
	if (!is_fresh(p, now_s))
		return REASON_identity_stale;
	return caller_matches(plan, ask, p) && called_matches(plan, ask, p)
		       ? REASON_NONE
		       : REASON_identity_number;
}

/* ---- what needs one ---- */

static void seen_age(struct stir_service *s, uint64_t now_s)
{
	while (!list_empty(&s->seen_age)) {
		struct seen *e = container_of(s->seen_age.next, struct seen, age);

		if (e->until_s > now_s && s->seen.count < STIR_SEEN_MAX)
			return;
		seen_drop(s, e);
	}
}

/* By what is signed: whoever has one signature can make another one of it (RFC 6979 has a word on
 * it), but not sign another text. */
static enum reason remember(struct stir_service *s, uint64_t now_s, const struct passport *p,
			    uint64_t dialog)
{
	uint64_t hash = hash_bytes(&s->key, p->signed_part);
	struct hash_node *n = hash_first(&s->seen, hash);
	struct seen *e;

	if (n)
		return container_of(n, struct seen, by_text)->dialog == dialog
			       ? REASON_NONE
			       : REASON_identity_replayed;
	seen_age(s, now_s);
	e = mem_zalloc(1, sizeof(*e));
	if (!e || hash_add(&s->seen, &e->by_text, hash)) {
		mem_free(e);
		return REASON_out_of_memory;
	}
	e->dialog = dialog;
	e->until_s = now_s + STIR_SEEN_S;
	list_append(&s->seen_age, &e->age);
	return REASON_NONE;
}

static void judge_signature(struct stir_service *s, uint64_t now_s, const struct identity_ask *ask,
			    const struct passport *p, const struct kept *k)
{
	enum reason why = k->reason;

	if (!why && !jws_verify(k->certificate.key, p->signed_part, p->signature))
		why = REASON_identity_signature;
	if (!why && !stir_certificate_covers(&k->certificate, slice_z(p->orig)))
		why = REASON_identity_authority;
	if (!why)
		why = remember(s, now_s, p, ask->dialog);
	if (why)
		answer(s, ask, why, NULL, k->why);
	else
		answer(s, ask, REASON_identity_verified, p, "");
}

static struct kept *kept_find(struct stir_service *s, const char *url, uint64_t now_s)
{
	struct hash_node *n = hash_first(&s->kept, hash_bytes(&s->key, slice_z(url)));

	for (; n; n = hash_next(n)) {
		struct kept *k = container_of(n, struct kept, by_url);

		if (strcmp(k->url, url) != 0)
			continue;
		if (k->until_s > now_s)
			return k;
		kept_drop(s, k);
		return NULL;
	}
	return NULL;
}

static bool under_way(const struct stir_service *s, const char *url)
{
	list_for_each (n, &s->pending)
		if (strcmp(container_of(n, struct pending, node)->url, url) == 0)
			return true;
	return false;
}

static enum reason wait_for(struct stir_service *s, const struct identity_ask *ask, const char *url)
{
	bool first = !under_way(s, url);
	struct pending *p = s->pending_count < STIR_PENDING_MAX ? mem_zalloc(1, sizeof(*p)) : NULL;

	if (!p)
		return REASON_identity_certificate_away;
	p->ask = *ask;
	(void)slice_to_z(slice_z(url), p->url, sizeof(p->url));
	list_append(&s->pending, &p->node);
	s->pending_count++;
	if (!first || s->env.fetch(s->env.ctx, url) == 0)
		return REASON_NONE;
	pending_drop(s, p);
	return REASON_identity_certificate_away;
}

void stir_service_ask(struct stir_service *s, uint64_t now_s, const struct number_plan *plan,
		      const struct identity_ask *ask)
{
	const char *detail = "";
	struct passport p;
	enum reason why = judge_text(s, now_s, plan, ask, &p, &detail);
	struct kept *k = why ? NULL : kept_find(s, p.x5u, now_s);

	if (k) {
		judge_signature(s, now_s, ask, &p, k);
		return;
	}
	if (!why) {
		why = wait_for(s, ask, p.x5u);
		detail = "too many certificates are being fetched";
	}
	if (why)
		answer(s, ask, why, NULL, detail);
}

/* ---- what came ---- */

static uint64_t keep_until(const struct stir_fetched *f, const struct kept *k, uint64_t now_s)
{
	uint64_t keep_s = f->keep_s < 0 || f->keep_s > STIR_KEEP_MAX_S ? STIR_KEEP_MAX_S
								       : (uint64_t)f->keep_s;

	if (k->reason)
		return now_s + STIR_KEEP_FAILED_S;
	keep_s = keep_s < STIR_KEEP_MIN_S ? STIR_KEEP_MIN_S : keep_s;
	return now_s + keep_s < k->certificate.until_s ? now_s + keep_s : k->certificate.until_s;
}

static void read_certificate(const struct stir_service *s, uint64_t now_s,
			     const struct stir_fetched *f, struct kept *k)
{
	const char *why = f->why;

	if (why) {
		k->reason = REASON_identity_certificate_away;
	} else {
		why = s->trust.anchors ? stir_certificate_read(f->body, s->trust.anchors, now_s,
							       &k->certificate)
				       : "no trust anchor is configured";
		k->reason = why ? REASON_identity_certificate : REASON_NONE;
	}
	(void)slice_to_z(slice_z(why), k->why, sizeof(k->why));
	k->until_s = keep_until(f, k, now_s);
}

/* It stays out of the table, and serves who waits, when there is no room for it. */
static bool keep(struct stir_service *s, struct kept *k)
{
	while (s->kept.count >= STIR_CACHE_MAX)
		kept_drop(s, container_of(s->kept_age.next, struct kept, age));
	if (hash_add(&s->kept, &k->by_url, hash_bytes(&s->key, slice_z(k->url))))
		return false;
	list_append(&s->kept_age, &k->age);
	return true;
}

static void serve(struct stir_service *s, uint64_t now_s, const struct kept *k)
{
	list_for_each_safe (n, &s->pending) {
		struct pending *p = container_of(n, struct pending, node);
		struct passport passport;

		if (strcmp(p->url, k->url) != 0)
			continue;
		/* It was read before it had to wait. */
		if (passport_read(slice_z(p->ask.header), &passport) == REASON_NONE)
			judge_signature(s, now_s, &p->ask, &passport, k);
		pending_drop(s, p);
	}
}

void stir_service_on_fetched(struct stir_service *s, uint64_t now_s, const struct stir_fetched *f)
{
	struct kept *old = kept_find(s, f->url, now_s);
	struct kept *k = mem_zalloc(1, sizeof(*k));
	struct kept none = {.reason = REASON_out_of_memory};

	if (old)
		kept_drop(s, old);
	if (!k) {
		(void)slice_to_z(slice_z(f->url), none.url, sizeof(none.url));
		serve(s, now_s, &none);
		return;
	}
	list_init(&k->age);
	(void)slice_to_z(slice_z(f->url), k->url, sizeof(k->url));
	read_certificate(s, now_s, f, k);
	if (keep(s, k)) {
		serve(s, now_s, k);
		return;
	}
	serve(s, now_s, k);
	stir_certificate_done(&k->certificate);
	mem_free(k);
}
