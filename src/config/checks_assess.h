/* What must hold between the keys of the sections assess and asset; for checks.c. */
#ifndef HW_CONFIG_CHECKS_ASSESS_H
#define HW_CONFIG_CHECKS_ASSESS_H

#include "config/report.h"
#include "model/config.h"

#define CONFIG_ASSET_SUBNET_MAX                                                                    \
	4096 /* addresses of one subnet: 40 minutes at 2 packets a second each */

void config_check_assess(const struct config *c, struct config_report *report);
/* What the shields change in other sections, and the list of all quarantined devices. ERR_NOMEM. */
int config_apply_shields(struct config *c) must_check;

#endif
