/* What no single value can tell: whether the sections fit together. */
#ifndef HW_CONFIG_CHECKS_H
#define HW_CONFIG_CHECKS_H

#include "config/doc.h"
#include "model/config.h"

/* Reports errors and warnings about a configuration that config_build filled from `doc`. */
void config_check(const struct config *c, const struct doc *doc, struct config_report *report);

#endif
