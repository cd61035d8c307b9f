#include "assess/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assess/scope.h"
#include "assess/valve.h"
#include "base/mem.h"
#include "io/addr.h"
#include "io/clock.h"

#define PUMP_BYTES    1400 /* sent at once: one segment */
#define PUMP_STEP_MS  100  /* how long a cancelled run may still wait */
#define CLOSE_WAIT_MS 1000 /* for the other side's FIN */
#define RECEIVE_BYTES                                                                              \
	8192 /* receive buffer: no burst of segments that we would have to acknowledge */
#define GATHER_MS	 10 /* a burst's acknowledgement is one; the kernel delays it by 40 at least */
#define SEGMENT_BYTES	 1536 /* receive buffer: a segment at a time, and so an acknowledgement */
#define ACK_DELAY_MS_MAX 210  /* the kernel's own is 200 */
#define OPEN_PACKETS	 2    /* SYN, ACK */
#define SEND_PACKETS	 2    /* the segment, and the acknowledgement of what it is answered with */
#define CLOSE_PACKETS	 2    /* FIN, and the acknowledgement of theirs */
#define PUMP_STACK_BYTES (128 * 1024)

struct wire {
	struct target *target;
	int net;	  /* to the device */
	int inner;	  /* the pump's end of the pair */
	int door;	  /* where the user's end connects itself, or -1 */
	int outer;	  /* the user's end */
	uint32_t counted; /* segments that the pace knows of */
	bool careful;	  /* each packet waits for its turn, the kernel's too: valve.h */
	bool held;	  /* careful: the valve is open, and one packet held for it */
	bool ended;	  /* the device has closed, and so have we */
	pthread_t thread;
	bool running;
};

static void sleep_ms(long ms)
{
	const struct timespec span = {.tv_nsec = ms * 1000000};

	nanosleep(&span, NULL);
}

/* Acknowledgements and retransmissions are the kernel's: what it sent beyond what was asked for
 * counts too. */
static uint32_t uncounted(struct wire *c)
{
	uint32_t sent = valve_segments(c->net), more = sent > c->counted ? sent - c->counted : 0;

	c->counted += more;
	return more;
}

static void account(struct wire *c)
{
	target_note(c->target, uncounted(c));
}

/* ---- careful: the valve is open while one packet is held for what the kernel then sends ---- */

static bool open_valve(struct wire *c)
{
	c->held = true;
	return valve_open(c->net) == 0;
}

static void shut_or_end(struct wire *c)
{
	if (valve_shut(c->net))
		shutdown(c->net, SHUT_RDWR);
}

/* From here on nothing leaves but what is sent on purpose. */
static void shut_valve(struct wire *c)
{
	if (!c->held)
		return;
	shut_or_end(c);
	valve_ack_now(c->net);
	target_release(c->target, uncounted(c));
	c->held = false;
}

/* Bytes are there. If they were acknowledged before we came to them, reading them may send a second
 * acknowledgement (of a window that opens again), and waits for its turn. False: the run ends. */
static bool shut_to_read(struct wire *c)
{
	sleep_ms(GATHER_MS);
	shut_or_end(c);
	if (valve_segments(c->net) <= c->counted)
		return true;
	target_release(c->target, uncounted(c));
	c->held = target_take_and_hold(c->target, 0) == 0;
	return c->held;
}

/* One packet may leave now, and one for the answer. False: the run ends. */
static bool take_turn(struct wire *c)
{
	shut_valve(c);
	if (target_take_and_hold(c->target, 1))
		return false;
	c->counted++;
	return open_valve(c);
}

/* ---- both ---- */

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

static bool may_send(struct wire *c)
{
	return c->careful ? take_turn(c) : take(c, SEND_PACKETS) == 0;
}

/* One segment's worth towards the device. False: the user has closed, or the run ends. */
static bool pump_out(struct wire *c)
{
	char buf[PUMP_BYTES];
	ssize_t n = recv(c->inner, buf, sizeof(buf), 0);
	bool good;

	if (n <= 0 || !may_send(c))
		return false;
	good = send_all(c->net, buf, (size_t)n);
	if (c->careful)
		target_sent(c->target);
	explicit_bzero(buf, sizeof(buf)); /* may have been a password */
	return good;
}

/* Our FIN goes at once and acknowledges theirs: a packet less than an acknowledgement now and a FIN
 * later. If an acknowledgement has gone already, a careful one's FIN waits for its turn. */
static void close_back(struct wire *c)
{
	uint32_t sent = valve_segments(c->net);

	c->ended = true;
	if (c->held && sent > c->counted) {
		shut_valve(c);
		if (target_take(c->target, 1))
			return;
		c->counted++;
	}
	shutdown(c->net, SHUT_WR);
}

/* All that is there. False: the device has closed, and so have we. */
static bool pump_in(struct wire *c)
{
	char buf[RECEIVE_BYTES];
	size_t have = 0;
	ssize_t n = 1;

	if (c->held && !shut_to_read(c))
		return false;
	while (have < sizeof(buf) && (n = recv(c->net, buf + have, sizeof(buf) - have, 0)) > 0)
		have += (size_t)n;
	if (n == 0 || (n < 0 && errno != EAGAIN))
		close_back(c);
	if (c->careful)
		shut_valve(c);
	else
		account(c);
	if (have && !send_all(c->inner, buf, have))
		return false;
	return !c->ended && target_take(c->target, 0) == 0;
}

/* Until the device has closed too. Of a careful one the first bytes are enough to see that it goes
 * on talking; what they are acknowledged with is still the held packet. */
static void drain(struct wire *c)
{
	char buf[PUMP_BYTES];
	uint64_t until = clock_ms() + CLOSE_WAIT_MS;
	ssize_t n = 0;

	while (clock_ms() < until && (!c->careful || n <= 0) &&
	       wait_for(c->net, POLLIN, PUMP_STEP_MS)) {
		n = recv(c->net, buf, sizeof(buf), 0);
		c->ended = n == 0 || (n < 0 && errno != EAGAIN);
		if (c->ended)
			return;
	}
	if (c->careful && n > 0)
		sleep_ms(ACK_DELAY_MS_MAX);
}

/* Nothing that comes later is answered: a reset, when its turn has come. */
static void reset(struct wire *c)
{
	const struct linger at_once = {.l_onoff = 1};

	if (target_take(c->target, 1) == 0)
		(void)setsockopt(c->net, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* FIN, then what is still on its way is taken and dropped. */
static void close_politely(struct wire *c)
{
	if (!c->ended) {
		if (c->careful ? !take_turn(c) : take(c, CLOSE_PACKETS) != 0)
			return;
		shutdown(c->net, SHUT_WR);
		if (c->careful)
			target_sent(c->target);
		drain(c);
	}
	if (!c->careful) {
		account(c);
		return;
	}
	shut_valve(c);
	if (!c->ended)
		reset(c);
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

/* How long to wait for something to do; a careful one listens again as soon as it may. */
static int listen_ms(struct wire *c, bool device_open)
{
	uint64_t wait = 0;

	if (!c->careful || !device_open)
		return PUMP_STEP_MS;
	if (!c->held)
		wait = target_try_hold(c->target);
	if (!c->held && !wait && !open_valve(c))
		shutdown(c->net, SHUT_RDWR);
	return wait && wait < PUMP_STEP_MS ? (int)wait : PUMP_STEP_MS;
}

static void *pump(void *arg)
{
	struct wire *c = arg;
	bool device_open = true, user_open = let_in(c);

	while (user_open && !atomic_load(c->target->cancel)) {
		struct pollfd p[2] = {{.fd = c->inner, .events = POLLIN},
				      {.fd = device_open ? c->net : -1, .events = POLLIN}};

		if (poll(p, 2, listen_ms(c, device_open)) < 0 && errno != EINTR)
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

/* Its SYN may go, and what answers the answer. A careful one takes no bytes yet: a banner would be
 * acknowledged in the same moment. */
static int begin(struct wire *c)
{
	int err;

	if (!c->careful)
		return take(c, OPEN_PACKETS);
	err = valve_shut(c->net);
	if (!err)
		err = target_take_and_hold(c->target, 1);
	if (err)
		return err;
	c->counted++;
	c->held = true;
	return 0;
}

static int connect_to(struct wire *c, uint16_t port, uint32_t timeout_ms)
{
	struct ip_endpoint to = {c->target->address, port};
	struct sockaddr_storage ss;
	socklen_t n = addr_to_system(&to, &ss);
	int one = 1, bytes = RECEIVE_BYTES, err;

	if (c->careful)
		bytes = SEGMENT_BYTES;
	(void)setsockopt(c->net, IPPROTO_TCP, TCP_SYNCNT, &one, sizeof(one));
	if (target_is_gentle(c->target))
		(void)setsockopt(c->net, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	err = begin(c);
	if (err)
		return err;
	err = connect(c->net, (struct sockaddr *)&ss, n) && errno != EINPROGRESS
		      ? -errno
		      : wait_connected(c, timeout_ms);
	if (c->careful) {
		valve_delay_ack(c->net);
		shut_valve(c);
	}
	return err;
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
	c->careful = target_is_careful(t);
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
