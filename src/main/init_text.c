#include "main/init_text.h"

#include <string.h>

static const char head[] = "# Hornwork's configuration; hornwork.conf(5) explains every key.\n"
			   "# `hornwork check` says what is wrong with it, `hornwork reload` takes "
			   "a change over without "
			   "losing a call.\n\n";

static const char tail[] =
	"\n"
	"# A provider of telephone lines: remove the # and add `outbound = carrier` to pbx main.\n"
	"# trunk carrier {\n"
	"#     zone          = %s\n"
	"#     peer          = \"sip.carrier.example:5060\"\n"
	"#     to            = main\n"
	"#     username      = \"our-number\"                   # if the provider asks for one\n"
	"#     password-file = \"/etc/hornwork/carrier.secret\" # its first line; chmod 600\n"
	"#     max-calls     = 30\n"
	"#     dial-deny     = {\"0900\", \"+882\", \"+883\"}       # numbers that cost a fortune\n"
	"# }\n"
	"\n"
	"# What happens, as JSON lines, for your log collector:\n"
	"# console { events = \"/var/log/hornwork/events.json\" }\n";

static void write_two_zones(struct out *o, const struct init_answers *a)
{
	out_fmt(o,
		"# Where phones and providers are that nobody here controls. No port of the "
		"gateway "
		"answers there\n"
		"# unless a section below asks for it.\n"
		"zone internet { interface = \"%s\" }\n\n"
		"# Where the PBX stands.\n"
		"zone core { interface = \"%s\"  trust = trusted }\n\n",
		a->outside, a->inside);
}

static void write_one_zone(struct out *o, const struct init_answers *a)
{
	out_fmt(o,
		"# Phones and the PBX are reached through one interface. Then they can also reach "
		"each "
		"other without\n"
		"# passing the gateway: a second interface for the PBX is safer.\n"
		"zone network { interface = \"%s\"  trust = trusted }\n\n",
		a->inside);
}

static void write_tls(struct out *o, const struct init_answers *a)
{
	if (!*a->certificate) {
		out_z(o,
		      "\n# SIP over TLS: remove the # and add \"tls:5061\" to listen above, and "
		      "\"wss:443\" for browsers.\n"
		      "# tls {\n"
		      "#     certificate = \"/etc/hornwork/sip.pem\" # with its chain; its name is "
		      "what phones are given\n"
		      "#     key         = \"/etc/hornwork/sip.key\" # chmod 600\n"
		      "# }\n");
		return;
	}
	out_fmt(o,
		"\n# Renewed files are taken over by `hornwork reload`.\n"
		"tls {\n"
		"    certificate = \"%s\"\n",
		a->certificate);
	if (*a->key)
		out_fmt(o, "    key         = \"%s\"\n", a->key);
	out_z(o, "}\n");
}

void init_text_write(struct out *o, const struct init_answers *a)
{
	bool two = strcmp(a->outside, a->inside) != 0;
	const char *outside = two ? "internet" : "network", *inside = two ? "core" : "network";

	out_z(o, head);
	if (two)
		write_two_zones(o, a);
	else
		write_one_zone(o, a);
	out_fmt(o,
		"# The phone system that is protected.\n"
		"pbx main {\n"
		"    zone    = %s\n"
		"    address = \"%s\"\n"
		"}\n\n"
		"# Phones outside, also behind NAT routers. They register at this gateway's "
		"address, "
		"port 5060.\n"
		"phones remote {\n"
		"    zone   = %s\n"
		"    listen = {\"udp:5060\", \"tcp:5060\"%s}\n"
		"    to     = main\n"
		"}\n",
		inside, a->pbx, outside, *a->certificate ? ", \"tls:5061\"" : "");
	write_tls(o, a);
	if (two)
		out_z(o, "\n# Phones beside the PBX, if they are to go through the gateway too.\n"
			 "# phones desk {\n"
			 "#     zone = core\n"
			 "#     to   = main\n"
			 "# }\n");
	out_fmt(o, tail, outside);
}
