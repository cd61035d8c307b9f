/* The relay with real packets, run step by step; built once for each way that they may take. */
#include "unit/relay/rig.h"

#include <errno.h>
#include <sys/resource.h>

#include "media/limits.h"
#include "relay/relay.h"
#include "unit/failing_alloc.h"
#include "unit/relay/way.h"

#define ARRIVES_MS 1000
#define BYTES	   172

struct rig {
	struct flow_table *table, *path;
	struct relay *relay;
	struct ip_endpoint caller, callee, outside, inside;
	int caller_fd, callee_fd;
	struct flow_spec spec[2];
	uint32_t index[2];
};

static void rig_publish(struct rig *r)
{
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(way_publish(r->table, &r->spec[i], &r->index[i]), 0);
		relay_sync(r->relay, r->index[i]);
	}
}

static void rig_relay(struct rig *r)
{
	const struct relay_setup setup = {
		.table = r->path, .workers = 1, .wake_fd = -1, .now_ns = rig_now_ns};

	assert_int_equal(relay_new(&setup, &r->relay), 0);
	assert_int_equal(way_relay(r->relay, r->path), 0);
}

static void rig_start(struct rig *r, const char *outside, const char *caller)
{
	rig_relay(r);
	r->caller = rig_at(caller, 0);
	r->callee = rig_at(way.callee, 0);
	r->caller_fd = way_peer(&r->caller);
	r->callee_fd = way_peer(&r->callee);
	r->outside = rig_at(outside, rig_free_port(outside));
	r->inside = rig_at(way.inside, rig_free_port(way.inside));
	assert_int_equal(way_address(r->table, &r->outside.addr), 0);
	assert_int_equal(way_address(r->table, &r->inside.addr), 0);
	rig_specs(1, &r->caller, &r->callee, &r->outside, &r->inside, r->spec);
}

static int set_up(void **state)
{
	static struct rig rig;

	memset(&rig, 0, sizeof(rig));
	if (way_tables(&rig.table, &rig.path))
		return -1;
	rig_start(&rig, way.outside, way.caller);
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	relay_free(r->relay);
	way_tables_free(r->table, r->path);
	close(r->caller_fd);
	close(r->callee_fd);
	return 0;
}

/* Lets the relay do all that is there to do: a sent packet is there at once, or soon. */
static void turn(struct rig *r)
{
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(relay_run(r->relay, way.wait_ms), 0);
}

static bool gets(int fd, struct slice want)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	return n >= 0 && slice_eq(slice_of(buf, (size_t)n), want);
}

static struct flow_stats stats(const struct rig *r, unsigned which)
{
	struct flow_stats s = {0};

	assert_true(flow_table_stats(r->table, r->index[which], &s));
	return s;
}

static bool passes(struct rig *r, int from, const struct ip_endpoint *to, int into,
		   struct slice packet)
{
	rig_send(from, to, packet);
	turn(r);
	return gets(into, packet);
}

static void relays_both_ways(void **state)
{
	struct rig *r = *state;
	struct sockaddr_in from;
	socklen_t n = sizeof(from);
	char buf[BYTES];

	rig_publish(r);
	rig_send(r->caller_fd, &r->outside, rig_rtp(buf, BYTES, 0, 1));
	turn(r);
	assert_int_equal(recvfrom(r->callee_fd, buf, BYTES, 0, (struct sockaddr *)&from, &n),
			 BYTES);
	assert_int_equal(ntohs(from.sin_port), r->inside.port); /* symmetric: it can answer there */
	assert_memory_equal(&from.sin_addr, r->inside.addr.bytes, 4);
	assert_true(passes(r, r->callee_fd, &r->inside, r->caller_fd, rig_rtp(buf, BYTES, 0, 1)));
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, rig_rtp(buf, BYTES, 0, 3)));
	assert_int_equal(stats(r, 0).packets, 2);
	assert_int_equal(stats(r, 0).bytes, 2 * BYTES);
	assert_int_equal(stats(r, 0).lost, 1);
	assert_int_equal(stats(r, 1).packets, 1);
	assert_int_equal(stats(r, 0).refused_total + stats(r, 1).refused_total, 0);
	assert_in_range(way_taken(), 3, SIZE_MAX);
	assert_true(stats(r, 0).last_seen_ns > 0);
}

static void refuses_what_the_signalling_does_not_justify(void **state)
{
	struct rig *r = *state;
	struct ip_endpoint other = rig_at(way.caller, 0), stranger = rig_at(way.stranger, 0);
	int other_fd = way_peer(&other), stranger_fd = way_peer(&stranger);
	char buf[BYTES];

	rig_publish(r);
	rig_send(other_fd, &r->outside, rig_rtp(buf, BYTES, 0, 1));
	rig_send(stranger_fd, &r->outside, rig_rtp(buf, BYTES, 0, 1));
	rig_send(r->caller_fd, &r->outside, rig_rtp(buf, BYTES, 8, 1));
	rig_send(r->caller_fd, &r->outside, SL("no rtp"));
	turn(r);
	assert_int_equal(stats(r, 0).refused[HW_REFUSED_PORT], 1);
	assert_int_equal(stats(r, 0).refused[HW_REFUSED_ADDRESS], 1);
	assert_int_equal(stats(r, 0).refused[HW_REFUSED_TYPE], 1);
	assert_int_equal(stats(r, 0).refused[HW_REFUSED_NOT_RTP], 1);
	assert_int_equal(stats(r, 0).packets, 0);
	assert_false(rig_readable(r->callee_fd, 0));
	close(other_fd);
	close(stranger_fd);
}

static void closed_is_closed_at_once(void **state)
{
	struct rig *r = *state;
	char buf[BYTES];

	rig_publish(r);
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, rig_rtp(buf, BYTES, 0, 1)));
	rig_send(r->caller_fd, &r->outside, rig_rtp(buf, BYTES, 0, 2));
	/* Withdrawn with a packet in the socket, and no kick yet. */
	assert_int_equal(flow_table_withdraw(r->table, r->index[0]), 0);
	turn(r);
	assert_false(rig_readable(r->callee_fd, 0));
	relay_sync(r->relay, r->index[0]);
	r->outside.port = r->spec[0].local.port;
	close(rig_socket(&r->outside)); /* the port is free again */
	/* The other way still passes: it leaves from a port that is closed now: nowhere. */
	rig_send(r->callee_fd, &r->inside, rig_rtp(buf, BYTES, 0, 1));
	turn(r);
	assert_int_equal(stats(r, 1).refused[HW_REFUSED_NO_TARGET], 1);
}

static void learns_the_port_of_a_nated_phone(void **state)
{
	struct rig *r = *state;
	struct ip_endpoint stranger = rig_at(way.stranger, 0), second = rig_at(way.caller, 0);
	int stranger_fd = way_peer(&stranger), second_fd = way_peer(&second);
	char buf[BYTES];

	r->spec[0].learn_port = r->spec[1].to_learned = true;
	r->spec[0].source.port = 0;
	r->spec[1].to = (struct ip_endpoint){0};
	rig_publish(r);
	rig_send(r->callee_fd, &r->inside, rig_rtp(buf, BYTES, 0, 1));
	rig_send(stranger_fd, &r->outside, rig_rtp(buf, BYTES, 0, 1));
	turn(r);
	assert_int_equal(stats(r, 1).refused[HW_REFUSED_NO_TARGET], 1);
	assert_false(rig_readable(stranger_fd, 0));
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, rig_rtp(buf, BYTES, 0, 1)));
	assert_int_equal(stats(r, 0).learned_port, r->caller.port);
	assert_true(passes(r, r->callee_fd, &r->inside, r->caller_fd, rig_rtp(buf, BYTES, 0, 2)));
	/* The same address, another port: too late. */
	assert_false(passes(r, second_fd, &r->outside, r->callee_fd, rig_rtp(buf, BYTES, 0, 2)));
	/* A re-INVITE arms it anew; until then the old port is the target. */
	rig_publish(r);
	assert_true(passes(r, r->callee_fd, &r->inside, r->caller_fd, rig_rtp(buf, BYTES, 0, 3)));
	assert_true(passes(r, second_fd, &r->outside, r->callee_fd, rig_rtp(buf, BYTES, 0, 3)));
	assert_true(passes(r, r->callee_fd, &r->inside, second_fd, rig_rtp(buf, BYTES, 0, 4)));
	assert_int_equal(stats(r, 0).packets, 2);
	close(stranger_fd);
	close(second_fd);
}

static void rtcp_shares_the_port_or_has_its_own(void **state)
{
	static const struct slice report = SLICE("\x80\xc9\x00\x01\x11\x11\x11\x11");
	struct rig *r = *state;

	rig_publish(r);
	assert_false(passes(r, r->caller_fd, &r->outside, r->callee_fd, report));
	r->spec[0].rtcp_mux = true;
	rig_publish(r);
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, report));
	assert_int_equal(stats(r, 0).control_packets, 1);
	assert_int_equal(stats(r, 0).packets, 0);
	r->spec[0].rtcp_mux = false;
	r->spec[0].kind = FLOW_RTCP;
	rig_publish(r);
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, report));
	assert_int_equal(stats(r, 0).packets, 1);
}

static void raw_flow_and_long_packets(void **state)
{
	static char big[RELAY_PACKET_BYTES_MAX + 1];
	struct rig *r = *state;

	r->spec[0].kind = FLOW_RAW;
	rig_publish(r);
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, SL("udptl")));
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd,
			   slice_of(big, RELAY_PACKET_BYTES_MAX)));
	assert_false(
		passes(r, r->caller_fd, &r->outside, r->callee_fd, slice_of(big, sizeof(big))));
	assert_int_equal(stats(r, 0).refused[HW_REFUSED_TOO_LONG], 1);
}

/* RTP with the right head: as long as a frame of Ethernet takes, and one byte more. */
static void long_rtp(void **state)
{
	static char buf[RTP_PACKET_BYTES_MAX + 1];
	struct rig *r = *state;

	rig_publish(r);
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd,
			   rig_rtp(buf, RTP_PACKET_BYTES_MAX, 0, 1)));
	assert_false(passes(r, r->caller_fd, &r->outside, r->callee_fd,
			    rig_rtp(buf, RTP_PACKET_BYTES_MAX + 1, 0, 2)));
	assert_int_equal(stats(r, 0).refused[HW_REFUSED_TOO_LONG], 1);
}

static void rate_is_policed(void **state)
{
	struct rig *r = *state;
	char buf[BYTES];

	r->spec[0].rate_bytes_s = 1000;
	rig_publish(r);
	for (uint16_t i = 0; i < 100; i++)
		rig_send(r->caller_fd, &r->outside, rig_rtp(buf, BYTES, 0, i));
	turn(r);
	assert_in_range(stats(r, 0).packets, RELAY_BUCKET_BYTES_MIN / BYTES,
			RELAY_BUCKET_BYTES_MIN / BYTES + 2);
	assert_int_equal(stats(r, 0).packets + stats(r, 0).refused[HW_REFUSED_RATE], 100);
}

/* More than a batch on one port: nothing is forgotten, order is kept. */
static void bursts_pass_whole(void **state)
{
	struct rig *r = *state;
	char buf[BYTES];

	rig_publish(r);
	for (uint16_t i = 0; i < 3 * RELAY_BATCH_MAX + 5; i++)
		rig_send(r->caller_fd, &r->outside, rig_rtp(buf, BYTES, 0, i));
	turn(r);
	for (uint16_t i = 0; i < 3 * RELAY_BATCH_MAX + 5; i++)
		assert_true(gets(r->callee_fd, rig_rtp(buf, BYTES, 0, i)));
	assert_int_equal(stats(r, 0).packets, 3 * RELAY_BATCH_MAX + 5);
	assert_int_equal(stats(r, 0).reordered + stats(r, 0).lost, 0);
}

static int mark_of(struct slice *packet, int fd, char *buf, size_t size)
{
	char control[64];
	struct iovec part = {buf, size};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, 0);

	assert_true(n > 0);
	*packet = slice_of(buf, (size_t)n);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			return *CMSG_DATA(c);
	return -1;
}

static void packets_are_marked(void **state)
{
	struct rig *r = *state;
	struct slice packet;
	char buf[BYTES];
	int on = 1;

	r->spec[0].dscp = 46;
	rig_publish(r);
	assert_int_equal(setsockopt(r->callee_fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)), 0);
	rig_send(r->caller_fd, &r->outside, rig_rtp(buf, BYTES, 0, 1));
	turn(r);
	assert_int_equal(mark_of(&packet, r->callee_fd, buf, sizeof(buf)), 46 << 2);
}

static void ipv6_to_ipv4_and_back(void **state)
{
	struct rig *r = *state;
	char buf[BYTES];

	relay_free(r->relay);
	close(r->caller_fd);
	close(r->callee_fd);
	rig_start(r, way.outside6, way.caller6);
	rig_publish(r);
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, rig_rtp(buf, BYTES, 0, 1)));
	assert_true(passes(r, r->callee_fd, &r->inside, r->caller_fd, rig_rtp(buf, BYTES, 0, 1)));
	assert_in_range(way_taken(), 2, SIZE_MAX);
}

/* A relay that starts finds running calls in the table: same ports, same learned sources, figures
 * that go on. */
static void another_relay_carries_on(void **state)
{
	struct rig *r = *state;
	char buf[BYTES];

	r->spec[0].learn_port = r->spec[1].to_learned = true;
	r->spec[1].to = (struct ip_endpoint){0};
	rig_publish(r);
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, rig_rtp(buf, BYTES, 0, 1)));
	relay_free(r->relay);
	rig_relay(r);
	relay_sync_all(r->relay);
	assert_true(passes(r, r->callee_fd, &r->inside, r->caller_fd, rig_rtp(buf, BYTES, 0, 7)));
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, rig_rtp(buf, BYTES, 0, 2)));
	assert_int_equal(stats(r, 0).packets, 2);
	assert_int_equal(stats(r, 0).lost, 0);
	assert_int_equal(flow_table_withdraw(r->table, r->index[0]), 0);
	assert_int_equal(flow_table_withdraw(r->table, r->index[1]), 0);
	relay_sync_all(r->relay);
	close(rig_socket(&r->outside));
	close(rig_socket(&r->inside));
}

/* Frames come to any thread; the state of keys and handshakes belongs to one. */
static void what_may_be_encrypted_takes_ordinary_sockets(void **state)
{
	struct rig *r = *state;
	char buf[BYTES];

	r->spec[0].dtls = true;
	rig_publish(r);
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, rig_rtp(buf, BYTES, 0, 1)));
	assert_true(way_taken() == 0 || way_taken() == SIZE_MAX);
	assert_int_equal(stats(r, 0).packets, 1);
}

static void busy_port_is_tried_again(void **state)
{
	struct rig *r = *state;
	int holder = rig_socket(&r->outside);
	char buf[BYTES];

	rig_publish(r);
	assert_int_equal(relay_unbound(r->relay), 1);
	close(holder);
	for (unsigned i = 0; i < 200 && relay_unbound(r->relay); i++)
		assert_int_equal(relay_run(r->relay, RELAY_RETRY_MS), 0);
	assert_int_equal(relay_unbound(r->relay), 0);
	assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd, rig_rtp(buf, BYTES, 0, 1)));
}

static void other_threads_calls_are_left_alone(void **state)
{
	struct rig *r = *state;
	struct relay_setup setup = {
		.table = r->path, .workers = 4, .wake_fd = -1, .now_ns = rig_now_ns};

	relay_free(r->relay);
	setup.worker = (relay_worker_of(1, 4) + 1) % 4;
	assert_int_equal(relay_new(&setup, &r->relay), 0);
	rig_publish(r);
	assert_int_equal(relay_unbound(r->relay), 0);
	close(rig_socket(&r->outside)); /* not bound by it */
	relay_sync(r->relay, HW_FLOW_NONE);
}

static void workers_share_evenly(void **state)
{
	unsigned count[3] = {0};

	for (uint32_t call = 1; call <= 3000; call++)
		count[relay_worker_of(call, 3)]++;
	for (unsigned i = 0; i < 3; i++)
		assert_in_range(count[i], 900, 1100);
	assert_int_equal(relay_worker_of(12345, 1), 0);
}

static int start_and_sync(void *ctx)
{
	struct rig *r = ctx;
	const struct relay_setup setup = {
		.table = r->path, .workers = 1, .wake_fd = -1, .now_ns = rig_now_ns};
	struct relay *relay = NULL;
	int err = relay_new(&setup, &relay);

	if (!err)
		relay_sync_all(relay); /* a port without memory waits for the next kick */
	relay_free(relay);
	return err;
}

static void allocations_fail(void **state)
{
	struct rig *r = *state;

	rig_publish(r);
	relay_free(r->relay);
	r->relay = NULL;
	assert_int_equal(failing_alloc_each(start_and_sync, r), 4);
}

static void packets_cost_no_memory(void **state)
{
	struct rig *r = *state;
	unsigned long before;
	char buf[BYTES];

	rig_publish(r);
	before = mem_test_requests();
	for (uint16_t i = 0; i < 100; i++)
		assert_true(passes(r, r->caller_fd, &r->outside, r->callee_fd,
				   rig_rtp(buf, BYTES, 0, i)));
	assert_int_equal(mem_test_requests(), before);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RIG(relays_both_ways),
		WITH_RIG(refuses_what_the_signalling_does_not_justify),
		WITH_RIG(closed_is_closed_at_once),
		WITH_RIG(learns_the_port_of_a_nated_phone),
		WITH_RIG(rtcp_shares_the_port_or_has_its_own),
		WITH_RIG(raw_flow_and_long_packets),
		WITH_RIG(long_rtp),
		WITH_RIG(rate_is_policed),
		WITH_RIG(bursts_pass_whole),
		WITH_RIG(packets_are_marked),
		WITH_RIG(ipv6_to_ipv4_and_back),
		WITH_RIG(another_relay_carries_on),
		WITH_RIG(what_may_be_encrypted_takes_ordinary_sockets),
		WITH_RIG(busy_port_is_tried_again),
		WITH_RIG(other_threads_calls_are_left_alone),
		cmocka_unit_test(workers_share_evenly),
		WITH_RIG(allocations_fail),
		WITH_RIG(packets_cost_no_memory),
	};

	int failed = way_begin();

	return failed ? failed : cmocka_run_group_tests(tests, NULL, NULL);
}
