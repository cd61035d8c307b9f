/* Certificates and keys that callers' identities are signed with: opened and judged by whoever
 * reads the configuration, handed to hw-tls as open descriptors, used there. */
#ifndef HW_MAIN_SIGNERS_H
#define HW_MAIN_SIGNERS_H

#include "base/reason.h"
#include "config/report.h"
#include "model/config.h"
#include "stir/signer.h"

/* Open files, by the trunk that they are for. */
struct signer_files {
	size_t count;
	struct {
		uint32_t trunk;
		int certificate, key;
		uint64_t until_s; /* the certificate ends then; since 1970 */
	} of[CONFIG_SIGNERS_MAX];
};

/* Opens what the configuration needs, and tries it: what is wrong goes into the report with the
 * line of the trunk. ERR_SYNTAX when there are errors. */
int signer_files_open(const struct config *c, uint64_t wall_s, struct signer_files *out,
		      struct config_report *report) must_check;
/* May be called for one that was never opened. */
void signer_files_close(struct signer_files *f);

/* In hw-tls: who signs for which trunk of the configuration in force. */
struct signers {
	struct stir_signer *of[CONFIG_SECTIONS_MAX];
};

/* Takes the place of those that there were; the files stay open. ERR_SYNTAX. */
int signers_apply(struct signers *s, const struct config *c,
		  const struct signer_files *f) must_check;
void signers_done(struct signers *s);
void signers_sign(const struct signers *s, uint64_t wall_s, const struct identity_ask *ask,
		  struct identity_answer *out);

#endif
