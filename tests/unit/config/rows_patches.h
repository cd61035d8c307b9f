/* Rows of section patches and of what else speaks of virtual patches; for test_values.c alone. */
{"patches", "shipped", "no", NULL},
	{"patches", "shipped", "maybe", "shipped = \"maybe\": write yes or no"},
	{"patches", "files", "{/etc/hornwork/a.conf, /etc/hornwork/b.conf}", NULL},
	{"patches", "files", "a.conf",
	 "files = \"a.conf\": write a file name from the root on, as in "
	 "\"/etc/hornwork/sip.pem\""},
	{"patches", "off", "{CVE-2018-7284, asterisk-nul-byte}", NULL},
	{"patches", "off", "\"CVE 2018\"",
	 "off = \"CVE 2018\": write the name of a rule, or a CVE as in \"CVE-2018-7284\""},
	{"patches", "mode", "observe", NULL},
	{"patches", "mode", "observed", "mode = \"observed\": did you mean \"observe\"?"},
	{"pbx", "product", "asterisk", NULL},
	{"pbx", "product", "{a, b}", "product takes one value, not a list; write product = VALUE"},
	{"shield", "patch", "CVE-2018-7284", NULL},
	{"shield", "patch", "\"\"",
	 "patch = \"\": write the name of a rule, or a CVE as in "
	 "\"CVE-2018-7284\""},
