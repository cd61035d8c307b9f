/* Once a second each running call's audio is compared with what its zones want. */
#include <stdio.h>

#include "guard/r5_quality.h"
#include "io/clock.h"
#include "main/signal_proc.h"
#include "main/stream_view.h"

#define NS_PER_MS 1000000u

static bool asks_for(const struct config_zone *z)
{
	return z->quality_loss || z->quality_jitter_ms || z->quality_r_factor ||
	       z->quality_silence_ms;
}

static bool anybody_asks(const struct config *c)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (asks_for(&c->zones[i]))
			return true;
	return false;
}

static bool live(const struct signal *s, const struct record_pinhole *p, struct flow_stats *out)
{
	uint32_t index = flow_table_index(s->flows, &p->spec.local);

	return !p->closed_ms && p->spec.kind == FLOW_RTP && index != HW_FLOW_NONE &&
	       flow_table_stats(s->flows, index, out);
}

static struct record_pinhole *opposite(const struct record *r, const struct record_pinhole *p)
{
	for (struct list *n = r->pinholes.next; n != &r->pinholes; n = n->next) {
		struct record_pinhole *o = container_of(n, struct record_pinhole, node);

		if (!o->closed_ms && o->spec.kind == FLOW_RTP && o->spec.stream == p->spec.stream &&
		    o->spec.from_caller != p->spec.from_caller)
			return o;
	}
	return NULL;
}

static uint64_t silent_ms(const struct flow_stats *f, uint64_t open_ms, uint64_t now_ns)
{
	uint64_t ms = f->last_seen_ns ? (now_ns - f->last_seen_ns) / NS_PER_MS : open_ms;

	return f->last_seen_ns > now_ns ? 0 : ms < open_ms ? ms : open_ms;
}

static void tell(struct signal *s, const struct record_pinhole *p, const struct r5_stream *q,
		 enum r5_alarm alarm)
{
	char text[160];
	struct event e = {.type = "quality",
			  .reason = r5_quality_reason(alarm),
			  .from = p->spec.source,
			  .to = p->spec.local,
			  .proto = "rtp",
			  .zone = p->zone,
			  .call = p->spec.call};

	(void)snprintf(text, sizeof(text),
		       "from the %s: lost %.2f %%, jitter %.1f ms, R-factor %.0f, MOS %.1f, silent "
		       "for %llu s",
		       p->spec.from_caller ? "caller" : "callee", q->loss_percent, q->jitter_ms,
		       q->r_factor < 0 ? 0 : q->r_factor,
		       q->r_factor < 0 ? 1 : quality_mos(q->r_factor),
		       (unsigned long long)q->silent_ms / 1000);
	e.detail = slice_z(text);
	signal_tell(s, &e);
}

static void look_at(struct signal *s, const struct record *r, struct record_pinhole *p,
		    uint64_t since_ms)
{
	const struct config *c = s->config;
	struct record_pinhole *o = opposite(r, p);
	uint64_t now_ms = clock_ms(), now_ns = clock_ns();
	struct flow_stats mine, theirs;
	struct quality quality;
	struct r5_stream q = {0};
	unsigned alarms;

	if (p->spec.zone >= c->zone_count || !asks_for(&c->zones[p->spec.zone]) || !o ||
	    !live(s, p, &mine) || !live(s, o, &theirs))
		return;
	since_ms = p->opened_ms > since_ms ? p->opened_ms : since_ms;
	q.open_ms = now_ms > since_ms ? now_ms - since_ms : 0;
	quality = stream_quality(&p->spec, &mine);
	q.silent_ms = silent_ms(&mine, q.open_ms, now_ns);
	q.other_silent_ms = silent_ms(&theirs, q.open_ms, now_ns);
	q.expected = mine.expected;
	q.loss_percent = quality.loss_percent;
	q.jitter_ms = (double)mine.jitter_us / 1000;
	q.r_factor = quality.r_factor;
	alarms = r5_quality_alarms(&c->zones[p->spec.zone], &q, p->alarms);
	p->alarms = (uint8_t)(p->alarms | alarms);
	for (unsigned a = 0; a < R5_ALARM_COUNT; a++)
		if (alarms & (1u << a))
			tell(s, p, &q, (enum r5_alarm)a);
}

static void on_call(void *ctx, const struct call_info *info)
{
	struct signal *s = ctx;
	struct record *r = record_find(&s->records, info->call);

	if (!r || info->state != CALL_ESTABLISHED || !info->carries)
		return;
	for (struct list *n = r->pinholes.next; n != &r->pinholes; n = n->next)
		look_at(s, r, container_of(n, struct record_pinhole, node), info->answered_ms);
}

void signal_quality_look(struct signal *s)
{
	if (anybody_asks(s->config))
		core_calls_walk(s->core, on_call, s);
}
