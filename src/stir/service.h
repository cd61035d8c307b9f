/* The verification service (RFC 8224 6.2): judges Identity headers, keeps certificates, remembers
 * what it has seen. Pure but for OpenSSL: time is a parameter, fetching is somebody else's. */
#ifndef HW_STIR_SERVICE_H
#define HW_STIR_SERVICE_H

#include <openssl/x509_vfy.h>

#include "base/hash.h"
#include "model/identity.h"
#include "stir/url.h"

struct stir_service;

struct stir_service_env {
	void *ctx;
	/* Begins to fetch; stir_service_on_fetched tells the end. ERR_LIMIT: too many already. */
	int (*fetch)(void *ctx, const char *url);
	/* The answer to what was asked; borrowed. */
	void (*answer)(void *ctx, const struct identity_answer *a);
};

/* What came of a fetch; borrowed. */
struct stir_fetched {
	const char *url;
	const char *why;   /* it failed, in words; NULL = it did not */
	struct slice body; /* of the answer */
	int64_t keep_s;	   /* as the server says (Cache-Control: max-age); -1 = it says nothing */
};

/* Whom to believe, from now on. */
struct stir_trust {
	struct stir_hosts hosts;
	X509_STORE *anchors; /* the service's own reference is its own; may be NULL: nobody */
};

/* `env` is copied. ERR_NOMEM. */
int stir_service_new(const struct stir_service_env *env, const struct hash_key *key,
		     struct stir_service **out) must_check;
/* Accepts NULL. */
void stir_service_free(struct stir_service *s);
/* Forgets the certificates; who was believed then may not be now. */
void stir_service_trust(struct stir_service *s, const struct stir_trust *trust);

/* Answers at once, or when the certificate has come. `plan` is how the trunk writes numbers;
 * `now_s` is the wall clock's, since 1970. */
void stir_service_ask(struct stir_service *s, uint64_t now_s, const struct number_plan *plan,
		      const struct identity_ask *ask);
void stir_service_on_fetched(struct stir_service *s, uint64_t now_s, const struct stir_fetched *f);

#endif
