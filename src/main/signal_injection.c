/* What the ports of running calls have refused because of where it came from becomes an event. */
#include <stdio.h>

#include "guard/r2_media.h"
#include "io/clock.h"
#include "main/signal_proc.h"

static void tell(struct signal *s, const struct record_pinhole *p, enum reason why,
		 const struct r2_media_refused *n)
{
	char text[160];
	struct event e = {.type = "alert",
			  .reason = why,
			  .to = p->spec.local,
			  .proto = p->spec.kind == FLOW_RTCP ? "rtcp" : "rtp",
			  .zone = p->zone,
			  .call = p->spec.call};

	(void)snprintf(text, sizeof(text),
		       "to the port for the %s: %u packets from other addresses, %u from other "
		       "ports of the right one; dropped",
		       p->spec.from_caller ? "caller" : "callee", n->address, n->port);
	e.detail = slice_z(text);
	signal_tell(s, &e);
}

static void look_at(struct signal *s, struct record_pinhole *p)
{
	uint32_t index = flow_table_index(s->flows, &p->spec.local);
	struct r2_media_refused now, new;
	struct flow_stats f;
	enum reason why;

	/* By ICE a peer comes from several addresses until one has proven itself. */
	if (p->closed_ms || p->spec.ice || index == HW_FLOW_NONE ||
	    !flow_table_stats(s->flows, index, &f))
		return;
	now = (struct r2_media_refused){f.refused[HW_REFUSED_ADDRESS], f.refused[HW_REFUSED_PORT]};
	why = r2_media_look(&p->injected, &now, p->spec.kind == FLOW_RTCP, clock_ms(), &new);
	if (why)
		tell(s, p, why, &new);
}

/* One call of SIGNAL_INJECTION_TURNS in each turn: a full gateway has 40,000 ports. */
void signal_injection_look(struct signal *s)
{
	list_for_each (node, &s->records.running) {
		struct record *r = container_of(node, struct record, node);

		if (r->call % SIGNAL_INJECTION_TURNS != s->house_turns % SIGNAL_INJECTION_TURNS)
			continue;
		list_for_each (n, &r->pinholes)
			look_at(s, container_of(n, struct record_pinhole, node));
	}
}
