#include "guard/r2_bans.h"

#include "base/mem.h"

struct entry {
	struct hash_node by_flow; /* of a single address */
	struct list all, wide;
	struct ban ban;
};

static bool ban_is_single(const struct ip_prefix *p)
{
	return p->bits == (p->addr.family == IP_V4 ? 32 : 128);
}

void ban_write_who(struct out *o, const struct ban *ban)
{
	struct ip_endpoint flow = {ban->prefix.addr, ban->port};

	if (ban->port) {
		ip_endpoint_write(o, &flow);
		return;
	}
	ip_write(o, &ban->prefix.addr);
	if (!ban_is_single(&ban->prefix))
		out_fmt(o, "/%u", ban->prefix.bits);
}

int r2_bans_init(struct r2_bans *b, const struct hash_key *key)
{
	*b = (struct r2_bans){.key = *key};
	list_init(&b->all);
	list_init(&b->wide);
	return hash_init(&b->exact, R2_BANS_MAX);
}

static void entry_free(struct r2_bans *b, struct entry *e)
{
	hash_remove(&b->exact, &e->by_flow);
	if (!list_empty(&e->wide))
		b->wide_count--;
	list_remove(&e->wide);
	list_remove(&e->all);
	mem_free(e);
}

void r2_bans_done(struct r2_bans *b)
{
	if (!b->all.next)
		return; /* never set up */
	while (!list_empty(&b->all))
		entry_free(b, container_of(b->all.next, struct entry, all));
	hash_done(&b->exact);
}

static uint64_t hash_of(const struct r2_bans *b, const struct ip_addr *a, uint16_t port)
{
	char key[sizeof(*a) + sizeof(port)]; /* without padding */

	memcpy(key, a, sizeof(*a));
	memcpy(key + sizeof(*a), &port, sizeof(port));
	return hash_bytes(&b->key, slice_of(key, sizeof(key)));
}

static bool over(const struct ban *ban, uint64_t now_ms)
{
	return ban->until_ms != BAN_FOR_EVER && ban->until_ms <= now_ms;
}

static struct entry *find_single(const struct r2_bans *b, const struct ip_addr *a, uint16_t port)
{
	struct hash_node *n = hash_first(&b->exact, hash_of(b, a, port));

	for (; n; n = hash_next(n)) {
		struct entry *e = container_of(n, struct entry, by_flow);

		if (e->ban.port == port && ip_eq(&e->ban.prefix.addr, a))
			return e;
	}
	return NULL;
}

static struct entry *find_wide(const struct r2_bans *b, const struct ip_prefix *p)
{
	list_for_each (n, &b->wide) {
		struct entry *e = container_of(n, struct entry, wide);

		if (e->ban.prefix.bits == p->bits && ip_eq(&e->ban.prefix.addr, &p->addr))
			return e;
	}
	return NULL;
}

static struct entry *find_same(const struct r2_bans *b, const struct ip_prefix *p, uint16_t port)
{
	return ban_is_single(p) ? find_single(b, &p->addr, port) : find_wide(b, p);
}

static int enter(struct r2_bans *b, struct entry *e)
{
	if (!ban_is_single(&e->ban.prefix)) {
		if (b->wide_count >= R2_BANS_WIDE_MAX)
			return ERR_LIMIT;
		list_append(&b->wide, &e->wide);
		b->wide_count++;
		return 0;
	}
	return hash_add(&b->exact, &e->by_flow, hash_of(b, &e->ban.prefix.addr, e->ban.port));
}

int r2_bans_put(struct r2_bans *b, const struct ban *ban, uint64_t now_ms)
{
	struct entry *e = find_same(b, &ban->prefix, ban->port);
	int err;

	if (e) {
		e->ban = *ban;
		return 0;
	}
	if (r2_bans_count(b) >= R2_BANS_MAX)
		r2_bans_expire(b, now_ms);
	e = mem_zalloc(1, sizeof(*e));
	if (!e)
		return ERR_NOMEM;
	e->ban = *ban;
	list_init(&e->all);
	list_init(&e->wide);
	err = enter(b, e);
	if (err) {
		mem_free(e);
		return err;
	}
	list_append(&b->all, &e->all);
	return 0;
}

bool r2_bans_lift(struct r2_bans *b, const struct ip_prefix *prefix, uint16_t port)
{
	struct entry *e = find_same(b, prefix, port);

	if (e)
		entry_free(b, e);
	return e != NULL;
}

static const struct ban *in_force(const struct entry *e, uint64_t now_ms)
{
	return e && !over(&e->ban, now_ms) ? &e->ban : NULL;
}

const struct ban *r2_bans_find(const struct r2_bans *b, const struct ip_endpoint *source,
			       bool registered, uint64_t now_ms)
{
	const struct ban *found = NULL;

	if (list_empty(&b->all))
		return NULL;
	if (source->port)
		found = in_force(find_single(b, &source->addr, source->port), now_ms);
	if (found)
		return found;
	found = in_force(find_single(b, &source->addr, 0), now_ms);
	if (found && (found->whole || !registered))
		return found;
	list_for_each (n, &b->wide) {
		const struct entry *e = container_of(n, struct entry, wide);

		if (!over(&e->ban, now_ms) && (e->ban.whole || !registered) &&
		    ip_in_prefix(&source->addr, &e->ban.prefix))
			return &e->ban;
	}
	return NULL;
}

void r2_bans_expire(struct r2_bans *b, uint64_t now_ms)
{
	list_for_each_safe (n, &b->all) {
		struct entry *e = container_of(n, struct entry, all);

		if (over(&e->ban, now_ms))
			entry_free(b, e);
	}
}

size_t r2_bans_count(const struct r2_bans *b)
{
	return b->exact.count + b->wide_count;
}

void r2_bans_walk(const struct r2_bans *b, uint64_t now_ms,
		  void (*each)(void *ctx, const struct ban *ban), void *ctx)
{
	list_for_each (n, &b->all) {
		const struct entry *e = container_of(n, struct entry, all);

		if (!over(&e->ban, now_ms))
			each(ctx, &e->ban);
	}
}
