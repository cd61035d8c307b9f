#include "proto/link/cdp_write.h"

#include "base/err.h"
#include "proto/link/cdp_impl.h"

#define CDP_VERSION 2
#define LENGTH_AT   12 /* of 802.3, counts what follows it */
#define HEAD_AT	    (14 + CDP_SNAP_BYTES)
#define CHECKSUM_AT (HEAD_AT + 2)
#define VOICE_KIND  1 /* of the appliance: a phone */
#define PLATFORM    "Hornwork"
#define SOFTWARE    "Hornwork, a security gateway for voice" /* which one is nobody's business */

static void tlv(struct out *o, uint16_t type, struct slice value)
{
	out_be16(o, type);
	out_be16(o, (uint32_t)(CDP_TLV_BYTES + value.n));
	out_bytes(o, value);
}

static struct slice cut(struct slice name)
{
	return name.n > LINK_CDP_NAME_MAX ? slice_of(name.p, LINK_CDP_NAME_MAX) : name;
}

static void put_voice_vlan(const struct link_cdp_say *say, struct out *o)
{
	char value[3];
	struct out v = out_to(value, sizeof(value));

	if (!say->has_voice_vlan)
		return;
	out_char(&v, VOICE_KIND);
	out_be16(&v, say->voice_vlan ? say->voice_vlan : CDP_VLAN_UNTAGGED);
	tlv(o, CDP_VOICE_VLAN, out_slice(&v));
}

static void put16(struct out *o, size_t at, uint32_t value)
{
	o->buf[at] = (char)(value >> 8);
	o->buf[at + 1] = (char)value;
}

/* RFC 1071 over an even number of bytes. */
static uint16_t checksum(struct slice s)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < s.n; i += 2)
		sum += (uint32_t)(((uint8_t)s.p[i] << 8) | (uint8_t)s.p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

int link_cdp_write(const struct link_cdp_say *say, struct out *o)
{
	size_t start = o->n;
	struct out f = out_to(o->buf + start, o->size - start);

	out_bytes(&f, slice_of(CDP_TO, LINK_MAC_BYTES));
	out_bytes(&f, slice_of((const char *)say->from, sizeof(say->from)));
	out_be16(&f, 0);
	out_bytes(&f, slice_of(CDP_SNAP, CDP_SNAP_BYTES));
	out_char(&f, CDP_VERSION);
	out_char(&f, (char)say->ttl_s);
	out_be16(&f, 0);
	tlv(&f, CDP_DEVICE, cut(say->device));
	tlv(&f, CDP_PORT, cut(say->port));
	tlv(&f, CDP_CAPABILITIES, slice_of("\0\0\0\x01", 4));
	tlv(&f, CDP_PLATFORM, slice_z(PLATFORM));
	put_voice_vlan(say, &f);
	/* An odd last byte is summed up in more than one way: there is none. */
	tlv(&f, CDP_SOFTWARE,
	    slice_of(SOFTWARE ".", sizeof(SOFTWARE) - 1 + (f.n + sizeof(SOFTWARE) - 1) % 2));
	if (f.err)
		return f.err;
	put16(&f, LENGTH_AT, (uint32_t)(f.n - LENGTH_AT - 2));
	put16(&f, CHECKSUM_AT, checksum(slice_of(f.buf + HEAD_AT, f.n - HEAD_AT)));
	o->n = start + f.n;
	return 0;
}
