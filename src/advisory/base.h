/* What the assessor knows, put together: products, ends of life, feeds, and the CVEs that are known
 * to be exploited. Rows are not held in memory: each question reads the files once. */
#ifndef HW_ADVISORY_BASE_H
#define HW_ADVISORY_BASE_H

#include "advisory/eol.h"
#include "advisory/feed.h"
#include "advisory/limits.h"
#include "advisory/product.h"
#include "advisory/row.h"

struct kev_entry {
	char cve[ADV_CVE_BYTES_MAX];
	char since[16]; /* YYYY-MM-DD */
};

struct adv_base {
	struct product_table products;
	struct eol_table eol;
	struct feed_list feeds;
	struct kev_entry *kev; /* ordered by CVE */
	size_t kev_count;
};

/* `data_dir` holds what is shipped; `feeds_dir` what was imported (NULL, or not there: nothing). */
int adv_base_open(struct adv_base *b, const char *data_dir, const char *feeds_dir,
		  struct fault *f) must_check;
void adv_base_close(struct adv_base *b);

/* The day on which it was listed as exploited, or NULL. */
const char *adv_base_kev(const struct adv_base *b, struct slice cve);

/* The row is valid during the call, unless `json` is kept with json_incref and `arena` lives on. */
typedef int (*adv_row_fn)(void *ctx, const struct adv_row *row, struct json_t *json,
			  const struct feed_info *feed);
/* Each row of each feed in which `only` stands (empty: each row). Rows are built in `arena`; where
 * `arena` is NULL one is made and emptied for each row. */
int adv_base_each(const struct adv_base *b, struct slice only, struct arena *arena, adv_row_fn fn,
		  void *ctx, struct fault *f) must_check;

#endif
