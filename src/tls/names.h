/* The names that a certificate proves (RFC 5922). */
#ifndef HW_TLS_NAMES_H
#define HW_TLS_NAMES_H

#include <openssl/x509.h>

#include "model/tls_facts.h"

/* SIP domain identities by RFC 5922 7.1: hosts of SIP URIs without a user; if there are none, DNS
 * names; the common name only where no subjectAltName is at all. Addresses stand for peers that are
 * configured by address. Wildcards are no names. */
void tls_names_write(const X509 *cert, struct tls_facts *out);
/* The subject's common name, else the first name, else the whole subject. */
void tls_subject_write(const X509 *cert, char out[static TLS_SUBJECT_MAX]);

#endif
