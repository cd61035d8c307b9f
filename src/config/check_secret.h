/* Checks about encryption: what policy asks for must be possible. */
#ifndef HW_CONFIG_CHECK_SECRET_H
#define HW_CONFIG_CHECK_SECRET_H

#include "config/doc.h"
#include "config/report.h"
#include "model/config.h"

void config_check_secret(const struct config *c, const struct doc *doc,
			 struct config_report *report);

#endif
