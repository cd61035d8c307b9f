/* A run's report, from the book. */
#include <stdio.h>

#include "assess/ledger.h"

#define REPORT_BYTES_MAX   (256u << 20)
#define REPORT_CHUNK_BYTES (64u << 10)

static const char *const tags[ASSESS_RECOMMENDATIONS] = {"r1", "r2", "r3", "r4", "r5"};

struct load {
	struct store *store;
	struct assess_report *report;
	uint64_t run, now_ms;
	bool nomem;
};

static const char *keep(struct load *l, const char *z)
{
	struct slice copy;

	if (!*z)
		return NULL;
	if (arena_copy(&l->report->arena, slice_z(z), &copy)) {
		l->nomem = true;
		return NULL;
	}
	return copy.p;
}

static void read_address(const char *z, struct ip_addr *out)
{
	if (ip_parse(slice_z(z), out))
		*out = (struct ip_addr){.family = IP_NONE};
}

/* Rows of `table` in this run, for the array that receives them. */
static int count_rows(struct load *l, const char *sql, size_t size, void *out_array, size_t *count)
{
	struct store_query *q;
	int err = store_prepare(l->store, sql, &q);
	void *array;
	uint64_t n = 0;

	if (err)
		return err;
	store_bind_u64(q, 1, l->run);
	err = store_step(q);
	if (err == 1)
		n = store_column_u64(q, 0);
	store_finish(q);
	if (err < 0)
		return err;
	array = arena_alloc(&l->report->arena, (n + 1) * size);
	if (!array)
		return ERR_NOMEM;
	memcpy(out_array, &array, sizeof(array));
	*count = n;
	return 0;
}

/* Calls `row` for each row of a query, up to `most`. The rows read. */
static int each(struct load *l, const char *sql, size_t most, size_t *count,
		void (*row)(struct load *l, struct store_query *q, size_t i))
{
	struct store_query *q;
	size_t n = 0;
	int err = store_prepare(l->store, sql, &q);

	if (err)
		return err;
	store_bind_u64(q, 1, l->run);
	store_bind_u64(q, 2, l->now_ms);
	while (n < most && (err = store_step(q)) == 1)
		row(l, q, n++);
	store_finish(q);
	*count = n;
	if (l->nomem)
		return ERR_NOMEM;
	return err < 0 ? err : 0;
}

/* ---- the run ---- */

static void on_run(struct load *l, struct store_query *q, size_t i)
{
	struct assess_report *r = l->report;
	char name[32];

	l->run = store_column_u64(q, 0);
	snprintf(name, sizeof(name), "run-%llu", (unsigned long long)l->run);
	r->run = keep(l, name);
	r->started_ms = store_column_u64(q, 1);
	r->ended_ms = store_column_u64(q, 2);
	r->config_file = keep(l, store_column_z(q, 3));
	r->intrusive = store_column_u64(q, 4) != 0;
	r->complete = store_column_u64(q, 5) != 0;
	r->stopped_why = keep(l, store_column_z(q, 6));
	r->stopped = r->stopped_why != NULL;
}

static void on_run_before(struct load *l, struct store_query *q, size_t i)
{
	char name[32];

	snprintf(name, sizeof(name), "run-%llu", (unsigned long long)store_column_u64(q, 0));
	l->report->run_before = keep(l, name);
	l->report->before_ms = store_column_u64(q, 1);
}

static int load_run(struct load *l)
{
	size_t n;
	int err = each(l,
		       "SELECT id, started_ms, ended_ms, config, intrusive, complete, stopped FROM "
		       "run WHERE id = ?1 OR (?1 = 0 AND ended_ms > 0) ORDER BY id DESC LIMIT 1",
		       1, &n, on_run);

	if (err)
		return err;
	if (!n)
		return ERR_ABSENT;
	return each(l,
		    "SELECT id, started_ms FROM run WHERE id < ?1 AND ended_ms > 0 ORDER BY id "
		    "DESC LIMIT 1",
		    1, &n, on_run_before);
}

/* ---- findings ---- */

static void on_finding(struct load *l, struct store_query *q, size_t i)
{
	struct finding *f = &l->report->findings[i];

	*f = (struct finding){
		.check = keep(l, store_column_z(q, 1)),
		.port = (uint16_t)store_column_u64(q, 4),
		.severity = (uint8_t)store_column_u64(q, 6),
		.confidence = (uint8_t)store_column_u64(q, 7),
		.cvss_tenths = (uint8_t)store_column_u64(q, 8),
		.kev = store_column_u64(q, 9) != 0,
		.tag = keep(l, store_column_z(q, 10)),
		.title = keep(l, store_column_z(q, 11)),
		.evidence = keep(l, store_column_z(q, 12)),
		.remediation = keep(l, store_column_z(q, 13)),
		.references = keep(l, store_column_z(q, 14)),
		.shield = keep(l, store_column_z(q, 15)),
		.pcap = keep(l, store_column_z(q, 16)),
		.state = (uint8_t)store_column_u64(q, 17),
		.change = (uint8_t)store_column_u64(q, 18),
		.severity_before = (uint8_t)store_column_u64(q, 19),
		.first_seen_ms = store_column_u64(q, 20),
		.last_seen_ms = store_column_u64(q, 21),
		.shielded_ms = store_column_u64(q, 22),
		.fixed_ms = store_column_u64(q, 23),
		.suppressed = keep(l, store_column_z(q, 24)),
		.suppressed_until_ms = store_column_u64(q, 25),
	};
	(void)slice_to_z(slice_z(store_column_z(q, 0)), f->id, sizeof(f->id));
	(void)slice_to_z(slice_z(store_column_z(q, 2)), f->asset, sizeof(f->asset));
	(void)slice_to_z(slice_z(store_column_z(q, 5)), f->cve, sizeof(f->cve));
	read_address(store_column_z(q, 3), &f->address);
}

static int load_findings(struct load *l)
{
	static const char sql[] =
		"SELECT f.id, check_id, asset, address, port, cve, s.severity, confidence,"
		" cvss_tenths, kev, tag, title, evidence, remediation, refs, shield, pcap, state,"
		" s.change, severity_before, first_seen_ms, last_seen_ms, shielded_ms, fixed_ms,"
		" p.reason, p.until_ms FROM sighting s JOIN finding f ON f.id = s.finding"
		" LEFT JOIN suppression p ON p.finding = f.id AND p.until_ms > ?2"
		" WHERE s.run = ?1 ORDER BY state = 2, s.severity DESC, check_id, asset, port, cve";
	size_t most;
	int err = count_rows(l, "SELECT count(*) FROM sighting WHERE run = ?1",
			     sizeof(struct finding), (void *)&l->report->findings, &most);

	return err ? err : each(l, sql, most, &l->report->finding_count, on_finding);
}

/* ---- results and inventory ---- */

static void on_result(struct load *l, struct store_query *q, size_t i)
{
	struct check_result *r = &l->report->results[i];

	r->check = keep(l, store_column_z(q, 0));
	(void)slice_to_z(slice_z(store_column_z(q, 1)), r->asset, sizeof(r->asset));
	r->verdict = (uint8_t)store_column_u64(q, 2);
	r->why = keep(l, store_column_z(q, 3));
}

static int load_results(struct load *l)
{
	size_t most;
	int err = count_rows(l, "SELECT count(*) FROM result WHERE run = ?1",
			     sizeof(struct check_result), (void *)&l->report->results, &most);

	return err ? err
		   : each(l,
			  "SELECT check_id, asset, verdict, why FROM result WHERE run = ?1 ORDER "
			  "BY "
			  "check_id, asset",
			  most, &l->report->result_count, on_result);
}

static void on_asset(struct load *l, struct store_query *q, size_t i)
{
	struct asset_result *a = &l->report->assets[i];

	(void)slice_to_z(slice_z(store_column_z(q, 0)), a->asset, sizeof(a->asset));
	read_address(store_column_z(q, 1), &a->address);
	a->kind = (uint8_t)store_column_u64(q, 2);
	a->state = (uint8_t)store_column_u64(q, 3);
	a->why = keep(l, store_column_z(q, 4));
	a->product = keep(l, store_column_z(q, 5));
	a->version = keep(l, store_column_z(q, 6));
	a->seen_by = keep(l, store_column_z(q, 7));
	a->line = (unsigned)store_column_u64(q, 8);
	a->packets = store_column_u64(q, 9);
}

static int load_assets(struct load *l)
{
	size_t most;
	int err = count_rows(l, "SELECT count(*) FROM inventory WHERE run = ?1",
			     sizeof(struct asset_result), (void *)&l->report->assets, &most);

	return err ? err
		   : each(l,
			  "SELECT asset, address, kind, state, why, product, version, seen_by, "
			  "line,"
			  " packets FROM inventory WHERE run = ?1 ORDER BY asset",
			  most, &l->report->asset_count, on_asset);
}

/* ---- posture ---- */

static struct posture *bar_of(struct assess_report *r, const char *tag)
{
	for (size_t i = 0; tag && i < ASSESS_RECOMMENDATIONS; i++)
		if (strcmp(tags[i], tag) == 0)
			return &r->posture[i];
	return NULL;
}

static void count_finding(struct assess_report *r, const struct finding *f)
{
	struct posture *p = bar_of(r, f->tag);

	if (!p)
		return;
	if (f->state == FINDING_FIXED)
		p->fixed++;
	else if (f->suppressed)
		p->suppressed++;
	else if (f->state == FINDING_SHIELDED)
		p->shielded++;
	else
		p->open[f->severity]++;
}

static void report_posture(struct assess_report *r, const struct check_table *checks)
{
	memset(r->posture, 0, sizeof(r->posture));
	for (size_t i = 0; i < ASSESS_RECOMMENDATIONS; i++)
		r->posture[i].tag = tags[i];
	for (size_t i = 0; i < r->finding_count; i++)
		count_finding(r, &r->findings[i]);
	for (size_t i = 0; i < r->result_count; i++) {
		const struct check_row *row = check_find(checks, slice_z(r->results[i].check));
		struct posture *p = row ? bar_of(r, row->tag) : NULL;

		if (!p)
			continue;
		p->clean += r->results[i].verdict == VERDICT_CLEAN;
		p->found += r->results[i].verdict == VERDICT_FOUND;
		p->absent += r->results[i].verdict == VERDICT_ABSENT;
		p->untested += r->results[i].verdict == VERDICT_UNTESTED;
	}
	for (size_t i = 0; i < ASSESS_RECOMMENDATIONS; i++) {
		struct posture *p = &r->posture[i];

		if (p->clean + p->found)
			p->percent = p->clean * 100 / (p->clean + p->found);
	}
}

/* ---- all of it ---- */

int ledger_report(struct store *s, uint64_t run, uint64_t now_ms, const struct check_table *checks,
		  struct assess_report *out)
{
	struct load l = {.store = s, .report = out, .run = run, .now_ms = now_ms};
	int err;

	*out = (struct assess_report){0};
	arena_init(&out->arena, REPORT_CHUNK_BYTES, REPORT_BYTES_MAX);
	err = load_run(&l);
	if (!err)
		err = load_findings(&l);
	if (!err)
		err = load_results(&l);
	if (!err)
		err = load_assets(&l);
	if (err) {
		report_done(out);
		return err;
	}
	report_posture(out, checks);
	return 0;
}

void report_done(struct assess_report *r)
{
	arena_done(&r->arena);
	*r = (struct assess_report){0};
}
