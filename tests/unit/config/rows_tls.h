/* Rows of section tls and of how keys are agreed on; for test_values.c alone. */
{"tls", "certificate", "{\"/etc/a.pem\", \"/etc/b.pem\"}", NULL},
	{"tls", "certificate", "a.pem",
	 "certificate = \"a.pem\": write a file name from the root on, as in "
	 "\"/etc/hornwork/sip.pem\""},
	{"tls", "key", "/etc/a.key", NULL},
	{"tls", "key", "{/etc/a.key, /etc/b.key}",
	 "there are 1 certificates and 2 keys; write a key for each, in the same order"},
	{"tls", "ca", "/etc/ca.pem", NULL},
	{"tls", "ca", "ca.pem",
	 "ca = \"ca.pem\": write a file name from the root on, as in \"/etc/hornwork/secret\""},
	{"tls", "ocsp", "/etc/a.ocsp", NULL},
	{"tls", "ocsp", "{/etc/a.ocsp, /etc/b.ocsp}",
	 "there are 1 certificates and 2 OCSP responses; write one for each, in the same order"},
	{"tls", "min-version", "1.3", NULL},
	{"tls", "min-version", "1.1", "min-version = \"1.1\": did you mean \"1.2\"?"},
	{"tls", "origin", "\"https://phones.example:8443\"", NULL},
	{"tls", "origin", "phones.example",
	 "origin = \"phones.example\": write scheme and host, as in \"https://phones.example\", "
	 "without a path"},
	{"tls", "origin", "\"https://phones.example/\"",
	 "origin = \"https://phones.example/\": write scheme and host, as in "
	 "\"https://phones.example\", without a path"},
	{"identity", "anchors", "/etc/b.pem", NULL},
	{"identity", "anchors", "a.pem",
	 "anchors = \"a.pem\": write a file name from the root on, as in \"/etc/hornwork/secret\""},
	{"identity", "https-ca", "/etc/b.pem", NULL},
	{"identity", "https-ca", "a.pem",
	 "https-ca = \"a.pem\": write a file name from the root on, as in "
	 "\"/etc/hornwork/secret\""},
	{"identity", "hosts", "{cert.example, 192.0.2.1}", NULL},
	{"identity", "hosts", "\"https://cert.example/\"",
	 "hosts = \"https://cert.example/\": write a domain or an address, without \"sip:\" and "
	 "without a port"},
	{"identity", "inside", "10.9.0.0/24", NULL},
	{"identity", "inside", "10.9.0.1/24",
	 "inside = \"10.9.0.1/24\": the address has bits beyond the prefix; did you mean "
	 "\"10.9.0.0/24\"?"},
	{"trunk", "identity", "off", NULL},
	{"trunk", "identity", "of", "identity = \"of\": did you mean \"off\"?"},
	{"trunk", "identity", "require", NULL},
	{"trunk", "identity-certificate", "/etc/a.pem",
	 "trunk carrier: identity-certificate, identity-key and identity-url go together; write "
	 "all of "
	 "them or none"},
	{"trunk", "identity-certificate", "a.pem",
	 "identity-certificate = \"a.pem\": write a file name from the root on, as in "
	 "\"/etc/hornwork/secret\""},
	{"trunk", "identity-key", "/etc/a.pem",
	 "trunk carrier: identity-certificate, identity-key and identity-url go together; write "
	 "all of "
	 "them or none"},
	{"trunk", "identity-key", "a.pem",
	 "identity-key = \"a.pem\": write a file name from the root on, as in "
	 "\"/etc/hornwork/secret\""},
	{"trunk", "identity-url", "\"https://cert.example/a.pem\"",
	 "trunk carrier: identity-certificate, identity-key and identity-url go together; write "
	 "all of "
	 "them or none"},
	{"trunk", "identity-url", "\"http://cert.example/a\"",
	 "identity-url = \"http://cert.example/a\": write a URL of https://"},
	{"trunk", "attest", "C", NULL},
	{"trunk", "attest", "D", "attest = \"D\": did you mean \"A\"?"},
	{"trunk", "country-code", "49", NULL},
	{"trunk", "country-code", "x1", "country-code = x1: write digits alone"},
	{"trunk", "national-prefix", "0", NULL},
	{"trunk", "national-prefix", "x1", "national-prefix = x1: write digits alone"},
	{"trunk", "international-prefix", "00", NULL},
	{"trunk", "international-prefix", "x1", "international-prefix = x1: write digits alone"},
	{"pbx", "key-exchange", "sdes", NULL},
	{"pbx", "key-exchange", "dtls",
	 "key-exchange = dtls of pbx main needs srtp = required: an offer of DTLS leaves no "
	 "choice"},
	{"phones", "key-exchange", "sdes", NULL},
	{"phones", "key-exchange", "dtls",
	 "key-exchange = dtls of phones remote needs srtp = required: an offer of DTLS leaves no "
	 "choice"},
	{"trunk", "key-exchange", "sdes", NULL},
	{"trunk", "key-exchange", "dtls",
	 "key-exchange = dtls of trunk carrier needs srtp = required: an offer of DTLS leaves no "
	 "choice"},
