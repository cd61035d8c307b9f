/* What frames of LLDP and CDP tell, whole and cut short at every byte. */
#include <stdlib.h>

#include "assess/checks/link_tells.h"
#include "unit/check.h"

#define LLDP "\x01\x80\xc2\x00\x00\x0e\x02\0\0\0\0\1\x88\xcc"
#define BARE "\x02\x07\4\2\0\0\0\0\1\x04\x03\5p1\x06\x02\0\x78"
#define CDP  "\x01\x00\x0c\xcc\xcc\xcc\x02\0\0\0\0\1\0\x2c\xaa\xaa\x03\0\0\x0c\x20\0\x02\xb4\0\0"

static const struct {
	struct slice frame;
	const char *told;
} rows[] = {
	{SLICE(LLDP BARE "\0\0"), ""},
	{SLICE(LLDP BARE
	       "\xfe\x08\x00\x12\xbb\x02\x01\x00\xdd\x6e\xfe\x08\x00\x12\xbb\x0aT46S\0\0"),
	 "voice VLAN 110 (DSCP 46), model T46S"},
	{SLICE(LLDP "\xfe\x08\x00\x12\xbb\x02\x06\x00\xdd\x6e"), ""},
	{SLICE(LLDP "\x0c\x03lab\x10\x0c\x05\x01\x0a\x0a\0\1\2\0\0\0\1\0"),
	 "description lab, management address 10.10.0.1"},
	{SLICE(CDP "\0\x06\0\x07lab\0\x0e\0\x07\1\0\x6e\0\5\0\6v1"),
	 "model lab, voice VLAN 110, software v1"},
	{SLICE(CDP "\0\x02\0\x11\0\0\0\1\1\1\xcc\0\4\x0a\x0a\0\1"), "management address 10.10.0.1"},
	{SLICE(CDP "\0\x06\0\x03"), ""},
	{SLICE("\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0text"), ""},
};

static void tells_what_is_in_a_frame(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512];
		struct out o = out_to(text, sizeof(text));

		link_tells(rows[i].frame, &o);
		check_slice("told", out_slice(&o), rows[i].told);
	}
}

/* In memory of just that size, so that a read beyond is seen by the sanitizers. */
static void reads_what_is_cut_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t n = 0; n <= rows[i].frame.n; n++) {
			char *copy = malloc(n ? n : 1), text[64];
			struct out o = out_to(text, sizeof(text));

			assert_non_null(copy);
			memcpy(copy, rows[i].frame.p, n);
			link_tells(slice_of(copy, n), &o);
			assert_true(o.n <= sizeof(text));
			free(copy);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_is_in_a_frame),
		cmocka_unit_test(reads_what_is_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
