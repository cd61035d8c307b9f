/* Our own rows, the KEV catalogue and OSV records. */
#include "advisory/import_impl.h"
#include "advisory/jsonl.h"
#include "advisory/row.h"

#define OSV_ID_TEXT 64

struct ecosystem {
	struct slice osv;	  /* what the record's ecosystem begins with */
	const char *distribution; /* ours */
	const char *order;
};

static const struct ecosystem ecosystems[] = {
	{SLICE("Debian"), "debian", "dpkg"},	  {SLICE("Ubuntu"), "ubuntu", "dpkg"},
	{SLICE("Red Hat"), "redhat", "rpm"},	  {SLICE("Rocky Linux"), "rocky", "rpm"},
	{SLICE("AlmaLinux"), "almalinux", "rpm"}, {SLICE("SUSE"), "suse", "rpm"},
	{SLICE("openSUSE"), "opensuse", "rpm"},	  {SLICE("openEuler"), "openeuler", "rpm"},
};

int import_own(struct import_sink *s, json_t *row, unsigned line)
{
	int err = sink_format(s, "hornwork");

	if (err)
		return err;
	if (json_object_get(row, "hornwork_feed")) { /* the line of an export */
		sink_dated(s, json_member_slice(row, "dated"));
		sink_ident(s, "", json_member_slice(row, "name"));
		return 0;
	}
	s->documents = line;
	return sink_row(s, json_incref(row));
}

int import_kev(struct import_sink *s, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "vulnerabilities"), *v;
	size_t i;
	int err = sink_format(s, "kev");

	sink_dated(s, json_member_slice(doc, "catalogVersion"));
	sink_dated(s, json_member_slice(doc, "dateReleased"));
	sink_ident(s, "cisa-kev", slice_of("", 0));
	if (!err && !json_is_array(list))
		err = fault_say(s->fault, ERR_SYNTAX, "%s: 'vulnerabilities' is no list", s->where);
	json_array_foreach(list, i, v)
	{
		struct slice cve = json_member_slice(v, "cveID");
		struct slice since = json_member_slice(v, "dateAdded");

		if (err)
			return err;
		if (!adv_id_valid(cve) || !json_date_ms(since))
			return fault_say(s->fault, ERR_SYNTAX,
					 "%s: entry %zu has no 'cveID' or no 'dateAdded'", s->where,
					 i + 1);
		err = sink_row(
			s, json_pack("{ss% ss%}", "cve", cve.p, cve.n, "kev", since.p, since.n));
	}
	return err;
}

static const struct ecosystem *ecosystem_of(struct slice osv, struct slice *release)
{
	struct slice name = slice_split(osv, ':', release);

	*release = slice_split(*release, ':', &(struct slice){0});
	for (size_t i = 0; i < sizeof(ecosystems) / sizeof(ecosystems[0]); i++)
		if (slice_eq(name, ecosystems[i].osv))
			return &ecosystems[i];
	return NULL;
}

/* Distributions publish under ids of their own and name the CVEs beside them. */
static const json_t *osv_cves(const json_t *doc)
{
	static const char *const members[] = {"upstream", "related", "aliases"};

	for (size_t i = 0; i < 3; i++) {
		const json_t *list = json_object_get(doc, members[i]);

		for (size_t k = 0; k < json_array_size(list); k++)
			if (slice_starts(json_slice(json_array_get(list, k)), SL("CVE-")))
				return list;
	}
	return NULL;
}

struct osv_row {
	const struct ecosystem *ecosystem;
	struct slice release, package, introduced, fixed;
};

static int osv_emit(struct import_sink *s, struct slice id, const struct osv_row *r)
{
	if (!adv_id_valid(id))
		return 0;
	return sink_row(s, json_pack("{ss% ss% ss ss% ss ss ss% ss%}", "cve", id.p, id.n, "package",
				     r->package.p, r->package.n, "distribution",
				     r->ecosystem->distribution, "release",
				     r->release.p ? r->release.p : "", r->release.n, "order",
				     r->ecosystem->order, "status",
				     r->fixed.n ? "fixed" : "affected", "fixed_version", r->fixed.p,
				     r->fixed.n, "introduced", r->introduced.p, r->introduced.n));
}

/* A row for each CVE that the record stands for; for the record itself when it names none. */
static int osv_rows(struct import_sink *s, const json_t *doc, const struct osv_row *r)
{
	struct slice id = json_member_slice(doc, "id"), mark = SLICE("CVE-");
	const json_t *list = osv_cves(doc);
	size_t at = slice_find_slice(id, mark);
	int err = 0;

	if (at < id.n) /* "CVE-2024-1", "DEBIAN-CVE-2024-1" */
		return osv_emit(s, slice_from(id, at), r);
	if (!list)
		return osv_emit(s, id, r);
	for (size_t i = 0; !err && i < json_array_size(list); i++) {
		struct slice cve = json_slice(json_array_get(list, i));

		at = slice_find_slice(cve, mark);
		if (at < cve.n)
			err = osv_emit(s, slice_from(cve, at), r);
	}
	return err;
}

/* Events come in pairs: introduced, then fixed; without the second there is no fix yet. */
static int osv_range(struct import_sink *s, const json_t *doc, const json_t *range,
		     struct osv_row *r)
{
	const json_t *events = json_object_get(range, "events");
	bool open = false;
	int err = 0;

	if (!slice_eq(json_member_slice(range, "type"), SL("ECOSYSTEM")))
		return 0;
	for (size_t i = 0; !err && i < json_array_size(events); i++) {
		const json_t *e = json_array_get(events, i);
		struct slice introduced = json_member_slice(e, "introduced");

		if (introduced.n) {
			r->introduced =
				slice_eq(introduced, SL("0")) ? slice_of("", 0) : introduced;
			r->fixed = slice_of("", 0);
			open = true;
		}
		if (json_member_slice(e, "fixed").n && open) {
			r->fixed = json_member_slice(e, "fixed");
			open = false;
			err = osv_rows(s, doc, r);
		}
	}
	return err || !open ? err : osv_rows(s, doc, r);
}

int import_osv(struct import_sink *s, const json_t *doc)
{
	const json_t *affected = json_object_get(doc, "affected");
	uint64_t before = s->rows;
	int err = sink_format(s, "osv");

	sink_dated(s, json_member_slice(doc, "modified"));
	sink_ident(s, "osv-", json_member_slice(doc, "id"));
	if (!err && !json_member_slice(doc, "id").n)
		err = fault_say(s->fault, ERR_SYNTAX, "%s: a record has no 'id'", s->where);
	if (json_object_get(doc, "withdrawn"))
		affected = NULL;
	for (size_t i = 0; !err && i < json_array_size(affected); i++) {
		const json_t *a = json_array_get(affected, i), *ranges, *package;
		struct osv_row r = {.introduced = {.p = ""}, .fixed = {.p = ""}};

		package = json_object_get(a, "package");
		ranges = json_object_get(a, "ranges");
		r.package = json_member_slice(package, "name");
		r.ecosystem = ecosystem_of(json_member_slice(package, "ecosystem"), &r.release);
		if (!r.ecosystem || !r.package.n)
			continue;
		for (size_t k = 0; !err && k < json_array_size(ranges); k++)
			err = osv_range(s, doc, json_array_get(ranges, k), &r);
	}
	if (!err && s->rows == before)
		s->skipped++;
	return err;
}
