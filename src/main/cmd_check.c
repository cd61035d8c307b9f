/* hornwork check: reads configurations and says everything that is wrong with them. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "config/config_load.h"
#include "config/resolve.h"
#include "io/clock.h"
#include "main/command.h"
#include "main/patch_files.h"
#include "main/signers.h"
#include "main/trust_files.h"
#include "main/tls_material.h"

#define ISSUE_JSON_MAX (2 * (CONFIG_ISSUE_TEXT_MAX + PATH_MAX)) /* bytes of one issue as JSON */

static const char help[] =
	"usage: hornwork check [--json] [--resolve] [FILE...]\n"
	"\n"
	"Reads configurations and says everything that is wrong with them, as FILE:LINE: message.\n"
	"Without FILE: " CONFIG_FILE_DEFAULT ".\n"
	"\n"
	"  --resolve  also look for the interfaces on this machine, look names up and read "
	"passwords\n"
	"  --json     an array of objects: file, line, severity, message\n"
	"\n"
	"Exit: 0 good, 1 errors found, 2 usage, or a file cannot be read.\n";

struct check_options {
	bool json;
	bool resolve;
};

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_summary(const char *file, const struct config *c)
{
	printf("%s: %zu zone%s, %zu pbx, %zu phones, %zu trunk%s: ok\n", file, c->zone_count,
	       plural(c->zone_count), c->pbx_count, c->phones_count, c->trunk_count,
	       plural(c->trunk_count));
}

static void write_json(struct json *j, const char *file, const struct config_issue *issue)
{
	json_open(j, '{');
	json_member_z(j, "file", file);
	json_member_u64(j, "line", issue->line);
	json_member_z(j, "severity", issue->severity == CONFIG_ERROR ? "error" : "warning");
	json_member_z(j, "message", issue->text);
	json_close(j, '}');
}

static void print_issue(const char *file, const struct config_issue *issue)
{
	char line[ISSUE_JSON_MAX];
	struct out o = out_to(line, sizeof(line));

	config_issue_write(&o, file, issue);
	printf("%.*s\n", SLICE_ARGS(out_slice(&o)));
}

static void print_report(const char *file, const struct config_report *report,
			 const struct check_options *options, bool *comma)
{
	char text[ISSUE_JSON_MAX];

	for (size_t i = 0; i < report->count; i++) {
		struct out o = out_to(text, sizeof(text));
		struct json j = {.o = &o, .comma = *comma};

		if (!options->json) {
			print_issue(file, &report->issues[i]);
			continue;
		}
		write_json(&j, file, &report->issues[i]);
		printf("%.*s", SLICE_ARGS(out_slice(&o)));
		*comma = true;
	}
	if (!options->json && report->error_count + report->warning_count > report->count)
		printf("%s: %zu more are not shown; mend these first\n", file,
		       report->error_count + report->warning_count - report->count);
}

struct rule_check {
	const char *file;
	unsigned line;
	const struct check_options *options;
	bool *comma;
};

/* A mistake in a file of rules is told where it stands, as those of the configuration are. */
static void on_rule_error(void *ctx, const char *file, unsigned line, const char *text)
{
	const struct rule_check *r = ctx;
	struct config_issue issue = {.severity = CONFIG_ERROR, .line = file ? line : r->line};
	struct config_report one = {.issues = &issue, .count = 1, .error_count = 1};

	(void)slice_to_z(slice_z(text), issue.text, sizeof(issue.text));
	print_report(file ? file : r->file, &one, r->options, r->comma);
}

static int check_rules(const struct config *c, const char *file,
		       const struct check_options *options, bool *comma)
{
	struct rule_check r = {file, c->patches.line, options, comma};
	struct patch_files rules = {0};
	int err = config_is_assets_only(c) ? 0 : patch_files_open(c, &rules, on_rule_error, &r);

	patch_files_close(&rules);
	return err;
}

static int check_file(const char *file, const struct check_options *options, bool *comma)
{
	struct config_report report = config_report_empty();
	struct config_world world = config_world_system();
	struct tls_material tls = {0};
	struct signer_files signers = {0};
	struct trust_files trust = {0};
	struct config *c = NULL;
	int err = config_load(file, &report, &c);

	if (!err && options->resolve) {
		err = config_secrets_read(c, &report);
		if (!err)
			err = signer_files_open(c, clock_wall_ms() / 1000, &signers, &report);
		if (!err)
			err = trust_files_open(c, &trust, &report);
		if (!err)
			err = tls_material_open(c, clock_wall_ms() / 1000, &tls, &report);
		tls_material_close(&tls);
		signer_files_close(&signers);
		trust_files_close(&trust);
		if (!err || err == ERR_SYNTAX)
			err = config_resolve(c, &world, &report);
	}
	print_report(file, &report, options, comma);
	if (!err)
		err = check_rules(c, file, options, comma);
	if (!err && !options->json)
		print_summary(file, c);
	if (err == ERR_NOMEM)
		fprintf(stderr, "hornwork check: %s\n", err_text(err));
	config_free(c);
	config_report_done(&report);
	return !err ? EXIT_GOOD : err == ERR_SYNTAX ? EXIT_FOUND : EXIT_USAGE;
}

static int check_files(int argc, char **argv, const struct check_options *options)
{
	int worst = EXIT_GOOD;
	bool comma = false;

	if (options->json)
		putchar('[');
	for (int i = 0; i < argc; i++) {
		int code = check_file(argv[i], options, &comma);

		if (code > worst)
			worst = code;
	}
	if (options->json)
		puts("]");
	return worst;
}

int cmd_check(int argc, char **argv)
{
	char fallback[] = CONFIG_FILE_DEFAULT;
	char *usual[] = {fallback};
	struct check_options options = {0};
	int files = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			options.json = true;
		} else if (strcmp(argv[i], "--resolve") == 0) {
			options.resolve = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return EXIT_GOOD;
		} else if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
			argv[files++] = argv[++i];
		} else if (argv[i][0] == '-') {
			fprintf(stderr, "hornwork check: no option is called %s\n%s", argv[i],
				help);
			return EXIT_USAGE;
		} else {
			argv[files++] = argv[i];
		}
	}
	return files ? check_files(files, argv, &options) : check_files(1, usual, &options);
}
