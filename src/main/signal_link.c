/* What the warden and the console say to signal. */
#include <errno.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "main/answer.h"
#include "main/child_main.h"
#include "main/signal_proc.h"
#include "proc/identity.h"
#include "proc/sandbox.h"

/* ---- the console ---- */

static unsigned fill(struct signal *s, struct answer *a, const struct proc_query_msg *q)
{
	struct slice what = slice_z(q->argument);

	switch (q->what) {
	case QUERY_STATUS:
		signal_view_status(s, a);
		return 200;
	case QUERY_METRICS:
		signal_view_metrics(s, a);
		return 200;
	case QUERY_CALLS:
	case QUERY_CALLS_ALL:
		signal_view_calls(s, a, q->what == QUERY_CALLS_ALL);
		return 200;
	case QUERY_REGISTRATIONS:
		signal_view_registrations(s, a);
		return 200;
	case QUERY_PATCHES:
		signal_view_patches(s, a);
		return 200;
	case QUERY_TRACE:
		return signal_view_trace(s, a, what);
	case QUERY_BANS:
		signal_view_bans(s, a);
		return 200;
	case QUERY_BAN_ADD:
		return signal_ban_add(s, a, what);
	case QUERY_BAN_LIFT:
		return signal_ban_lift(s, a, what);
	case QUERY_EXPLAIN:
		return signal_view_explain(s, a, what);
	default:
		return 404;
	}
}

static int on_console_message(void *ctx)
{
	struct signal *s = ctx;
	struct proc_query_msg q;
	struct answer a;
	unsigned status;
	int err;

	if (s->msg.type != PROC_QUERY)
		return ERR_PEER;
	memcpy(&q, s->msg.payload, sizeof(q));
	q.argument[sizeof(q.argument) - 1] = '\0';
	if (!s->core)
		return 0;
	err = answer_begin(&a);
	if (err)
		return err;
	signal_events_flush(s); /* whoever asks finds in the events what the answer speaks of */
	status = fill(s, &a, &q);
	return answer_end(&a, &s->console.channel, q.id, status);
}

static void on_console(void *ctx, unsigned events)
{
	struct signal *s = ctx;

	if (child_link_turn(&s->console, events, &s->msg, on_console_message, s))
		child_link_done(&s->console); /* it comes back with a new channel */
}

/* ---- the warden ---- */

static int take_vault(struct signal *s)
{
	struct vault_fds fds = VAULT_FDS_NONE;
	int err;

	fds.keys = proc_msg_take_fd(&s->msg, 0);
	fds.peers = proc_msg_take_fd(&s->msg, 1);
	err = s->vault ? ERR_PEER : vault_map(&fds, VAULT_WRITER, &s->vault);
	vault_fds_close(&fds);
	return err;
}

static int take_certificate(struct signal *s)
{
	struct proc_dtls_present m;

	memcpy(&m, s->msg.payload, sizeof(m));
	s->dtls_own = m.own;
	if (s->core)
		core_set_certificate(s->core, &s->dtls_own);
	return 0;
}

/* The first configuration makes the core; then the door is locked from inside. */
static int first_config(struct signal *s)
{
	struct proc_sandbox_state state;
	int err = core_new(&s->env, s->config, clock_ms(), &s->core);

	if (!err)
		core_set_certificate(s->core, &s->dtls_own);
	if (!err)
		err = proc_harden();
	if (!err)
		err = proc_sandbox_enter(PROC_SIGNAL, &state);
	s->locked_in = !err;
	return err;
}

static int config_whole(struct signal *s)
{
	struct config *old = s->config;
	uint64_t generation = s->intake.begin.generation;
	bool first = !s->locked_in;
	int err = 0;

	s->config = s->intake.config;
	s->intake.config = NULL;
	err = signal_patches_take(s);
	if (!err && (!s->flows || !s->vault || !s->journal))
		err = ERR_PEER;
	if (!err)
		signal_shape(s);
	if (!err && first)
		err = first_config(s);
	if (!err)
		err = signal_net_apply(s, old, s->intake.old_index, s->intake.fds);
	if (!err && first)
		err = signal_go_on(s);
	config_free(old);
	config_intake_done(&s->intake);
	return err ? err : child_config_done(&s->warden.channel, generation, 0);
}

static int take_console(struct signal *s)
{
	child_link_done(&s->console);
	proc_channel_init(&s->console.channel, proc_msg_take_fd(&s->msg, 0), PROC_SIGNAL,
			  PROC_CONSOLE);
	signal_tell_went_on(s);
	return child_link_watch(&s->console, s->loop, on_console, s);
}

static int take_peer(struct signal *s)
{
	struct proc_peer m;

	memcpy(&m, s->msg.payload, sizeof(m));
	if (m.kind == PROC_TLS)
		return signal_tls_take(s, proc_msg_take_fd(&s->msg, 0));
	if (m.kind == PROC_STIR)
		return signal_stir_take(s, proc_msg_take_fd(&s->msg, 0));
	return m.kind == PROC_CONSOLE ? take_console(s) : ERR_PEER;
}

static int on_flow_refused(struct signal *s)
{
	struct proc_flow_refused m;

	memcpy(&m, s->msg.payload, sizeof(m));
	record_on_refused(&s->records, m.call, &m.local, (enum reason)m.reason, clock_ms());
	if (s->core && m.reason < REASON_COUNT)
		core_on_flow_refused(s->core, clock_ms(), m.call, &m.local, (enum reason)m.reason);
	return 0;
}

static void on_stop(struct signal *s)
{
	if (s->core && !s->stopping)
		core_stop(s->core, clock_ms());
	s->stopping = true;
	signal_turn_end(s);
	signal_events_flush(s);
	/* Everything is on its way; the warden closes what is left. */
	if (proc_send(&s->warden.channel, PROC_STOPPED, NULL, 0, NULL, 0) != 0)
		loop_stop(s->loop);
}

static int on_warden_message(void *ctx)
{
	struct signal *s = ctx;
	int done;

	switch ((int)s->msg.type) {
	case PROC_HELLO:
		return 0;
	case PROC_FLOW_TABLE:
		return s->flows ? ERR_PEER
				: child_take_table(&s->msg, FLOW_TABLE_READER, &s->flows);
	case PROC_VAULT:
		return take_vault(s);
	case PROC_JOURNAL:
		return signal_take_journal(s);
	case PROC_FLOW_BLOCK:
		return child_take_block(&s->msg, s->flows);
	case PROC_PEER:
		return take_peer(s);
	case PROC_DTLS_PRESENT:
		return take_certificate(s);
	case PROC_FLOW_REFUSED:
		return on_flow_refused(s);
	case PROC_BAN_KNOWN:
		return signal_take_ban(s);
	case PROC_STOP:
		on_stop(s);
		return 0;
	default:
		done = config_intake_on_message(&s->intake, &s->msg);
		return done == 1 ? config_whole(s) : done;
	}
}

void signal_on_warden(void *ctx, unsigned events)
{
	struct signal *s = ctx;
	int err = child_link_turn(&s->warden, events, &s->msg, on_warden_message, s);

	if (err)
		child_give_up(s->loop, "signal", err);
}
