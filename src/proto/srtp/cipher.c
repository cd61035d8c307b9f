#include "proto/srtp/cipher.h"

#include <openssl/crypto.h>

#include "base/err.h"

#define LABEL_AT   7  /* byte of the key id in the 112 bits in front of the counter */
#define HMAC_BLOCK 64 /* of SHA-1, RFC 2104 2 */
#define INNER_PAD  0x36
#define OUTER_PAD  0x5c
#define KEY_MAX	   32
#define TAG_BYTES  16

static const EVP_CIPHER *counter_mode(size_t key_bytes)
{
	return key_bytes == 32	 ? EVP_aes_256_ctr()
	       : key_bytes == 24 ? EVP_aes_192_ctr()
				 : EVP_aes_128_ctr();
}

/* RFC 3711 4.3.3: the key stream under the master key, at the label's place. A salt of 96 bits has
 * zeros behind it (RFC 7714 11). */
static int derive(EVP_CIPHER_CTX *prf, const uint8_t *salt, size_t salt_bytes, unsigned label,
		  uint8_t *out, size_t n)
{
	uint8_t iv[SRTP_CIPHER_BYTES] = {0};
	int written = 0;

	memcpy(iv, salt, salt_bytes);
	iv[LABEL_AT] ^= (uint8_t)label;
	memset(out, 0, n);
	if (EVP_EncryptInit_ex(prf, NULL, NULL, NULL, iv) != 1 ||
	    EVP_EncryptUpdate(prf, out, &written, out, (int)n) != 1)
		return ERR_NOMEM;
	return 0;
}

static void pad_init(SHA_CTX *state, const uint8_t key[SRTP_AUTH_BYTES], uint8_t pad)
{
	uint8_t block[HMAC_BLOCK];

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < SRTP_AUTH_BYTES; i++)
		block[i] ^= key[i];
	SHA1_Init(state);
	SHA1_Update(state, block, sizeof(block));
	explicit_bzero(block, sizeof(block));
}

static int session_keys(struct srtp_keyed *c, const struct srtp_suite_row *row, EVP_CIPHER_CTX *prf,
			const uint8_t *salt, unsigned label, uint8_t *key)
{
	uint8_t auth[SRTP_AUTH_BYTES] = {0};
	int err = derive(prf, salt, row->salt_bytes, label, key, row->key_bytes);

	err = err ? err : derive(prf, salt, row->salt_bytes, label + 1, auth, sizeof(auth));
	err = err ? err : derive(prf, salt, row->salt_bytes, label + 2, c->salt, row->salt_bytes);
	pad_init(&c->inner, auth, INNER_PAD);
	pad_init(&c->outer, auth, OUTER_PAD);
	explicit_bzero(auth, sizeof(auth));
	return err;
}

static int key_set(struct srtp_keyed *c, const struct srtp_suite_row *row, const uint8_t *key,
		   enum srtp_way way)
{
	const EVP_CIPHER *cipher = counter_mode(row->key_bytes);
	/* In counter mode both ways are the same. */
	int encrypts = way == SRTP_SEAL || !row->aead;

	if (row->aead)
		cipher = row->key_bytes == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
	c->aes = EVP_CIPHER_CTX_new();
	if (!c->aes || EVP_CipherInit_ex(c->aes, cipher, NULL, key, NULL, encrypts) != 1)
		return ERR_NOMEM;
	return 0;
}

int srtp_keyed_init(struct srtp_keyed *c, const struct srtp_key *key, enum srtp_label label,
		    enum srtp_way way)
{
	const struct srtp_suite_row *row = srtp_suite_row(key->suite);
	EVP_CIPHER_CTX *prf = EVP_CIPHER_CTX_new();
	uint8_t session[KEY_MAX] = {0};
	int err = ERR_NOMEM;

	if (prf && EVP_EncryptInit_ex(prf, counter_mode(row->key_bytes), NULL, key->master, NULL))
		err = session_keys(c, row, prf, key->master + row->key_bytes, label, session);
	err = err ? err : key_set(c, row, session, way);
	explicit_bzero(session, sizeof(session));
	EVP_CIPHER_CTX_free(prf);
	return err;
}

void srtp_keyed_done(struct srtp_keyed *c)
{
	EVP_CIPHER_CTX_free(c->aes);
	explicit_bzero(c, sizeof(*c));
}

static void xor_be32(uint8_t *at, uint32_t v)
{
	at[0] ^= (uint8_t)(v >> 24);
	at[1] ^= (uint8_t)(v >> 16);
	at[2] ^= (uint8_t)(v >> 8);
	at[3] ^= (uint8_t)v;
}

bool srtp_keyed_ctr(struct srtp_keyed *c, uint32_t ssrc, uint64_t index, uint8_t *bytes, size_t n)
{
	uint8_t iv[SRTP_CIPHER_BYTES];
	int written;

	/* RFC 3711 4.1.1: salt * 2^16, SSRC * 2^64, index * 2^16. */
	memcpy(iv, c->salt, sizeof(iv));
	xor_be32(iv + 4, ssrc);
	xor_be32(iv + 8, (uint32_t)(index >> 16));
	iv[12] ^= (uint8_t)(index >> 8);
	iv[13] ^= (uint8_t)index;
	return EVP_EncryptInit_ex(c->aes, NULL, NULL, NULL, iv) == 1 &&
	       EVP_EncryptUpdate(c->aes, bytes, &written, bytes, (int)n) == 1;
}

void srtp_keyed_mac(const struct srtp_keyed *c, const uint8_t *a, size_t a_n, const uint8_t *b,
		    size_t b_n, uint8_t out[SRTP_AUTH_BYTES])
{
	SHA_CTX state = c->inner;

	SHA1_Update(&state, a, a_n);
	SHA1_Update(&state, b, b_n);
	SHA1_Final(out, &state);
	state = c->outer;
	SHA1_Update(&state, out, SRTP_AUTH_BYTES);
	SHA1_Final(out, &state);
}

/* ---- GCM ---- */

/* RFC 7714 8.1: two zero bytes, SSRC, roll-over counter, sequence number; 9.1: two zero bytes,
 * SSRC, two zero bytes, 31 bits of index. Both are a 48 bit number behind the SSRC. */
static bool gcm_begin(struct srtp_keyed *c, uint32_t ssrc, uint64_t index,
		      const struct srtp_aad *aad)
{
	uint8_t iv[SRTP_GCM_IV_BYTES];
	int written;

	memcpy(iv, c->salt, sizeof(iv));
	xor_be32(iv + 2, ssrc);
	xor_be32(iv + 6, (uint32_t)(index >> 16));
	iv[10] ^= (uint8_t)(index >> 8);
	iv[11] ^= (uint8_t)index;
	return EVP_CipherInit_ex(c->aes, NULL, NULL, NULL, iv, -1) == 1 &&
	       EVP_CipherUpdate(c->aes, NULL, &written, aad->a, (int)aad->a_n) == 1 &&
	       (aad->b_n == 0 ||
		EVP_CipherUpdate(c->aes, NULL, &written, aad->b, (int)aad->b_n) == 1);
}

/* OpenSSL takes an empty update for the end of the clear part. */
static bool gcm_body(struct srtp_keyed *c, uint8_t *bytes, size_t n)
{
	int written;

	return n == 0 || EVP_CipherUpdate(c->aes, bytes, &written, bytes, (int)n) == 1;
}

bool srtp_keyed_gcm_seal(struct srtp_keyed *c, uint32_t ssrc, uint64_t index,
			 const struct srtp_aad *aad, uint8_t *bytes, size_t n, uint8_t tag[16])
{
	uint8_t none[SRTP_CIPHER_BYTES];
	int written;

	return gcm_begin(c, ssrc, index, aad) && gcm_body(c, bytes, n) &&
	       EVP_EncryptFinal_ex(c->aes, none, &written) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->aes, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1;
}

bool srtp_keyed_gcm_open(struct srtp_keyed *c, uint32_t ssrc, uint64_t index,
			 const struct srtp_aad *aad, uint8_t *bytes, size_t n,
			 const uint8_t tag[16])
{
	uint8_t want[TAG_BYTES], none[SRTP_CIPHER_BYTES];
	int written;

	memcpy(want, tag, sizeof(want));
	if (!gcm_begin(c, ssrc, index, aad) || !gcm_body(c, bytes, n))
		return false;
	if (EVP_CIPHER_CTX_ctrl(c->aes, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, want) == 1 &&
	    EVP_DecryptFinal_ex(c->aes, none, &written) == 1)
		return true;
	/* The same key stream once more makes the bytes what they were. */
	if (gcm_begin(c, ssrc, index, aad))
		(void)gcm_body(c, bytes, n);
	return false;
}
