/* One TLS handshake with a target, with what is offered chosen by the check. */
#ifndef HW_ASSESS_CHECKS_TLS_TRY_H
#define HW_ASSESS_CHECKS_TLS_TRY_H

#include <openssl/x509.h>

#include "assess/visit.h"

#define TLS_NAME_MAX 64

struct tls_ask {
	uint16_t port;
	int version_min, version_max; /* TLS1_2_VERSION, ...; 0 = any */
	const char *ciphers;  /* for TLS 1.2 and below, in OpenSSL's words; NULL = all good */
	bool own_certificate; /* show one that nobody signed */
	const char *ca_file;  /* trust these besides the system's; NULL = none */
	struct slice after;   /* sent behind the handshake; the first answer is read */
};

struct tls_seen {
	bool done;		    /* the handshake ended well */
	char version[TLS_NAME_MAX]; /* "TLSv1.2" */
	char cipher[TLS_NAME_MAX];
	X509 *certificate;	    /* the server's; tls_seen_done */
	long verify;		    /* X509_V_OK, or why its chain is not trusted */
	bool asked_for_certificate; /* it wanted one of ours */
	bool answered;		    /* to `after` */
};

/* 0: somebody spoke TLS or refused to (see `done`); -ECONNREFUSED, -ETIMEDOUT, ERR_LIMIT,
 * ERR_NOMEM. Nothing is verified but what `verify` tells. */
int tls_try(struct visit *v, const struct tls_ask *ask, struct tls_seen *out) must_check;
void tls_seen_done(struct tls_seen *s);

#endif
