#include "proto/vici/vici.h"

static bool type_has_name(enum vici_type t)
{
	return t == VICI_REQUEST || t == VICI_REGISTER || t == VICI_UNREGISTER || t == VICI_EVENT;
}

long vici_packet_read(struct slice stream, struct vici_packet *out)
{
	struct vici_packet p = {0};
	struct cursor c = cur_of(stream);
	uint32_t bytes;
	uint8_t type;

	if (stream.n < VICI_HEAD_BYTES)
		return 0;
	bytes = cur_u32(&c);
	if (bytes > VICI_PACKET_MAX)
		return ERR_LIMIT;
	if (cur_left(&c) < bytes)
		return 0;
	c = cur_of(cur_bytes(&c, bytes));
	type = cur_u8(&c);
	if (c.err || type >= VICI_TYPE_COUNT)
		return ERR_SYNTAX;
	p.type = (enum vici_type)type;
	if (type_has_name(p.type))
		p.name = cur_bytes(&c, cur_u8(&c));
	p.message = cur_rest(&c);
	if (c.err)
		return c.err;
	*out = p;
	return (long)(VICI_HEAD_BYTES + bytes);
}

struct vici_reader vici_reader_of(struct slice message)
{
	return (struct vici_reader){.c = cur_of(message)};
}

/* Sections stand in sections, pairs and lists too; in a list there are items alone. */
static bool fits(const struct vici_reader *r, uint8_t kind)
{
	if (kind == VICI_LIST_ITEM || kind == VICI_LIST_END)
		return r->in_list;
	if (kind == VICI_SECTION_END)
		return !r->in_list && r->depth > 0;
	return !r->in_list && kind >= VICI_SECTION_START && kind <= VICI_LIST_START;
}

static void read_content(struct vici_reader *r, struct vici_element *e)
{
	bool named = e->kind == VICI_SECTION_START || e->kind == VICI_KEY_VALUE ||
		     e->kind == VICI_LIST_START;

	if (named)
		e->name = cur_bytes(&r->c, cur_u8(&r->c));
	if (e->kind == VICI_KEY_VALUE || e->kind == VICI_LIST_ITEM)
		e->value = cur_bytes(&r->c, cur_u16(&r->c));
}

bool vici_next(struct vici_reader *r, struct vici_element *out)
{
	struct vici_element e = {0};
	uint8_t kind;

	if (cur_left(&r->c) == 0) {
		if (r->depth || r->in_list)
			cur_fail(&r->c, ERR_SYNTAX);
		return false;
	}
	if (++r->seen > VICI_ELEMENTS_MAX)
		cur_fail(&r->c, ERR_LIMIT);
	kind = cur_u8(&r->c);
	if (!r->c.err && !fits(r, kind))
		cur_fail(&r->c, ERR_SYNTAX);
	e.kind = (enum vici_kind)kind;
	if (e.kind == VICI_SECTION_END)
		r->depth--;
	e.depth = r->depth;
	if (e.kind == VICI_SECTION_START && ++r->depth > VICI_DEPTH_MAX)
		cur_fail(&r->c, ERR_LIMIT);
	if (e.kind == VICI_LIST_START || e.kind == VICI_LIST_END)
		r->in_list = e.kind == VICI_LIST_START;
	read_content(r, &e);
	if (r->c.err)
		return false;
	*out = e;
	return true;
}
