/* When the makers stop mending a release branch. A dead branch is never clean: nobody looks there
 * any more. */
#ifndef HW_ADVISORY_EOL_H
#define HW_ADVISORY_EOL_H

#include "advisory/fault.h"
#include "base/arena.h"

enum eol_state { EOL_UNKNOWN, EOL_SUPPORTED, EOL_SECURITY_ONLY, EOL_ENDED };

struct eol_row {
	struct slice product_key;
	struct slice branch;		 /* "*" = every one */
	struct slice codename;		 /* of a distribution's release; or empty */
	struct slice end, security_only; /* YYYY-MM-DD; empty = no date is known */
	struct slice source;
	uint64_t end_ms, security_only_ms;
	enum eol_state fixed_state; /* told without a date; EOL_UNKNOWN = by the dates */
};

struct eol_table {
	struct arena arena;
	struct eol_row *rows;
	size_t count;
};

struct eol_answer {
	enum eol_state state;
	const struct eol_row *row; /* what it rests on; NULL = nothing is known */
	bool older;		   /* the branch itself is unknown, and older than that row's */
};

int eol_table_load(struct eol_table *t, const char *path, struct fault *f) must_check;
void eol_table_done(struct eol_table *t);

/* How a version of a product stands at a time (wall clock). */
struct eol_answer eol_find(const struct eol_table *t, struct slice product_key,
			   struct slice version, uint64_t now_ms);
const char *eol_state_text(enum eol_state s); /* "end-of-life" */

#endif
