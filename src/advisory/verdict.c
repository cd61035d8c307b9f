#include "advisory/verdict.h"

#include <stdlib.h>

#include "advisory/verdict_impl.h"
#include "advisory/version.h"
#include "base/mem.h"

#define FUSED_MAX	  16384
#define FUSED_LIVES_MAX	  32
#define FUSED_ARENA_BYTES (32u << 20)

struct fusing {
	const struct fuse_request *request;
	struct fused_list *out;
	struct distro_list distro;
	struct fault *fault;
};

/* A product on the host: what it says, and the package it may come from. */
struct presence {
	struct sighting sighting;
	const struct package *package; /* NULL: not installed as one, or the host was not read */
	bool running_differs;	       /* what runs is another version than the package's */
	bool host_read;
};

static struct fused *fused_of(struct fused_list *l, const char *cve, const struct product *product,
			      struct slice package)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i].cve, cve) == 0 && l->items[i].product == product &&
		    (product || slice_eq(l->items[i].package, package)))
			return &l->items[i];
	return NULL;
}

static struct fused *fused_new(struct fusing *g, const char *cve)
{
	struct fused_list *l = g->out;
	const char *since = adv_base_kev(g->request->base, slice_z(cve));
	struct fused *f;

	if (l->count == FUSED_MAX)
		return NULL;
	if (l->count == l->allocated) {
		size_t n = l->allocated ? l->allocated * 2 : 64;
		struct fused *grown = mem_grow(l->items, n * sizeof(*grown));

		if (!grown)
			return NULL;
		l->items = grown;
		l->allocated = n;
	}
	f = &l->items[l->count++];
	*f = (struct fused){.severity = "unknown"};
	snprintf(f->cve, sizeof(f->cve), "%s", cve);
	snprintf(f->kev, sizeof(f->kev), "%s", since ? since : "");
	return f;
}

static void set(struct fused *f, enum fused_status status, enum adv_confidence confidence,
		const char *why)
{
	f->status = status;
	f->confidence = confidence;
	snprintf(f->why, sizeof(f->why), "%s", why);
}

/* ---- what the distribution decides ---- */

static void by_distro(struct fused *f, const struct distro_row *d, struct slice distribution)
{
	static const struct {
		enum fused_status status;
		enum adv_confidence confidence;
	} answers[] = {
		[DISTRO_FIXED] = {FUSED_FIXED, ADV_HIGH},
		[DISTRO_NOT_AFFECTED] = {FUSED_NOT_AFFECTED, ADV_HIGH},
		[DISTRO_OPEN] = {FUSED_VULNERABLE, ADV_HIGH},
		[DISTRO_IGNORED] = {FUSED_VULNERABLE, ADV_HIGH},
		[DISTRO_UNDECIDED] = {FUSED_UNKNOWN, ADV_LOW},
	};
	const struct package *p = d->package;
	const char *tail = d->answer == DISTRO_NOT_AFFECTED ? "is not affected, says"
			   : d->answer == DISTRO_IGNORED ? "is affected, and no fix will come from"
			   : d->answer == DISTRO_UNDECIDED
				   ? "is not yet judged by"
				   : "is affected, and there is no fix yet from";

	f->status = answers[d->answer].status;
	f->confidence = answers[d->answer].confidence;
	f->package = p->source;
	f->fixed_version = d->fixed_version;
	if (d->answer == DISTRO_FIXED)
		snprintf(f->why, sizeof(f->why),
			 "the package %.*s %.*s has the fix, which came with %.*s of %.*s",
			 SLICE_ARGS(p->source), SLICE_ARGS(p->version),
			 SLICE_ARGS(d->fixed_version), SLICE_ARGS(distribution));
	else if (d->answer == DISTRO_OPEN && d->fixed_version.n)
		snprintf(f->why, sizeof(f->why),
			 "the package %.*s %.*s is older than %.*s, in which %.*s fixed it",
			 SLICE_ARGS(p->source), SLICE_ARGS(p->version),
			 SLICE_ARGS(d->fixed_version), SLICE_ARGS(distribution));
	else
		snprintf(f->why, sizeof(f->why), "the package %.*s %.*s %s %.*s",
			 SLICE_ARGS(p->source), SLICE_ARGS(p->version), tail,
			 SLICE_ARGS(distribution));
}

static struct slice distribution_of(const struct fusing *g)
{
	struct slice name = g->request->packages->distribution;

	return name.n ? name : SL("the distribution");
}

/* ---- what the makers' ranges say, set against the distribution ---- */

/* Where the package is fixed and yet something older runs. */
static void still_running(struct fused *f, const struct presence *p)
{
	char why[MATCH_WHY_MAX];

	snprintf(why, sizeof(why),
		 "the installed package is fixed, but what runs says %.*s (%s): it was not "
		 "restarted, "
		 "or does not come from the package",
		 SLICE_ARGS(p->sighting.version), p->sighting.seen_by);
	set(f, FUSED_VULNERABLE, ADV_MEDIUM, why);
}

static void add_words(struct fused *f, const char *words)
{
	size_t n = strlen(f->why);

	snprintf(f->why + n, sizeof(f->why) - n, "%s", words);
}

/* No word of a distribution: a package of its may carry the fix all the same; a program that says
 * its version itself and is in no package is what it says. */
static void by_range(struct fused *f, const struct match_result *m, const struct match_hit *h,
		     const struct presence *p)
{
	char why[MATCH_WHY_MAX];

	match_why(m, h, why, sizeof(why));
	if (h->excluded) {
		set(f, h->row.status == ROW_FIXED ? FUSED_FIXED : FUSED_NOT_AFFECTED, ADV_HIGH,
		    why);
	} else if (h->answer == RANGE_MAYBE) {
		set(f, FUSED_UNKNOWN, ADV_LOW, why);
	} else if (h->answer == RANGE_FIXED) {
		set(f, FUSED_FIXED, p->host_read ? ADV_MEDIUM : ADV_LOW, why);
	} else if (p->package && !p->running_differs) {
		set(f, FUSED_UNKNOWN, ADV_LOW, why);
		add_words(f,
			  "; the package may carry the fix: import the distribution's advisories");
	} else if (p->host_read && !p->package) {
		set(f, FUSED_VULNERABLE, ADV_MEDIUM, why);
		add_words(f, "; it is installed outside of the packages");
	} else {
		set(f, FUSED_VULNERABLE, ADV_LOW, why);
		add_words(f, "; that rests on what the program says of itself");
	}
}

static void decide(struct fusing *g, struct fused *f, const struct match_result *m,
		   const struct match_hit *h, const struct presence *p)
{
	const struct distro_row *d =
		p->package ? distro_find(&g->distro, f->cve, p->package) : NULL;
	bool affected = h->answer == RANGE_YES && !h->excluded;

	if (!d || (d->answer == DISTRO_UNDECIDED && h->excluded)) {
		by_range(f, m, h, p);
		return;
	}
	by_distro(f, d, distribution_of(g));
	if (d->answer == DISTRO_FIXED && affected && p->running_differs)
		still_running(f, p);
	else if (d->answer == DISTRO_FIXED && affected)
		add_words(f, "; its version alone would look affected");
	else if ((d->answer == DISTRO_OPEN || d->answer == DISTRO_IGNORED) && h->excluded)
		by_range(f, m, h, p);
}

static int describe(struct fusing *g, struct fused *f, const struct match_hit *h)
{
	struct arena *a = &g->out->arena;
	char remedy[256] = "";

	f->severity = adv_row_severity(&h->row);
	f->cvss_tenths = h->row.cvss_tenths;
	if (h->row.kev.n)
		slice_to_z(h->row.kev, f->kev, sizeof(f->kev));
	if (f->fixed_version.n)
		snprintf(remedy, sizeof(remedy), "Update the package %.*s to %.*s or newer",
			 SLICE_ARGS(f->package), SLICE_ARGS(f->fixed_version));
	else if (h->range && h->range->fixed.n)
		snprintf(remedy, sizeof(remedy), "Update to %.*s or newer",
			 SLICE_ARGS(h->range->fixed));
	if (arena_copy(a, h->row.summary, &f->summary) ||
	    arena_copy(a, slice_z(remedy), &f->remedy))
		return ERR_NOMEM;
	return 0;
}

static int hit_fuse(struct fusing *g, const struct match_result *m, const struct match_hit *h,
		    const struct presence *p)
{
	char cve[ADV_CVE_BYTES_MAX];
	struct fused *f;

	slice_to_z(h->row.cve, cve, sizeof(cve));
	f = fused_of(g->out, cve, p->sighting.product, slice_of("", 0));
	if (f)
		return 0; /* another sighting of the product, that says less */
	f = fused_new(g, cve);
	if (!f)
		return ERR_NOMEM;
	f->product = p->sighting.product;
	decide(g, f, m, h, p);
	return describe(g, f, h);
}

static int life_add(struct fusing *g, struct slice what, const struct match_result *m)
{
	struct fused_list *l = g->out;
	struct fused_life *life = &l->lives[l->life_count];

	if (l->life_count == FUSED_LIVES_MAX)
		return 0;
	*life = (struct fused_life){.what = what, .eol = m->eol};
	match_eol_why(m, life->why, sizeof(life->why));
	l->life_count++;
	return arena_copy(&l->arena, m->query.version, &life->version);
}

static int presence_fuse(struct fusing *g, const struct presence *p)
{
	struct range_query q = {.product = p->sighting.product,
				.unit = p->sighting.unit,
				.version = p->sighting.version};
	struct match_result m;
	int err = adv_match(g->request->base, &q, g->request->now_ms, &m, g->fault);

	if (err)
		return err;
	for (size_t i = 0; !err && i < m.count; i++)
		err = hit_fuse(g, &m, &m.hits[i], p);
	if (!err)
		err = life_add(g, q.product->name, &m);
	adv_match_done(&m);
	return err;
}

static const struct package *package_of(const struct package_list *l, const struct product *p)
{
	for (size_t i = 0; l && i < p->packages.count; i++) {
		const struct package *found = package_find(l, p->packages.items[i]);

		if (found)
			return found;
	}
	return NULL;
}

static int sighting_fuse(struct fusing *g, const struct sighting *s)
{
	struct presence p = {.sighting = *s,
			     .package = package_of(g->request->packages, s->product),
			     .host_read = g->request->packages != NULL};
	struct slice packaged =
		p.package ? version_upstream_of_package(p.package->version) : slice_of("", 0);

	if (p.package && version_upstream_known(s->version))
		p.running_differs = version_cmp_upstream(version_upstream_of_package(s->version),
							 packaged) != 0;
	else if (p.package)
		p.sighting.version = packaged;
	return presence_fuse(g, &p);
}

/* A product that is installed and says nothing by itself. */
static int silent_fuse(struct fusing *g, const struct product *product)
{
	const struct package *p = package_of(g->request->packages, product);
	struct presence presence = {.sighting = {.product = product, .seen_by = "package list"},
				    .package = p,
				    .host_read = true};

	for (size_t i = 0; i < g->request->sighting_count; i++)
		if (g->request->sightings[i].product == product)
			return 0;
	if (!p)
		return 0;
	presence.sighting.version = version_upstream_of_package(p->version);
	return presence_fuse(g, &presence);
}

/* The system's other packages: what the distribution says is open. */
static int packages_fuse(struct fusing *g)
{
	for (size_t i = 0; i < g->distro.count; i++) {
		const struct distro_row *d = &g->distro.rows[i];
		const struct product *product =
			product_by_package(&g->request->base->products, d->package->source);
		bool repeated = i && d->package == d[-1].package && strcmp(d->cve, d[-1].cve) == 0;
		struct fused *f;

		if (repeated || (product && fused_of(g->out, d->cve, product, d->package->source)))
			continue;
		if (!product && d->answer != DISTRO_OPEN && d->answer != DISTRO_IGNORED)
			continue;
		f = fused_new(g, d->cve);
		if (!f)
			return ERR_NOMEM;
		f->product = product;
		by_distro(f, d, distribution_of(g));
		f->severity = d->severity;
		f->cvss_tenths = d->cvss_tenths;
		if (arena_copy(&g->out->arena, d->fixed_version, &f->fixed_version) ||
		    arena_copy(&g->out->arena, d->summary, &f->summary))
			return ERR_NOMEM;
	}
	return 0;
}

static int release_life(struct fusing *g)
{
	const struct package_list *l = g->request->packages;
	struct match_result m = {.query = {.version = l->release}};

	if (!l->distribution.n || !l->release.n)
		return 0;
	m.eol = eol_find(&g->request->base->eol, l->distribution, l->release, g->request->now_ms);
	return m.eol.state == EOL_UNKNOWN ? 0 : life_add(g, l->distribution, &m);
}

static int rank(const struct fused *f)
{
	static const char *const words[] = {"unknown", "low", "medium", "high", "critical"};
	int rank = 0;

	for (int i = 0; i < 5; i++)
		if (strcmp(f->severity, words[i]) == 0)
			rank = i;
	return rank * 10 + (*f->kev ? 100 : 0) + (int)f->confidence;
}

static int worst_first(const void *a, const void *b)
{
	const struct fused *x = a, *y = b;

	if (x->status != y->status)
		return (int)x->status - (int)y->status;
	if (rank(x) != rank(y))
		return rank(y) - rank(x);
	return strcmp(y->cve, x->cve);
}

static int fuse_all(struct fusing *g)
{
	const struct fuse_request *r = g->request;
	int err = distro_read(r, &g->out->arena, &g->distro, g->fault);

	for (size_t i = 0; !err && i < r->sighting_count; i++)
		if (r->sightings[i].product)
			err = sighting_fuse(g, &r->sightings[i]);
	for (size_t i = 0; !err && r->packages && i < r->base->products.count; i++)
		err = silent_fuse(g, &r->base->products.rows[i]);
	if (!err && r->packages)
		err = packages_fuse(g);
	if (!err && r->packages)
		err = release_life(g);
	return err;
}

int verdict_fuse(const struct fuse_request *r, struct fused_list *out, struct fault *f)
{
	struct fused_list l = {0};
	struct fusing g = {.request = r, .out = &l, .fault = f};
	int err;

	*f = (struct fault){{0}};
	arena_init(&l.arena, 16384, FUSED_ARENA_BYTES);
	l.lives = arena_alloc(&l.arena, FUSED_LIVES_MAX * sizeof(*l.lives));
	err = l.lives ? fuse_all(&g) : ERR_NOMEM;
	l.covers = g.distro.covers;
	distro_done(&g.distro);
	if (err) {
		if (!*f->text)
			fault_say(f, err, "the verdict: %s", err_text(err));
		fused_list_done(&l);
		return err;
	}
	if (l.count)
		qsort(l.items, l.count, sizeof(*l.items), worst_first);
	*out = l;
	return 0;
}

void fused_list_done(struct fused_list *l)
{
	mem_free(l->items);
	arena_done(&l->arena);
	*l = (struct fused_list){0};
}
