/* What virtual patches add to a message: the shipped rules ($HORNWORK_RULES, a folder) are held
 * against it, and none fits. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench_parse.h"
#include "patch/patch.h"

const char bench_parser_name[] = "hornwork-rules";

static struct patch_set *set;
static struct patch_target_of to; /* $HORNWORK_PRODUCT, or every product */

static void on_error(void *ctx, const char *file, unsigned line, const char *text)
{
	fprintf(stderr, "%s:%u: %s\n", file, line, text);
	exit(1);
}

static void read_file(const char *folder, const char *name)
{
	static char text[PATCH_TEXT_MAX];
	const struct patch_listener l = {.error = on_error};
	char path[1024];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "re");
	n = f ? fread(text, 1, sizeof(text), f) : 0;
	if (f)
		fclose(f);
	if (!n || patch_set_read(set, name, slice_of(text, n), &l))
		exit(1);
}

void bench_parser_start(void)
{
	const char *folder = getenv("HORNWORK_RULES");
	DIR *d = opendir(folder ? folder : HORNWORK_RULES_DEFAULT);
	struct dirent *e;

	if (!d || patch_set_new(&set)) {
		fputs("there are no rules; set HORNWORK_RULES\n", stderr);
		exit(1);
	}
	while ((e = readdir(d)))
		if (slice_ends_nocase(slice_z(e->d_name), SL(".conf")))
			read_file(folder ? folder : HORNWORK_RULES_DEFAULT, e->d_name);
	closedir(d);
	if (getenv("HORNWORK_PRODUCT"))
		to.product = slice_z(getenv("HORNWORK_PRODUCT"));
}

bool bench_parser_run(const char *text, size_t n)
{
	return patch_set_find(set, slice_of(text, n), &to) == NULL;
}
