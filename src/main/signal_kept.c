/* What goes on when this process dies: the core's records in the journal, and the beginning of a
 * process whose predecessor died. */
#include <stdio.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "main/signal_proc.h"

/* ---- the shape of a configuration ---- */

static void shape_add(uint64_t *shape, const struct hash_key *key, const void *p, size_t n)
{
	struct hash_key chained = {key->k0 ^ *shape, key->k1};

	*shape = hash_bytes(&chained, slice_of(p, n));
}

static void shape_add_z(uint64_t *shape, const struct hash_key *key, const char *z)
{
	shape_add(shape, key, z, strlen(z) + 1);
}

static void shape_add_sections(uint64_t *shape, const struct hash_key *key, const struct config *c)
{
	for (size_t i = 0; i < c->phones_count; i++)
		shape_add_z(shape, key, c->phones[i].name);
	shape_add_z(shape, key, "");
	for (size_t i = 0; i < c->pbx_count; i++)
		shape_add_z(shape, key, c->pbxs[i].name);
	shape_add_z(shape, key, "");
	for (size_t i = 0; i < c->trunk_count; i++)
		shape_add_z(shape, key, c->trunks[i].name);
}

/* Records name zones, listeners and sections by their indexes: they can be read with another
 * configuration when these mean the same there. */
static uint64_t shape_of(const struct hash_key *key, const struct config *c)
{
	uint64_t shape = c->zone_count;

	for (size_t i = 0; i < c->zone_count; i++) {
		shape_add_z(&shape, key, c->zones[i].name);
		shape_add(&shape, key, &c->zones[i].address4, sizeof(c->zones[i].address4));
		shape_add(&shape, key, &c->zones[i].address6, sizeof(c->zones[i].address6));
	}
	for (size_t i = 0; i < c->listener_count; i++) {
		const struct config_listener *l = &c->listeners[i];

		shape_add(&shape, key, &l->zone, sizeof(l->zone));
		shape_add(&shape, key, &l->transport, sizeof(l->transport));
		shape_add(&shape, key, &l->local, sizeof(l->local));
	}
	shape_add_sections(&shape, key, c);
	return shape;
}

void signal_shape(struct signal *s)
{
	s->shape = shape_of(journal_key(s->journal), s->config);
}

/* ---- keeping ---- */

int signal_take_journal(struct signal *s)
{
	struct hash_key fresh;
	int fd = proc_msg_take_fd(&s->msg, 0), err;

	s->env.random(s, (uint8_t *)&fresh, sizeof(fresh));
	err = s->journal ? ERR_PEER : journal_open(fd, clock_ms(), &fresh, &s->journal);
	explicit_bzero(&fresh, sizeof(fresh));
	close(fd);
	if (!err)
		s->env.key = journal_key(s->journal);
	return err;
}

void signal_keep(struct signal *s, const struct action *a)
{
	int err = journal_put(s->journal, a->kept, a->number, s->shape, a->bytes);

	if (err && s->unkept++ == 0)
		log_line(SEV_WARNING, "not all calls and registrations would outlive a crash: %s",
			 err_text(err));
}

void signal_forget(struct signal *s, const struct action *a)
{
	journal_forget(s->journal, a->kept, a->number);
}

/* ---- going on ---- */

static void take(void *ctx, enum kept_kind kind, struct slice record)
{
	struct signal *s = ctx;
	int err = core_take(s->core, clock_ms(), kind, record);

	if (err == 0)
		s->went_on[kind]++;
	else
		log_line(SEV_WARNING, "a %s is lost: its record cannot be used: %s",
			 kind == KEPT_CALL ? "call" : "registration", err_text(err));
}

/* Flows of calls that did not outlive a predecessor may still be open under their numbers. */
static uint32_t last_call(const struct signal *s)
{
	uint32_t last = journal_last_call(s->journal);
	struct flow_spec spec;

	for (uint32_t i = flow_table_next(s->flows, 0); i != HW_FLOW_NONE;
	     i = flow_table_next(s->flows, i + 1))
		if (flow_table_spec(s->flows, i, &spec) && spec.call > last)
			last = spec.call;
	return last;
}

int signal_go_on(struct signal *s)
{
	int err = journal_read(s->journal, s->shape, take, s);

	core_number_from(s->core, last_call(s) + 1);
	loop_timer_start(s->house_timer, 0); /* phones keep their trust */
	return err;
}

void signal_tell_went_on(struct signal *s)
{
	uint32_t calls = s->went_on[KEPT_CALL], phones = s->went_on[KEPT_BINDING];
	char text[128];
	struct event e = {.type = "process", .name = "calls_go_on", .severity = SEV_NOTICE};

	if (s->went_on_told || calls + phones == 0)
		return;
	s->went_on_told = true;
	(void)snprintf(text, sizeof(text),
		       "signal was started again: %u call%s and %u registration%s go on", calls,
		       calls == 1 ? "" : "s", phones, phones == 1 ? "" : "s");
	log_line(SEV_NOTICE, "%s", text);
	e.detail = slice_z(text);
	signal_tell(s, &e);
}
