#include "main/warden_tunnels.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "enforce/charon.h"
#include "io/clock.h"

#define FILE_BYTES   (16 * 1024) /* of a PEM file */
#define SCRIPT_BYTES (64 * 1024) /* of the requests that make a tunnel */
#define EXPLAIN_MAX  768

struct tunnel {
	struct warden *warden;
	char name[CONFIG_NAME_MAX];
	struct charon *charon;
	char socket[CONFIG_PATH_MAX];	 /* charon's, and */
	struct ip_addr remote4, remote6; /* the other site's: with others it is another tunnel */
	struct loop_fd *watch;
	int watched_fd;
	uint64_t script; /* hash of what charon was told */
};

struct warden_tunnels {
	struct loop_timer *tick;
	struct tunnel *item[CONFIG_SECTIONS_MAX];
	size_t count;
};

static const struct config_tunnel *section_of(const struct tunnel *t)
{
	const struct config *c = t->warden->now.config;

	for (size_t i = 0; i < c->tunnel_count; i++)
		if (strcmp(c->tunnels[i].name, t->name) == 0)
			return &c->tunnels[i];
	return NULL;
}

/* ---- what charon is told ---- */

/* Up to FILE_BYTES of a file, or nothing for "". */
static int read_file(const char *path, char *buf, struct slice *out)
{
	int fd = *path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	size_t n = 0;
	ssize_t got = 0;

	*out = slice_of(NULL, 0);
	if (!*path)
		return 0;
	if (fd < 0)
		return -errno;
	while (n < FILE_BYTES && (got = read(fd, buf + n, FILE_BYTES - n)) > 0)
		n += (size_t)got;
	close(fd);
	if (got < 0)
		return -errno;
	if (n == FILE_BYTES)
		return ERR_LIMIT;
	*out = slice_of(buf, n);
	return 0;
}

static int write_script(void *ctx, struct out *o)
{
	struct tunnel *t = ctx;
	const struct config_tunnel *section = section_of(t);
	char *buf = section ? mem_zalloc(3, FILE_BYTES) : NULL;
	struct charon_files files;
	int err;

	if (!buf)
		return section ? ERR_NOMEM : ERR_ABSENT;
	err = read_file(section->certificate, buf, &files.certificate);
	err = err ? err : read_file(section->ca, buf + FILE_BYTES, &files.ca);
	err = err ? err : read_file(section->key, buf + 2 * (size_t)FILE_BYTES, &files.key);
	if (!err)
		err = charon_load_write(o, t->warden->now.config, section, &files);
	explicit_bzero(buf, 3 * (size_t)FILE_BYTES);
	mem_free(buf);
	return err;
}

/* Tells whether the terms changed, without keeping them. */
static uint64_t script_hash(struct tunnel *t)
{
	static const struct hash_key key;
	char *buf = mem_zalloc(1, SCRIPT_BYTES);
	struct out o = out_to(buf, buf ? SCRIPT_BYTES : 0);
	uint64_t hash = 0;

	if (buf && write_script(t, &o) == 0)
		hash = hash_bytes(&key, out_slice(&o));
	if (buf)
		explicit_bzero(buf, SCRIPT_BYTES);
	mem_free(buf);
	return hash;
}

/* ---- what is told of it ---- */

static void on_news(void *ctx, enum reason what, struct slice detail)
{
	struct tunnel *t = ctx;
	const struct config_tunnel *section = section_of(t);
	char text[CONFIG_NAME_MAX + CHARON_WORDS_MAX + 4];
	struct out o = out_to(text, sizeof(text));
	struct event e = {.type = "tunnel", .reason = what};

	out_z(&o, t->name);
	if (detail.n)
		out_z(&o, ": ");
	out_bytes(&o, detail);
	e.detail = out_slice(&o);
	if (section) {
		e.from.addr = section->remote4.family ? section->remote4 : section->remote6;
		e.zone = t->warden->now.config->zones[section->zone].name;
	}
	warden_event(t->warden, &e);
}

/* ---- the loop ---- */

static void on_socket(void *ctx, unsigned events);

/* The client may have another socket now, or something to write. */
static void rewatch(struct tunnel *t)
{
	unsigned want = LOOP_READ | (charon_wants_write(t->charon) ? LOOP_WRITE : 0u);
	int fd = charon_fd(t->charon);

	if (fd != t->watched_fd) {
		loop_fd_remove(t->watch);
		t->watch = NULL;
		t->watched_fd = fd;
		/* without memory the tick reads in its place */
		if (fd >= 0 && loop_fd_add(t->warden->loop, fd, want, on_socket, t, &t->watch) != 0)
			t->watched_fd = -1;
	} else if (t->watch) {
		loop_fd_want(t->watch, want);
	}
}

static void on_socket(void *ctx, unsigned events)
{
	struct tunnel *t = ctx;

	(void)events;
	charon_ready(t->charon, clock_ms());
	rewatch(t);
}

static void on_tick(void *ctx)
{
	struct warden *w = ctx;

	for (size_t i = 0; i < w->tunnels->count; i++) {
		struct tunnel *t = w->tunnels->item[i];

		charon_tick(t->charon, clock_ms());
		charon_ready(t->charon, clock_ms());
		rewatch(t);
	}
	loop_timer_start(w->tunnels->tick, CHARON_TICK_MS);
}

/* ---- which there are ---- */

static void tunnel_end(struct tunnel *t)
{
	loop_fd_remove(t->watch);
	charon_leave(t->charon);
	charon_free(t->charon);
	mem_free(t);
}

static bool key_shared(void *ctx, const char *key_id)
{
	const struct tunnel *t = ctx;
	const struct warden_tunnels *all = t->warden->tunnels;

	for (size_t i = 0; i < all->count; i++) {
		const struct tunnel *other = all->item[i];

		if (other != t && strcmp(other->socket, t->socket) == 0 &&
		    strcmp(charon_key_id(other->charon), key_id) == 0)
			return true;
	}
	return false;
}

static void key_gone(void *ctx, const char *key_id)
{
	const struct tunnel *t = ctx;
	const struct warden_tunnels *all = t->warden->tunnels;

	for (size_t i = 0; i < all->count; i++)
		if (all->item[i] != t && strcmp(all->item[i]->socket, t->socket) == 0)
			charon_key_gone(all->item[i]->charon, key_id);
}

static int tunnel_begin(struct warden *w, const struct config_tunnel *section)
{
	struct charon_setup setup = {.load = write_script,
				     .news = on_news,
				     .key_shared = key_shared,
				     .key_gone = key_gone,
				     .remote4 = section->remote4,
				     .remote6 = section->remote6};
	struct tunnel *t = mem_zalloc(1, sizeof(*t));
	int err;

	if (!t)
		return ERR_NOMEM;
	t->warden = w;
	t->watched_fd = -1;
	memcpy(t->name, section->name, sizeof(t->name));
	memcpy(setup.name, section->name, sizeof(setup.name));
	memcpy(setup.socket, section->charon, sizeof(setup.socket));
	memcpy(t->socket, section->charon, sizeof(t->socket));
	t->remote4 = section->remote4;
	t->remote6 = section->remote6;
	setup.ctx = t;
	err = charon_new(&setup, clock_ms(), &t->charon);
	if (err) {
		mem_free(t);
		return err;
	}
	t->script = script_hash(t);
	w->tunnels->item[w->tunnels->count++] = t;
	return 0;
}

static struct tunnel *tunnel_find(const struct warden_tunnels *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->item[i]->name, name) == 0)
			return all->item[i];
	return NULL;
}

/* Whether it goes on, perhaps by other terms. */
static bool goes_on(const struct tunnel *t)
{
	const struct config_tunnel *section = section_of(t);

	return section && strcmp(section->charon, t->socket) == 0 &&
	       ip_eq(&section->remote4, &t->remote4) && ip_eq(&section->remote6, &t->remote6);
}

/* Each is out of the list before it ends, so that the last one of a key takes the key with it. */
static void end_others(struct warden_tunnels *all)
{
	for (size_t i = all->count; i-- > 0;) {
		struct tunnel *t = all->item[i];

		if (goes_on(t))
			continue;
		all->item[i] = all->item[--all->count];
		tunnel_end(t);
	}
}

/* The terms of one that goes on. */
static void take_terms(struct tunnel *t)
{
	uint64_t script = script_hash(t);

	if (script == t->script)
		return;
	t->script = script;
	charon_reload(t->charon, true, clock_ms());
	rewatch(t);
}

static int tunnels_new(struct warden *w)
{
	struct warden_tunnels *all = mem_zalloc(1, sizeof(*all));
	int err = all ? loop_timer_new(w->loop, on_tick, w, &all->tick) : ERR_NOMEM;

	if (err) {
		mem_free(all);
		return err;
	}
	w->tunnels = all;
	loop_timer_start(all->tick, 1);
	return 0;
}

int warden_tunnels_apply(struct warden *w)
{
	const struct config *c = w->now.config;
	int err = 0;

	if (!w->tunnels && c->tunnel_count == 0)
		return 0;
	if (!w->tunnels)
		err = tunnels_new(w);
	if (err)
		return err;
	end_others(w->tunnels);
	for (size_t i = 0; i < c->tunnel_count && !err; i++) {
		struct tunnel *t = tunnel_find(w->tunnels, c->tunnels[i].name);

		if (t)
			take_terms(t);
		else
			err = tunnel_begin(w, &c->tunnels[i]);
	}
	return err;
}

int warden_tunnels_check(const struct warden *w, const struct config *c, struct out *errors)
{
	if (c->tunnel_count == 0 || w->nft)
		return 0;
	out_fmt(errors,
		"%s:%u: tunnel %s needs the gateway's firewall, which keeps everything in it; run "
		"the gateway as root on a kernel with nf_tables\n",
		w->config_path, c->tunnels[0].line, c->tunnels[0].name);
	return ERR_DENIED;
}

void warden_tunnels_done(struct warden *w)
{
	if (!w->tunnels)
		return;
	while (w->tunnels->count > 0)
		tunnel_end(w->tunnels->item[--w->tunnels->count]);
	loop_timer_free(w->tunnels->tick);
	mem_free(w->tunnels);
	w->tunnels = NULL;
}

/* ---- views ---- */

static void explain(struct out *o, const struct tunnel *t, const struct config_tunnel *section)
{
	const struct charon_view *v = charon_view(t->charon);
	const struct ip_addr *remote =
		section->remote4.family ? &section->remote4 : &section->remote6;
	const struct reason_row *why = reason_row(v->why);
	char text[IP_TEXT_MAX];

	out_fmt(o, "tunnel %s to %s ", t->name, ip_text(remote, text));
	if (v->state == CHARON_UP) {
		out_fmt(o, "is up: IKE %s, ESP %s, the other site is %s", v->ike, v->esp,
			v->remote_id);
		return;
	}
	out_z(o, "is not up, and nothing passes outside of it");
	if (v->why != REASON_NONE)
		out_fmt(o, ": %s (%s)", why->sentence, why->reference);
	if (*v->words)
		out_fmt(o, "; charon: %s", v->words);
}

static void figures(const struct warden *w, const struct config_tunnel *section, bool in,
		    struct nft_counter_value *out)
{
	uint16_t index = (uint16_t)(section - w->now.config->tunnels);

	if (!w->nft || nft_tunnel_counter(w->nft, index, in, out) != 0)
		*out = (struct nft_counter_value){0};
}

static void one_status(struct json *j, const struct tunnel *t, const struct config_tunnel *section)
{
	const struct charon_view *v = charon_view(t->charon);
	struct nft_counter_value in, out;
	char text[EXPLAIN_MAX], remote[IP_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));

	figures(t->warden, section, true, &in);
	figures(t->warden, section, false, &out);
	explain(&o, t, section);
	json_open(j, '{');
	json_member_z(j, "name", t->name);
	json_member_z(
		j, "remote",
		ip_text(section->remote4.family ? &section->remote4 : &section->remote6, remote));
	json_member_z(j, "state", charon_state_text(v->state));
	json_member_u64(j, "since_s", (clock_ms() - v->since_ms) / 1000);
	json_member_u64(j, "times_up", v->ups);
	json_member_z(j, "reason", v->why == REASON_NONE ? "" : reason_row(v->why)->name);
	json_member_z(j, "ike", v->ike);
	json_member_z(j, "esp", v->esp);
	json_member_z(j, "remote_id", v->remote_id);
	json_member_u64(j, "bytes_in", v->bytes_in);
	json_member_u64(j, "bytes_out", v->bytes_out);
	json_member_u64(j, "stopped_in", in.packets);
	json_member_u64(j, "stopped_out", out.packets);
	json_member_str(j, "explain", out_slice(&o));
	json_close(j, '}');
}

void warden_tunnels_status(const struct warden *w, struct json *j)
{
	json_member_open(j, "tunnels", '[');
	for (size_t i = 0; w->tunnels && i < w->tunnels->count; i++) {
		const struct config_tunnel *section = section_of(w->tunnels->item[i]);

		if (section)
			one_status(j, w->tunnels->item[i], section);
	}
	json_close(j, ']');
}

static void one_metrics(struct out *o, const struct tunnel *t, const struct config_tunnel *section)
{
	const struct charon_view *v = charon_view(t->charon);
	const uint64_t bytes[] = {v->bytes_in, v->bytes_out};
	const uint64_t packets[] = {v->packets_in, v->packets_out};

	out_fmt(o, "hornwork_tunnel_up{tunnel=\"%s\"} %d\n", t->name, v->state == CHARON_UP);
	out_fmt(o, "hornwork_tunnel_ups_total{tunnel=\"%s\"} %llu\n", t->name,
		(unsigned long long)v->ups);
	for (size_t i = 0; i < 2; i++) {
		const char *way = i == 0 ? "in" : "out";
		struct nft_counter_value stopped;

		figures(t->warden, section, i == 0, &stopped);
		out_fmt(o, "hornwork_tunnel_bytes_total{tunnel=\"%s\",direction=\"%s\"} %llu\n",
			t->name, way, (unsigned long long)bytes[i]);
		out_fmt(o, "hornwork_tunnel_packets_total{tunnel=\"%s\",direction=\"%s\"} %llu\n",
			t->name, way, (unsigned long long)packets[i]);
		out_fmt(o,
			"hornwork_tunnel_stopped_packets_total{tunnel=\"%s\",direction=\"%s\"} "
			"%llu\n",
			t->name, way, (unsigned long long)stopped.packets);
	}
}

void warden_tunnels_metrics(const struct warden *w, struct out *o)
{
	if (!w->tunnels || w->tunnels->count == 0)
		return;
	out_z(o, "# TYPE hornwork_tunnel_up gauge\n"
		 "# TYPE hornwork_tunnel_ups_total counter\n"
		 "# TYPE hornwork_tunnel_bytes_total counter\n"
		 "# TYPE hornwork_tunnel_packets_total counter\n"
		 "# TYPE hornwork_tunnel_stopped_packets_total counter\n");
	for (size_t i = 0; i < w->tunnels->count; i++) {
		const struct config_tunnel *section = section_of(w->tunnels->item[i]);

		if (section)
			one_metrics(o, w->tunnels->item[i], section);
	}
}
