/* Whose certificates are believed when callers' identities are verified: files that whoever reads
 * the configuration opens and judges, and hw-stir gets as open descriptors. */
#ifndef HW_MAIN_TRUST_FILES_H
#define HW_MAIN_TRUST_FILES_H

#include <openssl/x509_vfy.h>

#include "config/report.h"
#include "model/config.h"

struct trust_files {
	bool open;
	int anchors, https_ca; /* when open */
};

/* Opens what the configuration needs, and tries it: what is wrong goes into the report with the
 * line of section identity. Nothing is opened when no trunk verifies. ERR_SYNTAX when there are
 * errors. */
int trust_files_open(const struct config *c, struct trust_files *out,
		     struct config_report *report) must_check;
/* May be called for one that was never opened. */
void trust_files_close(struct trust_files *f);
/* The authorities of an open file; the caller's. NULL, or what is wrong in words. */
const char *trust_anchors_read(int fd, X509_STORE **out);

#endif
