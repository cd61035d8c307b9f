#include "io/tcp_conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/addr.h"
#include "io/limits.h"

#define SLOT_BITS 16   /* of a connection's number; the rest counts how often the slot was used */
#define CS3_TOS	  0x60 /* RFC 4594 2.3: signalling */

size_t conn_slot(uint32_t conn)
{
	return conn & ((1u << SLOT_BITS) - 1);
}

void conn_free(struct tcp_conn *c)
{
	struct tcp *t = c->tcp;

	if (t->handler.closed)
		t->handler.closed(t->handler.ctx, &c->peer);
	t->conn[conn_slot(c->peer.conn)] = NULL;
	t->conn_count--;
	loop_fd_remove(c->watch);
	close(c->fd);
	mem_free(c->in.p);
	mem_free(c->out.p);
	mem_free(c);
}

void conn_end(struct tcp_conn *c, bool failed)
{
	if (c->dead)
		return;
	c->dead = true;
	c->failed = failed;
	loop_fd_want(c->watch, 0);
	loop_timer_start(c->tcp->sweep, 0);
}

void conn_refuse(struct tcp_conn *c, const char *why)
{
	struct tcp *t = c->tcp;

	t->handler.refused(t->handler.ctx, &c->peer, why);
	conn_end(c, c->ours);
}

/* ---- in ---- */

static size_t in_max(const struct tcp *t)
{
	return t->setup.message_bytes_max + TCP_READ_BYTES;
}

static void account(struct tcp_conn *c, struct tcp_taken taken, uint64_t now_ms)
{
	if (taken.whole)
		c->proven = true;
	if (!taken.incomplete)
		c->incomplete_ms = 0;
	else if (taken.whole || !c->incomplete_ms)
		c->incomplete_ms = now_ms;
	if (taken.close) {
		c->closing = true;
		if (c->out.n == 0)
			conn_end(c, c->ours);
	}
}

/* Fresh bytes go to the handler where they lie if nothing older waits. */
static void on_bytes(struct tcp_conn *c, struct slice fresh)
{
	struct tcp *t = c->tcp;
	bool older = c->in.n > 0;
	struct tcp_taken taken;
	int err = 0;

	c->heard_ms = t->setup.now_ms();
	if (older) {
		err = pend_add(&c->in, fresh, in_max(t));
		fresh = slice_of(c->in.p, c->in.n);
	}
	if (err) {
		conn_refuse(c, "too much is waiting to be understood");
		return;
	}
	taken = t->handler.bytes(t->handler.ctx, &c->peer, fresh);
	account(c, taken, c->heard_ms);
	if (c->dead)
		return;
	if (older)
		pend_take(&c->in, taken.used_bytes);
	else if (taken.used_bytes < fresh.n &&
		 pend_add(&c->in, slice_from(fresh, taken.used_bytes), in_max(t)) != 0)
		conn_refuse(c, "too much is waiting to be understood");
}

static void conn_read(struct tcp_conn *c)
{
	for (int i = 0; i < TCP_READS_PER_TURN && !c->dead && !c->closing; i++) {
		ssize_t n = recv(c->fd, c->tcp->read, TCP_READ_BYTES, MSG_DONTWAIT);

		if (n > 0) {
			on_bytes(c, slice_of(c->tcp->read, (size_t)n));
			explicit_bzero(c->tcp->read, (size_t)n); /* keys may be in it */
			continue;
		}
		if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
			conn_end(c, c->ours || c->out.n > 0);
		return;
	}
}

/* ---- out ---- */

static void conn_flush(struct tcp_conn *c)
{
	while (c->out.n > 0 && !c->dead) {
		ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			pend_take(&c->out, (size_t)n);
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			conn_end(c, true);
		break;
	}
	if (c->dead)
		return;
	if (c->closing && c->out.n == 0)
		conn_end(c, c->ours);
	else
		loop_fd_want(c->watch, (c->closing ? 0u : (unsigned)LOOP_READ) |
					       (c->out.n ? (unsigned)LOOP_WRITE : 0u));
}

static void on_connected(struct tcp_conn *c)
{
	int err = 0;
	socklen_t size = sizeof(err);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0 || err) {
		conn_end(c, true);
		return;
	}
	c->connecting = false;
	c->heard_ms = c->tcp->setup.now_ms();
	conn_flush(c);
}

static void on_conn(void *ctx, unsigned events)
{
	struct tcp_conn *c = ctx;

	if (c->dead)
		return;
	if (c->connecting) {
		if (events & LOOP_WRITE)
			on_connected(c);
		return;
	}
	if (events & LOOP_WRITE)
		conn_flush(c);
	if ((events & LOOP_READ) && !c->dead)
		conn_read(c);
}

static size_t free_slot(struct tcp *t)
{
	for (size_t i = 0; i < t->setup.connections_max; i++) {
		size_t slot = (t->next_slot + i) % t->setup.connections_max;

		if (!t->conn[slot]) {
			t->next_slot = slot + 1;
			return slot;
		}
	}
	return t->setup.connections_max;
}

int conn_new(struct tcp *t, int fd, uint16_t listener, const struct ip_endpoint *remote,
	     unsigned events, struct tcp_conn **out)
{
	size_t slot = free_slot(t);
	struct tcp_conn *c = slot < t->setup.connections_max ? mem_zalloc(1, sizeof(*c)) : NULL;
	int err, one = 1, tos = CS3_TOS;

	if (!c) {
		close(fd);
		return slot < t->setup.connections_max ? ERR_NOMEM : ERR_LIMIT;
	}
	c->tcp = t;
	c->fd = fd;
	c->born_ms = c->heard_ms = t->setup.now_ms();
	t->uses[slot]++;
	if (t->uses[slot] == 0)
		t->uses[slot] = 1;
	c->peer.conn = (uint32_t)slot | (uint32_t)t->uses[slot] << SLOT_BITS;
	c->peer.listener = listener;
	c->peer.remote = *remote;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (remote->addr.family == IP_V6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	err = loop_fd_add(t->loop, fd, events, on_conn, c, &c->watch);
	if (err) {
		close(fd);
		mem_free(c);
		return err;
	}
	t->conn[slot] = c;
	t->conn_count++;
	*out = c;
	return 0;
}

int conn_send(struct tcp_conn *c, struct slice bytes)
{
	int err = pend_add(&c->out, bytes, TCP_SEND_BYTES_MAX);

	if (err) {
		conn_end(c, true);
		return err;
	}
	if (!c->connecting)
		conn_flush(c);
	return 0;
}
