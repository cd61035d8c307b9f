#include "advisory/product.h"

#include "advisory/jsonl.h"
#include "advisory/limits.h"
#include "base/mem.h"
#include "base/suggest.h"

static const struct slice device_kinds[] = {SLICE("phone"), SLICE("ata"), SLICE("gateway"),
					    SLICE("pbx-device"), SLICE("conference")};

static int copy_member(struct arena *a, const json_t *row, const char *key, struct slice *out)
{
	return arena_copy(a, json_member_slice(row, key), out);
}

static int copy_list(struct arena *a, const json_t *row, const char *key, struct slices *out)
{
	const json_t *list = json_object_get(row, key);
	size_t n = json_array_size(list);
	struct slice *items;

	if (!n)
		return 0;
	items = arena_alloc(a, n * sizeof(*items));
	if (!items)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		if (arena_copy(a, json_slice(json_array_get(list, i)), &items[i]))
			return ERR_NOMEM;
	*out = (struct slices){.items = items, .count = n};
	return 0;
}

static bool is_device(struct slice kind)
{
	for (size_t i = 0; i < sizeof(device_kinds) / sizeof(device_kinds[0]); i++)
		if (slice_eq(kind, device_kinds[i]))
			return true;
	return false;
}

static int product_take(void *ctx, json_t *row, unsigned line)
{
	struct product_table *t = ctx;
	struct product *p;
	struct product *grown;

	if (t->count == ADV_PRODUCTS_MAX)
		return ERR_LIMIT;
	grown = mem_grow(t->rows, (t->count + 1) * sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	t->rows = grown;
	p = &t->rows[t->count];
	*p = (struct product){0};
	if (copy_member(&t->arena, row, "key", &p->key) ||
	    copy_member(&t->arena, row, "name", &p->name) ||
	    copy_member(&t->arena, row, "vendor", &p->vendor) ||
	    copy_member(&t->arena, row, "kind", &p->kind) ||
	    copy_member(&t->arena, row, "module", &p->module) ||
	    copy_list(&t->arena, row, "aliases", &p->aliases) ||
	    copy_list(&t->arena, row, "models", &p->models) ||
	    copy_list(&t->arena, row, "series", &p->series) ||
	    copy_list(&t->arena, row, "strip", &p->strip) ||
	    copy_list(&t->arena, row, "packages", &p->packages))
		return ERR_NOMEM;
	p->device = is_device(p->kind);
	if (p->key.n)
		t->count++;
	return 0;
}

int product_table_load(struct product_table *t, const char *path, struct fault *f)
{
	int err;

	*t = (struct product_table){0};
	arena_init(&t->arena, 16384, ADV_TABLE_ARENA_BYTES);
	err = jsonl_read(path, slice_of(NULL, 0), product_take, t, f);
	if (!err)
		return 0;
	if (!*f->text)
		fault_say(f, err, "%s: %s", path, err_text(err));
	product_table_done(t);
	return err;
}

void product_table_done(struct product_table *t)
{
	mem_free(t->rows);
	arena_done(&t->arena);
	*t = (struct product_table){0};
}

static bool in_slices(struct slices s, struct slice word)
{
	for (size_t i = 0; i < s.count; i++)
		if (slice_eq_nocase(s.items[i], word))
			return true;
	return false;
}

const struct product *product_named(const struct product_table *t, struct slice name)
{
	for (size_t i = 0; i < t->count; i++)
		if (slice_eq_nocase(t->rows[i].key, name))
			return &t->rows[i];
	for (size_t i = 0; i < t->count; i++)
		if (slice_eq_nocase(t->rows[i].name, name) || in_slices(t->rows[i].aliases, name))
			return &t->rows[i];
	return NULL;
}

const struct product *product_by_package(const struct product_table *t, struct slice package)
{
	for (size_t i = 0; i < t->count; i++)
		if (in_slices(t->rows[i].packages, package))
			return &t->rows[i];
	return NULL;
}

struct slice product_suggest(const struct product_table *t, struct slice words)
{
	struct suggest s = suggest_for(words);

	for (size_t i = 0; i < t->count; i++) {
		suggest_offer(&s, t->rows[i].key);
		suggest_offer(&s, t->rows[i].name);
		for (size_t k = 0; k < t->rows[i].aliases.count; k++)
			suggest_offer(&s, t->rows[i].aliases.items[k]);
	}
	return s.best;
}
