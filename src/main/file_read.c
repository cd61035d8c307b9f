#include "main/file_read.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"

#define READ_STEP (64u * 1024) /* bytes */

/* Reads on to the end; *bytes grows as it must. */
static int read_all(FILE *f, char **bytes, size_t *n)
{
	size_t size = 0;

	for (;;) {
		char *grown;

		if (*n == size) {
			size = size ? size * 2 : READ_STEP;
			grown = mem_grow(*bytes, size);
			if (!grown)
				return ERR_NOMEM;
			*bytes = grown;
		}
		errno = 0;
		*n += fread(*bytes + *n, 1, size - *n, f);
		if (ferror(f))
			return errno ? -errno : -EIO;
		if (*n > FILE_READ_BYTES_MAX)
			return ERR_LIMIT;
		if (feof(f))
			return 0;
	}
}

int file_read(const char *path, char **out_bytes, size_t *out_n)
{
	FILE *f = fopen(path, "rb");
	char *bytes = NULL;
	size_t n = 0;
	int err;

	if (!f)
		return -errno;
	err = read_all(f, &bytes, &n);
	fclose(f);
	if (err) {
		mem_free(bytes);
		return err;
	}
	*out_bytes = bytes;
	*out_n = n;
	return 0;
}
