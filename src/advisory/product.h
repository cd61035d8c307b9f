/* The products that advisories are about, and finding one by the words that users, records and
 * banners call it. */
#ifndef HW_ADVISORY_PRODUCT_H
#define HW_ADVISORY_PRODUCT_H

#include "advisory/fault.h"
#include "base/arena.h"

struct slices {
	const struct slice *items;
	size_t count;
};

struct product {
	struct slice key, name, vendor, kind;
	struct slice module;	/* the module whose version is the product's own; or empty */
	struct slices aliases;	/* other names */
	struct slices models;	/* what its models begin with */
	struct slices series;	/* models that stand for a series: 6800 is 6863i, 6867i... */
	struct slices strip;	/* words before a model that are no part of it */
	struct slices packages; /* source packages of distributions */
	bool device;		/* a thing with models, not a program with modules */
};

struct product_table {
	struct arena arena;
	struct product *rows;
	size_t count;
};

enum unit_match { UNIT_DIFFERENT, UNIT_SAME, UNIT_OTHER_FIRMWARE };

/* Reads products.jsonl. On failure the table is empty. */
int product_table_load(struct product_table *t, const char *path, struct fault *f) must_check;
void product_table_done(struct product_table *t);

/* By key, name or alias, case ignored; NULL when there is none. */
const struct product *product_named(const struct product_table *t, struct slice name);
/* By the words a user writes: "asterisk", "yealink t46s", "freepbx/endpoint", "t46s". *unit gets
 * the model or module, borrowed from the words; NULL when nothing fits. */
const struct product *product_resolve(const struct product_table *t, struct slice words,
				      struct slice *unit);
/* By a record's or a banner's maker and product. */
const struct product *product_by_vendor(const struct product_table *t, struct slice vendor,
					struct slice product, struct slice *unit);
/* By the source package of a distribution. */
const struct product *product_by_package(const struct product_table *t, struct slice package);
/* The nearest name, for "did you mean"; empty when none is near. */
struct slice product_suggest(const struct product_table *t, struct slice words);

/* Whether an advisory's model or module (vvx500, ht8xx, 6800, 8800-mpp) is the one that is asked
 * about. `p` may be NULL. */
enum unit_match product_unit_match(const struct product *p, struct slice pattern,
				   struct slice unit);

#endif
