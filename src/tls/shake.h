/* Handshakes, in threads of their own at low priority: however many there are, established
 * connections and calls go before. */
#ifndef HW_TLS_SHAKE_H
#define HW_TLS_SHAKE_H

#include "base/list.h"
#include "base/reason.h"
#include "io/loop.h"
#include "model/tls_facts.h"
#include "tls/keyring.h"

struct shaker;
struct tls_pool;

/* One handshake; made by whoever asks, given back when it is over, either way. */
struct tls_shake {
	/* what is asked */
	int fd; /* connected or connecting, non-blocking */
	struct ssl_st *ssl;
	struct tls_keyring *ring; /* a reference of its own */
	bool ours;		  /* we connect */
	bool verify;		  /* ours: the server must be `host` */
	uint8_t transport;
	uint16_t listener;
	uint32_t id; /* ours: of who asked */
	struct ip_endpoint remote;
	char host[CONFIG_HOST_MAX];
	uint64_t born_ms;
	/* what came of it */
	enum reason why; /* REASON_NONE: it is done */
	char detail[TLS_DETAIL_MAX];
	struct tls_facts facts;
	/* the thread's */
	struct list node;
	struct shaker *shaker;
	struct loop_fd *watch;
};

struct tls_pool_setup {
	struct loop *loop; /* of who gives the handshakes and gets them back */
	unsigned threads;
	uint64_t (*now_ms)(void);
	void *ctx;
	void (*done)(void *ctx, struct tls_shake *s); /* in the loop's thread */
};

/* Opens what the threads need; they begin with tls_pool_start. ERR_NOMEM, -errno. */
int tls_pool_new(const struct tls_pool_setup *setup, struct tls_pool **out) must_check;
/* After the sandbox was entered: the threads inherit it. -errno. */
int tls_pool_start(struct tls_pool *p) must_check;
/* Ends the threads; what is under way is freed. Accepts NULL. */
void tls_pool_free(struct tls_pool *p);
void tls_pool_give(struct tls_pool *p, struct tls_shake *s);
/* Given and not yet given back. */
size_t tls_pool_count(const struct tls_pool *p);

/* Closes, frees. Accepts NULL. */
void tls_shake_free(struct tls_shake *s);

#endif
