#include "main/policy_file.h"

#include <stdio.h>

#include "base/mem.h"
#include "config/config_load.h"
#include "config/resolve.h"
#include "guard/r5_segment.h"
#include "main/policy_view.h"

static void print_issues(const char *file, const struct config_report *report)
{
	char line[2 * CONFIG_ISSUE_TEXT_MAX];

	for (size_t i = 0; i < report->count; i++) {
		struct out o = out_to(line, sizeof(line));

		if (report->issues[i].severity != CONFIG_ERROR)
			continue;
		config_issue_write(&o, file, &report->issues[i]);
		fprintf(stderr, "%.*s\n", SLICE_ARGS(out_slice(&o)));
	}
}

/* The interfaces need not be there: what they would add is then left out. */
static int load(const char *file, struct config **out)
{
	struct config_report report = config_report_empty(), quiet = config_report_empty();
	struct config_world world = config_world_system();
	struct config *c = NULL;
	int err = config_load(file, &report, &c);

	print_issues(file, &report);
	config_report_done(&report);
	if (err)
		return err;
	if (config_resolve(c, &world, &quiet))
		err = config_listeners_derive(c);
	config_report_done(&quiet);
	if (err)
		config_free(c);
	else
		*out = c;
	return err;
}

static int write_policy(const struct config *c, struct slice question, struct out *text)
{
	struct segment_policy *p = NULL;
	struct json j = json_to(text);
	char said[256];
	struct out why = out_to(said, sizeof(said));
	int err = r5_segment_new(c, &p);

	if (!err && question.n)
		err = policy_view_explain(&j, c, p, question, &why);
	else if (!err)
		policy_view_matrix(&j, c, p, NULL);
	r5_segment_free(p);
	if (why.n)
		fprintf(stderr, "hornwork policy: %.*s\n", SLICE_ARGS(out_slice(&why)));
	return err ? err : text->err;
}

int policy_of_file(const char *file, struct slice question, char **out, size_t *out_bytes)
{
	struct config *c = NULL;
	char *text = NULL;
	struct out o;
	size_t bytes;
	int err = load(file, &c);

	if (err)
		return err;
	bytes = policy_view_bytes(c);
	text = mem_zalloc(bytes + 1, 1);
	o = out_to(text, text ? bytes : 0);
	err = text ? write_policy(c, question, &o) : ERR_NOMEM;
	config_free(c);
	if (err) {
		mem_free(text);
		return err;
	}
	*out = text;
	*out_bytes = o.n;
	return 0;
}
