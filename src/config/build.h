/* From what stands in the file to struct config; for config_load.c. */
#ifndef HW_CONFIG_BUILD_H
#define HW_CONFIG_BUILD_H

#include "config/doc.h"
#include "model/config.h"

/* Fills `c` (zeroed, its arena ready): sections, values, defaults, references. What is wrong goes
 * into the report; `c` is then whole enough for the checks, with CONFIG_NONE for references that
 * name nothing. ERR_NOMEM. */
int config_build(struct config *c, const struct doc *doc, struct config_report *report) must_check;

#endif
