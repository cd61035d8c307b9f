#include "base/cursor.h"
#include "proto/stun/stun_impl.h"

#define COMPREHENSION_OPTIONAL 0x8000 /* RFC 8489 14: types from here on may be ignored */
#define ADDRESS_IPV4	       1
#define ADDRESS_IPV6	       2

/* One attribute: where it stands and what is in it. */
struct attribute {
	uint16_t type;
	size_t at; /* in the message */
	struct slice value;
};

static int read_head(struct cursor *c, struct stun_msg *m)
{
	uint16_t type = cur_u16(c), length = cur_u16(c);
	uint32_t cookie = cur_u32(c);
	struct slice transaction = cur_bytes(c, STUN_TRANSACTION_BYTES);

	/* The first two bits tell it from RTP, the length from a cut datagram (RFC 8489 5). */
	if (c->err || type & 0xc000 || cookie != STUN_COOKIE || length % 4 || length != cur_left(c))
		return ERR_SYNTAX;
	m->class = (enum stun_class)((type >> 7 & 2) | (type >> 4 & 1));
	m->method = (uint16_t)((type & 0x000f) | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2);
	memcpy(m->transaction, transaction.p, sizeof(m->transaction));
	return 0;
}

static int read_address(struct stun_msg *m, struct slice value, bool xored)
{
	struct cursor c = cur_of(value);
	struct ip_endpoint e = {0};
	uint8_t family = (uint8_t)(cur_u16(&c) & 0xff);
	uint16_t port = cur_u16(&c);
	size_t bytes = family == ADDRESS_IPV4 ? 4 : 16;
	struct slice address = cur_bytes(&c, bytes);

	if (c.err || cur_left(&c) || (family != ADDRESS_IPV4 && family != ADDRESS_IPV6))
		return ERR_SYNTAX;
	e.addr.family = family == ADDRESS_IPV4 ? IP_V4 : IP_V6;
	memcpy(e.addr.bytes, address.p, bytes);
	e.port = xored ? port ^ (uint16_t)(STUN_COOKIE >> 16) : port;
	for (size_t i = 0; i < bytes && xored; i++)
		e.addr.bytes[i] ^= (uint8_t)m->whole.p[4 + i]; /* cookie, then transaction */
	m->mapped = e;
	return 0;
}

static int read_error(struct stun_msg *m, struct slice value)
{
	struct cursor c = cur_of(value);
	unsigned hundreds, units;

	(void)cur_u16(&c);
	hundreds = cur_u8(&c) & 7;
	units = cur_u8(&c);
	m->error_text = cur_rest(&c);
	if (c.err || hundreds < 3 || hundreds > 6 || units > 99 ||
	    m->error_text.n > STUN_REASON_MAX)
		return ERR_SYNTAX;
	m->error_code = (uint16_t)(hundreds * 100 + units);
	return 0;
}

static int read_role(struct stun_msg *m, const struct attribute *a)
{
	struct cursor c = cur_of(a->value);

	if (a->value.n != 8 || m->role != STUN_ROLE_NONE)
		return ERR_SYNTAX;
	m->role =
		a->type == STUN_ATTR_ICE_CONTROLLING ? STUN_ROLE_CONTROLLING : STUN_ROLE_CONTROLLED;
	m->tie_breaker = (uint64_t)cur_u32(&c) << 32;
	m->tie_breaker |= cur_u32(&c);
	return 0;
}

static int read_integrity(struct stun_msg *m, const struct attribute *a)
{
	if (a->type == STUN_ATTR_INTEGRITY) {
		m->integrity_at = a->at;
		return a->value.n == STUN_SHA1_BYTES ? 0 : ERR_SYNTAX;
	}
	m->integrity_sha256_at = a->at;
	return a->value.n >= STUN_SHA256_BYTES_MIN && a->value.n <= STUN_SHA256_BYTES &&
			       a->value.n % 4 == 0
		       ? 0
		       : ERR_SYNTAX;
}

/* The last attribute (RFC 8489 14.7), and right: it tells STUN from what merely looks like it. */
static int read_fingerprint(struct stun_msg *m, const struct attribute *a)
{
	struct cursor c = cur_of(a->value);

	m->fingerprint_at = a->at;
	if (a->value.n != 4 || a->at + STUN_ATTR_HEAD_BYTES + 4 != m->whole.n)
		return ERR_SYNTAX;
	return cur_u32(&c) == stun_crc(m->whole, a->at) ? 0 : ERR_SYNTAX;
}

static int read_priority(struct stun_msg *m, struct slice value)
{
	struct cursor c = cur_of(value);

	m->has_priority = true;
	m->priority = cur_u32(&c);
	return value.n == 4 ? 0 : ERR_SYNTAX;
}

static void note_unknown(struct stun_msg *m, uint16_t type)
{
	if (type < COMPREHENSION_OPTIONAL && m->unknown_count < STUN_UNKNOWN_MAX)
		m->unknown[m->unknown_count++] = type;
}

static int read_known(struct stun_msg *m, const struct attribute *a)
{
	switch (a->type) {
	case STUN_ATTR_USERNAME:
		m->username = a->value;
		return a->value.n && a->value.n <= STUN_USERNAME_MAX ? 0 : ERR_SYNTAX;
	case STUN_ATTR_SOFTWARE:
		m->software = a->value;
		return 0;
	case STUN_ATTR_ERROR_CODE:
		return read_error(m, a->value);
	case STUN_ATTR_MAPPED_ADDRESS:
		return m->mapped.addr.family ? 0 : read_address(m, a->value, false);
	case STUN_ATTR_XOR_MAPPED_ADDRESS:
		return read_address(m, a->value, true);
	case STUN_ATTR_PRIORITY:
		return read_priority(m, a->value);
	case STUN_ATTR_USE_CANDIDATE:
		m->use_candidate = true;
		return a->value.n == 0 ? 0 : ERR_SYNTAX;
	case STUN_ATTR_ICE_CONTROLLED:
	case STUN_ATTR_ICE_CONTROLLING:
		return read_role(m, a);
	case STUN_ATTR_UNKNOWN_ATTRIBUTES:
	case STUN_ATTR_REALM:
	case STUN_ATTR_NONCE:
	case STUN_ATTR_USERHASH:
		return 0; /* known, and of no use for short-term credentials */
	default:
		note_unknown(m, a->type);
		return 0;
	}
}

/* Behind an integrity attribute only the stronger one and the fingerprint count. */
static int read_attribute(struct stun_msg *m, const struct attribute *a)
{
	if (m->fingerprint_at)
		return ERR_SYNTAX;
	if (a->type == STUN_ATTR_FINGERPRINT)
		return read_fingerprint(m, a);
	if (m->integrity_sha256_at)
		return 0;
	if (a->type == STUN_ATTR_INTEGRITY_SHA256)
		return read_integrity(m, a);
	if (m->integrity_at)
		return 0;
	if (a->type == STUN_ATTR_INTEGRITY)
		return read_integrity(m, a);
	return read_known(m, a);
}

static bool seen_before(const uint16_t *types, unsigned count, uint16_t type)
{
	for (unsigned i = 0; i < count; i++)
		if (types[i] == type)
			return true;
	return false;
}

int stun_parse(struct slice datagram, struct stun_msg *out)
{
	struct cursor c = cur_of(datagram);
	struct stun_msg m = {.whole = datagram};
	uint16_t seen[STUN_ATTRIBUTES_MAX];
	unsigned count = 0;
	int err = datagram.n > STUN_MESSAGE_BYTES_MAX ? ERR_LIMIT : read_head(&c, &m);

	while (!err && cur_left(&c)) {
		struct attribute a = {.at = datagram.n - cur_left(&c)};
		uint16_t bytes;

		a.type = cur_u16(&c);
		bytes = cur_u16(&c);
		a.value = cur_bytes(&c, bytes);
		(void)cur_bytes(&c, (4u - bytes % 4u) % 4u);
		if (c.err || count == STUN_ATTRIBUTES_MAX) {
			err = c.err ? ERR_SYNTAX : ERR_LIMIT;
		} else if (!seen_before(seen, count, a.type)) {
			seen[count++] = a.type;
			err = read_attribute(&m, &a);
		}
	}
	if (err)
		return err;
	*out = m;
	return 0;
}
