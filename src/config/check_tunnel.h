/* Whether tunnels and what is bound to them fit together. */
#ifndef HW_CONFIG_CHECK_TUNNEL_H
#define HW_CONFIG_CHECK_TUNNEL_H

#include "config/report.h"
#include "model/config.h"

/* Of a configuration that is built; what is wrong goes into the report. */
void config_check_tunnels(const struct config *c, struct config_report *report);

#endif
