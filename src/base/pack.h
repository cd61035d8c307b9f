/* A record that one description writes and reads: each pack_ function copies a field out into the
 * record, or from the record into the field. What is read is bounded and checked; the error is
 * sticky, and after it every field reads as zero or empty. The record stays on this machine,
 * between processes of one binary: numbers are in the machine's own order. */
#ifndef HW_BASE_PACK_H
#define HW_BASE_PACK_H

#include "base/arena.h"
#include "base/cursor.h"
#include "base/out.h"

struct pack {
	bool reading;
	struct out out;	     /* writing */
	struct cursor in;    /* reading */
	struct arena *arena; /* reading: texts live there; borrowed */
};

static inline struct pack pack_to(char *buf, size_t size)
{
	return (struct pack){.out = out_to(buf, size)};
}

static inline struct pack pack_of(struct slice record, struct arena *arena)
{
	return (struct pack){.reading = true, .in = cur_of(record), .arena = arena};
}

/* 0, ERR_SPACE (writing), ERR_SYNTAX or ERR_NOMEM (reading). */
static inline int pack_error(const struct pack *p)
{
	return p->reading ? p->in.err : p->out.err;
}

/* What was read is not what may stand there. */
void pack_fail(struct pack *p, int err);
/* As it lies in memory: keys, digests and the like, in which every value is a good one. */
void pack_bytes(struct pack *p, void *field, size_t n);
/* A number that is at most `max`. */
void pack_u8(struct pack *p, uint8_t *field, uint8_t max);
void pack_u16(struct pack *p, uint16_t *field);
void pack_u32(struct pack *p, uint32_t *field);
void pack_u64(struct pack *p, uint64_t *field);
void pack_bool(struct pack *p, bool *field);
/* A text in a buffer of `size` bytes with its NUL. */
void pack_z(struct pack *p, char *field, size_t size);
/* A text anywhere; when read it is a copy in the arena. */
void pack_slice(struct pack *p, struct slice *field);

#endif
