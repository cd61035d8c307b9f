/* The probe: enters signal's sandbox and tries what a taken-over signal would try. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "main/child_main.h"
#include "main/command.h"
#include "main/warden_probe.h"
#include "proc/identity.h"
#include "proc/sandbox.h"
#include "proc/spawner.h"

#define WAIT_MS 5000

static int result_of(int returned)
{
	return returned < 0 ? -errno : 0;
}

static int try_call(enum probe_attempt attempt)
{
	char name[] = "/bin/true", *argv[] = {name, NULL};
	pid_t pid;

	switch ((int)attempt) {
	case PROBE_RAW_SOCKET:
		return result_of(socket(AF_INET, SOCK_RAW, 1));
	case PROBE_PACKET_SOCKET:
		return result_of(socket(AF_PACKET, SOCK_RAW, 0));
	case PROBE_NETLINK_SOCKET:
		return result_of(socket(AF_NETLINK, SOCK_RAW, 0));
	case PROBE_FILE_READ:
		return result_of(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
	case PROBE_FILE_WRITE:
		return result_of(open("/tmp/hornwork-probe", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	case PROBE_EXEC:
		return result_of(execv(name, argv));
	case PROBE_FORK:
		pid = fork();
		if (pid == 0)
			_exit(0);
		return result_of(pid);
	case PROBE_PTRACE:
		return result_of((int)ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	case PROBE_ROOT:
		return result_of(setuid(0));
	case PROBE_EXECUTABLE_MEMORY:
		return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
			       ? -errno
			       : 0;
	default:
		return ERR_ABSENT;
	}
}

/* A flow like an honest one, but for its port, or for its address, which is not ours. */
static int send_pinhole(struct proc_channel *warden, const struct config *config, bool outside)
{
	struct ip_addr here = config->zones[0].address4;
	struct proc_flow_op op = {.op = FLOW_OP_OPEN, .reason = REASON_offer_answered};

	if (here.family == IP_NONE)
		here = config->zones[0].address6;
	op.spec.call = 1;
	op.spec.local = op.spec.out = (struct ip_endpoint){here, config->media.port_first};
	op.spec.out.port = (uint16_t)(config->media.port_first + 2);
	op.spec.source = op.spec.to = (struct ip_endpoint){here, 40000};
	op.spec.source.addr.bytes[3] ^= 1;
	if (outside)
		op.spec.local.port = (uint16_t)(config->media.port_last + 1);
	else
		op.spec.local.addr.bytes[0] ^= 0x55;
	return proc_send(warden, PROC_FLOW_OPS, &op, sizeof(op), NULL, 0);
}

static int send_broken(struct proc_channel *warden, enum probe_attempt attempt)
{
	struct {
		struct proc_head head;
		char payload[8];
	} m = {{PROC_VERSION, PROC_CONFIG_DONE, sizeof(m.payload)}, {0}};

	if (attempt == PROBE_UNKNOWN_MESSAGE)
		m.head.type = 999;
	if (attempt == PROBE_WRONG_VERSION)
		m.head.version = PROC_VERSION + 1;
	return result_of((int)send(warden->fd, &m, sizeof(m), MSG_NOSIGNAL));
}

/* The warden's answer is what counts: it judges, and puts us down where that is due. */
static void wait_for_judgement(struct proc_channel *warden, struct proc_msg *msg)
{
	int got = proc_receive_wait(warden, msg, WAIT_MS);

	if (got < 0)
		_exit(EXIT_FOUND);
	proc_msg_done(msg);
}

static int attempt(struct proc_channel *warden, struct proc_msg *msg, const struct config *config,
		   enum probe_attempt which)
{
	struct proc_verdict v = {.attempt = which};

	if (which == PROBE_PINHOLE_OUTSIDE_RANGE || which == PROBE_PINHOLE_UNJUSTIFIED) {
		if (send_pinhole(warden, config, which == PROBE_PINHOLE_OUTSIDE_RANGE) == 0)
			wait_for_judgement(warden, msg);
		return EXIT_GOOD;
	}
	if (which >= PROBE_UNKNOWN_MESSAGE) {
		if (send_broken(warden, which) == 0)
			wait_for_judgement(warden, msg);
		return EXIT_GOOD;
	}
	v.err = try_call(which);
	return proc_send(warden, PROC_VERDICT, &v, sizeof(v), NULL, 0) == 0 ? EXIT_GOOD
									    : EXIT_USAGE;
}

int child_probe(int argc, char **argv)
{
	struct proc_msg *msg = mem_zalloc(1, sizeof(*msg));
	struct proc_sandbox_state state;
	struct proc_channel warden;
	struct proc_hello hello;
	struct config *config = NULL;
	int code = EXIT_USAGE;

	if (!msg || proc_child_begin(PROC_PROBE, &warden) != 0)
		return EXIT_USAGE;
	proc_msg_init(msg);
	if (proc_receive_wait(&warden, msg, WAIT_MS) == 1 && msg->type == PROC_HELLO) {
		memcpy(&hello, msg->payload, sizeof(hello));
		config = child_config_wait(&warden, msg, WAIT_MS);
		if (config && proc_harden() == 0 && proc_sandbox_enter(PROC_PROBE, &state) == 0)
			code = attempt(&warden, msg, config, (enum probe_attempt)hello.argument);
	}
	config_free(config);
	proc_channel_done(&warden);
	mem_free(msg);
	return code;
}
