/* A whole file in memory, for the commands that judge files. */
#ifndef HW_MAIN_FILE_READ_H
#define HW_MAIN_FILE_READ_H

#include <stddef.h>

#include "base/err.h"

#define FILE_READ_BYTES_MAX (64u * 1024 * 1024) /* a recorded stream of a day, and a bound */

/* Reads all of `path`; give *out_bytes to mem_free. 0, -errno, ERR_LIMIT when it is
 * longer than FILE_READ_BYTES_MAX, or ERR_NOMEM. */
int file_read(const char *path, char **out_bytes, size_t *out_n) must_check;

#endif
