#include "assess/checks/asterisk_host.h"

#include <stdio.h>

#include "assess/ssh.h"

static int read_file(void *ctx, const char *path, char **out_text, size_t *out_bytes)
{
	struct ssh_text file;
	int err = visit_file(ctx, path, &file);

	if (err)
		return err;
	*out_text = file.p;
	*out_bytes = file.n;
	return 0;
}

/* The reader lets no character through that a shell acts on, but * and ?. */
static int list_files(void *ctx, const char *pattern, char **out_text)
{
	char command[ASTERISK_PATH_MAX + 64];
	struct ssh_text names;
	int err;

	snprintf(command, sizeof(command), "ls -1d -- %s 2>/dev/null", pattern);
	err = visit_ssh(ctx, command, &names);
	if (err)
		return err;
	*out_text = names.p;
	return 0;
}

int visit_asterisk(struct visit *v, const char *name, struct asterisk_conf *out)
{
	const struct asterisk_files files = {v, read_file, list_files};

	return asterisk_read(out, &files, name);
}

enum verdict visit_asterisk_clean(struct visit *v, const struct asterisk_conf *c)
{
	return *c->gap ? visit_untested(v, "%s", c->gap) : VERDICT_CLEAN;
}
