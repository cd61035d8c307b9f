#include "advisory/base.h"

#include <stdlib.h>

#include "advisory/jsonl.h"
#include "base/mem.h"

struct each {
	const struct adv_base *base;
	const struct feed_info *feed;
	struct arena *arena; /* of the caller, or NULL */
	adv_row_fn fn;
	void *ctx;
	struct fault *fault;
};

static bool is_header(const json_t *row)
{
	return json_object_get(row, "hornwork_feed") != NULL;
}

static int each_row(void *ctx, json_t *json, unsigned line)
{
	struct each *e = ctx;
	struct arena own;
	struct adv_row row;
	int err;

	if (is_header(json))
		return 0;
	arena_init(&own, 4096, ADV_ROW_ARENA_BYTES);
	err = adv_row_read(json, &e->base->products, e->arena ? e->arena : &own, e->feed->path,
			   line, &row, e->fault);
	if (!err)
		err = e->fn(e->ctx, &row, json, e->feed);
	arena_done(&own);
	return err;
}

int adv_base_each(const struct adv_base *b, struct slice only, struct arena *arena, adv_row_fn fn,
		  void *ctx, struct fault *f)
{
	int err = 0;

	for (size_t i = 0; !err && i < b->feeds.count; i++) {
		struct each e = {.base = b,
				 .feed = &b->feeds.items[i],
				 .arena = arena,
				 .fn = fn,
				 .ctx = ctx,
				 .fault = f};

		if (strcmp(e.feed->format, "recog") == 0 || strcmp(e.feed->format, "kev") == 0)
			continue;
		err = jsonl_read(e.feed->path, only, each_row, &e, f);
	}
	return err;
}

static int kev_order(const void *a, const void *b)
{
	const struct kev_entry *x = a, *y = b;

	return strcmp(x->cve, y->cve);
}

static int kev_take(void *ctx, json_t *row, unsigned line)
{
	struct adv_base *b = ctx;
	struct kev_entry *grown;

	if (is_header(row))
		return 0;
	if (b->kev_count == ADV_KEV_MAX)
		return ERR_LIMIT;
	grown = mem_grow(b->kev, (b->kev_count + 1) * sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	b->kev = grown;
	grown += b->kev_count++;
	slice_to_z(json_member_slice(row, "cve"), grown->cve, sizeof(grown->cve));
	slice_to_z(json_member_slice(row, "kev"), grown->since, sizeof(grown->since));
	return 0;
}

static int kev_load(struct adv_base *b, struct fault *f)
{
	int err = 0;

	for (size_t i = 0; !err && i < b->feeds.count; i++)
		if (strcmp(b->feeds.items[i].format, "kev") == 0)
			err = jsonl_read(b->feeds.items[i].path, slice_of(NULL, 0), kev_take, b, f);
	if (b->kev_count)
		qsort(b->kev, b->kev_count, sizeof(*b->kev), kev_order);
	return err;
}

int adv_base_open(struct adv_base *b, const char *data_dir, const char *feeds_dir, struct fault *f)
{
	char path[FEED_PATH_MAX];
	int err;

	*b = (struct adv_base){0};
	*f = (struct fault){{0}};
	snprintf(path, sizeof(path), "%s/products.jsonl", data_dir);
	err = product_table_load(&b->products, path, f);
	snprintf(path, sizeof(path), "%s/eol.jsonl", data_dir);
	if (!err)
		err = eol_table_load(&b->eol, path, f);
	if (!err)
		err = feed_list_load(&b->feeds, data_dir, feeds_dir, f);
	if (!err)
		err = kev_load(b, f);
	if (!err)
		return 0;
	if (!*f->text)
		fault_say(f, err, "%s: %s", data_dir, err_text(err));
	adv_base_close(b);
	return err;
}

void adv_base_close(struct adv_base *b)
{
	product_table_done(&b->products);
	eol_table_done(&b->eol);
	feed_list_done(&b->feeds);
	mem_free(b->kev);
	*b = (struct adv_base){0};
}

const char *adv_base_kev(const struct adv_base *b, struct slice cve)
{
	struct kev_entry key = {{0}};
	const struct kev_entry *found;

	if (!b->kev_count)
		return NULL;
	slice_to_z(cve, key.cve, sizeof(key.cve));
	found = bsearch(&key, b->kev, b->kev_count, sizeof(*b->kev), kev_order);
	return found ? found->since : NULL;
}
