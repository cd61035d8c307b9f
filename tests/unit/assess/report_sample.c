/* Writes a report in the format that is named: each state and change once, texts of hostile
 * devices, a first run on request. For test_report.py. */
#include <stdio.h>
#include <string.h>

#include "assess/checks/table.h"
#include "assess/report.h"

#define NOON 1764158400000ull /* 2025-11-26 12:00 UTC */
#define DAY  86400000ull

static const char hostile[] =
	"Server: <script>alert(1)</script>\"'><img src=x onerror=alert(2)>\n"
	"=HYPERLINK(\"http://203.0.113.1/\",\"x\") \x01\x1b[31m \xff\xfe ]]> &amp; \xe2\x82\xac";

static struct ip_addr address(const char *z)
{
	struct ip_addr a = {0};

	if (ip_parse(slice_z(z), &a))
		return (struct ip_addr){0};
	return a;
}

static struct finding finding(const char *check, const char *asset, const char *ip, uint16_t port,
			      const char *cve, enum assess_severity severity)
{
	struct finding f = {.check = check,
			    .address = address(ip),
			    .port = port,
			    .severity = (uint8_t)severity,
			    .confidence = ASSESS_CONFIDENCE_HIGH,
			    .tag = "r3",
			    .first_seen_ms = NOON - 9 * DAY,
			    .last_seen_ms = NOON};

	snprintf(f.asset, sizeof(f.asset), "%s", asset);
	snprintf(f.cve, sizeof(f.cve), "%s", cve);
	f.title = "Telnet answers";
	f.evidence = "port 23 answers: \"login:\"";
	f.remediation = "Switch Telnet off in the provisioning file";
	f.references = "SRG-APP-000142-NDM-000245; BSI NET.4.2.A7";
	f.cvss_tenths = (uint8_t)(severity * 20 + 15);
	finding_identify(&f);
	return f;
}

static size_t fill_findings(struct finding *f)
{
	size_t n = 0;

	f[n] = finding("PX-08", "pbx1", "10.10.0.5", 5060, "CVE-2024-42365", ASSESS_CRITICAL);
	f[n].title = "Known CVE for the fingerprinted version";
	f[n].evidence =
		"SIP Server: Asterisk PBX 18.24.1\n18.24.1 is older than 18.24.2, which has the "
		"fix in branch 18";
	f[n].remediation = "Update to 18.24.2 or newer";
	f[n].kev = true;
	f[n].tag = "r2";
	f[n++].confidence = ASSESS_CONFIDENCE_MEDIUM;
	f[n] = finding("DV-04", "desk/10.20.0.20", "10.20.0.20", 23, "", ASSESS_HIGH);
	f[n].shield = "quarantine desk-20 {\n    address    = 10.20.0.20\n    management = "
		      "admins\n}";
	f[n++].change = CHANGE_SAME;
	f[n] = finding("DV-12", "desk/10.20.0.21", "10.20.0.21", 80, "", ASSESS_HIGH);
	f[n].evidence = hostile;
	f[n].title = "<b>Web UI</b> over plain HTTP";
	f[n++].change = CHANGE_BACK;
	f[n] = finding("DV-06", "desk/10.20.0.22", "10.20.0.22", 161, "", ASSESS_HIGH);
	f[n].state = FINDING_SHIELDED;
	f[n].shielded_ms = NOON - 2 * DAY;
	f[n++].change = CHANGE_SAME;
	f[n] = finding("EN-05", "pbx1", "10.10.0.5", 5061, "", ASSESS_MEDIUM);
	f[n].title = "Certificate expires within 30 days";
	f[n].tag = "r4";
	f[n].change = CHANGE_SEVERITY;
	f[n++].severity_before = ASSESS_HIGH;
	f[n] = finding("DV-19", "lobby", "10.20.0.30", 8080, "", ASSESS_LOW);
	f[n].suppressed = "the lift's own service, ticket 4711 <i>";
	f[n].suppressed_until_ms = NOON + 90 * DAY;
	f[n++].change = CHANGE_NOT_TESTED;
	f[n] = finding("DV-03", "desk/10.20.0.23", "10.20.0.23", 80, "", ASSESS_CRITICAL);
	f[n].title = "Factory password is taken";
	f[n].state = FINDING_FIXED;
	f[n].fixed_ms = NOON;
	f[n++].change = CHANGE_FIXED;
	return n;
}

static size_t fill_results(struct check_result *c)
{
	static const struct {
		const char *check, *asset;
		enum verdict verdict;
		const char *why;
	} rows[] = {
		{"PX-08", "pbx1", VERDICT_FOUND, NULL},
		{"PX-22", "pbx1", VERDICT_CLEAN, NULL},
		{"DV-04", "desk/10.20.0.20", VERDICT_FOUND, NULL},
		{"DV-12", "desk/10.20.0.21", VERDICT_FOUND, NULL},
		{"DV-06", "desk/10.20.0.22", VERDICT_FOUND, NULL},
		{"DV-19", "lobby", VERDICT_UNTESTED, "it is in a call <now>"},
		{"DV-03", "desk/10.20.0.23", VERDICT_CLEAN, NULL},
		{"EN-05", "pbx1", VERDICT_FOUND, NULL},
		{"GW-01", "edge", VERDICT_ABSENT, "no gateway is declared"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c[i] = (struct check_result){.check = rows[i].check,
					     .verdict = (uint8_t)rows[i].verdict,
					     .why = rows[i].why};
		snprintf(c[i].asset, sizeof(c[i].asset), "%s", rows[i].asset);
	}
	return sizeof(rows) / sizeof(rows[0]);
}

static size_t fill_assets(struct asset_result *a)
{
	static const struct {
		const char *asset, *ip, *product, *version, *seen_by, *why;
		enum asset_kind kind;
		enum target_state state;
	} rows[] = {
		{"pbx1", "10.10.0.5", "Asterisk PBX", "18.24.1", "SIP Server", NULL, ASSET_PBX,
		 TARGET_TESTED},
		{"desk/10.20.0.20", "10.20.0.20", "Yealink SIP-T46S", "66.86.0.15",
		 "SIP User-Agent", NULL, ASSET_PHONE, TARGET_TESTED},
		{"desk/10.20.0.21", "10.20.0.21", "<svg onload=alert(3)>", NULL, "HTTP Server",
		 NULL, ASSET_PHONE, TARGET_TESTED},
		{"lobby", "2001:db8::30", NULL, NULL, NULL, "a call is up", ASSET_PHONE,
		 TARGET_IN_CALL},
		{"desk/10.20.0.99", "10.20.0.99", NULL, NULL, NULL, NULL, ASSET_PHONE,
		 TARGET_NOT_ANSWERED},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a[i] = (struct asset_result){.address = address(rows[i].ip),
					     .kind = (uint8_t)rows[i].kind,
					     .state = (uint8_t)rows[i].state,
					     .why = rows[i].why,
					     .product = rows[i].product,
					     .version = rows[i].version,
					     .seen_by = rows[i].seen_by,
					     .line = (unsigned)(10 + i)};
		snprintf(a[i].asset, sizeof(a[i].asset), "%s", rows[i].asset);
	}
	return sizeof(rows) / sizeof(rows[0]);
}

static void fill_posture(struct posture *p)
{
	static const struct posture rows[] = {
		{.tag = "r1", .clean = 11, .percent = 100},
		{.tag = "r2",
		 .open = {[ASSESS_CRITICAL] = 1},
		 .clean = 9,
		 .found = 1,
		 .percent = 90},
		{.tag = "r3",
		 .open = {[ASSESS_HIGH] = 2},
		 .shielded = 1,
		 .suppressed = 1,
		 .fixed = 1,
		 .clean = 31,
		 .found = 5,
		 .untested = 12,
		 .percent = 86},
		{.tag = "r4",
		 .open = {[ASSESS_MEDIUM] = 1},
		 .clean = 6,
		 .found = 2,
		 .untested = 1,
		 .percent = 75},
		{.tag = "r5", .untested = 3},
	};

	memcpy(p, rows, sizeof(rows));
}

int main(int argc, char **argv)
{
	struct finding findings[16];
	struct check_result results[16];
	struct asset_result assets[16];
	struct feed_result feeds[] = {{.name = "voip-cves",
				       .source = "Hornwork's own rows",
				       .dated_ms = NOON - 85 * DAY,
				       .rows = 331},
				      {.name = "cisa-kev",
				       .source = "https://feeds.example/kev.json?<x>",
				       .dated_ms = NOON - 2 * DAY,
				       .imported_ms = NOON - DAY,
				       .rows = 1404}};
	struct assess_report r = {.version = "0.1.0",
				  .config_file = "/etc/hornwork/hornwork.conf",
				  .run = "run-17",
				  .run_before = "run-16",
				  .started_ms = NOON,
				  .ended_ms = NOON + 95000,
				  .before_ms = NOON - DAY,
				  .findings = findings,
				  .results = results,
				  .assets = assets,
				  .feeds = feeds,
				  .feed_count = 2};
	struct check_table checks = checks_table();

	if (argc < 2 || !report_format_known(argv[1]))
		return 2;
	if (argc > 2 && strcmp(argv[2], "first") == 0) {
		r.run_before = NULL;
		r.complete = true;
	} else {
		r.finding_count = fill_findings(findings);
		r.result_count = fill_results(results);
		r.asset_count = fill_assets(assets);
		fill_posture(r.posture);
	}
	for (size_t i = 0; i < ASSESS_RECOMMENDATIONS && !r.posture[i].tag; i++)
		r.posture[i].tag = (const char *[]){"r1", "r2", "r3", "r4", "r5"}[i];
	return report_write(&r, &checks, argv[1], stdout) ? 1 : 0;
}
