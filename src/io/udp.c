#include "io/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "io/addr.h"
#include "io/limits.h"

#define NS_PER_S      1000000000ull
#define NS_PER_MS     1000000ull
#define WAITED_MAX_MS 60000

struct udp_socket {
	struct list node;
	struct udp *udp;
	int fd;
	uint16_t listener;
	bool blocked; /* the kernel takes no more for now */
	struct loop_fd *watch;
};

/* One waiting datagram; its bytes lie in `send_bytes`. */
struct udp_out {
	struct ip_endpoint to;
	size_t at, n;
	uint16_t listener;
	bool gone; /* sent, or failed */
};

struct udp_batch {
	struct mmsghdr head[UDP_BATCH_MAX];
	struct iovec iov[UDP_BATCH_MAX];
	struct sockaddr_storage name[UDP_BATCH_MAX];
	union { /* aligned as the kernel writes it */
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(struct timespec))];
	} stamp[UDP_BATCH_MAX];
};

struct udp {
	struct loop *loop;
	struct udp_handler handler;
	struct list sockets;
	struct udp_stats stats;
	uint64_t waited_ms; /* the datagram that is being handed over */
	size_t out_count, out_bytes;
	struct udp_out out[UDP_SEND_MAX];
	struct udp_batch in, away; /* two: sending happens while what came in is being read */
	size_t unsent_count;
	struct udp_out unsent[UDP_SEND_MAX];
	char *receive; /* UDP_BATCH_MAX datagrams */
	char *send;    /* UDP_SEND_BYTES_MAX */
};

int udp_new(struct loop *loop, const struct udp_handler *handler, struct udp **out)
{
	struct udp *u = mem_zalloc(1, sizeof(*u));

	if (!u)
		return ERR_NOMEM;
	u->loop = loop;
	u->handler = *handler;
	list_init(&u->sockets);
	u->receive = mem_zalloc(UDP_BATCH_MAX, UDP_DATAGRAM_MAX);
	u->send = mem_zalloc(1, UDP_SEND_BYTES_MAX);
	if (!u->receive || !u->send) {
		udp_free(u);
		return ERR_NOMEM;
	}
	*out = u;
	return 0;
}

static void socket_free(struct udp_socket *s)
{
	list_remove(&s->node);
	loop_fd_remove(s->watch);
	close(s->fd);
	mem_free(s);
}

void udp_free(struct udp *u)
{
	if (!u)
		return;
	while (!list_empty(&u->sockets))
		socket_free(container_of(u->sockets.next, struct udp_socket, node));
	mem_free(u->receive);
	mem_free(u->send);
	mem_free(u);
}

static uint64_t wall_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_nsec;
}

/* By the machine's wall clock, which may be set meanwhile: then it is nothing or too much once. */
static uint64_t waited_ms(struct msghdr *m)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct timespec at;
		uint64_t ms;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS ||
		    c->cmsg_len < CMSG_LEN(sizeof(at)))
			continue;
		memcpy(&at, CMSG_DATA(c), sizeof(at));
		if (wall_ns(&at) >= wall_ns(&now))
			return 0;
		ms = (wall_ns(&now) - wall_ns(&at)) / NS_PER_MS;
		return ms < WAITED_MAX_MS ? ms : WAITED_MAX_MS;
	}
	return 0;
}

static int receive_batch(struct udp_socket *s)
{
	struct udp *u = s->udp;
	struct udp_batch *b = &u->in;
	int n;

	for (size_t i = 0; i < UDP_BATCH_MAX; i++) {
		b->iov[i] = (struct iovec){u->receive + i * UDP_DATAGRAM_MAX, UDP_DATAGRAM_MAX};
		b->head[i].msg_hdr = (struct msghdr){.msg_name = &b->name[i],
						     .msg_namelen = sizeof(b->name[i]),
						     .msg_iov = &b->iov[i],
						     .msg_iovlen = 1,
						     .msg_control = &b->stamp[i],
						     .msg_controllen = sizeof(b->stamp[i])};
	}
	n = recvmmsg(s->fd, b->head, UDP_BATCH_MAX, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct ip_endpoint from = addr_from_system(&b->name[i]);

		u->stats.received++;
		u->waited_ms = waited_ms(&b->head[i].msg_hdr);
		u->handler.datagram(u->handler.ctx, s->listener, &from,
				    slice_of(b->iov[i].iov_base, b->head[i].msg_len));
		explicit_bzero(b->iov[i].iov_base, b->head[i].msg_len); /* keys may be in it */
	}
	return n;
}

static void on_ready(void *ctx, unsigned events)
{
	struct udp_socket *s = ctx;

	if (events & LOOP_WRITE) {
		s->blocked = false;
		loop_fd_want(s->watch, LOOP_READ);
	}
	if (!(events & LOOP_READ))
		return;
	for (int i = 0; i < UDP_BATCHES_PER_TURN; i++)
		if (receive_batch(s) < UDP_BATCH_MAX)
			break;
}

int udp_add(struct udp *u, uint16_t listener, int fd)
{
	struct udp_socket *s = mem_zalloc(1, sizeof(*s));
	int err;

	if (!s)
		return ERR_NOMEM;
	s->udp = u;
	s->fd = fd;
	s->listener = listener;
	list_init(&s->node);
	err = loop_fd_add(u->loop, fd, LOOP_READ, on_ready, s, &s->watch);
	if (err) {
		mem_free(s);
		return err;
	}
	list_append(&u->sockets, &s->node);
	return 0;
}

static void note_unsent(struct udp *u, uint16_t listener, const struct ip_endpoint *to)
{
	u->stats.unsent++;
	if (u->unsent_count < UDP_SEND_MAX)
		u->unsent[u->unsent_count++] = (struct udp_out){.listener = listener, .to = *to};
}

static struct udp_socket *socket_of(struct udp *u, uint16_t listener)
{
	list_for_each (node, &u->sockets) {
		struct udp_socket *s = container_of(node, struct udp_socket, node);

		if (s->listener == listener)
			return s;
	}
	return NULL;
}

/* Sends a run of one socket's datagrams, in the order in which they were given; returns how many
 * were dealt with (sent or failed). */
static size_t send_run(struct udp *u, struct udp_socket *s, const uint16_t *which, size_t count)
{
	struct udp_batch *b = &u->away;
	int sent;

	for (size_t i = 0; i < count; i++) {
		struct udp_out *o = &u->out[which[i]];

		b->iov[i] = (struct iovec){u->send + o->at, o->n};
		b->head[i].msg_hdr = (struct msghdr){
			.msg_name = &b->name[i], .msg_iov = &b->iov[i], .msg_iovlen = 1};
		b->head[i].msg_hdr.msg_namelen = addr_to_system(&o->to, &b->name[i]);
	}
	sent = sendmmsg(s->fd, b->head, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0) {
		u->stats.sent += (uint64_t)sent;
		return (size_t)sent;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
		s->blocked = true;
		loop_fd_want(s->watch, LOOP_READ | LOOP_WRITE);
		return 0;
	}
	note_unsent(u, s->listener, &u->out[which[0]].to);
	return 1;
}

/* All that waits for one socket, in batches, until the kernel takes no more. */
static void send_socket(struct udp *u, struct udp_socket *s)
{
	size_t at = 0;

	while (at < u->out_count && !s->blocked) {
		uint16_t which[UDP_BATCH_MAX] = {0};
		size_t count = 0, done;

		for (; at < u->out_count && count < UDP_BATCH_MAX; at++)
			if (!u->out[at].gone && u->out[at].listener == s->listener)
				which[count++] = (uint16_t)at;
		done = count ? send_run(u, s, which, count) : 0;
		for (size_t i = 0; i < done; i++)
			u->out[which[i]].gone = true;
		if (done < count)
			at = which[done];
	}
}

/* What a blocked socket could not take moves to the front and waits. */
static void keep_waiting(struct udp *u)
{
	size_t bytes = 0, kept = 0;

	for (size_t i = 0; i < u->out_count; i++) {
		struct udp_out o = u->out[i];

		if (o.gone)
			continue;
		if (!socket_of(u, o.listener)) {
			note_unsent(u, o.listener, &o.to);
			continue;
		}
		memmove(u->send + bytes, u->send + o.at, o.n);
		o.at = bytes;
		bytes += o.n;
		u->out[kept++] = o;
	}
	explicit_bzero(u->send + bytes, u->out_bytes - bytes); /* keys may be in it */
	u->out_count = kept;
	u->out_bytes = bytes;
}

static void send_all(struct udp *u)
{
	if (u->out_count == 0)
		return;
	list_for_each (node, &u->sockets)
		send_socket(u, container_of(node, struct udp_socket, node));
	keep_waiting(u);
}

void udp_send(struct udp *u, uint16_t listener, const struct ip_endpoint *to, struct slice bytes)
{
	struct udp_out o = {.to = *to, .n = bytes.n, .listener = listener};

	if (u->out_count == UDP_SEND_MAX || bytes.n > UDP_SEND_BYTES_MAX - u->out_bytes)
		send_all(u);
	if (u->out_count == UDP_SEND_MAX || bytes.n > UDP_SEND_BYTES_MAX - u->out_bytes) {
		note_unsent(u, listener, to);
		return;
	}
	memcpy(u->send + u->out_bytes, bytes.p, bytes.n);
	o.at = u->out_bytes;
	u->out[u->out_count++] = o;
	u->out_bytes += bytes.n;
}

static void tell_unsent(struct udp *u)
{
	size_t count = u->unsent_count;

	for (size_t i = 0; i < count; i++)
		u->handler.unsent(u->handler.ctx, u->unsent[i].listener, &u->unsent[i].to);
	u->unsent_count -= count;
	memmove(u->unsent, u->unsent + count, u->unsent_count * sizeof(u->unsent[0]));
}

void udp_flush(struct udp *u)
{
	send_all(u);
	for (int i = 0; i < UDP_TELL_ROUNDS && u->unsent_count > 0; i++) {
		tell_unsent(u);
		send_all(u);
	}
}

void udp_renumber(struct udp *u, const uint16_t *map, size_t count)
{
	send_all(u);
	u->out_count = u->out_bytes = 0;
	list_for_each_safe (node, &u->sockets) {
		struct udp_socket *s = container_of(node, struct udp_socket, node);

		if (s->listener >= count || map[s->listener] == UINT16_MAX)
			socket_free(s);
		else
			s->listener = map[s->listener];
	}
}

uint64_t udp_waited_ms(const struct udp *u)
{
	return u->waited_ms;
}

void udp_stats_get(const struct udp *u, struct udp_stats *out)
{
	*out = u->stats;
}
