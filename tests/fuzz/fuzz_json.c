/* What the API, events and reports write as JSON: whatever bytes of strangers stand in it, a reader
 * of another make takes it, and the text is the one that was given where it was one. */
#include <stdlib.h>
#include <string.h>

/* Two of its names are ours too. */
#define json_null the_readers_null
#define json_real the_readers_real
#include <jansson.h>
#undef json_null
#undef json_real

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX (64 * 1024)

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static bool plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[TEXT_MAX];
	struct slice all = slice_of((const char *)data, size), first = slice_of(all.p, size / 2);
	struct out o = out_to(text, sizeof(text));
	struct json j = json_to(&o);
	json_error_t why;
	json_t *root;

	json_open(&j, '[');
	json_open(&j, '{');
	json_member_str(&j, "a", all);
	json_member_str(&j, "b", first);
	json_member_u64(&j, "n", size);
	json_member_bool(&j, "t", size & 1);
	json_close(&j, '}');
	json_close(&j, ']');
	if (o.err)
		return 0; /* it was longer than what it is for */
	root = json_loadb(text, o.n, JSON_ALLOW_NUL, &why);
	expect(root != NULL && json_is_array(root) && json_array_size(root) == 1);
	if (plain(all)) {
		const json_t *a = json_object_get(json_array_get(root, 0), "a");

		expect(json_is_string(a) && json_string_length(a) == size);
		expect(memcmp(json_string_value(a), data, size) == 0);
	}
	json_decref(root);
	return 0;
}
