#include "advisory/banner.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "advisory/jsonl.h"
#include "base/mem.h"

#define KIND_MAX 16

struct banner_pattern {
	pcre2_code *code;
	json_t *row; /* what the match is read with */
	char kind[KIND_MAX];
	bool recog;
};

struct loading {
	struct banner_set *set;
	size_t allocated;
};

/* A pattern that does not compile is left out: others' files hold some for other engines. */
static pcre2_code *compile(struct slice pattern)
{
	int error;
	PCRE2_SIZE at;

	return pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, 0, &error, &at, NULL);
}

static struct banner_pattern *pattern_new(struct loading *l)
{
	struct banner_set *s = l->set;

	if (s->count == ADV_FINGERPRINTS_MAX)
		return NULL;
	if (s->count == l->allocated) {
		size_t n = l->allocated ? l->allocated * 2 : 64;
		struct banner_pattern *grown = mem_grow(s->patterns, n * sizeof(*grown));

		if (!grown)
			return NULL;
		s->patterns = grown;
		l->allocated = n;
	}
	return &s->patterns[s->count++];
}

static int pattern_take(void *ctx, json_t *row, unsigned line)
{
	struct loading *l = ctx;
	const json_t *kinds = json_object_get(row, "match");
	pcre2_code *code;
	struct banner_pattern *p;

	if (!json_array_size(kinds))
		return 0;
	code = compile(json_member_slice(row, "pattern"));
	if (!code)
		return 0;
	p = pattern_new(l);
	if (!p) {
		pcre2_code_free(code);
		return ERR_NOMEM;
	}
	*p = (struct banner_pattern){.code = code,
				     .row = json_incref(row),
				     .recog = json_object_get(row, "recog") != NULL};
	slice_to_z(json_slice(json_array_get(kinds, 0)), p->kind, sizeof(p->kind));
	return 0;
}

int banner_set_load(struct banner_set *s, const char *data_dir, const struct adv_base *b,
		    struct fault *f)
{
	struct loading l = {.set = s};
	char path[FEED_PATH_MAX];
	int err;

	*s = (struct banner_set){0};
	snprintf(path, sizeof(path), "%s/fingerprints.jsonl", data_dir);
	err = jsonl_read(path, slice_of(NULL, 0), pattern_take, &l, f);
	for (size_t i = 0; !err && i < b->feeds.count; i++)
		if (strcmp(b->feeds.items[i].format, "recog") == 0)
			err = jsonl_read(b->feeds.items[i].path, slice_of(NULL, 0), pattern_take,
					 &l, f);
	if (!err)
		return 0;
	if (!*f->text)
		fault_say(f, err, "%s: %s", path, err_text(err));
	banner_set_done(s);
	return err;
}

void banner_set_done(struct banner_set *s)
{
	for (size_t i = 0; i < s->count; i++) {
		pcre2_code_free(s->patterns[i].code);
		json_decref(s->patterns[i].row);
	}
	mem_free(s->patterns);
	*s = (struct banner_set){0};
}

struct match {
	pcre2_match_data *data;
	struct slice text;
	const pcre2_code *code;
};

static struct slice group(const struct match *m, int n)
{
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(m->data);

	if (n < 0 || (uint32_t)n >= pcre2_get_ovector_count(m->data) || v[2 * n] == PCRE2_UNSET)
		return slice_of("", 0);
	return slice_of(m->text.p + v[2 * n], v[2 * n + 1] - v[2 * n]);
}

static struct slice named(const struct match *m, const char *name)
{
	int n = pcre2_substring_number_from_name(m->code, (PCRE2_SPTR)name);

	return n > 0 ? group(m, n) : slice_of("", 0);
}

/* "SIP-$model" with the model in its place. */
static void fill(char *out, size_t size, struct slice form, struct slice model)
{
	struct slice mark = SLICE("$model");
	size_t at = slice_find_slice(form, mark);

	if (at == form.n)
		slice_to_z(form, out, size);
	else
		snprintf(out, size, "%.*s%.*s%.*s", (int)at, form.p, SLICE_ARGS(model),
			 SLICE_ARGS(slice_from(form, at + mark.n)));
}

/* Our rows name groups: ver, model, pkgrev (a Debian revision), asterisk (what runs inside). */
static void read_own(const struct match *m, const struct banner_pattern *p,
		     const struct adv_base *b, struct banner_found *out)
{
	struct slice model = named(m, "model"), revision = named(m, "pkgrev"), unit;
	struct slice inner = named(m, "asterisk"), version = named(m, "ver");
	struct slice epoch = json_member_slice(p->row, "epoch");

	slice_to_z(json_member_slice(p->row, "vendor"), out->vendor, sizeof(out->vendor));
	fill(out->name, sizeof(out->name), json_member_slice(p->row, "product"), model);
	slice_to_z(version, out->version, sizeof(out->version));
	slice_to_z(model, out->unit, sizeof(out->unit));
	slice_to_z(json_member_slice(p->row, "package"), out->package, sizeof(out->package));
	out->product = product_named(&b->products, json_member_slice(p->row, "product_key"));
	if (!out->product && model.n)
		out->product = product_by_vendor(&b->products, slice_z(out->vendor), model, &unit);
	if (revision.n)
		snprintf(out->package_version, sizeof(out->package_version), "%.*s%s%.*s-%.*s",
			 SLICE_ARGS(epoch), epoch.n ? ":" : "", SLICE_ARGS(version),
			 SLICE_ARGS(revision));
	if (inner.n) {
		out->inner = product_named(&b->products, SL("asterisk"));
		slice_to_z(inner, out->inner_version, sizeof(out->inner_version));
	}
}

static bool ends(struct slice name, const char *tail)
{
	return slice_ends_nocase(name, slice_z(tail));
}

/* recog's parameters: position 0 is a constant, another one a group. */
static void read_recog(const struct match *m, const struct banner_pattern *p,
		       const struct adv_base *b, struct banner_found *out)
{
	const json_t *params = json_object_get(p->row, "params");
	struct slice unit;

	for (size_t i = 0; i < json_array_size(params); i++) {
		const json_t *param = json_array_get(params, i);
		struct slice name = json_member_slice(param, "name");
		json_int_t pos = json_integer_value(json_object_get(param, "pos"));
		struct slice value = pos > 0 && pos < 100 ? group(m, (int)pos)
							  : json_member_slice(param, "value");

		if (!value.n || slice_starts(value, SL("{")))
			continue;
		if (ends(name, ".vendor") && !*out->vendor)
			slice_to_z(value, out->vendor, sizeof(out->vendor));
		else if (ends(name, ".product") && !*out->name)
			slice_to_z(value, out->name, sizeof(out->name));
		else if (ends(name, ".version") && !*out->version)
			slice_to_z(value, out->version, sizeof(out->version));
	}
	out->of_recog = true;
	out->product =
		product_by_vendor(&b->products, slice_z(out->vendor), slice_z(out->name), &unit);
	if (out->product)
		slice_to_z(unit, out->unit, sizeof(out->unit));
}

static bool try_pattern(const struct banner_pattern *p, const struct adv_base *b, struct slice text,
			pcre2_match_context *bounds, struct banner_found *out)
{
	struct match m = {.data = pcre2_match_data_create_from_pattern(p->code, NULL),
			  .text = text,
			  .code = p->code};
	bool fits;

	if (!m.data)
		return false;
	fits = pcre2_match(p->code, (PCRE2_SPTR)text.p, text.n, 0, 0, m.data, bounds) > 0;
	if (fits) {
		*out = (struct banner_found){0};
		if (p->recog)
			read_recog(&m, p, b, out);
		else
			read_own(&m, p, b, out);
	}
	pcre2_match_data_free(m.data);
	/* recog has rows that say: this text tells nothing. */
	return fits && (*out->name || out->product);
}

bool banner_match(const struct banner_set *s, const struct adv_base *b, const char *kind,
		  struct slice text, struct banner_found *out)
{
	pcre2_match_context *bounds = pcre2_match_context_create(NULL);
	bool found = false;

	if (!bounds)
		return false;
	pcre2_set_match_limit(bounds, ADV_PATTERN_STEPS_MAX);
	text = slice_first(slice_trim(text), ADV_BANNER_BYTES_MAX);
	for (size_t i = 0; !found && text.n && i < s->count; i++)
		if (strcmp(s->patterns[i].kind, kind) == 0)
			found = try_pattern(&s->patterns[i], b, text, bounds, out);
	pcre2_match_context_free(bounds);
	return found;
}
