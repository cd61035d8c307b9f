#include "flow/lib/harness.h"

/* No way leads to media in the clear where policy wants it encrypted, nor to a key that is none. */
void harness_check_secret(struct harness *h, const struct flow_secret *s,
			  const struct srtp_key *key)
{
	if (s->required && s->exchange == KEYS_NONE)
		harness_fail_always(h, "a flow in the clear where policy wants it encrypted");
	/* Those of a handshake come later. */
	if (s->terminated && s->exchange == KEYS_DTLS && s->key == 0)
		return;
	if (s->terminated != (s->key != 0) || (s->terminated && s->exchange == KEYS_NONE))
		harness_fail_always(h, "a flow whose keys are neither here nor there");
	if (s->terminated && (!key || !srtp_key_valid(key) || key->suite != s->suite))
		harness_fail_always(h, "a flow without the key that it speaks of");
}

void harness_certificate(struct harness *h)
{
	static const struct fingerprint own = {.hash = FINGERPRINT_SHA256, .digest = {0xab, 0xcd}};

	if (h->core)
		core_set_certificate(h->core, &own);
}
