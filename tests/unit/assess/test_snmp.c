/* The one question, and answers to it, good and hostile. */
#include "assess/snmp.h"
#include "unit/check.h"

/* A response as net-snmp's agent gives it, with request id 4711. */
static const char good[] = "\x30\x35\x02\x01\x01\x04\x06public\xa2\x28\x02\x02\x12\x67\x02\x01\x00"
			   "\x02\x01\x00\x30\x1c\x30\x1a\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00"
			   "\x04\x0eLinux lab 6.18";

static void the_question(void **state)
{
	char text[128];
	struct out o = out_to(text, sizeof(text));

	(void)state;
	snmp_write_get(&o, SNMP_V2C, "public", 4711);
	assert_int_equal(o.err, 0);
	assert_int_equal((uint8_t)text[1], o.n - 2);
	assert_memory_equal(text + o.n - 12, "\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x05\x00",
			    12);
	assert_memory_equal(text + 2, "\x02\x04\0\0\0\1\x04\x06public\xa0", 15);
}

static void a_good_answer(void **state)
{
	char out[SNMP_TEXT_MAX];

	(void)state;
	assert_int_equal(snmp_read_response(slice_of(good, sizeof(good) - 1), 4711, out), 0);
	assert_string_equal(out, "Linux lab 6.18");
	assert_int_equal(snmp_read_response(slice_of(good, sizeof(good) - 1), 4712, out),
			 ERR_SYNTAX);
}

/* Cut anywhere, or with any byte changed: an error or a text, never more. */
static void hostile_answers(void **state)
{
	char out[SNMP_TEXT_MAX], text[sizeof(good)];

	(void)state;
	for (size_t n = 0; n < sizeof(good) - 1; n++)
		assert_int_not_equal(snmp_read_response(slice_of(good, n), 4711, out), 0);
	for (size_t i = 0; i < sizeof(good) - 1; i++)
		for (unsigned b = 0; b < 256; b++) {
			memcpy(text, good, sizeof(good));
			text[i] = (char)b;
			(void)!snmp_read_response(slice_of(text, sizeof(text) - 1), 4711, out);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_question),
		cmocka_unit_test(a_good_answer),
		cmocka_unit_test(hostile_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
