/* Rows of test_values.c about what is looked for below IP, and administrators; included within its
 * table. */
{"voice-vlan", "lldpd", "/run/lldpd.socket",
 "warning: voice-vlan tells nobody: no zone has role = voice"},
	{"voice-vlan", "lldpd", "lldpd.socket",
	 "lldpd = \"lldpd.socket\": write a file name from the root on, as in "
	 "\"/etc/hornwork/secret\""},
	{"voice-vlan", "priority", "7",
	 "warning: voice-vlan tells nobody: no zone has role = voice"},
	{"voice-vlan", "priority", "8", "priority = \"8\": write a value from 0 to 7"},
	{"voice-vlan", "dscp", "63", "warning: voice-vlan tells nobody: no zone has role = voice"},
	{"voice-vlan", "dscp", "64", "dscp = \"64\": write a value from 0 to 63"},
	{"zone", "leak-watch", "no", NULL},
	{"zone", "leak-watch", "maybe", "leak-watch = \"maybe\": write yes or no"},
	{"zone", "switches", "{\"00:15:65:12:34:56\"}", NULL},
	{"zone", "switches", "closet",
	 "switches = \"closet\": write a hardware address, as in \"00:15:65:12:34:56\""},
	{"zone", "dhcp-servers", "{10.0.0.2, \"fe80::2\"}", NULL},
	{"zone", "server-ports", "{eth2, tap0}", NULL},
	{"zone", "server-ports", "\"a b\"",
	 "server-ports = \"a b\": write the name of a network interface, as `ip link` shows it: up "
	 "to 15 letters, digits, dots, hyphens"},
	{"zone", "address-guard", "off", NULL},
	{"zone", "address-guard", "maybe", "address-guard = \"maybe\": write auto, on or off"},
	{"zone", "dhcp-servers", "dhcp.example",
	 "dhcp-servers = \"dhcp.example\": write a network, as in \"10.0.0.0/8\" or "
	 "\"2001:db8::/32\""},
	{"assess", "admins", "{\"10.99.0.0/24\", \"fd00:99::/64\"}", NULL},
	{"assess", "admins", "\"10.99.0.1/24\"",
	 "admins = \"10.99.0.1/24\": the address has bits beyond the prefix; did you mean "
	 "\"10.99.0.0/24\"?"},
