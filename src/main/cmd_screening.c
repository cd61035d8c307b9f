/* hornwork screening: the one table of what is refused, answered, repaired or told, and why. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "guard/r2_detect.h"
#include "main/command.h"

#define ROW_BYTES_MAX 1024 /* the longest row, escaped */

static const char help[] =
	"usage: hornwork screening [--json]\n"
	"\nPrints what the gateway refuses, drops or tells of: the reason's name, the SIP status\n"
	"that answers it, how much it weighs towards a ban, in a sentence what it is, and the\n"
	"reference. It needs no gateway.\n";

static const char *kind_text(enum r2_offence kind)
{
	static const char *const text[R2_OFFENCE_COUNT] = {
		[R2_SCAN] = "scan",	  [R2_GUESS] = "guess", [R2_FORGERY] = "forgery",
		[R2_GARBAGE] = "garbage", [R2_FLOOD] = "flood", [R2_EXPLOIT] = "exploit",
	};

	return (unsigned)kind < R2_OFFENCE_COUNT ? text[kind] : "";
}

static int print_json(enum reason why)
{
	const struct reason_row *row = reason_row(why);
	char text[ROW_BYTES_MAX];
	struct out o = out_to(text, sizeof(text));
	struct json j = json_to(&o);
	enum r2_offence kind;
	unsigned points = r2_offence_points(why, &kind);

	json_open(&j, '{');
	json_member_z(&j, "reason", row->name);
	json_member_z(&j, "tag", row->tag);
	json_member_z(&j, "severity", severity_text(row->severity));
	json_key(&j, "status");
	if (row->status)
		json_u64(&j, row->status);
	else
		json_null(&j);
	if (points)
		json_member_z(&j, "offence", kind_text(kind));
	json_member_u64(&j, "points", points);
	json_member_z(&j, "sentence", row->sentence);
	json_member_z(&j, "reference", row->reference);
	json_close(&j, '}');
	if (o.err)
		return o.err;
	printf("%s%.*s", why > REASON_NONE + 1 ? ",\n" : "", SLICE_ARGS(out_slice(&o)));
	return 0;
}

static void print_text(enum reason why)
{
	const struct reason_row *row = reason_row(why);
	char status[12] = "-", points[12] = "-";
	enum r2_offence kind;
	unsigned n = r2_offence_points(why, &kind);

	if (row->status)
		snprintf(status, sizeof(status), "%u", row->status);
	if (n)
		snprintf(points, sizeof(points), "%u", n);
	printf("%-26s %-4s %-9s %-6s %-6s %s (%s)\n", row->name, row->tag,
	       severity_text(row->severity), status, points, row->sentence, row->reference);
}

int cmd_screening(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	int err = 0;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return EXIT_GOOD;
	}
	if (argc > 1 && !json) {
		fprintf(stderr, "hornwork screening: it takes --json and nothing else\n");
		return EXIT_USAGE;
	}
	if (json)
		printf("[");
	else
		printf("%-26s %-4s %-9s %-6s %-6s %s\n", "REASON", "TAG", "SEVERITY", "STATUS",
		       "POINTS", "WHAT (REFERENCE)");
	for (unsigned i = REASON_NONE + 1; i < REASON_COUNT && !err; i++) {
		if (json)
			err = print_json((enum reason)i);
		else
			print_text((enum reason)i);
	}
	if (json)
		printf("]\n");
	return err ? EXIT_USAGE : EXIT_GOOD;
}
