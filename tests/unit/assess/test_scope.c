/* What no asset declares is refused before a socket is there. */
#include <sys/socket.h>
#include <unistd.h>

#include "assess/scope.h"
#include "config/config_load.h"
#include "unit/check.h"

static const char text[] = "asset desk { subnet = 10.20.0.0/24  kind = phone }\n"
			   "asset one  { address = {10.20.0.9, \"fd00::9\"}  kind = pbx }\n"
			   "asset pub  { address = 192.0.2.1 }\n"
			   "asset own  { address = 192.0.2.2  owner-confirmed = yes }\n";

static struct config *config;

static int load(void **state)
{
	struct config_report report = config_report_empty();
	int err = config_parse(slice_z(text), &report, &config);

	(void)state;
	config_report_done(&report);
	return err;
}

static int unload(void **state)
{
	(void)state;
	config_free(config);
	return 0;
}

struct row {
	const char *address;
	const char *asset; /* NULL: nobody's */
	int err;
	const char *why;
};

static const struct row rows[] = {
	{"10.20.0.5", "desk", 0, NULL},
	{"10.20.0.9", "one", 0, NULL}, /* a single address goes before a subnet */
	{"fd00::9", "one", 0, NULL},
	{"192.0.2.2", "own", 0, NULL},
	{"192.0.2.1", "pub", ERR_DENIED, "owner-confirmed"},
	{"10.20.1.5", NULL, ERR_DENIED, "no declared asset"},
	{"127.0.0.1", NULL, ERR_DENIED, "no declared asset"},
	{"fd00::8", NULL, ERR_DENIED, "no declared asset"},
	{"224.0.0.1", NULL, ERR_DENIED, "no declared asset"},
};

static void each_address(void **state)
{
	char why[SCOPE_WHY_MAX];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct config_asset *a;
		struct ip_addr at;
		int fd = -1;

		assert_int_equal(ip_parse(slice_z(rows[i].address), &at), 0);
		a = scope_asset_of(config, &at);
		check_slice(rows[i].address, slice_z(a ? a->name : NULL),
			    rows[i].asset ? rows[i].asset : "");
		check_int(rows[i].address, scope_admit(config, &at, why), rows[i].err);
		if (rows[i].why && !strstr(why, rows[i].why))
			fail_msg("%s: \"%s\"", rows[i].address, why);
		if (at.family == IP_V6 && !rows[i].err)
			continue;
		check_int(rows[i].address, scope_socket(config, &at, SOCK_DGRAM, &fd), rows[i].err);
		assert_true((fd >= 0) == (rows[i].err == 0));
		if (fd >= 0)
			close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_address)};

	return cmocka_run_group_tests(tests, load, unload);
}
