/* The files of section tls: opened and judged by whoever reads the configuration, handed to hw-tls
 * as open descriptors. */
#ifndef HW_MAIN_TLS_MATERIAL_H
#define HW_MAIN_TLS_MATERIAL_H

#include "config/report.h"
#include "model/tls_facts.h"
#include "tls/keyring.h"

struct tls_material {
	bool open;
	struct tls_files files;
	size_t count;
	struct {
		uint64_t until_s; /* since 1970 */
		char subject[TLS_SUBJECT_MAX];
	} shown[CONFIG_CERTIFICATES_MAX];
};

/* Opens what the configuration needs, and tries it: what is wrong goes into the report with the
 * line of section tls. ERR_SYNTAX when there are errors, ERR_NOMEM. */
int tls_material_open(const struct config *c, uint64_t wall_s, struct tls_material *out,
		      struct config_report *report) must_check;
/* May be called for one that was never opened. */
void tls_material_close(struct tls_material *m);

#endif
