#include "media/dtls_identities.h"

#include <pthread.h>

#include "base/mem.h"

struct dtls_identities {
	pthread_mutex_t lock;
	struct dtls_identity *identity[DTLS_IDENTITIES_MAX]; /* the present one first */
};

int dtls_identities_new(struct dtls_identities **out)
{
	struct dtls_identities *ids = mem_zalloc(1, sizeof(*ids));
	int err;

	if (!ids)
		return ERR_NOMEM;
	pthread_mutex_init(&ids->lock, NULL);
	err = dtls_identity_new(&ids->identity[0]);
	if (err) {
		dtls_identities_free(ids);
		return err;
	}
	*out = ids;
	return 0;
}

void dtls_identities_free(struct dtls_identities *ids)
{
	if (!ids)
		return;
	for (unsigned i = 0; i < DTLS_IDENTITIES_MAX; i++)
		dtls_identity_unref(ids->identity[i]);
	pthread_mutex_destroy(&ids->lock);
	mem_free(ids);
}

int dtls_identities_rotate(struct dtls_identities *ids)
{
	struct dtls_identity *fresh, *oldest;
	int err = dtls_identity_new(&fresh);

	if (err)
		return err;
	pthread_mutex_lock(&ids->lock);
	oldest = ids->identity[DTLS_IDENTITIES_MAX - 1];
	for (unsigned i = DTLS_IDENTITIES_MAX - 1; i > 0; i--)
		ids->identity[i] = ids->identity[i - 1];
	ids->identity[0] = fresh;
	pthread_mutex_unlock(&ids->lock);
	dtls_identity_unref(oldest);
	return 0;
}

struct fingerprint dtls_identities_present(struct dtls_identities *ids)
{
	struct fingerprint f;

	pthread_mutex_lock(&ids->lock);
	f = *dtls_identity_fingerprint(ids->identity[0]);
	pthread_mutex_unlock(&ids->lock);
	return f;
}

struct dtls_identity *dtls_identities_find(struct dtls_identities *ids, const struct fingerprint *f)
{
	struct dtls_identity *found = NULL;

	pthread_mutex_lock(&ids->lock);
	for (unsigned i = 0; i < DTLS_IDENTITIES_MAX && !found; i++)
		if (ids->identity[i] &&
		    fingerprint_eq(dtls_identity_fingerprint(ids->identity[i]), f))
			found = dtls_identity_ref(ids->identity[i]);
	pthread_mutex_unlock(&ids->lock);
	return found;
}
