/* What a list of SAs means: up, down, silent; and what is done about it. */
#include "enforce/charon_impl.h"

void charon_tell(struct charon *c, enum reason what, struct slice words, uint64_t now_ms)
{
	bool same = c->told == what && now_ms - c->told_ms < SAME_NEWS_MS;

	c->view.why = what == REASON_tunnel_up ? REASON_NONE : what;
	(void)slice_to_z(words, c->view.words, sizeof(c->view.words));
	if (same)
		return;
	c->told = what;
	c->told_ms = now_ms;
	c->setup.news(c->setup.ctx, what, slice_first(words, CHARON_WORDS_MAX));
}

void charon_hear(struct charon *c, enum reason what, struct slice words, uint64_t now_ms)
{
	if (c->view.state != CHARON_UP) {
		charon_tell(c, what, words, now_ms);
		return;
	}
	c->heard = what;
	c->heard_ms = now_ms;
	(void)slice_to_z(words, c->heard_words, sizeof(c->heard_words));
	c->list_due = true;
}

void charon_state_set(struct charon *c, enum charon_state s, uint64_t now_ms)
{
	if (c->view.state == s)
		return;
	c->view.state = s;
	c->view.since_ms = now_ms;
}

static const struct charon_child *child_before(const struct charon *c, uint32_t id)
{
	for (size_t i = 0; i < c->before.child_count; i++)
		if (c->before.child[i].id == id)
			return &c->before.child[i];
	return NULL;
}

static uint64_t more(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* Each pair of SAs counts from zero; the tunnel goes on counting. */
static void add_figures(struct charon *c)
{
	static const struct charon_child none;

	for (size_t i = 0; i < c->sas.child_count; i++) {
		const struct charon_child *n = &c->sas.child[i], *b = child_before(c, n->id);

		if (!b)
			b = &none;
		c->view.bytes_in += more(n->bytes_in, b->bytes_in);
		c->view.bytes_out += more(n->bytes_out, b->bytes_out);
		c->view.packets_in += more(n->packets_in, b->packets_in);
		c->view.packets_out += more(n->packets_out, b->packets_out);
	}
}

static void on_up(struct charon *c, uint64_t now_ms)
{
	memcpy(c->view.ike, c->sas.ike, sizeof(c->view.ike));
	memcpy(c->view.esp, c->sas.esp, sizeof(c->view.esp));
	memcpy(c->view.remote_id, c->sas.remote_id, sizeof(c->view.remote_id));
	if (now_ms - c->heard_ms > POLL_MS)
		c->heard = REASON_NONE;
	c->silent = c->sas.asks ? c->silent + 1 : 0;
	if (c->view.state != CHARON_UP) {
		char text[CHARON_WORDS_MAX];
		struct out o = out_to(text, sizeof(text));

		out_fmt(&o, "IKE %s, ESP %s", c->view.ike, c->view.esp);
		c->view.ups++;
		charon_state_set(c, CHARON_UP, now_ms);
		c->told = REASON_NONE; /* whatever it was, it is over */
		charon_tell(c, REASON_tunnel_up, out_slice(&o), now_ms);
	}
	if (c->silent < SILENT_LOOKS)
		return;
	c->silent = 0;
	c->was_silent = c->end_due = c->list_due = true;
	charon_tell(c, REASON_tunnel_silent, SL("it is begun anew"), now_ms);
}

/* It is begun again until it is up; an attempt that hangs is given up. */
static void on_down(struct charon *c, uint64_t now_ms)
{
	bool was_up = c->view.state == CHARON_UP;

	c->silent = 0;
	charon_state_set(c, CHARON_DOWN, now_ms);
	if (was_up) {
		c->initiated_ms = 0;
		if (c->heard != REASON_NONE)
			charon_tell(c, c->heard, slice_z(c->heard_words), now_ms);
		else if (!c->was_silent)
			charon_tell(c, REASON_tunnel_down, slice_of(NULL, 0), now_ms);
		c->was_silent = false;
		c->heard = REASON_NONE;
	}
	if (c->initiated_ms && now_ms - c->initiated_ms < RETRY_MS)
		return;
	if (c->sas.any && !c->sas.established) {
		if (c->initiated_ms && now_ms - c->initiated_ms < ATTEMPT_MS)
			return;
		c->end_due = true;
		charon_tell(c, REASON_tunnel_silent, slice_of(NULL, 0), now_ms);
	}
	c->begin_due = true;
}

void charon_on_listed(struct charon *c, uint64_t now_ms)
{
	c->listed_ms = now_ms;
	add_figures(c);
	c->before = c->sas;
	if (c->sas.installed)
		on_up(c, now_ms);
	else
		on_down(c, now_ms);
}
