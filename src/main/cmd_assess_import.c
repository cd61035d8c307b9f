/* hornwork assess import FEED, and feeds: what is known, from where, and how old it is. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "advisory/import.h"
#include "base/json.h"
#include "base/mem.h"
#include "main/assess_data.h"
#include "main/command.h"

#define FEEDS_JSON_MAX (256u * 1024)

struct import_options {
	const char *source, *name, *remove;
	const char *feeds_dir;
	bool json;
};

static const char import_usage[] =
	"usage: hornwork assess import FEED [--name NAME] [--json] [--feeds DIR]\n"
	"       hornwork assess import --remove NAME [--feeds DIR]\n\n"
	"Takes advisories from a file, a folder or a URL: Hornwork's rows (JSON lines), CVE JSON "
	"5,\n"
	"OSV, Debian's security tracker, CSAF 2.0 with VEX, CISA's KEV catalogue, recog "
	"fingerprints.\n"
	"A feed that is older than the stored one of its name is refused.\n"
	"  --name NAME   what the feed is called (default: by its content)\n"
	"  --remove NAME forgets an imported feed\n"
	"  --json        for machines\n"
	"  --feeds DIR   where they are kept (" ASSESS_FEEDS_DIR_DEFAULT ")\n";

static const char feeds_usage[] = "usage: hornwork assess feeds [--json] [--feeds DIR]\n\n"
				  "Lists the feeds that the assessor knows, and their age.\n";

static int wrong_usage(const char *command, const char *what, const char *usage)
{
	fprintf(stderr, "hornwork assess %s: %s\n%s", command, what, usage);
	return EXIT_USAGE;
}

/* True when argv[*i] is `flag` with a value behind it, which is taken. */
static bool option(int argc, char **argv, int *i, const char *flag, const char **out)
{
	if (strcmp(argv[*i], flag) != 0 || *i + 1 >= argc)
		return false;
	*out = argv[++*i];
	return true;
}

static int options_read(struct import_options *o, int argc, char **argv)
{
	o->feeds_dir = ASSESS_FEEDS_DIR_DEFAULT;
	for (int i = 1; i < argc; i++) {
		if (option(argc, argv, &i, "--name", &o->name) ||
		    option(argc, argv, &i, "--remove", &o->remove) ||
		    option(argc, argv, &i, "--feeds", &o->feeds_dir))
			continue;
		if (strcmp(argv[i], "--json") == 0)
			o->json = true;
		else if (*argv[i] == '-' || o->source)
			return EXIT_USAGE;
		else
			o->source = argv[i];
	}
	return EXIT_GOOD;
}

static uint64_t wall_ms(void)
{
	return (uint64_t)time(NULL) * 1000;
}

static void json_feed(struct json *j, const struct feed_info *f, uint64_t now_ms)
{
	unsigned age = feed_age_days(f, now_ms);

	json_open(j, '{');
	json_member_z(j, "name", f->name);
	json_member_z(j, "format", f->format);
	json_member_z(j, "source", f->source);
	json_member_u64(j, "rows", f->rows);
	json_member_bool(j, "shipped", f->imported_ms == 0);
	json_member_bool(j, "dated", f->dated_ms != 0);
	json_member_u64(j, "age_days", age);
	json_member_bool(j, "stale", !f->dated_ms || age >= ADV_FEED_STALE_DAYS);
}

static void print_buffer(const struct out *o)
{
	if (o->err)
		fputs("hornwork assess: the answer is too long\n", stderr);
	else
		printf("%.*s\n", (int)o->n, o->buf);
}

static void print_imported(const struct import_options *o, const struct import_result *r,
			   uint64_t now_ms)
{
	char buf[4096];
	struct out out = out_to(buf, sizeof(buf));
	struct json j = json_to(&out);

	if (!o->json) {
		printf("%s '%s' (%s): %llu rows, %u days old%s",
		       r->replaced ? "replaced" : "imported", r->feed.name, r->feed.format,
		       (unsigned long long)r->feed.rows, feed_age_days(&r->feed, now_ms),
		       feed_age_days(&r->feed, now_ms) >= ADV_FEED_STALE_DAYS
			       ? ": look for a newer one"
			       : "");
		if (r->skipped)
			printf("; %llu records about other products skipped",
			       (unsigned long long)r->skipped);
		putchar('\n');
		return;
	}
	json_feed(&j, &r->feed, now_ms);
	json_member_u64(&j, "skipped", r->skipped);
	json_member_bool(&j, "replaced", r->replaced);
	json_close(&j, '}');
	print_buffer(&out);
}

static int remove_feed(const struct import_options *o)
{
	struct fault f = {{0}};

	if (import_remove(o->feeds_dir, o->remove, &f)) {
		fprintf(stderr, "hornwork assess import: %s\n", f.text);
		return EXIT_USAGE;
	}
	printf("removed '%s'\n", o->remove);
	return EXIT_GOOD;
}

static int import(const struct import_options *o)
{
	struct product_table products;
	struct import_request request = {.source = o->source,
					 .name = o->name,
					 .feeds_dir = o->feeds_dir,
					 .products = &products,
					 .now_ms = wall_ms()};
	struct import_result result;
	struct fault f = {{0}};
	char dir[FEED_PATH_MAX], path[FEED_PATH_MAX + 32];
	int err = assess_data_dir(dir, sizeof(dir), &f);

	snprintf(path, sizeof(path), "%s/products.jsonl", dir);
	if (!err)
		err = product_table_load(&products, path, &f);
	if (!err) {
		err = import_feed(&request, &result, &f);
		product_table_done(&products);
	}
	if (err) {
		fprintf(stderr, "hornwork assess import: %s\n", f.text);
		return err == ERR_DENIED || err == ERR_SYNTAX || err == ERR_LIMIT ||
				       err == ERR_ABSENT
			       ? EXIT_FOUND
			       : EXIT_USAGE;
	}
	print_imported(o, &result, request.now_ms);
	return EXIT_GOOD;
}

int cmd_assess_import(int argc, char **argv)
{
	struct import_options o = {0};

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(import_usage, stdout);
		return EXIT_GOOD;
	}
	if (options_read(&o, argc, argv) != EXIT_GOOD || (!o.source && !o.remove))
		return wrong_usage("import", "it takes one feed", import_usage);
	return o.remove ? remove_feed(&o) : import(&o);
}

static void print_feeds(const struct feed_list *l, uint64_t now_ms)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct feed_info *f = &l->items[i];

		printf("%-24s %-9s %8llu rows  %4u days old%s  %s\n", f->name, f->format,
		       (unsigned long long)f->rows, feed_age_days(f, now_ms),
		       feed_age_days(f, now_ms) >= ADV_FEED_STALE_DAYS ? ", stale" : "",
		       f->imported_ms ? f->source : "shipped");
	}
}

static int print_feeds_json(const struct feed_list *l, uint64_t now_ms)
{
	char *buf = mem_zalloc(1, FEEDS_JSON_MAX);
	struct out out = out_to(buf, buf ? FEEDS_JSON_MAX : 0);
	struct json j = json_to(&out);

	json_open(&j, '[');
	for (size_t i = 0; i < l->count; i++) {
		json_feed(&j, &l->items[i], now_ms);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	print_buffer(&out);
	mem_free(buf);
	return out.err ? EXIT_USAGE : EXIT_GOOD;
}

int cmd_assess_feeds(int argc, char **argv)
{
	struct import_options o = {0};
	uint64_t now_ms = wall_ms();
	struct adv_base b;
	int code = EXIT_GOOD;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(feeds_usage, stdout);
		return EXIT_GOOD;
	}
	if (options_read(&o, argc, argv) != EXIT_GOOD || o.source || o.remove || o.name)
		return wrong_usage("feeds", "it knows --json and --feeds DIR", feeds_usage);
	if (assess_base_open(&b, "assess feeds", o.feeds_dir))
		return EXIT_USAGE;
	if (o.json)
		code = print_feeds_json(&b.feeds, now_ms);
	else
		print_feeds(&b.feeds, now_ms);
	adv_base_close(&b);
	return code;
}
