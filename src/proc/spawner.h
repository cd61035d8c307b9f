/* The spawner: a process that holds the right to change users so that the warden need not. It
 * starts the known kinds of children under the user of each, tells when one ends, and kills those
 * it started. It reads nothing but the warden's few messages. */
#ifndef HW_PROC_SPAWNER_H
#define HW_PROC_SPAWNER_H

#include <sys/types.h>

#include "proc/channel.h"

#define PROC_CHILD_FD 3 /* where a re-executed process finds its channel */

/* Starts this binary again as "@NAME" with `channel` at PROC_CHILD_FD and no other descriptor but
 * 0, 1 and 2. Returns the pid or -errno. `channel` stays the caller's. */
pid_t proc_exec_self(const char *name, int channel) must_check;
/* The part of it that runs in the child, for who forks by himself. */
void proc_exec_here(const char *name, int channel) __attribute__((noreturn));
/* In a child, first of all: its name, its channel, which belongs to the caller from now on. Blocks
 * terminal signals, dies with its parent. ERR_PEER when it was not started by a warden. */
int proc_child_begin(enum proc_kind self, struct proc_channel *out) must_check;
/* Waits for the next message, for children that have no loop yet. `timeout_ms` or -ETIME. */
int proc_receive_wait(struct proc_channel *ch, struct proc_msg *msg, int timeout_ms) must_check;

/* The whole life of the spawner; returns an exit code. */
int proc_spawner_run(struct proc_channel *warden);

#endif
