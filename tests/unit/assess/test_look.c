/* Product and version from what devices call themselves. */
#include "assess/look.h"
#include "unit/check.h"

struct row {
	const char *text, *product, *version;
};

static const struct row rows[] = {
	{"Yealink SIP-T46S 66.84.0.15", "Yealink SIP-T46S", "66.84.0.15"},
	{"Asterisk PBX 20.5.1", "Asterisk PBX", "20.5.1"},
	{"Asterisk PBX 18.9-cert12", "Asterisk PBX", "18.9-cert12"},
	{"PolycomVVX-VVX_411-UA/5.9.0.9373", "PolycomVVX-VVX_411-UA", "5.9.0.9373"},
	{"kamailio (5.6.3 (x86_64/linux))", "kamailio (5.6.3 (x86_64/linux))", ""},
	{"Grandstream GXP2160 1.0.11.6", "Grandstream GXP2160", "1.0.11.6"},
	{"snom320/8.7.3.25", "snom320", "8.7.3.25"},
	{"FPBX-16.0.40(18.12.1)", "FPBX", "16.0.40(18.12.1)"},
	{"Cisco-CP8841/12.8.1", "Cisco-CP8841", "12.8.1"},
	{"3CX Phone System", "3CX Phone System", ""},
	{"", "", ""},
};

static void each_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct target t = {0};

		look_read_product(&t, slice_z(rows[i].text), "test");
		check_slice(rows[i].text, slice_z(t.product), rows[i].product);
		check_slice(rows[i].text, slice_z(t.version), rows[i].version);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_text)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
