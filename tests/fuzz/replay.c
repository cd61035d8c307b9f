/* Runs a fuzz target over files, as an ordinary test: replay [DIR|FILE | --optional DIR | --data
 * DIR]...
 * --optional may be absent; --data is looked up below $HORNWORK_DATA/voip and may be absent too. */
#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_BYTES_MAX (256u * 1024u) /* larger files of third parties are cut to this */
#define OPEN_DIRS_MAX	16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t files_run; /* nftw passes no context */

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *whole, *exact;
	size_t n;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	whole = malloc(INPUT_BYTES_MAX);
	n = whole ? fread(whole, 1, INPUT_BYTES_MAX, f) : 0;
	fclose(f);
	exact = malloc(n ? n
			 : 1); /* of the exact size, so that the sanitizer sees one byte too far */
	if (!whole || !exact) {
		free(whole);
		free(exact);
		return -1;
	}
	memcpy(exact, whole, n);
	free(whole);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	files_run++;
	return 0;
}

static int visit(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)at;
	return kind == FTW_F ? run_file(path) : 0;
}

static int run_tree(const char *path, int must_exist)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		if (must_exist)
			fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return must_exist ? -1 : 0;
	}
	return nftw(path, visit, OPEN_DIRS_MAX, FTW_PHYS);
}

static int run_data(const char *folder)
{
	const char *data = getenv("HORNWORK_DATA");
	char path[4096];
	int n;

	if (!data || !*data)
		data = getenv("HORNWORK_DATA_DEFAULT");
	if (!data)
		return 0;
	n = snprintf(path, sizeof(path), "%s/voip/%s", data, folder);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	return run_tree(path, 0);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int err;

		if (!strcmp(argv[i], "--optional") && i + 1 < argc)
			err = run_tree(argv[++i], 0);
		else if (!strcmp(argv[i], "--data") && i + 1 < argc)
			err = run_data(argv[++i]);
		else
			err = run_tree(argv[i], 1);
		if (err)
			return 1;
	}
	printf("%zu inputs replayed\n", files_run);
	return files_run ? 0 : 1;
}
