#include "media/dtls_impl.h"

#include <openssl/err.h>

#include "base/cursor.h"
#include "base/mem.h"

#define EXPORTER_LABEL	 "EXTRACTOR-dtls_srtp" /* RFC 5764 4.2 */
#define FIRST_TIMEOUT_US 200000u /* RFC 6347 4.2.4.1 names a second; speech cannot wait so long */
#define LAST_TIMEOUT_US	 3000000u

/* ---- the channel ---- */

static int channel_write(BIO *bio, const char *bytes, int n)
{
	struct dtls_session *s = BIO_get_data(bio);

	if (n > 0)
		s->send(s->ctx, slice_of(bytes, (size_t)n));
	return n;
}

static int channel_read(BIO *bio, char *bytes, int room)
{
	struct dtls_session *s = BIO_get_data(bio);
	size_t n = s->in.n;

	BIO_clear_retry_flags(bio);
	if (n == 0 || room <= 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	n = n < (size_t)room ? n : (size_t)room;
	memcpy(bytes, s->in.p, n);
	s->in = slice_of(NULL, 0);
	return (int)n;
}

static long channel_ctrl(BIO *bio, int command, long number, void *pointer)
{
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return DTLS_DATAGRAM_BYTES;
	default:
		return 0;
	}
}

BIO_METHOD *dtls_channel_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "datagrams");

	if (m && BIO_meth_set_write(m, channel_write) == 1 &&
	    BIO_meth_set_read(m, channel_read) == 1 && BIO_meth_set_ctrl(m, channel_ctrl) == 1)
		return m;
	BIO_meth_free(m);
	return NULL;
}

/* ---- life ---- */

static unsigned next_timeout(SSL *ssl, unsigned last_us)
{
	if (last_us == 0)
		return FIRST_TIMEOUT_US;
	return last_us < LAST_TIMEOUT_US / 2 ? 2 * last_us : LAST_TIMEOUT_US;
}

static bool ssl_fill(struct dtls_session *s, const struct dtls_setup *setup)
{
	BIO *bio = BIO_new(s->identity->channel);

	s->ssl = bio ? SSL_new(s->identity->context) : NULL;
	if (!s->ssl) {
		BIO_free(bio);
		return false;
	}
	BIO_set_data(bio, s);
	BIO_set_init(bio, 1);
	SSL_set_bio(s->ssl, bio, bio);
	if (SSL_set_app_data(s->ssl, s) != 1 || DTLS_set_link_mtu(s->ssl, DTLS_DATAGRAM_BYTES) != 1)
		return false;
	DTLS_set_timer_cb(s->ssl, next_timeout);
	if (setup->role == DTLS_ACTIVE)
		SSL_set_connect_state(s->ssl);
	else
		SSL_set_accept_state(s->ssl);
	s->wants_cookie = setup->role == DTLS_PASSIVE && !setup->validated;
	return true;
}

int dtls_new(const struct dtls_setup *setup, struct dtls_session **out)
{
	struct dtls_session *s;

	if (setup->fingerprint_count == 0 ||
	    setup->fingerprint_count > ASSOCIATION_FINGERPRINTS_MAX)
		return ERR_LIMIT;
	s = mem_zalloc(1, sizeof(*s));
	if (!s)
		return ERR_NOMEM;
	s->identity = dtls_identity_ref(setup->identity);
	s->send = setup->send;
	s->ctx = setup->ctx;
	s->fingerprint_count = setup->fingerprint_count;
	memcpy(s->fingerprint, setup->fingerprints,
	       setup->fingerprint_count * sizeof(s->fingerprint[0]));
	if (!ssl_fill(s, setup)) {
		dtls_free(s);
		return ERR_NOMEM;
	}
	*out = s;
	return 0;
}

void dtls_free(struct dtls_session *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	dtls_identity_unref(s->identity);
	mem_wipe_free(s, sizeof(*s));
}

/* ---- what is let in ---- */

enum { RECORD_CIPHER_CHANGE = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };

/* One record's head (RFC 6347 4.1). An alert that nothing protects could come from anybody, and
 * would end the handshake: it is dropped, as 4.1.2.7 advises; data has no place in one at all. */
static bool record_take(struct cursor *c)
{
	uint8_t type = cur_u8(c);
	uint16_t version = cur_u16(c), epoch = cur_u16(c);

	(void)cur_bytes(c, 6); /* sequence number */
	(void)cur_bytes(c, cur_u16(c));
	if (c->err || version >> 8 != 0xfe)
		return false;
	return type == RECORD_HANDSHAKE || type == RECORD_CIPHER_CHANGE ||
	       (type == RECORD_ALERT && epoch > 0);
}

static bool is_handshake(struct slice datagram)
{
	struct cursor c = cur_of(datagram);
	bool good = datagram.n > 0;

	while (good && cur_left(&c))
		good = record_take(&c);
	return good;
}

/* ---- the handshake ---- */

static unsigned suite_of(unsigned long profile)
{
	switch (profile) {
	case SRTP_AES128_CM_SHA1_80:
		return SRTP_AES_128_CM_SHA1_80;
	case SRTP_AES128_CM_SHA1_32:
		return SRTP_AES_128_CM_SHA1_32;
	case PROFILE_AEAD_AES_128_GCM:
		return SRTP_AEAD_AES_128_GCM;
	case PROFILE_AEAD_AES_256_GCM:
		return SRTP_AEAD_AES_256_GCM;
	default:
		return SRTP_NONE;
	}
}

/* Exported are the client's key, the server's, the client's salt, the server's (RFC 5764 4.2). */
static enum dtls_state keys_export(struct dtls_session *s)
{
	const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(s->ssl);
	unsigned suite = profile ? suite_of(profile->id) : SRTP_NONE;
	const struct srtp_suite_row *row = srtp_suite_row(suite);
	struct srtp_key *client = SSL_is_server(s->ssl) ? &s->theirs : &s->ours;
	struct srtp_key *server = SSL_is_server(s->ssl) ? &s->ours : &s->theirs;
	unsigned char bytes[2 * SRTP_MASTER_BYTES_MAX];
	size_t key, salt;

	if (!row)
		return DTLS_NO_PROFILE;
	key = row->key_bytes;
	salt = row->salt_bytes;
	if (SSL_export_keying_material(s->ssl, bytes, 2 * (key + salt), EXPORTER_LABEL,
				       sizeof(EXPORTER_LABEL) - 1, NULL, 0, 0) != 1)
		return DTLS_FAILED;
	client->suite = server->suite = (uint8_t)suite;
	memcpy(client->master, bytes, key);
	memcpy(server->master, bytes + key, key);
	memcpy(client->master + key, bytes + 2 * key, salt);
	memcpy(server->master + key, bytes + 2 * key + salt, salt);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return DTLS_UP;
}

static enum dtls_state state_of_failure(const struct dtls_session *s)
{
	if (s->bad_fingerprint)
		return DTLS_BAD_FINGERPRINT;
	return DTLS_FAILED;
}

/* Until a ClientHello bears the cookie of its address nothing is kept of it (RFC 6347 4.2.1). */
static bool cookie_shown(struct dtls_session *s)
{
	BIO_ADDR *unused = BIO_ADDR_new();

	if (unused && DTLSv1_listen(s->ssl, unused) == 1)
		s->wants_cookie = false;
	BIO_ADDR_free(unused);
	return !s->wants_cookie;
}

/* Goes as far as what has come allows. */
static void advance(struct dtls_session *s)
{
	int got, why;

	ERR_clear_error(); /* the thread's queue is shared with other sessions */
	if (s->wants_cookie && !cookie_shown(s)) {
		ERR_clear_error();
		return;
	}
	got = SSL_do_handshake(s->ssl);
	why = got == 1 ? SSL_ERROR_NONE : SSL_get_error(s->ssl, got);
	if (why == SSL_ERROR_NONE)
		s->state = keys_export(s);
	else if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		s->state = state_of_failure(s);
	ERR_clear_error();
}

/* Afterwards only retransmissions and alerts come; data has no place here. */
static void listen_on(struct dtls_session *s)
{
	char data[DTLS_DATAGRAM_BYTES];
	int got;

	ERR_clear_error();
	got = SSL_read(s->ssl, data, sizeof(data));
	if (got <= 0 && SSL_get_error(s->ssl, got) == SSL_ERROR_ZERO_RETURN)
		s->state = DTLS_CLOSED;
	OPENSSL_cleanse(data, sizeof(data));
	ERR_clear_error();
}

void dtls_start(struct dtls_session *s, uint64_t now_ms)
{
	if (s->begun_ms || s->state != DTLS_HANDSHAKE || SSL_is_server(s->ssl))
		return;
	s->begun_ms = now_ms ? now_ms : 1;
	advance(s);
}

enum dtls_state dtls_on_datagram(struct dtls_session *s, const struct ip_endpoint *source,
				 struct slice datagram, uint64_t now_ms)
{
	if (s->state > DTLS_UP || (s->state == DTLS_HANDSHAKE && !is_handshake(datagram)))
		return s->state;
	s->source = *source;
	s->in = datagram;
	if (s->state == DTLS_HANDSHAKE)
		advance(s);
	else
		listen_on(s);
	s->in = slice_of(NULL, 0);
	if (!s->begun_ms && !s->wants_cookie)
		s->begun_ms = now_ms ? now_ms : 1;
	return s->state;
}

enum dtls_state dtls_on_tick(struct dtls_session *s, uint64_t now_ms)
{
	if (s->state != DTLS_HANDSHAKE || !s->begun_ms)
		return s->state;
	if (now_ms - s->begun_ms > DTLS_HANDSHAKE_MS) {
		s->state = DTLS_TIMEOUT;
		return s->state;
	}
	ERR_clear_error();
	if (DTLSv1_handle_timeout(s->ssl) < 0)
		s->state = DTLS_TIMEOUT;
	ERR_clear_error();
	return s->state;
}

enum dtls_state dtls_state(const struct dtls_session *s)
{
	return s->state;
}

bool dtls_keys(const struct dtls_session *s, struct srtp_key *out_ours, struct srtp_key *out_theirs)
{
	if (s->state != DTLS_UP)
		return false;
	*out_ours = s->ours;
	*out_theirs = s->theirs;
	return true;
}
