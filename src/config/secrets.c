#include "config/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/limits.h"

/* What a file is for, for the complaints about it. */
struct secret_file {
	const char *kind, *name, *key, *path;
	unsigned line;
	bool is_public; /* others may read it */
};

/* Opens a regular file that only its owner and group may touch; the descriptor, or -1 with what
 * is wrong in the report. */
static int open_secret(const struct secret_file *f, struct config_report *report)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		config_error(report, f->line, "%s %s: %s %s cannot be opened: %s", f->kind, f->name,
			     f->key, f->path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		config_error(report, f->line, "%s %s: %s %s is no ordinary file", f->kind, f->name,
			     f->key, f->path);
	} else if (!f->is_public && st.st_mode & (S_IRWXO | S_IWGRP)) {
		config_error(report, f->line,
			     "%s %s: others may read or change %s %s; run chmod 600 %s", f->kind,
			     f->name, f->key, f->path, f->path);
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

static void take_first_line(const struct secret_file *f, struct slice content, char *out,
			    struct config_report *report)
{
	struct slice rest, line = slice_split(content, '\n', &rest);

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0 || line.n >= CONFIG_SECRET_MAX || !is_printable(line)) {
		config_error(report, f->line,
			     "%s %s: the first line of %s %s is no password of 1 to %d printable "
			     "bytes",
			     f->kind, f->name, f->key, f->path, CONFIG_SECRET_MAX - 1);
		return;
	}
	memcpy(out, line.p, line.n);
	out[line.n] = '\0';
}

/* Its first line into `out`, of CONFIG_SECRET_MAX bytes. */
static void read_secret(const struct secret_file *f, char *out, struct config_report *report)
{
	char content[CONFIG_SECRET_MAX + 2];
	int fd = open_secret(f, report);
	ssize_t n;

	if (fd < 0)
		return;
	do {
		n = read(fd, content, sizeof(content));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		config_error(report, f->line, "%s %s: %s %s cannot be read: %s", f->kind, f->name,
			     f->key, f->path, strerror(errno));
	else
		take_first_line(f, slice_of(content, (size_t)n), out, report);
	explicit_bzero(content, sizeof(content));
	close(fd);
}

/* Files that are handed on whole when they are needed. */
static void try_file(const struct secret_file *f, struct config_report *report)
{
	int fd = *f->path ? open_secret(f, report) : -1;

	if (fd >= 0)
		close(fd);
}

static void read_tunnel(struct config_tunnel *t, struct config_report *report)
{
	struct secret_file psk = {"tunnel", t->name, "psk-file", t->psk_file, t->line, false};
	struct secret_file key = {"tunnel", t->name, "key", t->key, t->line, false};
	struct secret_file shown = {"tunnel",	    t->name, "certificate",
				    t->certificate, t->line, true};
	struct secret_file ca = {"tunnel", t->name, "ca", t->ca, t->line, true};

	if (*t->psk_file)
		read_secret(&psk, t->psk, report);
	if (*t->psk && strlen(t->psk) < CONFIG_PSK_MIN)
		config_error(report, t->line,
			     "tunnel %s: the secret in %s has less than %d characters and could be "
			     "guessed; draw one with openssl rand -base64 32",
			     t->name, t->psk_file, CONFIG_PSK_MIN);
	try_file(&key, report);
	try_file(&shown, report);
	try_file(&ca, report);
}

int config_secrets_read(struct config *c, struct config_report *report)
{
	for (size_t i = 0; i < c->trunk_count; i++) {
		struct config_trunk *t = &c->trunks[i];
		struct secret_file f = {"trunk",	  t->name, "password-file",
					t->password_file, t->line, false};

		if (*t->password_file)
			read_secret(&f, t->password, report);
	}
	for (size_t i = 0; i < c->tunnel_count; i++)
		read_tunnel(&c->tunnels[i], report);
	return config_report_verdict(report);
}
