#include "assess/wire.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assess/scope.h"
#include "base/mem.h"
#include "io/addr.h"
#include "io/clock.h"

#define PUMP_BYTES    1400 /* sent at once: one segment */
#define PUMP_STEP_MS  100  /* how long a cancelled run may still wait */
#define CLOSE_WAIT_MS 1000 /* for the other side's FIN */
#define RECEIVE_BYTES                                                                              \
	8192 /* receive buffer: no burst of segments that we would have to acknowledge */
#define OPEN_PACKETS	 2 /* SYN, ACK */
#define SEND_PACKETS	 2 /* the segment, and the acknowledgement of what it is answered with */
#define CLOSE_PACKETS	 2 /* FIN, and the acknowledgement of theirs */
#define PUMP_STACK_BYTES (128 * 1024)

struct wire {
	struct target *target;
	int net;	  /* to the device */
	int inner;	  /* the pump's end of the pair */
	int door;	  /* where the user's end connects itself, or -1 */
	int outer;	  /* the user's end */
	uint32_t counted; /* segments that the pace knows of */
	bool ended;	  /* the device has closed, and so have we */
	pthread_t thread;
	bool running;
};

/* Acknowledgements and retransmissions are the kernel's: what it sent beyond what was asked for
 * counts too. */
static void account(struct wire *c)
{
	struct tcp_info info = {0};
	socklen_t n = sizeof(info);

	if (getsockopt(c->net, IPPROTO_TCP, TCP_INFO, &info, &n) ||
	    n < offsetof(struct tcp_info, tcpi_segs_out) + sizeof(info.tcpi_segs_out))
		return;
	if (info.tcpi_segs_out > c->counted) {
		target_note(c->target, info.tcpi_segs_out - c->counted);
		c->counted = info.tcpi_segs_out;
	}
}

static int take(struct wire *c, uint32_t packets)
{
	int err = target_take(c->target, packets);

	if (!err)
		c->counted += packets;
	return err;
}

static bool wait_for(int fd, short events, uint32_t ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, (int)ms) > 0;
}

static bool send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EAGAIN && wait_for(fd, POLLOUT, WIRE_TIMEOUT_MS))
			continue;
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

/* One segment's worth towards the device. False: the user has closed, or the run ends. */
static bool pump_out(struct wire *c)
{
	char buf[PUMP_BYTES];
	ssize_t n = recv(c->inner, buf, sizeof(buf), 0);
	bool good;

	if (n <= 0 || take(c, SEND_PACKETS))
		return false;
	good = send_all(c->net, buf, (size_t)n);
	explicit_bzero(buf, sizeof(buf)); /* may have been a password */
	return good;
}

/* False: the device has closed. Our FIN then goes at once and acknowledges theirs: a packet less
 * than an acknowledgement now, which nobody asked for, and a FIN a second later. */
static bool pump_in(struct wire *c)
{
	char buf[PUMP_BYTES];
	ssize_t n = recv(c->net, buf, sizeof(buf), 0);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0) {
		shutdown(c->net, SHUT_WR);
		c->ended = true;
	}
	account(c);
	if (n <= 0 || !send_all(c->inner, buf, (size_t)n))
		return false;
	return target_take(c->target, 0) == 0;
}

/* FIN, then what is still on its way is taken and dropped. */
static void close_politely(struct wire *c)
{
	char buf[PUMP_BYTES];
	uint64_t until;

	if (c->ended || take(c, CLOSE_PACKETS))
		return;
	until = clock_ms() + CLOSE_WAIT_MS;
	shutdown(c->net, SHUT_WR);
	while (clock_ms() < until && wait_for(c->net, POLLIN, PUMP_STEP_MS))
		if (recv(c->net, buf, sizeof(buf), 0) <= 0)
			break;
	account(c);
}

/* The door is open for one guest, and only for this process. */
static bool let_in(struct wire *c)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	if (c->door < 0)
		return true;
	if (wait_for(c->door, POLLIN, WIRE_TIMEOUT_MS))
		c->inner = accept4(c->door, NULL, NULL, SOCK_CLOEXEC);
	return c->inner >= 0 && !getsockopt(c->inner, SOL_SOCKET, SO_PEERCRED, &who, &n) &&
	       who.pid == getpid();
}

static void *pump(void *arg)
{
	struct wire *c = arg;
	bool device_open = true, user_open = let_in(c);

	while (user_open && !atomic_load(c->target->cancel)) {
		struct pollfd p[2] = {{.fd = c->inner, .events = POLLIN},
				      {.fd = device_open ? c->net : -1, .events = POLLIN}};

		if (poll(p, 2, PUMP_STEP_MS) < 0 && errno != EINTR)
			break;
		if (p[1].revents && !pump_in(c)) {
			device_open = false;
			shutdown(c->inner, SHUT_WR);
		}
		if (p[0].revents && !pump_out(c))
			user_open = false;
	}
	shutdown(c->inner, SHUT_RDWR);
	close_politely(c);
	return NULL;
}

static int wait_connected(struct wire *c, uint32_t timeout_ms)
{
	int err = 0;
	socklen_t n = sizeof(err);

	for (uint32_t waited = 0; !wait_for(c->net, POLLOUT, PUMP_STEP_MS);
	     waited += PUMP_STEP_MS) {
		if (atomic_load(c->target->cancel))
			return ERR_DENIED;
		if (waited >= timeout_ms)
			return -ETIMEDOUT;
	}
	if (getsockopt(c->net, SOL_SOCKET, SO_ERROR, &err, &n))
		return -errno;
	return -err;
}

static int connect_to(struct wire *c, uint16_t port, uint32_t timeout_ms)
{
	struct ip_endpoint to = {c->target->address, port};
	struct sockaddr_storage ss;
	socklen_t n = addr_to_system(&to, &ss);
	int one = 1, bytes = RECEIVE_BYTES, err;

	(void)setsockopt(c->net, IPPROTO_TCP, TCP_SYNCNT, &one, sizeof(one));
	if (target_is_gentle(c->target))
		(void)setsockopt(c->net, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	err = take(c, OPEN_PACKETS);
	if (err)
		return err;
	if (connect(c->net, (struct sockaddr *)&ss, n) && errno != EINPROGRESS)
		return -errno;
	return wait_connected(c, timeout_ms);
}

static int make_pair(struct wire *c)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	c->inner = pair[0];
	c->outer = pair[1];
	return 0;
}

/* An abstract name that the kernel chooses (unix(7), autobind). */
static int make_door(struct wire *c, struct sockaddr_un *name, socklen_t *bytes)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};

	c->door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*bytes = sizeof(*name);
	if (c->door < 0 || bind(c->door, (struct sockaddr *)&any, sizeof(any.sun_family)) ||
	    listen(c->door, 1) || getsockname(c->door, (struct sockaddr *)name, bytes))
		return -errno;
	return 0;
}

static int start_pump(struct wire *c)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, PUMP_STACK_BYTES);
	err = pthread_create(&c->thread, &attr, pump, c);
	pthread_attr_destroy(&attr);
	c->running = err == 0;
	return -err;
}

/* Connected, or half made with an error; NULL when there was not even room for it. */
static int open_net(struct target *t, uint16_t port, uint32_t timeout_ms, struct wire **out)
{
	struct wire *c;
	int err;

	if (target_is_gentle(t) && t->connections)
		return ERR_LIMIT;
	c = mem_zalloc(1, sizeof(*c));
	if (!c)
		return ERR_NOMEM;
	c->target = t;
	c->net = c->inner = c->outer = c->door = -1;
	t->connections++;
	err = scope_socket(t->config, &t->address, SOCK_STREAM, &c->net);
	if (!err)
		err = connect_to(c, port, timeout_ms);
	*out = c;
	return err;
}

/* With both ends made, or with what failed. */
static int finish_open(struct wire *c, int err, struct wire **out)
{
	if (!err)
		err = start_pump(c);
	if (err) {
		wire_close(c);
		return err;
	}
	*out = c;
	return 0;
}

int wire_open(struct target *t, uint16_t port, uint32_t timeout_ms, struct wire **out)
{
	struct wire *c = NULL;
	int err = open_net(t, port, timeout_ms, &c);

	if (!err)
		err = make_pair(c);
	return finish_open(c, err, out);
}

int wire_open_named(struct target *t, uint16_t port, uint32_t timeout_ms,
		    struct sockaddr_un *out_name, socklen_t *out_bytes, struct wire **out)
{
	struct wire *c = NULL;
	int err = open_net(t, port, timeout_ms, &c);

	if (!err)
		err = make_door(c, out_name, out_bytes);
	return finish_open(c, err, out);
}

void wire_close(struct wire *c)
{
	if (!c)
		return;
	if (c->outer >= 0)
		shutdown(c->outer, SHUT_RDWR);
	if (c->running)
		pthread_join(c->thread, NULL);
	for (int i = 0; i < 4; i++) {
		int fd = (int[]){c->net, c->inner, c->outer, c->door}[i];

		if (fd >= 0)
			close(fd);
	}
	c->target->connections--;
	mem_free(c);
}

int wire_fd(const struct wire *c)
{
	return c->outer;
}

int wire_send(struct wire *c, struct slice bytes)
{
	return send_all(c->outer, bytes.p, bytes.n) ? 0 : -EPIPE;
}

int wire_read(struct wire *c, char *buf, size_t size, uint32_t timeout_ms)
{
	ssize_t n;

	if (!wait_for(c->outer, POLLIN, timeout_ms))
		return -ETIMEDOUT;
	n = recv(c->outer, buf, size, 0);
	return n < 0 ? -errno : (int)n;
}

int wire_read_until(struct wire *c, const char *stop, char *buf, size_t size, uint32_t timeout_ms)
{
	uint64_t until = clock_ms() + timeout_ms;
	size_t have = 0;

	while (have < size) {
		uint64_t now = clock_ms();
		int n;

		if (now >= until)
			break;
		n = wire_read(c, buf + have, size - have, (uint32_t)(until - now));
		if (n < 0 && have == 0 && n != -ETIMEDOUT)
			return n;
		if (n <= 0)
			break;
		have += (size_t)n;
		if (slice_find_slice(slice_of(buf, have), slice_z(stop)) < have)
			break;
	}
	return (int)have;
}
