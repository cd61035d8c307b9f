#include "assess/ledger.h"

#include <stdio.h>

#define DAY_MS 86400000ull

int ledger_begin(struct store *s, const char *config_file, bool intrusive, uint64_t now_ms,
		 uint64_t *out_run)
{
	struct store_query *q;
	int err = store_prepare(
		s, "INSERT INTO run (started_ms, config, intrusive) VALUES (?1, ?2, ?3)", &q);

	if (err)
		return err;
	store_bind_u64(q, 1, now_ms);
	store_bind_z(q, 2, config_file);
	store_bind_u64(q, 3, intrusive);
	err = store_step(q);
	store_finish(q);
	if (err)
		return err < 0 ? err : ERR_PEER;
	*out_run = store_last_id(s);
	return 0;
}

/* ---- what is known of a finding ---- */

struct known {
	bool there;
	uint8_t state, severity;
	uint64_t first_seen_ms, shielded_ms;
};

static int look_up(struct store *s, const char *id, struct known *out)
{
	struct store_query *q;
	int err = store_prepare(s,
				"SELECT state, severity, first_seen_ms, shielded_ms FROM finding "
				"WHERE id = ?1",
				&q);

	*out = (struct known){0};
	if (err)
		return err;
	store_bind_z(q, 1, id);
	err = store_step(q);
	if (err == 1)
		*out = (struct known){.there = true,
				      .state = (uint8_t)store_column_u64(q, 0),
				      .severity = (uint8_t)store_column_u64(q, 1),
				      .first_seen_ms = store_column_u64(q, 2),
				      .shielded_ms = store_column_u64(q, 3)};
	store_finish(q);
	return err < 0 ? err : 0;
}

static void compare(struct finding *f, const struct known *k, uint64_t now_ms)
{
	f->last_seen_ms = now_ms;
	f->first_seen_ms = k->there ? k->first_seen_ms : now_ms;
	f->state = FINDING_OPEN;
	f->severity_before = k->there ? k->severity : f->severity;
	if (!k->there) {
		f->change = CHANGE_NEW;
	} else if (k->state == FINDING_FIXED) {
		f->change = CHANGE_BACK;
	} else {
		f->change = k->severity == f->severity ? CHANGE_SAME : CHANGE_SEVERITY;
		f->state = k->state;
		f->shielded_ms = k->shielded_ms;
	}
}

static const char upsert[] =
	"INSERT OR REPLACE INTO finding (id, check_id, asset, address, port, cve, severity,"
	" confidence, cvss_tenths, kev, tag, title, evidence, remediation, refs, shield, pcap,"
	" state, change, severity_before, first_seen_ms, last_seen_ms, shielded_ms, fixed_ms, run)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
	" ?19, ?20, ?21, ?22, ?23, 0, ?24)";

static void bind_finding(struct store_query *q, const struct finding *f, uint64_t run)
{
	const char *texts[] = {f->tag,	      f->title,	 f->evidence, f->remediation,
			       f->references, f->shield, f->pcap};
	char address[IP_TEXT_MAX];

	store_bind_z(q, 1, f->id);
	store_bind_z(q, 2, f->check);
	store_bind_z(q, 3, f->asset);
	store_bind_z(q, 4, ip_text(&f->address, address));
	store_bind_u64(q, 5, f->port);
	store_bind_z(q, 6, f->cve);
	store_bind_u64(q, 7, f->severity);
	store_bind_u64(q, 8, f->confidence);
	store_bind_u64(q, 9, f->cvss_tenths);
	store_bind_u64(q, 10, f->kev);
	for (int i = 0; i < 7; i++)
		store_bind_z(q, 11 + i, texts[i]);
	store_bind_u64(q, 18, f->state);
	store_bind_u64(q, 19, f->change);
	store_bind_u64(q, 20, f->severity_before);
	store_bind_u64(q, 21, f->first_seen_ms);
	store_bind_u64(q, 22, f->last_seen_ms);
	store_bind_u64(q, 23, f->shielded_ms);
	store_bind_u64(q, 24, run);
}

static int enter_finding(struct store *s, struct store_query *q, struct finding *f, uint64_t run,
			 uint64_t now_ms)
{
	struct known k;
	int err = look_up(s, f->id, &k);

	if (err)
		return err;
	compare(f, &k, now_ms);
	bind_finding(q, f, run);
	err = store_step(q);
	store_reset(q);
	return err;
}

static int enter_findings(struct store *s, uint64_t run, const struct harvest *h, uint64_t now_ms)
{
	struct store_query *q;
	int err = store_prepare(s, upsert, &q);

	for (size_t i = 0; i < h->finding_count && !err; i++)
		err = enter_finding(s, q, &h->findings[i], run, now_ms);
	store_finish(q);
	return err;
}

/* What a check did not get to at an asset where it found something else. */
static int leave_unseen(struct store *s, uint64_t run, const struct check_result *r)
{
	static const char sql[] = "UPDATE finding SET change = 5, run = ?1 WHERE state != 2 AND "
				  "run != ?1 AND check_id = ?2 AND asset = ?3";
	struct store_query *q;
	int err = store_prepare(s, sql, &q);

	if (err)
		return err;
	store_bind_u64(q, 1, run);
	store_bind_z(q, 2, r->check);
	store_bind_z(q, 3, r->asset);
	err = store_step(q);
	store_finish(q);
	return err < 0 ? err : 0;
}

static int enter_results(struct store *s, uint64_t run, const struct harvest *h)
{
	struct store_query *q;
	int err = store_prepare(s, "INSERT OR REPLACE INTO result VALUES (?1, ?2, ?3, ?4, ?5)", &q);

	for (size_t i = 0; i < h->result_count && !err; i++) {
		store_bind_u64(q, 1, run);
		store_bind_z(q, 2, h->results[i].check);
		store_bind_z(q, 3, h->results[i].asset);
		store_bind_u64(q, 4, h->results[i].verdict);
		store_bind_z(q, 5, h->results[i].why);
		err = store_step(q);
		store_reset(q);
		if (!err && h->results[i].partial)
			err = leave_unseen(s, run, &h->results[i]);
	}
	store_finish(q);
	return err;
}

static int enter_assets(struct store *s, uint64_t run, const struct harvest *h)
{
	struct store_query *q;
	char address[IP_TEXT_MAX];
	int err = store_prepare(s,
				"INSERT OR REPLACE INTO inventory VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
				"?7, ?8, ?9, ?10, ?11)",
				&q);

	for (size_t i = 0; i < h->asset_count && !err; i++) {
		const struct asset_result *a = &h->assets[i];

		store_bind_u64(q, 1, run);
		store_bind_z(q, 2, a->asset);
		store_bind_z(q, 3, ip_text(&a->address, address));
		store_bind_u64(q, 4, a->kind);
		store_bind_u64(q, 5, a->state);
		store_bind_z(q, 6, a->why);
		store_bind_z(q, 7, a->product);
		store_bind_z(q, 8, a->version);
		store_bind_z(q, 9, a->seen_by);
		store_bind_u64(q, 10, a->line);
		store_bind_u64(q, 11, a->packets);
		err = store_step(q);
		store_reset(q);
	}
	store_finish(q);
	return err;
}

/* Runs a statement with two numbers (the run, the time). */
static int apply(struct store *s, const char *sql, uint64_t run, uint64_t now_ms)
{
	struct store_query *q;
	int err = store_prepare(s, sql, &q);

	if (err)
		return err;
	store_bind_u64(q, 1, run);
	store_bind_u64(q, 2, now_ms);
	err = store_step(q);
	store_finish(q);
	return err < 0 ? err : 0;
}

/* Findings that were not seen in this run. Evidence that one is gone is a verdict of its check on
 * its asset that was reached by looking: clean (0), found something else (1), not there (2). */
static int settle_unseen(struct store *s, uint64_t run, uint64_t now_ms)
{
	static const char gone[] =
		"UPDATE finding SET state = 2, change = 4, fixed_ms = ?2, run = ?1"
		" WHERE state != 2 AND run != ?1 AND EXISTS (SELECT 1 FROM result WHERE"
		" result.run = ?1 AND result.check_id = finding.check_id AND"
		" result.asset = finding.asset AND result.verdict IN (0, 1, 2))";
	static const char not_tested[] =
		"UPDATE finding SET change = 5, run = ?1 WHERE state != 2 AND run != ?1";
	static const char remember[] = "INSERT OR REPLACE INTO sighting SELECT ?1, id, severity, "
				       "change FROM finding WHERE run = ?1";
	int err = apply(s, gone, run, now_ms);

	if (!err)
		err = apply(s, not_tested, run, now_ms);
	return err ? err : apply(s, remember, run, now_ms);
}

static int close_run(struct store *s, uint64_t run, uint64_t now_ms, bool complete,
		     const char *stopped_why)
{
	struct store_query *q;
	int err = store_prepare(
		s, "UPDATE run SET ended_ms = ?2, complete = ?3, stopped = ?4 WHERE id = ?1", &q);

	if (err)
		return err;
	store_bind_u64(q, 1, run);
	store_bind_u64(q, 2, now_ms);
	store_bind_u64(q, 3, complete);
	store_bind_z(q, 4, stopped_why);
	err = store_step(q);
	store_finish(q);
	return err;
}

int ledger_finish(struct store *s, uint64_t run, const struct harvest *h, uint64_t now_ms,
		  bool complete, const char *stopped_why)
{
	int err = store_begin(s);

	if (err)
		return err;
	err = enter_findings(s, run, h, now_ms);
	if (!err)
		err = enter_results(s, run, h);
	if (!err)
		err = enter_assets(s, run, h);
	if (!err)
		err = settle_unseen(s, run, now_ms);
	if (!err)
		err = close_run(s, run, now_ms, complete, stopped_why);
	if (!err)
		return store_commit(s);
	store_roll_back(s);
	return err;
}

/* ---- guesses ---- */

int ledger_guess(struct store *s, const char *asset, uint32_t most, uint64_t now_ms)
{
	/* One statement: two processes cannot both take the last one. */
	static const char sql[] =
		"INSERT INTO guess SELECT ?1, ?2 WHERE (SELECT count(*) FROM guess "
		"WHERE asset = ?1 AND at_ms > ?3) < ?4 RETURNING 1";
	struct store_query *q;
	int err = store_prepare(s, sql, &q);

	if (err)
		return err;
	store_bind_z(q, 1, asset);
	store_bind_u64(q, 2, now_ms);
	store_bind_u64(q, 3, now_ms > DAY_MS ? now_ms - DAY_MS : 0);
	store_bind_u64(q, 4, most);
	err = store_step(q);
	if (err == 1 && store_step(q) < 0)
		err = ERR_PEER;
	store_finish(q);
	if (err < 0)
		return err;
	return err ? 0 : ERR_DENIED;
}

/* ---- states that people set ---- */

/* A statement that touches the finding ?1; ERR_ABSENT when there is none. */
static int on_finding(struct store *s, const char *sql, const char *id, const char *text,
		      uint64_t a_ms, uint64_t b_ms)
{
	struct known k;
	struct store_query *q;
	int err = look_up(s, id, &k);

	if (err || !k.there)
		return err ? err : ERR_ABSENT;
	err = store_prepare(s, sql, &q);
	if (err)
		return err;
	store_bind_z(q, 1, id);
	store_bind_z(q, 2, text);
	store_bind_u64(q, 3, a_ms);
	store_bind_u64(q, 4, b_ms);
	err = store_step(q);
	store_finish(q);
	return err < 0 ? err : 0;
}

int ledger_suppress(struct store *s, const char *id, const char *reason, uint64_t until_ms,
		    uint64_t now_ms)
{
	return on_finding(s, "INSERT OR REPLACE INTO suppression VALUES (?1, ?2, ?3, ?4)", id,
			  reason, until_ms, now_ms);
}

int ledger_unsuppress(struct store *s, const char *id)
{
	return on_finding(s, "DELETE FROM suppression WHERE finding = ?1", id, NULL, 0, 0);
}

int ledger_shield(struct store *s, const char *id, uint64_t now_ms)
{
	return on_finding(
		s, "UPDATE finding SET state = 1, shielded_ms = ?3 WHERE id = ?1 AND state = 0", id,
		NULL, now_ms, 0);
}

int ledger_unshield(struct store *s, const char *id)
{
	return on_finding(
		s,
		"UPDATE finding SET state = 0, shielded_ms = 0 WHERE id = ?1 AND state = 1"
		"",
		id, NULL, 0, 0);
}

static bool is_named(const struct config *c, const char *id)
{
	for (size_t i = 0; i < c->shield_count; i++)
		if (strcmp(c->shields[i].name, id) == 0)
			return true;
	return false;
}

/* The first open or shielded finding of which the book says otherwise than the configuration; its
 * id, and whether it has a shield. 1, or 0 when there is none. */
static int find_differing(struct store *s, const struct config *c, char id[static FINDING_ID_MAX],
			  bool *out_named)
{
	struct store_query *q;
	int err = store_prepare(s, "SELECT id, state FROM finding WHERE state != 2", &q);
	bool found = false;

	while (!err && !found && (err = store_step(q)) == 1) {
		err = 0;
		(void)slice_to_z(slice_z(store_column_z(q, 0)), id, FINDING_ID_MAX);
		*out_named = is_named(c, id);
		found = *out_named != (store_column_u64(q, 1) == FINDING_SHIELDED);
	}
	store_finish(q);
	return err < 0 ? err : found;
}

int ledger_follow(struct store *s, const struct config *c, uint64_t now_ms)
{
	char id[FINDING_ID_MAX];
	bool named;
	int err;

	while ((err = find_differing(s, c, id, &named)) == 1) {
		err = named ? ledger_shield(s, id, now_ms) : ledger_unshield(s, id);
		if (err)
			return err;
	}
	return err;
}
