/* Whether section tls has what the other sections need of it. */
#ifndef HW_CONFIG_CHECK_TLS_H
#define HW_CONFIG_CHECK_TLS_H

#include "config/report.h"
#include "model/config.h"

/* Of a configuration that is built; what is wrong goes into the report. */
void config_check_tls(const struct config *c, struct config_report *report);

#endif
