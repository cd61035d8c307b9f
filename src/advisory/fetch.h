/* Fetches a feed: bounded in bytes and time, from the host that was named and from no other. */
#ifndef HW_ADVISORY_FETCH_H
#define HW_ADVISORY_FETCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "advisory/fault.h"

/* http:, https: or file: */
bool fetch_is_url(const char *text);
/* Writes the body to `to`; *dated_ms gets the server's Last-Modified, or 0. A redirect is followed
 * within the host, not from https to http, and five times at most. -errno, ERR_DENIED (another
 * host), ERR_LIMIT (too large), ERR_PEER; with words. */
int fetch_url(const char *url, FILE *to, uint64_t *dated_ms, struct fault *f) must_check;

#endif
