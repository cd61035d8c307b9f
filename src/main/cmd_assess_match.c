/* hornwork assess match PRODUCT VERSION: the CVEs that apply to it, and the life of its branch. */
#include <stdio.h>
#include <time.h>

#include "advisory/match.h"
#include "base/json.h"
#include "base/mem.h"
#include "main/assess_data.h"
#include "main/command.h"

#define MATCH_COMMAND	"assess match"
#define MATCH_WORDS_MAX 8 /* of a product's name */
#define MATCH_TEXT_MAX	MATCH_WHY_MAX
#define MATCH_JSON_MAX	(8u << 20)

struct match_options {
	const char *feeds_dir;
	bool json;
	char product[ADV_PRODUCT_BYTES_MAX];
	const char *version;
};

static const char usage_text[] =
	"usage: hornwork assess match PRODUCT VERSION [--json] [--feeds DIR]\n\n"
	"Lists the CVEs that apply to a version of a product, and whether its branch still gets\n"
	"fixes. PRODUCT is written as you would: asterisk, freepbx, \"yealink t46s\".\n"
	"  --json        for machines\n"
	"  --feeds DIR   the imported feeds (" ASSESS_FEEDS_DIR_DEFAULT ")\n";

static uint64_t wall_ms(void)
{
	return (uint64_t)time(NULL) * 1000;
}

static int wrong_usage(const char *what)
{
	fprintf(stderr, "hornwork " MATCH_COMMAND ": %s\n%s", what, usage_text);
	return EXIT_USAGE;
}

/* The last word is the version, what stands before it the product. */
static int words_take(struct match_options *o, char **words, int count)
{
	size_t n = 0;

	if (count < 2)
		return wrong_usage("it takes a product and a version");
	o->version = words[count - 1];
	if (!*o->version || strlen(o->version) >= ADV_VERSION_BYTES_MAX)
		return wrong_usage("the version is empty or too long");
	for (int i = 0; i < count - 1; i++) {
		size_t left = sizeof(o->product) - n;
		int wrote = snprintf(o->product + n, left, "%s%s", i ? " " : "", words[i]);

		if (wrote < 0 || (size_t)wrote >= left)
			return wrong_usage("the product's name is too long");
		n += (size_t)wrote;
	}
	return EXIT_GOOD;
}

static int options_read(struct match_options *o, int argc, char **argv)
{
	char *words[MATCH_WORDS_MAX];
	int count = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			o->json = true;
		} else if (strcmp(argv[i], "--feeds") == 0 && i + 1 < argc) {
			o->feeds_dir = argv[++i];
		} else if (*argv[i] == '-') {
			return wrong_usage("it knows --json and --feeds DIR");
		} else if (count < MATCH_WORDS_MAX) {
			words[count++] = argv[i];
		} else {
			return wrong_usage("too many words");
		}
	}
	return words_take(o, words, count);
}

static void member(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	if (s.n)
		json_str(j, s);
	else
		json_null(j);
}

static void list_json(struct json *j, const char *key, struct slices l)
{
	json_member_open(j, key, '[');
	for (size_t i = 0; i < l.count; i++)
		json_str(j, l.items[i]);
	json_close(j, ']');
}

static void hit_json(struct json *j, const struct match_result *r, const struct match_hit *h)
{
	const struct adv_row *row = &h->row;
	char why[MATCH_TEXT_MAX];

	match_why(r, h, why, sizeof(why));
	json_open(j, '{');
	member(j, "cve", row->cve);
	json_member_z(j, "severity", adv_row_severity(row));
	json_key(j, "cvss");
	if (row->cvss_tenths)
		json_real(j, row->cvss_tenths / 10.0, 1);
	else
		json_null(j);
	member(j, "vector", row->vector);
	member(j, "kev", row->kev);
	member(j, "summary", row->summary);
	member(j, "affected", row->affected_text);
	list_json(j, "fixed", row->fixed);
	json_member_z(j, "confidence", adv_confidence_text(match_confidence(r, h)));
	json_member_z(j, "why", why);
	list_json(j, "sources", row->sources);
	json_member_z(j, "feed", h->feed->name);
	json_close(j, '}');
}

static void hits_json(struct json *j, const char *key, const struct match_result *r,
		      bool (*wanted)(const struct match_hit *h))
{
	json_member_open(j, key, '[');
	for (size_t i = 0; i < r->count; i++)
		if (wanted(&r->hits[i]))
			hit_json(j, r, &r->hits[i]);
	json_close(j, ']');
}

static void eol_json(struct json *j, const struct match_result *r)
{
	static const struct eol_row nothing;
	const struct eol_row *row = r->eol.row ? r->eol.row : &nothing;
	char why[MATCH_TEXT_MAX];

	match_eol_why(r, why, sizeof(why));
	json_member_open(j, "end_of_life", '{');
	json_member_z(j, "state", eol_state_text(r->eol.state));
	json_member_bool(j, "ended", r->eol.state == EOL_ENDED);
	member(j, "branch", row->branch);
	member(j, "date", row->end);
	member(j, "security_only", row->security_only);
	member(j, "why", slice_z(why));
	member(j, "source", row->source);
	json_close(j, '}');
}

static void feeds_json(struct json *j, const struct feed_list *l, uint64_t now_ms)
{
	json_member_open(j, "feeds", '[');
	for (size_t i = 0; i < l->count; i++) {
		const struct feed_info *f = &l->items[i];
		unsigned age = feed_age_days(f, now_ms);

		json_open(j, '{');
		json_member_z(j, "name", f->name);
		json_member_z(j, "format", f->format);
		json_key(j, "age_days");
		if (f->dated_ms)
			json_u64(j, age);
		else
			json_null(j);
		json_member_u64(j, "rows", f->rows);
		json_member_bool(j, "stale", !f->dated_ms || age >= ADV_FEED_STALE_DAYS);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static int print_json(const struct adv_base *b, const struct match_result *r, uint64_t now_ms)
{
	char *buf = mem_zalloc(1, MATCH_JSON_MAX);
	struct out o = out_to(buf, buf ? MATCH_JSON_MAX : 0);
	struct json j = json_to(&o);

	json_open(&j, '{');
	member(&j, "product", r->query.product->key);
	member(&j, "name", r->query.product->name);
	member(&j, "model", r->query.unit);
	member(&j, "version", r->query.version);
	eol_json(&j, r);
	hits_json(&j, "cves", r, match_applies);
	hits_json(&j, "undecided", r, match_open);
	feeds_json(&j, &b->feeds, now_ms);
	json_close(&j, '}');
	if (!o.err)
		printf("%.*s\n", (int)o.n, buf);
	else
		fputs("hornwork " MATCH_COMMAND ": the answer is too long\n", stderr);
	mem_free(buf);
	return o.err ? EXIT_USAGE : EXIT_GOOD;
}

static void print_hits(const struct match_result *r, const char *title,
		       bool (*wanted)(const struct match_hit *h))
{
	bool first = true;

	for (size_t i = 0; i < r->count; i++) {
		const struct match_hit *h = &r->hits[i];
		char why[MATCH_TEXT_MAX];

		if (!wanted(h))
			continue;
		if (first)
			printf("\n%s\n", title);
		first = false;
		match_why(r, h, why, sizeof(why));
		printf("  %-16.*s %-8s ", SLICE_ARGS(h->row.cve), adv_row_severity(&h->row));
		if (h->row.cvss_tenths)
			printf("%4.1f  ", h->row.cvss_tenths / 10.0);
		else
			printf("   -  ");
		printf("%.*s%s\n  %16s   %s\n", SLICE_ARGS(h->row.summary),
		       h->row.kev.n ? " [exploited: CISA KEV]" : "", "", why);
	}
}

static int print_text(const struct adv_base *b, const struct match_result *r, uint64_t now_ms)
{
	const struct product *p = r->query.product;
	size_t applies = 0, open = 0;
	char why[MATCH_TEXT_MAX];

	for (size_t i = 0; i < r->count; i++) {
		applies += match_applies(&r->hits[i]);
		open += match_open(&r->hits[i]);
	}
	match_eol_why(r, why, sizeof(why));
	printf("%.*s %.*s%s%.*s: %zu known CVE%s appl%s",
	       SLICE_ARGS(p->device && r->query.unit.n ? p->vendor : p->name),
	       SLICE_ARGS(r->query.unit), r->query.unit.n ? " " : "", SLICE_ARGS(r->query.version),
	       applies, applies == 1 ? "" : "s", applies == 1 ? "ies" : "y");
	if (open)
		printf(", %zu cannot be decided", open);
	printf("\nlife: %s%s%s\n", eol_state_text(r->eol.state), *why ? ": " : "", why);
	print_hits(r, "These apply:", match_applies);
	print_hits(r, "These cannot be decided:", match_open);
	for (size_t i = 0; i < b->feeds.count; i++)
		printf("%sfeed %s: %llu rows, %u days old\n", i ? "" : "\n", b->feeds.items[i].name,
		       (unsigned long long)b->feeds.items[i].rows,
		       feed_age_days(&b->feeds.items[i], now_ms));
	return EXIT_GOOD;
}

static int unknown_product(const struct adv_base *b, const char *words)
{
	struct slice near = product_suggest(&b->products, slice_z(words));

	fprintf(stderr, "hornwork " MATCH_COMMAND ": no product is known as '%s'", words);
	if (near.n)
		fprintf(stderr, "; did you mean '%.*s'?\n", SLICE_ARGS(near));
	else
		fputs("; known are, among others, asterisk, freepbx, freeswitch, kamailio, "
		      "opensips, pjproject, 3cx, \"yealink t46s\", \"grandstream gxp1625\"\n",
		      stderr);
	return EXIT_USAGE;
}

int cmd_assess_match(int argc, char **argv)
{
	struct match_options o = {0};
	struct range_query q = {0};
	struct match_result r;
	struct fault f = {{0}};
	struct adv_base b;
	uint64_t now_ms = wall_ms();
	int code;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage_text, stdout);
		return EXIT_GOOD;
	}
	code = options_read(&o, argc, argv);
	if (code != EXIT_GOOD)
		return code;
	if (assess_base_open(&b, MATCH_COMMAND, o.feeds_dir))
		return EXIT_USAGE;
	q.version = slice_trim(slice_z(o.version));
	q.product = product_resolve(&b.products, slice_z(o.product), &q.unit);
	if (!q.product) {
		code = unknown_product(&b, o.product);
	} else if (adv_match(&b, &q, now_ms, &r, &f)) {
		fprintf(stderr, "hornwork " MATCH_COMMAND ": %s\n", f.text);
		code = EXIT_USAGE;
	} else {
		code = o.json ? print_json(&b, &r, now_ms) : print_text(&b, &r, now_ms);
		adv_match_done(&r);
	}
	adv_base_close(&b);
	return code;
}
