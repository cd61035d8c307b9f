/* vici, by which strongSwan's charon is told what to do: its packets, read in place and written.
 * The protocol is documented in strongSwan's src/libcharon/plugins/vici/README.md: a packet is its
 * length in four bytes (big-endian), a type, for some types a name, and a message of elements. */
#ifndef HW_PROTO_VICI_H
#define HW_PROTO_VICI_H

#include "base/cursor.h"
#include "base/out.h"
#include "proto/vici/limits.h"

enum vici_type {
	VICI_REQUEST, /* named */
	VICI_RESPONSE,
	VICI_UNKNOWN,	    /* there is no such command */
	VICI_REGISTER,	    /* named: tell me of these events */
	VICI_UNREGISTER,    /* named */
	VICI_CONFIRM,	    /* of a registration */
	VICI_EVENT_UNKNOWN, /* there is no such event */
	VICI_EVENT,	    /* named */
	VICI_TYPE_COUNT
};

enum vici_kind {
	VICI_SECTION_START = 1, /* named */
	VICI_SECTION_END,
	VICI_KEY_VALUE,	 /* named, with a value */
	VICI_LIST_START, /* named */
	VICI_LIST_ITEM,	 /* a value */
	VICI_LIST_END,
};

struct vici_packet {
	enum vici_type type;
	struct slice name;    /* of the types that have one */
	struct slice message; /* for vici_reader_of */
};

/* The first whole packet of a stream. Bytes that it takes; 0: more are needed; ERR_LIMIT: longer
 * than VICI_PACKET_MAX; ERR_SYNTAX. Slices point into `stream`. */
long vici_packet_read(struct slice stream, struct vici_packet *out) must_check;

struct vici_element {
	enum vici_kind kind;
	struct slice name, value; /* empty where the kind has none */
	unsigned depth; /* sections around it; a section's own start and end are outside */
};

/* Walks over a message. Sticky error: ERR_SYNTAX (it breaks the grammar), ERR_LIMIT. */
struct vici_reader {
	struct cursor c;
	unsigned depth;
	unsigned seen; /* elements */
	bool in_list;
};

struct vici_reader vici_reader_of(struct slice message);
/* False at the end, and after an error. A message is good when it ended without one. */
bool vici_next(struct vici_reader *r, struct vici_element *out);

/* Building: begin, elements, end. Errors stick to `o`: ERR_SPACE; a name or value that is too long,
 * too. Only one packet is built at a time; `begin` returns where it starts, for `end`. */
size_t vici_begin(struct out *o, enum vici_type type, struct slice name);
void vici_section(struct out *o, struct slice name);
void vici_section_end(struct out *o);
void vici_pair(struct out *o, const char *key, struct slice value);
void vici_list(struct out *o, const char *key);
void vici_item(struct out *o, struct slice value);
void vici_list_end(struct out *o);
/* Writes the length at `start`. */
void vici_end(struct out *o, size_t start);

#endif
