#include "proto/sip/sip_headers.h"

#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_scan.h"

struct head {
	struct sip_msg *m;
	const struct sip_map *map;
	uint8_t last[SIP_H_COUNT];   /* 1 + index of the last header of this id */
	uint8_t values[SIP_H_COUNT]; /* comma-separated ones seen so far */
	struct sip_via via;	     /* the present one */
	struct sip_name_addr addr;   /* the present one */
};

/* How one header's value is read; the second argument names it. */
struct rule {
	enum reason (*read)(struct head *h, enum sip_header_id id, struct slice *value);
	enum reason reason; /* when it is malformed */
	bool once;	    /* may not stand twice (RFC 3261 7.3.1) */
};

static const struct rule rules[SIP_H_COUNT];

/* Another value of a list: 0, or why it is one too many. */
static inline enum reason value_count(struct head *h, enum sip_header_id id)
{
	return ++h->values[id] > SIP_VALUES_MAX ? REASON_sip_headers_limit : REASON_NONE;
}

/* The values before the malformed one, or the topmost one up to its fault, so that the refusal
 * finds its way back. */
static void via_keep_sound_part(struct head *h, const struct sip_via *bad, const char *sound,
				struct slice *value)
{
	if (h->values[SIP_H_VIA] == 0 && bad->params.p) {
		h->values[SIP_H_VIA]++;
		h->m->via = (struct sip_via){
			.transport = bad->transport, .host = bad->host, .port = bad->port};
		sound = bad->params.p;
	}
	*value = ch_trim(value->p, sound);
}

static enum reason read_via(struct head *h, enum sip_header_id id, struct slice *value)
{
	const char *p = value->p;
	const char *sound = value->p;
	struct ch_bound to = ch_bound_in(h->map, *value);

	for (;;) {
		p = sip_via_scan(p, to, &h->via);
		if (!p || value_count(h, id)) {
			via_keep_sound_part(h, &h->via, sound, value);
			return p ? REASON_sip_headers_limit : REASON_sip_via;
		}
		if (h->values[id] == 1)
			h->m->via = h->via;
		if (p == to.end)
			return REASON_NONE;
		sound = p++;
	}
}

/* From and To: one address, which stays empty when it is malformed. */
static enum reason read_address(const struct head *h, struct slice value, struct sip_name_addr *out,
				enum reason reason)
{
	struct ch_bound to = ch_bound_in(h->map, value);

	if (sip_name_addr_scan(value.p, to, out) == to.end && value.n)
		return REASON_NONE;
	*out = (struct sip_name_addr){0};
	return reason;
}

static enum reason read_from(struct head *h, enum sip_header_id id, struct slice *value)
{
	return read_address(h, *value, &h->m->from, REASON_sip_from);
}

static enum reason read_to(struct head *h, enum sip_header_id id, struct slice *value)
{
	return read_address(h, *value, &h->m->to, REASON_sip_to);
}

static enum reason read_addresses(struct head *h, enum sip_header_id id, struct slice *value)
{
	const char *p = value->p;
	struct ch_bound to = ch_bound_in(h->map, *value);

	for (;;) {
		p = sip_name_addr_scan(p, to, &h->addr);
		if (!p)
			return rules[id].reason;
		if (value_count(h, id))
			return REASON_sip_headers_limit;
		if (p == to.end)
			return REASON_NONE;
		p++;
	}
}

/* The first one is kept; "*" stands alone in its line. */
static enum reason read_contact(struct head *h, enum sip_header_id id, struct slice *value)
{
	bool first = h->values[id] == 0;
	const char *comma;

	if (slice_eq(*value, SL("*"))) {
		h->m->contact.wildcard |= first;
		return value_count(h, id);
	}
	if (!first)
		return read_addresses(h, id, value);
	comma = sip_name_addr_scan(value->p, ch_bound_in(h->map, *value), &h->m->contact);
	if (!comma) {
		h->m->contact = (struct sip_name_addr){0};
		return REASON_sip_contact;
	}
	if (value_count(h, id) || comma == slice_end(*value))
		return REASON_NONE;
	value = &(struct slice){comma + 1, (size_t)(slice_end(*value) - comma - 1)};
	return read_addresses(h, id, value);
}

static enum reason read_call_id(struct head *h, enum sip_header_id id, struct slice *value)
{
	struct ch_bound to = ch_bound_in(h->map, *value);

	if (value->n == 0 || ch_run_wide(value->p, to, CH_VISIBLE) != to.end)
		return REASON_sip_call_id;
	h->m->call_id = *value;
	return REASON_NONE;
}

static enum reason read_cseq(struct head *h, enum sip_header_id id, struct slice *value)
{
	return sip_cseq_parse(*value, &h->m->cseq) ? REASON_sip_cseq : REASON_NONE;
}

static enum reason read_max_forwards(struct head *h, enum sip_header_id id, struct slice *value)
{
	uint32_t hops;

	if (slice_u32(*value, 255, &hops))
		return REASON_sip_max_forwards;
	h->m->max_forwards = (int32_t)hops;
	return REASON_NONE;
}

static enum reason read_content_length(struct head *h, enum sip_header_id id, struct slice *value)
{
	uint32_t bytes;

	if (slice_u32(*value, INT32_MAX, &bytes))
		return REASON_sip_content_length;
	h->m->content_length = (int32_t)bytes;
	return REASON_NONE;
}

/* RFC 2543 allowed a date: it counts as not given. Beyond 2^32-1 is as long as that
 * (RFC 4475 3.1.2.4). */
static enum reason read_expires(struct head *h, enum sip_header_id id, struct slice *value)
{
	uint64_t seconds = UINT32_MAX;

	if (value->n > 4 && value->p[3] == ',' && value->p[4] == ' ')
		return REASON_NONE;
	if (slice_u64(*value, UINT32_MAX, &seconds) == ERR_SYNTAX)
		return REASON_sip_number;
	h->m->expires_s = (int64_t)seconds;
	return REASON_NONE;
}

/* delta-seconds, or a number below 2^32, with parameters where the header has some. */
static enum reason read_number(struct head *h, enum sip_header_id id, struct slice *value)
{
	struct slice rest, name, param, digits = slice_trim(slice_split(*value, ';', &rest));
	uint32_t number;

	if (slice_u32(digits, UINT32_MAX, &number))
		return REASON_sip_number;
	if (digits.n == value->n)
		return REASON_NONE;
	if (id == SIP_H_RSEQ || id == SIP_H_MIN_EXPIRES)
		return REASON_sip_number;
	rest = slice_from(*value, slice_find(*value, ';'));
	while (sip_param_next(&rest, &name, &param))
		;
	return rest.n ? REASON_sip_value : REASON_NONE;
}

static enum reason read_rack(struct head *h, enum sip_header_id id, struct slice *value)
{
	struct sip_cseq cseq;
	uint32_t rseq;

	return sip_rack_parse(*value, &rseq, &cseq) ? REASON_sip_number : REASON_NONE;
}

/* type SLASH subtype and parameters (RFC 3261 20.15). */
static enum reason read_content_type(struct head *h, enum sip_header_id id, struct slice *value)
{
	struct ch_bound to = ch_bound_in(h->map, *value);
	const char *p = ch_run_wide(value->p, to, CH_TOKEN);
	const char *start = value->p;
	struct sip_param param;

	if (p == start)
		return REASON_sip_value;
	p = ch_skip_lws(p, to);
	if (p == to.end || *p != '/')
		return REASON_sip_value;
	start = ch_skip_lws(p + 1, to);
	p = ch_run_wide(start, to, CH_TOKEN);
	if (p == start)
		return REASON_sip_value;
	p = ch_skip_lws(p, to);
	while (p && p < to.end && *p == ';')
		p = sip_param_scan(p + 1, to, &param);
	if (p != to.end)
		return REASON_sip_value;
	h->m->content_type = *value;
	return REASON_NONE;
}

static const struct rule rules[SIP_H_COUNT] = {
	[SIP_H_VIA] = {read_via, REASON_sip_via, false},
	[SIP_H_FROM] = {read_from, REASON_sip_from, true},
	[SIP_H_TO] = {read_to, REASON_sip_to, true},
	[SIP_H_CALL_ID] = {read_call_id, REASON_sip_call_id, true},
	[SIP_H_CSEQ] = {read_cseq, REASON_sip_cseq, true},
	[SIP_H_CONTACT] = {read_contact, REASON_sip_contact, false},
	[SIP_H_ROUTE] = {read_addresses, REASON_sip_route, false},
	[SIP_H_RECORD_ROUTE] = {read_addresses, REASON_sip_route, false},
	[SIP_H_PATH] = {read_addresses, REASON_sip_route, false},
	[SIP_H_SERVICE_ROUTE] = {read_addresses, REASON_sip_route, false},
	[SIP_H_MAX_FORWARDS] = {read_max_forwards, REASON_sip_max_forwards, true},
	[SIP_H_CONTENT_LENGTH] = {read_content_length, REASON_sip_content_length, true},
	[SIP_H_CONTENT_TYPE] = {read_content_type, REASON_sip_value, true},
	[SIP_H_CONTENT_DISPOSITION] = {NULL, REASON_sip_value, true},
	[SIP_H_EXPIRES] = {read_expires, REASON_sip_number, true},
	[SIP_H_MIN_EXPIRES] = {read_number, REASON_sip_number, true},
	[SIP_H_SESSION_EXPIRES] = {read_number, REASON_sip_number, true},
	[SIP_H_MIN_SE] = {read_number, REASON_sip_number, true},
	[SIP_H_RSEQ] = {read_number, REASON_sip_number, true},
	[SIP_H_RACK] = {read_rack, REASON_sip_number, true},
	[SIP_H_EVENT] = {NULL, REASON_sip_value, true},
	[SIP_H_SUBSCRIPTION_STATE] = {NULL, REASON_sip_value, true},
	[SIP_H_REFER_TO] = {read_addresses, REASON_sip_value, true},
	[SIP_H_REFERRED_BY] = {read_addresses, REASON_sip_value, true},
	[SIP_H_REPLACES] = {NULL, REASON_sip_value, true},
	[SIP_H_TARGET_DIALOG] = {NULL, REASON_sip_value, true},
	[SIP_H_JOIN] = {NULL, REASON_sip_value, true},
	[SIP_H_REPLY_TO] = {read_addresses, REASON_sip_value, true},
	[SIP_H_P_ASSERTED_IDENTITY] = {read_addresses, REASON_sip_value, false},
	[SIP_H_P_PREFERRED_IDENTITY] = {read_addresses, REASON_sip_value, false},
};

/* RFCs print " . . ." in a line of its own for what they leave out: no part of the value. */
static struct slice without_elision(struct slice value)
{
	size_t n = value.n;

	while (n > 0 && (value.p[n - 1] == '.' || value.p[n - 1] == ' ' || value.p[n - 1] == '\t'))
		n--;
	return n > 0 && value.p[n - 1] == '\n' ? slice_trim(slice_first(value, n)) : value;
}

/* Splits the line, whatever its white space; REASON_NONE or sip_header_syntax. */
static __attribute__((noinline)) enum reason name_split(const struct head *h,
							struct sip_header *header)
{
	struct slice line = header->value;
	struct ch_bound to = ch_bound_in(h->map, line);
	const char *p = ch_run_wide(line.p, to, CH_TOKEN);

	header->name = ch_slice(line.p, p);
	while (p < to.end && (*p == ' ' || *p == '\t'))
		p++;
	if (header->name.n == 0 || p == to.end || *p != ':')
		return REASON_sip_header_syntax;
	header->value = ch_trim(p + 1, to.end);
	if (header->value.n && header->value.p[header->value.n - 1] == '.')
		header->value = without_elision(header->value);
	return REASON_NONE;
}

/* The same for "Name: value" as nearly everybody writes it; false where there is more to see to. */
static inline bool name_split_plain(const struct head *h, struct sip_header *header)
{
	const char *start = header->value.p;
	const char *last = start + header->value.n - 1;
	const char *colon;

	if (header->value.n == 0)
		return false;
	colon = sip_map_next(h->map, start);
	if (colon == start || last - colon < 2 || colon[0] != ':' || colon[1] != ' ' ||
	    colon[2] <= ' ' || *last <= ' ' || *last == '.')
		return false;
	header->name = ch_slice(start, colon);
	header->value = ch_slice(colon + 2, last + 1);
	return true;
}

static inline void chain_append(struct head *h, unsigned index, enum sip_header_id id)
{
	struct sip_msg *m = h->m;

	m->header[index].id = (uint8_t)id;
	if (h->last[id])
		m->header[h->last[id] - 1].next = (uint8_t)index;
	else
		m->first[id] = (uint8_t)(index + 1);
	h->last[id] = (uint8_t)(index + 1);
}

static inline enum reason header_take(struct head *h, unsigned index)
{
	struct sip_header *header = &h->m->header[index];
	enum sip_header_id id;
	enum reason reason = REASON_NONE;

	header->id = SIP_H_OTHER;
	header->next = 0;
	if (!name_split_plain(h, header))
		reason = name_split(h, header);
	if (reason)
		return reason;
	id = sip_header_id_of(header->name);
	if (rules[id].once && h->last[id])
		return REASON_sip_header_twice;
	reason = rules[id].read ? rules[id].read(h, id, &header->value) : REASON_NONE;
	if (reason == REASON_NONE || (id == SIP_H_VIA && header->value.n && h->m->via.host.n))
		chain_append(h, index, id);
	return reason;
}

enum reason sip_headers_parse(struct sip_msg *m, const struct sip_map *map)
{
	struct head h = {.m = m, .map = map};
	enum reason first = REASON_NONE;

	for (unsigned i = 0; i < m->header_count; i++) {
		enum reason reason = header_take(&h, i);

		if (first == REASON_NONE)
			first = reason;
	}
	return first;
}
