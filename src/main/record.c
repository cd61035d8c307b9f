#include "main/record.h"

#include <stdio.h>

#include "base/mem.h"

int records_init(struct records *r, const struct hash_key *key)
{
	*r = (struct records){.key = *key};
	list_init(&r->running);
	list_init(&r->ended);
	return hash_init(&r->table, RECORD_CALLS_MAX);
}

static uint64_t hash_of(const struct records *r, uint32_t call)
{
	return hash_bytes(&r->key, slice_of((const char *)&call, sizeof(call)));
}

struct record *record_find(const struct records *r, uint32_t call)
{
	struct hash_node *n = hash_first(&r->table, hash_of(r, call));

	for (; n; n = hash_next(n)) {
		struct record *c = container_of(n, struct record, by_call);

		if (c->call == call)
			return c;
	}
	return NULL;
}

static void steps_free(struct records *r, struct record *c)
{
	while (!list_empty(&c->steps)) {
		struct record_step *s = container_of(c->steps.next, struct record_step, node);

		list_remove(&s->node);
		mem_free(s);
	}
	r->bytes -= c->bytes;
	c->bytes = 0;
}

static void record_free(struct records *r, struct record *c)
{
	steps_free(r, c);
	while (!list_empty(&c->pinholes)) {
		struct record_pinhole *p =
			container_of(c->pinholes.next, struct record_pinhole, node);

		list_remove(&p->node);
		mem_free(p);
	}
	hash_remove(&r->table, &c->by_call);
	list_remove(&c->node);
	if (c->ended)
		r->ended_count--;
	mem_free(c);
}

void records_done(struct records *r)
{
	struct list *lists[] = {&r->running, &r->ended};

	for (size_t i = 0; i < 2; i++)
		while (lists[i]->next && !list_empty(lists[i]))
			record_free(r, container_of(lists[i]->next, struct record, node));
	hash_done(&r->table);
}

static bool drop_oldest(struct records *r)
{
	if (list_empty(&r->ended))
		return false;
	record_free(r, container_of(r->ended.next, struct record, node));
	return true;
}

static struct record *record_get(struct records *r, uint32_t call)
{
	struct record *c = record_find(r, call);

	if (c || call == 0)
		return c;
	if (r->table.count == RECORD_CALLS_MAX && !drop_oldest(r))
		return NULL;
	c = mem_zalloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->call = call;
	list_init(&c->node);
	list_init(&c->steps);
	list_init(&c->pinholes);
	if (hash_add(&r->table, &c->by_call, hash_of(r, call)) != 0) {
		mem_free(c);
		return NULL;
	}
	list_append(&r->running, &c->node);
	return c;
}

/* Keys of SRTP in a description (RFC 4568, 4567, 8866 5.12) are nobody's to read in a listing. */
static void mask_keys(char *text, size_t n)
{
	static const struct {
		struct slice mark;
		const char *ends;
	} kinds[] = {{SLICE("inline:"), "|; \r\n"},
		     {SLICE("a=key-mgmt:"), "\r\n"},
		     {SLICE("\nk="), "\r\n"}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (size_t at = 0; at < n; at++) {
			if (!slice_starts_nocase(slice_of(text + at, n - at), kinds[i].mark))
				continue;
			at += kinds[i].mark.n;
			while (at < n && text[at] && !strchr(kinds[i].ends, text[at]))
				text[at++] = '*';
		}
}

void record_on_message(struct records *r, uint32_t call, const struct path *path,
		       const struct ip_endpoint *local, bool outgoing, struct slice bytes,
		       uint64_t now_ms)
{
	struct record *c = record_get(r, call);
	struct slice kept = slice_first(bytes, RECORD_STEP_BYTES);
	struct record_step *s;

	if (!c || c->step_count >= RECORD_STEPS_MAX)
		return;
	while (r->bytes + kept.n + sizeof(*s) > RECORD_BYTES_MAX)
		if (!drop_oldest(r))
			return;
	s = mem_zalloc(1, sizeof(*s) + kept.n);
	if (!s)
		return;
	*s = (struct record_step){.at_ms = now_ms,
				  .path = *path,
				  .local = *local,
				  .outgoing = outgoing,
				  .full_bytes = bytes.n,
				  .kept_bytes = kept.n};
	memcpy(s->bytes, kept.p, kept.n);
	mask_keys(s->bytes, s->kept_bytes);
	list_append(&c->steps, &s->node);
	c->step_count++;
	c->bytes += kept.n + sizeof(*s);
	r->bytes += kept.n + sizeof(*s);
}

static struct record_pinhole *pinhole_open_at(const struct record *c,
					      const struct ip_endpoint *local)
{
	list_for_each (n, &c->pinholes) {
		struct record_pinhole *p = container_of(n, struct record_pinhole, node);

		if (!p->closed_ms && ip_endpoint_eq(&p->spec.local, local))
			return p;
	}
	return NULL;
}

void record_on_open(struct records *r, const struct flow_spec *spec, const char *zone,
		    enum reason why, uint64_t now_ms)
{
	struct record *c = record_get(r, spec->call);
	struct record_pinhole *p = c ? pinhole_open_at(c, &spec->local) : NULL;

	if (p) { /* the same port with something new about it */
		p->spec = *spec;
		return;
	}
	if (!c || c->pinhole_count >= RECORD_PINHOLES_MAX)
		return;
	p = mem_zalloc(1, sizeof(*p));
	if (!p)
		return;
	p->spec = *spec;
	p->opened_ms = now_ms;
	p->why_opened = why;
	(void)slice_to_z(slice_z(zone), p->zone, sizeof(p->zone));
	list_append(&c->pinholes, &p->node);
	c->pinhole_count++;
}

static void pinhole_close(struct record_pinhole *p, enum reason why, uint64_t now_ms)
{
	p->closed_ms = now_ms ? now_ms : 1;
	p->why_closed = why;
}

void record_on_close(struct records *r, const struct flow_spec *spec, enum reason why,
		     const struct flow_stats *last, uint64_t now_ms)
{
	struct record *c = record_find(r, spec->call);
	struct record_pinhole *p = c ? pinhole_open_at(c, &spec->local) : NULL;

	if (!p)
		return;
	if (last)
		p->last = *last;
	pinhole_close(p, why, now_ms);
}

void record_on_refused(struct records *r, uint32_t call, const struct ip_endpoint *local,
		       enum reason why, uint64_t now_ms)
{
	struct record *c = record_find(r, call);
	struct record_pinhole *p = c ? pinhole_open_at(c, local) : NULL;

	if (p)
		pinhole_close(p, why, now_ms);
}

void record_on_end(struct records *r, const struct call_info *info)
{
	struct record *c = record_get(r, info->call);

	if (!c || c->ended)
		return;
	c->info = *info;
	c->info.flows = NULL;
	c->info.flow_count = 0;
	c->ended = true;
	list_remove(&c->node);
	list_append(&r->ended, &c->node);
	r->ended_count++;
	while (r->ended_count > RECORD_ENDED_MAX)
		if (!drop_oldest(r))
			return;
}

void records_age(struct records *r, uint64_t now_ms)
{
	while (!list_empty(&r->ended)) {
		struct record *c = container_of(r->ended.next, struct record, node);

		if (now_ms - c->info.ended_ms < RECORD_ENDED_MS)
			return;
		record_free(r, c);
	}
}

struct record *record_find_ended(const struct records *r, struct slice what)
{
	for (struct list *n = r->ended.prev; n != &r->ended; n = n->prev) {
		struct record *c = container_of(n, struct record, node);
		char shown[16];

		snprintf(shown, sizeof(shown), "c-%x", c->call);
		if (slice_eq(what, slice_z(shown)) || slice_eq(what, slice_z(c->info.call_id[0])) ||
		    slice_eq(what, slice_z(c->info.call_id[1])))
			return c;
	}
	return NULL;
}
