/* What became of handshakes and of consent on the flows of running calls: media writes it beside
 * the figures, here it is read once a second and becomes an event, or the end of a call. */
#include "io/clock.h"
#include "main/signal_proc.h"

/* What each outcome means; a call whose media can never come ends. */
static const struct {
	enum reason reason; /* REASON_NONE: nothing to tell */
	bool fatal;
} outcomes[HW_HANDSHAKE_COUNT] = {
	[HW_HANDSHAKE_UP] = {REASON_dtls_up, false},
	[HW_HANDSHAKE_BAD_FINGERPRINT] = {REASON_dtls_fingerprint, true},
	[HW_HANDSHAKE_NO_PROFILE] = {REASON_dtls_no_profile, true},
	[HW_HANDSHAKE_FAILED] = {REASON_dtls_failed, true},
	[HW_HANDSHAKE_TIMEOUT] = {REASON_dtls_timeout, true},
	[HW_HANDSHAKE_CLOSED] = {REASON_dtls_closed, false},
};

/* What is new of one flow; the first that matters. */
static enum reason news_of(struct record_pinhole *p, const struct flow_stats *f, bool *fatal)
{
	*fatal = false;
	if (f->handshake != p->handshake_told && f->handshake < HW_HANDSHAKE_COUNT) {
		p->handshake_told = f->handshake;
		*fatal = outcomes[f->handshake].fatal;
		return outcomes[f->handshake].reason;
	}
	if (f->ice == p->ice_told)
		return REASON_NONE;
	p->ice_told = f->ice;
	return f->ice == HW_ICE_DISCONNECTED ? REASON_ice_consent : REASON_NONE;
}

/* True when the call has ended by it: its record is another one then. */
static bool look_at(struct signal *s, const struct record *r)
{
	list_for_each (node, &r->pinholes) {
		struct record_pinhole *p = container_of(node, struct record_pinhole, node);
		uint32_t index = flow_table_index(s->flows, &p->spec.local);
		struct flow_stats f;
		enum reason why;
		bool fatal;

		if (p->closed_ms || p->spec.association == 0 || index == HW_FLOW_NONE ||
		    !flow_table_stats(s->flows, index, &f))
			continue;
		why = news_of(p, &f, &fatal);
		if (why)
			core_on_media_news(s->core, clock_ms(), r->call, p->spec.from_caller, why,
					   fatal);
		if (fatal)
			return true;
	}
	return false;
}

void signal_watch_handshakes(struct signal *s)
{
	struct list *node = s->records.running.next;

	while (node != &s->records.running) {
		struct list *next = node->next;

		/* What ends leaves this list; the rest is looked at in the next turn. */
		if (look_at(s, container_of(node, struct record, node)))
			return;
		node = next;
	}
}
