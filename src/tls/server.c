#include "tls/server_impl.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/addr.h"
#include "tls/limits.h"

#define ACCEPTS_PER_TURN 32
#define TOLD_PER_S	 100

/* ---- telling ---- */

void server_refuse(struct tls_server *s, const struct tls_refused *r)
{
	uint64_t second = s->setup.now_ms() / 1000;
	struct tls_refused said = *r;

	if (second != s->told_second) {
		s->told_second = second;
		s->told = 0;
	}
	if (!r->id && s->told >= TOLD_PER_S) {
		s->untold++;
		return;
	}
	s->told++;
	said.more = s->untold;
	s->untold = 0;
	s->setup.refused(s->setup.ctx, &said);
}

static void refuse_source(struct tls_listener *l, const struct ip_endpoint *remote, const char *why)
{
	struct tls_refused r = {.transport = l->transport,
				.reason = REASON_tls_limit,
				.local = l->local,
				.remote = *remote};

	l->server->counts.limited_total++;
	(void)slice_to_z(slice_z(why), r.detail, sizeof(r.detail));
	server_refuse(l->server, &r);
}

/* ---- accepting ---- */

/* Peers and those whom the administrator excepts are held to no budget. */
static bool is_free(const struct tls_listener *l, const struct ip_endpoint *remote)
{
	const struct config *c = l->server->config;
	struct config_owner owner;

	for (size_t i = 0; i < c->limits.never_ban_count; i++)
		if (ip_in_prefix(&remote->addr, &c->limits.never_ban[i]))
			return true;
	return config_peer_at(c, c->listeners[l->index].zone, remote, &owner);
}

struct tls_shake *server_shake_new(struct tls_server *s, int fd, uint8_t transport,
				   const struct ip_endpoint *remote)
{
	struct tls_shake *h = mem_zalloc(1, sizeof(*h));
	int one = 1;

	if (!h) {
		close(fd);
		return NULL;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	list_init(&h->node);
	h->fd = fd;
	h->transport = transport;
	h->remote = *remote;
	h->born_ms = s->setup.now_ms();
	h->ring = tls_keyring_ref(s->ring);
	return h;
}

/* Closed hard: a flood leaves no sockets behind that wait. */
static void slam(int fd)
{
	struct linger none = {1, 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

static void admit(struct tls_listener *l, int fd, const struct ip_endpoint *remote)
{
	struct tls_server *s = l->server;
	const char *why = NULL;
	struct tls_shake *h;

	if (s->conn_count + tls_pool_count(s->pool) >= TLS_CONNECTIONS_MAX)
		why = "too many connections in all";
	else if (tls_pool_count(s->pool) >= TLS_HANDSHAKES_MAX)
		why = "too many handshakes are under way";
	if (!why)
		why = budget_take(s->budget, &remote->addr, is_free(l, remote), s->setup.now_ms());
	if (why) {
		slam(fd);
		refuse_source(l, remote, why);
		return;
	}
	h = server_shake_new(s, fd, l->transport, remote);
	if (h)
		h->ssl = tls_keyring_accept(s->ring, l->ask);
	if (!h || !h->ssl || SSL_set_fd(h->ssl, fd) != 1) {
		budget_shaken(s->budget, &remote->addr, false);
		tls_shake_free(h);
		refuse_source(l, remote, "memory ran out");
		return;
	}
	h->listener = l->index;
	tls_pool_give(s->pool, h);
}

static void on_accept(void *ctx, unsigned events)
{
	struct tls_listener *l = ctx;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
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

/* ---- connections ---- */

static bool on_conn_ready(void *ctx, struct tls_conn *c, int pair)
{
	struct tls_server *s = ctx;

	return s->setup.opened(s->setup.ctx, &c->opened_as, pair);
}

static void on_conn_refused(void *ctx, struct tls_conn *c, const char *why)
{
	struct tls_refused r = {.transport = c->opened_as.transport,
				.reason = REASON_websocket_refused,
				.local = c->opened_as.local,
				.remote = c->opened_as.remote};

	(void)slice_to_z(slice_z(why), r.detail, sizeof(r.detail));
	server_refuse(ctx, &r);
}

static void on_conn_over(void *ctx, struct tls_conn *c)
{
	struct tls_server *s = ctx;

	loop_timer_start(s->look, 0);
}

static void conn_drop(struct tls_server *s, struct tls_conn *c)
{
	if (c->opened_as.id == 0)
		budget_closed(s->budget, &c->opened_as.remote.addr);
	s->conn_count--;
	tls_conn_free(c);
}

static void on_look(void *ctx)
{
	struct tls_server *s = ctx;
	uint64_t now_ms = s->setup.now_ms();

	loop_timer_start(s->look, TLS_SWEEP_MS);
	list_for_each_safe (node, &s->conns) {
		struct tls_conn *c = container_of(node, struct tls_conn, node);

		if (!c->dead)
			tls_conn_look(c, now_ms);
		if (c->dead)
			conn_drop(s, c);
	}
}

void server_keep(struct tls_server *s, struct tls_shake *h, const struct ip_endpoint *local,
		 int pair)
{
	struct tls_conn *c;

	if (!h->ours)
		budget_shaken(s->budget, &h->remote.addr, true);
	if (SSL_session_reused(h->ssl))
		s->counts.resumed_total++;
	if (tls_conn_new(&s->env, h, local, pair, &c) != 0) {
		if (!h->ours)
			budget_closed(s->budget, &h->remote.addr);
		return;
	}
	s->conn_count++;
	list_append(&s->conns, &c->node);
	tls_conn_begin(c);
}

static struct tls_listener *listener_of(struct tls_server *s, const struct tls_shake *h)
{
	list_for_each (node, &s->listeners) {
		struct tls_listener *l = container_of(node, struct tls_listener, node);

		if (l->index == h->listener && l->transport == h->transport)
			return l;
	}
	return NULL;
}

static void on_shaken(void *ctx, struct tls_shake *h)
{
	struct tls_server *s = ctx;
	struct tls_listener *l = h->ours ? NULL : listener_of(s, h);

	if (h->why != REASON_NONE)
		s->counts.failed_total++;
	if (h->ours) {
		dial_done(s, h);
	} else if (l && h->why == REASON_NONE) {
		s->counts.accepted_total++;
		server_keep(s, h, &l->local, -1);
	} else {
		struct tls_refused r = {
			.transport = h->transport, .reason = h->why, .remote = h->remote};

		budget_shaken(s->budget, &h->remote.addr, false);
		if (l) {
			r.local = l->local;
			memcpy(r.detail, h->detail, sizeof(r.detail));
			server_refuse(s, &r);
		}
	}
	tls_shake_free(h);
}

/* ---- life ---- */

int tls_server_new(const struct tls_server_setup *setup, struct tls_server **out)
{
	struct tls_server *s = mem_zalloc(1, sizeof(*s));
	struct tls_pool_setup pool = {.loop = setup->loop,
				      .threads = setup->threads,
				      .now_ms = setup->now_ms,
				      .ctx = s,
				      .done = on_shaken};
	int err;

	if (!s)
		return ERR_NOMEM;
	s->setup = *setup;
	list_init(&s->listeners);
	list_init(&s->conns);
	list_init(&s->dialled);
	s->env.loop = setup->loop;
	s->env.now_ms = setup->now_ms;
	s->env.ctx = s;
	s->env.ready = on_conn_ready;
	s->env.refused = on_conn_refused;
	s->env.over = on_conn_over;
	err = budget_new(&setup->key, &s->budget);
	if (!err)
		err = loop_timer_new(setup->loop, on_look, s, &s->look);
	if (!err)
		err = tls_pool_new(&pool, &s->pool);
	if (err) {
		tls_server_free(s);
		return err;
	}
	loop_timer_start(s->look, TLS_SWEEP_MS);
	*out = s;
	return 0;
}

int tls_server_start(struct tls_server *s)
{
	return tls_pool_start(s->pool);
}

static void listener_free(struct tls_listener *l)
{
	list_remove(&l->node);
	loop_fd_remove(l->watch);
	if (l->fd >= 0)
		close(l->fd);
	mem_free(l);
}

void tls_server_free(struct tls_server *s)
{
	if (!s)
		return;
	tls_pool_free(s->pool);
	while (!list_empty(&s->listeners))
		listener_free(container_of(s->listeners.next, struct tls_listener, node));
	while (!list_empty(&s->conns))
		conn_drop(s, container_of(s->conns.next, struct tls_conn, node));
	dial_drop(s);
	loop_timer_free(s->look);
	budget_free(s->budget);
	tls_keyring_unref(s->ring);
	mem_free(s);
}

/* ---- configurations ---- */

/* A client's certificate matters where a peer proves itself by one; browsers would ask people for
 * it. */
static bool asks(const struct config *c, const struct config_listener *l)
{
	for (size_t i = 1; l->transport == TRANSPORT_TLS && i <= c->pbx_count + c->trunk_count;
	     i++) {
		struct config_owner o;

		if (config_peer_of_number(c, (uint16_t)i, &o) && config_must_prove(c, o) &&
		    (o.kind == OWNER_PBX ? c->pbxs[o.index].zone : c->trunks[o.index].zone) ==
			    l->zone)
			return true;
	}
	return false;
}

static int listener_add(struct tls_server *s, size_t index, int fd)
{
	struct tls_listener *l = mem_zalloc(1, sizeof(*l));
	int err;

	if (!l)
		return ERR_NOMEM;
	*l = (struct tls_listener){.server = s, .index = (uint16_t)index, .fd = fd};
	list_init(&l->node);
	err = loop_fd_add(s->setup.loop, fd, LOOP_READ, on_accept, l, &l->watch);
	if (err) {
		mem_free(l);
		return err;
	}
	list_append(&s->listeners, &l->node);
	return 0;
}

/* Their new places, or away with them. */
static void renumber(struct tls_server *s, size_t count, const uint16_t *old_index)
{
	list_for_each_safe (node, &s->listeners) {
		struct tls_listener *l = container_of(node, struct tls_listener, node);
		size_t i = 0;

		while (i < count && old_index[i] != l->index)
			i++;
		if (i == count)
			listener_free(l);
		else
			l->index = (uint16_t)i;
	}
}

/* Connections whose listener is no more are closed as TCP's are. */
static void close_orphans(struct tls_server *s)
{
	list_for_each (node, &s->conns) {
		struct tls_conn *c = container_of(node, struct tls_conn, node);
		bool kept = false;

		list_for_each (at, &s->listeners) {
			const struct tls_listener *l = container_of(at, struct tls_listener, node);

			kept = kept || (l->transport == c->opened_as.transport &&
					ip_endpoint_eq(&l->local, &c->opened_as.local));
		}
		if (!kept)
			tls_conn_close(c);
	}
}

int tls_server_apply(struct tls_server *s, const struct config *config, struct tls_keyring *ring,
		     const uint16_t *old_index, int *fds)
{
	int err = 0;

	tls_keyring_unref(s->ring);
	s->ring = ring;
	s->config = s->env.config = config;
	s->env.message_bytes_max = config->limits.message_bytes;
	renumber(s, config->listener_count, old_index);
	for (size_t i = 0; i < config->listener_count && !err; i++) {
		if (!transport_secure((enum transport)config->listeners[i].transport) ||
		    old_index[i] != CONFIG_NONE || fds[i] < 0)
			continue;
		err = listener_add(s, i, fds[i]);
		if (!err)
			fds[i] = -1;
	}
	list_for_each (node, &s->listeners) {
		struct tls_listener *l = container_of(node, struct tls_listener, node);
		const struct config_listener *is = &config->listeners[l->index];

		l->transport = is->transport;
		l->local = is->local;
		l->ask = asks(config, is);
	}
	close_orphans(s);
	return err;
}

void tls_server_drop(struct tls_server *s)
{
	list_for_each (node, &s->conns)
		tls_conn_close(container_of(node, struct tls_conn, node));
	dial_drop(s);
}

void tls_server_counts(const struct tls_server *s, struct tls_counts *out)
{
	*out = s->counts;
	out->connections = s->conn_count;
	out->shaking = tls_pool_count(s->pool);
}
