#include "io/tcp_conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/addr.h"
#include "io/limits.h"

static void on_sweep(void *ctx);

int tcp_new(struct loop *loop, const struct tcp_handler *handler, const struct tcp_setup *setup,
	    struct tcp **out)
{
	struct tcp *t = mem_zalloc(1, sizeof(*t));
	int err = ERR_NOMEM;

	if (!t)
		return ERR_NOMEM;
	t->loop = loop;
	t->handler = *handler;
	t->setup = *setup;
	if (!t->setup.connections_max)
		t->setup.connections_max = TCP_CONNECTIONS_MAX;
	if (!t->setup.per_source_max)
		t->setup.per_source_max = TCP_PER_SOURCE_MAX;
	list_init(&t->listeners);
	t->conn = mem_zalloc(t->setup.connections_max, sizeof(struct tcp_conn *));
	t->uses = mem_zalloc(t->setup.connections_max, sizeof(*t->uses));
	t->read = mem_zalloc(1, TCP_READ_BYTES);
	if (t->conn && t->uses && t->read)
		err = loop_timer_new(loop, on_sweep, t, &t->sweep);
	if (err) {
		tcp_free(t);
		return err;
	}
	loop_timer_start(t->sweep, TCP_SWEEP_MS);
	*out = t;
	return 0;
}

static void listener_free(struct tcp_listener *l)
{
	list_remove(&l->node);
	loop_fd_remove(l->watch);
	if (l->fd >= 0)
		close(l->fd);
	mem_free(l);
}

void tcp_free(struct tcp *t)
{
	if (!t)
		return;
	while (!list_empty(&t->listeners))
		listener_free(container_of(t->listeners.next, struct tcp_listener, node));
	for (size_t i = 0; t->conn && i < t->setup.connections_max; i++)
		if (t->conn[i])
			conn_free(t->conn[i]);
	loop_timer_free(t->sweep);
	mem_free(t->conn);
	mem_free(t->uses);
	mem_free(t->read);
	mem_free(t);
}

/* ---- ends ---- */

static const char *overdue(const struct tcp_conn *c, uint64_t now_ms)
{
	if (c->connecting || c->dialling)
		return now_ms - c->born_ms > TCP_CONNECT_MS
			       ? "the connection could not be made in time"
			       : NULL;
	if (c->incomplete_ms && now_ms - c->incomplete_ms > TCP_INCOMPLETE_MS)
		return "a message did not come to its end in time";
	if (!c->ours && !c->proven && now_ms - c->born_ms > TCP_FIRST_MESSAGE_MS)
		return "no whole message came in time";
	return now_ms - c->heard_ms > TCP_IDLE_MS ? "nothing came for a long time" : NULL;
}

static void sweep_one(struct tcp_conn *c, uint64_t now_ms)
{
	struct tcp *t = c->tcp;
	const char *why = c->dead ? NULL : overdue(c, now_ms);

	if (why && !c->connecting && !c->dialling)
		conn_refuse(c, why);
	else if (why)
		conn_end(c, true);
	if (!c->dead)
		return;
	if (c->failed)
		t->handler.broken(t->handler.ctx, &c->peer);
	conn_free(c);
}

static void on_sweep(void *ctx)
{
	struct tcp *t = ctx;
	uint64_t now_ms = t->setup.now_ms();

	loop_timer_start(t->sweep, TCP_SWEEP_MS);
	for (size_t i = 0; i < t->setup.connections_max; i++)
		if (t->conn[i])
			sweep_one(t->conn[i], now_ms);
}

static size_t count_of_source(const struct tcp *t, const struct ip_addr *source)
{
	size_t n = 0;

	for (size_t i = 0; i < t->setup.connections_max; i++)
		if (t->conn[i] && ip_eq(&t->conn[i]->peer.remote.addr, source))
			n++;
	return n;
}

static void admit(struct tcp_listener *l, int fd, const struct ip_endpoint *remote)
{
	struct tcp *t = l->tcp;
	struct tcp_peer peer = {.listener = l->listener, .remote = *remote};
	struct tcp_conn *c;

	if (t->conn_count >= t->setup.connections_max) {
		close(fd);
		t->handler.refused(t->handler.ctx, &peer, "too many connections in all");
	} else if (count_of_source(t, &remote->addr) >= t->setup.per_source_max) {
		close(fd);
		t->handler.refused(t->handler.ctx, &peer, "too many connections of this source");
	} else if (conn_new(t, fd, l->listener, remote, LOOP_READ, &c) != 0) {
		t->handler.refused(t->handler.ctx, &peer, "memory ran out");
	}
}

static void on_accept(void *ctx, unsigned events)
{
	struct tcp_listener *l = ctx;

	for (int i = 0; i < TCP_READS_PER_TURN * 8; i++) {
		struct sockaddr_storage name = {0};
		socklen_t size = sizeof(name);
		struct ip_endpoint remote;
		int fd = accept4(l->fd, (struct sockaddr *)&name, &size,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		remote = addr_from_system(&name);
		admit(l, fd, &remote);
	}
}

int tcp_listen_add(struct tcp *t, uint16_t listener, const struct ip_endpoint *local, int fd)
{
	struct tcp_listener *l = mem_zalloc(1, sizeof(*l));
	int err = 0;

	if (!l)
		return ERR_NOMEM;
	*l = (struct tcp_listener){.tcp = t, .fd = fd, .listener = listener, .local = *local};
	list_init(&l->node);
	if (fd >= 0)
		err = loop_fd_add(t->loop, fd, LOOP_READ, on_accept, l, &l->watch);
	if (err) {
		mem_free(l);
		return err;
	}
	list_append(&t->listeners, &l->node);
	return 0;
}

void tcp_renumber(struct tcp *t, const uint16_t *map, size_t count)
{
	list_for_each_safe (node, &t->listeners) {
		struct tcp_listener *l = container_of(node, struct tcp_listener, node);

		if (l->listener >= count || map[l->listener] == UINT16_MAX)
			listener_free(l);
		else
			l->listener = map[l->listener];
	}
	for (size_t i = 0; i < t->setup.connections_max; i++) {
		struct tcp_conn *c = t->conn[i];

		if (!c)
			continue;
		if (c->peer.listener >= count || map[c->peer.listener] == UINT16_MAX)
			conn_free(c);
		else
			c->peer.listener = map[c->peer.listener];
	}
}

void tcp_message_bytes_max(struct tcp *t, size_t bytes)
{
	t->setup.message_bytes_max = bytes;
}

/* ---- connections that somebody else makes ---- */

static struct tcp_conn *conn_of(const struct tcp *t, uint32_t conn)
{
	size_t slot = conn_slot(conn);
	struct tcp_conn *c = conn && slot < t->setup.connections_max ? t->conn[slot] : NULL;

	return c && c->peer.conn == conn && !c->dead ? c : NULL;
}

int tcp_adopt(struct tcp *t, uint16_t listener, const struct ip_endpoint *remote, int fd, void *tag)
{
	struct tcp_conn *c;
	int err = conn_new(t, fd, listener, remote, LOOP_READ, &c);

	if (!err)
		c->peer.tag = tag;
	return err;
}

bool tcp_dialled(struct tcp *t, uint32_t conn, void *tag)
{
	struct tcp_conn *c = conn_of(t, conn);

	if (!c)
		return false;
	c->dialling = false;
	c->heard_ms = t->setup.now_ms();
	c->peer.tag = tag;
	return true;
}

void tcp_broken(struct tcp *t, uint32_t conn, uint16_t why)
{
	size_t slot = conn_slot(conn);
	struct tcp_conn *c = conn && slot < t->setup.connections_max ? t->conn[slot] : NULL;

	/* Its end may have been seen already. */
	if (!c || c->peer.conn != conn)
		return;
	c->peer.why = why;
	conn_end(c, true);
}

void tcp_alias(struct tcp *t, uint32_t conn, const struct ip_endpoint *remote)
{
	struct tcp_conn *c = conn_of(t, conn);

	if (c)
		c->alias = *remote;
}

void tcp_walk(struct tcp *t, void (*each)(void *ctx, const struct tcp_peer *peer), void *ctx)
{
	for (size_t i = 0; i < t->setup.connections_max; i++)
		if (t->conn[i] && !t->conn[i]->dead)
			each(ctx, &t->conn[i]->peer);
}

/* ---- sending ---- */

static const struct tcp_listener *listener_of(const struct tcp *t, uint16_t listener)
{
	list_for_each (node, &t->listeners) {
		const struct tcp_listener *l = container_of(node, struct tcp_listener, node);

		if (l->listener == listener)
			return l;
	}
	return NULL;
}

static struct tcp_conn *conn_find(struct tcp *t, uint16_t listener, uint32_t conn,
				  const struct ip_endpoint *remote)
{
	struct tcp_conn *c = conn_of(t, conn);

	if (c && !c->closing)
		return c;
	for (size_t i = 0; i < t->setup.connections_max; i++) {
		c = t->conn[i];
		if (c && !c->dead && !c->closing && c->peer.listener == listener &&
		    (ip_endpoint_eq(&c->peer.remote, remote) || ip_endpoint_eq(&c->alias, remote)))
			return c;
	}
	return NULL;
}

/* One end is ours; the other one's bytes go by way of somebody else. */
static int dial(struct tcp *t, uint16_t listener, const struct ip_endpoint *remote,
		struct tcp_conn **out)
{
	struct tcp_conn *c;
	int fds[2], err;

	if (!t->handler.dial)
		return ERR_DENIED;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	err = conn_new(t, fds[0], listener, remote, LOOP_READ, &c);
	if (err) {
		close(fds[1]);
		return err;
	}
	c->ours = c->dialling = true;
	err = t->handler.dial(t->handler.ctx, &c->peer, fds[1]);
	if (err) {
		conn_end(c, false);
		return err;
	}
	*out = c;
	return 0;
}

static int connect_to(struct tcp *t, const struct tcp_listener *l, const struct ip_endpoint *remote,
		      struct tcp_conn **out)
{
	struct ip_endpoint local = {.addr = l->local.addr};
	struct sockaddr_storage name;
	socklen_t size;
	int fd, one = 1, err = 0;

	fd = socket(remote->addr.family == IP_V6 ? AF_INET6 : AF_INET,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	size = addr_to_system(&local, &name);
	if (bind(fd, (struct sockaddr *)&name, size) < 0)
		err = -errno;
	size = addr_to_system(remote, &name);
	if (!err && connect(fd, (struct sockaddr *)&name, size) < 0 && errno != EINPROGRESS)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	err = conn_new(t, fd, l->listener, remote, LOOP_WRITE, out);
	if (err)
		return err;
	(*out)->ours = (*out)->connecting = true;
	return 0;
}

int tcp_send(struct tcp *t, uint16_t listener, uint32_t conn, const struct ip_endpoint *remote,
	     struct slice bytes)
{
	const struct tcp_listener *l = listener_of(t, listener);
	bool dialled = l && l->fd < 0;
	struct tcp_conn *c =
		dialled && conn ? conn_of(t, conn) : conn_find(t, listener, conn, remote);
	int err = 0;

	if (dialled && conn && (!c || c->closing))
		return ERR_ABSENT;
	if (!c && !l)
		return ERR_ABSENT;
	if (!c)
		err = dialled ? dial(t, listener, remote, &c) : connect_to(t, l, remote, &c);
	return err ? err : conn_send(c, bytes);
}

size_t tcp_connection_count(const struct tcp *t)
{
	return t->conn_count;
}
