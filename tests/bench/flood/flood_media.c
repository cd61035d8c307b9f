/* Both ends of many calls' media: `flood_media CALLER-NS CALLER-IP CALLEE-NS CALLEE-IP SECONDS <
 * PLAN`; a line of PLAN is a call: "PORT IP:PORT PORT IP:PORT", the caller's own port and where it
 * sends, and the callee's. Sends G.711 each 20 ms both ways and prints a JSON object: what was
 * sent, what came, and how long it took from the sending process to the kernel at the far end. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CALLS_MAX    500
#define RTP_BYTES    172
#define FRAME_NS     20000000ull
#define NS_PER_S     1000000000ull
#define SETTLE_NS    NS_PER_S
#define EVENTS	     64
#define SECONDS_MAX  600
#define RECEIVE_ROOM (1 << 20)

struct end {
	int fd;
	struct sockaddr_in to;
	uint32_t ssrc;
	uint16_t seq;
	uint64_t sent, received, strange;
};

struct rtp {
	uint8_t head[2];
	uint16_t seq_be;
	uint32_t time_be, ssrc_be;
	uint64_t sent_ns; /* where the audio would be */
	uint8_t audio[RTP_BYTES - 20];
} __attribute__((packed));

static struct end ends[CALLS_MAX * 2];
static size_t end_count;
static uint32_t *took_us;
static size_t took_count, took_room;

static uint64_t clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static int enter(const char *ns)
{
	int fd = open(ns, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = setns(fd, CLONE_NEWNET) ? -errno : 0;
	close(fd);
	return err;
}

/* Bound to its port in the present namespace, connected to nobody: what comes from elsewhere is
 * counted as strange. */
static int end_open(struct end *e, const char *ip, unsigned port, const char *to)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1, room = RECEIVE_ROOM;
	char host[64];
	unsigned to_port;

	if (inet_pton(AF_INET, ip, &at.sin_addr) != 1 ||
	    sscanf(to, "%63[0-9.]:%u", host, &to_port) != 2 ||
	    inet_pton(AF_INET, host, &e->to.sin_addr) != 1)
		return -EINVAL;
	e->to.sin_family = AF_INET;
	e->to.sin_port = htons((uint16_t)to_port);
	e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (e->fd < 0 || bind(e->fd, (struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(e->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)))
		return -errno;
	(void)setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return 0;
}

static int plan_read(char **argv)
{
	char caller_to[64], callee_to[64];
	unsigned caller_port, callee_port;

	while (end_count < CALLS_MAX * 2 &&
	       scanf("%u %63s %u %63s", &caller_port, caller_to, &callee_port, callee_to) == 4) {
		struct end *caller = &ends[end_count], *callee = caller + 1;
		int err = enter(argv[1]);

		caller->ssrc = (uint32_t)end_count + 1;
		callee->ssrc = (uint32_t)end_count + 2;
		err = err ? err : end_open(caller, argv[2], caller_port, caller_to);
		err = err ? err : enter(argv[3]);
		err = err ? err : end_open(callee, argv[4], callee_port, callee_to);
		if (err)
			return err;
		end_count += 2;
	}
	return end_count ? 0 : -EINVAL;
}

static void send_one(struct end *e)
{
	struct rtp p = {.head = {0x80, 0},
			.seq_be = htons(e->seq),
			.time_be = htonl(e->seq * 160u),
			.ssrc_be = htonl(e->ssrc),
			.sent_ns = clock_of(CLOCK_REALTIME)};

	e->seq++;
	if (sendto(e->fd, &p, sizeof(p), 0, (struct sockaddr *)&e->to, sizeof(e->to)) ==
	    (ssize_t)sizeof(p))
		e->sent++;
}

static uint64_t stamp_of(struct msghdr *m)
{
	struct timespec at;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&at, CMSG_DATA(c), sizeof(at));
		return (uint64_t)at.tv_sec * NS_PER_S + (uint64_t)at.tv_nsec;
	}
	return 0;
}

/* The other end of a call has the number beside: 1 and 2, 3 and 4. */
static int is_other(const struct end *e, uint32_t ssrc)
{
	return ((ssrc - 1) ^ (e->ssrc - 1)) == 1;
}

static void receive_all(struct end *e)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct rtp p;
	struct iovec part = {&p, sizeof(p)};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};

	for (;;) {
		uint64_t at;
		ssize_t n;

		m.msg_controllen = sizeof(control);
		n = recvmsg(e->fd, &m, 0);
		if (n < 0)
			return;
		if (n != (ssize_t)sizeof(p) || !is_other(e, ntohl(p.ssrc_be))) {
			e->strange++;
			continue;
		}
		e->received++;
		at = stamp_of(&m);
		if (at && took_count < took_room)
			took_us[took_count++] =
				at > p.sent_ns ? (uint32_t)((at - p.sent_ns) / 1000) : 0;
	}
}

static void receive_until(int poll, uint64_t at_ns)
{
	for (;;) {
		struct epoll_event events[EVENTS];
		uint64_t now = clock_of(CLOCK_MONOTONIC);
		struct timespec wait = {0};
		int n;

		wait.tv_nsec = now < at_ns ? (long)((at_ns - now) % NS_PER_S) : 0;
		n = epoll_pwait2(poll, events, EVENTS, &wait, NULL);
		for (int i = 0; i < n; i++)
			receive_all(events[i].data.ptr);
		if (n <= 0 && clock_of(CLOCK_MONOTONIC) >= at_ns)
			return;
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t percentile(unsigned percent)
{
	return took_count ? took_us[(took_count - 1) * percent / 100] : 0;
}

static void print(void)
{
	uint64_t sent = 0, received[2] = {0}, strange = 0;

	for (size_t i = 0; i < end_count; i++) {
		sent += ends[i].sent;
		received[i % 2] += ends[i].received;
		strange += ends[i].strange;
	}
	qsort(took_us, took_count, sizeof(*took_us), compare);
	printf("{\"sent\": %llu, \"received\": %llu, \"at_caller\": %llu, \"at_callee\": %llu, "
	       "\"strange\": %llu, \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u}\n",
	       (unsigned long long)sent, (unsigned long long)(received[0] + received[1]),
	       (unsigned long long)received[0], (unsigned long long)received[1],
	       (unsigned long long)strange, percentile(50), percentile(99), percentile(100));
}

static void talk(int poll, double seconds)
{
	uint64_t step = FRAME_NS / end_count, next = clock_of(CLOCK_MONOTONIC);
	uint64_t frames = (uint64_t)(seconds * 50);

	for (uint64_t i = 0; i < frames * end_count; i++) {
		send_one(&ends[i % end_count]);
		next += step;
		receive_until(poll, next);
	}
	receive_until(poll, clock_of(CLOCK_MONOTONIC) + SETTLE_NS - 1);
}

int main(int argc, char **argv)
{
	double seconds = argc == 6 ? strtod(argv[5], NULL) : 0;
	struct sched_param priority = {.sched_priority = 10};
	int poll = epoll_create1(EPOLL_CLOEXEC), err;

	if (seconds <= 0 || seconds > SECONDS_MAX || poll < 0) {
		fputs("usage: flood_media CALLER-NS CALLER-IP CALLEE-NS CALLEE-IP SECONDS < PLAN\n",
		      stderr);
		return 2;
	}
	err = plan_read(argv);
	for (size_t i = 0; i < end_count && !err; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = &ends[i]};

		err = epoll_ctl(poll, EPOLL_CTL_ADD, ends[i].fd, &e) ? -errno : 0;
	}
	took_room = end_count * (size_t)(seconds * 50 + 1);
	took_us = calloc(took_room, sizeof(*took_us));
	if (err || !took_us) {
		fprintf(stderr, "flood_media: %s\n", strerror(err ? -err : ENOMEM));
		return 2;
	}
	/* The ends are not what is measured: they come before all else. */
	(void)sched_setscheduler(0, SCHED_RR, &priority);
	talk(poll, seconds);
	print();
	free(took_us);
	return 0;
}
