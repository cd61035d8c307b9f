#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What every child needs: memory, time, descriptors it has, its event loop, an orderly end. */
static const int allow_all[] = {
	SCMP_SYS(read),		 SCMP_SYS(write),
	SCMP_SYS(readv),	 SCMP_SYS(writev),
	SCMP_SYS(recvmsg),	 SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),	 SCMP_SYS(sendto),
	SCMP_SYS(close),	 SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),	 SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),	 SCMP_SYS(fcntl),
	SCMP_SYS(fstat),	 SCMP_SYS(lseek),
	SCMP_SYS(poll),		 SCMP_SYS(ppoll),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),	 SCMP_SYS(epoll_pwait),
	SCMP_SYS(eventfd2),	 SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),	 SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),	 SCMP_SYS(getrandom),
	SCMP_SYS(munmap),	 SCMP_SYS(mremap),
	SCMP_SYS(brk),		 SCMP_SYS(madvise),
	SCMP_SYS(futex),	 SCMP_SYS(sched_yield),
	SCMP_SYS(rt_sigaction),	 SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),	 SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),		 SCMP_SYS(exit_group),
	SCMP_SYS(getpid),	 SCMP_SYS(gettid),
	SCMP_SYS(sysinfo),	 SCMP_SYS(sched_getaffinity),
	SCMP_SYS(rseq),		 SCMP_SYS(set_robust_list),
	SCMP_SYS(sigaltstack),
};

static const int allow_signal[] = {
	SCMP_SYS(recvmmsg), SCMP_SYS(sendmmsg),	  SCMP_SYS(accept4),	  SCMP_SYS(connect),
	SCMP_SYS(bind),	    SCMP_SYS(setsockopt), SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),
};

/* connect: signal's dials are made here. */
static const int allow_tls[] = {
	SCMP_SYS(accept4),	SCMP_SYS(connect),   SCMP_SYS(bind),	SCMP_SYS(setsockopt),
	SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(pread64), SCMP_SYS(setpriority),
};

static const int allow_media[] = {
	SCMP_SYS(recvmmsg),	SCMP_SYS(sendmmsg),   SCMP_SYS(bind),
	SCMP_SYS(connect),	SCMP_SYS(setsockopt), SCMP_SYS(sched_setaffinity),
	SCMP_SYS(epoll_pwait2),
};

static const int allow_console[] = {
	SCMP_SYS(accept4),	SCMP_SYS(accept),    SCMP_SYS(setsockopt),
	SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),
};

static const int allow_watch[] = {SCMP_SYS(memfd_create), SCMP_SYS(ftruncate)};

/* Asked for by libraries in passing, or by an attacker: refused without killing. */
static const int deny_all[] = {
	SCMP_SYS(open),	      SCMP_SYS(openat2), SCMP_SYS(creat),     SCMP_SYS(stat),
	SCMP_SYS(lstat),      SCMP_SYS(access),	 SCMP_SYS(faccessat), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(statx),	 SCMP_SYS(execve),    SCMP_SYS(execveat),
	SCMP_SYS(kill),	      SCMP_SYS(tgkill),	 SCMP_SYS(tkill),     SCMP_SYS(io_uring_setup),
};

/* For processes that hold rights: what none of their work needs. */
static const int deny_rights[] = {
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(acct),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(open_by_handle_at),
};

/* Looking up names and connecting to servers. */
static const int allow_stir[] = {
	SCMP_SYS(connect),	SCMP_SYS(setsockopt), SCMP_SYS(bind),	 SCMP_SYS(sendmmsg),
	SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),  SCMP_SYS(pread64), SCMP_SYS(uname),
};

static int add(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int err = seccomp_rule_add(ctx, action, calls[i], 0);

		if (err)
			return err;
	}
	return 0;
}

/* Opening, and asking after names: for stir to read alone, which Landlock narrows; for the others
 * fstat of what is open. */
static int add_files(scmp_filter_ctx ctx, enum proc_kind kind)
{
	struct scmp_arg_cmp empty = SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH);
	struct scmp_arg_cmp named = SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0);
	struct scmp_arg_cmp to_read =
		SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY);
	uint32_t refuse = SCMP_ACT_ERRNO(EACCES);
	int err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, empty);

	err = err ? err
		  : seccomp_rule_add(ctx, kind == PROC_STIR ? SCMP_ACT_ALLOW : refuse,
				     SCMP_SYS(newfstatat), 1, named);
	if (err)
		return err;
	return kind == PROC_STIR
		       ? seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, to_read)
		       : seccomp_rule_add(ctx, refuse, SCMP_SYS(openat), 0);
}

/* Asking descriptors what waits in them, and no more: by TIOCSTI whoever shares an administrator's
 * terminal could type commands there. What libraries ask of interfaces lies above and is refused.
 */
static int add_ioctls(scmp_filter_ctx ctx)
{
	static const unsigned asks[] = {TCGETS, TIOCOUTQ, FIONREAD, FIONBIO};
	struct scmp_arg_cmp above = SCMP_A1(SCMP_CMP_GT, FIONBIO);
	int err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, above);

	for (size_t i = 0; i < COUNT(asks) && !err; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_EQ, asks[i]));
	return err;
}

/* Memory never becomes executable; a thread may name itself. */
static int add_guarded(scmp_filter_ctx ctx)
{
	struct {
		uint32_t action;
		int call;
		struct scmp_arg_cmp arg;
	} rule[] = {
		{SCMP_ACT_ALLOW, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
		{SCMP_ACT_ALLOW, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)},
		{SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_NE, PR_SET_NAME)},
		/* families below and above IPv4 and IPv6: Unix, netlink, packet, ... */
		{SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), SCMP_A0(SCMP_CMP_LT, AF_INET)},
		{SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), SCMP_A0(SCMP_CMP_GT, AF_INET6)},
	};

	for (size_t i = 0; i < COUNT(rule); i++) {
		int err =
			seccomp_rule_add_array(ctx, rule[i].action, rule[i].call, 1, &rule[i].arg);

		if (err)
			return err;
	}
	return 0;
}

/* Memory that others share is written by media alone, read by signal too, and no business of the
 * others: watch would send frames by the rings of its packet sockets. What signal is given to read
 * of the kernel's maps comes by descriptors that could do more, because the kernel maps no others.
 */
static int add_mmap(scmp_filter_ctx ctx, enum proc_kind kind)
{
	int err;

	if (kind == PROC_MEDIA)
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (kind != PROC_SIGNAL && kind != PROC_PROBE)
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
					SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
	err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
			       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, 0));
	return err ? err
		   : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				      SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
}

/* Internet sockets of one type or two (0 = none); raw ones and the others are refused. */
static int add_sockets(scmp_filter_ctx ctx, unsigned allowed, unsigned too)
{
	static const unsigned families[] = {AF_INET, AF_INET6};
	static const unsigned types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW};

	for (size_t f = 0; f < COUNT(families); f++) {
		for (size_t t = 0; t < COUNT(types); t++) {
			struct scmp_arg_cmp args[2] = {SCMP_A0(SCMP_CMP_EQ, families[f]),
						       SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, types[t])};
			uint32_t action = types[t] == allowed || types[t] == too
						  ? SCMP_ACT_ALLOW
						  : SCMP_ACT_ERRNO(EPERM);
			int err = seccomp_rule_add_array(ctx, action, SCMP_SYS(socket), 2, args);

			if (err)
				return err;
		}
	}
	return 0;
}

static int add_threads(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

/* The two ends of a connection between signal and tls. */
static int add_pairs(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 2,
				SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM));
}

/* What each kind may besides. The probe is held like signal. */
static const struct kind_rules {
	const int *calls;
	size_t count;
	bool threads, pairs;
	unsigned sockets[2]; /* types; 0 = none */
} kind_rules[PROC_KIND_COUNT] = {
	[PROC_SIGNAL] = {allow_signal, COUNT(allow_signal), false, true, {SOCK_STREAM}},
	[PROC_MEDIA] = {allow_media, COUNT(allow_media), true, false, {SOCK_DGRAM}},
	[PROC_CONSOLE] = {allow_console, COUNT(allow_console), false, false, {0}},
	[PROC_TLS] = {allow_tls, COUNT(allow_tls), true, true, {SOCK_STREAM}},
	[PROC_WATCH] = {allow_watch, COUNT(allow_watch), false, false, {0}},
	[PROC_ANNOUNCE] = {NULL, 0, false, false, {0}},
	/* curl wakes itself up by a pair */
	[PROC_STIR] = {allow_stir, COUNT(allow_stir), true, true, {SOCK_STREAM, SOCK_DGRAM}},
};

static int add_kind(scmp_filter_ctx ctx, enum proc_kind kind)
{
	const struct kind_rules *k = &kind_rules[kind == PROC_PROBE ? PROC_SIGNAL : kind];
	int err = add(ctx, SCMP_ACT_ALLOW, k->calls, k->count);

	if (!err && k->threads)
		err = add_threads(ctx);
	if (!err && k->pairs)
		err = add_pairs(ctx);
	return err ? err : add_sockets(ctx, k->sockets[0], k->sockets[1]);
}

bool proc_sandbox_only_logs(void)
{
	const char *mode = getenv("HORNWORK_SECCOMP");

	return mode && strcmp(mode, "log") == 0;
}

static int filter_child(enum proc_kind kind)
{
	scmp_filter_ctx ctx =
		seccomp_init(proc_sandbox_only_logs() ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
	uint32_t refuse = SCMP_ACT_ERRNO(EACCES);
	int err;

	if (!ctx)
		return ERR_NOMEM;
	err = add(ctx, SCMP_ACT_ALLOW, allow_all, COUNT(allow_all));
	err = err ? err : add_guarded(ctx);
	err = err ? err : add_files(ctx, kind);
	err = err ? err : add_ioctls(ctx);
	err = err ? err : add_mmap(ctx, kind);
	err = err ? err : add(ctx, refuse, deny_all, COUNT(deny_all));
	/* Its flags lie in memory, where no filter can see them: the C library then takes clone. */
	err = err ? err : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	err = err ? err : add_kind(ctx, kind);
	err = err ? err : seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

/* Namespaces by clone, and families of sockets that no check needs. */
static int add_assess(scmp_filter_ctx ctx)
{
	static const uint64_t spaces[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWNET,   CLONE_NEWPID,
					  CLONE_NEWIPC,	 CLONE_NEWUTS, CLONE_NEWCGROUP};
	uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
	int err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	for (size_t i = 0; i < COUNT(spaces) && !err; i++)
		err = seccomp_rule_add(ctx, refuse, SCMP_SYS(clone), 1,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, spaces[i], spaces[i]));
	for (unsigned family = AF_INET + 1; family < AF_MAX && !err; family++)
		if (family != AF_INET6 && family != AF_NETLINK)
			err = seccomp_rule_add(ctx, refuse, SCMP_SYS(socket), 1,
					       SCMP_A0(SCMP_CMP_EQ, family));
	return err;
}

static int filter_rights(const int *more, size_t count, int (*also)(scmp_filter_ctx ctx))
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int err;

	if (!ctx)
		return ERR_NOMEM;
	err = add(ctx, SCMP_ACT_ERRNO(EPERM), deny_rights, COUNT(deny_rights));
	/* Nobody types into the terminal that he was started from; the kernel looks at 32 bits. */
	err = err ? err
		  : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCSTI));
	err = err ? err : add(ctx, SCMP_ACT_ERRNO(EPERM), more, count);
	err = err || !also ? err : also(ctx);
	err = err ? err : seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

int proc_sandbox_enter(enum proc_kind kind, struct proc_sandbox_state *out)
{
	int abi = kind == PROC_STIR ? proc_landlock_fetches() : proc_landlock_no_files();
	int err = abi < 0 ? abi : filter_child(kind);

	if (err)
		return err;
	*out = (struct proc_sandbox_state){.seccomp = true, .landlock_abi = abi};
	return 0;
}

int proc_sandbox_spawner(void)
{
	static const int more[] = {SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(setns),
				   SCMP_SYS(unshare)};
	int abi = proc_landlock_no_writes();

	return abi < 0 ? abi : filter_rights(more, COUNT(more), NULL);
}

int proc_sandbox_warden(void)
{
	static const int more[] = {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(setns),
				   SCMP_SYS(unshare)};

	return filter_rights(more, COUNT(more), NULL);
}

int proc_sandbox_assess(void)
{
	static const int more[] = {SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(setns),
				   SCMP_SYS(unshare)};

	return filter_rights(more, COUNT(more), add_assess);
}
