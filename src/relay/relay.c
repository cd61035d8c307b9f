#include "relay/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "media/judge.h"
#include "media/limits.h"
#include "relay/lane.h"
#include "relay/port.h"

/* epoll's words for what is no port; no entry has these indexes */
#define WAKE	  UINT32_MAX
#define LANE	  (UINT32_MAX - 1)
#define NS_PER_MS 1000000ull

/* Room for one batch: datagrams, where they came from, and those that go on. */
struct relay_batch {
	struct mmsghdr in[RELAY_BATCH_MAX], out[RELAY_BATCH_MAX];
	struct iovec in_part[RELAY_BATCH_MAX], out_part[RELAY_BATCH_MAX];
	struct sockaddr_storage from[RELAY_BATCH_MAX];
	char bytes[RELAY_BATCH_MAX][RELAY_PACKET_BYTES_MAX];
};

struct relay {
	struct relay_setup setup;
	int epoll;
	struct relay_port **ports; /* by index into the table */
	struct list all;
	struct list unbound; /* tried again at their retry_ns */
	uint64_t retry_ns;   /* when the first of them is due */
	uint64_t round;	     /* of epoll */
	size_t unbound_count;
	struct lane *lane; /* NULL = none */
	struct relay_batch batch;
};

unsigned relay_worker_of(uint32_t call, unsigned workers)
{
	/* Knuth's multiplicative hash: calls are numbered in a row or at random. */
	return (unsigned)(((uint64_t)(call * 2654435761u) * workers) >> 32);
}

static int watch(struct relay *r, int fd, uint32_t word, uint32_t events)
{
	struct epoll_event e = {.events = events, .data = {.u32 = word}};

	return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : -errno;
}

static void batch_init(struct relay_batch *b)
{
	for (size_t i = 0; i < RELAY_BATCH_MAX; i++) {
		b->in_part[i] = (struct iovec){b->bytes[i], sizeof(b->bytes[i])};
		b->in[i].msg_hdr.msg_iov = &b->in_part[i];
		b->in[i].msg_hdr.msg_iovlen = 1;
		b->in[i].msg_hdr.msg_name = &b->from[i];
		b->in[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
		b->out[i].msg_hdr.msg_iov = &b->out_part[i];
		b->out[i].msg_hdr.msg_iovlen = 1;
	}
}

int relay_new(const struct relay_setup *setup, struct relay **out)
{
	struct relay *r = mem_zalloc(1, sizeof(*r));
	int err = ERR_NOMEM;

	if (!r)
		return ERR_NOMEM;
	r->setup = *setup;
	list_init(&r->all);
	list_init(&r->unbound);
	r->retry_ns = UINT64_MAX;
	batch_init(&r->batch);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll < 0) {
		err = -errno;
		goto fail;
	}
	r->ports = mem_zalloc(flow_table_size(setup->table), sizeof(struct relay_port *));
	if (!r->ports)
		goto fail;
	err = setup->wake_fd < 0 ? 0 : watch(r, setup->wake_fd, WAKE, EPOLLIN);
	if (err)
		goto fail;
	*out = r;
	return 0;
fail:
	relay_free(r);
	return err;
}

static void port_close(struct relay *r, struct relay_port *p)
{
	if (p->fd >= 0)
		close(p->fd);
	else
		r->unbound_count--;
	crypt_free(p->crypt);
	list_remove(&p->all);
	list_remove(&p->waiting);
	r->ports[p->index] = NULL;
	mem_free(p);
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	if (r->ports)
		list_for_each_safe (node, &r->all)
			port_close(r, container_of(node, struct relay_port, all));
	lane_free(r->lane);
	if (r->epoll >= 0)
		close(r->epoll);
	mem_free(r->ports);
	mem_free(r);
}

int relay_set_lane(struct relay *r, struct lane *lane)
{
	int err = 0;

	lane_free(r->lane); /* its sockets leave epoll as they close */
	r->lane = lane;
	for (size_t i = 0; lane && i < lane_socket_count(lane) && !err; i++)
		err = watch(r, lane_socket(lane, i), LANE, EPOLLIN);
	if (err) {
		lane_free(lane);
		r->lane = NULL;
	}
	return err;
}

static bool is_mine(const struct relay *r, const struct hw_flow *flow)
{
	return relay_worker_of(flow->call, r->setup.workers) == r->setup.worker;
}

/* Binds; or lets it wait in the list of those that are tried again. */
static void port_try(struct relay *r, struct relay_port *p)
{
	bool often = p->tries < RELAY_RETRIES_MAX;
	struct ip_endpoint local;
	int err = ERR_ABSENT;

	if (flow_table_local(r->setup.table, p->index, &local))
		err = p->fd = port_bind(&local);
	if (err >= 0) {
		err = watch(r, p->fd, p->index, EPOLLIN);
		if (err)
			close(p->fd);
	}
	list_remove(&p->waiting);
	if (err == 0) {
		r->unbound_count--;
		return;
	}
	p->fd = -1;
	p->tries++;
	p->retry_ns =
		r->setup.now_ns() + (often ? RELAY_RETRY_MS : RELAY_RETRY_SLOW_MS) * NS_PER_MS;
	list_append(&r->unbound, &p->waiting);
	if (p->retry_ns < r->retry_ns)
		r->retry_ns = p->retry_ns;
}

/* What the flow says of keys, made so. */
static void port_keys(const struct relay *r, struct relay_port *p)
{
	if (!crypt_wanted(&p->flow)) {
		crypt_free(p->crypt);
		p->crypt = NULL;
	} else if (p->crypt || crypt_new(r->setup.vault, p->index, &p->crypt) == 0) {
		crypt_sync(p->crypt, &p->flow, r->setup.now_ns());
	}
}

static void port_open(struct relay *r, uint32_t index, const struct hw_flow *flow)
{
	struct relay_port *p = mem_zalloc(1, sizeof(*p));

	if (!p)
		return; /* the next kick or scan asks again */
	list_init(&p->waiting);
	list_append(&r->all, &p->all);
	p->index = index;
	p->flow = *flow;
	p->stats = flow_table_figures(r->setup.table, index, flow);
	port_keys(r, p);
	p->fd = -1;
	r->ports[index] = p;
	r->unbound_count++;
	port_try(r, p);
}

void relay_sync(struct relay *r, uint32_t index)
{
	struct relay_port *p;
	struct hw_flow flow;

	if (index >= flow_table_size(r->setup.table))
		return;
	p = r->ports[index];
	if (!flow_table_read(r->setup.table, index, &flow) || !is_mine(r, &flow)) {
		if (p)
			port_close(r, p);
	} else if (!p) {
		port_open(r, index, &flow);
	} else {
		p->flow = flow;
		p->stats = flow_table_figures(r->setup.table, index, &flow);
		port_keys(r, p);
	}
}

void relay_sync_all(struct relay *r)
{
	list_for_each_safe (node, &r->all)
		relay_sync(r, container_of(node, struct relay_port, all)->index);
	for (uint32_t i = flow_table_next(r->setup.table, 0); i != HW_FLOW_NONE;
	     i = flow_table_next(r->setup.table, i + 1))
		relay_sync(r, i);
}

/* The table may have changed a moment ago, before the kick: what it says holds from then on.
 * NULL when the port is gone. */
static struct relay_port *port_current(struct relay *r, uint32_t index)
{
	struct relay_port *p = r->ports[index];

	if (p && flow_table_generation(r->setup.table, index) != p->flow.generation) {
		relay_sync(r, index);
		p = r->ports[index];
	}
	return p;
}

/* Judges what came; those that pass stand in batch.out. */
static unsigned judge_batch(struct relay *r, const struct relay_port *p, unsigned came)
{
	struct relay_batch *b = &r->batch;
	uint64_t now_ns = r->setup.now_ns();
	unsigned passed = 0;

	for (unsigned i = 0; i < came; i++) {
		struct ip_endpoint source = port_endpoint(&b->from[i]);
		size_t bytes = b->in[i].msg_len;

		b->in[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
		if (b->in[i].msg_hdr.msg_flags & MSG_TRUNC)
			judge_refuse(p->stats, HW_REFUSED_TOO_LONG, 1);
		else if (crypt_pass(p->crypt, p->stats, &p->flow, &source, (uint8_t *)b->bytes[i],
				    &bytes, sizeof(b->bytes[i]), now_ns) == JUDGE_PASS)
			b->out_part[passed++] = (struct iovec){b->bytes[i], bytes};
	}
	return passed;
}

static void send_one(struct relay *r, struct relay_port *p, const struct relay_port *out)
{
	const struct iovec *part = &r->batch.out_part[0];

	if (sendto(out->fd, part->iov_base, part->iov_len, MSG_DONTWAIT,
		   (const struct sockaddr *)&p->to_address, p->to_address_bytes) < 0)
		judge_refuse(p->stats, HW_REFUSED_SEND, 1);
}

static void send_batch(struct relay *r, struct relay_port *p, const struct relay_port *out,
		       unsigned count)
{
	struct relay_batch *b = &r->batch;
	unsigned done = 0;

	for (unsigned i = 0; i < count; i++) {
		b->out[i].msg_hdr.msg_name = &p->to_address;
		b->out[i].msg_hdr.msg_namelen = p->to_address_bytes;
	}
	while (done < count) {
		int sent = sendmmsg(out->fd, b->out + done, count - done, MSG_DONTWAIT);

		if (sent > 0) {
			done += (unsigned)sent;
		} else if (sent == 0 || errno != EINTR) {
			judge_refuse(p->stats, HW_REFUSED_SEND, 1);
			done++;
		}
	}
}

static void pass_on(struct relay *r, struct relay_port *p, unsigned count)
{
	struct relay_port *out = port_current(r, p->flow.out_index);
	struct ip_endpoint to;

	if (!out || out->fd < 0 || out->flow.call != p->flow.call ||
	    !judge_target(&p->flow, &out->flow, out->stats, &to)) {
		judge_refuse(p->stats, HW_REFUSED_NO_TARGET, count);
		return;
	}
	port_aim(p, &to);
	port_mark(out, to.addr.family == IP_V6, p->flow.dscp);
	if (count == 1)
		send_one(r, p, out);
	else
		send_batch(r, p, out, count);
}

static int take_one(struct relay_batch *b, int fd)
{
	socklen_t name_bytes = sizeof(b->from[0]);
	ssize_t n = recvfrom(fd, b->bytes[0], sizeof(b->bytes[0]), MSG_DONTWAIT | MSG_TRUNC,
			     (struct sockaddr *)&b->from[0], &name_bytes);

	if (n < 0)
		return -1;
	b->in[0].msg_len = (unsigned)n;
	b->in[0].msg_hdr.msg_flags = (size_t)n > sizeof(b->bytes[0]) ? MSG_TRUNC : 0;
	return 1;
}

/* Takes what lies in the socket: speech comes one at a time, for which a plain call costs less; who
 * sends faster than we look is read in batches. */
static int port_take(struct relay *r, struct relay_port *p)
{
	int came;

	p->streak = p->round + 1 == r->round ? p->streak + 1 : 0;
	p->round = r->round;
	if (p->streak < RELAY_STREAK_MIN)
		return take_one(&r->batch, p->fd);
	came = recvmmsg(p->fd, r->batch.in, RELAY_BATCH_MAX, MSG_DONTWAIT, NULL);
	if (came < 2)
		p->streak = 0;
	return came;
}

/* One datagram or batch, so that a busy port does not starve the others: epoll names it again. */
static void port_relay(struct relay *r, uint32_t index)
{
	struct relay_port *p = r->ports[index];
	unsigned passed;
	int came;

	if (!p || p->fd < 0)
		return;
	came = port_take(r, p);
	if (came <= 0)
		return;
	p = port_current(r, index);
	if (!p || p->fd < 0)
		return;
	passed = judge_batch(r, p, (unsigned)came);
	if (passed)
		pass_on(r, p, passed);
}

static void retry_unbound(struct relay *r)
{
	uint64_t now_ns = r->setup.now_ns();

	if (now_ns < r->retry_ns)
		return;
	r->retry_ns = UINT64_MAX;
	list_for_each_safe (node, &r->unbound) {
		struct relay_port *p = container_of(node, struct relay_port, waiting);

		if (p->retry_ns <= now_ns)
			port_try(r, p);
		else if (p->retry_ns < r->retry_ns)
			r->retry_ns = p->retry_ns;
	}
}

static int wait_ms(const struct relay *r, int timeout_ms)
{
	uint64_t now_ns, left_ms = 0;

	if (list_empty(&r->unbound))
		return timeout_ms;
	now_ns = r->setup.now_ns();
	if (r->retry_ns > now_ns)
		left_ms = (r->retry_ns - now_ns) / NS_PER_MS + 1;
	return timeout_ms >= 0 && (uint64_t)timeout_ms < left_ms ? timeout_ms : (int)left_ms;
}

static void wake_clear(const struct relay *r)
{
	uint64_t count;

	if (read(r->setup.wake_fd, &count, sizeof(count)) < 0)
		return; /* non-blocking, and already empty */
}

int relay_run(struct relay *r, int timeout_ms)
{
	struct epoll_event events[RELAY_EVENTS_MAX];
	int count = epoll_wait(r->epoll, events, RELAY_EVENTS_MAX, wait_ms(r, timeout_ms));
	bool lane = false;
	int woken = 0;

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	r->round++;
	for (int i = 0; i < count; i++) {
		if (events[i].data.u32 == WAKE) {
			wake_clear(r);
			woken = 1;
		} else if (events[i].data.u32 == LANE) {
			lane = true;
		} else {
			port_relay(r, events[i].data.u32);
		}
	}
	if (lane)
		lane_run(r->lane, r->setup.now_ns());
	if (!list_empty(&r->unbound))
		retry_unbound(r);
	return woken;
}

size_t relay_unbound(const struct relay *r)
{
	return r->unbound_count;
}
