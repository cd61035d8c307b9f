/* Reading a configuration: text in, struct config or a report of all that is wrong out. */
#ifndef HW_CONFIG_LOAD_H
#define HW_CONFIG_LOAD_H

#include "config/report.h"
#include "model/config.h"

/* Reads and checks `text`. Pure: no file, no network, no environment. Addresses of zones and peers
 * that are not written as numbers are left open for config_resolve. The report (given empty)
 * holds the errors and warnings, also on success; the caller frees it. On success *out belongs to
 * the caller (config_free). ERR_SYNTAX when there are errors, ERR_NOMEM. */
int config_parse(struct slice text, struct config_report *report, struct config **out) must_check;

/* The same for a file of at most CONFIG_TEXT_MAX bytes; that it cannot be read is an error in the
 * report too. -errno, ERR_LIMIT, ERR_SYNTAX, ERR_NOMEM. */
int config_load(const char *path, struct config_report *report, struct config **out) must_check;

#endif
