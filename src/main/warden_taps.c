/* Which interfaces are watched for leaks: sockets for the process that reads them. */
#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "enforce/link.h"
#include "enforce/tap.h"
#include "main/warden.h"

#define LOOK_MS 10000 /* links come and go */

struct tap {
	bool used, wanted, refused; /* refused: it was told, and is tried again in silence */
	int fd;			    /* -1 = it could not be opened */
	struct tap_wish wish;
	char interface[CONFIG_IFNAME_MAX];
	char of[CONFIG_IFNAME_MAX];
};

struct warden_taps {
	struct link_socket *links;
	struct loop_timer *look;
	bool full; /* it was told that there are more than PROC_TAPS_MAX */
	struct tap tap[PROC_TAPS_MAX];
};

static void hand(struct warden *w, size_t number)
{
	const struct tap *t = &w->taps->tap[number];
	struct proc_tap m = {.number = (uint32_t)number, .open = t->used && t->fd >= 0};
	struct child *watch = &w->child[CHILD_WATCH];

	if (!watch->warden) /* before the first birth */
		return;
	memcpy(m.interface, t->interface, sizeof(m.interface));
	memcpy(m.of, t->of, sizeof(m.of));
	warden_child_send(watch, PROC_TAP, &m, sizeof(m), &t->fd, m.open);
}

void warden_taps_hand(struct warden *w)
{
	for (size_t i = 0; w->taps && i < PROC_TAPS_MAX; i++)
		if (w->taps->tap[i].used && w->taps->tap[i].fd >= 0)
			hand(w, i);
}

/* ---- what is wanted ---- */

static const char *carrier_of(const struct config_zone *z)
{
	return z->parent[0] ? z->parent : z->interface;
}

static bool is_watched(const struct config *c, const char *of)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (c->zones[i].leak_watch && strcmp(carrier_of(&c->zones[i]), of) == 0)
			return true;
	return false;
}

static void add_own(struct tap_wish *wish, const struct ip_addr *a)
{
	if (a->family != IP_NONE && wish->own_count < TAP_OWN_MAX)
		wish->own[wish->own_count++] = *a;
}

/* Where voice must be encrypted, also what is sent to the gateway is looked at. */
static void wish_for(const struct config *c, const char *of, int index, struct tap_wish *out)
{
	*out = (struct tap_wish){.index = index};
	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *z = &c->zones[i];

		if (strcmp(carrier_of(z), of) != 0)
			continue;
		out->carries_vlan = out->carries_vlan || z->vlan;
		if (z->cleartext_deny)
			continue;
		add_own(out, &z->address4);
		add_own(out, &z->address6);
	}
}

static bool same_wish(const struct tap_wish *a, const struct tap_wish *b)
{
	if (a->index != b->index || a->carries_vlan != b->carries_vlan ||
	    a->own_count != b->own_count)
		return false;
	for (size_t i = 0; i < a->own_count; i++)
		if (!ip_eq(&a->own[i], &b->own[i]))
			return false;
	return true;
}

/* ---- what there is ---- */

static void close_tap(struct warden *w, size_t number)
{
	struct tap *t = &w->taps->tap[number];

	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	t->used = false;
	hand(w, number);
	*t = (struct tap){.fd = -1};
}

static void open_tap(struct warden *w, size_t number)
{
	struct tap *t = &w->taps->tap[number];
	int err = tap_open(&t->wish, &t->fd);

	if (!err) {
		t->refused = false;
		hand(w, number);
	} else if (err != ERR_ABSENT && err != -ENODEV && !t->refused) {
		t->refused = true;
		warden_notice(w, "%s is not watched for leaks: %s", t->interface, err_text(err));
	}
}

static void want(struct warden *w, const char *of, const struct link *link)
{
	struct warden_taps *s = w->taps;
	struct tap_wish wish;
	size_t at = PROC_TAPS_MAX;

	wish_for(w->now.config, of, link->index, &wish);
	for (size_t i = 0; i < PROC_TAPS_MAX; i++) {
		struct tap *t = &s->tap[i];

		if (t->used && strcmp(t->of, of) == 0 && strcmp(t->interface, link->name) == 0 &&
		    same_wish(&t->wish, &wish)) {
			t->wanted = true;
			if (t->fd < 0)
				open_tap(w, i);
			return;
		}
		if (!t->used && at == PROC_TAPS_MAX)
			at = i;
	}
	if (at == PROC_TAPS_MAX) {
		if (!s->full)
			warden_notice(w,
				      "%s and others are not watched for leaks: %zu interfaces "
				      "are watched at most",
				      link->name, PROC_TAPS_MAX);
		s->full = true;
		return;
	}
	s->tap[at] = (struct tap){.used = true, .wanted = true, .fd = -1, .wish = wish};
	(void)slice_to_z(slice_z(of), s->tap[at].of, CONFIG_IFNAME_MAX);
	(void)slice_to_z(slice_z(link->name), s->tap[at].interface, CONFIG_IFNAME_MAX);
	open_tap(w, at);
}

/* A bridge's own device sees neither what it passes on nor what ends at a port, as LLDP does. */
static void want_link(struct warden *w, const char *of, const struct link *links, size_t count)
{
	const struct link *own = NULL;

	for (size_t i = 0; i < count; i++)
		if (strcmp(links[i].name, of) == 0)
			own = &links[i];
	if (own && strcmp(own->kind, "bridge") != 0)
		want(w, of, own);
	for (size_t i = 0; own && i < count; i++)
		if (links[i].master == own->index && strcmp(own->kind, "bridge") == 0)
			want(w, of, &links[i]);
}

static bool first_of_link(const struct config *c, size_t zone)
{
	for (size_t i = 0; i < zone; i++)
		if (strcmp(carrier_of(&c->zones[i]), carrier_of(&c->zones[zone])) == 0)
			return false;
	return true;
}

static int taps_new(struct warden *w);

void warden_taps_apply(struct warden *w)
{
	const struct config *c = w->now.config;
	struct link *links;
	size_t count;
	int err = w->taps ? 0 : taps_new(w);

	err = err ? err : link_list(w->taps->links, &links, &count);
	if (err) {
		warden_notice(w, "links are not watched for leaks: %s", err_text(err));
		return;
	}
	for (size_t i = 0; i < PROC_TAPS_MAX; i++)
		w->taps->tap[i].wanted = false;
	for (size_t i = 0; i < c->zone_count; i++)
		if (is_watched(c, carrier_of(&c->zones[i])) && first_of_link(c, i) &&
		    !config_zone_is_device(c, (uint16_t)i))
			want_link(w, carrier_of(&c->zones[i]), links, count);
	mem_free(links);
	for (size_t i = 0; i < PROC_TAPS_MAX; i++)
		if (w->taps->tap[i].used && !w->taps->tap[i].wanted)
			close_tap(w, i);
	loop_timer_start(w->taps->look, LOOK_MS);
}

static void on_look(void *ctx)
{
	struct warden *w = ctx;

	if (!w->stopping)
		warden_taps_apply(w);
}

static int taps_new(struct warden *w)
{
	struct warden_taps *s = mem_zalloc(1, sizeof(*s));
	int err = s ? link_socket_new(&s->links) : ERR_NOMEM;

	if (!err)
		err = loop_timer_new(w->loop, on_look, w, &s->look);
	for (size_t i = 0; s && i < PROC_TAPS_MAX; i++)
		s->tap[i].fd = -1;
	if (err && s)
		link_socket_free(s->links);
	if (err)
		mem_free(s);
	else
		w->taps = s;
	return err;
}

void warden_taps_done(struct warden *w)
{
	if (!w->taps)
		return;
	for (size_t i = 0; i < PROC_TAPS_MAX; i++)
		if (w->taps->tap[i].fd >= 0)
			close(w->taps->tap[i].fd);
	loop_timer_free(w->taps->look);
	link_socket_free(w->taps->links);
	mem_free(w->taps);
	w->taps = NULL;
}
