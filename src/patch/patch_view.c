#include "patch/patch_view.h"

/* Takes a line off: without its line end (LF, with any CRs before it). */
static struct slice line_take(struct slice *rest)
{
	struct slice line = slice_split(*rest, '\n', rest);

	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool is_fold(struct slice rest)
{
	return rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t');
}

/* A header line with its folds. */
static struct slice header_take(struct slice *rest)
{
	struct slice line = line_take(rest);

	while (line.n && is_fold(*rest)) {
		struct slice fold = line_take(rest);

		line.n = (size_t)(slice_end(fold) - line.p);
	}
	return line;
}

static void field_add(struct patch_view *v, struct slice line)
{
	struct patch_field *f = &v->field[v->field_count];
	struct slice value;

	if (v->field_count == PATCH_FIELDS_MAX)
		return;
	f->name = slice_trim(slice_split(line, ':', &value));
	f->value = slice_trim(value);
	f->id = sip_header_id_of(f->name);
	v->field_count++;
}

static enum sip_method cseq_method(const struct patch_view *v)
{
	for (size_t i = 0; i < v->field_count; i++) {
		struct slice rest;

		if (v->field[i].id != SIP_H_CSEQ)
			continue;
		(void)slice_split(v->field[i].value, ' ', &rest);
		return sip_method_of(slice_trim(rest));
	}
	return SIP_METHOD_OTHER;
}

static bool start_line(struct patch_view *v, struct slice line)
{
	struct slice rest, second, first = slice_split(line, ' ', &rest);
	uint64_t status;

	if (slice_starts_nocase(first, SL("SIP/"))) {
		if (slice_u64(slice_first(slice_trim(rest), 3), 999, &status) == 0)
			v->status = (uint16_t)status;
		return true;
	}
	v->request = true;
	v->method = sip_method_of(first);
	second = slice_trim(rest);
	v->uri = slice_first(second, slice_find(second, ' '));
	return slice_find_slice(line, SL("SIP/")) < line.n;
}

bool patch_view_of(struct slice message, struct patch_view *out)
{
	struct patch_view *v = out;
	struct slice rest = message, line;

	v->request = false;
	v->method = SIP_METHOD_OTHER;
	v->status = 0;
	v->uri = slice_of(NULL, 0);
	v->message = message;
	v->field_count = 0;
	do {
		line = line_take(&rest);
	} while (line.n == 0 && rest.n);
	if (!start_line(v, line))
		return false;
	v->head = slice_of(line.p, (size_t)(slice_end(message) - line.p));
	v->body = slice_of(slice_end(message), 0);
	while (rest.n) {
		line = header_take(&rest);
		if (line.n == 0) {
			v->head.n = (size_t)(line.p - v->head.p);
			v->body = rest;
			break;
		}
		field_add(v, line);
	}
	if (!v->request)
		v->method = cseq_method(v);
	return true;
}
