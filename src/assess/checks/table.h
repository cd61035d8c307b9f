/* Every check of the assessor, declared by its row. */
#ifndef HW_ASSESS_CHECKS_TABLE_H
#define HW_ASSESS_CHECKS_TABLE_H

#include "assess/visit.h"

#define CHECK(id, tag, class, severity, cvss, kinds, title, remediation, references, packets,      \
	      function)                                                                            \
	enum verdict function(struct visit *v);
#include "assess/checks/checks.def"
#undef CHECK

struct check_table checks_table(void);

#endif
