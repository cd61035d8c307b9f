#include "tls/outcome.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "tls/names.h"

void tls_outcome_fail(struct tls_shake *s, enum reason why, const char *detail)
{
	s->why = why;
	(void)snprintf(s->detail, sizeof(s->detail), "%s", detail);
}

static enum reason reason_of(long verdict)
{
	if (verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID)
		return REASON_tls_certificate_expired;
	return REASON_tls_certificate_untrusted;
}

static void fail_on(struct tls_shake *s, int problem)
{
	unsigned long e = ERR_peek_error();
	long verdict = SSL_get_verify_result(s->ssl);
	const char *text = e ? ERR_reason_error_string(e) : NULL;

	if (s->ours && s->verify && verdict != X509_V_OK)
		tls_outcome_fail(s, reason_of(verdict), X509_verify_cert_error_string(verdict));
	else if (problem == SSL_ERROR_SYSCALL && !e)
		tls_outcome_fail(s, s->ours ? REASON_peer_unreachable : REASON_tls_handshake,
				 errno ? strerror(errno) : "the other side closed the connection");
	else
		tls_outcome_fail(s, REASON_tls_handshake, text ? text : "it failed");
}

static void fill_facts(struct tls_shake *s)
{
	struct tls_facts *f = &s->facts;
	X509 *cert = SSL_get0_peer_certificate(s->ssl);
	const char *sni = SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);
	long verdict = SSL_get_verify_result(s->ssl);

	(void)slice_to_z(slice_z(SSL_get_version(s->ssl)), f->protocol, sizeof(f->protocol));
	(void)slice_to_z(slice_z(SSL_get_cipher_name(s->ssl)), f->cipher, sizeof(f->cipher));
	(void)slice_to_z(slice_z(sni), f->sni, sizeof(f->sni));
	if (!cert)
		return;
	tls_subject_write(cert, f->subject);
	if (verdict == X509_V_OK && (!s->ours || s->verify))
		tls_names_write(cert, f);
	else
		(void)snprintf(f->distrust, sizeof(f->distrust), "%s",
			       verdict == X509_V_OK ? "verify = no"
						    : X509_verify_cert_error_string(verdict));
}

/* The name that was asked for must be one of the certificate's (RFC 5922 7.3). */
static void check_name(struct tls_shake *s)
{
	char text[TLS_DETAIL_MAX];
	struct out o = out_to(text, sizeof(text) - 1);

	if (!s->ours || !s->verify || tls_facts_name(&s->facts, slice_z(s->host)))
		return;
	out_fmt(&o, "%.60s is wanted, the certificate is for %.60s", s->host,
		s->facts.name_count ? s->facts.names[0] : s->facts.subject);
	text[o.n] = '\0';
	tls_outcome_fail(s, REASON_tls_certificate_name, text);
}

unsigned tls_outcome_step(struct tls_shake *s)
{
	int got;

	ERR_clear_error();
	errno = 0;
	got = SSL_do_handshake(s->ssl);
	if (got == 1) {
		fill_facts(s);
		check_name(s);
		return 0;
	}
	switch (SSL_get_error(s->ssl, got)) {
	case SSL_ERROR_WANT_READ:
		return LOOP_READ;
	case SSL_ERROR_WANT_WRITE:
		return LOOP_WRITE;
	default:
		fail_on(s, SSL_get_error(s->ssl, got));
		ERR_clear_error();
		return 0;
	}
}
