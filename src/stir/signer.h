/* The authentication service (RFC 8224 6.1): signs calls of ours, with a key that is kept where
 * this runs. */
#ifndef HW_STIR_SIGNER_H
#define HW_STIR_SIGNER_H

#include "base/slice.h"
#include "model/identity.h"

struct stir_signer;

struct stir_signer_setup {
	struct slice certificate, key; /* PEM, borrowed */
	const char *url;	       /* where others fetch the certificate */
	char attest;		       /* 'A', 'B', 'C' */
	struct number_plan plan;
};

/* NULL, or what is wrong in words (borrowed for ever). */
const char *stir_signer_new(const struct stir_signer_setup *setup, struct stir_signer **out);
/* Wipes. Accepts NULL. */
void stir_signer_free(struct stir_signer *s);
/* When the certificate ends, in seconds since 1970. */
uint64_t stir_signer_until(const struct stir_signer *s);
/* Always answers; REASON_identity_signed or REASON_identity_unsigned. */
void stir_signer_sign(const struct stir_signer *s, uint64_t now_s, const struct identity_ask *ask,
		      struct identity_answer *out);

#endif
