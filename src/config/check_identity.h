/* What signed caller identities need of the configuration. For checks.c. */
#ifndef HW_CONFIG_CHECK_IDENTITY_H
#define HW_CONFIG_CHECK_IDENTITY_H

#include "config/report.h"
#include "model/config.h"

void config_check_identity(const struct config *c, struct config_report *report);

#endif
