#include "assess/scan.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assess/scope.h"
#include "assess/valve.h"
#include "io/addr.h"
#include "io/clock.h"

#define AT_ONCE	     16	  /* connections to a target that is not gentle */
#define SCAN_WAIT_MS 2500 /* for SYN-ACK or RST: one retransmission */
#define CONNECT_COST 2	  /* SYN, ACK */
#define RESET_COST   1	  /* of a port that is open */
#define SYN_COST     1	  /* careful: the reset goes in the acknowledgement's place */

struct probe {
	int fd; /* -1 = free */
	size_t index;
	uint16_t port;
	uint64_t until_ms;
	bool held; /* a packet of a careful target's pace */
};

static enum port_state state_of(int err)
{
	if (err == 0)
		return PORT_OPEN;
	return err == ECONNREFUSED ? PORT_CLOSED : PORT_FILTERED;
}

/* The reset goes in the place of the acknowledgement that the kernel delays; if that has gone
 * nevertheless, or the SYN went twice, the reset waits for its turn. */
static void close_held(struct target *t, struct probe *p, enum port_state state)
{
	uint32_t sent = valve_segments(p->fd), more = sent > SYN_COST ? sent - SYN_COST : 0;

	p->held = false;
	if (state == PORT_OPEN && !more) {
		close(p->fd);
		target_release(t, RESET_COST);
		return;
	}
	target_release(t, more);
	if (state == PORT_OPEN)
		(void)!target_take(t, RESET_COST);
	close(p->fd);
}

/* With a reset, so that nothing lingers on the device. */
static void end(struct target *t, struct probe *p, enum port_state *out, enum port_state state)
{
	struct linger reset = {.l_onoff = 1};

	(void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (p->held) {
		close_held(t, p, state);
	} else {
		close(p->fd);
		if (state == PORT_OPEN)
			target_note(t, RESET_COST);
	}
	p->fd = -1;
	out[p->index] = state;
	if (state == PORT_OPEN || state == PORT_CLOSED)
		target_saw_port(t, p->port, state == PORT_OPEN ? 0 : -ECONNREFUSED);
}

static int take_turn(struct target *t, struct probe *p)
{
	int err;

	if (!target_is_careful(t))
		return target_take(t, CONNECT_COST);
	valve_delay_ack(p->fd);
	err = valve_shut(p->fd);
	if (!err)
		err = target_take_and_hold(t, SYN_COST);
	p->held = err == 0;
	return err;
}

static int start(struct visit *v, struct probe *p, uint16_t port, size_t index,
		 enum port_state *out)
{
	struct ip_endpoint to = {v->target->address, port};
	struct sockaddr_storage ss;
	socklen_t n = addr_to_system(&to, &ss);
	int err = visit_in_call(v)
			  ? ERR_DENIED
			  : scope_socket(v->config, &v->target->address, SOCK_STREAM, &p->fd);

	if (!err)
		err = take_turn(v->target, p);
	if (err) {
		if (p->fd >= 0)
			close(p->fd);
		p->fd = -1;
		return err;
	}
	p->index = index;
	p->port = port;
	p->until_ms = clock_ms() + SCAN_WAIT_MS;
	if (connect(p->fd, (struct sockaddr *)&ss, n) && errno != EINPROGRESS)
		end(v->target, p, out, state_of(errno));
	return 0;
}

static void look_at(struct target *t, struct probe *p, short ready, enum port_state *out)
{
	int err = 0;
	socklen_t n = sizeof(err);

	if (ready && getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &n) == 0)
		end(t, p, out, state_of(err));
	else if (clock_ms() >= p->until_ms)
		end(t, p, out, PORT_FILTERED);
}

/* Waits a little, settles what can be settled. */
static void step(struct target *t, struct probe *probes, size_t n, enum port_state *out)
{
	struct pollfd polls[AT_ONCE];

	for (size_t i = 0; i < n; i++)
		polls[i] = (struct pollfd){.fd = probes[i].fd, .events = POLLOUT};
	(void)poll(polls, n, 50);
	for (size_t i = 0; i < n; i++)
		if (probes[i].fd >= 0)
			look_at(t, &probes[i], polls[i].revents, out);
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
		probes[i] = (struct probe){.fd = -1};
	while ((next < count && !err) || busy(probes, lanes)) {
		for (size_t i = 0; i < lanes && next < count && !err; i++)
			if (probes[i].fd < 0) {
				err = out[next] == PORT_UNKNOWN
					      ? start(v, &probes[i], ports[next], next, out)
					      : 0;
				next += err == 0;
			}
		if (busy(probes, lanes))
			step(v->target, probes, lanes, out);
	}
	return err;
}

/* What another check saw of it, or a connection taken from the budget. */
static enum port_state recall(struct visit *v, uint16_t port)
{
	const struct seen_port *seen = target_seen_port(v->target, port);

	if (seen)
		return seen->open ? PORT_OPEN : PORT_CLOSED;
	v->left.most[PACKET_TCP_CONNECT]--;
	v->target->sent.most[PACKET_TCP_CONNECT]++;
	return PORT_UNKNOWN;
}

int visit_scan(struct visit *v, const uint16_t *ports, size_t count, enum port_state *out)
{
	if (v->left.most[PACKET_TCP_CONNECT] < count)
		return ERR_LIMIT;
	for (size_t i = 0; i < count; i++)
		out[i] = recall(v, ports[i]);
	return scan(v, ports, count, out);
}
