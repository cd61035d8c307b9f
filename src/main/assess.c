#include "main/assess.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "assess/agent.h"
#include "assess/checks/table.h"
#include "base/json.h"
#include "config/config_load.h"
#include "main/command.h"

#define LINE_MAX_BYTES 4096

struct config *assess_load_config(const char *file)
{
	struct config_report report = config_report_empty();
	struct config *c = NULL;
	char line[LINE_MAX_BYTES];
	int err = config_load(file, &report, &c);

	for (size_t i = 0; i < report.count; i++) {
		struct out o = out_to(line, sizeof(line));

		if (report.issues[i].severity != CONFIG_ERROR)
			continue;
		config_issue_write(&o, file, &report.issues[i]);
		fprintf(stderr, "%.*s\n", SLICE_ARGS(out_slice(&o)));
	}
	config_report_done(&report);
	return err ? NULL : c;
}

int assess_open_store(const struct config *c, struct store **out)
{
	int err = store_open(c->assess.state, out);

	if (err == ERR_VERSION)
		fprintf(stderr, "hornwork: %s/" STORE_FILE " was written by a newer version\n",
			c->assess.state);
	else if (err)
		fprintf(stderr,
			"hornwork: %s/" STORE_FILE " cannot be opened (%s); name another folder by "
			"assess { state = ... }\n",
			c->assess.state, err_text(err));
	return err;
}

int cmd_agent(int argc, char **argv)
{
	return agent_run(STDIN_FILENO, STDOUT_FILENO) ? EXIT_USAGE : EXIT_GOOD;
}

/* ---- hornwork assess checks ---- */

static void write_references(struct json *j, const char *text)
{
	struct slice rest = slice_z(text);

	json_member_open(j, "references", '[');
	while (rest.n)
		json_str(j, slice_trim(slice_split(rest, ';', &rest)));
	json_close(j, ']');
}

static void write_check(struct json *j, const struct check_row *row)
{
	json_open(j, '{');
	json_member_z(j, "id", row->id);
	json_member_z(j, "tag", row->tag);
	json_member_z(j, "class", check_class_text(row->class));
	json_member_z(j, "severity", assess_severity_text(row->severity));
	json_member_real(j, "cvss", row->cvss_tenths / 10.0, 1);
	json_member_z(j, "title", row->title);
	json_member_z(j, "remediation", row->remediation);
	json_member_z(j, "packets", row->packets);
	write_references(j, row->references);
	json_close(j, '}');
}

static void print_checks(const struct check_table *t, bool json)
{
	char line[LINE_MAX_BYTES];

	for (size_t i = 0; i < t->count; i++) {
		const struct check_row *row = &t->rows[i];
		struct out o = out_to(line, sizeof(line));
		struct json j = json_to(&o);

		if (!json) {
			printf("%-6s %s %-16s %-8s %s\n", row->id, row->tag,
			       check_class_text(row->class), assess_severity_text(row->severity),
			       row->title);
			continue;
		}
		write_check(&j, row);
		printf("%s%.*s", i ? ",\n" : "[", SLICE_ARGS(out_slice(&o)));
	}
	if (json)
		printf("]\n");
}

int assess_checks(int argc, char **argv)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	static const char help[] = "usage: hornwork assess checks [--json]\n"
				   "\nEvery check with its class and severity.\n";
	struct check_table t = checks_table();
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c != 'j') {
			fputs(help, c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_GOOD : EXIT_USAGE;
		}
		json = true;
	}
	if (optind < argc) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	print_checks(&t, json);
	return EXIT_GOOD;
}
