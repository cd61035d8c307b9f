#include "tls/tickets.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "tls/limits.h"

#define NAME_BYTES 16
#define KEY_BYTES  32
#define IV_BYTES   16

struct ticket_key {
	unsigned char name[NAME_BYTES], cipher[KEY_BYTES], mac[KEY_BYTES];
	uint64_t born_ms;
};

struct tls_tickets {
	pthread_mutex_t lock;
	uint64_t (*now_ms)(void);
	struct ticket_key *key; /* in locked memory: the present one and the one before */
	bool old_is_good;
};

static int draw(struct ticket_key *k, uint64_t now_ms)
{
	if (RAND_bytes(k->name, NAME_BYTES) != 1 || RAND_bytes(k->cipher, KEY_BYTES) != 1 ||
	    RAND_bytes(k->mac, KEY_BYTES) != 1)
		return ERR_DENIED;
	k->born_ms = now_ms;
	return 0;
}

int tls_tickets_new(uint64_t (*now_ms)(void), struct tls_tickets **out)
{
	struct tls_tickets *t = mem_zalloc(1, sizeof(*t));
	int err;

	if (!t)
		return ERR_NOMEM;
	t->now_ms = now_ms;
	t->key = OPENSSL_secure_zalloc(2 * sizeof(*t->key));
	err = t->key ? draw(&t->key[0], now_ms()) : ERR_NOMEM;
	if (!err && pthread_mutex_init(&t->lock, NULL) != 0)
		err = ERR_NOMEM;
	if (err) {
		OPENSSL_secure_clear_free(t->key, 2 * sizeof(*t->key));
		mem_free(t);
		return err;
	}
	*out = t;
	return 0;
}

void tls_tickets_free(struct tls_tickets *t)
{
	if (!t)
		return;
	OPENSSL_secure_clear_free(t->key, 2 * sizeof(*t->key));
	(void)pthread_mutex_destroy(&t->lock);
	mem_free(t);
}

/* With the lock held. Without random numbers the old key goes on: nothing is sealed openly. */
static void rotate(struct tls_tickets *t, bool keep_old)
{
	uint64_t now_ms = t->now_ms();
	struct ticket_key *old = &t->key[1];

	*old = t->key[0];
	t->old_is_good = keep_old && now_ms - old->born_ms < 2 * (uint64_t)TLS_TICKET_MS;
	if (draw(&t->key[0], now_ms) != 0)
		t->key[0] = *old;
}

void tls_tickets_forget(struct tls_tickets *t)
{
	pthread_mutex_lock(&t->lock);
	rotate(t, false);
	pthread_mutex_unlock(&t->lock);
}

static int key_init(const struct ticket_key *k, unsigned char *iv, EVP_CIPHER_CTX *cipher,
		    EVP_MAC_CTX *mac, int seal)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[3];
	unsigned char key[KEY_BYTES];

	memcpy(key, k->mac, sizeof(key));
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, sizeof(key));
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	seal = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv, seal) == 1 &&
	       EVP_MAC_CTX_set_params(mac, params) == 1;
	OPENSSL_cleanse(key, sizeof(key));
	return seal;
}

static int seal_ticket(struct tls_tickets *t, unsigned char *name, unsigned char *iv,
		       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	if (t->now_ms() - t->key[0].born_ms >= TLS_TICKET_MS)
		rotate(t, true);
	if (RAND_bytes(iv, IV_BYTES) != 1)
		return -1;
	memcpy(name, t->key[0].name, NAME_BYTES);
	return key_init(&t->key[0], iv, cipher, mac, 1) ? 1 : -1;
}

/* 0: unknown, a full handshake follows. 2: good, and a new ticket is due. */
static int open_ticket(struct tls_tickets *t, const unsigned char *name, unsigned char *iv,
		       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	uint64_t now_ms = t->now_ms();

	for (int i = 0; i < 2; i++) {
		const struct ticket_key *k = &t->key[i];
		bool dead = (i == 1 && !t->old_is_good) ||
			    now_ms - k->born_ms >= 2 * (uint64_t)TLS_TICKET_MS;

		if (!dead && CRYPTO_memcmp(name, k->name, NAME_BYTES) == 0)
			return key_init(k, iv, cipher, mac, 0) ? (i == 0 ? 1 : 2) : -1;
	}
	return 0;
}

int tls_tickets_seal(struct tls_tickets *t, unsigned char name[16], unsigned char *iv,
		     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
	int got;

	pthread_mutex_lock(&t->lock);
	got = seal ? seal_ticket(t, name, iv, cipher, mac) : open_ticket(t, name, iv, cipher, mac);
	pthread_mutex_unlock(&t->lock);
	return got;
}
