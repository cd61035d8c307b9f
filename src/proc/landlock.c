/* Landlock through its three system calls (linux/landlock.h); glibc has no wrappers for them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/sandbox.h"

/* Written out here because the C library's headers may be older than the kernel. */
#define LL_CREATE_VERSION 1u
#define LL_RULE_PATH	  1
#define LL_RULE_PORT	  2

#define LL_FS_EXECUTE	   (UINT64_C(1) << 0)
#define LL_FS_WRITE_FILE   (UINT64_C(1) << 1)
#define LL_FS_READ_FILE	   (UINT64_C(1) << 2)
#define LL_FS_READ_DIR	   (UINT64_C(1) << 3)
#define LL_FS_ABI1	   ((UINT64_C(1) << 13) - 1)
#define LL_FS_REFER	   (UINT64_C(1) << 13) /* ABI 2 */
#define LL_FS_TRUNCATE	   (UINT64_C(1) << 14) /* ABI 3 */
#define LL_NET_BIND_TCP	   (UINT64_C(1) << 0)  /* ABI 4 */
#define LL_NET_CONNECT_TCP (UINT64_C(1) << 1)
#define LL_FS_IOCTL_DEV	   (UINT64_C(1) << 15) /* ABI 5 */
#define LL_SCOPE_ALL	   UINT64_C(3)	       /* ABI 6: abstract sockets, signals */
#define LL_FS_READ_RIGHTS  (LL_FS_EXECUTE | LL_FS_READ_FILE | LL_FS_READ_DIR)

struct ll_ruleset {
	uint64_t fs, net, scoped;
};

struct ll_port {
	uint64_t allowed, port;
};

struct ll_path {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static uint64_t fs_rights(int abi)
{
	uint64_t rights = LL_FS_ABI1;

	if (abi >= 2)
		rights |= LL_FS_REFER;
	if (abi >= 3)
		rights |= LL_FS_TRUNCATE;
	if (abi >= 5)
		rights |= LL_FS_IOCTL_DEV;
	return rights;
}

static size_t ruleset_bytes(const struct ll_ruleset *r, int abi)
{
	return abi >= 6 ? sizeof(*r) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static int restrict_to(const struct ll_ruleset *r, int abi)
{
	struct ll_port any = {LL_NET_BIND_TCP, 0}; /* port 0: whatever the kernel picks */
	int fd = (int)syscall(SYS_landlock_create_ruleset, r, ruleset_bytes(r, abi), 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (r->net && syscall(SYS_landlock_add_rule, fd, LL_RULE_PORT, &any, 0) < 0)
		err = -errno;
	if (!err && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		err = -errno;
	close(fd);
	return err;
}

int proc_landlock_abi(void)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LL_CREATE_VERSION);

	return abi > 0 ? abi : 0;
}

int proc_landlock_no_files(void)
{
	int abi = proc_landlock_abi(), err;
	struct ll_ruleset r = {.fs = fs_rights(abi)};

	if (abi == 0)
		return 0;
	if (abi >= 4)
		r.net = LL_NET_BIND_TCP;
	if (abi >= 6)
		r.scoped = LL_SCOPE_ALL;
	err = restrict_to(&r, abi);
	return err ? err : abi;
}

int proc_landlock_no_writes(void)
{
	int abi = proc_landlock_abi(), err;
	struct ll_ruleset r = {.fs = fs_rights(abi) & ~(uint64_t)LL_FS_READ_RIGHTS};

	if (abi == 0)
		return 0;
	err = restrict_to(&r, abi);
	return err ? err : abi;
}

static int allow_path(int ruleset, const char *path, uint64_t rights)
{
	struct ll_path rule = {.allowed = rights, .fd = open(path, O_PATH | O_CLOEXEC)};
	int err = 0;

	if (rule.fd < 0)
		return -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH, &rule, 0) < 0)
		err = -errno;
	close(rule.fd);
	return err;
}

int proc_landlock_writes_below(const char *dir)
{
	int abi = proc_landlock_abi(), err, fd;
	struct ll_ruleset r = {.fs = fs_rights(abi) & ~(uint64_t)LL_FS_READ_RIGHTS};
	uint64_t file = LL_FS_WRITE_FILE | (abi >= 3 ? LL_FS_TRUNCATE : 0);

	if (abi == 0)
		return 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &r, sizeof(uint64_t), 0);
	if (fd < 0)
		return -errno;
	err = allow_path(fd, dir, r.fs & ~(abi >= 5 ? LL_FS_IOCTL_DEV : 0));
	if (!err)
		err = allow_path(fd, "/dev/null", file);
	if (!err && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		err = -errno;
	close(fd);
	return err ? err : abi;
}

/* Where resolv.conf really is, if that is not below /etc already. */
static int allow_resolver(int ruleset, uint64_t rights)
{
	char path[PATH_MAX], *slash;

	if (!realpath("/etc/resolv.conf", path) || strncmp(path, "/etc/", 5) == 0)
		return 0;
	slash = strrchr(path, '/');
	*slash = '\0';
	return slash == path ? 0 : allow_path(ruleset, path, rights);
}

static int allow_ports(int ruleset)
{
	static const struct ll_port ports[] = {{LL_NET_BIND_TCP, 0},
					       {LL_NET_CONNECT_TCP, 53},
					       {LL_NET_CONNECT_TCP, 443},
					       {LL_NET_CONNECT_TCP, 8443}};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PORT, &ports[i], 0) < 0)
			return -errno;
	return 0;
}

int proc_landlock_fetches(void)
{
	int abi = proc_landlock_abi(), err, fd;
	uint64_t read = LL_FS_READ_FILE | LL_FS_READ_DIR;
	struct ll_ruleset r = {.fs = fs_rights(abi)};

	if (abi == 0)
		return 0;
	if (abi >= 4)
		r.net = LL_NET_BIND_TCP | LL_NET_CONNECT_TCP;
	if (abi >= 6)
		r.scoped = LL_SCOPE_ALL;
	fd = (int)syscall(SYS_landlock_create_ruleset, &r, ruleset_bytes(&r, abi), 0);
	if (fd < 0)
		return -errno;
	err = allow_path(fd, "/etc", read);
	err = err ? err : allow_resolver(fd, read);
	if (!err && r.net)
		err = allow_ports(fd);
	if (!err && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		err = -errno;
	close(fd);
	return err ? err : abi;
}
