#include "proto/stun/stun_impl.h"

/* The header's length always ends where the message does now. */
static void set_length(struct out *o)
{
	size_t length = o->n - STUN_HEADER_BYTES;

	if (o->err)
		return;
	o->buf[2] = (char)(length >> 8);
	o->buf[3] = (char)length;
}

void stun_begin(struct out *o, enum stun_class class, uint16_t method,
		const uint8_t transaction[static STUN_TRANSACTION_BYTES])
{
	unsigned type = (method & 0x000fu) | (method & 0x0070u) << 1 | (method & 0x0f80u) << 2;

	type |= ((unsigned)class & 1) << 4 | ((unsigned)class & 2) << 7;
	out_be16(o, type);
	out_be16(o, 0);
	out_be32(o, STUN_COOKIE);
	out_bytes(o, slice_of((const char *)transaction, STUN_TRANSACTION_BYTES));
}

void stun_add(struct out *o, enum stun_attribute type, struct slice value)
{
	out_be16(o, type);
	out_be16(o, (unsigned)value.n);
	out_bytes(o, value);
	for (size_t pad = (4 - value.n % 4) % 4; pad; pad--)
		out_char(o, 0);
	set_length(o);
}

void stun_add_u32(struct out *o, enum stun_attribute type, uint32_t value)
{
	out_be16(o, type);
	out_be16(o, 4);
	out_be32(o, value);
	set_length(o);
}

void stun_add_u64(struct out *o, enum stun_attribute type, uint64_t value)
{
	out_be16(o, type);
	out_be16(o, 8);
	out_be32(o, (uint32_t)(value >> 32));
	out_be32(o, (uint32_t)value);
	set_length(o);
}

void stun_add_xor_mapped(struct out *o, const struct ip_endpoint *e)
{
	bool v6 = e->addr.family == IP_V6;
	size_t bytes = v6 ? 16 : 4;

	out_be16(o, STUN_ATTR_XOR_MAPPED_ADDRESS);
	out_be16(o, (unsigned)(4 + bytes));
	out_be16(o, v6 ? 2 : 1);
	out_be16(o, e->port ^ STUN_COOKIE >> 16);
	for (size_t i = 0; i < bytes && !o->err; i++)
		out_char(o, (char)(e->addr.bytes[i] ^ (uint8_t)o->buf[4 + i]));
	set_length(o);
}

void stun_add_error(struct out *o, uint16_t code, struct slice text)
{
	out_be16(o, STUN_ATTR_ERROR_CODE);
	out_be16(o, (unsigned)(4 + text.n));
	out_be16(o, 0);
	out_char(o, (char)(code / 100));
	out_char(o, (char)(code % 100));
	out_bytes(o, text);
	for (size_t pad = (4 - text.n % 4) % 4; pad; pad--)
		out_char(o, 0);
	set_length(o);
}

void stun_add_unknown(struct out *o, const uint16_t *types, size_t count)
{
	out_be16(o, STUN_ATTR_UNKNOWN_ATTRIBUTES);
	out_be16(o, (unsigned)(2 * count));
	for (size_t i = 0; i < count; i++)
		out_be16(o, types[i]);
	if (count % 2)
		out_be16(o, 0);
	set_length(o);
}

void stun_add_integrity(struct out *o, enum stun_hash hash, struct slice key)
{
	size_t bytes = hash == STUN_SHA1 ? STUN_SHA1_BYTES : STUN_SHA256_BYTES;
	uint8_t value[STUN_SHA256_BYTES];

	if (!stun_hmac(hash, key, out_slice(o), o->n, bytes, value)) {
		o->err = o->err ? o->err : ERR_SPACE;
		return;
	}
	stun_add(o, hash == STUN_SHA1 ? STUN_ATTR_INTEGRITY : STUN_ATTR_INTEGRITY_SHA256,
		 slice_of((const char *)value, bytes));
}

void stun_add_fingerprint(struct out *o)
{
	size_t at = o->n;

	stun_add_u32(o, STUN_ATTR_FINGERPRINT, 0);
	if (o->err)
		return;
	o->n = at;
	stun_add_u32(o, STUN_ATTR_FINGERPRINT, stun_crc(out_slice(o), at));
}
