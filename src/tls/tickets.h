/* Keys that seal session tickets (RFC 5077, RFC 8446 4.6.1): shared by all threads, changed every
 * hour, never written anywhere. */
#ifndef HW_TLS_TICKETS_H
#define HW_TLS_TICKETS_H

#include <openssl/evp.h>

#include <stdbool.h>

#include "base/err.h"

struct tls_tickets;

/* ERR_NOMEM, ERR_DENIED (no random numbers). */
int tls_tickets_new(uint64_t (*now_ms)(void), struct tls_tickets **out) must_check;
/* Wipes the keys. Accepts NULL. */
void tls_tickets_free(struct tls_tickets *t);
/* Tickets given so far open nothing any more: whom we trust may have changed. */
void tls_tickets_forget(struct tls_tickets *t);
/* OpenSSL's callback (SSL_CTX_set_tlsext_ticket_key_evp_cb). */
int tls_tickets_seal(struct tls_tickets *t, unsigned char name[16], unsigned char *iv,
		     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal);

#endif
