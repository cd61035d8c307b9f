/* Which CVEs apply to a version of a product, out of all feeds. */
#ifndef HW_ADVISORY_MATCH_H
#define HW_ADVISORY_MATCH_H

#define MATCH_WHY_MAX 512 /* bytes of a sentence */

#include "advisory/base.h"

enum adv_confidence { ADV_LOW, ADV_MEDIUM, ADV_HIGH };

struct match_hit {
	struct adv_row row;
	const struct adv_range *range; /* that decided; or NULL */
	const struct feed_info *feed;  /* of the base */
	enum range_answer answer;      /* over all rows of this CVE */
	bool excluded;		       /* a supplier's word (VEX) says: not affected, or fixed */
	bool disputed;		       /* one feed says fixed, another affected */
	struct json_t *json;	       /* what the row borrows from */
};

struct match_result {
	struct arena arena;
	struct match_hit *hits; /* the worst first; each CVE once; answers of RANGE_NO left out */
	size_t count;
	struct eol_answer eol;
	struct range_query query; /* borrowed from what was asked */
};

/* Reads the feeds once. The result borrows from the base and from the query. ERR_LIMIT and what
 * reading gives, with words. */
int adv_match(const struct adv_base *b, const struct range_query *q, uint64_t now_ms,
	      struct match_result *out, struct fault *f) must_check;
void adv_match_done(struct match_result *r);

/* Applies: affected and not taken back by the supplier. */
bool match_applies(const struct match_hit *h);
/* Cannot be decided. */
bool match_open(const struct match_hit *h);
/* How sure: the version's place in a range is certain, unless a distribution may have mended it. */
enum adv_confidence match_confidence(const struct match_result *r, const struct match_hit *h);
/* A sentence that says why, into `buf` (cut where it does not fit). */
void match_why(const struct match_result *m, const struct match_hit *h, char *buf, size_t size);
/* A sentence about the branch's life; empty when nothing is known. */
void match_eol_why(const struct match_result *m, char *buf, size_t size);
const char *adv_confidence_text(enum adv_confidence c);

#endif
