/* The rows of section tls. */
#include "config/schema_rows.h"

const struct schema_row schema_tls_rows[SCHEMA_TLS_ROWS] = {
	{.key = "certificate",
	 .type = SCHEMA_FILES,
	 LIST(tls, certificates, certificate_count),
	 .tag = "r4",
	 .by_default = "none: no tls: and wss: listener can be had",
	 .help = "the gateway's certificates, a PEM file each",
	 .more = "Each file holds a certificate and behind it the chain to the authority. A client "
		 "that names a host (SNI) gets the one that is made out for it, others the first. "
		 "An RSA and an ECDSA certificate for the same name go together. `hornwork reload` "
		 "takes renewed files over without dropping a connection."},
	{.key = "key",
	 .type = SCHEMA_FILES,
	 LIST(tls, keys, key_count),
	 .tag = "r4",
	 .by_default = "in the file of the certificate",
	 .help = "the private keys, a PEM file for each certificate, in the same order",
	 .more = "Nobody but its owner and group may read such a file. Keys live in the process "
		 "hw-tls alone."},
	{.key = "ca",
	 .type = SCHEMA_FILE,
	 FIELD(tls, ca),
	 .fallback = "/etc/ssl/certs/ca-certificates.crt",
	 .tag = "r4",
	 .help = "the authorities whose certificates TLS peers may show, a PEM file"},
	{.key = "ocsp",
	 .type = SCHEMA_FILES,
	 LIST(tls, ocsp, ocsp_count),
	 .tag = "r4",
	 .by_default = "none",
	 .help = "OCSP responses to be stapled, a DER file for each certificate",
	 .more = "Written by `openssl ocsp -respout`, say once a day; a reload takes a new one "
		 "over. One that is too old is not sent."},
	{.key = "min-version",
	 .type = SCHEMA_ENUM,
	 FIELD(tls, min_version),
	 .words = "1.2|1.3",
	 .fallback = "1.2",
	 .tag = "r4",
	 .help = "the oldest version of TLS that is spoken",
	 .more = "Only suites with authenticated encryption and forward secrecy are spoken in "
		 "any."},
	{.key = "origin",
	 .type = SCHEMA_ORIGIN,
	 LIST(tls, origins, origin_count),
	 .tag = "r4",
	 .by_default = "every page",
	 .help = "web pages whose browsers may open a WebSocket, as \"https://phones.example\"",
	 .more = "With a list a WebSocket without the header Origin is refused too."},
};

/* Section identity. */
const struct schema_row schema_identity_rows[SCHEMA_IDENTITY_ROWS] = {
	{.key = "anchors",
	 .type = SCHEMA_FILE,
	 FIELD(identity, anchors),
	 .required = true,
	 .tag = "r4",
	 .help = "the authorities that those who sign have their certificates from, a PEM file",
	 .more = "In North America the list of the STI-PA. An authority of web sites does not "
		 "belong here."},
	{.key = "hosts",
	 .type = SCHEMA_DOMAIN,
	 LIST(identity, hosts, host_count),
	 .required = true,
	 .tag = "r4",
	 .help = "hosts that certificates may be fetched from",
	 .more = "By HTTPS on port 443 or 8443 alone, without redirects, 64 kB at most. Whoever "
		 "calls names the URL; what lies on another host is not fetched."},
	{.key = "https-ca",
	 .type = SCHEMA_FILE,
	 FIELD(identity, https_ca),
	 .fallback = "/etc/ssl/certs/ca-certificates.crt",
	 .tag = "r4",
	 .help = "the authorities whose certificates those hosts may show, a PEM file"},
	{.key = "inside",
	 .type = SCHEMA_SUBNET,
	 LIST(identity, inside, inside_count),
	 .tag = "r4",
	 .by_default = "none",
	 .help = "private networks in which those hosts may stand",
	 .more = "A host whose name leads to a private address elsewhere, to this gateway or to a "
		 "PBX is not connected to."},
};
