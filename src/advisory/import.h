/* Takes a feed from a file, a folder or a URL into the folder of feeds: read as hostile, turned
 * into rows, put there whole or not at all. */
#ifndef HW_ADVISORY_IMPORT_H
#define HW_ADVISORY_IMPORT_H

#include "advisory/feed.h"
#include "advisory/product.h"

struct import_request {
	const char *source;    /* file, folder, http:, https: or file: URL */
	const char *name;      /* of the feed; NULL = by its content */
	const char *feeds_dir; /* made when it is not there */
	const struct product_table *products;
	uint64_t now_ms; /* wall clock */
};

struct import_result {
	struct feed_info feed;
	uint64_t skipped; /* records about products that nobody asks for */
	bool replaced;	  /* a feed of that name was there */
};

/* ERR_DENIED: older than the stored one, or from the future; ERR_SYNTAX, ERR_LIMIT, ERR_ABSENT
 * (nothing in it is of use), -errno; with words. Nothing changes on failure. */
int import_feed(const struct import_request *r, struct import_result *out,
		struct fault *f) must_check;
/* Removes an imported feed. ERR_ABSENT with words. */
int import_remove(const char *feeds_dir, const char *name, struct fault *f) must_check;

#endif
