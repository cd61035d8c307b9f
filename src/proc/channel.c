#include "proc/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"

#define SOCKET_BUFFER_BYTES (1 << 20)

struct waiting {
	struct list node;
	size_t bytes; /* head and payload */
	int fds[PROC_FDS_MAX];
	size_t fd_count;
	uint8_t data[];
};

int proc_pair(int out_fds[2])
{
	int fds[2], size = SOCKET_BUFFER_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		if (setsockopt(fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
			(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	out_fds[0] = fds[0];
	out_fds[1] = fds[1];
	return 0;
}

void proc_channel_init(struct proc_channel *ch, int fd, enum proc_kind self, enum proc_kind peer)
{
	*ch = (struct proc_channel){.fd = fd, .self = self, .peer = peer};
	list_init(&ch->queue);
}

static void waiting_free(struct proc_channel *ch, struct waiting *w)
{
	ch->queue_bytes -= w->bytes;
	list_remove(&w->node);
	for (size_t i = 0; i < w->fd_count; i++)
		close(w->fds[i]);
	mem_free(w);
}

void proc_channel_done(struct proc_channel *ch)
{
	if (ch->fd < 0)
		return;
	while (!list_empty(&ch->queue))
		waiting_free(ch, container_of(ch->queue.next, struct waiting, node));
	close(ch->fd);
	ch->fd = -1;
}

static int send_now(int fd, const struct iovec *iov, size_t iov_count, const int *fds, size_t count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * PROC_FDS_MAX)] = {0};
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = iov_count};
	ssize_t n;

	if (count) {
		struct cmsghdr *c = (struct cmsghdr *)(void *)control;

		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
	}
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return 0;
}

static int queue_copy(struct proc_channel *ch, const struct iovec *iov, const int *fds,
		      size_t fd_count)
{
	size_t bytes = iov[0].iov_len + iov[1].iov_len;
	struct waiting *w;

	if (ch->queue_bytes + bytes > PROC_QUEUE_BYTES_MAX)
		return ERR_LIMIT;
	w = mem_zalloc(1, sizeof(*w) + bytes);
	if (!w)
		return ERR_NOMEM;
	w->bytes = bytes;
	memcpy(w->data, iov[0].iov_base, iov[0].iov_len);
	if (iov[1].iov_len)
		memcpy(w->data + iov[0].iov_len, iov[1].iov_base, iov[1].iov_len);
	list_append(&ch->queue, &w->node);
	ch->queue_bytes += bytes;
	for (; w->fd_count < fd_count; w->fd_count++) {
		w->fds[w->fd_count] = fcntl(fds[w->fd_count], F_DUPFD_CLOEXEC, 0);
		if (w->fds[w->fd_count] < 0) {
			int err = -errno;

			waiting_free(ch, w);
			return err;
		}
	}
	return 0;
}

static bool fits_row(const struct proc_row *row, enum proc_kind from, enum proc_kind to,
		     size_t bytes, size_t fds)
{
	return row && (row->senders >> from & 1) && (row->receivers >> to & 1) &&
	       bytes >= row->bytes_min && bytes <= row->bytes_max && bytes % row->unit_bytes == 0 &&
	       fds >= row->fds_min && fds <= row->fds_max;
}

int proc_send(struct proc_channel *ch, enum proc_type type, const void *payload, size_t bytes,
	      const int *fds, size_t fd_count)
{
	struct proc_head head = {PROC_VERSION, (uint16_t)type, (uint32_t)bytes};
	struct iovec iov[2] = {{&head, sizeof(head)}, {(void *)(uintptr_t)payload, bytes}};
	int err;

	if (ch->fd < 0)
		return -EPIPE;
	if (!fits_row(proc_row(type), ch->self, ch->peer, bytes, fd_count))
		return ERR_DENIED;
	if (ch->queue_bytes == 0) {
		err = send_now(ch->fd, iov, 2, fds, fd_count);
		if (err != -EAGAIN && err != -ENOBUFS)
			return err;
	}
	return queue_copy(ch, iov, fds, fd_count);
}

int proc_flush(struct proc_channel *ch)
{
	while (!list_empty(&ch->queue)) {
		struct waiting *w = container_of(ch->queue.next, struct waiting, node);
		struct iovec iov = {w->data, w->bytes};
		int err = send_now(ch->fd, &iov, 1, w->fds, w->fd_count);

		if (err == -EAGAIN || err == -ENOBUFS)
			return 0;
		if (err)
			return err;
		waiting_free(ch, w);
	}
	return 0;
}

void proc_msg_init(struct proc_msg *msg)
{
	msg->type = PROC_NONE;
	msg->bytes = 0;
	for (size_t i = 0; i < PROC_FDS_MAX; i++)
		msg->fds[i] = -1;
}

void proc_msg_done(struct proc_msg *msg)
{
	for (size_t i = 0; i < PROC_FDS_MAX; i++)
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	proc_msg_init(msg);
}

int proc_msg_take_fd(struct proc_msg *msg, size_t n)
{
	int fd = n < PROC_FDS_MAX ? msg->fds[n] : -1;

	if (fd >= 0)
		msg->fds[n] = -1;
	return fd;
}

static size_t take_fds(struct msghdr *m, struct proc_msg *msg)
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n && count < PROC_FDS_MAX; i++)
			memcpy(&msg->fds[count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return count;
}

static int check(const struct proc_channel *ch, struct proc_msg *msg, const struct proc_head *head,
		 size_t got, size_t fds, int flags)
{
	if (got < sizeof(*head) || (flags & (MSG_TRUNC | MSG_CTRUNC)))
		return ERR_PEER;
	if (head->version != PROC_VERSION)
		return ERR_VERSION;
	msg->bytes = got - sizeof(*head);
	if (head->bytes != msg->bytes ||
	    !fits_row(proc_row(head->type), ch->peer, ch->self, msg->bytes, fds))
		return ERR_PEER;
	msg->type = (enum proc_type)head->type;
	return 1;
}

int proc_receive(struct proc_channel *ch, struct proc_msg *msg)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * PROC_FDS_MAX)];
	struct proc_head head;
	struct iovec iov[2] = {{&head, sizeof(head)}, {msg->payload, PROC_PAYLOAD_MAX}};
	struct msghdr m = {.msg_iov = iov,
			   .msg_iovlen = 2,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n;
	int err;

	proc_msg_done(msg);
	if (ch->fd < 0)
		return -EPIPE;
	do
		n = recvmsg(ch->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n <= 0)
		return n < 0 && errno != ECONNRESET ? -errno : -EPIPE;
	err = check(ch, msg, &head, (size_t)n, take_fds(&m, msg), m.msg_flags);
	msg->payload[msg->bytes] = 0;
	if (err < 0)
		proc_msg_done(msg);
	return err;
}
