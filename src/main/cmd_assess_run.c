/* hornwork assess [OPTIONS]: the assessment of the owner's declared assets. */
#include "main/command.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "assess/checks/table.h"
#include "assess/report.h"
#include "assess/run.h"
#include "base/mem.h"
#include "config/config_load.h"
#include "config/resolve.h"
#include "io/clock.h"
#include "main/assess.h"
#include "main/assess_data.h"
#include "main/client.h"

const char assess_help[] =
	"usage: hornwork assess [-c FILE] [--only WHAT[,WHAT...]] [--target NAME] [--intrusive]\n"
	"                       [--plan] [--fail-on SEVERITY] [--new-only] [--format FORMAT]\n"
	"                       [--output FILE] [--run-dir DIR] [--quiet]\n"
	"\n"
	"Looks for what is unpatched, open by default or weak on the assets that FILE declares,\n"
	"and on nothing else.\n"
	"\n"
	"  --only WHAT       checks (DV-04), groups (DV) or recommendations (r3)\n"
	"  --target NAME     one asset, one of its addresses, or ASSET/ADDRESS\n"
	"  --intrusive       also checks that attack test calls, try factory passwords or send "
	"what\n"
	"                    is malformed\n"
	"  --plan            prints what would be sent to whom at most, and sends nothing\n"
	"  --fail-on SEV     the gate: info, low (default), medium, high, critical, none\n"
	"  --new-only        the gate counts what is new since the last run alone\n"
	"  --format FORMAT   text (default), json, sarif, html, csv, junit\n"
	"  --output FILE     writes the report there\n"
	"\n"
	"Exit: 0 clean, 1 a finding at or above the gate, 2 usage or environment, 3 incomplete,\n"
	"4 stopped by a safety guard.\n";

#define CALLS_AGE_MS 1000 /* how old an answer of the gateway may be */
#define GATE_NONE    ASSESS_SEVERITIES

struct assess_options {
	const char *config_file, *target, *format, *output, *run_dir, *state;
	const char *only[RUN_ONLY_MAX];
	size_t only_count;
	bool intrusive, plan, new_only, quiet;
	uint8_t gate;
};

/* ---- options ---- */

/* "r3,DV-04" becomes its words; the text is cut in place. */
static bool add_only(struct assess_options *o, char *text)
{
	char *word, *rest = text;

	while ((word = strsep(&rest, ",")) != NULL) {
		if (!*word)
			continue;
		if (o->only_count == RUN_ONLY_MAX)
			return false;
		o->only[o->only_count++] = word;
	}
	return true;
}

static bool set_gate(struct assess_options *o, const char *text)
{
	if (strcmp(text, "none") == 0) {
		o->gate = GATE_NONE;
		return true;
	}
	if (assess_severity_parse(slice_z(text), &o->gate))
		return true;
	fprintf(stderr,
		"hornwork assess: --fail-on %s: write info, low, medium, high, critical or none\n",
		text);
	return false;
}

static bool set_format(struct assess_options *o, const char *text)
{
	o->format = text;
	if (report_format_known(text))
		return true;
	fprintf(stderr,
		"hornwork assess: --format %s: write text, json, sarif, html, csv or junit\n",
		text);
	return false;
}

static bool take_option(struct assess_options *o, int c)
{
	switch (c) {
	case 'c':
		o->config_file = optarg;
		return true;
	case 'o':
		return add_only(o, optarg);
	case 't':
		o->target = optarg;
		return true;
	case 'i':
		return o->intrusive = true;
	case 'p':
		return o->plan = true;
	case 'n':
		return o->new_only = true;
	case 'q':
		return o->quiet = true;
	case 'g':
		return set_gate(o, optarg);
	case 'f':
		return set_format(o, optarg);
	case 'w':
		o->output = optarg;
		return true;
	case 'r':
		o->run_dir = optarg;
		return true;
	default:
		return false;
	}
}

/* -1: go on; else the exit code. */
static int parse_options(int argc, char **argv, struct assess_options *o)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"only", required_argument, NULL, 'o'},
					      {"target", required_argument, NULL, 't'},
					      {"intrusive", no_argument, NULL, 'i'},
					      {"plan", no_argument, NULL, 'p'},
					      {"new-only", no_argument, NULL, 'n'},
					      {"fail-on", required_argument, NULL, 'g'},
					      {"format", required_argument, NULL, 'f'},
					      {"output", required_argument, NULL, 'w'},
					      {"run-dir", required_argument, NULL, 'r'},
					      {"quiet", no_argument, NULL, 'q'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	*o = (struct assess_options){.config_file = CONFIG_FILE_DEFAULT,
				     .format = "text",
				     .run_dir = run_dir_default(),
				     .gate = ASSESS_LOW};
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (c == 'h') {
			fputs(assess_help, stdout);
			return EXIT_GOOD;
		}
		if (!take_option(o, c)) {
			fputs(assess_help, stderr);
			return EXIT_USAGE;
		}
	}
	/* Checks may also be named without --only. */
	for (; optind < argc; optind++)
		if (!add_only(o, argv[optind]))
			return EXIT_USAGE;
	return -1;
}

/* ---- what a run wants to know of the gateway ---- */

static int ask_gateway(void *ctx, const char *path, char **out_text)
{
	const struct assess_gateway *g = ctx;
	const char *run_dir = g->run_dir;
	struct client_options client = {.run_dir = run_dir};
	struct client_answer a = {0};
	char socket_path[512];
	int err;

	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", run_dir);
	if (access(socket_path, R_OK | W_OK))
		return errno == ENOENT || errno == ENOTDIR ? ERR_ABSENT : -errno;
	err = client_ask(&client, "GET", path, NULL, &a);
	if (!err && (a.status != 200 || !a.json))
		err = ERR_PEER;
	if (!err) {
		*out_text = a.text;
		a.text = NULL;
	}
	client_answer_done(&a);
	return err;
}

/* Whether the address stands anywhere in a call: a party's source, a stream's, a pinhole's. */
static bool names_address(const json_t *value, const struct ip_addr *want)
{
	const json_t *inner;
	const char *key, *text = json_string_value(value);
	struct ip_endpoint at;
	size_t i;

	if (text)
		return ip_endpoint_parse(slice_z(text), 5060, &at) == 0 && ip_eq(&at.addr, want);
	json_array_foreach(value, i, inner) if (names_address(inner, want)) return true;
	/* jansson iterates over objects that may change; this one does not */
	json_object_foreach((json_t *)(uintptr_t)value, key,
			    inner) if (names_address(inner, want)) return true;
	return false;
}

/* What it said lately, or a new answer. ERR_ABSENT: no gateway runs. */
static int look_at_calls(struct assess_gateway *g)
{
	char *text;
	int err;

	if (g->asked_ms && clock_ms() - g->asked_ms < CALLS_AGE_MS)
		return g->err;
	json_decref(g->calls);
	g->calls = NULL;
	err = ask_gateway(g, "/v1/calls", &text);
	if (!err) {
		g->calls = json_loads(text, 0, NULL);
		mem_free(text);
	}
	g->err = !err && !g->calls ? ERR_PEER : err;
	g->asked_ms = clock_ms();
	return g->err;
}

static int in_call(void *ctx, const struct ip_addr *a)
{
	struct assess_gateway *g = ctx;
	const json_t *row;
	size_t i;
	int err = look_at_calls(g);

	if (err)
		return err == ERR_ABSENT ? 0 : err;
	json_array_foreach(g->calls, i, row) if (names_address(row, a)) return 1;
	return 0;
}

void assess_gateway_done(struct assess_gateway *g)
{
	json_decref(g->calls);
	g->calls = NULL;
}

static void on_target(void *ctx, const struct asset_result *a, size_t done, size_t all)
{
	if (a->state != TARGET_NOT_ANSWERED)
		fprintf(stderr, "hornwork assess: %zu of %zu: %s: %s%s%s\n", done, all, a->asset,
			target_state_text(a->state), a->why ? ": " : "", a->why ? a->why : "");
}

/* ---- the end ---- */

static bool counts(const struct assess_options *o, const struct finding *f)
{
	if (f->state != FINDING_OPEN || f->suppressed || f->severity < o->gate)
		return false;
	return !o->new_only || f->change == CHANGE_NEW || f->change == CHANGE_BACK ||
	       (f->change == CHANGE_SEVERITY && f->severity > f->severity_before);
}

static int exit_code(const struct assess_options *o, const struct assess_report *r)
{
	if (r->stopped)
		return EXIT_STOPPED;
	for (size_t i = 0; i < r->finding_count; i++)
		if (counts(o, &r->findings[i]))
			return EXIT_FOUND;
	return r->complete ? EXIT_GOOD : EXIT_INCOMPLETE;
}

static int write_report(const struct assess_options *o, const struct check_table *checks,
			const struct assess_report *r)
{
	FILE *to = o->output ? fopen(o->output, "we") : stdout;
	int err;

	if (!to) {
		fprintf(stderr, "hornwork assess: %s: %m\n", o->output);
		return -1;
	}
	err = report_write(r, checks, o->format, to);
	if (o->output && fclose(to) && !err)
		err = -1;
	if (err)
		fprintf(stderr, "hornwork assess: the report cannot be written\n");
	return err;
}

static int report_run(const struct assess_options *o, const struct config *c, struct store *s,
		      uint64_t number)
{
	struct check_table checks = checks_table();
	struct assess_report report;
	int code, err = ledger_report(s, number, clock_wall_ms(), &checks, &report);

	if (err) {
		fprintf(stderr, "hornwork assess: the report: %s\n", err_text(err));
		return EXIT_USAGE;
	}
	report.version = HORNWORK_VERSION;
	assess_report_feeds(&report, c->assess.state);
	code = write_report(o, &checks, &report) ? EXIT_USAGE : exit_code(o, &report);
	report_done(&report);
	return code;
}

/* ---- the run ---- */

/* SIGINT and SIGTERM end the run; what was found is kept. A thread waits for them, so that no
 * handler has to know the run. */
static void *wait_signals(void *arg)
{
	struct run *r = arg;
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigwait(&set, &number) == 0)
		run_cancel(r);
	return NULL;
}

static int do_run(struct run *r, struct store *s)
{
	sigset_t set, old;
	pthread_t waiter;
	bool waits;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	waits = pthread_create(&waiter, NULL, wait_signals, r) == 0;
	err = run_all(r, s);
	if (waits) {
		pthread_cancel(waiter);
		pthread_join(waiter, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static int run_and_report(const struct assess_options *o, const struct config *c, struct run *r)
{
	struct store *s;
	int code, err = assess_open_store(c, &s);

	if (err)
		return EXIT_USAGE;
	err = do_run(r, s);
	if (err)
		fprintf(stderr, "hornwork assess: the run: %s (%s)\n", err_text(err), store_why(s));
	code = err ? EXIT_USAGE : report_run(o, c, s, run_number(r));
	store_close(s);
	return code;
}

/* What asks the gateway needs of the options its place alone. */
struct run_wish assess_wish(const struct config *c, const char *config_file,
			    struct assess_gateway *gateway)
{
	return (struct run_wish){.config = c,
				 .config_file = config_file,
				 .checks = checks_table(),
				 .in_call = in_call,
				 .ask_gateway = ask_gateway,
				 .ctx = gateway};
}

static int assess_config(struct assess_options *o, const struct config *c)
{
	struct assess_gateway gateway = {.run_dir = o->run_dir};
	struct run_wish wish = assess_wish(c, o->config_file, &gateway);
	struct assess_patches patches;
	struct run *r;
	struct fault fault;
	char why[256], data_dir[CONFIG_PATH_MAX];
	int code = EXIT_GOOD, err;

	wish.only = o->only;
	wish.only_count = o->only_count;
	wish.target = o->target;
	wish.intrusive = o->intrusive;
	wish.on_target = o->quiet ? NULL : on_target;
	if (assess_data_dir(data_dir, sizeof(data_dir), &fault) == 0)
		wish.data_dir = data_dir;
	assess_patches_open(&patches, &wish);
	err = run_new(&wish, why, &r);
	if (err) {
		fprintf(stderr, "hornwork assess: %s\n", why);
		assess_patches_close(&patches);
		assess_gateway_done(&gateway);
		return err == ERR_DENIED ? EXIT_STOPPED : EXIT_USAGE;
	}
	if (o->plan)
		run_print_plan(r, strcmp(o->format, "json") == 0, stdout);
	else
		code = run_and_report(o, c, r);
	run_free(r);
	assess_patches_close(&patches);
	assess_gateway_done(&gateway);
	return code;
}

int cmd_assess_run(int argc, char **argv)
{
	struct assess_options o;
	struct config_world world;
	struct config *c;
	int code = parse_options(argc, argv, &o);

	if (code >= 0)
		return code;
	c = assess_load_config(o.config_file);
	if (!c)
		return EXIT_USAGE;
	world = config_world_system();
	config_resolve_pbxs(c, &world);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	code = assess_config(&o, c);
	curl_global_cleanup();
	if (!o.plan)
		assess_give_back(c->assess.state);
	config_free(c);
	return code;
}
