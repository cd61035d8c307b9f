#include "assess/scan.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assess/scope.h"
#include "io/addr.h"
#include "io/clock.h"

#define AT_ONCE	     16	  /* connections to a target that is not gentle */
#define SCAN_WAIT_MS 2500 /* for SYN-ACK or RST: one retransmission */
#define CONNECT_COST 3	  /* SYN, ACK, RST */

struct probe {
	int fd; /* -1 = free */
	size_t index;
	uint64_t until_ms;
};

static enum port_state state_of(int err)
{
	if (err == 0)
		return PORT_OPEN;
	return err == ECONNREFUSED ? PORT_CLOSED : PORT_FILTERED;
}

/* With a reset, so that nothing lingers on the device. */
static void end(struct probe *p, enum port_state *out, enum port_state state)
{
	struct linger reset = {.l_onoff = 1};

	(void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(p->fd);
	p->fd = -1;
	out[p->index] = state;
}

static int start(struct visit *v, struct probe *p, uint16_t port, size_t index,
		 enum port_state *out)
{
	struct ip_endpoint to = {v->target->address, port};
	struct sockaddr_storage ss;
	socklen_t n = addr_to_system(&to, &ss);
	int err = target_take(v->target, CONNECT_COST);

	if (!err)
		err = scope_socket(v->config, &v->target->address, SOCK_STREAM, &p->fd);
	if (err)
		return err;
	p->index = index;
	p->until_ms = clock_ms() + SCAN_WAIT_MS;
	if (connect(p->fd, (struct sockaddr *)&ss, n) && errno != EINPROGRESS)
		end(p, out, state_of(errno));
	return 0;
}

static void look_at(struct probe *p, short ready, enum port_state *out)
{
	int err = 0;
	socklen_t n = sizeof(err);

	if (ready && getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &n) == 0)
		end(p, out, state_of(err));
	else if (clock_ms() >= p->until_ms)
		end(p, out, PORT_FILTERED);
}

/* Waits a little, settles what can be settled. */
static void step(struct probe *probes, size_t n, enum port_state *out)
{
	struct pollfd polls[AT_ONCE];

	for (size_t i = 0; i < n; i++)
		polls[i] = (struct pollfd){.fd = probes[i].fd, .events = POLLOUT};
	(void)poll(polls, n, 50);
	for (size_t i = 0; i < n; i++)
		if (probes[i].fd >= 0)
			look_at(&probes[i], polls[i].revents, out);
}

static size_t busy(const struct probe *probes, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += probes[i].fd >= 0;
	return count;
}

static int scan(struct visit *v, const uint16_t *ports, size_t count, enum port_state *out)
{
	struct probe probes[AT_ONCE];
	size_t lanes = target_is_gentle(v->target) ? 1 : AT_ONCE, next = 0;
	int err = 0;

	for (size_t i = 0; i < AT_ONCE; i++)
		probes[i].fd = -1;
	while ((next < count && !err) || busy(probes, lanes)) {
		for (size_t i = 0; i < lanes && next < count && !err; i++)
			if (probes[i].fd < 0) {
				err = start(v, &probes[i], ports[next], next, out);
				next += err == 0;
			}
		if (busy(probes, lanes))
			step(probes, lanes, out);
	}
	return err;
}

int visit_scan(struct visit *v, const uint16_t *ports, size_t count, enum port_state *out)
{
	if (v->left.most[PACKET_TCP_CONNECT] < count)
		return ERR_LIMIT;
	v->left.most[PACKET_TCP_CONNECT] -= (uint32_t)count;
	v->target->sent.most[PACKET_TCP_CONNECT] += (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		out[i] = PORT_UNKNOWN;
	return scan(v, ports, count, out);
}
