/* Certificates, keys and authorities of one configuration, ready for handshakes. A reload makes
 * another one; handshakes and connections under way keep what they began with. */
#ifndef HW_TLS_KEYRING_H
#define HW_TLS_KEYRING_H

#include "base/out.h"
#include "model/config.h"
struct tls_tickets;

struct ssl_st; /* OpenSSL's SSL; its header is for who uses it */
struct tls_keyring;

/* Files that are open for reading; -1 = none. */
struct tls_files {
	size_t certificates;
	int certificate[CONFIG_CERTIFICATES_MAX];
	int key[CONFIG_CERTIFICATES_MAX]; /* -1: in the certificate's file */
	int ocsp[CONFIG_CERTIFICATES_MAX];
	int ca;
};

/* Which file a complaint is about. */
enum tls_file { TLS_FILE_CERTIFICATE, TLS_FILE_KEY, TLS_FILE_OCSP, TLS_FILE_CA };

struct tls_complaint {
	enum tls_file file;
	size_t index;
	char text[160];
};

struct tls_keyring_setup {
	const struct tls_files *files; /* read from their beginning, whatever their offset */
	enum tls_version min_version;
	struct tls_tickets *tickets; /* outlives all keyrings; NULL = none are given (a check) */
	uint64_t wall_s;	     /* now, for what has expired */
};

/* ERR_NOMEM, or ERR_SYNTAX with a complaint. An expired certificate is no failure (see
 * tls_keyring_expiry). */
int tls_keyring_new(const struct tls_keyring_setup *setup, struct tls_keyring **out,
		    struct tls_complaint *why) must_check;
/* Once in a process that keeps keys: locked memory for them, no settings from elsewhere. ERR_NOMEM.
 * *out_locked: whether the memory could be locked. */
int tls_prepare(bool *out_locked) must_check;

/* Counted; from any thread. unref accepts NULL. */
struct tls_keyring *tls_keyring_ref(struct tls_keyring *k);
void tls_keyring_unref(struct tls_keyring *k);

/* A new SSL object: for a client that connects to us (`ask`: it is asked for its certificate), or
 * for a server that we connect to (`verify`). Freed with SSL_free. NULL: memory ran out, or there
 * is no certificate. */
struct ssl_st *tls_keyring_accept(struct tls_keyring *k, bool ask) must_check;
struct ssl_st *tls_keyring_connect(struct tls_keyring *k, const char *host, bool verify) must_check;

/* When the n-th certificate ends, in seconds since 1970, and its shown name; false: no such one. */
bool tls_keyring_expiry(const struct tls_keyring *k, size_t n, uint64_t *out_s,
			const char **out_subject);

#endif
