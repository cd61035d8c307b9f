#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/addr.h"
#include "main/warden.h"

#define CONTROL_BACKLOG 64

static int complain(struct out *errors, const char *what, const char *name, int err)
{
	out_fmt(errors, "hornwork: %s %s: %s\n", what, name, err_text(err));
	return err;
}

static int path_in(const char *dir, const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s", dir, name);

	return n > 0 && (size_t)n < size ? 0 : ERR_SPACE;
}

/* Returns the pid file's descriptor, which holds the lock. */
int rundir_claim(const char *dir, struct out *errors)
{
	char path[CONFIG_PATH_MAX], pid[24];
	int fd, n;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return complain(errors, "cannot make the run directory", dir, -errno);
	if (path_in(dir, "hornwork.pid", path, sizeof(path)) != 0)
		return complain(errors, "the name is too long:", dir, ERR_SPACE);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return complain(errors, "cannot write", path, -errno);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		out_fmt(errors, "hornwork: a gateway runs already at %s\n", dir);
		return ERR_EXISTS;
	}
	n = snprintf(pid, sizeof(pid), "%d\n", getpid());
	if (ftruncate(fd, 0) < 0 || write(fd, pid, (size_t)n) != n) {
		int err = -errno;

		close(fd);
		return complain(errors, "cannot write", path, err);
	}
	return fd;
}

void rundir_release(const char *dir, int pid_fd)
{
	static const char *const names[] = {"control.sock", "events.sock", "hornwork.pid"};
	char path[CONFIG_PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (path_in(dir, names[i], path, sizeof(path)) == 0)
			(void)unlink(path);
	close(pid_fd);
}

/* The group `hornwork`, if there is one, may use the socket besides root. */
static void give_to_group(const char *path)
{
	struct group g, *found = NULL;
	char buf[4096];

	if (getgrnam_r("hornwork", &g, buf, sizeof(buf), &found) == 0 && found &&
	    chown(path, (uid_t)-1, found->gr_gid) < 0)
		return;
}

/* Through the directory's descriptor, because a socket's name has room for 107 bytes only. */
static int bind_in(const char *dir, const char *file, int fd)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), err = 0;
	mode_t mask;

	if (dir_fd < 0)
		return -errno;
	snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/%s", dir_fd, file);
	(void)unlink(name.sun_path);
	mask = umask(0117);
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, CONTROL_BACKLOG) < 0)
		err = -errno;
	umask(mask);
	close(dir_fd);
	return err;
}

int rundir_listen(const char *dir, const char *file, struct out *errors)
{
	char path[CONFIG_PATH_MAX];
	int fd, err = path_in(dir, file, path, sizeof(path));

	if (err)
		return complain(errors, "the name is too long:", dir, err);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return complain(errors, "cannot make", path, -errno);
	err = bind_in(dir, file, fd);
	if (err) {
		close(fd);
		return complain(errors, "cannot listen on", path, err);
	}
	give_to_group(path);
	return fd;
}

int events_open(const struct config *config, struct out *errors)
{
	const char *path = config->console.events;
	int fd;

	if (!path[0])
		return -1;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	if (fd < 0)
		return complain(errors, "cannot write events to", path, -errno);
	return fd;
}

int console_listen(const struct config *config, struct out *errors)
{
	struct config_listener l = {.transport = TRANSPORT_TCP, .local = config->console.listen};
	char text[IP_ENDPOINT_TEXT_MAX];
	int fd;

	if (l.local.port == 0)
		return -1;
	fd = listener_bind(&l);
	if (fd < 0)
		return complain(errors, "the console cannot listen on",
				ip_endpoint_text(&l.local, text), fd);
	return fd;
}

int token_read(const struct config *config, char token[static PROC_TOKEN_MAX], struct out *errors)
{
	const char *path = config->console.token_file;
	char text[PROC_TOKEN_MAX] = {0};
	struct slice word;
	ssize_t n;
	int fd;

	token[0] = '\0';
	if (!path[0])
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return complain(errors, "cannot read the token", path, -errno);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	word = slice_trim(slice_of(text, n > 0 ? (size_t)n : 0));
	if (word.n == 0)
		return complain(errors, "no token stands in", path, ERR_SYNTAX);
	(void)slice_to_z(word, token, PROC_TOKEN_MAX);
	explicit_bzero(text, sizeof(text));
	return 0;
}
