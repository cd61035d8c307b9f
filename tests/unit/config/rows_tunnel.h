/* Rows of section tunnel; for test_values.c alone. */
{"tunnel", "zone", "outside", NULL},
	{"tunnel", "zone", "outsid",
	 "zone = outsid: there is no such zone; did you mean \"outside\"?"},
	{"tunnel", "remote", "{192.0.2.2, \"2001:db8::2\"}", NULL},
	{"tunnel", "remote", "site.example",
	 "remote = \"site.example\": write an IPv4 or IPv6 address, without a prefix length"},
	{"tunnel", "local-subnet", "{\"10.1.9.0/24\", \"10.1.0.0/24\"}", NULL},
	{"tunnel", "local-subnet", "office",
	 "local-subnet = \"office\": write a network, as in \"10.0.0.0/8\" or "
	 "\"2001:db8::/32\"\nf:17: "
	 "zone far: its address is not in local-subnet of tunnel t, so nothing of it would go "
	 "through; correct one of them"},
	{"tunnel", "remote-subnet", "\"10.2.0.0/16\"", NULL},
	{"tunnel", "remote-subnet", "branch",
	 "remote-subnet = \"branch\": write a network, as in \"10.0.0.0/8\" or \"2001:db8::/32\""},
	{"tunnel", "local-id", "gate.test", NULL},
	{"tunnel", "local-id",
	 "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
	 "901234567890123456789012345678901234567",
	 "local-id = "
	 "\"012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
	 "78901234567890123456789012345678901234567\": write at most 127 bytes"},
	{"tunnel", "remote-id", "site.test", NULL},
	{"tunnel", "remote-id",
	 "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
	 "901234567890123456789012345678901234567",
	 "remote-id = "
	 "\"012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
	 "78901234567890123456789012345678901234567\": write at most 127 bytes"},
	{"tunnel", "psk-file", "/etc/hornwork/branch.secret", NULL},
	{"tunnel", "psk-file", "secret",
	 "psk-file = \"secret\": write a file name from the root on, as in "
	 "\"/etc/hornwork/secret\"\nf:16: tunnel t cannot prove itself; add psk-file = "
	 "\"/etc/hornwork/t.secret\", or certificate, key and ca"},
	{"tunnel", "certificate", "/c.pem",
	 "tunnel t has a psk-file and a certificate; keep one of them"},
	{"tunnel", "certificate", "c.pem",
	 "certificate = \"c.pem\": write a file name from the root on, as in "
	 "\"/etc/hornwork/secret\""},
	{"tunnel", "key", "/c.key", "tunnel t has a psk-file and a certificate; keep one of them"},
	{"tunnel", "key", "c.key",
	 "key = \"c.key\": write a file name from the root on, as in \"/etc/hornwork/secret\""},
	{"tunnel", "ca", "/ca.pem", "tunnel t has a psk-file and a certificate; keep one of them"},
	{"tunnel", "ca", "ca.pem",
	 "ca = \"ca.pem\": write a file name from the root on, as in \"/etc/hornwork/secret\""},
	{"tunnel", "device", "ipsec0", NULL},
	{"tunnel", "device", "\"ipsec+\"",
	 "device = \"ipsec+\": write the name of a network interface, as `ip link` shows it: up "
	 "to "
	 "15 letters, digits, dots, hyphens"},
	{"tunnel", "charon", "/run/other.vici", NULL},
	{"tunnel", "charon", "other.vici",
	 "charon = \"other.vici\": write a file name from the root on, as in "
	 "\"/etc/hornwork/secret\""},
