#include "unit/check.h"

#include "advisory/packages.h"

static void test_formats(void **state)
{
	static const struct {
		const char *name, *text, *package, *version, *source;
		enum row_order order;
	} rows[] = {
		{"dpkg's status",
		 "Package: asterisk\nStatus: install ok installed\nVersion: 1:20.1-1\n\n"
		 "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n",
		 "asterisk", "1:20.1-1", "asterisk", ORDER_DPKG},
		{"a source of another version",
		 "Package: liba\nStatus: install ok installed\nSource: abc (2.0-1)\nVersion: "
		 "2.0-1+b3\n",
		 "abc", "2.0-1", "abc", ORDER_DPKG},
		{"dpkg-query", "liba\t2.0-1+b3\tabc\t2.0-1\n", "abc", "2.0-1", "abc", ORDER_DPKG},
		{"dpkg -l",
		 "Desired=Unknown/Install\n| Status\nii  openssh-server:amd64  1:9.2p1-2  amd64  x "
		 "y\n"
		 "rc  gone  1.0  all  x\n",
		 "openssh-server", "1:9.2p1-2", "openssh-server", ORDER_DPKG},
		{"rpm -qa", "openssh-server-8.7p1-34.el9.x86_64\ntzdata-2024a-1.el9.noarch\n",
		 "openssh-server", "8.7p1-34.el9", "openssh-server", ORDER_RPM},
		{"rpm with tabs", "asterisk\t2:18.20.0-1.el9\tasterisk-18.20.0-1.el9.src.rpm\n",
		 "asterisk", "2:18.20.0-1.el9", "asterisk", ORDER_RPM},
		{"rpm without an epoch", "asterisk\t(none):18.20.0-1.el9\tx.src.rpm\n", "asterisk",
		 "18.20.0-1.el9", "asterisk", ORDER_RPM},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct package_list l;
		const struct package *p;

		package_list_init(&l);
		check_int(rows[i].name, package_list_read(&l, slice_z(rows[i].text)), 0);
		p = package_find(&l, slice_z(rows[i].package));
		if (!p)
			fail_msg("%s: the package is not there", rows[i].name);
		check_slice(rows[i].name, p->version, rows[i].version);
		check_slice(rows[i].name, p->source, rows[i].source);
		check_int(rows[i].name, l.order, rows[i].order);
		if (package_find(&l, SL("gone")))
			fail_msg("%s: a removed package counts", rows[i].name);
		package_list_done(&l);
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {"", "hello\nworld\n", "<html>"};

	for (size_t i = 0; i < ROWS(bad); i++) {
		struct package_list l;

		package_list_init(&l);
		check_int(bad[i], package_list_read(&l, slice_z(bad[i])), ERR_SYNTAX);
		package_list_done(&l);
	}
}

static void test_os(void **state)
{
	struct package_list l;

	package_list_init(&l);
	assert_int_equal(package_list_os(&l, SL("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n"
						"VERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n")),
			 0);
	check_slice("distribution", l.distribution, "debian");
	check_slice("release", l.release, "12");
	check_slice("codename", l.codename, "bookworm");
	package_list_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_os),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
