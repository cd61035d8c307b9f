/* The keys of a zone and of the sections within it. */
#include "config/schema_rows.h"

const struct schema_row schema_zone_rows[SCHEMA_ZONE_ROWS] = {
	{.key = "interface",
	 .type = SCHEMA_INTERFACE,
	 .required = true,
	 FIELD(zone, interface),
	 .tag = "r5",
	 .help = "the network interface of this zone",
	 .more = "A zone is what is reached through this interface. Two zones may share an "
		 "interface only if each has an address of its own."},
	{.key = "vlan",
	 .type = SCHEMA_VLAN,
	 FIELD(zone, vlan),
	 .min = 0,
	 .max = 4094,
	 .fallback = "0",
	 .tag = "r5",
	 .help = "the VLAN tag of this zone on its interface",
	 .more = "0: the interface carries the zone untagged. Else the link of that VLAN is used, "
		 "whatever its name; where there is none the gateway makes one, INTERFACE.VLAN, "
		 "gives it the zone's address, and removes it when it ends. Packets leave with the "
		 "priority (802.1p) 5 for media and 3 for signalling."},
	{.key = "address",
	 .type = SCHEMA_ADDRESSES,
	 FIELD(zone, address4),
	 .tag = "r1",
	 .by_default = "the interface's addresses",
	 .help = "the gateway's own addresses in this zone",
	 .more = "At most one of IPv4 and one of IPv6. Signalling and media use them alone."},
	{.key = "public",
	 .type = SCHEMA_ADDRESSES,
	 FIELD(zone, public4),
	 .tag = "r1",
	 .by_default = "the zone's address",
	 .help = "the addresses told to peers when the gateway stands behind a 1:1 NAT"},
	{.key = "trust",
	 .type = SCHEMA_ENUM,
	 FIELD(zone, trust),
	 .words = "untrusted|trusted",
	 .fallback = "untrusted",
	 .tag = "r5",
	 .help = "whether what is in this zone is ours",
	 .more = "In an untrusted zone no port of the gateway answers unless a section asks for "
		 "it."},
	{.key = "role",
	 .type = SCHEMA_ENUM,
	 FIELD(zone, role),
	 .words = "wan|voice|data|core|management",
	 .fallback = "wan",
	 .tag = "r5",
	 .help = "what the zone is for",
	 .more = "Shown in listings; it admits nothing by itself."},
	{.key = "subnets",
	 .type = SCHEMA_SUBNET,
	 LIST(zone, subnets, subnet_count),
	 .tag = "r5",
	 .by_default = "every source",
	 .help = "the sources that belong to this zone",
	 .more = "Signalling from any other source is refused."},
	{.key = "cleartext",
	 .type = SCHEMA_ENUM,
	 FIELD(zone, cleartext_deny),
	 .words = "allow|deny",
	 .fallback = "allow",
	 .tag = "r4",
	 .help = "whether unencrypted signalling and media may cross this zone",
	 .more = "With deny every section of the zone listens and speaks over tls or wss alone, "
		 "and its media is encrypted as with srtp = required."},
	{.key = "bandwidth",
	 .type = SCHEMA_BITRATE,
	 FIELD(zone, bandwidth_bps),
	 .min = 64000,
	 .max = 1000000000000,
	 .zero_is_off = true,
	 .fallback = "0",
	 .tag = "r1",
	 .help = "what media may take of this zone's link; 0 is no limit",
	 .more = "Counted in each direction by codec, packet time and the heads of the packets. A "
		 "call that does not fit is refused with 503, a change of a running one with "
		 "488."},
	{.key = "services",
	 .type = SCHEMA_SERVICE,
	 LIST(zone, services, service_count),
	 .by_default = "tcp:22 in a trusted zone, none in an untrusted one",
	 .tag = "r3",
	 .help = "ports of the gateway itself that this zone may reach",
	 .more = "As tcp:22 or udp:161. Everything else that is not signalling or media of a call "
		 "is dropped. services = {} closes them all."},
	{.key = "reaches",
	 .type = SCHEMA_REACH,
	 LIST(zone, reaches, reach_count),
	 .by_default = "nothing",
	 .tag = "r5",
	 .help = "what the gateway passes on from this zone to another one as a router",
	 .more = "The name of a zone, or of a zone and a port: {\"core tcp:443\", \"core "
		 "udp:123\"}. "
		 "Answers pass with it. Everything else between zones is dropped and counted; "
		 "hornwork policy prints the whole. Voice and data never reach each other but "
		 "through the gateway's SIP, and management ports of voice devices are for "
		 "assess { admins } alone, whatever is written here."},
	{.key = "dhcp-servers",
	 .type = SCHEMA_SUBNET,
	 LIST(zone, dhcp_servers, dhcp_server_count),
	 .by_default = "nobody is known",
	 .tag = "r5",
	 .help = "the addresses that answer DHCP and advertise IPv6 routes in this zone",
	 .more = "Where the zone's interface is a bridge, or a VLAN of one, such messages of "
		 "others "
		 "are dropped. "
		 "IPv6 servers and routers speak from link-local addresses."},
	{.key = "server-ports",
	 .type = SCHEMA_PORT_NAMES,
	 LIST(zone, server_ports, server_port_count),
	 .tag = "r5",
	 .by_default = "every port",
	 .help = "the ports of the zone's bridge behind which its servers and routers stand",
	 .more = "Where the zone's interface is a bridge, or a VLAN of one: answers of DHCP, "
		 "router "
		 "advertisements and redirects that come in by another port are dropped, whatever "
		 "address they claim. What comes by these ports may have any source, and "
		 "address-guard leaves it alone."},
	{.key = "address-guard",
	 .type = SCHEMA_ENUM,
	 FIELD(zone, address_guard),
	 .words = "auto|on|off",
	 .fallback = "auto",
	 .tag = "r5",
	 .help = "whether an address is for the host that uses it first",
	 .more = "Where the zone's interface is a bridge, or a VLAN of one: an address belongs to "
		 "the hardware address and port by which ARP or neighbour discovery told it first, "
		 "until that host was silent for 15 minutes or the configuration is read again. "
		 "Whoever else claims it is dropped and counted. auto is on in an untrusted zone. "
		 "Switch it off, or name server-ports, where addresses move from host to host."},
	{.key = "tunnel",
	 .type = SCHEMA_TUNNEL,
	 FIELD(zone, tunnel),
	 .tag = "r4",
	 .by_default = "none",
	 .help = "the tunnel through which everything of this zone goes",
	 .more = "While the tunnel is down nothing goes and nothing comes: the firewall drops what "
		 "would pass outside of it, from the start on. Such a zone needs an address of its "
		 "own in the tunnel's local-subnet; its subnets are the remote-subnet if it names "
		 "none. Its interface is that of the tunnel's zone, or the tunnel's device; roles "
		 "and "
		 "reaches hold for each of the two, since the kernel says what came out of IPsec. "
		 "Its media always goes through user space."},
	{.key = "switches",
	 .type = SCHEMA_MAC,
	 LIST(zone, switches, switch_count),
	 .tag = "r5",
	 .by_default = "the first one that is heard",
	 .help = "the hardware addresses that may speak LLDP or CDP as a switch on this link",
	 .more = "The address of the sender or the chassis. Anybody else who does is told as a "
		 "leak, and so is who tells phones of another voice VLAN than the link's."},
	{.key = "leak-watch",
	 .type = SCHEMA_BOOL,
	 FIELD(zone, leak_watch),
	 .fallback = "yes",
	 .tag = "r5",
	 .help = "whether this zone's link is watched for leaks while the gateway runs",
	 .more = "What does not belong there is told as an event and listed by hornwork leaks, who "
		 "announces himself by hornwork devices. A link that carries VLANs is watched if "
		 "one "
		 "of its zones wants it, a bridge at its ports."},
};

const struct schema_row schema_qos_rows[SCHEMA_QOS_ROWS] = {
	{.key = "uplink",
	 .type = SCHEMA_BITRATE,
	 .required = true,
	 FIELD(zone, uplink_bps),
	 .min = 256000,
	 .max = 1000000000000,
	 .tag = "r5",
	 .help = "what the link of this zone takes on its way out, a little less than the line",
	 .more = "The gateway then holds the queue: media first, signalling next, everything else "
		 "behind them with a fair queue of its own."},
	{.key = "voice-share",
	 .type = SCHEMA_COUNT,
	 FIELD(zone, voice_share),
	 .min = 1,
	 .max = 90,
	 .fallback = "60",
	 .tag = "r5",
	 .help = "the percentage of uplink that media may take",
	 .more = "Calls beyond it are refused, so that accepted ones never suffer; what media "
		 "leaves is used by the rest."},
};

const struct schema_row schema_quality_rows[SCHEMA_QUALITY_ROWS] = {
	{.key = "loss",
	 .type = SCHEMA_COUNT,
	 FIELD(zone, quality_loss),
	 .max = 100,
	 .fallback = "0",
	 .tag = "r5",
	 .help = "the percentage of lost packets at which an event is told; 0 is never",
	 .more = "Of a stream of five seconds at least, once a stream."},
	{.key = "jitter",
	 .type = SCHEMA_DURATION_MS,
	 FIELD(zone, quality_jitter_ms),
	 .min = 1,
	 .max = 10000,
	 .zero_is_off = true,
	 .fallback = "0",
	 .tag = "r5",
	 .help = "the jitter at which an event is told; 0 is never"},
	{.key = "r-factor",
	 .type = SCHEMA_COUNT,
	 FIELD(zone, quality_r_factor),
	 .max = 93,
	 .fallback = "0",
	 .tag = "r5",
	 .help = "the R-factor (ITU-T G.107) below which an event is told; 0 is never"},
	{.key = "silence",
	 .type = SCHEMA_DURATION_MS,
	 FIELD(zone, quality_silence_ms),
	 .min = 1000,
	 .max = 3600000,
	 .zero_is_off = true,
	 .fallback = "0",
	 .tag = "r5",
	 .help = "the silence after which an event is told; 0 is never",
	 .more = "Nothing comes from this zone's side of a call. The event says whether the other "
		 "side speaks (one-way audio) or is silent too. Calls on "
		 "hold are left out."},
};

const struct schema_row schema_voice_vlan_rows[SCHEMA_VOICE_VLAN_ROWS] = {
	{.key = "lldp",
	 .type = SCHEMA_BOOL,
	 FIELD(voice_vlan, lldp),
	 .fallback = "yes",
	 .tag = "r5",
	 .help = "tell phones of the voice VLAN by LLDP-MED, through lldpd"},
	{.key = "cdp",
	 .type = SCHEMA_BOOL,
	 FIELD(voice_vlan, cdp),
	 .fallback = "no",
	 .tag = "r5",
	 .help = "tell phones of the voice VLAN by CDP, for those that hear nothing else",
	 .more = "The gateway sends it itself, every 60 seconds and within a second after a "
		 "neighbour's, on the interfaces of the zones with role = voice, a bridge at its "
		 "ports; it is withdrawn when the gateway stops. A zone without vlan is told as "
		 "voice without a tag. CDP has no DSCP and no priority. lldpd must not send CDP "
		 "there too (its option -c): phones would hear two neighbours."},
	{.key = "lldpd",
	 .type = SCHEMA_FILE,
	 FIELD(voice_vlan, lldpd),
	 .fallback = "/run/lldpd.socket",
	 .tag = "r5",
	 .help = "the control socket of the lldpd that tells phones of the voice VLAN",
	 .more = "It must have been started as a network device of LLDP-MED (lldpd -M 4) and speak "
		 "on the interfaces of the zones with role = voice. Each such interface, a bridge "
		 "at its ports, gets its zone's vlan, tagged, or none where the zone has none. "
		 "When "
		 "lldpd is started again it is told again; when the gateway stops, the policy is "
		 "no longer defined. No file of lldpd is written. LLDP does not pass switches: "
		 "phones behind one are told by that switch."},
	{.key = "priority",
	 .type = SCHEMA_COUNT,
	 FIELD(voice_vlan, priority),
	 .max = 7,
	 .fallback = "5",
	 .tag = "r5",
	 .help = "the 802.1p priority that phones are to give voice"},
	{.key = "dscp",
	 .type = SCHEMA_COUNT,
	 FIELD(voice_vlan, dscp),
	 .max = 63,
	 .fallback = "46",
	 .tag = "r5",
	 .help = "the DSCP that phones are to give voice; 46 is EF"},
};
