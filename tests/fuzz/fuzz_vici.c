/* vici: whatever comes, slices stay within the stream, and what is read is the same when it is
 * written anew. */
#include <stdlib.h>

#include "proto/vici/vici.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static void within(struct slice whole, struct slice part)
{
	expect(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void write_element(struct out *o, const struct vici_element *e)
{
	char key[VICI_NAME_MAX + 1];
	bool plain = slice_to_z(e->name, key, sizeof(key)) && strlen(key) == e->name.n;

	expect(e->depth <= VICI_DEPTH_MAX);
	switch (e->kind) {
	case VICI_SECTION_START:
		vici_section(o, e->name);
		break;
	case VICI_SECTION_END:
		vici_section_end(o);
		break;
	case VICI_KEY_VALUE:
		vici_pair(o, plain ? key : "k", e->value);
		break;
	case VICI_LIST_START:
		vici_list(o, plain ? key : "k");
		break;
	case VICI_LIST_ITEM:
		vici_item(o, e->value);
		break;
	case VICI_LIST_END:
		vici_list_end(o);
		break;
	}
}

/* Element by element the same but for keys with a NUL in them. */
static void written_anew(struct slice message)
{
	static char buf[2 * VICI_PACKET_MAX];
	struct out o = out_to(buf, sizeof(buf));
	size_t start = vici_begin(&o, VICI_EVENT, SL("x"));
	struct vici_reader r = vici_reader_of(message), again;
	struct vici_element e, f;
	struct vici_packet p;
	unsigned depth = 0;

	while (vici_next(&r, &e)) {
		within(message, e.name);
		within(message, e.value);
		write_element(&o, &e);
		depth = e.depth;
	}
	if (r.c.err || o.err)
		return;
	expect(depth == 0);
	vici_end(&o, start);
	expect(o.err || vici_packet_read(out_slice(&o), &p) == (long)o.n);
	r = vici_reader_of(message);
	again = vici_reader_of(o.err ? slice_of(NULL, 0) : p.message);
	while (!o.err && vici_next(&r, &e)) {
		expect(vici_next(&again, &f));
		expect(e.kind == f.kind && e.depth == f.depth && slice_eq(e.value, f.value));
	}
	expect(o.err || (!vici_next(&again, &f) && !again.c.err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream = slice_of((const char *)data, size);
	struct vici_packet p;
	long took;

	while ((took = vici_packet_read(stream, &p)) > 0) {
		expect((size_t)took <= stream.n);
		within(stream, p.name);
		within(stream, p.message);
		written_anew(p.message);
		stream = slice_from(stream, (size_t)took);
	}
	return 0;
}
