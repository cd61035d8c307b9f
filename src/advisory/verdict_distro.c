/* What the distribution says of the installed packages. */
#include <stdlib.h>

#include "advisory/verdict_impl.h"
#include "advisory/version.h"
#include "base/mem.h"

#define DISTRO_ROWS_MAX 65536

struct distro_reading {
	const struct fuse_request *request;
	struct distro_list *list;
	struct fault *fault;
};

static int cmp(enum row_order order, struct slice a, struct slice b)
{
	return order == ORDER_RPM ? version_cmp_rpm(a, b) : version_cmp_dpkg(a, b);
}

/* "el9" of "8.7p1-40.el9_2"; empty when there is none. */
static struct slice release_mark(struct slice version)
{
	static const struct slice marks[] = {SLICE(".el"), SLICE(".fc"), SLICE(".amzn")};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t at = slice_find_slice(version, marks[i]), n = 0;
		struct slice s;

		if (at == version.n)
			continue;
		s = slice_from(version, at + 1);
		while (n < s.n && s.p[n] != '_' && s.p[n] != '.')
			n++;
		return slice_first(s, n);
	}
	return slice_of("", 0);
}

static bool same_distribution(struct slice row, struct slice host)
{
	if (!host.n || slice_eq_nocase(row, host))
		return true;
	return slice_eq(row, SL("redhat")) &&
	       (slice_eq(host, SL("rhel")) || slice_eq(host, SL("centos")));
}

/* Whether the row is about this host's release; without one, the marks of the versions tell. */
static bool same_release(const struct adv_row *row, const struct package_list *l,
			 const struct package *p)
{
	if (row->release.n && (l->release.n || l->codename.n))
		return slice_eq_nocase(row->release, l->codename) ||
		       slice_eq(row->release, l->release) ||
		       slice_eq(row->release, slice_first(l->release, slice_find(l->release, '.')));
	if (row->release.n)
		return false;
	return !row->fixed_version.n ||
	       slice_eq(release_mark(row->fixed_version), release_mark(p->version));
}

static enum distro_answer answer_of(const struct adv_row *row, const struct package *p)
{
	switch (row->status) {
	case ROW_NOT_AFFECTED:
		return DISTRO_NOT_AFFECTED;
	case ROW_INVESTIGATED:
		return DISTRO_UNDECIDED;
	case ROW_IGNORED:
		return DISTRO_IGNORED;
	case ROW_FIXED:
		if (row->fixed_version.n && cmp(row->order, p->version, row->fixed_version) >= 0)
			return DISTRO_FIXED;
		return DISTRO_OPEN;
	case ROW_AFFECTED:
	default:
		return DISTRO_OPEN;
	}
}

static int add(struct distro_reading *g, const struct adv_row *row, const struct package *p)
{
	struct distro_list *l = g->list;
	struct distro_row d = {.package = p,
			       .answer = answer_of(row, p),
			       .severity = adv_row_severity(row),
			       .cvss_tenths = row->cvss_tenths};

	if (l->count == DISTRO_ROWS_MAX)
		return fault_say(g->fault, ERR_LIMIT,
				 "the feeds say too much of this host's packages");
	if (l->count == l->allocated) {
		size_t n = l->allocated ? l->allocated * 2 : 256;
		struct distro_row *grown = mem_grow(l->rows, n * sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		l->rows = grown;
		l->allocated = n;
	}
	slice_to_z(row->cve, d.cve, sizeof(d.cve));
	if (arena_copy(l->arena, row->fixed_version, &d.fixed_version) ||
	    arena_copy(l->arena, row->summary, &d.summary))
		return ERR_NOMEM;
	l->rows[l->count++] = d;
	return 0;
}

static int row_take(void *ctx, const struct adv_row *row, struct json_t *json,
		    const struct feed_info *feed)
{
	struct distro_reading *g = ctx;
	const struct package_list *l = g->request->packages;
	const struct package *p;

	if (!row->package.n || row->order != l->order ||
	    !same_distribution(row->distribution, l->distribution))
		return 0;
	p = package_find(l, row->package);
	if (!p || !same_release(row, l, p))
		return 0;
	g->list->covers = true;
	if (row->introduced.n && cmp(row->order, p->version, row->introduced) < 0)
		return 0;
	return add(g, row, p);
}

static int row_order(const void *a, const void *b)
{
	const struct distro_row *x = a, *y = b;
	int order = strcmp(x->cve, y->cve);

	if (order)
		return order;
	if (x->package != y->package)
		return x->package < y->package ? -1 : 1;
	return (int)x->answer - (int)y->answer; /* a fix that is there decides */
}

int distro_read(const struct fuse_request *r, struct arena *a, struct distro_list *out,
		struct fault *f)
{
	struct distro_list l = {.arena = a};
	struct distro_reading g = {.request = r, .list = &l, .fault = f};
	int err = r->packages && r->packages->count
			  ? adv_base_each(r->base, SL("\"package\""), NULL, row_take, &g, f)
			  : 0;

	if (err) {
		distro_done(&l);
		return err;
	}
	if (l.count)
		qsort(l.rows, l.count, sizeof(*l.rows), row_order);
	*out = l;
	return 0;
}

void distro_done(struct distro_list *l)
{
	mem_free(l->rows);
	*l = (struct distro_list){0};
}

const struct distro_row *distro_find(const struct distro_list *l, const char *cve,
				     const struct package *p)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(l->rows[middle].cve, cve) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < l->count && strcmp(l->rows[low].cve, cve) == 0; low++)
		if (l->rows[low].package == p)
			return &l->rows[low];
	return NULL;
}
