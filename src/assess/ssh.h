/* SSH to a target: read-only commands with the owner's key, and single guesses of factory
 * passwords. */
#ifndef HW_ASSESS_SSH_H
#define HW_ASSESS_SSH_H

#include "assess/visit.h"

#define SSH_OUTPUT_MAX (4u * 1024 * 1024) /* of one command: a package list has a megabyte */

struct ssh_text {
	char *p; /* a C string; mem_free */
	size_t n;
	int status; /* of the command; -1 = not told */
};

/* Runs a command that changes nothing on the asset's host. The session is opened by the first
 * check that asks (one ssh-read) and kept until the target is done. ERR_ABSENT: the asset has no
 * ssh-user; ERR_DENIED: the key is not taken, or the host's key has changed; -ECONNREFUSED,
 * -ETIMEDOUT, ERR_PEER, ERR_LIMIT (too long), ERR_NOMEM. */
int visit_ssh(struct visit *v, const char *command, struct ssh_text *out) must_check;
/* The content of a file, of at most SSH_OUTPUT_MAX bytes. ERR_ABSENT also when there is no such
 * file, or it may not be read; `path` is ours, never a stranger's. */
int visit_file(struct visit *v, const char *path, struct ssh_text *out) must_check;
void ssh_text_done(struct ssh_text *t);
/* The verdict of a host-read-only check whose visit_ssh failed. */
enum verdict visit_no_host(struct visit *v, int err);
/* One login with a password: 0 it is taken, ERR_DENIED it is not, others as visit_ssh. */
int visit_ssh_login(struct visit *v, uint16_t port, const char *user,
		    const char *password) must_check;
/* Accepts NULL. */
void ssh_host_close(struct ssh_host *h);

#endif
