#include "config/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens a regular file that only its owner and group may touch; the descriptor, or -1 with what
 * is wrong in the report. */
static int open_secret(const struct config_trunk *t, struct config_report *report)
{
	int fd = open(t->password_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		config_error(report, t->line, "trunk %s: password-file %s cannot be opened: %s",
			     t->name, t->password_file, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		config_error(report, t->line, "trunk %s: password-file %s is no ordinary file",
			     t->name, t->password_file);
	} else if (st.st_mode & (S_IRWXO | S_IWGRP)) {
		config_error(report, t->line,
			     "trunk %s: others may read or change password-file %s; run "
			     "chmod 600 %s",
			     t->name, t->password_file, t->password_file);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool is_printable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

static void take_first_line(struct config_trunk *t, struct slice content,
			    struct config_report *report)
{
	struct slice rest, line = slice_split(content, '\n', &rest);

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0 || line.n >= CONFIG_SECRET_MAX || !is_printable(line)) {
		config_error(report, t->line,
			     "trunk %s: the first line of password-file %s is no password of 1 to "
			     "%d printable bytes",
			     t->name, t->password_file, CONFIG_SECRET_MAX - 1);
		return;
	}
	memcpy(t->password, line.p, line.n);
	t->password[line.n] = '\0';
}

static void read_secret(struct config_trunk *t, struct config_report *report)
{
	char content[CONFIG_SECRET_MAX + 2];
	int fd = open_secret(t, report);
	ssize_t n;

	if (fd < 0)
		return;
	do {
		n = read(fd, content, sizeof(content));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		config_error(report, t->line, "trunk %s: password-file %s cannot be read: %s",
			     t->name, t->password_file, strerror(errno));
	else
		take_first_line(t, slice_of(content, (size_t)n), report);
	explicit_bzero(content, sizeof(content));
	close(fd);
}

int config_secrets_read(struct config *c, struct config_report *report)
{
	for (size_t i = 0; i < c->trunk_count; i++)
		if (*c->trunks[i].password_file)
			read_secret(&c->trunks[i], report);
	return config_report_verdict(report);
}
