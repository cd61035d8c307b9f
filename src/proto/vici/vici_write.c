#include "proto/vici/vici.h"

static void put_name(struct out *o, struct slice name)
{
	if (name.n > VICI_NAME_MAX)
		o->err = ERR_SPACE;
	out_char(o, (char)name.n);
	out_bytes(o, name);
}

static void put_value(struct out *o, struct slice value)
{
	if (value.n > VICI_VALUE_MAX)
		o->err = ERR_SPACE;
	out_be16(o, (uint32_t)value.n);
	out_bytes(o, value);
}

size_t vici_begin(struct out *o, enum vici_type type, struct slice name)
{
	size_t start = o->n;

	out_be16(o, 0);
	out_be16(o, 0);
	out_char(o, (char)type);
	put_name(o, name);
	return start;
}

void vici_section(struct out *o, struct slice name)
{
	out_char(o, VICI_SECTION_START);
	put_name(o, name);
}

void vici_section_end(struct out *o)
{
	out_char(o, VICI_SECTION_END);
}

void vici_pair(struct out *o, const char *key, struct slice value)
{
	out_char(o, VICI_KEY_VALUE);
	put_name(o, slice_z(key));
	put_value(o, value);
}

void vici_list(struct out *o, const char *key)
{
	out_char(o, VICI_LIST_START);
	put_name(o, slice_z(key));
}

void vici_item(struct out *o, struct slice value)
{
	out_char(o, VICI_LIST_ITEM);
	put_value(o, value);
}

void vici_list_end(struct out *o)
{
	out_char(o, VICI_LIST_END);
}

void vici_end(struct out *o, size_t start)
{
	size_t bytes = o->n - start - VICI_HEAD_BYTES;

	if (o->err)
		return;
	if (bytes > VICI_PACKET_MAX) {
		o->err = ERR_SPACE;
		return;
	}
	for (size_t i = 0; i < VICI_HEAD_BYTES; i++)
		o->buf[start + i] = (char)(bytes >> (24 - 8 * i));
}
