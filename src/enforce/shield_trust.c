/* Who is kept out, and who has earned what. */
#include "enforce/shield_impl.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

#define NS_PER_S     1000000000ull
#define NS_PER_MS    1000000ull
#define FOR_EVER     UINT64_MAX
#define EXPIRE_BATCH 512u /* entries read at a time */

/* ---- bans ---- */

static uint64_t ban_until_ns(const struct ban *b)
{
	return b->until_ms > FOR_EVER / NS_PER_MS ? FOR_EVER : b->until_ms * NS_PER_MS;
}

static int row_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct hw_shield_prefix)); /* the key comes first */
}

static int key_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct hw_shield_flow_key));
}

static bool is_wide(const struct ip_prefix *p)
{
	return p->bits < (p->addr.family == IP_V4 ? 32 : 128);
}

/* The kernel finds the longest prefix alone: what a shorter one says besides is said there too. */
static struct hw_shield_ban effective(const struct ban *b, const struct ban *bans, size_t count)
{
	struct hw_shield_ban out = {
		.until_ns = ban_until_ns(b), .reason = b->reason, .whole = b->whole};

	for (size_t i = 0; i < count; i++) {
		const struct ban *w = &bans[i];

		if (w->port || !is_wide(&w->prefix) || w->prefix.bits >= b->prefix.bits ||
		    !ip_in_prefix(&b->prefix.addr, &w->prefix))
			continue;
		if (ban_until_ns(w) > out.until_ns)
			out.until_ns = ban_until_ns(w);
		out.whole |= w->whole;
	}
	return out;
}

/* Wide ones first, so that each is compared with them alone. */
static size_t wide_first(struct ban *bans, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		struct ban b = bans[i];

		if (!is_wide(&b.prefix))
			continue;
		bans[i] = bans[n];
		bans[n++] = b;
	}
	return n;
}

static int change(struct shield *s, struct shield_ban_row *rows, size_t count)
{
	int err = 0, fd = xdp_map_fd(s->xdp, XDP_MAP_BANS);

	for (size_t i = 0; i < s->ban_count; i++)
		if (!bsearch(&s->bans[i], rows, count, sizeof(*rows), row_compare))
			(void)bpf_map_delete_elem(fd, &s->bans[i].key);
	for (size_t i = 0; i < count; i++) {
		const struct shield_ban_row *old =
			s->ban_count ? bsearch(&rows[i], s->bans, s->ban_count, sizeof(*rows),
					       row_compare)
				     : NULL;

		if (old && memcmp(&old->ban, &rows[i].ban, sizeof(old->ban)) == 0)
			continue;
		if (bpf_map_update_elem(fd, &rows[i].key, &rows[i].ban, BPF_ANY) != 0)
			err = -errno;
	}
	mem_free(s->bans);
	s->bans = rows;
	s->ban_count = count;
	return err;
}

static int change_flows(struct shield *s, struct hw_shield_flow_key *keys, size_t count)
{
	int fd = xdp_map_fd(s->xdp, XDP_MAP_TRUSTED);

	qsort(keys, count, sizeof(*keys), key_compare);
	for (size_t i = 0; i < s->flow_ban_count; i++)
		if (!bsearch(&s->flow_bans[i], keys, count, sizeof(*keys), key_compare))
			(void)bpf_map_delete_elem(fd, &s->flow_bans[i]);
	mem_free(s->flow_bans);
	s->flow_bans = keys;
	s->flow_ban_count = count;
	return 0;
}

static int put_flow_ban(const struct shield *s, const struct ban *b, struct hw_shield_flow_key *out)
{
	struct ip_endpoint at = {b->prefix.addr, b->port};
	struct hw_shield_flow flow = {.until_ns = ban_until_ns(b), .trust = HW_TRUST_BANNED};

	*out = shield_flow_key(&at);
	return bpf_map_update_elem(xdp_map_fd(s->xdp, XDP_MAP_TRUSTED), out, &flow, BPF_ANY)
		       ? -errno
		       : 0;
}

int shield_bans_set(struct shield *s, const struct ban *bans, size_t count)
{
	struct shield_ban_row *rows = mem_zalloc(count + 1, sizeof(*rows));
	struct hw_shield_flow_key *keys = mem_zalloc(count + 1, sizeof(*keys));
	struct ban *sorted = mem_zalloc(count + 1, sizeof(*sorted));
	size_t row_count = 0, key_count = 0, wide;
	int err = 0;

	if (!rows || !keys || !sorted) {
		mem_free(rows);
		mem_free(keys);
		mem_free(sorted);
		return ERR_NOMEM;
	}
	if (count)
		memcpy(sorted, bans, count * sizeof(*bans));
	wide = wide_first(sorted, count);
	for (size_t i = 0; i < count; i++) {
		const struct ban *b = &sorted[i];

		if (b->port) {
			int failed = put_flow_ban(s, b, &keys[key_count++]);

			err = failed ? failed : err;
		} else {
			rows[row_count].key = shield_prefix_key(&b->prefix);
			rows[row_count++].ban = effective(b, sorted, wide);
		}
	}
	mem_free(sorted);
	qsort(rows, row_count, sizeof(*rows), row_compare);
	(void)change_flows(s, keys, key_count);
	count = row_count;
	return change(s, rows, count) ? -EIO : err;
}

/* ---- trust ---- */

static struct hw_shield_flow entry_of(const struct shield *s, enum hw_trust trust, uint64_t now_ms)
{
	uint64_t challenged = trust == HW_TRUST_CHALLENGED;
	uint32_t per_s = challenged ? SHIELD_CHALLENGE_PPS : s->per_source_pps;

	return (struct hw_shield_flow){
		.until_ns =
			(now_ms + (challenged ? SHIELD_CHALLENGE_MS : SHIELD_TRUST_MS)) * NS_PER_MS,
		.interval_ns = per_s ? NS_PER_S / per_s : 0,
		.burst_ns = SHIELD_BURST_S * NS_PER_S,
		.trust = (uint8_t)trust,
	};
}

/* The oldest challenge makes room; who has come further since then stays. */
static void challenge_remember(struct shield *s, const struct hw_shield_flow_key *key)
{
	struct hw_shield_flow_key *place = &s->challenged[s->challenged_at];
	int fd = xdp_map_fd(s->xdp, XDP_MAP_TRUSTED);
	struct hw_shield_flow old;

	if (place->family && bpf_map_lookup_elem(fd, place, &old) == 0 &&
	    old.trust == HW_TRUST_CHALLENGED)
		(void)bpf_map_delete_elem(fd, place);
	*place = *key;
	s->challenged_at = (s->challenged_at + 1) % SHIELD_CHALLENGES;
}

/* Phones share their address' budget, which grows with them, when they come from a new port. */
static int home_put(const struct shield *s, struct hw_shield_flow_key key, bool another,
		    uint64_t now_ms)
{
	int fd = xdp_map_fd(s->xdp, XDP_MAP_TRUSTED);
	struct hw_shield_flow home = {0};
	uint64_t per_s;

	key.port = 0;
	if (bpf_map_lookup_elem(fd, &key, &home) != 0)
		home = (struct hw_shield_flow){.trust = HW_TRUST_RETURNING};
	if (home.phones < SHIELD_PHONES_MAX)
		home.phones += another;
	per_s = s->per_source_pps + home.phones * (uint64_t)SHIELD_PHONE_PPS;
	home.interval_ns = s->per_source_pps ? NS_PER_S / per_s : 0;
	home.burst_ns = SHIELD_BURST_S * NS_PER_S;
	home.until_ns = (now_ms + SHIELD_HOME_MS) * NS_PER_MS;
	return bpf_map_update_elem(fd, &key, &home, BPF_ANY) ? -errno : 0;
}

static int distrust(int fd, const struct hw_shield_flow_key *key)
{
	struct hw_shield_flow old;

	if (key->port && bpf_map_lookup_elem(fd, key, &old) == 0 && old.trust != HW_TRUST_BANNED)
		(void)bpf_map_delete_elem(fd, key);
	return 0;
}

int shield_trust(struct shield *s, const struct ip_endpoint *flow, enum hw_trust trust,
		 uint64_t now_ms)
{
	struct hw_shield_flow_key key = shield_flow_key(flow);
	struct hw_shield_flow entry = entry_of(s, trust, now_ms), old;
	int fd = xdp_map_fd(s->xdp, XDP_MAP_TRUSTED);
	bool known = bpf_map_lookup_elem(fd, &key, &old) == 0 && old.until_ns > now_ms * NS_PER_MS;
	bool registered = known && old.trust == HW_TRUST_REGISTERED;

	if (trust == HW_TRUST_STRANGER)
		return distrust(fd, &key);
	if (flow->port == 0 || (known && old.trust == HW_TRUST_BANNED) ||
	    (trust == HW_TRUST_CHALLENGED && registered))
		return 0;
	if (known)
		entry.due_ns = old.due_ns;
	if (bpf_map_update_elem(fd, &key, &entry, BPF_ANY) != 0)
		return errno == E2BIG ? ERR_LIMIT : -errno;
	if (trust == HW_TRUST_CHALLENGED) {
		if (!known)
			challenge_remember(s, &key);
		return 0;
	}
	return home_put(s, key, !registered, now_ms);
}

/* ---- all of them ---- */

static void walk(const struct shield *s,
		 void (*each)(void *ctx, const struct hw_shield_flow_key *key,
			      const struct hw_shield_flow *flow),
		 void *ctx)
{
	int err = 0, fd = xdp_map_fd(s->xdp, XDP_MAP_TRUSTED);
	struct hw_shield_flow_key *keys = mem_zalloc(EXPIRE_BATCH, sizeof(*keys));
	struct hw_shield_flow *flows = mem_zalloc(EXPIRE_BATCH, sizeof(*flows));
	uint32_t from = 0, next = 0, count;
	bool first = true;

	while (keys && flows && !err) {
		count = EXPIRE_BATCH;
		err = bpf_map_lookup_batch(fd, first ? NULL : &from, &next, keys, flows, &count,
					   NULL);
		if (err && errno != ENOENT)
			break;
		for (uint32_t i = 0; i < count; i++)
			each(ctx, &keys[i], &flows[i]);
		from = next;
		first = false;
	}
	mem_free(keys);
	mem_free(flows);
}

struct sweep {
	const struct shield *s;
	uint64_t now_ns;
	uint32_t *count;
};

static void expire_one(void *ctx, const struct hw_shield_flow_key *key,
		       const struct hw_shield_flow *flow)
{
	const struct sweep *w = ctx;

	if (flow->until_ns <= w->now_ns)
		(void)bpf_map_delete_elem(xdp_map_fd(w->s->xdp, XDP_MAP_TRUSTED), key);
}

void shield_expire(struct shield *s, uint64_t now_ms)
{
	struct sweep w = {.s = s, .now_ns = now_ms * NS_PER_MS};

	walk(s, expire_one, &w);
}

static void count_one(void *ctx, const struct hw_shield_flow_key *key,
		      const struct hw_shield_flow *flow)
{
	const struct sweep *w = ctx;

	if (flow->until_ns > w->now_ns && flow->trust < HW_TRUST_COUNT)
		w->count[flow->trust]++;
}

void shield_population(const struct shield *s, uint64_t now_ms, uint32_t out[HW_TRUST_COUNT])
{
	struct sweep w = {.s = s, .now_ns = now_ms * NS_PER_MS, .count = out};

	memset(out, 0, HW_TRUST_COUNT * sizeof(out[0]));
	walk(s, count_one, &w);
}
