/* STUN messages, read in place and written (RFC 8489), with the attributes of ICE's connectivity
 * checks (RFC 8445 16.1). */
#ifndef HW_PROTO_STUN_H
#define HW_PROTO_STUN_H

#include "base/ip.h"
#include "base/out.h"
#include "proto/stun/limits.h"

enum stun_class { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };

#define STUN_BINDING 0x001 /* the method */

enum stun_attribute {
	STUN_ATTR_MAPPED_ADDRESS = 0x0001,
	STUN_ATTR_USERNAME = 0x0006,
	STUN_ATTR_INTEGRITY = 0x0008,
	STUN_ATTR_ERROR_CODE = 0x0009,
	STUN_ATTR_UNKNOWN_ATTRIBUTES = 0x000a,
	STUN_ATTR_REALM = 0x0014,
	STUN_ATTR_NONCE = 0x0015,
	STUN_ATTR_INTEGRITY_SHA256 = 0x001c,
	STUN_ATTR_USERHASH = 0x001e,
	STUN_ATTR_XOR_MAPPED_ADDRESS = 0x0020,
	STUN_ATTR_PRIORITY = 0x0024,
	STUN_ATTR_USE_CANDIDATE = 0x0025,
	STUN_ATTR_SOFTWARE = 0x8022,
	STUN_ATTR_FINGERPRINT = 0x8028,
	STUN_ATTR_ICE_CONTROLLED = 0x8029,
	STUN_ATTR_ICE_CONTROLLING = 0x802a,
};

enum stun_role { STUN_ROLE_NONE, STUN_ROLE_CONTROLLED, STUN_ROLE_CONTROLLING };

struct stun_msg {
	struct slice whole;
	enum stun_class class;
	uint16_t method;
	uint8_t transaction[STUN_TRANSACTION_BYTES];
	struct slice username; /* p is NULL when it is not there; so for the next two */
	struct slice software;
	struct slice error_text;
	uint16_t error_code;	   /* 300..699; 0 = none */
	struct ip_endpoint mapped; /* XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS; IP_NONE = neither */
	bool has_priority;
	uint32_t priority;
	bool use_candidate;
	uint8_t role; /* enum stun_role: the sender's */
	uint64_t tie_breaker;
	/* Offsets of the attributes that prove the message; 0 = not there. */
	size_t integrity_at, integrity_sha256_at, fingerprint_at;
	uint16_t unknown[STUN_UNKNOWN_MAX]; /* types that must be understood and are not */
	uint8_t unknown_count;
};

/* Reads one whole datagram. Slices are borrowed from it. What stands behind an integrity attribute
 * is ignored (RFC 8489 14.5), of attributes that stand twice the first one counts (14), except
 * that a known attribute of a wrong length, a wrong cookie, a wrong FINGERPRINT and lengths that do
 * not add up are ERR_SYNTAX; ERR_LIMIT: more than STUN_ATTRIBUTES_MAX or STUN_MESSAGE_BYTES_MAX. */
int stun_parse(struct slice datagram, struct stun_msg *out) must_check;
/* Does `key` (a short-term password as it stands) prove the message (RFC 8489 9.1.3)? By
 * MESSAGE-INTEGRITY-SHA256 when it is there, else by MESSAGE-INTEGRITY. False also when neither is
 * there. Compares in constant time. */
bool stun_is_proven(const struct stun_msg *msg, struct slice key);

/* A message is written by stun_begin, its attributes, the integrity and the fingerprint, in this
 * order. All write into `o`, whose first byte is the message's. */
void stun_begin(struct out *o, enum stun_class class, uint16_t method,
		const uint8_t transaction[static STUN_TRANSACTION_BYTES]);
void stun_add(struct out *o, enum stun_attribute type, struct slice value);
void stun_add_u32(struct out *o, enum stun_attribute type, uint32_t value);
void stun_add_u64(struct out *o, enum stun_attribute type, uint64_t value);
void stun_add_xor_mapped(struct out *o, const struct ip_endpoint *e);
/* `code` 300..699 (RFC 8489 14.8). */
void stun_add_error(struct out *o, uint16_t code, struct slice text);
void stun_add_unknown(struct out *o, const uint16_t *types, size_t count);

enum stun_hash { STUN_SHA1, STUN_SHA256 };

void stun_add_integrity(struct out *o, enum stun_hash hash, struct slice key);
void stun_add_fingerprint(struct out *o);

#endif
