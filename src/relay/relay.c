#include "relay/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "media/limits.h"
#include "media/report_watch.h"
#include "proto/rtp/rtp.h"
#include "relay/lane.h"
#include "relay/port.h"
#include "relay/secure.h"

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
	struct secure secure;
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
	secure_init(&r->secure, setup->vault, setup->identities, setup->table, r->ports);
	err = setup->wake_fd < 0 ? 0 : watch(r, setup->wake_fd, WAKE, EPOLLIN);
	if (err)
		goto fail;
	*out = r;
	return 0;
fail:
	relay_free(r);
	return err;
}

static void port_close(struct relay *r, struct relay_port *p, bool forget)
{
	secure_drop(&r->secure, p, forget);
	if (p->fd >= 0)
		close(p->fd);
	else
		r->unbound_count--;
	crypt_free(p->crypt);
	lane_forget(r->lane, p->index);
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
			port_close(r, container_of(node, struct relay_port, all), false);
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
static void port_keys(struct relay *r, struct relay_port *p)
{
	if (!crypt_wanted(&p->flow)) {
		crypt_free(p->crypt);
		p->crypt = NULL;
	} else if (p->crypt || crypt_new(r->setup.vault, p->index, &p->crypt) == 0) {
		crypt_sync(p->crypt, &p->flow, r->setup.now_ns());
	}
	secure_sync(&r->secure, p, r->setup.now_ns());
}

static void port_open(struct relay *r, uint32_t index, const struct hw_flow *flow)
{
	struct relay_port *p = mem_zalloc(1, sizeof(*p));

	if (!p)
		return; /* the next kick or scan asks again */
	list_init(&p->waiting);
	list_init(&p->busy);
	list_append(&r->all, &p->all);
	p->index = index;
	p->flow = *flow;
	p->fd = -1;
	r->ports[index] = p;
	r->unbound_count++;
	port_try(r, p);
	p->stats = flow_table_figures(r->setup.table, index, flow);
	port_keys(r, p);
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
			port_close(r, p, true);
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

/* What the table says holds at once, before any kick. NULL when the port is gone. */
static struct relay_port *port_current(struct relay *r, uint32_t index)
{
	struct relay_port *p = r->ports[index];

	if (p && flow_table_generation(r->setup.table, index) != p->flow.generation) {
		relay_sync(r, index);
		p = r->ports[index];
	}
	return p;
}

/* One datagram, opened and sealed as the flow says: its length then, or 0 when it goes nowhere. */
static size_t judge_one(struct relay *r, struct relay_port *p, const struct ip_endpoint *source,
			char *packet, size_t bytes, uint64_t now_ns)
{
	const struct hw_flow *flow = &p->flow;
	struct hw_flow proven;

	if (secure_wanted(flow)) {
		if (!secure_admit(&r->secure, p, source, slice_of(packet, bytes), now_ns, &proven))
			return 0;
		flow = &proven;
	}
	if (crypt_pass(p->crypt, p->stats, flow, source, (uint8_t *)packet, &bytes,
		       RELAY_PACKET_BYTES_MAX, now_ns) != JUDGE_PASS)
		return 0;
	report_watch(r->setup.table, p->index, slice_of(packet, bytes), now_ns);
	return bytes;
}

/* Judges what came; those that pass stand in batch.out. */
static unsigned judge_batch(struct relay *r, struct relay_port *p, unsigned came)
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
		else if ((bytes = judge_one(r, p, &source, b->bytes[i], bytes, now_ns)) != 0)
			b->out_part[passed++] = (struct iovec){b->bytes[i], bytes};
	}
	return passed;
}

static void send_one(struct relay *r, struct relay_port *p, const struct relay_port *out,
		     unsigned first)
{
	const struct iovec *part = &r->batch.out_part[first];

	if (sendto(out->fd, part->iov_base, part->iov_len, MSG_DONTWAIT,
		   (const struct sockaddr *)&p->to_address, p->to_address_bytes) < 0)
		judge_refuse(p->stats, HW_REFUSED_SEND, 1);
}

static void send_batch(struct relay *r, struct relay_port *p, const struct relay_port *out,
		       unsigned first, unsigned count)
{
	struct relay_batch *b = &r->batch;
	unsigned done = first;

	count += first;
	for (unsigned i = first; i < count; i++) {
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

static bool target_of(struct relay *r, const struct relay_port *p, const struct relay_port *out,
		      struct ip_endpoint *to)
{
	if (secure_wanted(&out->flow))
		return out->association && secure_target(out, r->setup.now_ns(), to);
	return judge_target(&p->flow, &out->flow, out->stats, to);
}

/* Sends on `count` packets of the batch by our port `out_index`. */
static void send_by(struct relay *r, struct relay_port *p, uint32_t out_index, unsigned first,
		    unsigned count)
{
	struct relay_port *out = port_current(r, out_index);
	struct ip_endpoint to;
	bool there = out && out->fd >= 0 && out->flow.call == p->flow.call;

	if (there && out_index != p->flow.out_index)
		there = judge_rtcp_target(&out->flow, out->stats, &to);
	else if (there)
		there = target_of(r, p, out, &to);
	if (!there) {
		judge_refuse(p->stats, HW_REFUSED_NO_TARGET, count);
		return;
	}
	port_aim(p, &to);
	port_mark(out, to.addr.family == IP_V6, p->flow.dscp);
	if (count == 1)
		send_one(r, p, out, first);
	else
		send_batch(r, p, out, first, count);
}

/* RTP and RTCP come in at one port and go on to two: the other side knows no rtcp-mux, and its RTCP
 * comes back here by a port of its own. */
static bool rtcp_apart(const struct relay *r, const struct relay_port *p)
{
	uint32_t index = p->flow.out_index + 1;
	const struct relay_port *rtcp =
		index < flow_table_size(r->setup.table) ? r->ports[index] : NULL;
	const unsigned both = HW_FLOW_RTP | HW_FLOW_RTCP;

	return (p->flow.flags & both) == both && rtcp && rtcp->flow.call == p->flow.call &&
	       (rtcp->flow.flags & both) == HW_FLOW_RTCP && rtcp->flow.out_index == p->index;
}

static void pass_on(struct relay *r, struct relay_port *p, unsigned count)
{
	if (!rtcp_apart(r, p)) {
		send_by(r, p, p->flow.out_index, 0, count);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct iovec *part = &r->batch.out_part[i];
		bool rtcp = rtp_classify(slice_of(part->iov_base, part->iov_len)) == RTP_CLASS_RTCP;

		send_by(r, p, p->flow.out_index + rtcp, i, 1);
	}
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
	uint64_t now_ns, due_ns = list_empty(&r->unbound) ? UINT64_MAX : r->retry_ns, left_ms = 0;

	if (r->secure.tick_ns < due_ns)
		due_ns = r->secure.tick_ns;
	if (due_ns == UINT64_MAX)
		return timeout_ms;
	now_ns = r->setup.now_ns();
	if (due_ns > now_ns)
		left_ms = (due_ns - now_ns) / NS_PER_MS + 1;
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
	if (r->secure.tick_ns != UINT64_MAX)
		secure_tick(&r->secure, r->setup.now_ns());
	return woken;
}

size_t relay_unbound(const struct relay *r)
{
	return r->unbound_count;
}
