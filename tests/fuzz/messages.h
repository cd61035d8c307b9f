/* Messages of a process that was taken over, for fuzz targets of who receives them: any type,
 * length, bytes and number of descriptors, also beyond what the channel's own sender would let
 * pass. */
#ifndef HW_TESTS_FUZZ_MESSAGES_H
#define HW_TESTS_FUZZ_MESSAGES_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/slice.h"
#include "proc/channel.h"

struct script {
	const uint8_t *p;
	size_t n;
};

#define expect(truth) ((truth) ? (void)0 : expect_failed(#truth, __LINE__))

static inline void expect_failed(const char *what, int line)
{
	fprintf(stderr, "line %d: not true: %s\n", line, what);
	abort();
}

static inline unsigned take(struct script *s, unsigned below)
{
	unsigned v;

	if (s->n == 0)
		return 0;
	v = s->p[0];
	s->p++;
	s->n--;
	return v % below;
}

static inline size_t take_bytes(struct script *s, void *to, size_t n)
{
	if (n > s->n)
		n = s->n;
	memcpy(to, s->p, n);
	s->p += n;
	s->n -= n;
	return n;
}

/* Connections, each with its far end, for descriptors to travel. */
struct fds {
	int near[PROC_FDS_MAX + 1], far[PROC_FDS_MAX + 1];
};

static inline void fds_open(struct fds *f)
{
	for (size_t i = 0; i <= PROC_FDS_MAX; i++) {
		int pair[2];

		expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) ==
		       0);
		f->near[i] = pair[0];
		f->far[i] = pair[1];
	}
}

static inline void fds_close(struct fds *f)
{
	for (size_t i = 0; i <= PROC_FDS_MAX; i++) {
		close(f->near[i]);
		close(f->far[i]);
	}
}

/* The number that the next descriptor gets: it moves when one is left open. */
static inline int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

/* Writes a message of this type that is honest into zeroed bytes; its size, or 0: none is known. */
typedef size_t usual_message(unsigned type, uint8_t *payload, struct script *s);

/* With `how`: some bytes of an honest message are changed, or the script's bytes stand in it. */
static inline size_t content(struct script *s, unsigned type, unsigned how, usual_message *usual,
			     uint8_t *payload)
{
	const struct proc_row *row = proc_row(type);
	size_t n = row ? row->bytes_min : 8, made;

	memset(payload, 0, PROC_PAYLOAD_MAX + 8);
	if (how & 4 && how & 1) {
		n = take(s, 256) * (size_t)(1 + take(s, 129));
		take_bytes(s, payload, n);
		return n < PROC_PAYLOAD_MAX + 8 ? n : PROC_PAYLOAD_MAX + 8;
	}
	if (how & 2 && row && row->unit_bytes)
		n = row->unit_bytes * (1 + take(s, 64));
	if (n > PROC_PAYLOAD_MAX)
		n = PROC_PAYLOAD_MAX;
	made = usual(type, payload, s);
	if (!made) {
		take_bytes(s, payload, n);
		return n;
	}
	for (unsigned i = take(s, 4); i && s->n; i--)
		payload[(take(s, 256) * 256 + take(s, 256)) % made] ^= (uint8_t)take(s, 256);
	return made;
}

/* The next type from there on that goes this way. */
static inline unsigned type_from(const struct proc_channel *from, unsigned type)
{
	for (unsigned i = 0; i < PROC_TYPE_COUNT; i++) {
		unsigned at = (type + i) % PROC_TYPE_COUNT;
		const struct proc_row *row = proc_row(at);

		if (row && (row->senders >> from->self & 1) && (row->receivers >> from->peer & 1))
			return at;
	}
	return type;
}

/* The next message of the script: TYPE HOW DESCRIPTORS CONTENT. Most are the sender's to send and
 * have the type's own size and descriptors. */
static inline void send_next(struct script *s, const struct proc_channel *from, const int *fds,
			     usual_message *usual)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * (PROC_FDS_MAX + 1))] = {0};
	static _Alignas(8) uint8_t payload[PROC_PAYLOAD_MAX + 8];
	unsigned type = take(s, PROC_TYPE_COUNT + 2), how = take(s, 256);
	struct proc_head head = {PROC_VERSION, 0, 0};
	const struct proc_row *row = proc_row(how & 64 ? type : (type = type_from(from, type)));
	size_t count = how & 1 && how & 128 ? take(s, PROC_FDS_MAX + 2) : row ? row->fds_min : 0;
	size_t n = content(s, type, how, usual, payload);
	struct iovec iov[2] = {{&head, sizeof(head)}, {payload, n}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};

	head.type = (uint16_t)type;
	head.bytes = (uint32_t)n + (how & 8 && how & 16 ? take(s, 16) : 0);
	head.version = (uint16_t)(PROC_VERSION + (how & 32 && how & 64 && how & 128));
	if (count) {
		struct cmsghdr *c = (struct cmsghdr *)(void *)control;

		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
	}
	(void)!sendmsg(from->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* What the one under test says is always well formed and its to say. */
static inline void drain(struct proc_channel *ch, struct proc_msg *msg)
{
	int got = proc_receive(ch, msg);

	while (got == 1)
		got = proc_receive(ch, msg);
	expect(got == 0 || got == -EPIPE);
	proc_msg_done(msg);
}

#endif
