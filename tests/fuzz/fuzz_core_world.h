/* Who plays into the core, and the configurations under which they do. */
#ifndef HW_TESTS_FUZZ_CORE_WORLD_H
#define HW_TESTS_FUZZ_CORE_WORLD_H

#include <stdint.h>

#define CONFIG_TEXT(ping, identity)                                                                \
	"zone internet { interface = eth0  address = \"198.51.100.1\" }\n"                         \
	"zone voice { interface = eth1  address = \"192.168.50.1\"  trust = trusted }\n"           \
	"zone core { interface = eth2  address = \"10.10.0.1\"  trust = trusted }\n"               \
	"zone carriers { interface = eth3  address = \"203.0.113.65\" }\n"                         \
	"pbx main { zone = core  address = \"10.10.0.5:5060\"  options-ping = " ping               \
	"  domain = {\"example.com\"}  outbound = carrier }\n"                                     \
	"phones remote { zone = internet  listen = {\"udp:5060\", \"tcp:5060\"}  to = main  "      \
	"sdes-cleartext = allow }\n"                                                               \
	"phones office { zone = voice  listen = {\"udp:5060\"}  to = main  nat = no  "             \
	"srtp = preferred  sdes-cleartext = allow }\n"                                             \
	"trunk carrier { zone = carriers  peer = \"udp:203.0.113.70:5060\"  to = main  "           \
	"username = \"gw\"  password-file = \"/etc/hornwork/p\"  max-calls = 3 " identity "}\n"

static const char config_text[] = CONFIG_TEXT("30s", "");
/* The trunk's callers are verified, and calls to it are signed. */
#define IDENTITY(policy)                                                                           \
	"identity = " policy "  identity-certificate = \"/etc/hornwork/sti.pem\"  identity-key = " \
	"\"/etc/hornwork/sti.key\"  identity-url = \"https://cert.example/sti.pem\" "
#define BELIEVED "identity { anchors = \"/etc/hornwork/ca.pem\"  hosts = \"cert.example\" }\n"
static const char verify_config_text[] = CONFIG_TEXT("30s", IDENTITY("verify")) BELIEVED;
static const char require_config_text[] = CONFIG_TEXT("30s", IDENTITY("require")) BELIEVED;
/* At the end nobody asks the PBX any more, so that all can come to rest. */
static const char quiet_config_text[] = CONFIG_TEXT("0", "");
/* Without the trunk, in another order, and with other limits. */
static const char other_config_text[] =
	"zone carriers { interface = eth3  address = \"203.0.113.65\" }\n"
	"zone core { interface = eth2  address = \"10.10.0.1\"  trust = trusted }\n"
	"zone internet { interface = eth0  address = \"198.51.100.1\" }\n"
	"zone voice { interface = eth1  address = \"192.168.50.1\"  trust = trusted }\n"
	"pbx main { zone = core  address = \"10.10.0.5:5060\"  options-ping = 0  domain = "
	"{\"example.com\"}  srtp = preferred  sdes-cleartext = allow }\n"
	"phones inside { zone = voice  listen = {\"udp:5060\"}  to = main  nat = no  srtp = "
	"required  "
	"sdes-cleartext = allow }\n"
	"phones remote { zone = internet  listen = {\"udp:5060\", \"tcp:5060\"}  to = main }\n"
	"phones c { zone = carriers  listen = {\"udp:5060\"}  to = main }\n"
	"media { ports = \"20000-20007\" }\n limits { calls = 2 }\n";

struct party {
	const char *name, *transport, *remote, *local, *us, *media;
	uint32_t conn;
};

static const struct party parties[] = {
	{"alice", "udp", "192.0.2.33:41000", "198.51.100.1:5060", "198.51.100.1", "192.168.1.10",
	 0},
	{"bobby", "udp", "192.168.50.22:5060", "192.168.50.1:5060", "192.168.50.1", "192.168.50.22",
	 0},
	{"mainp", "udp", "10.10.0.5:5060", "10.10.0.1:5060", "10.10.0.1", "10.10.0.77", 0},
	{"trunk", "udp", "203.0.113.70:5060", "203.0.113.65:5060", "203.0.113.65", "203.0.113.71",
	 0},
	{"carol", "tcp", "192.0.2.44:51000", "198.51.100.1:5060", "198.51.100.1", "192.0.2.44", 3},
};
#define PARTIES 5
#define PBX	2
#define TRUNK	3

#endif
