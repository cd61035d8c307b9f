/* hornwork findings, hornwork assess diff: what is known without looking again. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "assess/checks/table.h"
#include "assess/ledger.h"
#include "assess/report.h"
#include "io/clock.h"
#include "main/assess.h"
#include "main/command.h"

#define SUPPRESS_DAYS_MAX 366 /* a longer one would be forgotten */
#define DAY_MS		  86400000ull

static const char findings_help[] =
	"usage: hornwork findings [-c FILE] [--json]\n"
	"       hornwork findings [-c FILE] --suppress FINDING --reason TEXT --until YYYY-MM-DD\n"
	"       hornwork findings [-c FILE] --unsuppress FINDING\n"
	"\n"
	"The findings as the last assessment left them. A suppressed one stays visible, counts "
	"for\n"
	"no gate, and is a finding again after its day, at most a year from now.\n"
	"\n"
	"Exit: 0 none is open, 1 some are (or there is no such finding), 2 usage.\n";

static const char diff_help[] =
	"usage: hornwork assess diff [-c FILE] [RUN] [--json]\n"
	"\n"
	"What an assessment (the last one, or run-17) found differently from the one before: new,\n"
	"fixed, back, of another severity, not tested.\n"
	"\n"
	"Exit: 0 nothing new, 1 something is new or back, 2 usage.\n";

struct findings_options {
	const char *config_file, *suppress, *unsuppress, *reason, *until, *run;
	bool json;
};

static bool take_option(struct findings_options *o, int c)
{
	switch (c) {
	case 'c':
		o->config_file = optarg;
		return true;
	case 'j':
		o->json = true;
		return true;
	case 's':
		o->suppress = optarg;
		return true;
	case 'u':
		o->unsuppress = optarg;
		return true;
	case 'r':
		o->reason = optarg;
		return true;
	case 't':
		o->until = optarg;
		return true;
	default:
		return false;
	}
}

/* -1: go on. */
static int parse_options(int argc, char **argv, const char *help, struct findings_options *o)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"json", no_argument, NULL, 'j'},
					      {"suppress", required_argument, NULL, 's'},
					      {"reason", required_argument, NULL, 'r'},
					      {"unsuppress", required_argument, NULL, 'u'},
					      {"until", required_argument, NULL, 't'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	*o = (struct findings_options){.config_file = CONFIG_FILE_DEFAULT};
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1)
		if (!take_option(o, c)) {
			fputs(help, c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_GOOD : EXIT_USAGE;
		}
	if (optind < argc)
		o->run = argv[optind++];
	if (optind < argc || (o->suppress && (!o->reason || !*o->reason || !o->until))) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	return -1;
}

/* The end of a day as written; 0: it is none, or lies beyond the limits. */
static uint64_t end_of_day(const char *text, uint64_t now_ms)
{
	struct tm day = {.tm_isdst = -1};
	const char *end = strptime(text, "%Y-%m-%d", &day);
	uint64_t until;

	if (!end || *end)
		return 0;
	day.tm_mday++;
	until = (uint64_t)mktime(&day) * 1000;
	return until > now_ms && until < now_ms + SUPPRESS_DAYS_MAX * DAY_MS ? until : 0;
}

static int suppress(const struct findings_options *o, struct store *s)
{
	uint64_t now = clock_wall_ms(), until = o->suppress ? end_of_day(o->until, now) : 0;
	const char *id = o->suppress ? o->suppress : o->unsuppress;
	int err;

	if (o->suppress && !until) {
		fprintf(stderr,
			"hornwork findings: --until %s: write a day as YYYY-MM-DD, from today on "
			"and "
			"within a year\n",
			o->until);
		return EXIT_USAGE;
	}
	err = o->suppress ? ledger_suppress(s, id, o->reason, until, now)
			  : ledger_unsuppress(s, id);
	if (err) {
		fprintf(stderr, "hornwork findings: %s: %s\n", id,
			err == ERR_ABSENT ? "there is no such finding" : err_text(err));
		return EXIT_FOUND;
	}
	printf("%s is %s\n", id, o->suppress ? "suppressed" : "a finding again");
	return EXIT_GOOD;
}

/* ---- listings ---- */

static bool is_change(const struct finding *f)
{
	return f->change != CHANGE_SAME;
}

static bool is_open(const struct finding *f)
{
	return f->state == FINDING_OPEN && !f->suppressed;
}

static bool is_new(const struct finding *f)
{
	return f->change == CHANGE_NEW || f->change == CHANGE_BACK;
}

/* Leaves the findings for which `keep` holds. */
static void filter(struct assess_report *r, bool (*keep)(const struct finding *f))
{
	size_t n = 0;

	for (size_t i = 0; i < r->finding_count; i++)
		if (keep(&r->findings[i]))
			r->findings[n++] = r->findings[i];
	r->finding_count = n;
}

static int write_report(const struct assess_report *r, bool json)
{
	return json ? report_write_json(r, stdout) : report_write_text(r, stdout);
}

static int load(const struct findings_options *o, struct store *s, struct assess_report *r)
{
	struct check_table checks = checks_table();
	struct slice name = slice_z(o->run);
	uint64_t run = 0;
	int err = 0;

	if (slice_starts(name, SL("run-")))
		name = slice_from(name, 4);
	if (o->run && slice_u64(name, UINT32_MAX, &run))
		err = ERR_ABSENT;
	if (!err)
		err = ledger_report(s, run, clock_wall_ms(), &checks, r);
	if (err == ERR_ABSENT)
		fprintf(stderr, "hornwork: %s\n",
			o->run ? "there is no such assessment" : "nothing was assessed yet");
	else if (err)
		fprintf(stderr, "hornwork: the findings: %s\n", err_text(err));
	return err;
}

static int list(const struct findings_options *o, struct store *s, bool changes)
{
	struct assess_report r;
	bool found = false;
	int err = load(o, s, &r);

	if (err)
		return err == ERR_ABSENT && !o->run && !changes ? EXIT_GOOD : EXIT_USAGE;
	r.version = HORNWORK_VERSION;
	if (changes)
		filter(&r, is_change);
	for (size_t i = 0; i < r.finding_count; i++)
		found = found || (changes ? is_new : is_open)(&r.findings[i]);
	err = write_report(&r, o->json);
	report_done(&r);
	if (err)
		return EXIT_USAGE;
	return found ? EXIT_FOUND : EXIT_GOOD;
}

static int with_store(const struct findings_options *o, bool changes)
{
	struct config *c = assess_load_config(o->config_file);
	struct store *s;
	int code;

	if (!c || assess_open_store(c, &s)) {
		config_free(c);
		return EXIT_USAGE;
	}
	if (ledger_follow(s, c, clock_wall_ms()))
		fprintf(stderr, "hornwork: what is shielded cannot be brought up to date: %s\n",
			store_why(s));
	code = o->suppress || o->unsuppress ? suppress(o, s) : list(o, s, changes);
	store_close(s);
	config_free(c);
	return code;
}

int cmd_findings(int argc, char **argv)
{
	struct findings_options o;
	int code = parse_options(argc, argv, findings_help, &o);

	return code >= 0 ? code : with_store(&o, false);
}

int cmd_assess_diff(int argc, char **argv)
{
	struct findings_options o;
	int code = parse_options(argc, argv, diff_help, &o);

	return code >= 0 ? code : with_store(&o, true);
}
