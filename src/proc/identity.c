#include "proc/identity.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Debian policy 9.2.2: 65000 to 65533 are reserved, so no account of a machine has them. */
#define SPARE_UID_BASE 65300
#define GROUPS_MAX     64

static struct proc_identity identity(const char *kind, uid_t spare)
{
	char name[48], buf[4096];
	struct passwd pw, *found = NULL;

	snprintf(name, sizeof(name), "hornwork-%s", kind);
	if (getpwnam_r(name, &pw, buf, sizeof(buf), &found) == 0 && found && found->pw_uid != 0)
		return (struct proc_identity){found->pw_uid, found->pw_gid, false};
	return (struct proc_identity){spare, (gid_t)spare, true};
}

struct proc_identity proc_identity_of(enum proc_kind kind)
{
	if (kind == PROC_PROBE)
		kind = PROC_SIGNAL;
	return identity(proc_kind_name(kind), SPARE_UID_BASE + (uid_t)kind);
}

struct proc_identity proc_identity_named(const char *name)
{
	return identity(name, SPARE_UID_BASE - 1);
}

int proc_group_join(const char *name)
{
	char buf[16384];
	struct group gr, *found = NULL;
	gid_t list[GROUPS_MAX];
	int count;

	if (getgrnam_r(name, &gr, buf, sizeof(buf), &found) != 0 || !found)
		return ERR_ABSENT;
	count = getgroups(GROUPS_MAX - 1, list);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++)
		if (list[i] == gr.gr_gid)
			return 0;
	list[count++] = gr.gr_gid;
	return setgroups((size_t)count, list) ? -errno : 0;
}

bool proc_cap_have(int cap)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, (unsigned)cap) == 1;
}

bool proc_identity_can_change(void)
{
	return proc_cap_have(CAP_SETUID) && proc_cap_have(CAP_SETGID);
}

int proc_identity_take(const struct proc_identity *id)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_change_id((int)id->uid, (int)id->gid,
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT) != 0)
		return ERR_DENIED;
	if (setuid(0) == 0 || getuid() != id->uid || getgid() != id->gid)
		return ERR_DENIED;
	return 0;
}

int proc_caps_keep(const int *caps, size_t count)
{
	bool bounding = proc_cap_have(CAP_SETPCAP);
	capng_select_t set = bounding ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS;
	bool have[CAP_LAST_CAP + 1] = {false};

	for (size_t i = 0; i < count; i++)
		have[caps[i]] = proc_cap_have(caps[i]);
	capng_clear(set);
	for (size_t i = 0; i < count; i++) {
		unsigned types = CAPNG_EFFECTIVE | CAPNG_PERMITTED;

		if (have[caps[i]] &&
		    capng_update(CAPNG_ADD, (capng_type_t)(types | CAPNG_BOUNDING_SET),
				 (unsigned)caps[i]) != 0)
			return ERR_DENIED;
	}
	return capng_apply(set) == 0 ? 0 : ERR_DENIED;
}

void proc_memory_raise(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	(void)!setrlimit(RLIMIT_MEMLOCK, &limit);
}

bool proc_memory_lockable(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

int proc_harden(void)
{
	struct rlimit none = {0, 0};

	/* Pages are locked when they are first touched. With a limit a later request would fail. */
	if (proc_memory_lockable() && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		return -errno;

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

size_t proc_descriptors_raise(size_t want)
{
	struct rlimit lim = {want, want};

	if (setrlimit(RLIMIT_NOFILE, &lim) == 0)
		return want;
	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return 0;
	lim.rlim_cur = lim.rlim_max < want ? lim.rlim_max : want;
	return setrlimit(RLIMIT_NOFILE, &lim) == 0 ? (size_t)lim.rlim_cur : 0;
}
