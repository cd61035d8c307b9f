#include "advisory/import.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "advisory/fetch.h"
#include "advisory/import_impl.h"
#include "advisory/jsonl.h"
#include "advisory/limits.h"
#include "base/mem.h"

#define HEADER_BYTES 1536 /* room for the first line, which is known last */
#define DAY_MS	     86400000ull

struct importing {
	const struct import_request *request;
	struct import_sink sink;
	char temporary[FEED_PATH_MAX]; /* "" = none */
	char fetched[FEED_PATH_MAX];   /* "" = none */
	uint64_t file_ms;	       /* when the source itself was changed, or 0 */
};

static FILE *temporary_open(struct importing *m, char *path, const char *what)
{
	struct fault *f = m->sink.fault;
	const char *dir = m->request->feeds_dir;
	FILE *file;
	int fd;

	if (mkdir(dir, 0755) && errno != EEXIST) {
		fault_say(f, -errno, "%s: it cannot be made: %s", dir, err_text(-errno));
		return NULL;
	}
	snprintf(path, FEED_PATH_MAX, "%s/.%s-XXXXXX", dir, what);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		fault_say(f, -errno, "%s: no file can be made there: %s", dir, err_text(-errno));
		*path = '\0';
		return NULL;
	}
	file = fdopen(fd, "w+");
	if (!file) {
		close(fd);
		fault_say(f, ERR_NOMEM, "%s: no memory", dir);
	}
	return file;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_feed_file(const char *name)
{
	struct slice s = slice_z(name);

	return *name != '.' &&
	       (slice_ends_nocase(s, SL(".json")) || slice_ends_nocase(s, SL(".jsonl")) ||
		slice_ends_nocase(s, SL(".xml")));
}

/* The names of a folder's files in order, for the result must not hang on the file system. */
static int names_read(struct importing *m, DIR *d, char ***out, size_t *out_count)
{
	char **names = NULL;
	size_t count = 0;
	struct dirent *e;
	int err = 0;

	while (!err && (e = readdir(d)) != NULL) {
		char **grown;

		if (!is_feed_file(e->d_name))
			continue;
		grown = count < ADV_IMPORT_FILES_MAX ? mem_grow(names, (count + 1) * sizeof(*names))
						     : NULL;
		if (grown) {
			names = grown;
			names[count] = mem_strndup(e->d_name, strlen(e->d_name));
		}
		if (!grown || !names[count])
			err = fault_say(m->sink.fault, ERR_LIMIT, "%s: it holds too many files",
					m->request->source);
		else
			count++;
	}
	if (count)
		qsort(names, count, sizeof(*names), name_order);
	*out = names;
	*out_count = count;
	return err;
}

static int folder_read(struct importing *m, DIR *d)
{
	char **names = NULL, path[FEED_PATH_MAX];
	size_t count = 0;
	int err = names_read(m, d, &names, &count);

	if (!err && !count)
		err = fault_say(m->sink.fault, ERR_ABSENT,
				"%s: no .json, .jsonl or .xml file is there", m->request->source);
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", m->request->source, names[i]);
		if (!err)
			err = import_file(&m->sink, path);
		mem_free(names[i]);
	}
	mem_free(names);
	return err;
}

static int fetched_read(struct importing *m)
{
	FILE *file = temporary_open(m, m->fetched, "fetch");
	int err;

	if (!file)
		return ERR_DENIED;
	err = fetch_url(m->request->source, file, &m->file_ms, m->sink.fault);
	if (fclose(file) && !err)
		err = fault_say(m->sink.fault, -EIO, "%s: it cannot be written", m->fetched);
	return err ? err : import_file(&m->sink, m->fetched);
}

static int source_read(struct importing *m)
{
	const char *source = m->request->source;
	struct stat st;
	DIR *d;
	int err;

	if (fetch_is_url(source))
		return fetched_read(m);
	if (stat(source, &st))
		return fault_say(m->sink.fault, -errno, "%s: %s", source, err_text(-errno));
	m->file_ms = (uint64_t)st.st_mtime * 1000;
	if (!S_ISDIR(st.st_mode))
		return import_file(&m->sink, source);
	d = opendir(source);
	if (!d)
		return fault_say(m->sink.fault, -errno, "%s: %s", source, err_text(-errno));
	err = folder_read(m, d);
	closedir(d);
	return err;
}

/* The last part of the path, without what follows its dot. */
static struct slice base_name(const char *source)
{
	struct slice s = slice_z(source);
	size_t dot;

	while (s.n > 1 && s.p[s.n - 1] == '/')
		s = slice_first(s, s.n - 1);
	for (size_t i = s.n; i-- > 0;)
		if (s.p[i] == '/') {
			s = slice_from(s, i + 1);
			break;
		}
	dot = slice_find(s, '.');
	return dot ? slice_first(s, dot) : s;
}

/* Given, or a single document's own, or the file's or folder's. */
static int feed_identify(struct importing *m, struct feed_info *info)
{
	struct import_sink *s = &m->sink;
	bool singular = s->documents <= 1 || strcmp(s->format, "debian") == 0 ||
			strcmp(s->format, "kev") == 0;
	char own[FEED_NAME_MAX] = "";
	bool of_itself = (singular || strcmp(s->format, "hornwork") == 0) && *s->ident;

	if (!of_itself) {
		struct import_sink fresh = {.documents = 1};

		sink_ident(&fresh, "", base_name(m->request->source));
		memcpy(own, fresh.ident, sizeof(own));
	}
	if (m->request->name && !feed_name_valid(slice_z(m->request->name)))
		return fault_say(s->fault, ERR_SYNTAX,
				 "'%s' is no name of a feed: letters, digits, dots and dashes",
				 m->request->name);
	snprintf(info->name, sizeof(info->name), "%s",
		 m->request->name ? m->request->name
		 : of_itself	  ? s->ident
				  : own);
	snprintf(info->format, sizeof(info->format), "%s", s->format);
	snprintf(info->source, sizeof(info->source), "%s", m->request->source);
	info->rows = s->rows;
	info->imported_ms = m->request->now_ms;
	info->dated_ms = s->dated_ms ? s->dated_ms : m->file_ms;
	if (!feed_name_valid(slice_z(info->name)))
		return fault_say(
			s->fault, ERR_SYNTAX,
			"'%s' is no name of a feed: letters, digits, dots and dashes; give "
			"one with --name",
			info->name);
	return feed_path(m->request->feeds_dir, info->name, info->path, sizeof(info->path));
}

static void day_text(uint64_t ms, char out[16])
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(out, 16, "%Y-%m-%d", &tm);
}

/* An older feed takes knowledge away, whoever sends it; one from the future would keep out all
 * later ones. */
static int date_check(struct importing *m, const struct feed_info *info, bool *replaced)
{
	struct feed_list stored;
	const struct feed_info *old;
	char is[16] = "", was[16] = "";
	int err;

	day_text(info->dated_ms, is);
	if (info->dated_ms > m->request->now_ms + ADV_FUTURE_DAYS_MAX * DAY_MS)
		return fault_say(m->sink.fault, ERR_DENIED,
				 "%s: it is of %s, which lies in the future; check this machine's "
				 "clock",
				 m->request->source, is);
	err = feed_list_imported(&stored, m->request->feeds_dir, m->sink.fault);
	if (err)
		return err;
	old = feed_named(&stored, info->name);
	*replaced = old != NULL;
	if (old && info->dated_ms < old->dated_ms) {
		day_text(old->dated_ms, was);
		err = fault_say(
			m->sink.fault, ERR_DENIED,
			"%s: it is of %s, the stored feed '%s' of %s: an older one is not taken; "
			"remove the stored one first if you mean it",
			m->request->source, is, info->name, was);
	}
	feed_list_done(&stored);
	return err;
}

static int put_in_place(struct importing *m, const struct feed_info *info)
{
	FILE *to = m->sink.to;
	int err;

	rewind(to);
	err = feed_header_write(to, info);
	if (!err && ftell(to) > HEADER_BYTES)
		err = ERR_SPACE;
	if (!err &&
	    (fseek(to, -1, SEEK_CUR) || putc(' ', to) == EOF || fflush(to) ||
	     fchmod(fileno(to), 0644) || fsync(fileno(to)) || rename(m->temporary, info->path)))
		err = -errno;
	if (err)
		return fault_say(m->sink.fault, err, "%s: it cannot be written: %s", info->path,
				 err_text(err));
	*m->temporary = '\0';
	return 0;
}

static int import_run(struct importing *m, struct import_result *out)
{
	struct import_result result = {.skipped = 0};
	int err;

	m->sink.to = temporary_open(m, m->temporary, "import");
	if (!m->sink.to)
		return ERR_DENIED;
	if (fprintf(m->sink.to, "%*s\n", HEADER_BYTES, "") < 0)
		return fault_say(m->sink.fault, -EIO, "%s: it cannot be written", m->temporary);
	err = source_read(m);
	if (!err && !m->sink.rows)
		err = fault_say(m->sink.fault, ERR_ABSENT,
				"%s: nothing in it is about a product or package of a phone system "
				"(%llu records skipped)",
				m->request->source, (unsigned long long)m->sink.skipped);
	if (!err)
		err = feed_identify(m, &result.feed);
	if (!err)
		err = date_check(m, &result.feed, &result.replaced);
	if (!err)
		err = put_in_place(m, &result.feed);
	result.skipped = m->sink.skipped;
	if (!err)
		*out = result;
	return err;
}

int import_feed(const struct import_request *r, struct import_result *out, struct fault *f)
{
	struct importing m = {.request = r,
			      .sink = {.products = r->products, .where = r->source, .fault = f}};
	int err;

	*f = (struct fault){{0}};
	err = import_run(&m, out);
	if (m.sink.to)
		fclose(m.sink.to);
	if (*m.temporary)
		unlink(m.temporary);
	if (*m.fetched)
		unlink(m.fetched);
	if (err && !*f->text)
		fault_say(f, err, "%s: %s", r->source, err_text(err));
	return err;
}

int import_remove(const char *feeds_dir, const char *name, struct fault *f)
{
	char path[FEED_PATH_MAX];

	if (!feed_name_valid(slice_z(name)) || feed_path(feeds_dir, name, path, sizeof(path)))
		return fault_say(f, ERR_SYNTAX, "'%s' is no name of a feed", name);
	if (unlink(path))
		return fault_say(f, errno == ENOENT ? ERR_ABSENT : -errno,
				 "no feed '%s' lies in %s", name, feeds_dir);
	return 0;
}
