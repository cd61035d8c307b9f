/* Who a process is and what it may do: users, groups, capabilities, limits. */
#ifndef HW_PROC_IDENTITY_H
#define HW_PROC_IDENTITY_H

#include <sys/types.h>

#include "proc/messages.h"

struct proc_identity {
	uid_t uid;
	gid_t gid;
	bool spare; /* no user hornwork-KIND is there: a fixed number that nobody has */
};

/* The user hornwork-signal, hornwork-media, hornwork-console, hornwork-tls; the probe is signal's.
 * Reads the user database. */
struct proc_identity proc_identity_of(enum proc_kind kind);
/* The user hornwork-NAME, for a process that is no child of the spawner. */
struct proc_identity proc_identity_named(const char *name);
/* True if this process may become another user. */
bool proc_identity_can_change(void);
/* Becomes that user, with no groups, no capability and none to be had again. -errno, ERR_DENIED. */
int proc_identity_take(const struct proc_identity *id) must_check;
/* Keeps these capabilities (CAP_ numbers) and no other, not to be had again; `count` may be 0.
 * What the process does not have is not granted. ERR_DENIED. */
int proc_caps_keep(const int *caps, size_t count) must_check;
/* This process becomes a member of a group besides its own. ERR_ABSENT: there is none of that name;
 * -errno. */
int proc_group_join(const char *name) must_check;
bool proc_cap_have(int cap);

/* Lifts the limit of what this process, and those that it starts, may lock in memory: keys and
 * passwords, and frames of AF_XDP sockets. Without the right to it stays what it was. */
void proc_memory_raise(void);
/* True if nothing limits the memory that this process may lock (RLIMIT_MEMLOCK). */
bool proc_memory_lockable(void);
/* No core dumps, no new privileges through exec, no ptrace by others of the same user; and where
 * proc_memory_lockable, no page that ever reaches the swap space. -errno. */
int proc_harden(void) must_check;
/* As many descriptors as may be had, up to `want`. Returns what it is. */
size_t proc_descriptors_raise(size_t want);

#endif
