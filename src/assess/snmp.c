#include "assess/snmp.h"

#include "base/cursor.h"

#define SNMP_PORT     161
#define COMMUNITY_MAX 32 /* bytes: keeps all lengths in one byte (X.690 8.1.3.4) */
#define TAG_INTEGER   0x02
#define TAG_STRING    0x04
#define TAG_NULL      0x05
#define TAG_OID	      0x06
#define TAG_SEQUENCE  0x30
#define TAG_GET	      0xa0
#define TAG_RESPONSE  0xa2

/* 1.3.6.1.2.1.1.1.0 (RFC 3418) */
static const uint8_t sys_descr[] = {0x2b, 6, 1, 2, 1, 1, 1, 0};

/* ---- writing: lengths are known beforehand and fit one byte ---- */

static void put(struct out *o, uint8_t tag, size_t n)
{
	out_char(o, (char)tag);
	out_char(o, (char)n);
}

static void put_integer(struct out *o, uint32_t value)
{
	put(o, TAG_INTEGER, 4);
	for (int shift = 24; shift >= 0; shift -= 8)
		out_char(o, (char)(value >> shift & 0xff));
}

void snmp_write_get(struct out *o, enum snmp_version version, const char *community, uint32_t id)
{
	struct slice name = slice_first(slice_z(community), COMMUNITY_MAX);
	size_t bind = 2 + sizeof(sys_descr) + 2; /* an OID and a null */
	size_t pdu = 3 * 6 + 2 + 2 + bind;	 /* three integers, list, binding */

	put(o, TAG_SEQUENCE, 6 + 2 + name.n + 2 + pdu);
	put_integer(o, version);
	put(o, TAG_STRING, name.n);
	out_bytes(o, name);
	put(o, TAG_GET, pdu);
	put_integer(o, id & 0x7fffffff);
	put_integer(o, 0);
	put_integer(o, 0);
	put(o, TAG_SEQUENCE, 2 + bind);
	put(o, TAG_SEQUENCE, bind);
	put(o, TAG_OID, sizeof(sys_descr));
	out_bytes(o, slice_of((const char *)sys_descr, sizeof(sys_descr)));
	put(o, TAG_NULL, 0);
}

/* ---- reading ---- */

/* The content of the next element, whose tag must be this one. */
static struct slice element(struct cursor *c, uint8_t tag)
{
	size_t n;

	if (cur_u8(c) != tag) {
		cur_fail(c, ERR_SYNTAX);
		return slice_of(NULL, 0);
	}
	n = cur_u8(c);
	if (n == 0x81)
		n = cur_u8(c);
	else if (n == 0x82)
		n = cur_u16(c);
	else if (n > 0x7f)
		cur_fail(c, ERR_SYNTAX);
	return cur_bytes(c, n);
}

static uint32_t integer(struct cursor *c)
{
	struct slice s = element(c, TAG_INTEGER);
	uint32_t value = 0;

	if (s.n == 0 || s.n > 5)
		cur_fail(c, ERR_SYNTAX);
	for (size_t i = 0; !c->err && i < s.n; i++)
		value = value << 8 | (uint8_t)s.p[i];
	return value;
}

int snmp_read_response(struct slice bytes, uint32_t id, char out[static SNMP_TEXT_MAX])
{
	struct cursor c = cur_of(bytes), message, pdu, list, bind;
	uint32_t got_id, status;
	struct slice text;

	message = cur_of(element(&c, TAG_SEQUENCE));
	(void)integer(&message);
	(void)element(&message, TAG_STRING);
	pdu = cur_of(element(&message, TAG_RESPONSE));
	got_id = integer(&pdu);
	status = integer(&pdu);
	(void)integer(&pdu);
	if (c.err || message.err || pdu.err || got_id != (id & 0x7fffffff))
		return ERR_SYNTAX;
	if (status)
		return ERR_DENIED;
	list = cur_of(element(&pdu, TAG_SEQUENCE));
	bind = cur_of(element(&list, TAG_SEQUENCE));
	(void)element(&bind, TAG_OID);
	text = element(&bind, TAG_STRING);
	if (pdu.err || list.err || bind.err)
		return ERR_SYNTAX;
	(void)slice_to_z(text, out, SNMP_TEXT_MAX);
	return 0;
}

int visit_snmp(struct visit *v, enum snmp_version version, const char *community,
	       char out[static SNMP_TEXT_MAX])
{
	char request[128], answer[2048], token[17];
	struct out o = out_to(request, sizeof(request));
	uint32_t id = 0;
	int n;

	visit_token(token);
	for (int i = 0; i < 7; i++)
		id = id << 4 | (uint32_t)(token[i] & 0xf);
	snmp_write_get(&o, version, community, id);
	n = visit_ask(v, PACKET_SNMP, SNMP_PORT, out_slice(&o), answer, sizeof(answer));
	if (n < 0)
		return n;
	return snmp_read_response(slice_of(answer, (size_t)n), id, out);
}
