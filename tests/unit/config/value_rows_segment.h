/* Rows of test_values.c about what is looked for below IP, and administrators; included within its
 * table. */
{"zone", "switches", "{\"00:15:65:12:34:56\"}", NULL},
	{"zone", "switches", "closet",
	 "switches = \"closet\": write a hardware address, as in \"00:15:65:12:34:56\""},
	{"zone", "dhcp-servers", "{10.0.0.2, \"fe80::2\"}", NULL},
	{"zone", "dhcp-servers", "dhcp.example",
	 "dhcp-servers = \"dhcp.example\": write a network, as in \"10.0.0.0/8\" or "
	 "\"2001:db8::/32\""},
	{"assess", "admins", "{\"10.99.0.0/24\", \"fd00:99::/64\"}", NULL},
	{"assess", "admins", "\"10.99.0.1/24\"",
	 "admins = \"10.99.0.1/24\": the address has bits beyond the prefix; did you mean "
	 "\"10.99.0.0/24\"?"},
