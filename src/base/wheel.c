#include "base/wheel.h"

#define SLOT_BITS 6
#define SLOT_MASK (WHEEL_SLOTS - 1)
#define REACH_MS  ((UINT64_C(1) << (SLOT_BITS * WHEEL_LEVELS)) - 1)

void wheel_init(struct wheel *w, uint64_t now_ms)
{
	w->now_ms = now_ms;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		w->filled[level] = 0;
		for (unsigned s = 0; s < WHEEL_SLOTS; s++)
			list_init(&w->slot[level][s]);
	}
}

void timer_init(struct timer *t, void (*fire)(struct timer *t, uint64_t now_ms))
{
	*t = (struct timer){.fire = fire};
	list_init(&t->node);
}

/* The level is that of the highest group of six bits in which due and now differ. */
static void place(struct wheel *w, struct timer *t)
{
	uint64_t differ = t->due_ms ^ w->now_ms;
	unsigned level = differ ? (63u - (unsigned)__builtin_clzll(differ)) / SLOT_BITS : 0;
	unsigned s = (unsigned)(t->due_ms >> (SLOT_BITS * level)) & SLOT_MASK;

	list_append(&w->slot[level][s], &t->node);
	w->filled[level] |= UINT64_C(1) << s;
}

void timer_start(struct wheel *w, struct timer *t, uint64_t delay_ms)
{
	uint64_t rest = REACH_MS - (w->now_ms & REACH_MS);

	list_remove(&t->node);
	if (delay_ms == 0)
		delay_ms = 1;
	t->due_ms = w->now_ms + (delay_ms < rest ? delay_ms : rest);
	place(w, t);
}

void timer_stop(struct timer *t)
{
	list_remove(&t->node);
}

/* First filled slot after the present one on this level, as a distance 1..63, or 0. */
static unsigned next_slot(const struct wheel *w, unsigned level)
{
	unsigned here = (unsigned)(w->now_ms >> (SLOT_BITS * level)) & SLOT_MASK;
	uint64_t ahead = here == SLOT_MASK ? 0 : w->filled[level] >> (here + 1) << (here + 1);

	return ahead ? (unsigned)__builtin_ctzll(ahead) - here : 0;
}

uint64_t wheel_idle_ms(const struct wheel *w)
{
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		unsigned steps = next_slot(w, level);
		uint64_t unit = UINT64_C(1) << (SLOT_BITS * level);

		if (steps)
			return (w->now_ms / unit + steps) * unit - w->now_ms;
	}
	return UINT64_MAX;
}

/* The wheel stands at a slot's border on `level`: its timers are due now or move down. */
static void open_slot(struct wheel *w, unsigned level)
{
	unsigned s = (unsigned)(w->now_ms >> (SLOT_BITS * level)) & SLOT_MASK;
	struct list due;

	list_init(&due);
	w->filled[level] &= ~(UINT64_C(1) << s);
	while (!list_empty(&w->slot[level][s])) {
		struct list *n = w->slot[level][s].next;

		list_remove(n);
		list_append(&due, n);
	}
	while (!list_empty(&due)) {
		struct timer *t = container_of(due.next, struct timer, node);

		list_remove(&t->node);
		if (t->due_ms <= w->now_ms)
			t->fire(t, w->now_ms);
		else
			place(w, t);
	}
}

void wheel_advance(struct wheel *w, uint64_t now_ms)
{
	for (;;) {
		uint64_t idle = wheel_idle_ms(w);

		if (idle == UINT64_MAX || now_ms < w->now_ms || idle > now_ms - w->now_ms)
			break;
		w->now_ms += idle;
		for (unsigned level = WHEEL_LEVELS; level-- > 0;)
			if (level == 0 ||
			    (w->now_ms & ((UINT64_C(1) << (SLOT_BITS * level)) - 1)) == 0)
				open_slot(w, level);
	}
	if (now_ms > w->now_ms)
		w->now_ms = now_ms;
}
