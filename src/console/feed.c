#include "console/feed.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "io/clock.h"

#define NOTICE_BYTES_MAX 256 /* the line that tells of lost ones */
#define DISCARD_BYTES	 512

struct feed_consumer {
	struct feed *feed;
	int fd;
	struct loop_fd *watch;
	uint64_t lost; /* since it was told */
	size_t n;
	char queue[FEED_QUEUE_BYTES];
};

void feed_init(struct feed *f, struct loop *loop)
{
	*f = (struct feed){.loop = loop, .fd = -1};
}

static void consumer_free(struct feed_consumer *c)
{
	struct feed *f = c->feed;

	for (size_t i = 0; i < FEED_CONSUMERS_MAX; i++)
		if (f->consumer[i] == c)
			f->consumer[i] = NULL;
	loop_fd_remove(c->watch);
	close(c->fd);
	mem_free(c);
}

/* False: it is gone. */
static bool consumer_send(struct feed_consumer *c)
{
	ssize_t sent = 1;
	size_t done = 0;

	while (done < c->n && sent > 0) {
		sent = send(c->fd, c->queue + done, c->n - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		done += sent > 0 ? (size_t)sent : 0;
	}
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		consumer_free(c);
		return false;
	}
	c->n -= done;
	memmove(c->queue, c->queue + done, c->n);
	loop_fd_want(c->watch, LOOP_READ | (c->n ? LOOP_WRITE : 0u));
	return true;
}

static void on_consumer(void *ctx, unsigned events)
{
	struct feed_consumer *c = ctx;
	char discard[DISCARD_BYTES];
	ssize_t n;

	if ((events & LOOP_WRITE) && !consumer_send(c))
		return;
	if (!(events & LOOP_READ))
		return;
	/* It has nothing to say; its end is all that counts. */
	n = recv(c->fd, discard, sizeof(discard), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		consumer_free(c);
}

static struct feed_consumer **free_place(struct feed *f)
{
	for (size_t i = 0; i < FEED_CONSUMERS_MAX; i++)
		if (!f->consumer[i])
			return &f->consumer[i];
	return NULL;
}

static void on_connect(void *ctx, unsigned events)
{
	struct feed *f = ctx;
	struct feed_consumer **place = free_place(f), *c;
	int fd = accept4(f->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	c = place ? mem_zalloc(1, sizeof(*c)) : NULL;
	if (!c) {
		close(fd);
		return;
	}
	c->feed = f;
	c->fd = fd;
	if (loop_fd_add(f->loop, fd, LOOP_READ, on_consumer, c, &c->watch)) {
		close(fd);
		mem_free(c);
		return;
	}
	*place = c;
}

int feed_listen(struct feed *f, int fd)
{
	int err = loop_fd_add(f->loop, fd, LOOP_READ, on_connect, f, &f->watch);

	if (err)
		close(fd);
	else
		f->fd = fd;
	return err;
}

/* ---- lines ---- */

static bool queue_add(struct feed_consumer *c, struct slice line)
{
	if (line.n + 1 > sizeof(c->queue) - c->n)
		return false;
	memcpy(c->queue + c->n, line.p, line.n);
	c->n += line.n;
	c->queue[c->n++] = '\n';
	return true;
}

/* Before the next line that fits: how many did not. */
static bool tell_lost(struct feed_consumer *c, size_t next_bytes)
{
	char text[NOTICE_BYTES_MAX], when[CLOCK_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));
	struct json j = json_to(&o);

	if (c->lost == 0)
		return true;
	if (sizeof(c->queue) - c->n < NOTICE_BYTES_MAX + next_bytes)
		return false;
	json_open(&j, '{');
	json_member_z(&j, "timestamp", clock_text(clock_wall_ms(), when));
	json_member_z(&j, "event_type", "stats");
	json_member_z(&j, "reason", "events_lost");
	json_member_u64(&j, "lost", c->lost);
	json_close(&j, '}');
	if (o.err || !queue_add(c, out_slice(&o)))
		return false;
	c->lost = 0;
	return true;
}

void feed_add(struct feed *f, struct slice line)
{
	for (size_t i = 0; i < FEED_CONSUMERS_MAX; i++) {
		struct feed_consumer *c = f->consumer[i];

		if (!c || (tell_lost(c, line.n + 1) && queue_add(c, line)))
			continue;
		c->lost++;
		f->lost++;
	}
}

void feed_flush(struct feed *f)
{
	for (size_t i = 0; i < FEED_CONSUMERS_MAX; i++)
		if (f->consumer[i] && f->consumer[i]->n)
			(void)consumer_send(f->consumer[i]);
}

void feed_done(struct feed *f)
{
	for (size_t i = 0; i < FEED_CONSUMERS_MAX; i++)
		if (f->consumer[i])
			consumer_free(f->consumer[i]);
	loop_fd_remove(f->watch);
	if (f->fd >= 0)
		close(f->fd);
	f->watch = NULL;
	f->fd = -1;
}
