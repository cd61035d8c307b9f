/* Asterisk's configuration read on the PBX's host by SSH, for host-read-only checks. */
#ifndef HW_ASSESS_CHECKS_ASTERISK_HOST_H
#define HW_ASSESS_CHECKS_ASTERISK_HOST_H

#include "assess/checks/asterisk_conf.h"
#include "assess/visit.h"

/* As asterisk_read; others as visit_ssh. Ended with asterisk_done. */
int visit_asterisk(struct visit *v, const char *name, struct asterisk_conf *out) must_check;
/* The verdict when what was read has no flaw: clean, or untested where a part of the configuration
 * could not be followed. */
enum verdict visit_asterisk_clean(struct visit *v, const struct asterisk_conf *c);

#endif
