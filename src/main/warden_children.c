#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/config_wire.h"
#include "main/warden_lanes.h"
#include "main/warden_path.h"
#include "main/warden_probe.h"
#include "proc/spawner.h"

#define MESSAGES_PER_TURN 256 /* of one child; then others get their turn */

static struct child *child_of(struct warden *w, enum proc_kind kind)
{
	for (size_t i = 0; i < CHILD_COUNT; i++)
		if (w->child[i].kind == kind)
			return &w->child[i];
	return kind == PROC_PROBE ? &w->probe : NULL;
}

static void child_drop_channel(struct child *c)
{
	loop_fd_remove(c->watch);
	c->watch = NULL;
	proc_channel_done(&c->channel);
}

static void kill_child(struct warden *w, int pid)
{
	struct proc_kill m = {pid, SIGKILL};

	if (proc_send(&w->spawner, PROC_KILL, &m, sizeof(m), NULL, 0) != 0)
		log_line(SEV_CRITICAL, "the spawner does not answer");
}

void warden_child_condemn(struct child *c, int err)
{
	const char *name = proc_kind_name(c->kind);

	if (!proc_channel_open(&c->channel))
		return;
	child_drop_channel(c);
	if (c->kind == PROC_PROBE)
		c->warden->probe_condemned = err != -EPIPE;
	else if (err != -EPIPE)
		warden_tell(c->warden, "process", "process_condemned", SEV_CRITICAL,
			    "%s broke the protocol between the processes (%s) and is put down",
			    name, err_text(err));
	if (c->pid > 0)
		kill_child(c->warden, c->pid);
}

void warden_child_rewatch(struct child *c)
{
	if (c->watch)
		loop_fd_want(c->watch,
			     LOOP_READ | (proc_wants_write(&c->channel) ? LOOP_WRITE : 0u));
}

void warden_child_send(struct child *c, enum proc_type type, const void *payload, size_t bytes,
		       const int *fds, size_t fd_count)
{
	int err;

	if (!proc_channel_open(&c->channel))
		return;
	err = proc_send(&c->channel, type, payload, bytes, fds, fd_count);
	if (err)
		warden_child_condemn(c, err);
	else
		warden_child_rewatch(c);
}

static void on_channel(void *ctx, unsigned events)
{
	struct child *c = ctx;
	struct proc_msg *msg = &c->warden->msg;
	int got = (events & LOOP_WRITE) ? proc_flush(&c->channel) : 0;

	for (int i = 0; i < MESSAGES_PER_TURN && got >= 0; i++) {
		got = proc_receive(&c->channel, msg);
		if (got <= 0)
			break;
		warden_on_child_message(c, msg);
		if (!proc_channel_open(&c->channel))
			return;
	}
	if (got < 0)
		warden_child_condemn(c, got);
	else
		warden_child_rewatch(c);
}

/* ---- what a child is given ---- */

static void hand_table(struct child *c, enum flow_table_rights rights)
{
	struct flow_table_fds fds;
	int list[2], err = flow_table_share(c->warden->flows, rights, &fds);

	if (err) {
		warden_child_condemn(c, err);
		return;
	}
	list[0] = fds.flows;
	list[1] = fds.stats;
	warden_child_send(c, PROC_FLOW_TABLE, NULL, 0, list, 2);
	close(fds.flows);
	close(fds.stats);
	warden_path_hand(c);
}

static void hand_vault(struct child *c, enum vault_rights rights)
{
	struct vault_fds fds;
	int list[4], err = vault_share(&c->warden->vault, rights, &fds);

	if (err) {
		warden_child_condemn(c, err);
		return;
	}
	list[0] = fds.keys;
	list[1] = fds.peers;
	list[2] = fds.counters;
	list[3] = fds.kept;
	warden_child_send(c, PROC_VAULT, NULL, 0, list, rights == VAULT_WRITER ? 2 : 4);
	vault_fds_close(&fds);
}

/* A fresh pair whenever one of the two is new. */
static void hand_pair(struct child *a, struct child *b)
{
	struct proc_peer to_a = {(uint32_t)b->kind}, to_b = {(uint32_t)a->kind};
	int fds[2];

	if (!proc_channel_open(&a->channel) || !proc_channel_open(&b->channel))
		return;
	if (proc_pair(fds) != 0) {
		log_line(SEV_CRITICAL, "no channel between %s and %s could be made",
			 proc_kind_name(a->kind), proc_kind_name(b->kind));
		return;
	}
	warden_child_send(a, PROC_PEER, &to_a, sizeof(to_a), &fds[0], 1);
	warden_child_send(b, PROC_PEER, &to_b, sizeof(to_b), &fds[1], 1);
	close(fds[0]);
	close(fds[1]);
}

static void hand_peers(struct child *c)
{
	struct warden *w = c->warden;
	struct child *signal = &w->child[CHILD_SIGNAL];

	if (c->kind == PROC_SIGNAL || c->kind == PROC_CONSOLE)
		hand_pair(signal, &w->child[CHILD_CONSOLE]);
	if (c->kind == PROC_WATCH || c->kind == PROC_CONSOLE)
		hand_pair(&w->child[CHILD_WATCH], &w->child[CHILD_CONSOLE]);
	if (c->kind == PROC_SIGNAL || c->kind == PROC_TLS)
		hand_pair(signal, &w->child[CHILD_TLS]);
	if (c->kind == PROC_SIGNAL || c->kind == PROC_STIR)
		hand_pair(signal, &w->child[CHILD_STIR]);
}

/* The files that stood open when the configuration was read: nobody opens them again. */
static void hand_material(struct child *c, const struct tls_files *f)
{
	for (size_t i = 0; i < f->certificates; i++) {
		struct proc_tls_identity m = {.index = (uint32_t)i};
		int fds[3] = {f->certificate[i]};
		size_t n = 1;

		if (f->key[i] >= 0) {
			m.flags |= TLS_HAS_KEY;
			fds[n++] = f->key[i];
		}
		if (f->ocsp[i] >= 0) {
			m.flags |= TLS_HAS_OCSP;
			fds[n++] = f->ocsp[i];
		}
		warden_child_send(c, PROC_TLS_IDENTITY, &m, sizeof(m), fds, n);
	}
	if (f->ca >= 0)
		warden_child_send(c, PROC_TLS_CA, NULL, 0, &f->ca, 1);
}

static void hand_signers(struct child *c, const struct signer_files *f)
{
	for (size_t i = 0; i < f->count; i++) {
		struct proc_signer m = {.trunk = f->of[i].trunk};
		int fds[2] = {f->of[i].certificate, f->of[i].key};

		warden_child_send(c, PROC_SIGNER, &m, sizeof(m), fds, 2);
	}
}

static void hand_trust(struct child *c, const struct trust_files *f)
{
	const int fds[2] = {f->anchors, f->https_ca};

	warden_child_send(c, PROC_STIR_TRUST, NULL, 0, fds, 2);
}

/* The sockets of listeners over TLS are tls' alone, the others signal's; watch and stir have none.
 */
void warden_hand_config(struct child *c, bool reload)
{
	struct warden *w = c->warden;
	const struct config *config = w->now.config;
	bool secure = c->kind == PROC_TLS, stir = c->kind == PROC_STIR;
	bool none = stir || c->kind == PROC_WATCH;
	struct config_parcel parcel = {
		.file = w->config_path,
		.text = w->now.text,
		.config = config,
		.generation = w->now.generation,
		.secrets = c->kind == PROC_SIGNAL,
		.rules = c->kind == PROC_SIGNAL ? slice_of(w->now.patches.text, w->now.patches.n)
						: slice_of(NULL, 0),
		.old_index = reload ? w->now.listeners.old_index : NULL};
	int *fds = mem_zalloc(config->listener_count + 1, sizeof(*fds)), err = fds ? 0 : ERR_NOMEM;

	if (!proc_channel_open(&c->channel)) {
		mem_free(fds);
		return;
	}
	for (size_t i = 0; !err && i < config->listener_count; i++)
		fds[i] = !none && transport_secure(
					  (enum transport)config->listeners[i].transport) == secure
				 ? w->now.listeners.fds[i]
				 : -1;
	if (stir)
		hand_trust(c, &w->now.trust);
	if (secure) {
		hand_material(c, &w->now.tls.files);
		hand_signers(c, &w->now.signers);
	}
	parcel.listener_fds = fds;
	if (!err)
		err = config_wire_send(&c->channel, &parcel);
	mem_free(fds);
	if (err)
		warden_child_condemn(c, err);
	else
		warden_child_rewatch(c);
}

void warden_hand_probe(struct warden *w)
{
	struct config_parcel parcel = {.file = w->config_path,
				       .text = w->now.text,
				       .config = w->now.config,
				       .generation = w->now.generation};
	int err = config_wire_send(&w->probe.channel, &parcel);

	if (err)
		warden_child_condemn(&w->probe, err);
}

static void hand_all(struct child *c)
{
	struct warden *w = c->warden;
	struct proc_hello hello = {.kind = c->kind};
	struct proc_dtls_present dtls = {w->dtls_own};

	warden_child_send(c, PROC_HELLO, &hello, sizeof(hello), NULL, 0);
	if (c->kind == PROC_SIGNAL) {
		hand_vault(c, VAULT_WRITER);
		hand_table(c, FLOW_TABLE_READER);
		warden_child_send(c, PROC_JOURNAL, NULL, 0, &w->journal_fd, 1);
		if (w->dtls_own.hash != FINGERPRINT_NONE)
			warden_child_send(c, PROC_DTLS_PRESENT, &dtls, sizeof(dtls), NULL, 0);
		warden_hand_config(c, false);
		warden_bans_hand(c);
	} else if (c->kind == PROC_TLS || c->kind == PROC_STIR) {
		warden_hand_config(c, false);
	} else if (c->kind == PROC_ANNOUNCE) {
		warden_voice_vlan_hand(w);
	} else if (c->kind == PROC_WATCH) {
		warden_hand_config(c, false);
		warden_taps_hand(w);
	} else if (c->kind == PROC_MEDIA) {
		hand_vault(c, VAULT_PATH);
		hand_table(c, FLOW_TABLE_PATH);
		warden_lanes_hand(w);
	} else {
		warden_hand_console(w, false);
	}
	hand_peers(c);
}

/* ---- births and deaths ---- */

int warden_child_spawn(struct child *c)
{
	struct warden *w = c->warden;
	struct proc_spawn m = {(uint32_t)c->kind};
	int fds[2], err = proc_pair(fds);

	if (err)
		return err;
	proc_channel_init(&c->channel, fds[0], PROC_WARDEN, c->kind);
	err = loop_fd_add(w->loop, fds[0], LOOP_READ, on_channel, c, &c->watch);
	if (!err)
		err = proc_send(&w->spawner, PROC_SPAWN, &m, sizeof(m), &fds[1], 1);
	close(fds[1]);
	if (err) {
		child_drop_channel(c);
		return err;
	}
	c->up = c->stopped = false;
	c->generation = 0;
	supervise_on_start(&c->supervise, clock_ms());
	if (c->kind != PROC_PROBE)
		hand_all(c);
	return 0;
}

static void on_restart(void *ctx)
{
	struct child *c = ctx;
	int err = warden_child_spawn(c);

	if (err) {
		log_line(SEV_CRITICAL, "%s cannot be started: %s", proc_kind_name(c->kind),
			 err_text(err));
		loop_timer_start(c->restart, SUPERVISE_DELAY_MAX_MS);
	}
}

static const char *how_it_ended(int status, char buf[static 48])
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return "killed by its sandbox";
	if (WIFSIGNALED(status))
		snprintf(buf, 48, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(buf, 48, "exit code %d", WEXITSTATUS(status));
	return buf;
}

/* Nobody verifies callers unless a trunk asks for it. */
bool warden_child_wanted(const struct child *c)
{
	return c->kind != PROC_STIR || config_verifies_callers(c->warden->now.config);
}

void warden_stir_apply(struct warden *w)
{
	struct child *c = &w->child[CHILD_STIR];

	if (!warden_child_wanted(c)) {
		loop_timer_stop(c->restart);
		child_drop_channel(c); /* its end of the channel tells it to end */
	} else if (proc_channel_open(&c->channel)) {
		warden_hand_config(c, true);
	} else if (c->pid <= 0) {
		on_restart(c);
	}
}

static void on_exited(struct warden *w, const struct proc_exited *m)
{
	struct child *c = child_of(w, (enum proc_kind)m->kind);
	char how[48];
	bool was_up;

	if (!c || c->pid != m->pid)
		return;
	was_up = c->up;
	child_drop_channel(c);
	c->pid = 0;
	c->up = false;
	if (c->kind == PROC_PROBE) {
		warden_probe_on_exited(w, m->status, w->probe_condemned);
		return;
	}
	warden_on_stopped(c);
	if (w->stopping || !warden_child_wanted(c))
		return;
	warden_tell(w, "process", "process_ended", SEV_CRITICAL, "%s ended (%s)",
		    proc_kind_name(c->kind), how_it_ended(m->status, how));
	if (!w->ready && !was_up) {
		warden_fail(w, "a process of the gateway could not start");
		return;
	}
	if (c->kind == PROC_SIGNAL)
		warden_flows_orphan(w);
	loop_timer_start(c->restart, supervise_on_exit(&c->supervise, clock_ms()));
}

static void on_spawned(struct warden *w, const struct proc_spawned *m)
{
	struct child *c = child_of(w, (enum proc_kind)m->kind);

	if (!c)
		return;
	if (m->pid < 0) {
		log_line(SEV_CRITICAL, "%s cannot be started: %s", proc_kind_name(c->kind),
			 err_text(m->pid));
		child_drop_channel(c);
		if (c->restart)
			loop_timer_start(c->restart, supervise_on_exit(&c->supervise, clock_ms()));
		return;
	}
	c->pid = m->pid;
	c->uid = m->uid;
	if (!proc_channel_open(&c->channel)) /* condemned before it was born */
		kill_child(w, c->pid);
	if (m->spare_uid && c->kind != PROC_PROBE && c->supervise.restarts == 0)
		warden_notice(w, "no user hornwork-%s is there: %s runs as uid %u",
			      proc_kind_name(c->kind), proc_kind_name(c->kind), m->uid);
}

static void on_spawner(void *ctx, unsigned events)
{
	struct warden *w = ctx;
	int got = proc_flush(&w->spawner);

	while (got == 0 && (got = proc_receive(&w->spawner, &w->msg)) > 0) {
		struct proc_spawned spawned;
		struct proc_exited exited;

		if (w->msg.type == PROC_SPAWNED) {
			memcpy(&spawned, w->msg.payload, sizeof(spawned));
			on_spawned(w, &spawned);
		} else {
			memcpy(&exited, w->msg.payload, sizeof(exited));
			on_exited(w, &exited);
		}
		got = 0;
	}
	if (got >= 0)
		return;
	loop_fd_remove(w->spawner_watch);
	w->spawner_watch = NULL;
	warden_fail(w, "the spawner is gone");
}

int warden_children_start(struct warden *w)
{
	static const enum proc_kind kinds[CHILD_COUNT] = {PROC_SIGNAL, PROC_MEDIA, PROC_CONSOLE,
							  PROC_TLS,    PROC_WATCH, PROC_ANNOUNCE,
							  PROC_STIR};
	int err = loop_fd_add(w->loop, w->spawner.fd, LOOP_READ, on_spawner, w, &w->spawner_watch);

	w->probe.channel.fd = -1;
	for (size_t i = 0; i < CHILD_COUNT && !err; i++) {
		struct child *c = &w->child[i];

		c->warden = w;
		c->kind = kinds[i];
		c->channel.fd = -1;
		err = loop_timer_new(w->loop, on_restart, c, &c->restart);
	}
	for (size_t i = 0; i < CHILD_COUNT && !err; i++)
		if (warden_child_wanted(&w->child[i]))
			err = warden_child_spawn(&w->child[i]);
	return err;
}

void warden_children_done(struct warden *w)
{
	for (size_t i = 0; i < CHILD_COUNT; i++) {
		if (w->child[i].warden)
			child_drop_channel(&w->child[i]);
		loop_timer_free(w->child[i].restart);
	}
	loop_fd_remove(w->spawner_watch);
	proc_channel_done(&w->spawner);
}
