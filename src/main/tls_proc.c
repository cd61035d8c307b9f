/* The process that holds the private keys: TLS and WebSockets end here, and SIP begins in signal.
 * It holds no right and opens no file; certificates and keys come as open descriptors. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/child_link.h"
#include "main/child_main.h"
#include "main/command.h"
#include "main/config_wire.h"
#include "main/signers.h"
#include "proc/identity.h"
#include "proc/sandbox.h"
#include "proc/spawner.h"
#include "tls/limits.h"
#include "tls/server.h"
#include "tls/tickets.h"

#define TELL_MS	    500 /* how often signal hears what we count */
#define DESCRIPTORS 65536

struct tls_proc {
	struct loop *loop;
	struct child_link warden, signal;
	struct proc_msg msg;
	struct config_intake intake;
	struct config *config;
	struct tls_files files;		  /* of the configuration that comes next */
	struct signer_files signer_files; /* likewise */
	struct signers signers;
	struct tls_tickets *tickets;
	struct tls_server *server;
	struct loop_timer *tell;
	struct tls_counts told;
};

/* ---- files that come ---- */

static void files_init(struct tls_files *f)
{
	f->certificates = 0;
	f->ca = -1;
	for (size_t i = 0; i < CONFIG_CERTIFICATES_MAX; i++)
		f->certificate[i] = f->key[i] = f->ocsp[i] = -1;
}

static void files_done(struct tls_files *f)
{
	for (size_t i = 0; i < CONFIG_CERTIFICATES_MAX; i++) {
		int *fds[] = {&f->certificate[i], &f->key[i], &f->ocsp[i]};

		for (size_t k = 0; k < 3; k++)
			if (*fds[k] >= 0)
				close(*fds[k]);
	}
	if (f->ca >= 0)
		close(f->ca);
	files_init(f);
}

static int on_identity(struct tls_proc *t)
{
	struct proc_tls_identity m;
	size_t n = 1;

	memcpy(&m, t->msg.payload, sizeof(m));
	if (m.index != t->files.certificates || m.index >= CONFIG_CERTIFICATES_MAX)
		return ERR_PEER;
	t->files.certificates++;
	t->files.certificate[m.index] = proc_msg_take_fd(&t->msg, 0);
	if (m.flags & TLS_HAS_KEY)
		t->files.key[m.index] = proc_msg_take_fd(&t->msg, n++);
	if (m.flags & TLS_HAS_OCSP)
		t->files.ocsp[m.index] = proc_msg_take_fd(&t->msg, n);
	return 0;
}

static int on_signer(struct tls_proc *t)
{
	struct signer_files *f = &t->signer_files;
	struct proc_signer m;

	memcpy(&m, t->msg.payload, sizeof(m));
	if (f->count == CONFIG_SIGNERS_MAX)
		return ERR_PEER;
	f->of[f->count].trunk = m.trunk;
	f->of[f->count].certificate = proc_msg_take_fd(&t->msg, 0);
	f->of[f->count].key = proc_msg_take_fd(&t->msg, 1);
	f->count++;
	return 0;
}

static int on_ca(struct tls_proc *t)
{
	if (t->files.ca >= 0)
		return ERR_PEER;
	t->files.ca = proc_msg_take_fd(&t->msg, 0);
	return 0;
}

/* ---- what the server says ---- */

static bool on_opened(void *ctx, const struct tls_opened *o, int fd)
{
	struct tls_proc *t = ctx;
	int err = proc_send(&t->signal.channel, PROC_TLS_OPENED, o, sizeof(*o), &fd, fd >= 0);

	child_link_rewatch(&t->signal);
	return err == 0;
}

static void on_refused(void *ctx, const struct tls_refused *r)
{
	struct tls_proc *t = ctx;

	/* Without a signal nobody listens to it. */
	if (proc_send(&t->signal.channel, PROC_TLS_REFUSED, r, sizeof(*r), NULL, 0) == 0)
		child_link_rewatch(&t->signal);
}

static void on_tell_timer(void *ctx)
{
	struct tls_proc *t = ctx;
	struct tls_counts now;

	loop_timer_start(t->tell, TELL_MS);
	tls_server_counts(t->server, &now);
	if (!t->signal.watch || memcmp(&now, &t->told, sizeof(now)) == 0)
		return;
	if (proc_send(&t->signal.channel, PROC_TLS_COUNTS, &now, sizeof(now), NULL, 0) == 0)
		t->told = now;
	child_link_rewatch(&t->signal);
}

/* ---- signal ---- */

static void signal_gone(struct tls_proc *t)
{
	child_link_done(&t->signal);
	tls_server_drop(t->server);
}

static void on_dial(struct tls_proc *t)
{
	struct tls_dial d;

	memcpy(&d, t->msg.payload, sizeof(d));
	d.host[sizeof(d.host) - 1] = '\0';
	tls_server_dial(t->server, &d, proc_msg_take_fd(&t->msg, 0));
}

static void on_sign(struct tls_proc *t)
{
	struct identity_answer a;
	struct identity_ask ask;

	memcpy(&ask, t->msg.payload, sizeof(ask));
	ask.from[sizeof(ask.from) - 1] = ask.to[sizeof(ask.to) - 1] = '\0';
	ask.asserted[sizeof(ask.asserted) - 1] = '\0';
	ask.asserted_too[sizeof(ask.asserted_too) - 1] = '\0';
	signers_sign(&t->signers, clock_wall_ms() / 1000, &ask, &a);
	/* A signal that does not take it sends the call out unsigned. */
	(void)!proc_send(&t->signal.channel, PROC_SIGNED, &a, sizeof(a), NULL, 0);
}

static int on_signal_message(void *ctx)
{
	struct tls_proc *t = ctx;

	if (t->msg.type == PROC_SIGN)
		on_sign(t);
	else
		on_dial(t);
	return 0;
}

static void on_signal(void *ctx, unsigned events)
{
	struct tls_proc *t = ctx;

	if (child_link_turn(&t->signal, events, &t->msg, on_signal_message, t))
		signal_gone(t);
}

static int take_signal(struct tls_proc *t)
{
	if (t->signal.watch)
		signal_gone(t);
	t->told = (struct tls_counts){0};
	proc_channel_init(&t->signal.channel, proc_msg_take_fd(&t->msg, 0), PROC_TLS, PROC_SIGNAL);
	return child_link_watch(&t->signal, t->loop, on_signal, t);
}

/* ---- the warden ---- */

static int config_whole(struct tls_proc *t)
{
	struct tls_keyring_setup setup = {
		.files = &t->files,
		.min_version = (enum tls_version)t->intake.config->tls.min_version,
		.tickets = t->tickets,
		.wall_s = clock_wall_ms() / 1000};
	uint64_t generation = t->intake.begin.generation;
	struct config *old = t->config;
	struct tls_complaint why = {0};
	struct tls_keyring *ring;
	int err = tls_keyring_new(&setup, &ring, &why);

	files_done(&t->files);
	if (!err)
		err = signers_apply(&t->signers, t->intake.config, &t->signer_files);
	signer_files_close(&t->signer_files);
	if (err) {
		log_line(SEV_CRITICAL, "tls: %s", *why.text ? why.text : err_text(err));
		return err;
	}
	tls_tickets_forget(t->tickets); /* who was believed then may not be now */
	t->config = t->intake.config;
	t->intake.config = NULL;
	err = tls_server_apply(t->server, t->config, ring, t->intake.old_index, t->intake.fds);
	config_free(old);
	config_intake_done(&t->intake);
	return err ? err : child_config_done(&t->warden.channel, generation, 0);
}

static int on_stop(struct tls_proc *t)
{
	tls_server_drop(t->server);
	return proc_send(&t->warden.channel, PROC_STOPPED, NULL, 0, NULL, 0);
}

static int on_warden_message(void *ctx)
{
	struct tls_proc *t = ctx;
	int done;

	switch ((int)t->msg.type) {
	case PROC_HELLO:
		return 0;
	case PROC_PEER:
		return take_signal(t);
	case PROC_TLS_IDENTITY:
		return on_identity(t);
	case PROC_TLS_CA:
		return on_ca(t);
	case PROC_SIGNER:
		return on_signer(t);
	case PROC_STOP:
		return on_stop(t);
	default:
		done = config_intake_on_message(&t->intake, &t->msg);
		return done == 1 ? config_whole(t) : done;
	}
}

static void on_warden(void *ctx, unsigned events)
{
	struct tls_proc *t = ctx;
	int err = child_link_turn(&t->warden, events, &t->msg, on_warden_message, t);

	if (err)
		child_give_up(t->loop, "tls", err);
}

/* ---- life ---- */

static unsigned thread_count(void)
{
	cpu_set_t cores;
	int count = sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;

	return count < 1 ? 1 : count > TLS_THREADS_MAX ? TLS_THREADS_MAX : (unsigned)count;
}

/* Keys lie in memory that is locked, between guard pages, and never dumped. */
static int prepare(void)
{
	bool locked = false;
	int err = tls_prepare(&locked);

	if (!err && !locked)
		log_line(SEV_WARNING,
			 "tls: private keys cannot be locked in memory (RLIMIT_MEMLOCK); they may "
			 "reach the swap space");
	return err;
}

static int set_up(struct tls_proc *t)
{
	struct tls_server_setup setup = {.threads = thread_count(),
					 .now_ms = clock_ms,
					 .ctx = t,
					 .opened = on_opened,
					 .refused = on_refused};
	struct proc_sandbox_state state;
	int err = getrandom(&setup.key, sizeof(setup.key), 0) == sizeof(setup.key) ? 0 : ERR_DENIED;

	(void)proc_descriptors_raise(DESCRIPTORS);
	err = err ? err : prepare();
	err = err ? err : loop_new(&t->loop);
	setup.loop = t->loop;
	err = err ? err : tls_tickets_new(clock_ms, &t->tickets);
	err = err ? err : tls_server_new(&setup, &t->server);
	err = err ? err
		  : loop_fd_add(t->loop, t->warden.channel.fd, LOOP_READ, on_warden, t,
				&t->warden.watch);
	err = err ? err : loop_timer_new(t->loop, on_tell_timer, t, &t->tell);
	err = err ? err : proc_harden();
	err = err ? err : proc_sandbox_enter(PROC_TLS, &state);
	if (!err)
		loop_timer_start(t->tell, TELL_MS);
	return err ? err : tls_server_start(t->server);
}

static void tear_down(struct tls_proc *t)
{
	tls_server_free(t->server);
	tls_tickets_free(t->tickets);
	files_done(&t->files);
	signer_files_close(&t->signer_files);
	signers_done(&t->signers);
	config_intake_done(&t->intake);
	config_free(t->config);
	loop_timer_free(t->tell);
	loop_fd_remove(t->signal.watch);
	loop_fd_remove(t->warden.watch);
	proc_channel_done(&t->signal.channel);
	proc_channel_done(&t->warden.channel);
	loop_free(t->loop);
	proc_msg_done(&t->msg);
}

int child_tls(int argc, char **argv)
{
	struct tls_proc *t = mem_zalloc(1, sizeof(*t));
	int err;

	if (!t)
		return EXIT_USAGE;
	proc_msg_init(&t->msg);
	t->signal.channel.fd = -1;
	files_init(&t->files);
	if (proc_child_begin(PROC_TLS, &t->warden.channel) != 0) {
		fputs("hornwork: this is started by 'hornwork run' alone\n", stderr);
		mem_free(t);
		return EXIT_USAGE;
	}
	err = set_up(t);
	if (!err)
		loop_run(t->loop);
	else
		log_line(SEV_CRITICAL, "tls cannot start: %s", err_text(err));
	tear_down(t);
	mem_free(t);
	return err ? EXIT_USAGE : EXIT_GOOD;
}
