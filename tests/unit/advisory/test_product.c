#include "unit/check.h"

#include <stdlib.h>

#include "advisory/product.h"
#include "base/mem.h"
#include "unit/failing_alloc.h"

static int load(struct product_table *t)
{
	struct fault f = {{0}};
	char path[512];

	snprintf(path, sizeof(path), "%s/products.jsonl", getenv("HORNWORK_DATADIR"));
	return product_table_load(t, path, &f);
}

static void test_resolve(void **state)
{
	static const struct {
		const char *words, *key, *unit;
	} rows[] = {
		{"asterisk", "asterisk", ""},
		{"Asterisk PBX", "asterisk", ""},
		{"digium asterisk", "asterisk", ""},
		{"FreeSWITCH", "freeswitch", ""},
		{"kamailio", "kamailio", ""},
		{"opensips", "opensips", ""},
		{"pjsip", "pjproject", ""},
		{"freepbx/endpoint", "freepbx", "endpoint"},
		{"freepbx endpoint", "freepbx", "endpoint"},
		{"yealink t46s", "yealink-phone", "t46s"},
		{"Yealink SIP-T46S", "yealink-phone", "SIP-T46S"},
		{"yealink device management", "yealink-dm", ""},
		{"grandstream gxp1625", "grandstream-gxp", "gxp1625"},
		{"grandstream HT802", "grandstream-ht", "HT802"},
		{"grandstream ucm6204", "grandstream-ucm", "ucm6204"},
		{"vvx 411", "poly-phone", "vvx 411"},
		{"cisco spa504g", "cisco-spa", "spa504g"},
		{"cisco 8841", "cisco-ip-phone", "8841"},
		{"mitel 6869i", "mitel-phone", "6869i"},
		{"unify openscape 4000", "unify-openscape-4000", ""},
		{"3cx", "3cx", ""},
	};
	struct product_table t;

	assert_int_equal(load(&t), 0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice unit;
		const struct product *p = product_resolve(&t, slice_z(rows[i].words), &unit);

		check_slice(rows[i].words, p ? p->key : SL("nothing"), rows[i].key);
		check_slice(rows[i].words, unit, rows[i].unit);
	}
	product_table_done(&t);
}

static void test_unknown(void **state)
{
	static const char *const words[] = {"", "zzz", "phone", "edgewater", "acme 3000"};
	struct product_table t;
	struct slice unit;

	assert_int_equal(load(&t), 0);
	for (size_t i = 0; i < ROWS(words); i++)
		if (product_resolve(&t, slice_z(words[i]), &unit))
			fail_msg("'%s' is taken for a product", words[i]);
	check_slice("a slip", product_suggest(&t, SL("asterix")), "asterisk");
	check_slice("two slips", product_suggest(&t, SL("kamalio")), "kamailio");
	check_slice("nothing near", product_suggest(&t, SL("qqqqqqqq")), "");
	product_table_done(&t);
}

static void test_records(void **state)
{
	static const struct {
		const char *vendor, *product, *key, *unit;
	} rows[] = {
		{"asterisk", "certified_asterisk", "asterisk", ""},
		{"grandstream", "gxp1628_firmware", "grandstream-gxp", "gxp1628"},
		{"grandstream", "ucm6202_firmware", "grandstream-ucm", "ucm6202"},
		{"Avaya", "IP Office", "avaya-ipo", ""},
		{"signalwire", "freeswitch", "freeswitch", ""},
		{"pjsip", "pjproject", "pjproject", ""},
		{"yealink", "w60b", "yealink-phone", "w60b"},
		{"n/a", "n/a", "nothing", ""},
		{"microsoft", "windows", "nothing", ""},
	};
	struct product_table t;

	assert_int_equal(load(&t), 0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice unit;
		const struct product *p = product_by_vendor(&t, slice_z(rows[i].vendor),
							    slice_z(rows[i].product), &unit);

		check_slice(rows[i].product, p ? p->key : SL("nothing"), rows[i].key);
		check_slice(rows[i].product, unit, rows[i].unit);
	}
	check_slice("by package", product_by_package(&t, SL("asterisk"))->key, "asterisk");
	assert_null(product_by_package(&t, SL("bash")));
	product_table_done(&t);
}

static int load_once(void *context)
{
	struct product_table t;
	int err = load(&t);

	if (!err)
		product_table_done(&t);
	return err;
}

static void test_no_memory(void **state)
{
	assert_true(failing_alloc_each(load_once, NULL) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
