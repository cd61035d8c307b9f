#include "tls/conn_impl.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tls/limits.h"

#define READS_PER_TURN 8 /* then others get their turn */
#define TO_NET_MAX     (1 << 18)
#define TO_SIG_MAX     (1 << 18)

/* No goodbye. */
static void conn_die(struct conn *c)
{
	if (c->base.dead)
		return;
	c->base.dead = true;
	loop_fd_want(c->net, 0);
	if (c->sig)
		loop_fd_want(c->sig, 0);
	c->env->over(c->env->ctx, &c->base);
}

void conn_close(struct conn *c)
{
	if (c->state >= CONN_CLOSING)
		return;
	if (c->ws && !ws_over(c->ws))
		ws_close(c->ws);
	c->state = CONN_CLOSING;
	c->base.since_ms = c->env->now_ms();
}

/* ---- towards signal ---- */

static void flush_sig(struct conn *c)
{
	while (c->to_sig.n && c->pair >= 0) {
		ssize_t n = send(c->pair, c->to_sig.p, c->to_sig.n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			pend_take(&c->to_sig, (size_t)n);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (errno != EINTR) {
			pend_take(&c->to_sig, c->to_sig.n);
			conn_close(c);
			return;
		}
	}
}

static int conn_to_sig(struct conn *c, struct slice bytes)
{
	int err = pend_add(&c->to_sig, bytes, TO_SIG_MAX);

	if (!err)
		flush_sig(c);
	return err;
}

/* ---- towards the peer ---- */

/* What of a failed call is to be waited for; true if the connection goes on. */
static bool may_go_on(struct conn *c, int got)
{
	int problem = SSL_get_error(c->ssl, got);

	ERR_clear_error();
	if (problem == SSL_ERROR_WANT_WRITE)
		c->net_wants_write = true;
	return problem == SSL_ERROR_WANT_READ || problem == SSL_ERROR_WANT_WRITE;
}

/* True if nothing waits any more. */
static bool flush_net(struct conn *c)
{
	while (c->to_net.n && c->state < CONN_GONE) {
		size_t n = c->to_net.n < TLS_RECORD_BYTES ? c->to_net.n : TLS_RECORD_BYTES,
		       done = 0;
		int got;

		ERR_clear_error();
		got = SSL_write_ex(c->ssl, c->to_net.p, n, &done);
		if (got == 1) {
			pend_take(&c->to_net, done);
			continue;
		}
		if (!may_go_on(c, got))
			conn_die(c);
		return false;
	}
	return true;
}

int conn_to_net(struct conn *c, struct slice bytes)
{
	return pend_add(&c->to_net, bytes, TO_NET_MAX);
}

/* ---- from the peer ---- */

static void take_plain(struct conn *c, struct slice bytes)
{
	bool web = c->base.opened_as.transport == TRANSPORT_WSS;
	int err;

	c->base.heard_ms = c->env->now_ms();
	if (c->state >= CONN_CLOSING && !(web && c->ws))
		return;
	err = web ? conn_ws_from_net(c, bytes) : conn_to_sig(c, bytes);
	if (err || (web && c->ws && ws_over(c->ws)))
		conn_close(c);
}

/* A peer that does not read gets no more to answer. */
static bool may_read_net(const struct conn *c)
{
	bool web = c->base.opened_as.transport == TRANSPORT_WSS;

	return !c->base.dead && !c->net_ended && c->state < CONN_GONE && c->to_sig.n == 0 &&
	       !(web && c->to_net.n);
}

static void read_net(struct conn *c)
{
	c->more = false;
	for (int i = 0; may_read_net(c); i++) {
		size_t n = 0;
		int got;

		if (i == READS_PER_TURN) {
			c->more = true;
			return;
		}
		ERR_clear_error();
		got = SSL_read_ex(c->ssl, c->env->scratch, sizeof(c->env->scratch), &n);
		if (got == 1) {
			take_plain(c, slice_of(c->env->scratch, n));
			if (!flush_net(c))
				return;
		} else if (may_go_on(c, got)) {
			return;
		} else {
			c->net_ended = true;
		}
	}
}

/* Encrypted leftovers of a peer to whom goodbye is said. */
static void drain_net(struct conn *c)
{
	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t n = recv(c->fd, c->env->scratch, sizeof(c->env->scratch), MSG_DONTWAIT);

		if (n > 0)
			continue;
		if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
			conn_die(c);
		return;
	}
}

/* ---- from signal ---- */

static void read_sig(struct conn *c)
{
	bool web = c->base.opened_as.transport == TRANSPORT_WSS;

	for (int i = 0; i < READS_PER_TURN && c->state == CONN_OPEN && !c->base.dead; i++) {
		ssize_t n;
		int err;

		if (c->to_net.n)
			return;
		n = recv(c->pair, c->env->scratch, sizeof(c->env->scratch), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		if (n <= 0) {
			conn_close(c);
			return;
		}
		err = web ? conn_ws_from_sig(c, slice_of(c->env->scratch, (size_t)n))
			  : conn_to_net(c, slice_of(c->env->scratch, (size_t)n));
		if (err)
			conn_close(c);
		(void)flush_net(c);
	}
}

/* ---- turns ---- */

static void drop_pair(struct conn *c)
{
	loop_fd_remove(c->sig);
	c->sig = NULL;
	if (c->pair >= 0)
		close(c->pair);
	c->pair = -1;
}

/* Everything that could leave has left: goodbye. */
static void say_goodbye(struct conn *c)
{
	int got;

	ERR_clear_error();
	got = SSL_shutdown(c->ssl);
	if (got < 0 && may_go_on(c, got) && c->net_wants_write)
		return;
	ERR_clear_error();
	drop_pair(c);
	(void)shutdown(c->fd, SHUT_WR);
	c->state = CONN_GONE;
	if (c->net_ended)
		conn_die(c);
}

/* The peer ended: what it said reaches signal first. */
static void check_end(struct conn *c)
{
	if (c->net_ended && c->to_sig.n == 0 && c->state < CONN_CLOSING)
		conn_close(c);
	if (c->state == CONN_CLOSING && c->to_net.n == 0 && !c->base.dead)
		say_goodbye(c);
}

static void settle(struct conn *c)
{
	unsigned net = 0, sig = 0;

	if (c->base.dead)
		return;
	if (may_read_net(c) || c->state == CONN_GONE)
		net |= LOOP_READ;
	if ((c->to_net.n || c->net_wants_write) && c->state < CONN_GONE)
		net |= LOOP_WRITE;
	if (c->more) /* what OpenSSL has read already wakes nobody: come again at once */
		net |= LOOP_WRITE;
	loop_fd_want(c->net, net);
	if (!c->sig)
		return;
	if (c->state == CONN_OPEN && c->to_net.n == 0)
		sig |= LOOP_READ;
	if (c->to_sig.n)
		sig |= LOOP_WRITE;
	loop_fd_want(c->sig, sig);
}

static void turn(struct conn *c)
{
	if (c->base.dead)
		return;
	c->net_wants_write = false;
	if (c->state == CONN_GONE) {
		drain_net(c);
		settle(c);
		return;
	}
	flush_sig(c);
	(void)flush_net(c);
	read_net(c);
	flush_sig(c);
	read_sig(c);
	if (!c->base.dead)
		check_end(c);
	settle(c);
}

static void on_event(void *ctx, unsigned events)
{
	turn(ctx);
}

/* ---- life ---- */

static int watch_pair(struct conn *c)
{
	return loop_fd_add(c->env->loop, c->pair, LOOP_READ, on_event, c, &c->sig);
}

int conn_ready(struct conn *c)
{
	int fds[2] = {-1, -1}, err = 0;
	bool given;

	if (c->pair < 0) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
			return -errno;
		c->pair = fds[0];
	}
	c->state = CONN_OPEN;
	err = watch_pair(c);
	given = !err && c->env->ready(c->env->ctx, &c->base, fds[1]);
	if (fds[1] >= 0)
		close(fds[1]);
	return err ? err : given ? 0 : ERR_DENIED;
}

int tls_conn_new(struct tls_conn_env *env, struct tls_shake *s, const struct ip_endpoint *local,
		 int pair, struct tls_conn **out)
{
	struct conn *c = mem_zalloc(1, sizeof(*c));
	int err = c ? loop_fd_add(env->loop, s->fd, 0, on_event, c, &c->net) : ERR_NOMEM;

	if (err) {
		if (pair >= 0)
			close(pair);
		mem_free(c);
		return err;
	}
	list_init(&c->base.node);
	c->env = env;
	c->fd = s->fd;
	c->pair = pair;
	c->ssl = s->ssl;
	c->base.opened_as = (struct tls_opened){.id = s->id,
						.transport = s->transport,
						.local = *local,
						.remote = s->remote,
						.facts = s->facts};
	c->base.heard_ms = c->base.since_ms = env->now_ms();
	s->fd = -1;
	s->ssl = NULL;
	*out = &c->base;
	return 0;
}

void tls_conn_begin(struct tls_conn *base)
{
	struct conn *c = container_of(base, struct conn, base);

	if (base->opened_as.transport != TRANSPORT_WSS && conn_ready(c) != 0)
		conn_close(c);
	turn(c);
}

void tls_conn_free(struct tls_conn *base)
{
	struct conn *c = container_of(base, struct conn, base);

	list_remove(&base->node);
	drop_pair(c);
	loop_fd_remove(c->net);
	SSL_free(c->ssl);
	close(c->fd);
	ws_free(c->ws);
	pend_take(&c->to_net, c->to_net.n);
	pend_take(&c->to_sig, c->to_sig.n);
	pend_take(&c->part, c->part.n);
	mem_free(c);
}

void tls_conn_close(struct tls_conn *base)
{
	struct conn *c = container_of(base, struct conn, base);

	conn_close(c);
	turn(c);
}

void tls_conn_look(struct tls_conn *base, uint64_t now_ms)
{
	struct conn *c = container_of(base, struct conn, base);
	uint64_t silent_ms = now_ms - base->heard_ms;

	if (base->dead)
		return;
	if (c->state >= CONN_CLOSING && now_ms - base->since_ms > TLS_CLOSE_MS) {
		conn_die(c);
	} else if (c->state == CONN_OPENING && now_ms - base->since_ms > TLS_UPGRADE_MS) {
		c->env->refused(c->env->ctx, base, "no opening request came in time");
		conn_close(c);
		turn(c);
	} else if (c->state == CONN_OPEN && c->ws && silent_ms > TLS_SILENT_MS) {
		conn_close(c);
		turn(c);
	} else if (c->state == CONN_OPEN && c->ws && silent_ms > TLS_PING_MS &&
		   now_ms - base->since_ms > TLS_PING_MS) {
		base->since_ms = now_ms;
		if (ws_ping(c->ws) != 0)
			conn_close(c);
		turn(c);
	}
}
