#include "proto/link/cdp_write.h"
#include "proto/link/dhcp.h"
#include "proto/link/speaker.h"
#include "unit/check.h"

/* Frames of increasing tags: what is behind them is still found, up to the limit. */
static void tags(void **state)
{
	char bytes[12 + 4 * (LINK_TAGS_MAX + 1) + 2 + 3];
	struct link_frame f;

	(void)state;
	for (size_t n = 0; n <= LINK_TAGS_MAX + 1; n++) {
		size_t at = 12;

		memset(bytes, 0, sizeof(bytes));
		for (size_t i = 0; i < n; i++, at += 4)
			memcpy(bytes + at, "\x81\x00\xe0\x6e", 4);
		memcpy(bytes + at, "\x88\xcc\x01\x02\x03", 5);
		if (n > LINK_TAGS_MAX) {
			assert_int_equal(link_frame_parse(slice_of(bytes, at + 5), &f), ERR_LIMIT);
			continue;
		}
		assert_int_equal(link_frame_parse(slice_of(bytes, at + 5), &f), 0);
		assert_int_equal(f.tag_count, n);
		assert_int_equal(f.type, LINK_ETHERTYPE_LLDP);
		assert_int_equal(f.payload.n, 3);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(f.vlan[i], 110);
		for (size_t cut = 0; cut < at + 2; cut++)
			assert_int_equal(link_frame_parse(slice_of(bytes, cut), &f), ERR_SYNTAX);
	}
}

/* Chassis, port and time to live, then `more`. */
static int lldp(const char *more, size_t n, struct link_speaker *s)
{
	static const char first[] =
		"\x02\x07\x04\x02\x00\x00\x00\x00\x20\x04\x02\x07\x31\x06\x02\x00\x78";
	char bytes[2048];

	memcpy(bytes, first, sizeof(first) - 1);
	memcpy(bytes + sizeof(first) - 1, more, n);
	return link_lldp_parse(slice_of(bytes, sizeof(first) - 1 + n), s);
}

#define LLDP(text, s) lldp((text), sizeof(text) - 1, (s))

/* 802.1AB 9.2.7.1: the three mandatory TLVs in their order; the end may be left out. */
static void lldp_order(void **state)
{
	struct link_speaker s;

	(void)state;
	assert_int_equal(LLDP("", &s), 0);
	assert_int_equal(s.chassis[5], 0x20);
	assert_int_equal(LLDP("\x00\x00", &s), 0);
	assert_int_equal(link_lldp_parse(SL("\x04\x02\x07\x31"), &s), ERR_SYNTAX);
	assert_int_equal(link_lldp_parse(SL("\x02\x07\x04\x02\x00\x00\x00\x00\x20"), &s),
			 ERR_SYNTAX);
	assert_int_equal(LLDP("\x0a\x05"
			      "abcd",
			      &s),
			 ERR_SYNTAX);
}

/* TIA-1057 10.2.3: the voice application alone, and not while it is unknown. */
static void lldp_policy(void **state)
{
	struct link_speaker s;

	(void)state;
	assert_int_equal(LLDP("\xfe\x08\x00\x12\xbb\x02\x01\x40\xdd\x6e", &s), 0);
	assert_true(s.has_policy && s.policy_tagged);
	assert_int_equal(s.policy_vlan, 110);
	assert_int_equal(s.policy_priority, 5);
	assert_int_equal(s.policy_dscp, 46);
	assert_int_equal(LLDP("\xfe\x08\x00\x12\xbb\x02\x02\x40\xdd\x6e", &s), 0);
	assert_false(s.has_policy);
	assert_int_equal(LLDP("\xfe\x08\x00\x12\xbb\x02\x01\xc0\xdd\x6e", &s), 0);
	assert_false(s.has_policy);
}

/* As many TLVs as the limit are read, one more is refused. */
static void lldp_limit(void **state)
{
	char many[2 * LINK_TLVS_MAX];
	struct link_speaker s;

	(void)state;
	for (size_t i = 0; i < sizeof(many); i += 2)
		memcpy(many + i, "\x10\x00", 2);
	assert_int_equal(lldp(many, (size_t)2 * (LINK_TLVS_MAX - 3), &s), 0);
	assert_int_equal(lldp(many, (size_t)2 * (LINK_TLVS_MAX - 2), &s), ERR_LIMIT);
}

/* A phone with a switch in it is a phone; who names no class is judged by what he can do. */
static void classes(void **state)
{
	static const struct {
		bool telephone, network, phone, is_network;
		uint8_t med;
	} rows[] = {
		{false, false, false, false, LINK_MED_NONE},
		{true, true, true, false, LINK_MED_NONE},
		{false, true, false, true, LINK_MED_NONE},
		{false, true, true, false, LINK_MED_ENDPOINT_3},
		{true, true, false, true, LINK_MED_NETWORK},
		{false, true, false, false, LINK_MED_ENDPOINT_1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct link_speaker s = {.telephone = rows[i].telephone,
					 .network = rows[i].network,
					 .med_class = rows[i].med};

		assert_int_equal(link_speaker_is_phone(&s), rows[i].phone);
		assert_int_equal(link_speaker_is_network(&s), rows[i].is_network);
	}
}

/* Whatever a device, a port and a VLAN are called: the frame is read as what was said, and its
 * 16-bit words add up to nothing (RFC 1071). */
static void cdp_said(void **state)
{
	static const char name[] =
		"0123456789012345678901234567890123456789012345678901234567890123+";
	char bytes[LINK_CDP_FRAME_MAX];

	(void)state;
	for (size_t n = 0; n < (sizeof(name)) * 4; n++) {
		size_t length = n / 4;
		struct link_cdp_say say = {.from = {2, 0, 0, 0, 0, 0x20},
					   .device = slice_of(name, length),
					   .port = SL("eth1"),
					   .ttl_s = 180,
					   .has_voice_vlan = n % 4 != 0,
					   .voice_vlan = n % 4 == 1 ? 0 : 4094};
		struct out o = out_to(bytes, sizeof(bytes));
		struct link_speaker s;
		struct link_frame f;
		uint32_t sum = 0;

		assert_int_equal(link_cdp_write(&say, &o), 0);
		assert_int_equal(o.n % 2, 0);
		assert_int_equal(link_frame_parse(out_slice(&o), &f), 0);
		assert_int_equal(f.type, f.payload.n);
		assert_memory_equal(f.from, say.from, sizeof(f.from));
		assert_true(link_is_cdp(&f));
		for (size_t i = 8; i < f.payload.n; i += 2)
			sum += (uint32_t)(((uint8_t)f.payload.p[i] << 8) |
					  (uint8_t)f.payload.p[i + 1]);
		assert_int_equal(sum % 65535, 0);
		assert_int_equal(link_cdp_parse(f.payload, &s), 0);
		assert_true(slice_eq(
			s.name,
			slice_of(name, length > LINK_CDP_NAME_MAX ? LINK_CDP_NAME_MAX : length)));
		assert_true(link_speaker_is_network(&s));
		assert_int_equal(s.has_policy, say.has_voice_vlan);
		assert_int_equal(s.policy_tagged, say.voice_vlan == 4094 && say.has_voice_vlan);
		assert_int_equal(s.policy_vlan, say.has_voice_vlan ? say.voice_vlan : 0);
		for (size_t room = 0; room < o.n; room += 7) {
			struct out small = out_to(bytes, room);

			assert_int_equal(link_cdp_write(&say, &small), ERR_SPACE);
			assert_int_equal(small.n, 0);
		}
	}
}

/* RFC 2131 2, 3: the cookie stands before the options; the last one may lack its end. */
static void dhcp(void **state)
{
	char bytes[240 + 8] = {1, 1, 6};
	struct link_dhcp d;

	(void)state;
	memcpy(bytes + 28, "\x02\x00\x00\x00\x00\x20", 6);
	assert_int_equal(link_dhcp_parse(slice_of(bytes, 240), &d), ERR_SYNTAX);
	memcpy(bytes + 236, "\x63\x82\x53\x63", 4);
	assert_int_equal(link_dhcp_parse(slice_of(bytes, 240), &d), 0);
	assert_false(d.reply);
	assert_int_equal(d.mac[5], 0x20);
	memcpy(bytes + 240, "\x00\x3c\x04snom\xff", 8);
	assert_int_equal(link_dhcp_parse(slice_of(bytes, 248), &d), 0);
	assert_true(slice_eq(d.vendor, SL("snom")));
	assert_int_equal(link_dhcp_parse(slice_of(bytes, 244), &d), ERR_SYNTAX);
}

static void vendors(void **state)
{
	(void)state;
	assert_true(link_dhcp_vendor_is_phone(SL("Cisco Systems, Inc. IP Phone CP-7975G")));
	assert_true(link_dhcp_vendor_is_phone(SL("Yealink")));
	assert_false(link_dhcp_vendor_is_phone(SL("MSFT 5.0")));
	assert_false(link_dhcp_vendor_is_phone(SL("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags),	       cmocka_unit_test(lldp_order),
		cmocka_unit_test(lldp_policy), cmocka_unit_test(lldp_limit),
		cmocka_unit_test(classes),     cmocka_unit_test(cdp_said),
		cmocka_unit_test(dhcp),	       cmocka_unit_test(vendors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
