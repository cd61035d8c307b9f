/* Dialogs that are named in a message which crosses: they have other identifiers over there. */
#include "call/cross.h"
#include "proto/sip/sip_write.h"

/* Before the Call-ID of a dialog that is the PBX's own, where others are told of it: so it is known
 * again when they name it. */
static const struct slice own_mark = SLICE("pbx~");

static enum cross_known map(const struct cross *x, const struct cross_dialog *in,
			    struct cross_dialog *out)
{
	if (x->to->owner.kind == OWNER_PBX && slice_starts(in->call_id, own_mark)) {
		*out = *in;
		out->call_id = slice_from(in->call_id, own_mark.n);
		return CROSS_KNOWN;
	}
	return x->map_dialog ? x->map_dialog(x, in, out) : CROSS_ELSEWHERE;
}

bool cross_dialog_reference(const struct cross *x, struct slice value, struct out *o)
{
	struct slice params, id = slice_split(value, ';', &params);
	struct cross_dialog in = {.call_id = slice_trim(id)}, out;

	params = slice_from(value, id.n);
	if (!sip_param_get(params, SL("to-tag"), &in.to_tag) ||
	    !sip_param_get(params, SL("from-tag"), &in.from_tag))
		return false;
	if (map(x, &in, &out) != CROSS_KNOWN)
		return false;
	out_bytes(o, out.call_id);
	out_z(o, ";to-tag=");
	out_bytes(o, out.to_tag);
	out_z(o, ";from-tag=");
	out_bytes(o, out.from_tag);
	if (sip_param_get(params, SL("early-only"), NULL))
		out_z(o, ";early-only");
	return true;
}

void cross_dialog_header(const struct cross *x, struct out *o, const struct sip_header *h)
{
	char mapped[1024];
	struct out m = out_to(mapped, sizeof(mapped));

	if (cross_dialog_reference(x, h->value, &m))
		sip_write_header_id(o, (enum sip_header_id)h->id, out_slice(&m));
}

/* ---- dialog-info (RFC 4235 4.1) ---- */

static bool white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether an element is <dialog ...>, whatever its prefix; `name` is all that stands there. */
static bool is_dialog(struct slice name)
{
	size_t colon = slice_find(name, ':');

	return slice_eq(colon < name.n ? slice_from(name, colon + 1) : name, SL("dialog"));
}

/* Bytes up to the '>' that no quotes hold; text.n = there is none. */
static size_t element_end(struct slice text)
{
	char quote = 0;
	size_t n = 0;

	for (; n < text.n && (quote || text.p[n] != '>'); n++) {
		if (quote)
			quote = text.p[n] == quote ? 0 : quote;
		else if (text.p[n] == '"' || text.p[n] == '\'')
			quote = text.p[n];
	}
	return n;
}

/* The next element <dialog ...>: from its '<' to its '>'. Empty = none. */
static struct slice dialog_element(struct slice text)
{
	for (size_t at; (at = slice_find(text, '<')) < text.n; text = slice_from(text, at + 1)) {
		struct slice here = slice_from(text, at + 1);
		size_t n = 0, end;

		/* no name goes beyond the next '<', so nothing is looked at twice */
		while (n < here.n && !white(here.p[n]) && here.p[n] != '>' && here.p[n] != '<')
			n++;
		if (n == here.n || !white(here.p[n]) || !is_dialog(slice_first(here, n)))
			continue;
		end = element_end(here);
		return end < here.n ? slice_of(text.p + at, end + 2) : slice_of(text.p, 0);
	}
	return slice_of(text.p, 0);
}

/* Takes the next attribute with its value off an element's rest; false: there is none. */
static bool attribute(struct slice *rest, struct slice *name, struct slice *value)
{
	size_t equals = slice_find(*rest, '='), from = equals + 1, end;

	while (from < rest->n && white(rest->p[from]))
		from++;
	if (from >= rest->n || (rest->p[from] != '"' && rest->p[from] != '\''))
		return false;
	*name = slice_trim(slice_first(*rest, equals));
	for (size_t i = 0; i < name->n; i++) /* behind a value, or the element's name */
		if (white(name->p[i])) {
			*name = slice_trim(slice_from(*name, i));
			i = 0;
		}
	*value = slice_from(*rest, from + 1);
	end = slice_find(*value, rest->p[from]);
	if (end >= value->n)
		return false;
	*rest = slice_from(*value, end + 1);
	*value = slice_first(*value, end);
	return true;
}

/* Identifiers have nothing that needs an entity but in theory (RFC 3261 25.1: a Call-ID may). */
static void write_value(struct out *o, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '<')
			out_z(o, "&lt;");
		else if (text.p[i] == '"')
			out_z(o, "&quot;");
		else if (text.p[i] == '\'')
			out_z(o, "&apos;");
		else
			out_char(o, text.p[i]);
	}
}

/* The identifier that an attribute of <dialog> holds; NULL: it holds another thing. */
static struct slice *identifier(struct cross_dialog *d, struct slice attribute_name)
{
	if (slice_eq(attribute_name, SL("call-id")))
		return &d->call_id;
	if (slice_eq(attribute_name, SL("local-tag")))
		return &d->to_tag;
	return slice_eq(attribute_name, SL("remote-tag")) ? &d->from_tag : NULL;
}

/* A PBX's own dialog; what follows the mark stays. */
static void write_unknown(const struct cross *x, struct out *o, struct slice element)
{
	struct slice rest = element, name, value;
	const char *done = element.p;

	while (x->from->owner.kind == OWNER_PBX && attribute(&rest, &name, &value)) {
		if (!slice_eq(name, SL("call-id")))
			continue;
		cross_lines(x, o, slice_of(done, (size_t)(value.p - done)));
		out_bytes(o, own_mark);
		done = value.p;
	}
	cross_lines(x, o, slice_of(done, (size_t)(element.p + element.n - done)));
}

static void write_element(const struct cross *x, struct out *o, struct slice element)
{
	struct cross_dialog in = {0}, out = {0};
	struct slice rest = element, name, value;
	const char *done = element.p;
	enum cross_known known;

	while (attribute(&rest, &name, &value))
		if (identifier(&in, name))
			*identifier(&in, name) = value;
	known = map(x, &in, &out);
	if (known == CROSS_UNKNOWN) {
		write_unknown(x, o, element);
		return;
	}
	for (rest = element; attribute(&rest, &name, &value);) {
		bool tell = known == CROSS_KNOWN;
		const char *until = tell ? value.p : name.p;

		if (!identifier(&out, name))
			continue;
		cross_lines(x, o, slice_of(done, (size_t)(until - done)));
		write_value(o, *identifier(&out, name));
		done = tell ? value.p + value.n : rest.p;
	}
	cross_lines(x, o, slice_of(done, (size_t)(element.p + element.n - done)));
}

void cross_dialog_info(const struct cross *x, struct out *o, struct slice body)
{
	struct slice element;

	while ((element = dialog_element(body)).n) {
		size_t before = (size_t)(element.p - body.p);

		cross_lines(x, o, slice_first(body, before));
		write_element(x, o, element);
		body = slice_from(body, before + element.n);
	}
	cross_lines(x, o, body);
}
