#include "tls/keyring.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "tls/limits.h"
#include "tls/names.h"
#include "tls/pem.h"
#include "tls/tickets.h"

#define SUITES_1_2   "ECDHE+AESGCM:ECDHE+CHACHA20" /* RFC 9325 4.2 */
#define SUITES_1_3   "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define SECRET_BLOCK 32 /* bytes; OpenSSL's smallest piece of locked memory */
#define GROUPS	     "X25519:P-256:P-384"

/* An identity with the context that shows it. */
struct shown {
	struct tls_keyring *ring;
	struct tls_identity id;
	char subject[TLS_SUBJECT_MAX];
	SSL_CTX *ctx;
};

struct tls_keyring {
	atomic_int refs;
	struct tls_tickets *tickets;
	enum tls_version min_version;
	X509_STORE *store;
	SSL_CTX *client;
	size_t count;
	struct shown shown[CONFIG_CERTIFICATES_MAX];
};

/* ---- callbacks of OpenSSL ---- */

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
		     EVP_MAC_CTX *mac, int seal)
{
	struct shown *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	return tls_tickets_seal(s->ring->tickets, name, iv, cipher, mac, seal);
}

static bool made_out_for(const struct shown *s, const char *host)
{
	return X509_check_host(s->id.cert, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) ==
	       1;
}

/* Picks the certificate by the name that the client asks for; without one, the first stays. */
static int on_name(SSL *ssl, int *alert, void *ctx)
{
	struct tls_keyring *k = ctx;
	const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	for (size_t i = 0; host && i < k->count; i++)
		if (made_out_for(&k->shown[i], host)) {
			(void)SSL_set_SSL_CTX(ssl, k->shown[i].ctx);
			break;
		}
	return SSL_TLSEXT_ERR_OK;
}

/* Staples what is still good; the copy belongs to OpenSSL. */
static int on_status(SSL *ssl, void *ctx)
{
	const struct shown *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	unsigned char *copy;

	if (!s->id.ocsp || (uint64_t)time(NULL) >= s->id.ocsp_until_s)
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(s->id.ocsp, (size_t)s->id.ocsp_bytes);
	if (!copy)
		return SSL_TLSEXT_ERR_NOACK;
	(void)SSL_set_tlsext_status_ocsp_resp(ssl, copy, s->id.ocsp_bytes);
	return SSL_TLSEXT_ERR_OK;
}

/* A wrong certificate ends no handshake here: what comes over the connection is refused by who
 * knows for whom it should speak. The verdict stays in SSL_get_verify_result. */
static int on_client_certificate(int good, X509_STORE_CTX *ctx)
{
	return 1;
}

/* ---- contexts ---- */

static SSL_CTX *ctx_new(const struct tls_keyring *k, const SSL_METHOD *method)
{
	SSL_CTX *c = SSL_CTX_new(method);
	int oldest = k->min_version == TLS_VERSION_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

	if (!c)
		return NULL;
	if (SSL_CTX_set_min_proto_version(c, oldest) != 1 ||
	    SSL_CTX_set_cipher_list(c, SUITES_1_2) != 1 ||
	    SSL_CTX_set_ciphersuites(c, SUITES_1_3) != 1 ||
	    SSL_CTX_set1_groups_list(c, GROUPS) != 1) {
		SSL_CTX_free(c);
		return NULL;
	}
	SSL_CTX_set_security_level(c, 2);
	SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
				       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify_depth(c, TLS_CHAIN_DEPTH);
	SSL_CTX_set_max_cert_list(c, TLS_RECORD_BYTES * 2);
	SSL_CTX_set1_cert_store(c, k->store);
	return c;
}

static bool use(SSL_CTX *c, const struct tls_identity *id)
{
	return SSL_CTX_use_cert_and_key(c, id->cert, id->key, id->chain, 0) == 1;
}

static int server_ctx(struct tls_keyring *k, struct shown *s)
{
	static const unsigned char session_context[] = "hornwork";
	SSL_CTX *c = ctx_new(k, TLS_server_method());

	if (!c)
		return ERR_NOMEM;
	s->ctx = c;
	SSL_CTX_set_app_data(c, s);
	if (!use(c, &s->id) ||
	    SSL_CTX_set_session_id_context(c, session_context, sizeof(session_context) - 1) != 1)
		return ERR_NOMEM;
	/* Providers' certificates are for servers; the same one proves them as clients. */
	(void)X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(c), X509_PURPOSE_ANY);
	(void)SSL_CTX_set_tlsext_servername_callback(c, on_name);
	(void)SSL_CTX_set_tlsext_servername_arg(c, k);
	(void)SSL_CTX_set_tlsext_status_cb(c, on_status);
	(void)SSL_CTX_set_num_tickets(c, 1);
	if (k->tickets)
		(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(c, on_ticket);
	return 0;
}

/* Of another kind of key and for the same name: both may be shown, as the client can take them. */
static bool goes_with(const struct shown *a, const struct shown *b)
{
	struct tls_facts f;

	tls_names_write(b->id.cert, &f);
	return a != b && EVP_PKEY_get_base_id(a->id.key) != EVP_PKEY_get_base_id(b->id.key) &&
	       f.name_count && made_out_for(a, f.names[0]);
}

static int contexts_new(struct tls_keyring *k)
{
	int err = 0;

	for (size_t i = 0; i < k->count && !err; i++)
		err = server_ctx(k, &k->shown[i]);
	for (size_t i = 0; i < k->count && !err; i++)
		for (size_t n = 0; n < k->count && !err; n++)
			if (goes_with(&k->shown[i], &k->shown[n]) &&
			    !use(k->shown[i].ctx, &k->shown[n].id))
				err = ERR_NOMEM;
	k->client = err ? NULL : ctx_new(k, TLS_client_method());
	if (!k->client || (k->count && !use(k->client, &k->shown[0].id)))
		return ERR_NOMEM;
	return 0;
}

/* ---- files ---- */

static int complain(struct tls_complaint *why, enum tls_file file, size_t index, const char *text)
{
	why->file = file;
	why->index = index;
	(void)snprintf(why->text, sizeof(why->text), "%s", text);
	return ERR_SYNTAX;
}

/* Reads one file into its place. */
static int take(int fd, size_t max, enum tls_file file, size_t index,
		const char *(*put)(struct slice text, struct tls_identity *id),
		struct tls_identity *id, struct tls_complaint *why)
{
	const char *text;
	struct slice content;
	int err = tls_pem_read(fd, max, true, &content);

	if (err)
		return complain(why, file, index, err_text(err));
	text = put(content, id);
	tls_pem_free(content);
	return text ? complain(why, file, index, text) : 0;
}

static int take_identity(struct tls_keyring *k, const struct tls_files *f, size_t i,
			 struct tls_complaint *why)
{
	struct shown *s = &k->shown[i];
	bool apart = f->key[i] >= 0;
	int err;

	k->count = i + 1;
	s->ring = k;
	err = take(f->certificate[i], TLS_FILE_BYTES_MAX, TLS_FILE_CERTIFICATE, i,
		   tls_pem_certificates, &s->id, why);
	if (!err)
		err = take(apart ? f->key[i] : f->certificate[i], TLS_FILE_BYTES_MAX,
			   apart ? TLS_FILE_KEY : TLS_FILE_CERTIFICATE, i, tls_pem_key, &s->id,
			   why);
	if (!err && f->ocsp[i] >= 0)
		err = take(f->ocsp[i], TLS_FILE_BYTES_MAX, TLS_FILE_OCSP, i, tls_pem_ocsp, &s->id,
			   why);
	if (!err)
		tls_subject_write(s->id.cert, s->subject);
	return err;
}

static int take_authorities(struct tls_keyring *k, int fd, struct tls_complaint *why)
{
	struct slice content;
	const char *text;
	int err = fd < 0 ? 0 : tls_pem_read(fd, TLS_CA_BYTES_MAX, false, &content);

	if (fd < 0)
		return 0;
	if (err)
		return complain(why, TLS_FILE_CA, 0, err_text(err));
	text = tls_pem_authorities(content, k->store);
	tls_pem_free(content);
	return text ? complain(why, TLS_FILE_CA, 0, text) : 0;
}

int tls_prepare(bool *out_locked)
{
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return ERR_NOMEM;
	*out_locked = CRYPTO_secure_malloc_init(TLS_SECRET_BYTES, SECRET_BLOCK) == 1;
	return 0;
}

int tls_keyring_new(const struct tls_keyring_setup *setup, struct tls_keyring **out,
		    struct tls_complaint *why)
{
	struct tls_keyring *k = mem_zalloc(1, sizeof(*k));
	int err;

	if (!k)
		return ERR_NOMEM;
	k->refs = 1;
	k->tickets = setup->tickets;
	k->min_version = setup->min_version;
	k->store = X509_STORE_new();
	err = k->store ? take_authorities(k, setup->files->ca, why) : ERR_NOMEM;
	for (size_t i = 0; i < setup->files->certificates && !err; i++)
		err = take_identity(k, setup->files, i, why);
	if (!err) {
		err = contexts_new(k);
		if (err)
			(void)complain(why, TLS_FILE_CERTIFICATE, 0,
				       "the certificate or its key is not taken by OpenSSL (too "
				       "short a key, or too weak a digest?)");
		err = err ? ERR_SYNTAX : 0;
	}
	ERR_clear_error();
	if (err) {
		tls_keyring_unref(k);
		return err;
	}
	*out = k;
	return 0;
}

struct tls_keyring *tls_keyring_ref(struct tls_keyring *k)
{
	atomic_fetch_add(&k->refs, 1);
	return k;
}

void tls_keyring_unref(struct tls_keyring *k)
{
	if (!k || atomic_fetch_sub(&k->refs, 1) > 1)
		return;
	for (size_t i = 0; i < k->count; i++) {
		SSL_CTX_free(k->shown[i].ctx);
		tls_identity_done(&k->shown[i].id);
	}
	SSL_CTX_free(k->client);
	X509_STORE_free(k->store);
	mem_free(k);
}

/* ---- use ---- */

SSL *tls_keyring_accept(struct tls_keyring *k, bool ask)
{
	SSL *ssl = k->count ? SSL_new(k->shown[0].ctx) : NULL;

	if (!ssl)
		return NULL;
	if (ask)
		SSL_set_verify(ssl, SSL_VERIFY_PEER, on_client_certificate);
	SSL_set_accept_state(ssl);
	return ssl;
}

SSL *tls_keyring_connect(struct tls_keyring *k, const char *host, bool verify)
{
	SSL *ssl = SSL_new(k->client);
	struct ip_addr literal;

	if (!ssl)
		return NULL;
	/* RFC 6066 3: no addresses. */
	if (ip_parse(slice_z(host), &literal) != 0)
		(void)SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			       (void *)(uintptr_t)host);
	SSL_set_verify(ssl, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_set_connect_state(ssl);
	return ssl;
}

bool tls_keyring_expiry(const struct tls_keyring *k, size_t n, uint64_t *out_s,
			const char **out_subject)
{
	if (n >= k->count)
		return false;
	*out_s = k->shown[n].id.until_s;
	*out_subject = k->shown[n].subject;
	return true;
}
