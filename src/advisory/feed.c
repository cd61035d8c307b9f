#include "advisory/feed.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "advisory/jsonl.h"
#include "advisory/limits.h"
#include "base/mem.h"

#define FEED_VERSION 1
#define FEED_SUFFIX  ".jsonl"
#define FEED_END     1 /* what ends the reading after the first line */
#define DAY_MS	     86400000ull

struct adding {
	struct feed_list *list;
	const char *dir;
	const char *path; /* of the feed that is looked at; NULL: each line names one */
	struct fault *fault;
};

bool feed_name_valid(struct slice name)
{
	if (!name.n || name.n >= FEED_NAME_MAX || *name.p == '.')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = ascii_lower(name.p[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		      c == '.'))
			return false;
	}
	return true;
}

int feed_path(const char *feeds_dir, const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s" FEED_SUFFIX, feeds_dir, name);

	return n > 0 && (size_t)n < size ? 0 : ERR_SPACE;
}

static struct feed_info *feed_find(const struct feed_list *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i].name, name) == 0)
			return &l->items[i];
	return NULL;
}

const struct feed_info *feed_named(const struct feed_list *l, const char *name)
{
	return feed_find(l, name);
}

static int feed_add(struct feed_list *l, const struct feed_info *info)
{
	struct feed_info *old = feed_find(l, info->name), *grown;

	if (old) {
		*old = *info;
		return 0;
	}
	if (l->count == ADV_FEEDS_MAX)
		return ERR_LIMIT;
	grown = mem_grow(l->items, (l->count + 1) * sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	l->items = grown;
	l->items[l->count++] = *info;
	return 0;
}

static void info_read(const json_t *j, struct feed_info *info)
{
	slice_to_z(json_member_slice(j, "name"), info->name, sizeof(info->name));
	slice_to_z(json_member_slice(j, "format"), info->format, sizeof(info->format));
	slice_to_z(json_member_slice(j, "source"), info->source, sizeof(info->source));
	info->dated_ms = json_date_ms(json_member_slice(j, "dated"));
	info->imported_ms = json_date_ms(json_member_slice(j, "imported"));
	info->rows = (uint64_t)json_integer_value(json_object_get(j, "rows"));
}

static int shipped_take(void *ctx, json_t *row, unsigned line)
{
	struct adding *a = ctx;
	struct feed_info info = {0};
	char file[FEED_NAME_MAX];

	info_read(row, &info);
	slice_to_z(json_member_slice(row, "file"), file, sizeof(file));
	snprintf(info.path, sizeof(info.path), "%s/%s", a->dir, file);
	return feed_add(a->list, &info);
}

static int header_take(void *ctx, json_t *row, unsigned line)
{
	struct adding *a = ctx;
	struct feed_info info = {0};
	int err;

	if (json_integer_value(json_object_get(row, "hornwork_feed")) != FEED_VERSION)
		return fault_say(a->fault, ERR_VERSION,
				 "%s:1: this is no imported feed of this version; import it again, "
				 "or remove it",
				 a->path);
	info_read(row, &info);
	slice_to_z(slice_z(a->path), info.path, sizeof(info.path));
	if (!feed_name_valid(slice_z(info.name)))
		return fault_say(a->fault, ERR_SYNTAX, "%s:1: the feed has no name", a->path);
	err = feed_add(a->list, &info);
	return err ? err : FEED_END;
}

static int imported_add(struct feed_list *l, const char *dir, const char *name, struct fault *f)
{
	char path[FEED_PATH_MAX];
	struct adding a = {.list = l, .path = path, .fault = f};
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name), err;

	if (n < 0 || (size_t)n >= sizeof(path))
		return fault_say(f, ERR_LIMIT, "%s: the path is too long", dir);
	err = jsonl_read(path, slice_of(NULL, 0), header_take, &a, f);
	return err == FEED_END ? 0 : err;
}

static int imported_load(struct feed_list *l, const char *dir, struct fault *f)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int err = 0;

	if (!d)
		return errno == ENOENT ? 0 : fault_say(f, -errno, "%s: %s", dir, err_text(-errno));
	while (!err && (e = readdir(d)) != NULL) {
		struct slice name = slice_z(e->d_name);

		if (*e->d_name != '.' && slice_ends_nocase(name, SL(FEED_SUFFIX)))
			err = imported_add(l, dir, e->d_name, f);
	}
	closedir(d);
	return err;
}

int feed_list_load(struct feed_list *l, const char *data_dir, const char *feeds_dir,
		   struct fault *f)
{
	struct adding a = {.list = l, .dir = data_dir, .fault = f};
	char path[FEED_PATH_MAX];
	int err;

	*l = (struct feed_list){0};
	snprintf(path, sizeof(path), "%s/feeds.jsonl", data_dir);
	err = jsonl_read(path, slice_of(NULL, 0), shipped_take, &a, f);
	if (!err && feeds_dir)
		err = imported_load(l, feeds_dir, f);
	if (err && !*f->text)
		fault_say(f, err, "%s: %s", feeds_dir ? feeds_dir : data_dir, err_text(err));
	if (err)
		feed_list_done(l);
	return err;
}

int feed_list_imported(struct feed_list *l, const char *feeds_dir, struct fault *f)
{
	int err;

	*l = (struct feed_list){0};
	err = imported_load(l, feeds_dir, f);
	if (err && !*f->text)
		fault_say(f, err, "%s: %s", feeds_dir, err_text(err));
	if (err)
		feed_list_done(l);
	return err;
}

void feed_list_done(struct feed_list *l)
{
	mem_free(l->items);
	*l = (struct feed_list){0};
}

/* "" for no date. */
static void date_text(uint64_t ms, char *out, size_t size)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	*out = '\0';
	if (ms && gmtime_r(&t, &tm))
		strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

int feed_header_write(FILE *to, const struct feed_info *info)
{
	char dated[32], imported[32];
	json_t *j;
	int err;

	date_text(info->dated_ms, dated, sizeof(dated));
	date_text(info->imported_ms, imported, sizeof(imported));
	j = json_pack("{si ss ss ss ss ss sI}", "hornwork_feed", FEED_VERSION, "name", info->name,
		      "format", info->format, "source", info->source, "dated", dated, "imported",
		      imported, "rows", (json_int_t)info->rows);
	err = j ? json_dumpf(j, to, JSON_COMPACT) : -1;
	json_decref(j);
	return err || putc('\n', to) == EOF ? -EIO : 0;
}

unsigned feed_age_days(const struct feed_info *i, uint64_t now_ms)
{
	if (!i->dated_ms || now_ms < i->dated_ms)
		return 0;
	return (unsigned)((now_ms - i->dated_ms) / DAY_MS);
}
