/* A call on loopback addresses: a table, and sockets of a caller and a callee. For tests. */
#ifndef HW_TESTS_UNIT_RELAY_RIG_H
#define HW_TESTS_UNIT_RELAY_RIG_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "media/flow_table.h"
#include "unit/check.h"

#define OUTSIDE "127.0.0.2" /* the gateway's side of the caller */
#define INSIDE	"127.0.0.3"
#define CALLER	"127.0.0.4"
#define CALLEE	"127.0.0.5"

static inline uint64_t rig_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static inline struct ip_endpoint rig_at(const char *address, uint16_t port)
{
	struct ip_endpoint e = {.port = port};

	if (ip_parse(slice_z(address), &e.addr))
		fail_msg("bad address %s", address);
	return e;
}

static inline socklen_t rig_sockaddr(const struct ip_endpoint *e, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(e->port)};

	memset(ss, 0, sizeof(*ss));
	memcpy(&four.sin_addr, e->addr.bytes, 4);
	memcpy(&six.sin6_addr, e->addr.bytes, 16);
	if (e->addr.family == IP_V4)
		memcpy(ss, &four, sizeof(four));
	else
		memcpy(ss, &six, sizeof(six));
	return e->addr.family == IP_V4 ? sizeof(four) : sizeof(six);
}

/* A bound UDP socket; *e gets the port that the system chose when it was 0. */
static inline int rig_socket(struct ip_endpoint *e)
{
	struct sockaddr_storage ss;
	socklen_t n = rig_sockaddr(e, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	e->port = ss.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&ss)->sin_port)
					  : ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
	return fd;
}

/* A port of this address that nobody uses right now. */
static inline uint16_t rig_free_port(const char *address)
{
	struct ip_endpoint e = rig_at(address, 0);

	close(rig_socket(&e));
	return e.port;
}

static inline void rig_send(int fd, const struct ip_endpoint *to, struct slice packet)
{
	struct sockaddr_storage ss;
	socklen_t n = rig_sockaddr(to, &ss);

	assert_int_equal(sendto(fd, packet.p, packet.n, 0, (struct sockaddr *)&ss, n), packet.n);
}

static inline bool rig_readable(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, wait_ms) == 1;
}

/* An RTP packet of `bytes` with this type and number. */
static inline struct slice rig_rtp(char *buf, size_t bytes, uint8_t type, uint16_t seq)
{
	uint32_t timestamp = 160u * seq;
	const char head[12] = {(char)0x80,
			       (char)type,
			       (char)(seq >> 8),
			       (char)seq,
			       (char)(timestamp >> 24),
			       (char)(timestamp >> 16),
			       (char)(timestamp >> 8),
			       (char)timestamp,
			       1,
			       2,
			       3,
			       4};

	memset(buf, 'x', bytes);
	memcpy(buf, head, sizeof(head));
	return slice_of(buf, bytes);
}

/* Two flows: what the caller sends to OUTSIDE leaves from INSIDE to the callee, and back. */
static inline void rig_specs(uint32_t call, const struct ip_endpoint *caller,
			     const struct ip_endpoint *callee, const struct ip_endpoint *outside,
			     const struct ip_endpoint *inside, struct flow_spec out[2])
{
	const struct flow_spec common = {.call = call,
					 .kind = FLOW_RTP,
					 .clock_khz = 8,
					 .payload_types = {1},
					 .codec = "PCMU/8000"};

	out[0] = out[1] = common;
	out[0].from_caller = true;
	out[0].local = out[1].out = *outside;
	out[0].out = out[1].local = *inside;
	out[0].source = out[1].to = *caller;
	out[0].to = out[1].source = *callee;
}

static inline struct flow_table *rig_path_view(const struct flow_table *t)
{
	struct flow_table *path = NULL;
	struct flow_table_fds fds;

	assert_int_equal(flow_table_share(t, FLOW_TABLE_PATH, &fds), 0);
	assert_int_equal(flow_table_map(&fds, FLOW_TABLE_PATH, &path), 0);
	close(fds.flows);
	close(fds.stats);
	return path;
}

#endif
