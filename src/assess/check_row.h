/* The table of checks as plain data: for the runner, the listing and the report formats. The rows
 * themselves stand in src/assess/checks/checks.def. */
#ifndef HW_ASSESS_CHECK_ROW_H
#define HW_ASSESS_CHECK_ROW_H

#include "assess/finding.h"

struct visit;

/* What a check looks at: a mask over enum asset_kind. */
enum {
	ON_PHONE = 1u << ASSET_PHONE,
	ON_PBX = 1u << ASSET_PBX,
	ON_NETWORK = 1u << ASSET_NETWORK,
	ON_GATEWAY = 1u << ASSET_GATEWAY,
	ON_SERVER = 1u << ASSET_SERVER,
	ON_ANY = ON_PHONE | ON_PBX | ON_NETWORK | ON_GATEWAY | ON_SERVER,
};

struct check_row {
	const char *id;	  /* "DV-04" */
	const char *tag;  /* "r1".."r5" */
	uint8_t class;	  /* enum check_class */
	uint8_t severity; /* enum assess_severity */
	uint8_t cvss_tenths;
	unsigned kinds; /* ON_PHONE | ... */
	const char *title;
	const char *remediation;
	const char *references; /* separated by "; " */
	/* What it may send to one target at most: "tcp-connect=2 sip=1"; "" = nothing. --plan
	 * prints it, and what goes beyond is refused. */
	const char *packets;
	enum verdict (*run)(struct visit *v);
};

struct check_table {
	const struct check_row *rows;
	size_t count;
};

/* By its id, in any case; NULL when there is none. */
const struct check_row *check_find(const struct check_table *t, struct slice id);

#endif
