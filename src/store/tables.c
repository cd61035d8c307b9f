#include "store/tables.h"

const char *const store_steps[] = {
	/* 1: runs, what they found, what is suppressed, how many passwords were tried */
	"CREATE TABLE run (id INTEGER PRIMARY KEY, started_ms INTEGER NOT NULL,"
	" ended_ms INTEGER NOT NULL DEFAULT 0, config TEXT NOT NULL, intrusive INTEGER NOT NULL,"
	" complete INTEGER NOT NULL DEFAULT 0, stopped TEXT);"
	"CREATE TABLE finding (id TEXT PRIMARY KEY, check_id TEXT NOT NULL, asset TEXT NOT NULL,"
	" address TEXT NOT NULL, port INTEGER NOT NULL, cve TEXT NOT NULL,"
	" severity INTEGER NOT NULL, confidence INTEGER NOT NULL, cvss_tenths INTEGER NOT NULL,"
	" kev INTEGER NOT NULL, tag TEXT NOT NULL, title TEXT NOT NULL, evidence TEXT,"
	" remediation TEXT, refs TEXT, shield TEXT, pcap TEXT, state INTEGER NOT NULL,"
	" change INTEGER NOT NULL, severity_before INTEGER NOT NULL, first_seen_ms INTEGER NOT "
	"NULL,"
	" last_seen_ms INTEGER NOT NULL, shielded_ms INTEGER NOT NULL DEFAULT 0,"
	" fixed_ms INTEGER NOT NULL DEFAULT 0, run INTEGER NOT NULL);"
	"CREATE INDEX finding_place ON finding (asset, check_id);"
	/* what each run said of each finding, for diffs */
	"CREATE TABLE sighting (run INTEGER NOT NULL, finding TEXT NOT NULL,"
	" severity INTEGER NOT NULL, change INTEGER NOT NULL, PRIMARY KEY (run, finding))"
	" WITHOUT ROWID;"
	"CREATE TABLE result (run INTEGER NOT NULL, check_id TEXT NOT NULL, asset TEXT NOT NULL,"
	" verdict INTEGER NOT NULL, why TEXT, PRIMARY KEY (run, check_id, asset)) WITHOUT ROWID;"
	"CREATE TABLE inventory (run INTEGER NOT NULL, asset TEXT NOT NULL, address TEXT NOT NULL,"
	" kind INTEGER NOT NULL, state INTEGER NOT NULL, why TEXT, product TEXT, version TEXT,"
	" seen_by TEXT, line INTEGER NOT NULL, packets INTEGER NOT NULL,"
	" PRIMARY KEY (run, asset)) WITHOUT ROWID;"
	"CREATE TABLE suppression (finding TEXT PRIMARY KEY, reason TEXT NOT NULL,"
	" until_ms INTEGER NOT NULL, made_ms INTEGER NOT NULL);"
	"CREATE TABLE guess (asset TEXT NOT NULL, at_ms INTEGER NOT NULL);"
	"CREATE INDEX guess_asset ON guess (asset, at_ms);"
	/* ports of a model's first approved device (DV-19), and whatever else a check must remember
	 */
	"CREATE TABLE memory (check_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
	" at_ms INTEGER NOT NULL, PRIMARY KEY (check_id, key)) WITHOUT ROWID;",
};

const size_t store_step_count = sizeof(store_steps) / sizeof(store_steps[0]);
