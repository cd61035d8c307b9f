#include "unit/check.h"

#include "io/packet.h"

/* IPv4 from 192.0.2.1 to 192.0.2.2, UDP 5060 to 5062, "hi". */
#define UDP_HI "\x13\xc4\x13\xc6\x00\x0a\x00\x00hi"
#define IPV4(total, flags, protocol)                                                               \
	"\x45\xb8\x00" total "\x12\x34" flags "\x40" protocol                                      \
	"\x00\x00\xc0\x00\x02\x01\xc0\x00\x02"                                                     \
	"\x02"
#define IPV4_UDP IPV4("\x1e", "\x40\x00", "\x11") UDP_HI
#define IPV6_HEAD(length, next)                                                                    \
	"\x60\x00\x00\x00\x00" length next "\x40" ADDR6("\x01") ADDR6("\x02")
#define ADDR6(last) "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" last
#define MACS	    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"
#define TCP_SYN_SEQ                                                                                \
	"\x13\xc4\x13\xc6\x00\x00\x00\x07\x00\x00\x00\x00\x50\x02\x00\x00\x00\x00\x00\x00"
#define BYTES(bytes)                                                                               \
	{                                                                                          \
		(bytes), sizeof(bytes) - 1                                                         \
	}

static const struct {
	const char *name;
	int link;
	struct slice frame;
	enum packet_kind want;
	unsigned vlans;
} rows[] = {
	{"Ethernet", LINK_ETHERNET, BYTES(MACS "\x08\x00" IPV4_UDP), PACKET_UDP, 0},
	{"Ethernet with padding", LINK_ETHERNET, BYTES(MACS "\x08\x00" IPV4_UDP "\0\0\0\0\0\0"),
	 PACKET_UDP, 0},
	{"one VLAN", LINK_ETHERNET, BYTES(MACS "\x81\x00\xe0\x64\x08\x00" IPV4_UDP), PACKET_UDP, 1},
	{"two VLANs", LINK_ETHERNET,
	 BYTES(MACS "\x88\xa8\x00\x0a\x81\x00\x00\x64\x08\x00" IPV4_UDP), PACKET_UDP, 2},
	{"three VLANs", LINK_ETHERNET,
	 BYTES(MACS "\x88\xa8\x00\x0a\x81\x00\x00\x64\x81\x00\x00\x64\x08\x00" IPV4_UDP),
	 PACKET_OTHER, 2},
	{"ARP", LINK_ETHERNET, BYTES(MACS "\x08\x06\x00\x01"), PACKET_OTHER, 0},
	{"Linux cooked", LINK_LINUX_SLL, BYTES("\0\0\0\1\0\6abcdef\0\0\x08\x00" IPV4_UDP),
	 PACKET_UDP, 0},
	{"Linux cooked 2", LINK_LINUX_SLL2,
	 BYTES("\x08\x00\0\0\0\0\0\1\0\1\0\6abcdef\0\0" IPV4_UDP), PACKET_UDP, 0},
	{"loopback", LINK_NULL, BYTES("\2\0\0\0" IPV4_UDP), PACKET_UDP, 0},
	{"Cisco HDLC", LINK_CISCO_HDLC, BYTES("\x0f\x00\x08\x00" IPV4_UDP), PACKET_UDP, 0},
	{"raw IPv4", LINK_RAW, BYTES(IPV4_UDP), PACKET_UDP, 0},
	{"raw IPv6", LINK_RAW_FILE, BYTES(IPV6_HEAD("\x0a", "\x11") UDP_HI), PACKET_UDP, 0},
	{"IPv6 with hop-by-hop options", LINK_IPV6,
	 BYTES(IPV6_HEAD("\x12", "\x00") "\x11\x00\0\0\0\0\0\0" UDP_HI), PACKET_UDP, 0},
	{"IPv6 whole in one fragment (RFC 6946)", LINK_IPV6,
	 BYTES(IPV6_HEAD("\x12", "\x2c") "\x11\x00\x00\x00\0\0\0\1" UDP_HI), PACKET_UDP, 0},
	{"IPv6 fragment", LINK_IPV6,
	 BYTES(IPV6_HEAD("\x12", "\x2c") "\x11\x00\x00\x01\0\0\0\1" UDP_HI), PACKET_FRAGMENT, 0},
	{"IPv4 fragment", LINK_RAW, BYTES(IPV4("\x1e", "\x20\x00", "\x11") UDP_HI), PACKET_FRAGMENT,
	 0},
	{"TCP", LINK_RAW, BYTES(IPV4("\x28", "\x40\x00", "\x06") TCP_SYN_SEQ), PACKET_TCP, 0},
	{"ICMP", LINK_RAW, BYTES(IPV4("\x16", "\x40\x00", "\x01") "\x08\x00"), PACKET_OTHER, 0},
	{"IP header cut", LINK_RAW, BYTES("\x45\x00\x00\x1e\x12"), PACKET_BROKEN, 0},
	{"IP version 5", LINK_RAW, BYTES("\x55\x00\x00\x1e\x12\x34\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	 PACKET_BROKEN, 0},
	{"IP header longer than the packet", LINK_RAW,
	 BYTES("\x4f\x00\x00\x1e\x12\x34\0\0\x40\x11\0\0\0\0\0\0\0\0\0\0"), PACKET_BROKEN, 0},
	{"UDP length below its header", LINK_RAW,
	 BYTES(IPV4("\x1e", "\x40\x00", "\x11") "\x13\xc4\x13\xc6\x00\x07\x00\x00hi"),
	 PACKET_BROKEN, 0},
	{"TCP header shorter than it is", LINK_RAW,
	 BYTES(IPV4("\x28", "\x40\x00",
		    "\x06") "\x13\xc4\x13\xc6\0\0\0\7\0\0\0\0\x40\x02\0\0\0\0\0\0"),
	 PACKET_BROKEN, 0},
	{"nothing", LINK_ETHERNET, BYTES(""), PACKET_BROKEN, 0},
	{"unknown link type", 147, BYTES(IPV4_UDP), PACKET_OTHER, 0},
};

static void each_frame(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct packet p;

		check_int(rows[i].name, packet_decode(rows[i].link, rows[i].frame, &p),
			  rows[i].want);
		check_int(rows[i].name, p.vlan_count, rows[i].vlans);
		if (rows[i].want != PACKET_UDP)
			continue;
		check_slice(rows[i].name, p.payload, "hi");
		check_int(rows[i].name, p.src.port, 5060);
		check_int(rows[i].name, p.dst.port, 5062);
		check_int(rows[i].name, p.cut, 0);
	}
}

static void fields(void **state)
{
	char text[IP_ENDPOINT_TEXT_MAX];
	struct packet p;

	(void)state;
	assert_int_equal(packet_decode(LINK_RAW, SL(IPV4_UDP), &p), PACKET_UDP);
	assert_string_equal(ip_endpoint_text(&p.src, text), "192.0.2.1:5060");
	assert_int_equal(p.dscp, 46);
	assert_int_equal(
		packet_decode(LINK_RAW, SL(IPV4("\x28", "\x40\x00", "\x06") TCP_SYN_SEQ), &p),
		PACKET_TCP);
	assert_int_equal(p.seq, 7);
	assert_true(p.syn);
	assert_false(p.fin || p.rst);
	assert_int_equal(packet_decode(LINK_RAW, SL(IPV4("\x1e", "\x20\x02", "\x11") UDP_HI), &p),
			 PACKET_FRAGMENT);
	assert_int_equal(p.fragment_offset, 16);
	assert_true(p.fragment_more);
	assert_int_equal(p.fragment_id, 0x1234);
}

/* The capture's snapshot length cuts packets: what is there is used, and told. */
static void cut_short(void **state)
{
	struct slice whole = SL(IPV4_UDP);
	struct packet p;

	(void)state;
	assert_int_equal(packet_decode(LINK_RAW, slice_first(whole, whole.n - 1), &p), PACKET_UDP);
	check_slice("payload", p.payload, "h");
	assert_true(p.cut);
	for (size_t n = 0; n < whole.n - 2; n++)
		assert_int_equal(packet_decode(LINK_RAW, slice_first(whole, n), &p), PACKET_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_frame),
		cmocka_unit_test(fields),
		cmocka_unit_test(cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
