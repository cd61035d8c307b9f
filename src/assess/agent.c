#include "assess/agent.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assess/agent_stream.h"
#include "io/addr.h"
#include "io/clock.h"

#define INPUT_BYTES (4 * (AGENT_FRAME_BYTES_MAX + AGENT_HEAD_BYTES))

struct agent {
	int in, out;
	int sockets[AGENT_SOCKETS_MAX]; /* -1 = free */
	struct agent_stream streams[AGENT_SOCKETS_MAX];
	char input[INPUT_BYTES];
	size_t have;
};

static int write_all(int fd, struct slice s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		s = slice_from(s, (size_t)n);
	}
	return 0;
}

static int tell(struct agent *a, uint8_t op, uint8_t socket, struct slice body)
{
	char text[AGENT_FRAME_BYTES_MAX + AGENT_HEAD_BYTES];
	struct out o = out_to(text, sizeof(text));
	int err = agent_frame_write(&o, op, socket, body);

	return err ? err : write_all(a->out, out_slice(&o));
}

static int answer(struct agent *a, const struct agent_frame *f, int err, uint16_t more)
{
	char text[8];
	struct out o = out_to(text, sizeof(text));

	out_be32(&o, (uint32_t)err);
	out_be16(&o, more);
	return tell(a, f->op, f->socket, out_slice(&o));
}

static int socket_at(const struct ip_endpoint *own, int type, int protocol)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_system(own, &ss);
	int fd = socket(own->addr.family == IP_V6 ? AF_INET6 : AF_INET,
			type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd >= 0 && n && bind(fd, (struct sockaddr *)&ss, n)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd < 0 ? -errno : fd;
}

/* What it receives comes with its TOS byte, and with the time at which it came; an IPv6 socket
 * knows one of the two alone. */
static void tell_arrival(int fd)
{
	int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
}

static int on_udp(struct agent *a, const struct agent_frame *f)
{
	struct cursor c = cur_of(f->body);
	struct ip_endpoint own = agent_endpoint(&c);
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	int fd;

	if (c.err || f->socket >= AGENT_SOCKETS_MAX || a->sockets[f->socket] >= 0)
		return answer(a, f, -EINVAL, 0);
	fd = socket_at(&own, SOCK_DGRAM, 0);
	if (fd < 0)
		return answer(a, f, fd, 0);
	tell_arrival(fd);
	a->sockets[f->socket] = fd;
	if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
		own = addr_from_system(&ss);
	return answer(a, f, 0, own.port);
}

static int fd_of(const struct agent *a, const struct agent_frame *f)
{
	return f->socket < AGENT_SOCKETS_MAX ? a->sockets[f->socket] : -1;
}

static int on_tos(struct agent *a, const struct agent_frame *f)
{
	struct cursor c = cur_of(f->body);
	int tos = cur_u8(&c), fd = fd_of(a, f), err = 0;

	if (c.err || fd < 0)
		err = -EINVAL;
	else if (setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)) &&
		 setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos)))
		err = -errno;
	return answer(a, f, err, 0);
}

static int on_send(struct agent *a, const struct agent_frame *f)
{
	struct cursor c = cur_of(f->body);
	struct ip_endpoint to = agent_endpoint(&c);
	struct slice bytes = cur_rest(&c);
	struct sockaddr_storage ss;
	socklen_t n = addr_to_system(&to, &ss);

	/* A datagram that cannot be sent is one that was lost. */
	if (!c.err && fd_of(a, f) >= 0)
		(void)!sendto(fd_of(a, f), bytes.p, bytes.n, MSG_NOSIGNAL, (struct sockaddr *)&ss,
			      n);
	return 0;
}

static int on_stream(struct agent *a, const struct agent_frame *f)
{
	struct agent_stream *s;
	int err = -EINVAL;

	if (fd_of(a, f) < 0)
		return answer(a, f, -EINVAL, 0);
	s = &a->streams[f->socket];
	if (f->body.n && !s->running)
		err = agent_stream_begin(s, f->body, clock_ns());
	else if (!f->body.n && s->running)
		err = 0;
	if (!f->body.n)
		s->running = false;
	return answer(a, f, err, s->sent);
}

/* Sends what is due, and tells how long there is nothing more to send: for poll(2). */
static int send_streams(struct agent *a)
{
	char packet[AGENT_STREAM_BYTES];
	int wait = -1;

	for (size_t i = 0; i < AGENT_SOCKETS_MAX; i++) {
		struct agent_stream *s = &a->streams[i];
		size_t n = agent_stream_next(s, clock_ns(), clock_wall_ns(), packet);
		struct sockaddr_storage ss;
		socklen_t len;
		int more;

		if (n) {
			len = addr_to_system(&s->to, &ss);
			if (sendto(a->sockets[i], packet, n, MSG_NOSIGNAL, (struct sockaddr *)&ss,
				   len) == (ssize_t)n)
				s->sent++;
		}
		more = agent_stream_wait_ms(s, clock_ns());
		if (more >= 0 && (wait < 0 || more < wait))
			wait = more;
	}
	return wait;
}

static int finish_connect(int fd, uint32_t timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int err = 0;
	socklen_t n = sizeof(err);

	if (poll(&p, 1, (int)timeout_ms) <= 0)
		return -ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) ? -errno : -err;
}

static int on_connect(struct agent *a, const struct agent_frame *f)
{
	struct cursor c = cur_of(f->body);
	struct ip_endpoint own = agent_endpoint(&c), to = agent_endpoint(&c);
	uint32_t timeout_ms = cur_u32(&c);
	struct sockaddr_storage ss;
	socklen_t n = addr_to_system(&to, &ss);
	struct linger reset = {.l_onoff = 1};
	int fd, err;

	if (c.err || timeout_ms > AGENT_WAIT_MS_MAX)
		return answer(a, f, -EINVAL, 0);
	fd = socket_at(&own, SOCK_STREAM, 0);
	if (fd < 0)
		return answer(a, f, fd, 0);
	err = connect(fd, (struct sockaddr *)&ss, n) ? -errno : 0;
	if (err == -EINPROGRESS)
		err = finish_connect(fd, timeout_ms);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	return answer(a, f, err, 0);
}

/* An echo by a ping socket (icmp(7), net.ipv4.ping_group_range), or by a raw one. */
static int ping(const struct ip_endpoint *own, const struct ip_endpoint *to, uint32_t timeout_ms)
{
	bool v4 = to->addr.family == IP_V4;
	int protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct ip_endpoint at = *own;
	struct sockaddr_storage ss;
	socklen_t n = addr_to_system(to, &ss);
	struct icmphdr echo = {.type = v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST};
	struct pollfd p = {.events = POLLIN};
	int err = 0, fd;

	at.port = 0;
	fd = socket_at(&at, SOCK_DGRAM, protocol);
	if (fd < 0)
		return fd == -EACCES ? -EPERM : fd;
	p.fd = fd;
	if (sendto(fd, &echo, sizeof(echo), MSG_NOSIGNAL, (struct sockaddr *)&ss, n) < 0)
		err = -errno;
	else
		err = poll(&p, 1, (int)timeout_ms) > 0 ? 0 : -ETIMEDOUT;
	if (!err && recv(fd, &echo, sizeof(echo), 0) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int on_ping(struct agent *a, const struct agent_frame *f)
{
	struct cursor c = cur_of(f->body);
	struct ip_endpoint own = agent_endpoint(&c), to = agent_endpoint(&c);
	uint32_t timeout_ms = cur_u32(&c);

	if (c.err || timeout_ms > AGENT_WAIT_MS_MAX)
		return answer(a, f, -EINVAL, 0);
	return answer(a, f, ping(&own, &to, timeout_ms), 0);
}

static int on_listen(struct agent *a, const struct agent_frame *f)
{
	struct cursor c = cur_of(f->body);
	struct ip_endpoint own = agent_endpoint(&c);
	uint32_t timeout_ms = cur_u32(&c);
	char frame[AGENT_LINK_BYTES_MAX], text[AGENT_LINK_BYTES_MAX + 16];
	struct out o = out_to(text, sizeof(text));
	int n;

	if (c.err || timeout_ms > AGENT_WAIT_MS_MAX)
		return answer(a, f, -EINVAL, 0);
	n = agent_listen(&own.addr, timeout_ms, frame, sizeof(frame));
	if (n < 0)
		return answer(a, f, n, 0);
	out_be32(&o, 0);
	out_be16(&o, 0);
	out_bytes(&o, slice_of(frame, (size_t)n));
	return tell(a, f->op, f->socket, out_slice(&o));
}

static int on_reset(struct agent *a, const struct agent_frame *f)
{
	for (size_t i = 0; i < AGENT_SOCKETS_MAX; i++) {
		if (a->sockets[i] >= 0)
			close(a->sockets[i]);
		a->sockets[i] = -1;
		a->streams[i] = (struct agent_stream){0};
	}
	return f ? answer(a, f, 0, 0) : 0;
}

static int on_frame(struct agent *a, const struct agent_frame *f)
{
	switch (f->op) {
	case AGENT_HELLO:
		return answer(a, f, 0, AGENT_VERSION);
	case AGENT_UDP:
		return on_udp(a, f);
	case AGENT_TOS:
		return on_tos(a, f);
	case AGENT_SEND:
		return on_send(a, f);
	case AGENT_CONNECT:
		return on_connect(a, f);
	case AGENT_PING:
		return on_ping(a, f);
	case AGENT_LISTEN:
		return on_listen(a, f);
	case AGENT_STREAM:
		return on_stream(a, f);
	case AGENT_RESET:
		return on_reset(a, f);
	default:
		return ERR_SYNTAX;
	}
}

/* 0: go on; 1: the input has ended. */
static int on_input(struct agent *a)
{
	ssize_t n = read(a->in, a->input + a->have, sizeof(a->input) - a->have);
	struct agent_frame f;
	size_t used, done = 0;
	int err = 0;

	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : 1;
	a->have += (size_t)n;
	while (!err) {
		int got = agent_frame_read(slice_of(a->input + done, a->have - done), &f, &used);

		if (got <= 0) {
			err = got;
			break;
		}
		err = on_frame(a, &f);
		done += used;
	}
	memmove(a->input, a->input + done, a->have - done);
	a->have -= done;
	return err;
}

static uint8_t tos_of(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		int wide;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			return *CMSG_DATA(c);
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
			memcpy(&wide, CMSG_DATA(c), sizeof(wide));
			return (uint8_t)wide;
		}
	}
	return 0;
}

static uint64_t arrival_of(struct msghdr *m)
{
	struct timespec t;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	}
	return clock_wall_ns();
}

static int on_datagram(struct agent *a, uint8_t socket)
{
	char bytes[AGENT_DATAGRAM_MAX], text[AGENT_FRAME_BYTES_MAX];
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(sizeof(int)) * 2 + CMSG_SPACE(sizeof(struct timespec))];
	struct out o = out_to(text, sizeof(text));
	struct sockaddr_storage ss = {0};
	struct iovec part = {bytes, sizeof(bytes)};
	struct msghdr m = {.msg_name = &ss,
			   .msg_namelen = sizeof(ss),
			   .msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct ip_endpoint from;
	ssize_t n = recvmsg(a->sockets[socket], &m, 0);

	if (n < 0)
		return 0;
	from = addr_from_system(&ss);
	agent_put_u64(&o, arrival_of(&m));
	out_char(&o, (char)tos_of(&m));
	agent_put_endpoint(&o, &from);
	out_bytes(&o, slice_of(bytes, (size_t)n));
	return tell(a, AGENT_DATAGRAM, socket, out_slice(&o));
}

int agent_run(int in, int out)
{
	struct agent a = {.in = in, .out = out};
	int err = 0;

	for (size_t i = 0; i < AGENT_SOCKETS_MAX; i++)
		a.sockets[i] = -1;
	while (!err) {
		struct pollfd p[AGENT_SOCKETS_MAX + 1] = {{.fd = in, .events = POLLIN}};

		for (size_t i = 0; i < AGENT_SOCKETS_MAX; i++)
			p[i + 1] = (struct pollfd){.fd = a.sockets[i], .events = POLLIN};
		if (poll(p, AGENT_SOCKETS_MAX + 1, send_streams(&a)) < 0 && errno != EINTR)
			err = -errno;
		for (uint8_t i = 0; i < AGENT_SOCKETS_MAX && !err; i++)
			if (p[i + 1].revents && a.sockets[i] >= 0)
				err = on_datagram(&a, i);
		if (!err && p[0].revents)
			err = on_input(&a);
	}
	(void)on_reset(&a, NULL);
	return err == 1 ? 0 : err;
}
