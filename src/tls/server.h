/* TLS for the gateway: listens, shakes hands, dials, and hands the plain end of each connection to
 * whoever speaks SIP. One per hw-tls process. */
#ifndef HW_TLS_SERVER_H
#define HW_TLS_SERVER_H

#include "base/hash.h"
#include "io/loop.h"
#include "model/tls_facts.h"
#include "tls/keyring.h"

struct tls_server;

struct tls_server_setup {
	struct loop *loop;
	unsigned threads; /* for handshakes */
	uint64_t (*now_ms)(void);
	struct hash_key key;
	void *ctx;
	/* A connection is ready; `fd` (-1 for a dialled one) is borrowed. False: it is dropped. */
	bool (*opened)(void *ctx, const struct tls_opened *o, int fd);
	void (*refused)(void *ctx, const struct tls_refused *r);
};

/* Opens what its threads need: before the sandbox. ERR_NOMEM, -errno. */
int tls_server_new(const struct tls_server_setup *setup, struct tls_server **out) must_check;
/* Its threads begin: behind the sandbox. -errno. */
int tls_server_start(struct tls_server *s) must_check;
/* Accepts NULL. */
void tls_server_free(struct tls_server *s);

/* Another configuration: listeners of `old_index` go on, the others' sockets (fds[i], taken over
 * where >= 0) are new. `config` is borrowed until the next one; the keyring's reference is taken
 * over. Connections of listeners that are gone are closed. ERR_NOMEM, -errno. */
int tls_server_apply(struct tls_server *s, const struct config *config, struct tls_keyring *ring,
		     const uint16_t *old_index, int *fds) must_check;
/* Connects for signal; takes over `pair`. The outcome is told by `opened` or `refused`, and by the
 * pair's end. */
void tls_server_dial(struct tls_server *s, const struct tls_dial *d, int pair);
/* Nobody is left to speak SIP: every connection is closed. */
void tls_server_drop(struct tls_server *s);

void tls_server_counts(const struct tls_server *s, struct tls_counts *out);

#endif
