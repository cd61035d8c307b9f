#include "io/loop.h"

#include <uv.h>

#include "base/mem.h"

struct loop {
	uv_loop_t uv;
	uv_prepare_t prepare;
	void (*turn_end)(void *ctx);
	void *turn_ctx;
};

struct loop_fd {
	uv_poll_t uv;
	unsigned want; /* what is being watched for */
	void (*ready)(void *ctx, unsigned events);
	void *ctx;
};

struct loop_timer {
	uv_timer_t uv;
	void (*fire)(void *ctx);
	void *ctx;
};

struct loop_signal {
	uv_signal_t uv;
	void (*caught)(void *ctx, int signum);
	void *ctx;
};

/* libuv's errors are negative errno values on this system. */

static void on_prepare(uv_prepare_t *p)
{
	struct loop *l = p->data;

	if (l->turn_end)
		l->turn_end(l->turn_ctx);
}

int loop_new(struct loop **out)
{
	struct loop *l = mem_zalloc(1, sizeof(*l));
	int err;

	if (!l)
		return ERR_NOMEM;
	err = uv_loop_init(&l->uv);
	if (err) {
		mem_free(l);
		return err;
	}
	(void)uv_prepare_init(&l->uv, &l->prepare);
	l->prepare.data = l;
	uv_unref((uv_handle_t *)&l->prepare);
	*out = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	uv_close((uv_handle_t *)&l->prepare, NULL);
	while (uv_loop_close(&l->uv) == UV_EBUSY && uv_run(&l->uv, UV_RUN_ONCE) != 0)
		;
	(void)uv_loop_close(&l->uv);
	mem_free(l);
}

void loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

void loop_on_turn_end(struct loop *l, void (*turn_end)(void *ctx), void *ctx)
{
	l->turn_end = turn_end;
	l->turn_ctx = ctx;
	(void)uv_prepare_start(&l->prepare, on_prepare);
}

uint64_t loop_turn_age_ms(const struct loop *l)
{
	uint64_t now_ms = uv_hrtime() / 1000000u, began_ms = uv_now(&l->uv);

	return now_ms > began_ms ? now_ms - began_ms : 0;
}

static void closed(uv_handle_t *h)
{
	mem_free(h->data);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct loop_fd *f = p->data;
	unsigned seen = 0;

	if (status < 0 || (events & UV_READABLE))
		seen |= LOOP_READ;
	if (status < 0 || (events & UV_WRITABLE))
		seen |= LOOP_WRITE;
	f->ready(f->ctx, seen);
}

int loop_fd_add(struct loop *l, int fd, unsigned events, void (*ready)(void *ctx, unsigned events),
		void *ctx, struct loop_fd **out)
{
	struct loop_fd *f = mem_zalloc(1, sizeof(*f));
	int err;

	if (!f)
		return ERR_NOMEM;
	err = uv_poll_init(&l->uv, &f->uv, fd);
	if (err) {
		mem_free(f);
		return err;
	}
	f->uv.data = f;
	f->ready = ready;
	f->ctx = ctx;
	loop_fd_want(f, events);
	*out = f;
	return 0;
}

void loop_fd_want(struct loop_fd *f, unsigned events)
{
	int want = (events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0);

	if (f->want == events) /* libuv would ask the kernel all the same */
		return;
	f->want = events;
	if (want)
		(void)uv_poll_start(&f->uv, want, on_poll);
	else
		(void)uv_poll_stop(&f->uv);
}

void loop_fd_remove(struct loop_fd *f)
{
	if (f)
		uv_close((uv_handle_t *)&f->uv, closed);
}

static void on_timer(uv_timer_t *u)
{
	struct loop_timer *t = u->data;

	t->fire(t->ctx);
}

int loop_timer_new(struct loop *l, void (*fire)(void *ctx), void *ctx, struct loop_timer **out)
{
	struct loop_timer *t = mem_zalloc(1, sizeof(*t));

	if (!t)
		return ERR_NOMEM;
	(void)uv_timer_init(&l->uv, &t->uv);
	t->uv.data = t;
	t->fire = fire;
	t->ctx = ctx;
	*out = t;
	return 0;
}

void loop_timer_start(struct loop_timer *t, uint64_t delay_ms)
{
	uv_update_time(t->uv.loop);
	(void)uv_timer_start(&t->uv, on_timer, delay_ms, 0);
}

void loop_timer_stop(struct loop_timer *t)
{
	(void)uv_timer_stop(&t->uv);
}

void loop_timer_free(struct loop_timer *t)
{
	if (t)
		uv_close((uv_handle_t *)&t->uv, closed);
}

struct loop_job {
	uv_work_t uv;
	void (*work)(void *ctx);
	void (*done)(void *ctx);
	void *ctx;
};

static void on_work(uv_work_t *u)
{
	struct loop_job *j = u->data;

	j->work(j->ctx);
}

static void on_work_done(uv_work_t *u, int status)
{
	struct loop_job *j = u->data;

	j->done(j->ctx);
	mem_free(j);
}

int loop_work(struct loop *l, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx)
{
	struct loop_job *j = mem_zalloc(1, sizeof(*j));
	int err;

	if (!j)
		return ERR_NOMEM;
	*j = (struct loop_job){.work = work, .done = done, .ctx = ctx};
	j->uv.data = j;
	err = uv_queue_work(&l->uv, &j->uv, on_work, on_work_done);
	if (err)
		mem_free(j);
	return err;
}

static void on_signal(uv_signal_t *u, int signum)
{
	struct loop_signal *s = u->data;

	s->caught(s->ctx, signum);
}

int loop_signal_add(struct loop *l, int signum, void (*caught)(void *ctx, int signum), void *ctx,
		    struct loop_signal **out)
{
	struct loop_signal *s = mem_zalloc(1, sizeof(*s));
	int err;

	if (!s)
		return ERR_NOMEM;
	(void)uv_signal_init(&l->uv, &s->uv);
	s->uv.data = s;
	s->caught = caught;
	s->ctx = ctx;
	err = uv_signal_start(&s->uv, on_signal, signum);
	if (err) {
		uv_close((uv_handle_t *)&s->uv, closed);
		return err;
	}
	*out = s;
	return 0;
}

void loop_signal_remove(struct loop_signal *s)
{
	if (s)
		uv_close((uv_handle_t *)&s->uv, closed);
}
