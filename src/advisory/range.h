/* Which versions of a product an advisory is about: release branches, certified lines, modules,
 * models; and the judgement over one version. */
#ifndef HW_ADVISORY_RANGE_H
#define HW_ADVISORY_RANGE_H

#include "advisory/product.h"
#include "base/slice.h"

enum range_answer {
	RANGE_NO,    /* it is about something else: nothing follows from it */
	RANGE_FIXED, /* about this branch, and the version has the fix */
	RANGE_MAYBE, /* cannot be decided by what is known */
	RANGE_YES,   /* affected */
};

struct adv_range {
	struct slice unit;   /* module or models, separated by commas; empty = the product itself */
	struct slice branch; /* "18", "5.1"; empty = every branch */
	bool certified;	     /* of the certified releases of that base */
	struct slice introduced, fixed, last; /* empty = no such bound; `fixed` is exclusive */
	const struct slice *versions;	      /* listed one by one */
	size_t version_count;
	bool all;	/* each version */
	bool decidable; /* false: the public record names no range */
};

struct range_query {
	const struct product *product; /* NULL: not one that we know */
	struct slice unit;	       /* model or module that was named; may be empty */
	struct slice version;
};

/* Takes "18", "cert18.9", "endpoint16", "gxp16xx,ht802" apart into unit and branch. */
void range_place(struct adv_range *r, struct slice text, const struct product *product);
enum range_answer range_judge(const struct adv_range *r, const struct range_query *q);

#endif
