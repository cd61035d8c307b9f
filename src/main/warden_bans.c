/* The bans that signal decided on, kept for the firewall and for the next signal process. */
#include "base/mem.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/warden_path.h"

#define BANS_WAIT_MS 200 /* changes within it are one transaction */

int warden_bans_new(struct warden *w)
{
	static const struct hash_key key = {0}; /* what comes in is signal's, and bounded */

	int err = r2_bans_init(&w->bans, &key);

	return err ? err : loop_timer_new(w->loop, warden_bans_apply, w, &w->bans_timer);
}

void warden_bans_done(struct warden *w)
{
	loop_timer_free(w->bans_timer);
	r2_bans_done(&w->bans);
}

/* ---- the firewall ---- */

struct wanted {
	const struct config *config;
	struct nft_ban *list;
	size_t count;
	struct ban *all; /* those of flows, and of strangers beside phones, too: for the shield */
	size_t all_count;
	uint64_t now_ms;
};

static bool holds(const struct ip_prefix *outer, const struct ip_addr *a)
{
	return a->family != IP_NONE && ip_in_prefix(a, outer);
}

/* Whom the configuration names is never kept out: such a ban is signal's alone to apply. */
static bool spares_nobody(const struct config *c, const struct ip_prefix *p)
{
	for (size_t i = 0; i < c->pbx_count; i++)
		if (holds(p, &c->pbxs[i].peer.at.addr))
			return false;
	for (size_t i = 0; i < c->trunk_count; i++)
		if (holds(p, &c->trunks[i].peer.at.addr))
			return false;
	for (size_t i = 0; i < c->limits.never_ban_count; i++)
		if (holds(p, &c->limits.never_ban[i].addr) ||
		    ip_in_prefix(&p->addr, &c->limits.never_ban[i]))
			return false;
	return true;
}

static void want(void *ctx, const struct ban *ban)
{
	struct wanted *w = ctx;

	if (!spares_nobody(w->config, &ban->prefix))
		return;
	w->all[w->all_count++] = *ban;
	if (!ban->whole || ban->port)
		return;
	w->list[w->count++] = (struct nft_ban){
		.prefix = ban->prefix,
		.for_s = ban->until_ms == BAN_FOR_EVER ? 0 : (ban->until_ms - w->now_ms) / 1000 + 1,
	};
}

void warden_bans_apply(void *ctx)
{
	struct warden *w = ctx;
	struct wanted all = {.config = w->now.config, .now_ms = clock_ms()};

	if (!w->nft && !w->path)
		return;
	r2_bans_expire(&w->bans, all.now_ms);
	all.list = mem_zalloc(r2_bans_count(&w->bans) + 1, sizeof(*all.list));
	all.all = mem_zalloc(r2_bans_count(&w->bans) + 1, sizeof(*all.all));
	if (all.list && all.all) { /* else signal applies them alone */
		r2_bans_walk(&w->bans, all.now_ms, want, &all);
		warden_shield_bans(w, all.all, all.all_count);
		if (w->nft && nft_bans_set(w->nft, all.list, all.count) != 0)
			log_line(SEV_WARNING, "nftables: bans: %s", nft_error(w->nft));
	}
	mem_free(all.list);
	mem_free(all.all);
}

/* ---- messages ---- */

int warden_on_ban(struct child *c, const struct proc_msg *msg)
{
	struct warden *w = c->warden;
	struct proc_ban m;
	const struct ip_prefix *p = &m.ban.prefix;

	memcpy(&m, msg->payload, sizeof(m));
	if ((p->addr.family != IP_V4 && p->addr.family != IP_V6) ||
	    p->bits > (p->addr.family == IP_V4 ? 32 : 128) || m.ban.reason >= REASON_COUNT ||
	    !memchr(m.ban.note, 0, sizeof(m.ban.note)) || !proc_bool_valid(&m.ban.whole))
		return ERR_PEER;
	if (m.lifted)
		(void)r2_bans_lift(&w->bans, p, m.ban.port);
	else if (r2_bans_put(&w->bans, &m.ban, clock_ms()) != 0)
		return 0; /* signal holds it alone */
	loop_timer_start(w->bans_timer, BANS_WAIT_MS);
	return 0;
}

static void hand(void *ctx, const struct ban *ban)
{
	struct proc_ban m = {.ban = *ban};

	/* A new signal knows no registered phone: what excepts them waits for new offences. */
	if (ban->whole)
		warden_child_send(ctx, PROC_BAN_KNOWN, &m, sizeof(m), NULL, 0);
}

void warden_bans_hand(struct child *signal)
{
	r2_bans_walk(&signal->warden->bans, clock_ms(), hand, signal);
}
