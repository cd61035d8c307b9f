#include "assess/checks/factory.h"
#include "unit/check.h"

/* A password is tried at devices whose family the facts name, at no other of the maker's. */
static void families(void **state)
{
	static const struct {
		const char *family, *product;
		bool want;
	} rows[] = {
		{"SIP-T20P/T2x generation", "Yealink SIP-T20P", true},
		{"SIP-T20P/T2x generation", "Yealink SIP-T28P", true},
		{"SIP-T20P/T2x generation", "Yealink SIP-T46S", false},
		{"SIP-T20P/T2x generation", "Yealink SIP-T200", false},
		{"UC Software phones: VVX, SoundPoint, Trio", "PolycomVVX-VVX_410-UA", true},
		{"UC Software phones: VVX, SoundPoint, Trio", "Polycom CCX 600", false},
		{"GRP26xx", "Grandstream GRP2614", true},
		{"GRP26xx", "Grandstream GXP2160", false},
		{"KX-UT113/123/133/136", "Panasonic KX-UT113", true},
		{"Mediant and MediaPack gateways/SBC", "AudioCodes Mediant 500", true},
		{"9600 series deskphones (SIP and H.323)", "Avaya 9600", true},
		{"H5 hotel phone", "Fanvil X3S phone", false},
		{"", "Yealink", false},
		{"SIP-T20P", "", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].product,
			  factory_family_fits(slice_z(rows[i].family), slice_z(rows[i].product)),
			  rows[i].want);
}

static void without_facts(void **state)
{
	struct factory_list list;

	(void)state;
	assert_int_equal(factory_load(NULL, "Yealink SIP-T20P", FACTORY_WEB, &list), ERR_ABSENT);
	assert_int_equal(factory_load("/nowhere", "Yealink SIP-T20P", FACTORY_WEB, &list),
			 ERR_ABSENT);
	assert_int_equal(list.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families),
		cmocka_unit_test(without_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
