/* The policy that a configuration would make, as JSON text; apart from cmd_policy.c, because
 * jansson and base/json.h cannot be in one file. */
#ifndef HW_MAIN_POLICY_FILE_H
#define HW_MAIN_POLICY_FILE_H

#include "base/err.h"
#include "base/slice.h"

/* The matrix, or with a question ("FROM TO PORT") the answer to it. What is wrong was printed.
 * *out is a C string, to be freed with mem_free. ERR_SYNTAX, ERR_NOMEM, -errno. */
int policy_of_file(const char *file, struct slice question, char **out,
		   size_t *out_bytes) must_check;

#endif
