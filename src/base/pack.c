#include "base/pack.h"

#include <string.h>

void pack_fail(struct pack *p, int err)
{
	if (p->reading)
		cur_fail(&p->in, err);
	else if (!p->out.err)
		p->out.err = err;
}

void pack_bytes(struct pack *p, void *field, size_t n)
{
	struct slice s;

	if (!p->reading) {
		out_bytes(&p->out, slice_of(field, n));
		return;
	}
	s = cur_bytes(&p->in, n);
	if (s.n == n && n)
		memcpy(field, s.p, n);
	else
		memset(field, 0, n);
}

void pack_u8(struct pack *p, uint8_t *field, uint8_t max)
{
	pack_bytes(p, field, sizeof(*field));
	if (*field <= max)
		return;
	pack_fail(p, ERR_SYNTAX);
	*field = 0;
}

void pack_u16(struct pack *p, uint16_t *field)
{
	pack_bytes(p, field, sizeof(*field));
}

void pack_u32(struct pack *p, uint32_t *field)
{
	pack_bytes(p, field, sizeof(*field));
}

void pack_u64(struct pack *p, uint64_t *field)
{
	pack_bytes(p, field, sizeof(*field));
}

void pack_bool(struct pack *p, bool *field)
{
	uint8_t byte = p->reading ? 0 : *field;

	pack_u8(p, &byte, 1);
	*field = byte;
}

void pack_z(struct pack *p, char *field, size_t size)
{
	struct slice s = p->reading ? slice_of("", 0) : slice_z(field);
	uint16_t n = (uint16_t)s.n;

	pack_u16(p, &n);
	if (!p->reading) {
		out_bytes(&p->out, s);
		return;
	}
	if (n >= size) {
		pack_fail(p, ERR_SYNTAX);
		n = 0;
	}
	s = cur_bytes(&p->in, n);
	if (!slice_to_z(s, field, size))
		pack_fail(p, ERR_SYNTAX);
}

void pack_slice(struct pack *p, struct slice *field)
{
	uint32_t n = p->reading ? 0 : (uint32_t)field->n;
	struct slice s;

	pack_u32(p, &n);
	if (!p->reading) {
		out_bytes(&p->out, *field);
		return;
	}
	s = cur_bytes(&p->in, n);
	*field = slice_of("", 0);
	if (!p->in.err && arena_copy(p->arena, s, field))
		pack_fail(p, ERR_NOMEM);
}
