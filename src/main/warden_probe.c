#include "main/warden_probe.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/json.h"
#include "io/log.h"

static const char *const names[PROBE_ATTEMPT_COUNT] = {
	[PROBE_RAW_SOCKET] = "raw_socket",
	[PROBE_PACKET_SOCKET] = "packet_socket",
	[PROBE_NETLINK_SOCKET] = "netlink_socket",
	[PROBE_FILE_READ] = "file_read",
	[PROBE_FILE_WRITE] = "file_write",
	[PROBE_EXEC] = "exec",
	[PROBE_FORK] = "fork",
	[PROBE_PTRACE] = "ptrace",
	[PROBE_ROOT] = "become_root",
	[PROBE_EXECUTABLE_MEMORY] = "executable_memory",
	[PROBE_PINHOLE_OUTSIDE_RANGE] = "pinhole_outside_range",
	[PROBE_PINHOLE_UNJUSTIFIED] = "pinhole_unjustified",
	[PROBE_UNKNOWN_MESSAGE] = "unknown_message",
	[PROBE_SHORT_MESSAGE] = "short_message",
	[PROBE_WRONG_VERSION] = "wrong_version",
};

static void start_next(struct warden *w)
{
	struct child *c = &w->probe;
	struct proc_hello hello = {.kind = PROC_PROBE, .argument = w->probe_attempt};
	int err;

	if (w->probe_attempt == PROBE_ATTEMPT_COUNT) {
		printf("]\n");
		fflush(stdout);
		warden_stop(w);
		return;
	}
	w->probe_judged = w->probe_condemned = false;
	err = warden_child_spawn(c);
	if (err) {
		warden_fail(w, "the probe could not be started");
		return;
	}
	warden_child_send(c, PROC_HELLO, &hello, sizeof(hello), NULL, 0);
	warden_hand_probe(w);
}

void warden_self_test(struct warden *w)
{
	w->probe.warden = w;
	w->probe.kind = PROC_PROBE;
	w->probe_attempt = 0;
	printf("[");
	start_next(w);
}

static void judge(struct warden *w, const char *verdict, const char *how, bool good)
{
	char line[256];
	struct out o = out_to(line, sizeof(line) - 1);
	struct json j = json_to(&o);

	if (w->probe_judged)
		return;
	w->probe_judged = true;
	if (!good)
		w->failed = true;
	json_open(&j, '{');
	json_member_z(&j, "attempt", names[w->probe_attempt]);
	json_member_z(&j, "verdict", verdict);
	json_member_z(&j, "how", how);
	json_member_bool(&j, "good", good);
	json_close(&j, '}');
	line[o.n] = '\0';
	printf("%s%s", w->probe_attempt ? ",\n " : "", line);
}

void warden_on_verdict(struct child *c, const struct proc_msg *msg)
{
	struct proc_verdict m;

	memcpy(&m, msg->payload, sizeof(m));
	if (m.err == 0)
		judge(c->warden, "allowed", "it succeeded", false);
	else
		judge(c->warden, "refused", err_text(m.err), true);
}

void warden_probe_on_refused(struct warden *w, enum reason why)
{
	judge(w, "refused", reason_row(why)->name, true);
}

void warden_probe_on_exited(struct warden *w, int status, bool condemned)
{
	bool by_sandbox = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

	if (by_sandbox)
		judge(w, "killed", "seccomp", true);
	else if (condemned)
		judge(w, "killed", "the warden put it down", true);
	else
		judge(w, "unknown", "it ended without a word", false);
	w->probe_attempt++;
	start_next(w);
}
