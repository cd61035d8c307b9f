#include "unit/check.h"

#include "model/transport.h"

static void words(void **state)
{
	static const char *const names[] = {"udp", "tcp", "tls", "ws", "wss"};
	enum transport t;

	(void)state;
	assert_int_equal(ROWS(names), TRANSPORT_COUNT);
	for (unsigned i = 0; i < TRANSPORT_COUNT; i++) {
		assert_string_equal(transport_text((enum transport)i), names[i]);
		assert_int_equal(transport_parse(slice_z(names[i]), &t), 0);
		assert_int_equal(t, i);
		assert_int_equal(transport_reliable((enum transport)i), i != TRANSPORT_UDP);
	}
	assert_int_equal(transport_parse(SL("UDP"), &t), 0);
	assert_int_equal(t, TRANSPORT_UDP);
	assert_int_equal(transport_parse(SL("sctp"), &t), ERR_SYNTAX);
	assert_int_equal(transport_parse(SL(""), &t), ERR_SYNTAX);
	assert_string_equal(transport_text(TRANSPORT_COUNT), "?");
}

static void paths(void **state)
{
	struct path a = {.listener = 1, .transport = TRANSPORT_TCP, .conn = 3}, b = a;

	(void)state;
	b.conn = 4; /* another connection of the same peer is the same source */
	assert_true(path_same_source(&a, &b));
	b.remote.port = 9;
	assert_false(path_same_source(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(words), cmocka_unit_test(paths)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
