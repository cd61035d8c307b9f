/* The certificates of ours that are in use: the present one, and its predecessors for calls that
 * were told of them. Shared by the threads of the packet path. */
#ifndef HW_MEDIA_DTLS_IDENTITIES_H
#define HW_MEDIA_DTLS_IDENTITIES_H

#include "media/dtls.h"

struct dtls_identities;

/* With a first certificate. ERR_NOMEM. */
int dtls_identities_new(struct dtls_identities **out) must_check;
/* Accepts NULL. */
void dtls_identities_free(struct dtls_identities *ids);
/* A new certificate for new calls; the oldest one goes. ERR_NOMEM: the present one stays. */
int dtls_identities_rotate(struct dtls_identities *ids) must_check;
/* The present one's fingerprint. */
struct fingerprint dtls_identities_present(struct dtls_identities *ids);
/* A reference to the one with this fingerprint, or NULL: dtls_identity_unref gives it back. */
struct dtls_identity *dtls_identities_find(struct dtls_identities *ids,
					   const struct fingerprint *f);

#endif
