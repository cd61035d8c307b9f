/* One row of knowledge, as the files of JSON lines hold it: about a product's versions, about a
 * distribution's package, or that a CVE is being exploited. */
#ifndef HW_ADVISORY_ROW_H
#define HW_ADVISORY_ROW_H

#include "advisory/range.h"
#include "base/arena.h"

struct json_t; /* of jansson.h, which cannot stand beside base/json.h */

/* What a supplier says of its product or package (VEX); a row without a word of it is about what is
 * affected. */
enum row_status {
	ROW_AFFECTED,
	ROW_NOT_AFFECTED,
	ROW_FIXED,
	ROW_INVESTIGATED, /* the supplier has not decided yet */
	ROW_IGNORED,	  /* affected, and no fix will come */
};

enum row_order { ORDER_UPSTREAM, ORDER_DPKG, ORDER_RPM };

struct adv_row {
	struct slice cve;
	struct slice product_key, vendor,
		product; /* about a product: key empty = a package's row */
	struct slice package, distribution, release; /* "asterisk", "debian", "12" */
	enum row_status status;
	enum row_order order;
	struct slice fixed_version;	/* of a package; empty = none yet */
	struct slice introduced;	/* of a package; empty = from the start */
	const struct adv_range *ranges; /* of a product */
	size_t range_count;
	struct slices fixed; /* versions that the record names as fixed */
	struct slice affected_text;
	uint8_t cvss_tenths; /* 0 = none */
	struct slice vector, severity_hint, kev, summary, justification;
	struct slices sources;
};

/* Reads one; its slices are borrowed from `j` and the arena. `products` serves to tell models from
 * modules and may be NULL. ERR_SYNTAX, with words after `where` and the line, when a member that is
 * needed is missing or of another type; ERR_LIMIT, ERR_NOMEM. */
int adv_row_read(const struct json_t *j, const struct product_table *products, struct arena *a,
		 const char *where, unsigned line, struct adv_row *out, struct fault *f) must_check;

/* The strongest answer of its ranges: yes, then fixed, then perhaps. *which gets the range that
 * gave it, or NULL. */
enum range_answer adv_row_judge(const struct adv_row *r, const struct range_query *q,
				const struct adv_range **which);
/* "CVE-2024-12345", or an id of the same form of another authority (GHSA-, DSA-, TEMP-). */
bool adv_id_valid(struct slice id);
/* "critical" to "low" and "none": by score, else by the hint, else "unknown". */
const char *adv_row_severity(const struct adv_row *r);

#endif
