/* The files of virtual patches that a configuration names: read by the warden and by the commands
 * that judge files. */
#ifndef HW_MAIN_PATCH_FILES_H
#define HW_MAIN_PATCH_FILES_H

#include "model/config.h"
#include "patch/patch.h"

/* Rules as text, with a line `file PATH` before each file's own. */
struct patch_files {
	char *text; /* owned; PATCH_TEXT_MAX bytes */
	size_t n;
};

/* Hears what is wrong: a file that cannot be read, a line of one, a name in `off` that no rule has.
 * `file` NULL: the configuration itself. */
typedef void (*patch_files_hear)(void *ctx, const char *file, unsigned line, const char *text);

/* Reads the files and proves every rule. 0, ERR_SYNTAX (each error was told), ERR_NOMEM. `out` is
 * empty when no rules are wanted. */
int patch_files_open(const struct config *c, struct patch_files *out, patch_files_hear hear,
		     void *ctx) must_check;
void patch_files_close(struct patch_files *f);
/* The rules of such a text, as the configuration wants them: switched off or forced. As
 * patch_set_read; `hear` is told of names that no rule has, too. */
int patch_files_set(const struct config *c, struct slice text, struct patch_set **out,
		    patch_files_hear hear, void *ctx) must_check;

#endif
