/* Fetches certificates by HTTPS in threads of its own, bounded in number (also for one host), bytes
 * and time; never by a redirect, a proxy or another protocol, and from no address that the guard
 * does not admit. */
#ifndef HW_STIR_FETCH_H
#define HW_STIR_FETCH_H

#include "base/slice.h"
#include "stir/guard.h"

struct stir_fetcher;

/* The result of one fetch; see stir_fetcher_next. */
struct stir_fetch {
	struct stir_fetch *next;
	char *url, *body;
	size_t body_bytes;
	int64_t keep_s; /* Cache-Control: max-age, -1 = none was said */
	char why[96];	/* empty = it came */
};

/* `event_fd` (an eventfd that stays the caller's) counts up with each result. ERR_NOMEM. */
int stir_fetcher_new(int event_fd, struct stir_fetcher **out) must_check;
/* Ends the threads once what they fetch has ended. Accepts NULL. */
void stir_fetcher_free(struct stir_fetcher *f);
/* Begins; before it nothing is fetched. -errno. */
int stir_fetcher_start(struct stir_fetcher *f) must_check;
/* Whose certificates HTTPS servers may show from now on, PEM; copied. ERR_NOMEM. */
int stir_fetcher_authorities(struct stir_fetcher *f, struct slice pem) must_check;
/* Which addresses may be connected to from now on; copied. Before it there is none. */
void stir_fetcher_guard(struct stir_fetcher *f, const struct stir_guard *g);
/* ERR_LIMIT, ERR_NOMEM. */
int stir_fetcher_get(struct stir_fetcher *f, const char *url) must_check;
/* A result, to be given to stir_fetch_free; NULL when there is none. */
struct stir_fetch *stir_fetcher_next(struct stir_fetcher *f) must_check;
void stir_fetch_free(struct stir_fetch *r);

#endif
