/* What the children say to the warden. */
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "main/warden_lanes.h"
#include "main/warden_path.h"
#include "main/warden_probe.h"

void warden_answer(struct warden *w, uint32_t id, unsigned status, struct slice text)
{
	struct proc_answer m = {id, status, text.n};
	int fd = proc_text_fd(text);

	if (fd < 0) {
		warden_child_condemn(&w->child[CHILD_CONSOLE], fd);
		return;
	}
	warden_child_send(&w->child[CHILD_CONSOLE], PROC_ANSWER, &m, sizeof(m), &fd, 1);
	close(fd);
}

static void on_query(struct child *c, const struct proc_msg *msg)
{
	struct warden *w = c->warden;
	struct proc_query_msg q;
	char text[16384];
	struct out o = out_to(text, sizeof(text));

	memcpy(&q, msg->payload, sizeof(q));
	if (q.what == QUERY_RELOAD) {
		warden_reload(w, q.id);
		return;
	}
	if (q.what == QUERY_POLICY) {
		warden_policy(w, q.id,
			      slice_of(q.argument, strnlen(q.argument, sizeof(q.argument))));
		return;
	}
	warden_events_flush(w); /* whoever asks finds in the events what the answer speaks of */
	if (q.what == QUERY_STATUS)
		warden_status(w, &o);
	else if (q.what == QUERY_METRICS)
		warden_metrics(w, &o);
	else if (q.what == QUERY_EXPLAIN)
		warden_shield_explain(
			w, slice_of(q.argument, strnlen(q.argument, sizeof(q.argument))), &o);
	else
		warden_child_condemn(c, ERR_PEER);
	if (proc_channel_open(&c->channel))
		warden_answer(w, q.id, o.err ? 500 : 200, out_slice(&o));
}

static bool all_up(const struct warden *w)
{
	for (size_t i = 0; i < CHILD_COUNT; i++)
		if (!w->child[i].up && warden_child_wanted(&w->child[i]))
			return false;
	return true;
}

/* Who speaks and who listens have the present configuration both. */
static bool in_force(const struct warden *w)
{
	const struct child *stir = &w->child[CHILD_STIR];

	return (!warden_child_wanted(stir) || stir->generation == w->now.generation) &&
	       w->child[CHILD_SIGNAL].generation == w->now.generation &&
	       w->child[CHILD_TLS].generation == w->now.generation;
}

static void on_config_done(struct child *c, const struct proc_msg *msg)
{
	struct warden *w = c->warden;
	struct proc_config_done m;
	char text[128];
	struct out o = out_to(text, sizeof(text));

	memcpy(&m, msg->payload, sizeof(m));
	if (m.err) {
		log_line(SEV_CRITICAL, "%s does not take its configuration: %s",
			 proc_kind_name(c->kind), err_text(m.err));
		warden_child_condemn(c, m.err);
		return;
	}
	c->up = true;
	c->generation = m.generation;
	if ((c->kind == PROC_SIGNAL || c->kind == PROC_TLS || c->kind == PROC_STIR) && w->ready &&
	    in_force(w)) {
		warden_tell(w, "config", "config_in_force", SEV_INFO,
			    "configuration %llu is in force", (unsigned long long)m.generation);
		out_fmt(&o, "configuration %llu is in force\n", (unsigned long long)m.generation);
		if (w->reload_query)
			warden_answer(w, w->reload_query, 200, out_slice(&o));
		w->reload_query = 0;
	}
	if (!w->ready && all_up(w))
		warden_ready(w);
}

/* Whoever speaks SIP tells peers of it. */
static int on_dtls_made(struct child *c, const struct proc_msg *msg)
{
	struct warden *w = c->warden;
	struct proc_dtls_present m;

	memcpy(&m, msg->payload, sizeof(m));
	if (fingerprint_bytes(m.own.hash) == 0)
		return ERR_PEER;
	w->dtls_own = m.own;
	if (proc_channel_open(&w->child[CHILD_SIGNAL].channel))
		warden_child_send(&w->child[CHILD_SIGNAL], PROC_DTLS_PRESENT, &m, sizeof(m), NULL,
				  0);
	return 0;
}

static void on_media_ready(struct warden *w, const struct proc_msg *msg)
{
	struct proc_media_ready m;

	memcpy(&m, msg->payload, sizeof(m));
	warden_lanes_ready(w, m.number);
}

void warden_on_child_message(struct child *c, struct proc_msg *msg)
{
	struct warden *w = c->warden;
	int err = 0;

	if (msg->type == PROC_FLOW_OPS)
		err = warden_flow_ops(w, c, msg);
	else if (msg->type == PROC_BAN)
		err = warden_on_ban(c, msg);
	else if (msg->type == PROC_TRUST)
		err = warden_on_trust(w, msg);
	else if (msg->type == PROC_RECOVERY)
		warden_shield_recover(w, "a PBX answers again");
	else if (msg->type == PROC_CONFIG_DONE)
		on_config_done(c, msg);
	else if (msg->type == PROC_QUERY)
		on_query(c, msg);
	else if (msg->type == PROC_DTLS_MADE)
		err = on_dtls_made(c, msg);
	else if (msg->type == PROC_STOPPED)
		warden_on_stopped(c);
	else if (msg->type == PROC_MEDIA_READY)
		on_media_ready(w, msg);
	else if (msg->type == PROC_VOICE_VLAN_TOLD)
		err = warden_on_voice_vlan_told(w, msg);
	else if (msg->type == PROC_LLDPD_GONE)
		warden_on_lldpd_gone(w);
	else if (msg->type == PROC_VERDICT)
		warden_on_verdict(c, msg);
	else
		err = ERR_PEER;
	if (err)
		warden_child_condemn(c, err);
}
