/* Whole files that are wrong, and everything that is said about them, line by line. */
#include "unit/config/parse.h"

#define ZONES                                                                                      \
	"zone out { interface = eth0 }\n"                                                          \
	"zone core { interface = eth1 trust = trusted }\n"
#define PBX    "pbx main { zone = core address = 10.0.0.5 }\n"
#define PHONES "phones remote { zone = out to = main }\n"
#define GOOD   ZONES PBX PHONES
#define TUNNEL                                                                                     \
	"tunnel t { zone = out remote = 192.0.2.2 local-subnet = \"10.1.9.0/24\" "                 \
	"remote-subnet = \"10.2.0.0/24\" "
#define BOUND "zone b { interface = eth0 address = 10.1.9.1 tunnel = t }\n"
#define TRUNK "trunk k { zone = b peer = 10.2.0.9 to = main }\n"

struct row {
	const char *name, *text, *want;
};

static const struct row syntax[] = {
	{"empty", "",
	 "f: there is no zone; add zone NAME { interface = ... }\n"
	 "f: there is no pbx; add pbx NAME { zone = ...  address = ... }\n"
	 "f: warning: there are neither phones nor trunks: nobody can call\n"},
	{"unclosed section", "zone out {\n interface = eth0\n",
	 "f:1: the { in this line is never closed; write } at the end of the section or list\n"},
	{"a } too many", GOOD "}\n", "f:5: this } closes nothing; remove it\n"},
	{"unclosed string", GOOD "media {\n ports = \"1024-2047\n}\n",
	 "f:6: the string is not closed on its line; write \" at its end\n"},
	{"unclosed comment", "\n/* zone\n\n",
	 "f:2: the comment that starts here is not closed; write */ at its end\n"},
	{"missing =", GOOD "media {\n ports \"1024-2047\"\n}\n",
	 "f:6: \"ports\" is not followed by =; write ports = VALUE\n"},
	{"missing value", GOOD "media {\n ports =\n}\n",
	 "f:7: \"}\" cannot stand here; write KEY = VALUE, or KEY = {A, B} with commas\n"},
	{"missing comma",
	 GOOD "phones x { zone = core to = main\n listen = {\"udp:5070\"\n"
	      "\"udp:5071\"}\n}\n",
	 "f:7: \"udp:5071\" cannot stand here; write KEY = VALUE, or KEY = {A, B} with commas\n"},
	{"no name", "zone {\n}\n", "f:1: section zone needs a name; write zone NAME { ... }\n"},
	{"a name too many", GOOD "media main { }\n",
	 "f:5: section media is not followed by {; write { there\n"},
	{"two names", "zone a b { }\n", "f:1: section zone is not followed by {; write { there\n"},
	{"semicolon", GOOD "media {\n path = user;\n}\n",
	 "f:6: no ; is needed at the end of a line; remove it\n"},
	{"include", "\ninclude(\"/etc/passwd\")\n",
	 "f:2: there are no functions and no includes; quote the value or remove it\n"
	 "f:2: there are no functions and no includes; quote the value or remove it\n"},
	{"environment", GOOD "console { events = \"${HOME}/x\" }\n",
	 "f:5: ${...} takes nothing from the environment here; write the value itself\n"},
	{"environment, bare", GOOD "console { events = ${HOME} }\n",
	 "f:5: $ must stand in quotes; nothing is taken from the environment\n"},
	{"path into a section", GOOD "\"media|ports\" = 3\n",
	 "f:5: | is used nowhere in a configuration; remove it\n"},
	{"escape", GOOD "console { events = \"/a\\x41\" }\n",
	 "f:5: a backslash in a string may only stand before \" or another backslash; write \\\\ "
	 "for a "
	 "backslash\n"},
	{"control byte", GOOD "console { events = \"/a\001\" }\n",
	 "f:5: a control byte (1) stands in a string; remove it\n"},
	{"bare control byte", "\n\001\n",
	 "f:2: a byte that is no printable ASCII stands outside a comment; remove it\n"},
	{"nested list", GOOD "media { ports = {{1}} }\n",
	 "f:5: braces are nested too deeply: a list stands in a section, nothing in a list; look "
	 "for "
	 "a missing } above\n"},
};

static const struct row names[] = {
	{"unknown key", "zone out {\n interfce = eth0\n}\n" PBX PHONES,
	 "f:2: zone has no key \"interfce\"; did you mean \"interface\"?\n"
	 "f:4: zone = core: there is no such zone; add zone core { ... }\n"},
	{"unknown key, nothing near", GOOD "media {\n colour = red\n size = {1, 2}\n}\n",
	 "f:6: media has no key \"colour\"; hornwork.conf(5) lists its keys\n"
	 "f:7: media has no key \"size\"; hornwork.conf(5) lists its keys\n"},
	{"unknown section is taken for what it means",
	 "zonne out { interface = eth0 }\n" PBX "zone core { interface = eth1 }\n" PHONES,
	 "f:1: there is no section \"zonne\"; did you mean \"zone\"?\n"},
	{"unknown section without a name", GOOD "\nmeida {\n pots = 3 }\n",
	 "f:6: there is no section \"meida\"; did you mean \"media\"?\n"
	 "f:7: media has no key \"pots\"; did you mean \"ports\"?\n"
	 "f:7: ports = \"3\": write the first and the last port, as in \"16384-32767\"\n"},
	{"unknown section, nothing near", GOOD "voicemail x {\n a = 1\n b = {2}\n}\nunlike = 7\n",
	 "f:5: there is no section \"voicemail\"; there are zone, pbx, phones, trunk, media, "
	 "limits "
	 "and console\n"
	 "f:9: there is no section \"unlike\"; there are zone, pbx, phones, trunk, media, limits "
	 "and "
	 "console\n"},
	{"section in a section",
	 ZONES PBX "phones remote { zone = out to = main\n"
		   "media { ports = \"1024-2047\"\n}}\n",
	 "f:5: a media section starts inside a phones section; write } before it\n"},
	{"tls without a certificate",
	 ZONES PBX "phones r { zone = out to = main listen = \"wss:443\" }\n"
		   "trunk t { zone = out to = main peer = \"tls:192.0.2.9\" verify = no }\n",
	 "f:4: wss needs a certificate; add tls { certificate = \"/etc/hornwork/sip.pem\"  key = "
	 "\"/etc/hornwork/sip.key\" }\n"
	 "f:5: tls needs a certificate; add tls { certificate = \"/etc/hornwork/sip.pem\"  key = "
	 "\"/etc/hornwork/sip.key\" }\n"
	 "f:5: warning: trunk t: with verify = no anybody between here and there may pass himself "
	 "off as 192.0.2.9\n"},
	{"a tunnel that fits",
	 GOOD TUNNEL " psk-file = \"/s\" }\n" BOUND "trunk t { zone = b peer = 10.2.0.9 to = main "
		     "tunnel = t }\n",
	 NULL},
	{"roles beside a tunnel of the kernel's",
	 "zone out { interface = eth0 role = wan }\n"
	 "zone core { interface = eth1 trust = trusted role = core reaches = {\"b udp:7000\"} "
	 "}\n" PBX PHONES TUNNEL " psk-file = \"/s\" }\n"
	 "zone b { interface = eth0 role = data address = 10.1.9.1 tunnel = t "
	 "reaches = {\"core\"} }\n" TRUNK,
	 NULL},
	{"roles in one tunnel",
	 "zone out { interface = eth0 role = wan }\n"
	 "zone core { interface = eth1 trust = trusted role = core reaches = {\"b udp:7000\"} "
	 "}\n" PBX PHONES TUNNEL " psk-file = \"/s\" }\n" BOUND
	 "zone c { interface = eth0 address = 10.1.9.2 tunnel = t }\n" TRUNK,
	 "f:2: zone b shares its interface with another zone, so what comes from it cannot be "
	 "told; "
	 "give it an interface or a vlan of its own\n"
	 "f:7: subnet 10.2.0.0/24 of zone c overlaps with one of zone b; let each address belong "
	 "to "
	 "one\n"
	 "f:7: warning: zones b and c share eth0: what is in one can reach the other without "
	 "passing the gateway\n"
	 "f:7: warning: zone c is named by no pbx, phones or trunk\n"},
	{"a tunnel without a proof", GOOD TUNNEL "}\n" BOUND TRUNK,
	 "f:5: tunnel t cannot prove itself; add psk-file = \"/etc/hornwork/t.secret\", or "
	 "certificate, key and ca\n"},
	{"a tunnel with two proofs",
	 GOOD TUNNEL
	 "psk-file = \"/s\" certificate = \"/c\" key = \"/k\" ca = \"/a\" }\n" BOUND TRUNK,
	 "f:5: tunnel t has a psk-file and a certificate; keep one of them\n"},
	{"a tunnel that believes everybody",
	 GOOD TUNNEL "certificate = \"/c\" key = \"/k\" ca = \"/a\" }\n" BOUND TRUNK,
	 "f:5: tunnel t would believe every certificate of its ca; add remote-id = NAME, which the "
	 "other site's certificate holds\n"},
	{"a tunnel through itself",
	 GOOD
	 "tunnel t { zone = out remote = 10.2.0.1 local-subnet = \"10.1.9.0/24\" remote-subnet "
	 "= \"10.2.0.0/24\" psk-file = \"/s\" }\n" BOUND TRUNK,
	 "f:5: tunnel t: remote lies in remote-subnet, so the tunnel would have to go through "
	 "itself; let remote-subnet hold what is behind the other gateway\n"},
	{"callers verified by nobody",
	 GOOD "trunk t { zone = out peer = 192.0.2.9 to = main identity = verify }\n",
	 "f:5: trunk t: identity needs somebody who is believed; add identity { anchors = "
	 "\"/etc/hornwork/sti-ca.pem\"  hosts = \"cert.example\" }\n"},
	{"a trunk past its tunnel",
	 GOOD TUNNEL "psk-file = \"/s\" }\n" BOUND TRUNK
		     "trunk x { zone = out peer = 192.0.2.9 to = main tunnel = t }\n",
	 "f:8: trunk x must use tunnel t, but its zone out is not bound to it, so media could go "
	 "past it; add tunnel = t to a zone of its own\n"},
	{"a zone on another interface than its tunnel",
	 GOOD TUNNEL "psk-file = \"/s\" }\n"
		     "zone b { interface = eth1 address = 10.1.9.1 tunnel = t }\n" TRUNK,
	 "f:6: zone b is bound to tunnel t, whose packets come by the interface of zone out; write "
	 "interface = eth0\n"},
	{"a zone without an address in its tunnel",
	 GOOD TUNNEL "psk-file = \"/s\" }\nzone b { interface = eth0 tunnel = t }\n" TRUNK,
	 "f:6: zone b is bound to tunnel t and needs an address of its own; add address = ..., one "
	 "of local-subnet\n"},
	{"a zone beside its tunnel",
	 GOOD TUNNEL "psk-file = \"/s\" }\n"
		     "zone b { interface = eth0 address = 10.9.9.1 subnets = {\"10.3.0.0/24\"} "
		     "tunnel = t }\n" TRUNK,
	 "f:6: zone b: its address is not in local-subnet of tunnel t, so nothing of it would go "
	 "through; correct one of them\n"
	 "f:6: zone b: not all of its subnets are in remote-subnet of tunnel t; remove what the "
	 "tunnel does not reach\n"
	 "f:7: trunk k (10.2.0.9) lies outside the subnets of zone b; add its network to them\n"},
	{"a free zone on a tunnel's device",
	 GOOD TUNNEL "psk-file = \"/s\" device = eth1 }\n"
		     "zone b { interface = eth1 address = 10.1.9.1 tunnel = t }\n" TRUNK,
	 "f:2: zone core is on the device of tunnel t; add tunnel = t\n"},
	{"a tunnel for nothing", GOOD TUNNEL "psk-file = \"/s\" }\n",
	 "f:5: warning: no zone is bound to tunnel t: it carries no calls; add tunnel = t to the "
	 "zone of the other site\n"},
	{"later sections",
	 GOOD "\nqos { }\n"
	      "voice-vlan { }\ncluster { }\n",
	 "f:6: qos stands inside a section: zone internet { interface = eth0  qos { uplink = "
	 "50mbit  voice-share = 60 } }\n"
	 "f:8: section cluster (running as a cluster) is not carried out by this version; remove "
	 "it\n"},
	{"key of an inner section", GOOD "zone x { interface = eth5\n qos { uplnik = 5mbit }\n}\n",
	 "f:5: warning: zone x is named by no pbx, phones or trunk\n"
	 "f:6: qos has no key \"uplnik\"; did you mean \"uplink\"?\n"},
	{"inner section twice",
	 GOOD "zone x { interface = eth5\n qos { uplink = 5mbit }\n"
	      " qos { uplink = 6mbit }\n}\n",
	 "f:5: warning: zone x is named by no pbx, phones or trunk\n"
	 "f:7: qos stands twice (first in line 6); merge the two\n"},
	{"inner section without its key",
	 GOOD "zone x { interface = eth5\n qos { voice-share = 5 }\n}\n",
	 "f:5: warning: zone x is named by no pbx, phones or trunk\n"
	 "f:6: qos has no uplink (what the link of this zone takes on its way out, a little less "
	 "than the line); add uplink = ...\n"},
	{"key twice", GOOD "media {\n path = user\n path = auto\n}\n",
	 "f:7: path stands twice in this section (first in line 6); keep one\n"},
	{"section twice", GOOD "media { }\nmedia { }\n",
	 "f:6: media stands twice (first in line 5); merge the two\n"},
	{"name twice", GOOD "zone out { interface = eth2 }\n",
	 "f:5: zone out stands twice (first in line 1); give it another name or merge the two\n"
	 "f:5: warning: zone out is named by no pbx, phones or trunk\n"},
	{"bad name", GOOD "zone \"a b\" { interface = eth2 }\n",
	 "f:5: \"a b\" is no name for a section; write up to 31 letters, digits, hyphens and dots\n"
	 "f:5: warning: zone a b is named by no pbx, phones or trunk\n"},
	{"+= adds",
	 GOOD "phones x { zone = core to = main listen = {\"udp:5070\"}\n"
	      "listen += {\"udp:5070\"} }\n",
	 "f:5: udp:5070 stands twice in listen; remove one\n"},
	{"required keys", "zone out { }\npbx main { }\nphones f { }\ntrunk t { }\n",
	 "f:1: zone out has no interface (the network interface of this zone); add interface = "
	 "...\n"
	 "f:1: warning: zone out is named by no pbx, phones or trunk\n"
	 "f:2: pbx main has no zone (the zone in which the PBX stands); add zone = ...\n"
	 "f:2: pbx main has no address (where the PBX answers); add address = ...\n"
	 "f:2: warning: no phones and no trunk lead to pbx main\n"
	 "f:3: phones f has no zone (the zone in which these phones are); add zone = ...\n"
	 "f:3: phones f has no to (the PBX at which they register and that handles their calls); "
	 "add "
	 "to = ...\n"
	 "f:4: trunk t has no zone (the zone through which the provider is reached); add zone = "
	 "...\n"
	 "f:4: trunk t has no peer (where the provider answers, and the only source of its calls); "
	 "add peer = ...\n"
	 "f:4: trunk t has no to (the PBX that gets the calls from this trunk); add to = ...\n"},
};

static const struct row together[] = {
	{"phones without pbx", ZONES "phones f { zone = out to = main }\n",
	 "f: there is no pbx; add pbx NAME { zone = ...  address = ... }\n"
	 "f:2: warning: zone core is named by no pbx, phones or trunk\n"
	 "f:3: to = main: there is no such pbx; add pbx main { ... }\n"},
	{"two phones on one listener", GOOD "phones x {\n zone = out\n to = main\n}\n",
	 "f:5: phones remote and phones x both listen on udp:5060 of zone out; give one another "
	 "port\n"},
	{"two phones, the key is there",
	 GOOD "phones x {\n zone = out\n to = main\n listen = {\"tcp:5060\", \"udp:5060\"}\n}\n",
	 "f:8: phones remote and phones x both listen on udp:5060 of zone out; give one another "
	 "port\n"},
	{"phones and pbx share a listener", ZONES PBX "phones x { zone = core to = main }\n" PHONES,
	 ""},
	{"one interface, no addresses",
	 GOOD "zone dmz {\n interface = eth0\n}\n"
	      "trunk t { zone = dmz to = main peer = 192.0.2.9 }\n",
	 "f:6: zone dmz is on the interface of zone out; name another interface, or give each zone "
	 "an address\n"},
	{"one interface, two addresses",
	 "zone out { interface = eth0 address = 192.0.2.1 }\n"
	 "zone core { interface = eth0 address = 10.0.0.1 }\n" PBX PHONES,
	 "f:2: warning: zones out and core share eth0: what is in one can reach the other without "
	 "passing the gateway\n"},
	{"one address",
	 "zone out { interface = eth0 address = 10.0.0.1 }\n"
	 "zone core { interface = eth1 address = 10.0.0.1 }\n" PBX PHONES,
	 "f:2: zone core has an address of zone out; give each its own\n"},
	{"subnets of two zones",
	 "zone out { interface = eth0 subnets = {192.168.0.0/16} }\n"
	 "zone core { interface = eth1\n"
	 "subnets = {10.0.0.0/8, 192.168.7.0/24} }\n" PBX PHONES,
	 "f:3: subnet 192.168.7.0/24 of zone core overlaps with one of zone out; let each address "
	 "belong to one\n"},
	{"subnets of one zone",
	 "zone core { interface = eth1 subnets = {10.0.0.0/8, 10.1.0.0/16} }\n"
	 "zone out { interface = eth0 }\n" PBX PHONES,
	 "f:1: subnet 10.1.0.0/16 of zone core overlaps with one of zone core; let each address "
	 "belong to one\n"},
	{"everything else",
	 "zone out { interface = eth0 subnets = {0.0.0.0/0} }\n"
	 "zone core { interface = eth1 subnets = {10.0.0.0/8} }\n" PBX PHONES,
	 ""},
	{"peer outside its zone",
	 "zone out { interface = eth0 }\n"
	 "zone core { interface = eth1 subnets = {10.9.0.0/16} }\n" PBX PHONES,
	 "f:3: pbx main (10.0.0.5) lies outside the subnets of zone core; add its network to "
	 "them\n"},
	{"peer is the gateway",
	 "zone out { interface = eth0 }\n"
	 "zone core { interface = eth1 address = 10.0.0.5 }\n" PBX PHONES,
	 "f:3: pbx main has the gateway's own address 10.0.0.5: calls would go in a circle; write "
	 "where the pbx itself answers\n"},
	{"outbound in a circle",
	 ZONES "pbx main { zone = core address = 10.0.0.5 outbound = t }\n"
	       "trunk t { zone = core to = main peer = \"tcp:10.0.0.5:5060\" }\n",
	 "f:1: warning: zone out is named by no pbx, phones or trunk\n"
	 "f:4: trunk t has the same address and port as pbx main: calls could not be told apart; "
	 "remove one\n"},
	{"two trunks, one name",
	 GOOD "trunk a { zone = out to = main peer = sip.example }\n"
	      "trunk b { zone = out to = main peer = SIP.example }\n",
	 "f:6: trunk b has the same address and port as trunk a: calls could not be told apart; "
	 "remove one\n"},
	{"two trunks, two ports",
	 GOOD "trunk a { zone = out to = main peer = sip.example }\n"
	      "trunk b { zone = out to = main peer = \"sip.example:5062\" }\n",
	 ""},
	{"media over SIP", GOOD "media { ports = \"4000-9999\" }\n",
	 "f:3: udp:5060 lies within the media ports 4000-9999; move one of them\n"
	 "f:4: udp:5060 lies within the media ports 4000-9999; move one of them\n"},
	{"allow and deny",
	 GOOD "trunk t { zone = out to = main peer = 192.0.2.9\n"
	      "dial-allow = {0, \"+49\"}\n dial-deny = {0900, 0} }\n",
	 "f:6: warning: \"0\" stands in dial-deny too, which decides\n"},
	{"more than the whole",
	 GOOD "limits { calls = 10 }\n"
	      "trunk t { zone = out to = main peer = 192.0.2.9\n"
	      "max-calls = 11 }\n",
	 "f:7: warning: max-calls = 11 is never reached: limits { calls } is 10\n"},
};

static void check_rows(const struct row *rows, size_t count)
{
	static char issues[PARSE_TEXT_MAX];
	struct config *c;

	for (size_t i = 0; i < count; i++) {
		int err = parse_report(rows[i].text, issues, &c);
		bool clean = true;

		for (const char *at = issues; *at; at = strchr(at, '\n') + 1)
			clean = clean && strstr(at, ": warning: ") &&
				strstr(at, ": warning: ") < strchr(at, '\n');
		check_slice(rows[i].name, slice_z(issues), rows[i].want);
		check_int(rows[i].name, err, clean ? 0 : ERR_SYNTAX);
		config_free(c);
	}
}

static void syntax_errors(void **state)
{
	(void)state;
	check_rows(syntax, ROWS(syntax));
}

static void unknown_and_double_names(void **state)
{
	(void)state;
	check_rows(names, ROWS(names));
}

static void sections_that_do_not_fit(void **state)
{
	(void)state;
	check_rows(together, ROWS(together));
}

static void comments_and_line_ends(void **state)
{
	static char issues[PARSE_TEXT_MAX];
	struct config *c;

	(void)state;
	/* After every kind of comment, in places where libConfuse takes none, the line is right. */
	parse_report("# a\n#\n// b\n/* c\n d **/ zone /* e */ out # f\n{ # { \" '\n"
		     "interface = /* \" */ eth0 // x\r\n"
		     "services = { # none\n /* \n */ \"tcp:22\" , // y\n 'udp:53' } wrong = 1 }\n",
		     issues, &c);
	assert_null(c);
	assert_non_null(strstr(issues, "f:11: zone has no key \"wrong\"; hornwork.conf(5) lists"));
}

static void size_at_n_and_n_plus_1(void **state)
{
	static char text[CONFIG_TEXT_MAX + 2], issues[PARSE_TEXT_MAX];
	struct config *c;

	(void)state;
	memset(text, '\n', CONFIG_TEXT_MAX);
	memcpy(text, GOOD, strlen(GOOD));
	assert_int_equal(parse_report(text, issues, &c), 0);
	config_free(c);
	text[CONFIG_TEXT_MAX] = '\n';
	assert_int_equal(parse_report(text, issues, &c), ERR_SYNTAX);
	assert_string_equal(issues,
			    "f: the configuration is longer than 262144 bytes; shorten it\n");
}

/* `count` words of the list, or sections. */
static void counted(char *text, size_t size, const char *before, const char *each, size_t count,
		    const char *after)
{
	struct out o = out_to(text, size - 1);

	out_z(&o, before);
	for (size_t i = 0; i < count; i++) {
		struct slice rest = slice_z(each);

		while (rest.n) {
			size_t at = slice_find(rest, '@');

			out_bytes(&o, slice_first(rest, at));
			if (at < rest.n)
				out_u64(&o, i);
			rest = slice_from(rest, at + 1);
		}
	}
	out_z(&o, after);
	text[o.n] = '\0';
}

static void counts_at_n_and_n_plus_1(void **state)
{
	static char text[CONFIG_TEXT_MAX], issues[PARSE_TEXT_MAX];
	static const struct {
		const char *name, *before, *each, *after;
		size_t max;
		const char *want;
	} rows[] = {
		{"list", ZONES PBX PHONES "limits { never-ban = {", "10.0.@.0/24,", "} }\n",
		 CONFIG_LIST_MAX, "f:5: never-ban has 257 entries; at most 256 can be\n"},
		{"listen", ZONES PBX "phones f { zone = out to = main listen = {", "\"udp:60@\",",
		 "} }\n", CONFIG_LISTEN_MAX, "f:4: listen has 17 entries; at most 16 can be\n"},
		{"trunks", GOOD, "trunk t@ { zone = out to = main peer = \"192.0.2.9:10@\" }\n", "",
		 CONFIG_SECTIONS_MAX, "f: there are 257 trunk sections; at most 256 can be\n"},
	};
	struct config *c;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		counted(text, sizeof(text), rows[i].before, rows[i].each, rows[i].max,
			rows[i].after);
		check_int(rows[i].name, parse_report(text, issues, &c), 0);
		config_free(c);
		counted(text, sizeof(text), rows[i].before, rows[i].each, rows[i].max + 1,
			rows[i].after);
		check_int(rows[i].name, parse_report(text, issues, &c), ERR_SYNTAX);
		if (!strstr(issues, rows[i].want))
			fail_msg("%s: %s", rows[i].name, issues);
	}
}

static void issues_beyond_the_limit_are_counted(void **state)
{
	static char text[CONFIG_TEXT_MAX];
	struct config_report report = config_report_empty();
	struct config *c = NULL;

	(void)state;
	counted(text, sizeof(text), GOOD, "trunk t@ { }\n", CONFIG_ISSUES_MAX, "");
	assert_int_equal(config_parse(slice_z(text), &report, &c), ERR_SYNTAX);
	assert_int_equal(report.count, CONFIG_ISSUES_MAX);
	assert_int_equal(report.error_count, 3 * CONFIG_ISSUES_MAX);
	config_report_done(&report);
	counted(text, sizeof(text), GOOD "media {\n", "unheard@ = 1\n", CONFIG_UNKNOWN_MAX + 1,
		"}\n");
	assert_int_equal(config_parse(slice_z(text), &report, &c), ERR_SYNTAX);
	assert_int_equal(report.error_count, CONFIG_UNKNOWN_MAX + 1);
	assert_string_equal(report.issues[report.count - 1].text,
			    "too many unknown names; mend those above first");
	config_report_done(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax_errors),
		cmocka_unit_test(unknown_and_double_names),
		cmocka_unit_test(sections_that_do_not_fit),
		cmocka_unit_test(comments_and_line_ends),
		cmocka_unit_test(size_at_n_and_n_plus_1),
		cmocka_unit_test(counts_at_n_and_n_plus_1),
		cmocka_unit_test(issues_beyond_the_limit_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
