/* What each kind of process may still ask of the kernel once it is set up: a seccomp allow-list of
 * its own (what is not listed kills the process; HORNWORK_SECCOMP=log in the environment of the
 * gateway logs instead) and Landlock (no file, no directory; TCP only bound to no port of choice).
 */
#ifndef HW_PROC_SANDBOX_H
#define HW_PROC_SANDBOX_H

#include "proc/messages.h"

struct proc_sandbox_state {
	bool seccomp;	  /* the filter is in force */
	int landlock_abi; /* 0 = the kernel has none */
};

/* For signal, media, console, tls, stir and the probe; once, when all is set up and before any
 * stranger's byte is read. No way back. -errno, ERR_DENIED: then the process must not go on. A
 * kernel without Landlock is no failure; it shows in *out. */
int proc_sandbox_enter(enum proc_kind kind, struct proc_sandbox_state *out) must_check;
/* The spawner and all it starts: no file may be made or written, no module, mount, trace. */
int proc_sandbox_spawner(void) must_check;
/* The warden: no exec, no fork of another program, no module, mount, trace. */
int proc_sandbox_warden(void) must_check;

/* The assessor and what it starts (ssh, agents): no module, mount, trace, namespace, BPF, and no
 * socket but Unix, IPv4, IPv6 and netlink ones. */
int proc_sandbox_assess(void) must_check;

/* True if what a filter does not list is logged instead of killing. */
bool proc_sandbox_only_logs(void);
/* landlock.c: what this kernel has; 0 = none. */
int proc_landlock_abi(void);
/* Every file right is taken, or the writing ones only. Returns the ABI, 0 = the kernel
 * has none, -errno. */
int proc_landlock_no_files(void) must_check;
int proc_landlock_no_writes(void) must_check;
/* What looking names up and fetching by HTTPS needs: reading below /etc (and where resolv.conf
 * leads), TCP to ports 53, 443 and 8443 (ABI 4). Otherwise as no_files. */
int proc_landlock_fetches(void) must_check;
/* Writing is left below `dir`, and to /dev/null, alone. */
int proc_landlock_writes_below(const char *dir) must_check;

#endif
