/* The only file of the checks that knows libssl. */
#include "assess/checks/tls_try.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_WAIT_S 4

static int accept_all(int good, X509_STORE_CTX *ctx)
{
	(void)good;
	(void)ctx;
	return 1; /* what was wrong is told by SSL_get_verify_result */
}

/* A key and a certificate of this moment, which no authority knows. */
static int use_own_certificate(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = x ? X509_get_subject_name(x) : NULL;
	bool good = key && name && X509_set_version(x, 2) == 1 &&
		    ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
		    X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
		    X509_gmtime_adj(X509_getm_notAfter(x), 86400) && X509_set_pubkey(x, key) == 1 &&
		    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					       (const unsigned char *)"hornwork-assess", -1, -1,
					       0) == 1 &&
		    X509_set_issuer_name(x, name) == 1 && X509_sign(x, key, EVP_sha256()) > 0 &&
		    SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	X509_free(x);
	EVP_PKEY_free(key);
	return good ? 0 : ERR_NOMEM;
}

static int on_certificate_request(SSL *ssl, void *ctx)
{
	bool *asked = ctx;

	(void)ssl;
	*asked = true;
	return 1;
}

static SSL_CTX *make_context(const struct tls_ask *ask, struct tls_seen *out)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_security_level(ctx, 0); /* weak ones are what we look for */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_all);
	SSL_CTX_set_default_verify_paths(ctx);
	SSL_CTX_set_cert_cb(ctx, on_certificate_request, &out->asked_for_certificate);
	if ((ask->version_min && SSL_CTX_set_min_proto_version(ctx, ask->version_min) != 1) ||
	    (ask->version_max && SSL_CTX_set_max_proto_version(ctx, ask->version_max) != 1) ||
	    SSL_CTX_set_cipher_list(ctx, ask->ciphers ? ask->ciphers : "DEFAULT:@SECLEVEL=0") !=
		    1 ||
	    (ask->ca_file && *ask->ca_file &&
	     SSL_CTX_load_verify_locations(ctx, ask->ca_file, NULL) != 1) ||
	    (ask->own_certificate && use_own_certificate(ctx))) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static void look(SSL *ssl, const struct tls_ask *ask, struct tls_seen *out)
{
	char answer[512];

	out->done = true;
	snprintf(out->version, sizeof(out->version), "%s", SSL_get_version(ssl));
	snprintf(out->cipher, sizeof(out->cipher), "%s", SSL_get_cipher(ssl));
	out->certificate = SSL_get1_peer_certificate(ssl);
	out->verify = SSL_get_verify_result(ssl);
	if (ask->after.n && SSL_write(ssl, ask->after.p, (int)ask->after.n) > 0)
		out->answered = SSL_read(ssl, answer, sizeof(answer)) > 0;
}

static int shake(struct wire *c, SSL_CTX *ctx, const struct tls_ask *ask, struct tls_seen *out)
{
	const struct timeval wait = {.tv_sec = ANSWER_WAIT_S};
	SSL *ssl = SSL_new(ctx);

	(void)setsockopt(wire_fd(c), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (!ssl || SSL_set_fd(ssl, wire_fd(c)) != 1) {
		SSL_free(ssl);
		return ERR_NOMEM;
	}
	if (SSL_connect(ssl) == 1)
		look(ssl, ask, out);
	SSL_free(ssl);
	ERR_clear_error();
	return 0;
}

int tls_try(struct visit *v, const struct tls_ask *ask, struct tls_seen *out)
{
	struct wire *c;
	SSL_CTX *ctx;
	int err;

	*out = (struct tls_seen){.verify = X509_V_OK};
	err = visit_connect(v, PACKET_TLS, ask->port, &c);
	if (err)
		return err;
	ctx = make_context(ask, out);
	err = ctx ? shake(c, ctx, ask, out) : ERR_NOMEM;
	SSL_CTX_free(ctx);
	wire_close(c);
	return err;
}

void tls_seen_done(struct tls_seen *s)
{
	X509_free(s->certificate);
	s->certificate = NULL;
}
