#include "tls/shake.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "tls/limits.h"
#include "tls/outcome.h"

#define NICENESS 10 /* of nineteen: a flood gets what calls leave */

/* A queue between two threads. */
struct inbox {
	pthread_mutex_t lock;
	struct list list;
	int wake_fd;
};

struct shaker {
	struct tls_pool *pool;
	struct loop *loop;
	struct loop_fd *watch;
	struct loop_timer *sweep;
	struct inbox in;
	struct list shakes; /* under way */
	atomic_uint load;
	atomic_bool stop;
	pthread_t thread;
	bool ready, started;
};

struct tls_pool {
	struct tls_pool_setup setup;
	struct inbox out;
	struct loop_fd *watch;
	size_t count;
	struct shaker shaker[];
};

/* ---- queues ---- */

static int inbox_init(struct inbox *b)
{
	list_init(&b->list);
	b->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->wake_fd < 0)
		return -errno;
	return -pthread_mutex_init(&b->lock, NULL);
}

static void inbox_done(struct inbox *b)
{
	while (!list_empty(&b->list)) {
		struct tls_shake *s = container_of(b->list.next, struct tls_shake, node);

		list_remove(&s->node);
		tls_shake_free(s);
	}
	if (b->wake_fd > 0)
		close(b->wake_fd);
	(void)pthread_mutex_destroy(&b->lock);
}

static void wake(const struct inbox *b)
{
	uint64_t one = 1;

	if (write(b->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is awake anyway */
}

static void inbox_put(struct inbox *b, struct tls_shake *s)
{
	pthread_mutex_lock(&b->lock);
	list_append(&b->list, &s->node);
	pthread_mutex_unlock(&b->lock);
	wake(b);
}

static struct tls_shake *inbox_take(struct inbox *b)
{
	struct tls_shake *s = NULL;

	pthread_mutex_lock(&b->lock);
	if (!list_empty(&b->list)) {
		s = container_of(b->list.next, struct tls_shake, node);
		list_remove(&s->node);
	}
	pthread_mutex_unlock(&b->lock);
	return s;
}

static void inbox_drain(const struct inbox *b)
{
	uint64_t n;

	if (read(b->wake_fd, &n, sizeof(n)) < 0)
		return;
}

/* ---- one handshake, in its thread ---- */

static void finish(struct tls_shake *s)
{
	struct shaker *k = s->shaker;

	loop_fd_remove(s->watch);
	s->watch = NULL;
	list_remove(&s->node);
	atomic_fetch_sub(&k->load, 1);
	inbox_put(&k->pool->out, s);
}

static void step(struct tls_shake *s)
{
	unsigned want = tls_outcome_step(s);

	if (want)
		loop_fd_want(s->watch, want);
	else
		finish(s);
}

static void on_ready(void *ctx, unsigned events)
{
	step(ctx);
}

static void begin(struct shaker *k, struct tls_shake *s)
{
	s->shaker = k;
	list_append(&k->shakes, &s->node);
	if (loop_fd_add(k->loop, s->fd, LOOP_READ, on_ready, s, &s->watch) == 0) {
		step(s);
		return;
	}
	tls_outcome_fail(s, REASON_out_of_memory, "memory ran out");
	finish(s);
}

static void on_sweep(void *ctx)
{
	struct shaker *k = ctx;
	uint64_t now_ms = k->pool->setup.now_ms();

	loop_timer_start(k->sweep, TLS_SWEEP_MS);
	list_for_each_safe (node, &k->shakes) {
		struct tls_shake *s = container_of(node, struct tls_shake, node);

		if (now_ms - s->born_ms <= TLS_HANDSHAKE_MS)
			continue;
		tls_outcome_fail(s, REASON_tls_handshake, "it did not come to its end in time");
		finish(s);
	}
}

static void on_inbox(void *ctx, unsigned events)
{
	struct shaker *k = ctx;
	struct tls_shake *s;

	inbox_drain(&k->in);
	while (!atomic_load(&k->stop) && (s = inbox_take(&k->in)))
		begin(k, s);
	if (atomic_load(&k->stop))
		loop_stop(k->loop);
}

static void *shaker_main(void *arg)
{
	struct shaker *k = arg;

	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
	loop_run(k->loop);
	return NULL;
}

/* ---- the pool ---- */

static int shaker_init(struct shaker *k, struct tls_pool *p)
{
	int err = inbox_init(&k->in);

	k->pool = p;
	k->ready = true;
	list_init(&k->shakes);
	if (!err)
		err = loop_new(&k->loop);
	if (!err)
		err = loop_fd_add(k->loop, k->in.wake_fd, LOOP_READ, on_inbox, k, &k->watch);
	if (!err)
		err = loop_timer_new(k->loop, on_sweep, k, &k->sweep);
	if (!err)
		loop_timer_start(k->sweep, TLS_SWEEP_MS);
	return err;
}

static void shaker_done(struct shaker *k)
{
	if (!k->ready)
		return;
	if (k->started) {
		atomic_store(&k->stop, true);
		wake(&k->in);
		(void)pthread_join(k->thread, NULL);
	}
	list_for_each_safe (node, &k->shakes) {
		struct tls_shake *s = container_of(node, struct tls_shake, node);

		loop_fd_remove(s->watch);
		list_remove(&s->node);
		tls_shake_free(s);
	}
	loop_fd_remove(k->watch);
	loop_timer_free(k->sweep);
	loop_free(k->loop);
	inbox_done(&k->in);
}

static void on_done(void *ctx, unsigned events)
{
	struct tls_pool *p = ctx;
	struct tls_shake *s;

	inbox_drain(&p->out);
	while ((s = inbox_take(&p->out))) {
		p->count--;
		p->setup.done(p->setup.ctx, s);
	}
}

int tls_pool_new(const struct tls_pool_setup *setup, struct tls_pool **out)
{
	struct tls_pool *p = mem_zalloc(1, sizeof(*p) + setup->threads * sizeof(struct shaker));
	int err;

	if (!p)
		return ERR_NOMEM;
	p->setup = *setup;
	err = inbox_init(&p->out);
	if (!err)
		err = loop_fd_add(setup->loop, p->out.wake_fd, LOOP_READ, on_done, p, &p->watch);
	for (unsigned i = 0; i < setup->threads && !err; i++)
		err = shaker_init(&p->shaker[i], p);
	if (err) {
		tls_pool_free(p);
		return err;
	}
	*out = p;
	return 0;
}

int tls_pool_start(struct tls_pool *p)
{
	sigset_t every, before;
	int err = 0;

	sigfillset(&every); /* signals are the main thread's */
	pthread_sigmask(SIG_SETMASK, &every, &before);
	for (unsigned i = 0; i < p->setup.threads && !err; i++) {
		struct shaker *k = &p->shaker[i];

		err = -pthread_create(&k->thread, NULL, shaker_main, k);
		k->started = err == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

void tls_pool_free(struct tls_pool *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->setup.threads; i++)
		shaker_done(&p->shaker[i]);
	loop_fd_remove(p->watch);
	inbox_done(&p->out);
	mem_free(p);
}

void tls_pool_give(struct tls_pool *p, struct tls_shake *s)
{
	struct shaker *least = &p->shaker[0];

	for (unsigned i = 1; i < p->setup.threads; i++)
		if (atomic_load(&p->shaker[i].load) < atomic_load(&least->load))
			least = &p->shaker[i];
	p->count++;
	atomic_fetch_add(&least->load, 1);
	inbox_put(&least->in, s);
}

size_t tls_pool_count(const struct tls_pool *p)
{
	return p->count;
}

void tls_shake_free(struct tls_shake *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	tls_keyring_unref(s->ring);
	if (s->fd >= 0)
		close(s->fd);
	mem_free(s);
}
