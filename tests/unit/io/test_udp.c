/* Datagrams: batches, order, what cannot be sent, renumbering. */
#include "unit/io/rig.h"

#include "base/mem.h"
#include "io/limits.h"
#include "io/udp.h"

struct rig {
	struct loop *loop;
	struct udp *udp;
	struct ip_endpoint local;
	size_t got, unsent;
	uint16_t listener;
	uint32_t next;
	bool echo;
};

static void on_datagram(void *ctx, uint16_t listener, const struct ip_endpoint *from,
			struct slice bytes)
{
	struct rig *r = ctx;
	uint32_t number;

	r->listener = listener;
	if (bytes.n >= sizeof(number)) {
		memcpy(&number, bytes.p, sizeof(number));
		assert_int_equal(number, r->next);
		r->next++;
	}
	r->got++;
	if (r->echo)
		udp_send(r->udp, listener, from, bytes);
}

static void on_unsent(void *ctx, uint16_t listener, const struct ip_endpoint *to)
{
	struct rig *r = ctx;

	r->unsent++;
	/* what the core does then: it may send again at once */
	if (r->unsent < 3)
		udp_send(r->udp, listener, to, SL("again"));
}

static void flush(void *ctx)
{
	struct rig *r = ctx;

	udp_flush(r->udp);
}

static int up(void **state)
{
	struct rig *r = mem_zalloc(1, sizeof(*r));
	struct udp_handler h = {.ctx = r, .datagram = on_datagram, .unsent = on_unsent};
	int fd;

	assert_non_null(r);
	assert_int_equal(loop_new(&r->loop), 0);
	assert_int_equal(udp_new(r->loop, &h, &r->udp), 0);
	fd = rig_socket(SOCK_DGRAM, &r->local);
	assert_int_equal(udp_add(r->udp, 3, fd), 0);
	loop_on_turn_end(r->loop, flush, r);
	*state = r;
	return 0;
}

static int down(void **state)
{
	struct rig *r = *state;

	udp_free(r->udp);
	loop_free(r->loop);
	mem_free(r);
	assert_int_equal(mem_test_live(), 0);
	return 0;
}

static void more_than_a_batch_goes_and_comes_in_order(void **state)
{
	struct rig *r = *state;
	struct ip_endpoint peer;
	struct sockaddr_storage name;
	socklen_t size = addr_to_system(&r->local, &name);
	int fd = rig_socket(SOCK_DGRAM, &peer);
	uint32_t count = 3 * UDP_BATCH_MAX + 5, back = 0, number;

	r->echo = true;
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(sendto(fd, &i, sizeof(i), 0, (struct sockaddr *)&name, size),
				 (long long)sizeof(i));
	rig_run(r->loop, 50);
	assert_int_equal(r->got, count);
	assert_int_equal(r->listener, 3);
	while (recv(fd, &number, sizeof(number), MSG_DONTWAIT) == (ssize_t)sizeof(number))
		assert_int_equal(number, back++);
	assert_int_equal(back, count);
	close(fd);
}

static void what_cannot_be_sent_is_told_outside_of_sending(void **state)
{
	struct rig *r = *state;
	struct ip_endpoint nowhere = {.addr = {IP_V6, {0x20, 1, 0xd, 0xb8}}, .port = 5060};

	udp_send(r->udp, 3, &nowhere, SL("x")); /* an IPv6 end from an IPv4 socket */
	assert_int_equal(r->unsent, 0);
	rig_run(r->loop, 20);
	assert_int_equal(r->unsent, 3);
}

static void an_unknown_listener_is_unsent(void **state)
{
	struct rig *r = *state;

	r->unsent = 5;
	udp_send(r->udp, 9, &r->local, SL("x"));
	rig_run(r->loop, 5);
	assert_int_equal(r->unsent, 6);
}

static void the_longest_datagram_and_one_more(void **state)
{
	struct rig *r = *state;
	static char bytes[UDP_DATAGRAM_MAX + 1];
	struct udp_stats stats;

	r->unsent = 5;
	memset(bytes, 0, 4);
	udp_send(r->udp, 3, &r->local, slice_of(bytes, 65507)); /* RFC 768 over IPv4 */
	udp_send(r->udp, 3, &r->local, slice_of(bytes, 65508));
	rig_run(r->loop, 20);
	udp_stats_get(r->udp, &stats);
	assert_int_equal(stats.sent, 1);
	assert_int_equal(stats.unsent, 1);
	assert_int_equal(r->got, 1);
}

static void a_full_queue_is_flushed_in_between(void **state)
{
	struct rig *r = *state;
	struct udp_stats stats;

	for (uint32_t i = 0; i < UDP_SEND_MAX + 10; i++)
		udp_send(r->udp, 3, &r->local, slice_of((const char *)&i, sizeof(i)));
	rig_run(r->loop, 50);
	udp_stats_get(r->udp, &stats);
	assert_int_equal(stats.sent, UDP_SEND_MAX + 10);
	assert_int_equal(r->got, stats.received);
	assert_true(r->got > 0);
}

static void after_a_reload_numbers_are_others(void **state)
{
	struct rig *r = *state;
	uint16_t map[4] = {UINT16_MAX, UINT16_MAX, UINT16_MAX, 0};

	udp_renumber(r->udp, map, 4);
	udp_send(r->udp, 0, &r->local, slice_of("\0\0\0\0", 4));
	rig_run(r->loop, 20);
	assert_int_equal(r->got, 1);
	assert_int_equal(r->listener, 0);
	map[0] = UINT16_MAX;
	udp_renumber(r->udp, map, 1);
	r->unsent = 5;
	udp_send(r->udp, 0, &r->local, SL("gone"));
	rig_run(r->loop, 5);
	assert_int_equal(r->unsent, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(more_than_a_batch_goes_and_comes_in_order, up,
						down),
		cmocka_unit_test_setup_teardown(what_cannot_be_sent_is_told_outside_of_sending, up,
						down),
		cmocka_unit_test_setup_teardown(an_unknown_listener_is_unsent, up, down),
		cmocka_unit_test_setup_teardown(the_longest_datagram_and_one_more, up, down),
		cmocka_unit_test_setup_teardown(a_full_queue_is_flushed_in_between, up, down),
		cmocka_unit_test_setup_teardown(after_a_reload_numbers_are_others, up, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
