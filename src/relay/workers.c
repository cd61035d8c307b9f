#include "relay/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "relay/lane.h"
#include "relay/relay.h"

#define KICKS_MAX 8192u /* waiting for one thread, a power of two; beyond, it scans the table */

/* A ring with one writer (who kicks) and one reader (the thread). */
struct worker {
	pthread_t thread;
	bool started;
	int wake_fd;
	struct relay *relay;
	uint32_t written;
	bool kicked;			 /* since it was last woken */
	char apart[HW_CACHE_LINE_BYTES]; /* each side's words on lines of their own */
	uint32_t read;
	bool scan, stop;
	int failure;
	size_t unbound;
	struct lane *lane; /* for the thread to take */
	bool lane_changes;
	uint32_t kicks[KICKS_MAX];
};

struct workers {
	struct workers_setup setup;
	uint8_t *owner; /* by index: the thread that has the port open, + 1; 0 = none */
	struct worker worker[];
};

static void wake(const struct worker *w)
{
	uint64_t one = 1;

	if (write(w->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is awake anyway */
}

static void worker_take_kicks(struct worker *w)
{
	uint32_t written = __atomic_load_n(&w->written, __ATOMIC_ACQUIRE);

	if (__atomic_exchange_n(&w->scan, false, __ATOMIC_ACQ_REL)) {
		__atomic_store_n(&w->read, written, __ATOMIC_RELEASE);
		relay_sync_all(w->relay);
		return;
	}
	for (uint32_t at = w->read; at != written; at++) {
		relay_sync(w->relay, w->kicks[at % KICKS_MAX]);
		__atomic_store_n(&w->read, at + 1, __ATOMIC_RELEASE);
	}
}

static int worker_take_lane(struct worker *w)
{
	if (!__atomic_exchange_n(&w->lane_changes, false, __ATOMIC_ACQ_REL))
		return 0;
	return relay_set_lane(w->relay, __atomic_exchange_n(&w->lane, NULL, __ATOMIC_ACQ_REL));
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	int err = 0;

	relay_sync_all(w->relay);
	while (err >= 0 && !__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&w->unbound, relay_unbound(w->relay), __ATOMIC_RELAXED);
		err = relay_run(w->relay, -1);
		if (err == 1) {
			worker_take_kicks(w);
			err = worker_take_lane(w);
		}
	}
	if (err < 0)
		__atomic_store_n(&w->failure, err, __ATOMIC_RELEASE);
	return NULL;
}

static int worker_start(struct workers *all, unsigned number)
{
	struct worker *w = &all->worker[number];
	struct relay_setup setup = {.table = all->setup.table,
				    .vault = all->setup.vault,
				    .identities = all->setup.identities,
				    .worker = number,
				    .workers = all->setup.count,
				    .now_ns = all->setup.now_ns};
	sigset_t every, before;
	int err;

	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake_fd < 0)
		return -errno;
	setup.wake_fd = w->wake_fd;
	err = relay_new(&setup, &w->relay);
	if (err)
		return err;
	/* Signals are the main thread's. */
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	err = -pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->started = err == 0;
	return err;
}

/* Who has the port open, as far as whoever kicks knows. */
static void owners_fill(struct workers *w)
{
	for (uint32_t i = flow_table_next(w->setup.table, 0); i != HW_FLOW_NONE;
	     i = flow_table_next(w->setup.table, i + 1)) {
		struct hw_flow flow;

		if (flow_table_read(w->setup.table, i, &flow))
			w->owner[i] = (uint8_t)(relay_worker_of(flow.call, w->setup.count) + 1);
	}
}

int workers_start(const struct workers_setup *setup, struct workers **out)
{
	struct workers *w;
	int err = ERR_NOMEM;

	if (setup->count == 0 || setup->count > WORKERS_MAX)
		return ERR_LIMIT;
	w = mem_zalloc(1, sizeof(*w) + setup->count * sizeof(struct worker));
	if (!w)
		return ERR_NOMEM;
	w->setup = *setup;
	for (unsigned i = 0; i < setup->count; i++)
		w->worker[i].wake_fd = -1;
	w->owner = mem_zalloc(flow_table_size(setup->table), 1);
	if (!w->owner)
		goto fail;
	owners_fill(w);
	for (unsigned i = 0; i < setup->count; i++) {
		err = worker_start(w, i);
		if (err)
			goto fail;
	}
	*out = w;
	return 0;
fail:
	workers_stop(w);
	return err;
}

void workers_stop(struct workers *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->setup.count; i++) {
		struct worker *one = &w->worker[i];

		if (one->started) {
			__atomic_store_n(&one->stop, true, __ATOMIC_RELEASE);
			wake(one);
			pthread_join(one->thread, NULL);
		}
		relay_free(one->relay);
		lane_free(one->lane);
		if (one->wake_fd >= 0)
			close(one->wake_fd);
	}
	mem_free(w->owner);
	mem_free(w);
}

static void worker_kick(struct worker *w, uint32_t index)
{
	if (w->written - __atomic_load_n(&w->read, __ATOMIC_ACQUIRE) >= KICKS_MAX) {
		__atomic_store_n(&w->scan, true, __ATOMIC_RELEASE);
	} else {
		w->kicks[w->written % KICKS_MAX] = index;
		__atomic_store_n(&w->written, w->written + 1, __ATOMIC_RELEASE);
	}
	w->kicked = true;
}

static void kick(struct workers *w, uint32_t index)
{
	struct hw_flow flow;
	uint8_t owner = 0;

	if (index >= flow_table_size(w->setup.table))
		return;
	if (flow_table_read(w->setup.table, index, &flow))
		owner = (uint8_t)(relay_worker_of(flow.call, w->setup.count) + 1);
	/* Another call took the port over: its former thread lets go first. */
	if (w->owner[index] && w->owner[index] != owner)
		worker_kick(&w->worker[w->owner[index] - 1], index);
	if (owner)
		worker_kick(&w->worker[owner - 1], index);
	w->owner[index] = owner;
}

void workers_kick_many(struct workers *w, const uint32_t *indexes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		kick(w, indexes[i]);
	for (unsigned i = 0; i < w->setup.count; i++) {
		if (w->worker[i].kicked)
			wake(&w->worker[i]);
		w->worker[i].kicked = false;
	}
}

void workers_kick_all(struct workers *w)
{
	owners_fill(w);
	for (unsigned i = 0; i < w->setup.count; i++) {
		__atomic_store_n(&w->worker[i].scan, true, __ATOMIC_RELEASE);
		wake(&w->worker[i]);
	}
}

void workers_set_lane(struct workers *w, unsigned number, struct lane *lane)
{
	struct worker *one = &w->worker[number];

	if (number >= w->setup.count) {
		lane_free(lane);
		return;
	}
	lane_free(__atomic_exchange_n(&one->lane, lane, __ATOMIC_ACQ_REL));
	__atomic_store_n(&one->lane_changes, true, __ATOMIC_RELEASE);
	wake(one);
}

size_t workers_unbound(const struct workers *w)
{
	size_t n = 0;

	for (unsigned i = 0; i < w->setup.count; i++)
		n += __atomic_load_n(&w->worker[i].unbound, __ATOMIC_RELAXED);
	return n;
}

int workers_failure(const struct workers *w)
{
	int err = 0;

	for (unsigned i = 0; i < w->setup.count && !err; i++)
		err = __atomic_load_n(&w->worker[i].failure, __ATOMIC_ACQUIRE);
	return err;
}
