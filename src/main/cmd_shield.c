/* hornwork shield, unshield: the gateway stands before what the assessor found, by lines in its
 * ordinary configuration. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assess/checks/table.h"
#include "assess/ledger.h"
#include "base/mem.h"
#include "config/config_load.h"
#include "io/clock.h"
#include "main/assess.h"
#include "main/client.h"
#include "main/command.h"
#include "main/file_read.h"
#include "main/shield_file.h"

#define SECTION_BYTES_MAX                                                                          \
	1024 /* what a shield adds to the file at most, with the block's marks                     \
	      */

static const char help[] =
	"usage: hornwork shield FINDING [-c FILE] [--dry-run] [--run-dir DIR]\n"
	"       hornwork unshield FINDING [-c FILE] [--dry-run] [--run-dir DIR]\n"
	"\n"
	"Writes the lines that shield a finding into the configuration, in a block of their own "
	"at\n"
	"its end, and lets the running gateway take them over; unshield removes them. Nothing is\n"
	"changed when the gateway refuses. The flaw itself stays: mend it, and the next "
	"assessment\n"
	"says so.\n"
	"\n"
	"  --dry-run  prints the lines and changes nothing\n"
	"\n"
	"Exit: 0 done, 1 refused (no such finding, or the gateway cannot shield it), 2 usage.\n";

struct shield_options {
	const char *id, *config_file, *run_dir;
	bool dry_run, remove;
};

static int parse_options(int argc, char **argv, struct shield_options *o)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"dry-run", no_argument, NULL, 'n'},
					      {"run-dir", required_argument, NULL, 'r'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	*o = (struct shield_options){.config_file = CONFIG_FILE_DEFAULT,
				     .run_dir = run_dir_default(),
				     .remove = strcmp(argv[0], "unshield") == 0};
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (c == 'c')
			o->config_file = optarg;
		else if (c == 'n')
			o->dry_run = true;
		else if (c == 'r')
			o->run_dir = optarg;
		else {
			fputs(help, c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_GOOD : EXIT_USAGE;
		}
	}
	if (argc - optind != 1) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	o->id = argv[optind];
	return -1;
}

/* ---- the file ---- */

/* One `hornwork shield` at a time writes the file: a lock on it, and on whatever file bears its
 * name once the lock is had. The descriptor, or -errno. */
static int lock_file(const char *path)
{
	for (;;) {
		struct stat ours, named;
		int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX) || fstat(fd, &ours) || stat(path, &named))
			err = -errno;
		if (!err && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
			return fd;
		close(fd);
		if (err)
			return err;
	}
}

/* Whether the file still holds what was read from it: an editor asks nobody. */
static bool is_still(const char *path, struct slice text)
{
	char *bytes;
	size_t n;
	bool same;

	if (file_read(path, &bytes, &n))
		return false;
	same = slice_eq(slice_of(bytes, n), text);
	mem_free(bytes);
	return same;
}

/* Beside the file, then renamed: whoever reads it sees the old or the new one. ERR_EXISTS: somebody
 * has changed it meanwhile, and it is left alone. */
static int replace_file(const char *path, struct slice before, struct slice text)
{
	char beside[CONFIG_PATH_MAX + 32];
	struct stat st;
	FILE *to;
	int err;

	snprintf(beside, sizeof(beside), "%s.shield-%d", path, (int)getpid());
	if (stat(path, &st))
		return -errno;
	to = fopen(beside, "wxe");
	if (!to)
		return -errno;
	err = fwrite(text.p, 1, text.n, to) == text.n && fflush(to) == 0 &&
			      fchmod(fileno(to), st.st_mode & 07777) == 0 &&
			      fchown(fileno(to), st.st_uid, st.st_gid) == 0 &&
			      fsync(fileno(to)) == 0
		      ? 0
		      : -errno;
	if (fclose(to) && !err)
		err = -errno;
	if (!err && !is_still(path, before))
		err = ERR_EXISTS;
	if (!err && rename(beside, path))
		err = -errno;
	if (err)
		unlink(beside);
	return err;
}

/* Says what would be wrong with the changed file. */
static bool is_good(const char *path, struct slice text)
{
	struct config_report report = config_report_empty();
	struct config *c = NULL;
	char line[1024];
	bool good = config_parse(text, &report, &c) == 0;

	for (size_t i = 0; i < report.count && !good; i++) {
		struct out o = out_to(line, sizeof(line));

		config_issue_write(&o, path, &report.issues[i]);
		fprintf(stderr, "%.*s\n", SLICE_ARGS(out_slice(&o)));
	}
	config_report_done(&report);
	config_free(c);
	return good;
}

/* 1: taken over; 0: no gateway runs; negative: it refuses, and said why. */
static int reload(const struct shield_options *o)
{
	struct client_options client = {.run_dir = o->run_dir};
	struct client_answer a = {0};
	char path[512];
	const json_t *result, *line;
	size_t i;
	int err, taken;

	snprintf(path, sizeof(path), "%s/control.sock", o->run_dir);
	if (access(path, F_OK))
		return 0;
	err = client_ask(&client, "POST", "/v1/reload", NULL, &a);
	if (err)
		return err;
	result = json_array_get(a.json, 0);
	taken = json_is_true(json_object_get(result, "reloaded"));
	if (!taken)
		json_array_foreach(json_object_get(result, "messages"), i, line)
			fprintf(stderr, "%s\n", json_string_value(line));
	client_answer_done(&a);
	return taken ? 1 : ERR_DENIED;
}

static void tell_write(const char *path, int err)
{
	if (err == ERR_EXISTS)
		fprintf(stderr,
			"hornwork: %s was changed by somebody else in this moment and is left as "
			"it is; try again\n",
			path);
	else if (err)
		fprintf(stderr, "hornwork: %s cannot be written: %s\n", path, err_text(err));
}

static void put_back(const char *path, struct slice before, struct slice after)
{
	int err = replace_file(path, after, before);

	fprintf(stderr, "hornwork: the gateway does not take it over; %s\n",
		!err ? "the file is as it was"
		: err == ERR_EXISTS
			? "the file was changed by somebody else meanwhile, so it is not put back: "
			  "look at its block of shields"
			: "the file could not be put back");
}

static int apply(const struct shield_options *o, const char *path, struct slice before,
		 struct slice after)
{
	int taken, err;

	if (!is_good(o->config_file, after))
		return ERR_SYNTAX;
	err = replace_file(path, before, after);
	tell_write(o->config_file, err);
	if (err)
		return err;
	taken = reload(o);
	if (taken < 0) {
		put_back(path, before, after);
		return taken;
	}
	printf("%s: %s\n", o->config_file,
	       taken ? "the gateway has taken it over"
		     : "no gateway runs; it counts from its start");
	return 0;
}

static int change_text(const struct shield_options *o, const char *path, struct slice text,
		       struct slice section)
{
	struct slice id = slice_z(o->id);
	char *room = mem_zalloc(1, text.n + SECTION_BYTES_MAX);
	struct out out = out_to(room, room ? text.n + SECTION_BYTES_MAX : 0);
	int err = !room	      ? ERR_NOMEM
		  : o->remove ? shield_file_remove(text, id, &out)
			      : shield_file_add(text, id, section, &out);

	if (err == ERR_EXISTS)
		fprintf(stderr, "hornwork: %s is shielded already in %s\n", o->id, o->config_file);
	else if (err == ERR_ABSENT)
		fprintf(stderr, "hornwork: %s has no shield in the block of %s\n", o->id,
			o->config_file);
	else if (err)
		fprintf(stderr, "hornwork: %s: %s\n", o->config_file, err_text(err));
	else if (o->dry_run)
		err = is_good(o->config_file, out_slice(&out)) ? 0 : ERR_SYNTAX;
	else
		err = apply(o, path, text, out_slice(&out));
	mem_free(room);
	return err;
}

/* A link stays one: the file that it leads to is changed. */
static int change(const struct shield_options *o, struct slice section)
{
	char path[PATH_MAX], *bytes;
	size_t n;
	int err, fd;

	fd = realpath(o->config_file, path) ? lock_file(path) : -errno;
	err = fd < 0 ? fd : file_read(path, &bytes, &n);
	if (err) {
		fprintf(stderr, "hornwork: %s: %s\n", o->config_file, err_text(err));
	} else {
		err = change_text(o, path, slice_of(bytes, n), section);
		mem_free(bytes);
	}
	if (fd >= 0)
		close(fd);
	return err;
}

/* ---- the finding ---- */

static const struct finding *find(const struct assess_report *r, const char *id)
{
	for (size_t i = 0; i < r->finding_count; i++)
		if (strcmp(r->findings[i].id, id) == 0)
			return &r->findings[i];
	return NULL;
}

static int shield(const struct shield_options *o, struct store *s, const struct finding *f)
{
	if (!f) {
		fprintf(stderr,
			"hornwork: there is no finding %s; `hornwork findings` lists them\n",
			o->id);
		return ERR_ABSENT;
	}
	if (!f->shield || f->state == FINDING_FIXED) {
		fprintf(stderr, "hornwork: %s: %s\n", o->id,
			f->shield ? "it is fixed" : "the gateway cannot stand before it; mend it:");
		if (!f->shield)
			fprintf(stderr, "%s\n", f->remediation);
		return ERR_DENIED;
	}
	printf("%s\n", f->shield);
	return change(o, slice_z(f->shield)) ? ERR_DENIED
	       : o->dry_run		     ? 0
					     : ledger_shield(s, o->id, clock_wall_ms());
}

/* The lines may be taken back also when the book does not know the finding any more. */
static int unshield(const struct shield_options *o, struct store *s)
{
	int err = change(o, slice_of(NULL, 0));

	if (!err && o->dry_run)
		printf("shield %s would be taken out of %s\n", o->id, o->config_file);
	if (err || o->dry_run)
		return err;
	err = ledger_unshield(s, o->id);
	return err == ERR_ABSENT ? 0 : err;
}

int cmd_shield(int argc, char **argv)
{
	struct check_table checks = checks_table();
	struct assess_report report = {0};
	struct shield_options o;
	struct store *s;
	struct config *c;
	int code = parse_options(argc, argv, &o), err;

	if (code >= 0)
		return code;
	c = assess_load_config(o.config_file);
	if (!c || assess_open_store(c, &s)) {
		config_free(c);
		return EXIT_USAGE;
	}
	err = ledger_follow(s, c, clock_wall_ms());
	config_free(c);
	if (err)
		fprintf(stderr, "hornwork: the book of findings: %s\n", store_why(s));
	err = ledger_report(s, 0, clock_wall_ms(), &checks, &report);
	if (err && err != ERR_ABSENT)
		fprintf(stderr, "hornwork: the findings: %s\n", err_text(err));
	else
		err = o.remove ? unshield(&o, s) : shield(&o, s, find(&report, o.id));
	report_done(&report);
	store_close(s);
	return err ? EXIT_FOUND : EXIT_GOOD;
}
