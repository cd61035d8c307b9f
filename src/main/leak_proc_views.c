/* What the watch process tells of links: for listings, explain, status and metrics. */
#include "io/clock.h"
#include "main/leak_proc.h"

#define FACTS_MAX    64
#define SENTENCE_MAX 256

static const struct leaks *leaks_at(const struct leak_proc *p, size_t i)
{
	return p->link[i].of[0] ? &p->link[i].leaks : NULL;
}

static void view_leaks(const struct leak_proc *p, struct answer *a)
{
	struct json j = json_to(&a->o);

	json_open(&j, '[');
	for (size_t i = 0; i < LEAK_LINKS_MAX; i++) {
		const struct leaks *l = leaks_at(p, i);

		for (size_t k = 0; l && k < LEAKS_MAX; k++) {
			if (l->found[k].count)
				leak_write_json(l, &l->found[k], LEAK_SINCE_1970, &j);
			answer_flush(a);
		}
	}
	json_close(&j, ']');
}

static void view_devices(const struct leak_proc *p, struct answer *a)
{
	struct json j = json_to(&a->o);

	json_open(&j, '[');
	for (size_t i = 0; i < LEAK_LINKS_MAX; i++) {
		const struct leaks *l = leaks_at(p, i);

		if (!l)
			continue;
		list_for_each (n, &l->by_age) {
			const struct leak_device *d = container_of(n, struct leak_device, node);

			if (d->used)
				leak_device_write_json(l, d, LEAK_SINCE_1970, &j);
			answer_flush(a);
		}
	}
	json_close(&j, ']');
}

/* Members of one object, without its braces. */
static void view_status(const struct leak_proc *p, struct answer *a)
{
	struct json j = json_to(&a->o);

	json_member_open(&j, "links_watched", '[');
	for (size_t i = 0; i < PROC_TAPS_MAX; i++) {
		const struct leak_tap *t = &p->tap[i];

		if (!t->link)
			continue;
		json_open(&j, '{');
		json_member_z(&j, "interface", t->interface);
		json_member_z(&j, "link", t->link->of);
		json_member_u64(&j, "frames", t->frames);
		json_member_u64(&j, "missed", t->missed);
		json_close(&j, '}');
	}
	json_close(&j, ']');
}

static void view_metrics(const struct leak_proc *p, struct out *o)
{
	out_z(o, "# TYPE hornwork_watched_frames_total counter\n"
		 "# TYPE hornwork_watched_frames_missed_total counter\n");
	for (size_t i = 0; i < PROC_TAPS_MAX; i++) {
		const struct leak_tap *t = &p->tap[i];

		if (!t->link)
			continue;
		out_fmt(o, "hornwork_watched_frames_total{interface=\"%s\"} %llu\n", t->interface,
			(unsigned long long)t->frames);
		out_fmt(o, "hornwork_watched_frames_missed_total{interface=\"%s\"} %llu\n",
			t->interface, (unsigned long long)t->missed);
	}
	out_z(o, "# TYPE hornwork_leaked_frames_total counter\n"
		 "# TYPE hornwork_devices gauge\n");
	for (size_t i = 0; i < LEAK_LINKS_MAX; i++) {
		const struct leaks *l = leaks_at(p, i);

		for (size_t k = 0; l && k < LEAK_KINDS; k++)
			out_fmt(o, "hornwork_leaked_frames_total{link=\"%s\",reason=\"%s\"} %llu\n",
				l->link.of, reason_row((enum reason)(REASON_leak_tag + k))->name,
				(unsigned long long)l->frames[k]);
		if (l)
			out_fmt(o, "hornwork_devices{link=\"%s\"} %zu\n", l->link.of,
				l->by_mac.count);
	}
}

/* ---- explain ---- */

struct look {
	struct ip_endpoint who; /* family IP_NONE: by hardware address */
	char mac[LEAK_MAC_TEXT_MAX];
	const struct leak_device *device;
	const struct leaks *on;
	struct json j;
	size_t told;
};

static bool is_of(const struct look *look, const struct ip_addr *addr,
		  const uint8_t mac[static LINK_MAC_BYTES])
{
	char text[LEAK_MAC_TEXT_MAX];

	return look->who.addr.family != IP_NONE ? ip_eq(addr, &look->who.addr)
						: strcmp(leak_mac_text(mac, text), look->mac) == 0;
}

static void find_device(const struct leaks *l, struct look *look)
{
	list_for_each (n, &l->by_age) {
		const struct leak_device *d = container_of(n, struct leak_device, node);

		if (d->used && is_of(look, &d->addr, d->mac)) {
			look->device = d;
			look->on = l;
		}
	}
}

static void tell_facts(const struct leaks *l, struct look *look)
{
	for (size_t k = 0; k < LEAKS_MAX && look->told < FACTS_MAX; k++) {
		const struct leak *f = &l->found[k];
		char text[512], when[CLOCK_TEXT_MAX], mac[LEAK_MAC_TEXT_MAX];
		struct out o = out_to(text, sizeof(text));

		if (f->count == 0 ||
		    (!is_of(look, &f->src.addr, f->mac) && !is_of(look, &f->dst.addr, f->mac)))
			continue;
		out_fmt(&o, "%s: %s on %s, %llu frame%s of %s (%s)", clock_text(f->last_ms, when),
			reason_row(f->reason)->sentence, l->link.of, (unsigned long long)f->count,
			f->count == 1 ? "" : "s", leak_mac_text(f->mac, mac), f->evidence);
		json_str(&look->j, out_slice(&o));
		look->told++;
	}
}

static void write_sentence(struct look *look, struct slice what)
{
	const struct leak_device *d = look->device;
	char text[SENTENCE_MAX], mac[LEAK_MAC_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));

	if (d)
		out_fmt(&o, "%.*s is the device %s on %s: %s%s%s%s%s", SLICE_ARGS(what),
			leak_mac_text(d->mac, mac), look->on->link.of,
			d->class == LEAK_CLASS_PHONE ? "a phone" : "announced",
			d->model[0] ? " " : "", d->model, d->firmware[0] ? ", firmware " : "",
			d->firmware);
	else
		out_fmt(&o, "%.*s announced itself on no link that is watched", SLICE_ARGS(what));
	json_member_str(&look->j, "sentence", out_slice(&o));
}

/* An address or a hardware address, in words: what was seen of it. A JSON list. */
static void explain(const struct leak_proc *p, struct answer *a, struct slice what)
{
	struct look look = {.j = json_to(&a->o)};

	json_open(&look.j, '[');
	if (ip_parse(what, &look.who.addr) && ip_endpoint_parse(what, 0, &look.who) &&
	    leak_mac_is(what))
		for (size_t i = 0; i < what.n; i++)
			look.mac[i] = ascii_lower(what.p[i]);
	for (size_t i = 0; i < LEAK_LINKS_MAX; i++)
		if (leaks_at(p, i))
			find_device(leaks_at(p, i), &look);
	if (look.who.addr.family != IP_NONE || look.mac[0]) {
		json_open(&look.j, '{');
		json_member_str(&look.j, "what", what);
		json_member_z(&look.j, "kind", "link");
		json_member_bool(&look.j, "known", look.device != NULL);
		write_sentence(&look, what);
		json_member_open(&look.j, "facts", '[');
		for (size_t i = 0; i < LEAK_LINKS_MAX; i++)
			if (leaks_at(p, i))
				tell_facts(leaks_at(p, i), &look);
		json_close(&look.j, ']');
		json_close(&look.j, '}');
	}
	json_close(&look.j, ']');
}

unsigned leak_proc_fill(struct leak_proc *p, struct answer *a, const struct proc_query_msg *q)
{
	switch (q->what) {
	case QUERY_LEAKS:
		view_leaks(p, a);
		return 200;
	case QUERY_DEVICES:
		view_devices(p, a);
		return 200;
	case QUERY_STATUS:
		view_status(p, a);
		return 200;
	case QUERY_METRICS:
		view_metrics(p, &a->o);
		return 200;
	case QUERY_EXPLAIN:
		explain(p, a, slice_z(q->argument));
		return 200;
	default:
		return 404;
	}
}
