/* What the assessor found, as plain data: checks and the store fill it, report formats and the
 * gateway's shield read it. Texts are borrowed from the report's arena or from static tables. */
#ifndef HW_ASSESS_FINDING_H
#define HW_ASSESS_FINDING_H

#include "base/arena.h"
#include "base/ip.h"
#include "model/config.h"

#define FINDING_ID_MAX	       20 /* "f-", 16 hexadecimal digits, NUL */
#define FINDING_ASSET_MAX      (CONFIG_NAME_MAX + IP_TEXT_MAX + 1) /* "desk/10.20.0.20" and a NUL */
#define FINDING_CVE_MAX	       24   /* "CVE-2025-12345678" and a NUL */
#define FINDING_EVIDENCE_MAX   4096 /* bytes; what is more is cut */
#define ASSESS_RECOMMENDATIONS 5    /* r1 to r5 */

enum assess_severity {
	ASSESS_INFO,
	ASSESS_LOW,
	ASSESS_MEDIUM,
	ASSESS_HIGH,
	ASSESS_CRITICAL,
	ASSESS_SEVERITIES,
};

enum check_class { CHECK_PASSIVE, CHECK_SAFE_ACTIVE, CHECK_HOST_READ_ONLY, CHECK_INTRUSIVE };

/* How sure: a banner alone is low, a banner that host data do not contradict medium, what was
 * seen to happen or read on the host high. */
enum assess_confidence { ASSESS_CONFIDENCE_LOW, ASSESS_CONFIDENCE_MEDIUM, ASSESS_CONFIDENCE_HIGH };

enum finding_state {
	FINDING_OPEN,
	FINDING_SHIELDED, /* the gateway stands before it; the flaw itself is still there */
	FINDING_FIXED,	  /* tested again and gone: never by not testing */
};

/* How a finding of this report stands to the run before. */
enum finding_change {
	CHANGE_NEW,
	CHANGE_SAME,
	CHANGE_SEVERITY,   /* there before with another severity */
	CHANGE_BACK,	   /* was fixed once, is there again */
	CHANGE_FIXED,	   /* was there before, tested now, gone */
	CHANGE_NOT_TESTED, /* was there before, not tested now: still counts as it was */
};

struct finding {
	char id[FINDING_ID_MAX];       /* hash of check, asset, port and CVE: stable over runs */
	const char *check;	       /* "DV-04" */
	char asset[FINDING_ASSET_MAX]; /* the asset's name; NAME/ADDRESS when it has several */
	struct ip_addr address;
	uint16_t port;		   /* 0 = about no port */
	char cve[FINDING_CVE_MAX]; /* "" = none */
	uint8_t severity;	   /* enum assess_severity */
	uint8_t confidence;	   /* enum assess_confidence */
	uint8_t cvss_tenths;	   /* CVSS base score times ten; 0 = none */
	bool kev;		   /* known to be exploited (CISA KEV) */
	const char *tag;	   /* "r1".."r5" */
	const char *title;	   /* one line, no full stop */
	const char *evidence;	   /* what was seen; lines; no secrets */
	const char *remediation;   /* in words */
	const char *references;	   /* separated by "; " */
	const char *shield; /* configuration lines that shield it, or NULL: the gateway cannot */
	const char *pcap;   /* file with the packets, or NULL */
	uint8_t state;	    /* enum finding_state */
	uint8_t change;	    /* enum finding_change */
	uint8_t severity_before; /* for CHANGE_SEVERITY */
	uint64_t first_seen_ms;	 /* wall clock */
	uint64_t last_seen_ms;
	uint64_t shielded_ms;	      /* 0 = is not */
	uint64_t fixed_ms;	      /* 0 = is not */
	const char *suppressed;	      /* the reason, or NULL: is not */
	uint64_t suppressed_until_ms; /* end of the suppression */
};

/* What became of a check at a target. */
enum verdict {
	VERDICT_CLEAN,	  /* looked at, and good */
	VERDICT_FOUND,	  /* looked at, with findings */
	VERDICT_ABSENT,	  /* what the check is about is not there */
	VERDICT_UNTESTED, /* could not be looked at: `why` says it; never counts as good */
};

struct check_result {
	const char *check;
	char asset[FINDING_ASSET_MAX];
	uint8_t verdict; /* enum verdict */
	const char *why; /* in words, for VERDICT_ABSENT and VERDICT_UNTESTED; else NULL */
	bool partial;	 /* found, but not looked at to the end: what else was known is not fixed */
};

enum target_state {
	TARGET_TESTED,
	TARGET_UNREACHABLE,
	TARGET_IN_CALL,	     /* left alone: it was in a call */
	TARGET_STOPPED,	     /* its health or its model's: `why` says what was seen */
	TARGET_NOT_ANSWERED, /* an address of a declared subnet where nothing is */
};

/* A line of the inventory. */
struct asset_result {
	char asset[FINDING_ASSET_MAX];
	struct ip_addr address;
	uint8_t kind;  /* enum asset_kind */
	uint8_t state; /* enum target_state */
	const char *why;
	const char *product; /* "Yealink SIP-T46S", or NULL: not known */
	const char *version; /* or NULL */
	const char *seen_by; /* "SIP User-Agent": where product and version come from, or NULL */
	unsigned line;	     /* of the asset in the configuration */
	uint64_t packets;    /* sent to it */
};

/* An imported feed and its age. */
struct feed_result {
	const char *name;   /* "cisa-kev" */
	const char *source; /* the file or URL */
	uint64_t dated_ms;  /* what the feed says of itself; 0 = nothing */
	uint64_t imported_ms;
	uint64_t rows;
};

/* One recommendation's bar. */
struct posture {
	const char *tag;		  /* "r1".."r5" */
	uint32_t open[ASSESS_SEVERITIES]; /* neither fixed nor suppressed nor shielded */
	uint32_t shielded, suppressed, fixed;
	uint32_t clean, found, untested, absent; /* verdicts */
	uint32_t percent; /* clean of what was looked at; 0 when nothing was */
};

/* One run as a whole. */
struct assess_report {
	struct arena arena;
	const char *version; /* of hornwork */
	const char *config_file;
	const char *run;	       /* "run-17": names the run in `diff` and in SARIF */
	const char *run_before;	       /* or NULL: this is the first */
	uint64_t started_ms, ended_ms; /* wall clock */
	uint64_t before_ms;	       /* start of the run before, or 0 */
	bool intrusive;
	bool complete; /* every check that was asked for was carried out (exit code 3 when not) */
	bool stopped;  /* a safety guard ended it, or a part of it (exit code 4) */
	const char *stopped_why;  /* or NULL */
	struct finding *findings; /* by severity, the worst first; fixed ones at the end */
	size_t finding_count;
	struct check_result *results;
	size_t result_count;
	struct asset_result *assets;
	size_t asset_count;
	struct feed_result *feeds;
	size_t feed_count;
	struct posture posture[ASSESS_RECOMMENDATIONS];
};

const char *assess_severity_text(enum assess_severity s); /* "critical" */
/* False: no such word. */
bool assess_severity_parse(struct slice text, uint8_t *out);
const char *check_class_text(enum check_class c);	      /* "intrusive-opt-in" */
const char *assess_confidence_text(enum assess_confidence c); /* "high" */
const char *finding_state_text(enum finding_state s);	      /* "shielded" */
const char *finding_change_text(enum finding_change c);	      /* "not tested" */
const char *verdict_text(enum verdict v);		      /* "not tested" */
const char *target_state_text(enum target_state s);	      /* "unreachable" */

/* Derives `id` from check, asset, port and CVE. */
void finding_identify(struct finding *f);

#endif
