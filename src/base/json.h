/* Writes JSON (RFC 8259) into a bounded writer, without the heap. Commas are put by the writer;
 * check `o->err` once at the end. Strangers' bytes may go in: what is no UTF-8 becomes U+FFFD. */
#ifndef HW_BASE_JSON_H
#define HW_BASE_JSON_H

#include "base/ip.h"
#include "base/out.h"

struct json {
	struct out *o;
	bool comma; /* a value stands before this place */
};

static inline struct json json_to(struct out *o)
{
	return (struct json){.o = o};
}

/* '{' or '['; close with '}' or ']'. */
void json_open(struct json *j, char bracket);
void json_close(struct json *j, char bracket);
/* A member's name; one value must follow. */
void json_key(struct json *j, const char *key);

void json_str(struct json *j, struct slice s);
void json_u64(struct json *j, uint64_t value);
void json_i64(struct json *j, int64_t value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);
/* With `decimals` digits (0..9) behind the point; no number becomes null. */
void json_real(struct json *j, double value, unsigned decimals);

/* Name and value in one. */
void json_member_str(struct json *j, const char *key, struct slice s);
void json_member_z(struct json *j, const char *key, const char *z);
void json_member_u64(struct json *j, const char *key, uint64_t value);
void json_member_bool(struct json *j, const char *key, bool value);
void json_member_real(struct json *j, const char *key, double value, unsigned decimals);
/* "192.0.2.1:5060"; null for a family of IP_NONE. */
void json_member_endpoint(struct json *j, const char *key, const struct ip_endpoint *e);
/* An opening bracket under a name. */
void json_member_open(struct json *j, const char *key, char bracket);

/* Bytes of the character of more than one byte at the front of a text that is not empty; 0 = it is
 * no UTF-8 (RFC 3629). */
size_t utf8_length(struct slice s);

#endif
