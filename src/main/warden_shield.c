/* The kernel path's shield: configuration, bans and trust go in, figures come out. */
#include <stdio.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/warden_path.h"

#define SWEEP_MS 30000 /* between two looks for flows whose time is over */

static struct shield *shield_of(const struct warden *w)
{
	return w->path ? w->path->shield : NULL;
}

/* It is told once in half of the grace, or signal could fill the log. */
void warden_shield_recover(struct warden *w, const char *why)
{
	uint64_t now_ms = clock_ms(), left_ms;
	int err;

	if (!shield_of(w))
		return;
	left_ms = shield_recovery_ms(shield_of(w), now_ms);
	err = shield_recover(shield_of(w), now_ms);
	if (err)
		log_line(SEV_WARNING, "shield: %s", err_text(err));
	else if (left_ms < SHIELD_RECOVERY_MS / 2)
		log_line(SEV_NOTICE, "%s: phones may register faster for %u s", why,
			 SHIELD_RECOVERY_MS / 1000);
}

static void look_at_links(struct warden *w, const struct config *c)
{
	for (size_t i = 0; i < c->zone_count; i++) {
		bool up = ways_interface(w->path->ways, c->zones[i].interface).up;

		if (up && w->path->zone_down[i])
			warden_shield_recover(w, "an interface is up again");
		w->path->zone_down[i] = !up;
	}
}

void warden_shield_apply(struct warden *w, const struct config *c)
{
	int err = 0;

	if (!w->path)
		return;
	if (!w->path->shield)
		err = shield_new(w->path->xdp, clock_ms(), &w->path->shield);
	err = err ? err : shield_apply(w->path->shield, c);
	if (err)
		log_line(SEV_WARNING, "shield: %s", err_text(err));
	else
		look_at_links(w, c);
}

void warden_shield_bans(struct warden *w, const struct ban *bans, size_t count)
{
	struct shield *s = shield_of(w);
	int err = s ? shield_bans_set(s, bans, count) : 0;

	if (err)
		log_line(SEV_WARNING, "shield: bans: %s", err_text(err));
}

void warden_shield_tick(struct warden *w)
{
	uint64_t now_ms = clock_ms();

	if (!shield_of(w) || now_ms - w->path->swept_ms < SWEEP_MS)
		return;
	w->path->swept_ms = now_ms;
	shield_expire(shield_of(w), now_ms);
}

/* Somewhere the program does not stand: nftables has the limits too. */
static bool by_rules(const struct warden *w)
{
	return w->nft && nft_shield_stands(w->nft);
}

static void trust_by_rules(struct warden *w, const struct proc_msg *msg)
{
	struct nft_trust trust[PROC_TRUST_MAX];
	size_t count = 0;
	struct proc_trust m;

	for (size_t at = 0; at + sizeof(m) <= msg->bytes && count < PROC_TRUST_MAX;
	     at += sizeof(m)) {
		memcpy(&m, msg->payload + at, sizeof(m));
		trust[count++] = (struct nft_trust){m.flow, (uint8_t)m.trust};
	}
	if (nft_shield_trust(w->nft, trust, count))
		log_line(SEV_WARNING, "shield: %s", nft_error(w->nft));
}

int warden_on_trust(struct warden *w, const struct proc_msg *msg)
{
	uint64_t now_ms = clock_ms();
	struct proc_trust m;

	for (size_t at = 0; at + sizeof(m) <= msg->bytes; at += sizeof(m)) {
		int err = 0;

		memcpy(&m, msg->payload + at, sizeof(m));
		if ((m.flow.addr.family != IP_V4 && m.flow.addr.family != IP_V6) ||
		    m.trust > HW_TRUST_REGISTERED || m.trust == HW_TRUST_RETURNING)
			return ERR_PEER;
		if (shield_of(w))
			err = shield_trust(shield_of(w), &m.flow, (enum hw_trust)m.trust, now_ms);
		if (err && err != ERR_LIMIT) /* without room it stays a stranger */
			log_line(SEV_WARNING, "shield: %s", err_text(err));
	}
	if (by_rules(w))
		trust_by_rules(w, msg);
	return 0;
}

static void rules_status(const struct warden *w, struct json *j)
{
	uint64_t packets;

	json_member_open(j, "shield", '{');
	json_member_z(j, "by", "nftables");
	json_member_open(j, "dropped", '{');
	for (unsigned i = 0; i < NFT_SHIELD_COUNT; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s-limit", nft_shield_name(i));
		json_member_u64(j, name, nft_shield_dropped(w->nft, i, &packets) ? 0 : packets);
	}
	json_close(j, '}');
	json_close(j, '}');
}

void warden_shield_status(const struct warden *w, struct json *j)
{
	struct hw_shield_counts counts;
	uint32_t flows[HW_TRUST_COUNT];

	if (by_rules(w)) {
		rules_status(w, j);
		return;
	}
	if (!shield_of(w))
		return;
	shield_counts(shield_of(w), &counts);
	shield_population(shield_of(w), clock_ms(), flows);
	json_member_open(j, "shield", '{');
	json_member_z(j, "by", "xdp");
	json_member_open(j, "dropped", '{');
	for (unsigned i = HW_SHIELD_PASS + 1; i < HW_SHIELD_WHY_COUNT; i++)
		json_member_u64(j, shield_why_name(i), counts.dropped[i]);
	json_close(j, '}');
	json_member_open(j, "passed", '{');
	for (unsigned i = 0; i < HW_TRUST_BANNED; i++)
		json_member_u64(j, shield_trust_name(i), counts.passed[i]);
	json_close(j, '}');
	json_member_u64(j, "recovery_s",
			(shield_recovery_ms(shield_of(w), clock_ms()) + 999) / 1000);
	json_member_open(j, "known", '{');
	json_member_u64(j, "registered_flows", flows[HW_TRUST_REGISTERED]);
	json_member_u64(j, "challenged_flows", flows[HW_TRUST_CHALLENGED]);
	json_member_u64(j, "banned_flows", flows[HW_TRUST_BANNED]);
	json_member_u64(j, "addresses", flows[HW_TRUST_RETURNING]);
	json_close(j, '}');
	json_close(j, '}');
}

static void write_seen(const struct hw_shield_seen *seen, struct slice what, struct out *o)
{
	char text[512], when[CLOCK_TEXT_MAX];
	struct out sentence = out_to(text, sizeof(text));
	struct json j = json_to(o);

	clock_text(clock_wall_of(seen->last_ns / 1000000u), when);
	out_fmt(&sentence, "the shield dropped %u packet%s of %.*s, last at %s from port %u: %s",
		seen->count, seen->count == 1 ? "" : "s", SLICE_ARGS(what), when, seen->port,
		shield_why_sentence(seen->why));
	json_open(&j, '{');
	json_member_str(&j, "what", what);
	json_member_z(&j, "kind", "shield");
	json_member_bool(&j, "known", true);
	json_member_str(&j, "sentence", out_slice(&sentence));
	json_member_u64(&j, "dropped", seen->count);
	json_member_z(&j, "why", shield_why_name(seen->why));
	json_member_u64(&j, "port", seen->port);
	json_member_z(&j, "last_at", when);
	json_member_z(&j, "first_at", clock_text(clock_wall_of(seen->first_ns / 1000000u), when));
	json_member_open(&j, "facts", '[');
	json_close(&j, ']');
	json_close(&j, '}');
}

void warden_shield_explain(const struct warden *w, struct slice what, struct out *o)
{
	struct hw_shield_seen seen;
	struct ip_endpoint who = {0};
	bool found = (ip_parse(what, &who.addr) == 0 || ip_endpoint_parse(what, 0, &who) == 0) &&
		     shield_of(w) && shield_seen(shield_of(w), &who.addr, &seen) == 0;
	char address[IP_TEXT_MAX];

	out_char(o, '[');
	if (found)
		write_seen(&seen, slice_z(ip_text(&who.addr, address)), o);
	out_char(o, ']');
}

static void rules_metrics(const struct warden *w, struct out *o)
{
	uint64_t packets;

	out_z(o, "# TYPE hornwork_shield_dropped_packets_total counter\n");
	for (unsigned i = 0; i < NFT_SHIELD_COUNT; i++)
		if (nft_shield_dropped(w->nft, i, &packets) == 0)
			out_fmt(o,
				"hornwork_shield_dropped_packets_total{reason=\"%s-limit\"} %llu\n",
				nft_shield_name(i), (unsigned long long)packets);
}

void warden_shield_metrics(const struct warden *w, struct out *o)
{
	struct hw_shield_counts counts;

	if (by_rules(w)) {
		rules_metrics(w, o);
		return;
	}
	if (!shield_of(w))
		return;
	shield_counts(shield_of(w), &counts);
	out_z(o, "# TYPE hornwork_shield_dropped_packets_total counter\n");
	for (unsigned i = HW_SHIELD_PASS + 1; i < HW_SHIELD_WHY_COUNT; i++)
		out_fmt(o, "hornwork_shield_dropped_packets_total{reason=\"%s\"} %llu\n",
			shield_why_name(i), (unsigned long long)counts.dropped[i]);
	out_z(o, "# TYPE hornwork_shield_passed_packets_total counter\n");
	for (unsigned i = 0; i < HW_TRUST_BANNED; i++)
		out_fmt(o, "hornwork_shield_passed_packets_total{trust=\"%s\"} %llu\n",
			shield_trust_name(i), (unsigned long long)counts.passed[i]);
}
