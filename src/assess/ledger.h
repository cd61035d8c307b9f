/* The book of runs and findings in the store: what is new, what is fixed, what is suppressed. */
#ifndef HW_ASSESS_LEDGER_H
#define HW_ASSESS_LEDGER_H

#include "assess/check_row.h"
#include "store/store.h"

/* What a run brings home. */
struct harvest {
	struct finding *findings;
	size_t finding_count;
	struct check_result *results;
	size_t result_count;
	struct asset_result *assets;
	size_t asset_count;
};

/* Opens a run; its number. */
int ledger_begin(struct store *s, const char *config_file, bool intrusive, uint64_t now_ms,
		 uint64_t *out_run) must_check;
/* Enters what it found, compares with what is known. A finding that was not seen again is fixed
 * only when its check looked at its asset in this run. */
int ledger_finish(struct store *s, uint64_t run, const struct harvest *h, uint64_t now_ms,
		  bool complete, const char *stopped_why) must_check;
/* The report of a run (0 = the last one) as the book has it. ERR_ABSENT: there is no such run. What
 * it points to lives in its arena: report_done. `now_ms` decides about suppressions. */
int ledger_report(struct store *s, uint64_t run, uint64_t now_ms, const struct check_table *checks,
		  struct assess_report *out) must_check;
void report_done(struct assess_report *r);
/* Another password at this asset: ERR_DENIED when `most` of the last 24 hours are used up. */
int ledger_guess(struct store *s, const char *asset, uint32_t most, uint64_t now_ms) must_check;
/* What a check, or the schedule, wants to know again in a later run; the runner's lock is held.
 * ERR_ABSENT: nothing is remembered. */
int ledger_recall(struct store *s, const char *who, const char *key, char *buf,
		  size_t size) must_check;
int ledger_remember(struct store *s, const char *who, const char *key, const char *value,
		    uint64_t now_ms) must_check;
/* ERR_ABSENT: there is no such finding. */
int ledger_suppress(struct store *s, const char *id, const char *reason, uint64_t until_ms,
		    uint64_t now_ms) must_check;
int ledger_unsuppress(struct store *s, const char *id) must_check;
/* Shielded since now, or open again. ERR_ABSENT. */
int ledger_shield(struct store *s, const char *id, uint64_t now_ms) must_check;
int ledger_unshield(struct store *s, const char *id) must_check;
/* Shielded is what the configuration has a shield of, whoever wrote it or took it out. */
int ledger_follow(struct store *s, const struct config *c, uint64_t now_ms) must_check;

#endif
