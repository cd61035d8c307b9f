#include "main/assess_data.h"

#include <stdio.h>
#include <unistd.h>

#define DATA_PROOF "products.jsonl" /* what a folder of our data holds */

static bool is_data_dir(const char *dir)
{
	char path[FEED_PATH_MAX + sizeof(DATA_PROOF)];

	snprintf(path, sizeof(path), "%s/" DATA_PROOF, dir);
	return access(path, R_OK) == 0;
}

/* `up` beside the binary's own folder: "../share/hornwork", "../data". */
static bool beside_binary(const char *up, char *out, size_t size)
{
	char exe[FEED_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n <= 0)
		return false;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return false;
	*slash = '\0';
	n = snprintf(out, size, "%s/%s", exe, up);
	return n > 0 && (size_t)n < size && is_data_dir(out);
}

int assess_data_dir(char *out, size_t size, struct fault *f)
{
	if (beside_binary("../share/hornwork", out, size) || beside_binary("../data", out, size))
		return 0;
	snprintf(out, size, "%s", HORNWORK_DATADIR);
	if (is_data_dir(out))
		return 0;
	return fault_say(f, ERR_ABSENT,
			 "the shipped data are not there: %s/" DATA_PROOF
			 " is missing; install Hornwork again",
			 HORNWORK_DATADIR);
}

int assess_base_open(struct adv_base *b, const char *command, const char *feeds_dir)
{
	struct fault f = {{0}};
	char dir[FEED_PATH_MAX];
	int err = assess_data_dir(dir, sizeof(dir), &f);

	if (!err)
		err = adv_base_open(b, dir, feeds_dir ? feeds_dir : ASSESS_FEEDS_DIR_DEFAULT, &f);
	if (err)
		fprintf(stderr, "hornwork %s: %s\n", command, f.text);
	return err;
}
