/* Frames are taken apart and get another head: every header field, both families, every way a
 * checksum can stand there. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdlib.h>

#include "relay/frame.h"
#include "unit/check.h"

#define ROOM	256
#define PAYLOAD "a datagram of odd length, to be sure."

enum checksum {
	CHECKSUM_RIGHT,
	CHECKSUM_NONE,	  /* 0: the sender computed none */
	CHECKSUM_PARTIAL, /* left to a network card that is not there */
	CHECKSUM_WRONG,
};

struct buffer {
	char bytes[2048];
	size_t at, n;
};

static uint16_t naive_sum(const void *bytes, size_t n, uint32_t sum)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static struct ip_endpoint end_of(const char *text)
{
	struct ip_endpoint e;

	assert_int_equal(ip_endpoint_parse(slice_z(text), 0, &e), 0);
	return e;
}

static uint16_t pseudo(const struct ip_endpoint *from, const struct ip_endpoint *to,
		       size_t udp_bytes)
{
	size_t n = from->addr.family == IP_V6 ? 16 : 4;
	uint16_t sum = naive_sum(from->addr.bytes, n, 17 + (uint32_t)udp_bytes);

	return naive_sum(to->addr.bytes, n, sum);
}

static void put(struct buffer *b, const void *bytes, size_t n)
{
	memcpy(b->bytes + b->at + b->n, bytes, n);
	b->n += n;
}

static void put_ip(struct buffer *b, const struct ip_endpoint *from, const struct ip_endpoint *to,
		   size_t udp_bytes)
{
	struct ip6_hdr six = {.ip6_plen = htons((uint16_t)udp_bytes), .ip6_nxt = 17, .ip6_hlim = 9};
	struct iphdr four = {.version = 4,
			     .ihl = 5,
			     .tot_len = htons((uint16_t)(20 + udp_bytes)),
			     .id = htons(4711),
			     .ttl = 9,
			     .protocol = 17};

	if (from->addr.family == IP_V6) {
		six.ip6_flow = htonl(6u << 28);
		memcpy(&six.ip6_src, from->addr.bytes, 16);
		memcpy(&six.ip6_dst, to->addr.bytes, 16);
		put(b, &six, sizeof(six));
		return;
	}
	memcpy(&four.saddr, from->addr.bytes, 4);
	memcpy(&four.daddr, to->addr.bytes, 4);
	four.check = htons((uint16_t)~naive_sum(&four, sizeof(four), 0));
	put(b, &four, sizeof(four));
}

static uint16_t udp_sum(const struct ip_endpoint *from, const struct ip_endpoint *to,
			struct slice payload)
{
	uint32_t sum = pseudo(from, to, 8 + payload.n);

	sum += (uint32_t)from->port + to->port + 8 + (uint32_t)payload.n;
	return naive_sum(payload.p, payload.n, sum);
}

static struct buffer frame_of(const char *source, const char *local, unsigned tags,
			      enum checksum how)
{
	struct ip_endpoint from = end_of(source), to = end_of(local);
	struct slice payload = SL(PAYLOAD);
	struct buffer b = {.at = ROOM};
	struct udphdr udp = {.source = htons(from.port),
			     .dest = htons(to.port),
			     .len = htons((uint16_t)(8 + payload.n))};
	uint16_t proto = from.addr.family == IP_V6 ? ETH_P_IPV6 : ETH_P_IP;

	put(&b, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	for (unsigned i = 0; i < tags; i++)
		put(&b, i + 1 < tags ? "\x88\xa8\0\5" : "\x81\0\xa0\7", 4);
	proto = htons(proto);
	put(&b, &proto, 2);
	put_ip(&b, &from, &to, 8 + payload.n);
	if (how == CHECKSUM_RIGHT || how == CHECKSUM_WRONG)
		udp.check = htons((uint16_t)~udp_sum(&from, &to, payload));
	if (how == CHECKSUM_WRONG)
		udp.check = (uint16_t)(udp.check ^ 0x0100);
	if (how == CHECKSUM_PARTIAL)
		udp.check = htons(pseudo(&from, &to, 8 + payload.n));
	put(&b, &udp, sizeof(udp));
	put(&b, payload.p, payload.n);
	return b;
}

static struct slice bytes_of(const struct buffer *b)
{
	return slice_of(b->bytes + b->at, b->n);
}

/* Is it a frame that a strict receiver takes, from and to these ends? With its checksum as told. */
static void expect(struct slice bytes, const char *source, const char *local, uint8_t dscp,
		   bool checked, bool right)
{
	struct ip_endpoint from = end_of(source), to = end_of(local);
	struct frame f;

	assert_true(frame_parse(bytes, &f));
	assert_true(ip_endpoint_eq(&f.source, &from));
	assert_true(ip_endpoint_eq(&f.local, &to));
	assert_true(slice_eq(f.payload, SL(PAYLOAD)));
	assert_int_equal(f.check != 0, checked);
	if (checked)
		assert_int_equal((uint16_t)(udp_sum(&from, &to, f.payload) + ntohs(f.check)) ==
					 0xffff,
				 right);
	if (to.addr.family == IP_V4)
		assert_int_equal((uint8_t)(f.payload.p - 28)[1], dscp << 2);
	else
		assert_int_equal(((uint8_t)(f.payload.p - 48)[0] & 15) << 4 |
					 (uint8_t)(f.payload.p - 48)[1] >> 4,
				 dscp << 2);
}

static const char v4_phone[] = "192.0.2.7:4000", v4_out[] = "192.0.2.1:16384";
static const char v4_in[] = "10.0.0.1:16390", v4_pbx[] = "10.0.0.5:9000";
static const char v6_phone[] = "[2001:db8::7]:4000", v6_out[] = "[2001:db8::1]:16384";
static const char v6_in[] = "[fd00::1]:16390", v6_pbx[] = "[fd00::5]:9000";

static void goes_on_with_another_head(void **state)
{
	static const struct {
		const char *source, *local, *from, *to;
		unsigned tags;
		uint16_t vlan;
		enum checksum how;
		bool checked, right;
	} rows[] = {
		{v4_phone, v4_out, v4_in, v4_pbx, 0, 0, CHECKSUM_RIGHT, true, true},
		{v4_phone, v4_out, v4_in, v4_pbx, 0, 0, CHECKSUM_NONE, false, true},
		{v4_phone, v4_out, v4_in, v4_pbx, 0, 0, CHECKSUM_PARTIAL, true, true},
		{v4_phone, v4_out, v4_in, v4_pbx, 0, 0, CHECKSUM_WRONG, true, false},
		{v4_phone, v4_out, v4_in, v4_pbx, 1, 0, CHECKSUM_RIGHT, true, true},
		{v4_phone, v4_out, v4_in, v4_pbx, 2, 0xa064, CHECKSUM_RIGHT, true, true},
		{v6_phone, v6_out, v6_in, v6_pbx, 0, 0xa064, CHECKSUM_RIGHT, true, true},
		{v6_phone, v6_out, v6_in, v6_pbx, 0, 0, CHECKSUM_PARTIAL, true, true},
		{v6_phone, v6_out, v4_in, v4_pbx, 1, 0, CHECKSUM_RIGHT, true, true},
		{v6_phone, v6_out, v4_in, v4_pbx, 1, 0, CHECKSUM_WRONG, true, false},
		{v4_phone, v4_out, v6_in, v6_pbx, 0, 5, CHECKSUM_RIGHT, true, true},
		{v4_phone, v4_out, v6_in, v6_pbx, 0, 5, CHECKSUM_NONE, true, true},
		{v4_phone, v4_out, v6_in, v6_pbx, 0, 5, CHECKSUM_PARTIAL, true, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer b =
			frame_of(rows[i].source, rows[i].local, rows[i].tags, rows[i].how);
		const struct hw_next_hop hop = {.vlan = rows[i].vlan,
						.mac_to = {2, 9, 9, 9, 9, 9},
						.mac_from = {2, 8, 8, 8, 8, 8}};
		struct frame_way way = {.from = end_of(rows[i].from),
					.to = end_of(rows[i].to),
					.hop = &hop,
					.dscp = 46};
		struct frame f;
		struct slice out;
		size_t head;

		assert_true(frame_parse(bytes_of(&b), &f));
		head = frame_rewrite(&f, &way);
		out = slice_of(f.payload.p - head, head + f.payload.n);
		expect(out, rows[i].from, rows[i].to, 46, rows[i].checked, rows[i].right);
		assert_memory_equal(out.p, "\2\x09\x09\x09\x09\x09\2\x08\x08\x08\x08\x08", 12);
		assert_int_equal((uint8_t)out.p[12] == 0x81, rows[i].vlan != 0);
		if (rows[i].vlan)
			assert_int_equal((uint8_t)out.p[14] << 8 | (uint8_t)out.p[15],
					 rows[i].vlan);
		assert_in_range(head, 42, FRAME_HEAD_MAX);
		assert_int_equal(frame_ip_bytes(&f, &way),
				 out.n - sizeof(struct ethhdr) - (rows[i].vlan ? 4 : 0));
	}
}

static void identification_stays(void **state)
{
	struct buffer b = frame_of(v4_phone, v4_out, 0, CHECKSUM_NONE);
	const struct hw_next_hop hop = {0};
	struct frame_way way = {.from = end_of(v4_in), .to = end_of(v4_pbx), .hop = &hop};
	struct frame f;

	assert_true(frame_parse(bytes_of(&b), &f));
	assert_int_equal(frame_rewrite(&f, &way), 42);
	assert_true(frame_parse(slice_of(f.payload.p - 42, 42 + f.payload.n), &f));
	assert_int_equal(ntohs(f.id_be), 4711);
}

/* Byte `at` set to `value`: refused. */
static void what_is_not_whole_or_plain_is_refused(void **state)
{
	static const struct {
		const char *what;
		bool v6;
		size_t at;
		uint8_t value;
	} rows[] = {
		{"no IP", false, 12, 0x86},	      {"IPv4 with options", false, 14, 0x46},
		{"longer than it is", false, 17, 99}, {"a fragment", false, 20, 0x20},
		{"not the first", false, 21, 1},      {"TCP", false, 23, 6},
		{"header sum", false, 24, 0},	      {"UDP length", false, 39, 9},
		{"IPv6 extension", true, 20, 0},      {"IPv6 length", true, 19, 99},
		{"not version 6", true, 14, 0x45},    {"UDP length", true, 59, 9},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer b = rows[i].v6 ? frame_of(v6_phone, v6_out, 0, CHECKSUM_RIGHT)
					     : frame_of(v4_phone, v4_out, 0, CHECKSUM_RIGHT);
		struct frame f;

		b.bytes[b.at + rows[i].at] = (char)rows[i].value;
		if (frame_parse(bytes_of(&b), &f))
			fail_msg("%s was taken", rows[i].what);
	}
}

static void three_tags_and_ipv6_without_checksum_are_refused(void **state)
{
	struct buffer three = frame_of(v4_phone, v4_out, 3, CHECKSUM_RIGHT);
	struct buffer none = frame_of(v6_phone, v6_out, 0, CHECKSUM_NONE);
	struct frame f;

	assert_false(frame_parse(bytes_of(&three), &f));
	assert_false(frame_parse(bytes_of(&none), &f));
}

/* Each prefix in memory of its own size, so that a byte too far is seen; then bytes at random. */
static void never_reads_beyond(void **state)
{
	uint32_t random = 1;

	for (unsigned tags = 0; tags < 3; tags++) {
		struct buffer b = tags == 1 ? frame_of(v6_phone, v6_out, tags, CHECKSUM_RIGHT)
					    : frame_of(v4_phone, v4_out, tags, CHECKSUM_RIGHT);

		for (size_t n = 0; n < b.n; n++) {
			char *copy = malloc(n + 1);
			struct frame f;

			assert_non_null(copy);
			memcpy(copy + 1, b.bytes + b.at, n);
			assert_false(frame_parse(slice_of(copy + 1, n), &f));
			for (int i = 0; i < 50 && n > 14; i++) {
				random = random * 1664525u + 1013904223u;
				copy[1 + random % n] = (char)(random >> 24);
				if (frame_parse(slice_of(copy + 1, n), &f))
					assert_true(f.payload.p + f.payload.n <= copy + 1 + n);
			}
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_with_another_head),
		cmocka_unit_test(identification_stays),
		cmocka_unit_test(what_is_not_whole_or_plain_is_refused),
		cmocka_unit_test(three_tags_and_ipv6_without_checksum_are_refused),
		cmocka_unit_test(never_reads_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
