/* Messages become calls: who asked whom, how it went, and what the gateway would have refused. */
#include "main/sdp_body.h"
#include "main/watch.h"
#include "main/watch_attack.h"
#include "proto/sip/sip_check.h"

#define REPEATS_LOOKED_AT 16 /* messages back; retransmissions come soon after */

static uint64_t id_hash(const struct watch *w, struct slice call_id)
{
	return hash_bytes(&w->key, call_id);
}

static struct watch_call *call_find(const struct watch *w, struct slice call_id)
{
	uint64_t hash = id_hash(w, call_id);

	for (struct hash_node *n = hash_first(&w->calls_by_id, hash); n; n = hash_next(n)) {
		struct watch_call *c = container_of(n, struct watch_call, by_id);

		if (slice_eq(c->call_id, call_id))
			return c;
	}
	return NULL;
}

/* Identifiers are kept whole: they must be found again. */
static bool keep_whole(struct watch *w, struct slice text, struct slice *out)
{
	if (text.n == 0 || arena_copy(&w->arena, text, out) == 0)
		return true;
	w->counts.not_kept++;
	return false;
}

static struct watch_call *call_new(struct watch *w, const struct watch_at *at,
				   const struct sip_msg *msg)
{
	struct watch_call *c = watch_alloc(w, sizeof(*c));

	if (!c || !keep_whole(w, msg->call_id, &c->call_id) ||
	    !keep_whole(w, msg->from.tag, &c->from_tag))
		return NULL;
	c->from = watch_keep(w, msg->from.uri_text);
	c->to = watch_keep(w, msg->to.uri_text);
	watch_call_init(c, at->time_ns);
	if (hash_add(&w->calls_by_id, &c->by_id, id_hash(w, c->call_id))) {
		w->counts.not_kept++;
		return NULL;
	}
	list_append(&w->calls, &c->node);
	return c;
}

static bool host_known(const struct watch_call *c, const struct ip_addr *host)
{
	for (unsigned i = 0; i < c->host_count; i++)
		if (ip_eq(&c->host[i], host))
			return true;
	return false;
}

static void host_note(struct watch_call *c, const struct ip_addr *host)
{
	if (c->host_count < WATCH_HOSTS_MAX && !host_known(c, host))
		c->host[c->host_count++] = *host;
}

static bool to_tag_known(const struct watch_call *c, struct slice tag)
{
	for (unsigned i = 0; i < c->to_tag_count; i++)
		if (slice_eq(c->to_tag[i], tag))
			return true;
	return false;
}

static void to_tag_note(struct watch *w, struct watch_call *c, struct slice tag)
{
	if (tag.n && c->to_tag_count < WATCH_TAGS_MAX && !to_tag_known(c, tag) &&
	    keep_whole(w, tag, &c->to_tag[c->to_tag_count]))
		c->to_tag_count++;
}

static bool is_repeated(const struct watch_call *c, const struct watch_message *m)
{
	unsigned back = 0;

	for (struct list *n = c->messages.prev; n != &c->messages && back < REPEATS_LOOKED_AT;
	     n = n->prev, back++) {
		const struct watch_message *old = container_of(n, struct watch_message, node);

		if (old->cseq == m->cseq && slice_eq(old->line, m->line) &&
		    slice_eq(old->method, m->method) && ip_endpoint_eq(&old->at.src, &m->at.src) &&
		    ip_endpoint_eq(&old->at.dst, &m->at.dst))
			return true;
	}
	return false;
}

static struct slice start_line(struct slice raw)
{
	return slice_trim(slice_first(raw, slice_find(raw, '\n')));
}

static void message_note(struct watch *w, const struct watch_at *at, struct watch_call *c,
			 const struct sip_msg *msg, struct slice raw, enum reason reason)
{
	struct watch_message *m;

	if (c->message_count++ >= WATCH_MESSAGES_MAX)
		return;
	m = watch_alloc(w, sizeof(*m));
	if (!m)
		return;
	m->at = *at;
	m->request = msg->request;
	m->status = msg->status;
	m->cseq = msg->cseq.number;
	m->method = watch_keep(w, msg->request ? msg->method_text : msg->cseq.method_text);
	m->line = watch_keep(w, start_line(raw));
	m->has_sdp = sdp_of_body(msg).n > 0;
	m->reason = reason;
	m->answer = reason ? sip_refusal_status(msg, reason) : 0;
	m->repeated = is_repeated(c, m);
	list_append(&c->messages, &m->node);
}

/* A request within a dialog must carry its tags, and come from one who takes part in it. Only a
 * call whose beginning was seen can be judged. */
static enum reason dialog_check(const struct watch_call *c, const struct watch_at *at,
				const struct sip_msg *msg)
{
	bool caller = slice_eq(msg->from.tag, c->from_tag);

	if (!c->invited || !msg->request || msg->to.tag.n == 0 || c->to_tag_count == 0)
		return REASON_NONE;
	if (!to_tag_known(c, caller ? msg->to.tag : msg->from.tag) ||
	    (!caller && !slice_eq(msg->to.tag, c->from_tag)))
		return c->to_tag_count < WATCH_TAGS_MAX ? REASON_dialog_unknown : REASON_NONE;
	if (c->host_count < WATCH_HOSTS_MAX && !host_known(c, &at->src.addr))
		return REASON_dialog_source;
	return REASON_NONE;
}

static void call_end(struct watch_call *c, const struct watch_at *at, enum reason why)
{
	if (c->state == WATCH_ENDED || c->state == WATCH_FAILED)
		return;
	c->state = c->state == WATCH_ESTABLISHED ? WATCH_ENDED : WATCH_FAILED;
	c->end_reason = why;
	c->ended_ns = at->time_ns;
}

static void on_request(struct watch_call *c, const struct watch_at *at, const struct sip_msg *msg)
{
	if (msg->method == SIP_INVITE && msg->to.tag.n == 0) {
		c->invited = true;
		if (c->state == WATCH_SEEN)
			c->state = WATCH_EARLY;
	} else if (msg->method == SIP_CANCEL) {
		c->cancelled = true;
	} else if (msg->method == SIP_BYE) {
		if (c->state == WATCH_SEEN)
			c->state = WATCH_ESTABLISHED; /* its beginning was not captured */
		call_end(c, at,
			 slice_eq(msg->from.tag, c->from_tag) || !c->invited ? REASON_bye_caller
									     : REASON_bye_callee);
	}
}

static void on_invite_response(struct watch_call *c, const struct watch_at *at,
			       const struct sip_msg *msg)
{
	if (c->state == WATCH_SEEN)
		c->state = WATCH_EARLY;
	if (msg->status < 200 || c->state != WATCH_EARLY)
		return;
	if (msg->status < 300) {
		c->state = WATCH_ESTABLISHED;
		c->answered_ns = at->time_ns;
		return;
	}
	if (msg->status == 401 || msg->status == 407 || msg->status == 422)
		return; /* it will be asked again */
	c->final_status = msg->status;
	call_end(c, at, c->cancelled ? REASON_call_cancelled : REASON_call_rejected);
}

static enum reason sdp_check(struct watch *w, const struct watch_at *at, struct watch_call *c,
			     const struct sip_msg *msg)
{
	struct slice text = sdp_of_body(msg);

	return text.n ? watch_on_sdp(w, at, c, msg, text) : REASON_NONE;
}

static enum reason accepted(struct watch *w, const struct watch_at *at, struct watch_call *c,
			    const struct sip_msg *msg, struct slice raw)
{
	enum reason reason = raw.n > WATCH_MESSAGE_BYTES ? REASON_sip_too_long : sip_msg_check(msg);
	enum reason sdp;

	if (!reason)
		reason = dialog_check(c, at, msg);
	if (reason)
		return reason; /* it would have changed nothing */
	sdp = sdp_check(w, at, c, msg);
	host_note(c, &at->src.addr);
	host_note(c, &at->dst.addr);
	if (msg->request) {
		on_request(c, at, msg);
	} else {
		to_tag_note(w, c, msg->to.tag);
		if (msg->cseq.method == SIP_INVITE)
			on_invite_response(c, at, msg);
	}
	return sdp;
}

void watch_on_message(struct watch *w, const struct watch_at *at, struct slice raw,
		      enum sip_verdict verdict, enum reason reason)
{
	const struct sip_msg *msg = w->msg;
	struct watch_call *c = NULL;

	if (verdict == SIP_REFUSED && reason == REASON_sip_empty)
		return;
	w->counts.sip_messages++;
	if (msg->call_id.n)
		c = call_find(w, msg->call_id);
	if (!c && verdict == SIP_DONE)
		c = call_new(w, at, msg);
	if (verdict == SIP_DONE && c)
		reason = accepted(w, at, c, msg, raw);
	if (c)
		message_note(w, at, c, msg, raw, reason);
	if (reason)
		watch_refuse(w, at, c, reason, sip_refusal_status(msg, reason), start_line(raw), 1);
	if (w->attacks)
		watch_attacks_on_message(w->attacks, at, raw, verdict == SIP_DONE, reason);
}
