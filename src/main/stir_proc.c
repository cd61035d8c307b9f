/* The process that verifies who calls (RFC 8224 6.2): it reads Identity headers of strangers and
 * fetches their certificates. It holds no right and no key; it may look names up and connect to
 * HTTPS ports, which nobody else may. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/loop.h"
#include "main/child_link.h"
#include "main/child_main.h"
#include "main/command.h"
#include "main/config_wire.h"
#include "main/trust_files.h"
#include "proc/identity.h"
#include "proc/sandbox.h"
#include "proc/spawner.h"
#include "stir/fetch.h"
#include "stir/service.h"
#include "tls/pem.h"

struct stir_proc {
	struct loop *loop;
	struct child_link warden, signal;
	struct proc_msg msg;
	struct config_intake intake;
	struct config *config;
	struct trust_files files; /* of the configuration that comes next */
	int fetched_fd;
	struct loop_fd *fetched;
	struct stir_fetcher *fetcher;
	struct stir_service *service;
	struct stir_guard guard;
};

/* ---- the service ---- */

static int on_fetch(void *ctx, const char *url)
{
	struct stir_proc *p = ctx;

	return stir_fetcher_get(p->fetcher, url);
}

static void on_answer(void *ctx, const struct identity_answer *a)
{
	struct stir_proc *p = ctx;

	/* Without a signal, or with one that does not take it, the core's timer decides. */
	if (proc_channel_open(&p->signal.channel))
		(void)!proc_send(&p->signal.channel, PROC_VERIFIED, a, sizeof(*a), NULL, 0);
	child_link_rewatch(&p->signal);
}

static void on_fetched(void *ctx, unsigned events)
{
	struct stir_proc *p = ctx;
	struct stir_fetch *r;
	uint64_t count;

	(void)!read(p->fetched_fd, &count, sizeof(count));
	while ((r = stir_fetcher_next(p->fetcher))) {
		struct stir_fetched f = {.url = r->url,
					 .why = r->why[0] ? r->why : NULL,
					 .body = slice_of(r->body, r->body_bytes),
					 .keep_s = r->keep_s};

		stir_service_on_fetched(p->service, clock_wall_ms() / 1000, &f);
		stir_fetch_free(r);
	}
}

/* ---- signal ---- */

static int on_verify(void *ctx)
{
	static const struct number_plan as_they_come;
	struct stir_proc *p = ctx;
	const struct config *c = p->config;
	struct identity_ask ask;

	memcpy(&ask, p->msg.payload, sizeof(ask));
	ask.from[sizeof(ask.from) - 1] = ask.to[sizeof(ask.to) - 1] = '\0';
	ask.asserted_too[sizeof(ask.asserted_too) - 1] = '\0';
	ask.asserted[sizeof(ask.asserted) - 1] = ask.header[sizeof(ask.header) - 1] = '\0';
	stir_service_ask(
		p->service, clock_wall_ms() / 1000,
		c && ask.trunk < c->trunk_count ? &c->trunks[ask.trunk].plan : &as_they_come, &ask);
	return 0;
}

static void on_signal(void *ctx, unsigned events)
{
	struct stir_proc *p = ctx;

	if (child_link_turn(&p->signal, events, &p->msg, on_verify, p))
		child_link_done(&p->signal);
}

static int take_signal(struct stir_proc *p)
{
	child_link_done(&p->signal);
	proc_channel_init(&p->signal.channel, proc_msg_take_fd(&p->msg, 0), PROC_STIR, PROC_SIGNAL);
	return child_link_watch(&p->signal, p->loop, on_signal, p);
}

/* ---- the warden ---- */

static int on_trust(struct stir_proc *p)
{
	if (p->files.open)
		return ERR_PEER;
	p->files.anchors = proc_msg_take_fd(&p->msg, 0);
	p->files.https_ca = proc_msg_take_fd(&p->msg, 1);
	p->files.open = true;
	return 0;
}

static void forbid(struct stir_guard *g, const struct ip_addr *a)
{
	if (a->family != IP_NONE && g->forbidden_count < STIR_FORBIDDEN_MAX)
		g->forbidden[g->forbidden_count++] = *a;
}

static void guard_fill(struct stir_guard *g, const struct config *c)
{
	g->inside_count = g->forbidden_count = 0;
	for (size_t i = 0; i < c->identity.inside_count && i < STIR_INSIDE_MAX; i++)
		g->inside[g->inside_count++] = c->identity.inside[i];
	for (size_t i = 0; i < c->zone_count; i++) {
		forbid(g, &c->zones[i].address4);
		forbid(g, &c->zones[i].address6);
	}
	for (size_t i = 0; i < c->pbx_count; i++)
		forbid(g, &c->pbxs[i].peer.at.addr);
}

static const char *trust_apply(struct stir_proc *p, const struct config *c)
{
	struct stir_trust trust = {.hosts.count = 0};
	struct slice authorities = {0};
	const char *why;

	if (!p->files.open)
		return "no files came";
	why = trust_anchors_read(p->files.anchors, &trust.anchors);
	if (!why && tls_pem_read(p->files.https_ca, STIR_ANCHORS_MAX, false, &authorities) != 0)
		why = "the authorities of HTTPS servers cannot be read";
	if (!why && stir_fetcher_authorities(p->fetcher, authorities) != 0)
		why = "memory ran out";
	tls_pem_free(authorities);
	for (size_t i = 0; i < c->identity.host_count && i < STIR_HOSTS_MAX; i++)
		if (slice_to_z(c->identity.hosts[i], trust.hosts.host[trust.hosts.count],
			       STIR_HOST_MAX))
			trust.hosts.count++;
	if (!why) {
		guard_fill(&p->guard, c);
		stir_fetcher_guard(p->fetcher, &p->guard);
		stir_service_trust(p->service, &trust);
	}
	X509_STORE_free(trust.anchors);
	return why;
}

static int config_whole(struct stir_proc *p)
{
	uint64_t generation = p->intake.begin.generation;
	const char *why = trust_apply(p, p->intake.config);

	trust_files_close(&p->files);
	if (why) {
		log_line(SEV_CRITICAL, "stir: %s", why);
		return ERR_SYNTAX;
	}
	config_free(p->config);
	p->config = p->intake.config;
	p->intake.config = NULL;
	config_intake_done(&p->intake);
	return child_config_done(&p->warden.channel, generation, 0);
}

static int on_warden_message(void *ctx)
{
	struct stir_proc *p = ctx;
	int done;

	switch ((int)p->msg.type) {
	case PROC_HELLO:
		return 0;
	case PROC_PEER:
		return take_signal(p);
	case PROC_STIR_TRUST:
		return on_trust(p);
	case PROC_STOP:
		return proc_send(&p->warden.channel, PROC_STOPPED, NULL, 0, NULL, 0);
	default:
		done = config_intake_on_message(&p->intake, &p->msg);
		return done == 1 ? config_whole(p) : done;
	}
}

static void on_warden(void *ctx, unsigned events)
{
	struct stir_proc *p = ctx;
	int err = child_link_turn(&p->warden, events, &p->msg, on_warden_message, p);

	if (err)
		child_give_up(p->loop, "stir", err);
}

/* ---- life ---- */

static int set_up(struct stir_proc *p)
{
	struct stir_service_env env = {.ctx = p, .fetch = on_fetch, .answer = on_answer};
	struct proc_sandbox_state state;
	struct hash_key key;
	int err = getrandom(&key, sizeof(key), 0) == sizeof(key) ? 0 : ERR_DENIED;

	/* A name server that is away holds a thread no longer than a call waits. */
	if (setenv("RES_OPTIONS", "timeout:1 attempts:2", 1) != 0)
		err = ERR_NOMEM;
	err = err ? err : loop_new(&p->loop);
	p->fetched_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!err && p->fetched_fd < 0)
		err = -errno;
	err = err ? err : stir_fetcher_new(p->fetched_fd, &p->fetcher);
	err = err ? err : stir_service_new(&env, &key, &p->service);
	err = err ? err
		  : loop_fd_add(p->loop, p->fetched_fd, LOOP_READ, on_fetched, p, &p->fetched);
	err = err ? err : child_link_watch(&p->warden, p->loop, on_warden, p);
	err = err ? err : proc_harden();
	err = err ? err : proc_sandbox_enter(PROC_STIR, &state);
	return err ? err : stir_fetcher_start(p->fetcher);
}

static void tear_down(struct stir_proc *p)
{
	stir_fetcher_free(p->fetcher);
	stir_service_free(p->service);
	trust_files_close(&p->files);
	config_intake_done(&p->intake);
	config_free(p->config);
	loop_fd_remove(p->fetched);
	child_link_done(&p->signal);
	child_link_done(&p->warden);
	if (p->fetched_fd >= 0)
		close(p->fetched_fd);
	loop_free(p->loop);
	proc_msg_done(&p->msg);
}

int child_stir(int argc, char **argv)
{
	struct stir_proc *p = mem_zalloc(1, sizeof(*p));
	int err;

	if (!p)
		return EXIT_USAGE;
	proc_msg_init(&p->msg);
	p->signal.channel.fd = -1;
	p->fetched_fd = -1;
	if (proc_child_begin(PROC_STIR, &p->warden.channel) != 0) {
		fputs("hornwork: this is started by 'hornwork run' alone\n", stderr);
		mem_free(p);
		return EXIT_USAGE;
	}
	err = set_up(p);
	if (!err)
		loop_run(p->loop);
	else
		log_line(SEV_CRITICAL, "stir cannot start: %s", err_text(err));
	tear_down(p);
	mem_free(p);
	return err ? EXIT_USAGE : EXIT_GOOD;
}
