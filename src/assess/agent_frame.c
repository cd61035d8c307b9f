#include "assess/agent.h"

void agent_put_u64(struct out *o, uint64_t v)
{
	out_be32(o, (uint32_t)(v >> 32));
	out_be32(o, (uint32_t)(v & 0xffffffff));
}

void agent_put_endpoint(struct out *o, const struct ip_endpoint *e)
{
	out_char(o, (char)e->addr.family);
	out_bytes(o, slice_of((const char *)e->addr.bytes, sizeof(e->addr.bytes)));
	out_be16(o, e->port);
}

struct ip_endpoint agent_endpoint(struct cursor *c)
{
	struct ip_endpoint e = {.addr.family = cur_u8(c)};
	struct slice bytes = cur_bytes(c, sizeof(e.addr.bytes));

	if (e.addr.family > IP_V6)
		cur_fail(c, ERR_SYNTAX);
	if (bytes.n == sizeof(e.addr.bytes))
		memcpy(e.addr.bytes, bytes.p, bytes.n);
	e.port = cur_u16(c);
	return e;
}

uint64_t agent_u64(struct cursor *c)
{
	uint64_t high = cur_u32(c);

	return high << 32 | cur_u32(c);
}

int agent_frame_read(struct slice bytes, struct agent_frame *out, size_t *out_used)
{
	struct cursor c = cur_of(bytes);
	uint8_t op = cur_u8(&c), socket = cur_u8(&c);
	size_t n = cur_u16(&c);

	if (c.err)
		return 0;
	if (n > AGENT_FRAME_BYTES_MAX)
		return ERR_LIMIT;
	if (cur_left(&c) < n)
		return 0;
	*out = (struct agent_frame){.op = op, .socket = socket, .body = cur_bytes(&c, n)};
	*out_used = AGENT_HEAD_BYTES + n;
	return 1;
}

int agent_frame_write(struct out *o, uint8_t op, uint8_t socket, struct slice body)
{
	if (body.n > AGENT_FRAME_BYTES_MAX)
		return ERR_SPACE;
	out_char(o, (char)op);
	out_char(o, (char)socket);
	out_be16(o, (uint16_t)body.n);
	out_bytes(o, body);
	return o->err;
}
