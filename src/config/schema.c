#include "config/schema.h"

#include "config/schema_rows.h"

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))
#define TITLED(word, array, n)                                                                     \
	.name = #word, .titled = true, .at = offsetof(struct config, array),                       \
	.count_at = offsetof(struct config, n), .size = sizeof(struct config_##word),              \
	.rows = schema_##word##_rows, .row_count = COUNT_OF(schema_##word##_rows)
#define SINGLE(word)                                                                               \
	.name = #word, .at = offsetof(struct config, word), .size = sizeof(struct config_##word),  \
	.rows = schema_##word##_rows, .row_count = COUNT_OF(schema_##word##_rows)
#define INNER(word, outer)                                                                         \
	.name = #word, .within = outer, .rows = schema_##word##_rows,                              \
	.row_count = COUNT_OF(schema_##word##_rows)
#define LATER(word, has_title, tag_of, what)                                                       \
	.name = word, .titled = has_title, .tag = tag_of, .later = what, .help = what

static const struct schema_section sections[] = {
	{TITLED(zone, zones, zone_count), .tag = "r5",
	 .help = "a network that the gateway stands in",
	 .example = "zone core { interface = eth1  trust = trusted }"},
	{INNER(qos, "zone"), .tag = "r5", .help = "voice first on the link of a zone",
	 .example =
		 "zone internet { interface = eth0  qos { uplink = 50mbit  voice-share = 60 } }"},
	{INNER(quality, "zone"), .tag = "r5", .help = "when calls of a zone raise an alarm",
	 .example = "zone voice { interface = eth1  quality { loss = 3  r-factor = 70  silence = "
		    "5s } }"},
	{TITLED(pbx, pbxs, pbx_count), .tag = "r2", .help = "a phone system that is protected",
	 .example = "pbx main { zone = core  address = \"10.10.0.5:5060\" }"},
	{TITLED(phones, phones, phones_count), .tag = "r1",
	 .help = "phones of one zone and their PBX",
	 .example = "phones remote { zone = internet  to = main }"},
	{TITLED(trunk, trunks, trunk_count), .tag = "r1", .help = "a provider of telephone lines",
	 .example = "trunk carrier { zone = internet  peer = \"203.0.113.9\"  to = main }"},
	{TITLED(tunnel, tunnels, tunnel_count), .tag = "r4",
	 .help = "an IPsec tunnel to another site",
	 .example = "tunnel branch { zone = internet  remote = 203.0.113.9  local-subnet = "
		    "10.1.0.0/24  remote-subnet = 10.2.0.0/24  psk-file = "
		    "\"/etc/hornwork/branch.secret\" }"},
	{SINGLE(tls), .line_at = offsetof(struct config, tls) + offsetof(struct config_tls, line),
	 .tag = "r4", .help = "certificates, for SIP over TLS and secure WebSocket",
	 .example = "tls { certificate = \"/etc/hornwork/sip.pem\"  key = "
		    "\"/etc/hornwork/sip.key\" }"},
	{SINGLE(identity),
	 .line_at = offsetof(struct config, identity) + offsetof(struct config_identity, line),
	 .tag = "r4", .help = "whose word about callers counts (STIR/SHAKEN)",
	 .example =
		 "identity { anchors = \"/etc/hornwork/sti-ca.pem\"  hosts = \"cert.example\" }"},
	{SINGLE(media), .tag = "r1", .help = "the media ports",
	 .example = "media { ports = \"20000-29999\" }"},
	{SINGLE(limits), .tag = "r2", .help = "how much is admitted",
	 .example = "limits { calls = 500  registrations = 2000 }"},
	{SINGLE(fraud),
	 .line_at = offsetof(struct config, fraud) + offsetof(struct config_fraud, line),
	 .tag = "r2", .help = "toll fraud: what calls to the outside an account may make",
	 .example = "fraud { action = refuse  home = {\"+49\", \"0049\"}  premium = {\"0900\"} }"},
	{SINGLE(patches),
	 .line_at = offsetof(struct config, patches) + offsetof(struct config_patches, line),
	 .tag = "r2", .help = "virtual patches: attacks on known flaws, stopped at the gateway",
	 .example = "patches { files = \"/etc/hornwork/rules.conf\"  off = {CVE-2018-7284}  "
		    "mode = enforce }"},
	{SINGLE(console), .tag = "core", .help = "what the gateway tells, and where",
	 .example = "console { events = \"/var/log/hornwork/events.json\" }"},
	{SINGLE(assess), .tag = "r3", .help = "the assessment of the owner's assets",
	 .example = "assess { every = 24h  window = \"01:00-05:00\"  admins = {\"10.9.0.0/24\"} }"},
	{TITLED(asset, assets, asset_count), .tag = "r3",
	 .help = "what may be assessed, and nothing else",
	 .example = "asset desk { subnet = 10.20.0.0/24  kind = phone }"},
	{TITLED(place, places, place_count), .tag = "r3",
	 .help = "another place in the network from which assets are looked at",
	 .example = "place outside { address = 203.0.113.60  ssh-user = audit  ssh-key-file = "
		    "\"/etc/hornwork/audit.key\" }"},
	{TITLED(shield, shields, shield_count), .tag = "r3",
	 .help = "what stands before a finding until it is mended; written by `hornwork shield`",
	 .example = "shield f-10e3fd54766c9cf3 { quarantine = {\"10.20.0.20\"} }"},
	{.name = "voice-vlan",
	 .at = offsetof(struct config, voice_vlan),
	 .line_at = offsetof(struct config, voice_vlan) + offsetof(struct config_voice_vlan, line),
	 .size = sizeof(struct config_voice_vlan),
	 .rows = schema_voice_vlan_rows,
	 .row_count = COUNT_OF(schema_voice_vlan_rows),
	 .tag = "r5",
	 .help = "phones are told of the voice VLAN by LLDP-MED, through a running lldpd, and by "
		 "CDP",
	 .example = "voice-vlan { lldpd = \"/run/lldpd.socket\" }"},
	{LATER("cluster", false, "r1", "running as a cluster")},
};

const struct schema_section *schema_sections(size_t *count)
{
	*count = COUNT_OF(sections);
	return sections;
}

const struct schema_section *schema_section_within(const char *within, struct slice name)
{
	for (size_t i = 0; i < COUNT_OF(sections); i++) {
		const struct schema_section *s = &sections[i];

		if (slice_eq(slice_z(s->name), name) &&
		    (within ? s->within && strcmp(s->within, within) == 0 : !s->within))
			return s;
	}
	return NULL;
}

const struct schema_section *schema_section_find(struct slice name)
{
	return schema_section_within(NULL, name);
}

const struct schema_row *schema_row_find(const struct schema_section *s, struct slice key)
{
	for (size_t i = 0; i < s->row_count; i++)
		if (slice_eq(slice_z(s->rows[i].key), key))
			return &s->rows[i];
	return NULL;
}

bool schema_is_list(const struct schema_row *row)
{
	return row->type >= SCHEMA_LISTEN && row->type <= SCHEMA_DIAL;
}

const char *schema_type_text(enum schema_type type)
{
	static const char *const text[] = {
		[SCHEMA_BOOL] = "yes or no",
		[SCHEMA_ENUM] = "one of the words",
		[SCHEMA_COUNT] = "a number",
		[SCHEMA_VLAN] = "a number",
		[SCHEMA_SIZE] = "a size such as 8192 or 8k",
		[SCHEMA_DURATION_MS] = "a duration such as 500ms, 30s, 10m or 24h",
		[SCHEMA_DURATION_S] = "a duration such as 30s, 10m or 24h",
		[SCHEMA_BITRATE] = "a bit rate such as 512kbit, 50mbit or 1gbit",
		[SCHEMA_INTERFACE] = "a network interface such as eth0",
		[SCHEMA_TEXT] = "text",
		[SCHEMA_FILE] = "a file name from the root on",
		[SCHEMA_PEER] = "a peer such as \"10.10.0.5:5060\" or \"tcp:sip.example:5060\"",
		[SCHEMA_ENDPOINT] = "an address and port such as \"127.0.0.1:8080\"",
		[SCHEMA_PORTS] = "a range of ports such as \"16384-32767\"",
		[SCHEMA_PORT] = "a port from 1 to 65535",
		[SCHEMA_WINDOW] = "a time of day such as \"01:00-05:00\"",
		[SCHEMA_ADDRESSES] = "an IP address, or {IPv4, IPv6}",
		[SCHEMA_ZONE] = "the name of a zone",
		[SCHEMA_PBX] = "the name of a pbx",
		[SCHEMA_TRUNK] = "the name of a trunk",
		[SCHEMA_TUNNEL] = "the name of a tunnel",
		[SCHEMA_LISTEN] = "listeners such as {\"udp:5060\", \"tcp:5060\"}",
		[SCHEMA_SERVICE] = "ports such as {\"tcp:22\"}",
		[SCHEMA_SUBNET] = "networks such as {\"10.0.0.0/8\"}",
		[SCHEMA_REACH] = "zones, or zones and ports, such as {core, \"core tcp:443\"}",
		[SCHEMA_HOST] = "addresses such as {\"10.0.0.5\", \"10.0.0.6\"}",
		[SCHEMA_DOMAIN] = "domains such as {\"pbx.example\"}",
		[SCHEMA_METHOD] = "SIP methods such as {REGISTER, INVITE}",
		[SCHEMA_FILES] = "file names such as {\"/etc/hornwork/sip.pem\"}",
		[SCHEMA_ORIGIN] = "origins such as {\"https://phones.example\"}",
		[SCHEMA_MAC] = "hardware addresses such as {\"00:15:65:12:34:56\"}",
		[SCHEMA_PORT_NAMES] = "network interfaces such as {eth2, eth3}",
		[SCHEMA_WEB_PATH] = "paths such as {\"/provisioning/\"}",
		[SCHEMA_PATCHES] = "rules or CVEs such as {\"CVE-2018-7284\"}",
		[SCHEMA_DIAL] = "beginnings of numbers such as {\"+49\", \"0\"}",
		[SCHEMA_LATER] = "for a later version",
	};

	return text[type];
}
