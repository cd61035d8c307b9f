#include <unistd.h>

#include "base/mem.h"
#include "guard/r5_segment.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/warden_lanes.h"
#include "main/warden_path.h"
#include "main/warden_probe.h"
#include "media/flow_check.h"
#include "proc/journal.h"

#define ORPHANS_MS    1000 /* how often flows of a dead signal are looked at */
#define ADDRESSES_MAX HW_TABLE_ADDRESSES_MAX
#define CHANGES_MAX   (2 * PROC_FLOW_OPS_MAX) /* a replaced flow removes one pinhole and adds one */

/* What one batch of requests changes outside of the table. */
struct changes {
	struct nft_pinhole add[CHANGES_MAX], remove[CHANGES_MAX];
	size_t add_count, remove_count;
	uint32_t kick[PROC_FLOW_OPS_MAX];
	size_t kick_count;
};

int warden_flows_new(struct warden *w)
{
	int err = flow_table_create(ADDRESSES_MAX, &w->flows);

	err = err ? err : vault_create(ADDRESSES_MAX, &w->vault);
	err = err ? err : vault_gauge_new(&w->vault, &w->gauge);
	err = err ? err : journal_create(&w->journal_fd);
	if (err)
		return err;
	w->adopted = mem_zalloc(flow_table_size(w->flows) / 64 + 1, sizeof(uint64_t));
	err = w->adopted ? 0 : ERR_NOMEM;
	return err ? err : warden_path_new(w);
}

void warden_flows_done(struct warden *w)
{
	if (w->nft && nft_remove(w->nft) != 0)
		log_line(SEV_WARNING, "the nftables table could not be removed: %s",
			 nft_error(w->nft));
	nft_free(w->nft);
	w->nft = NULL;
	warden_path_free(w, true);
	loop_timer_free(w->orphans);
	flow_table_free(w->flows);
	vault_gauge_free(w->gauge);
	vault_fds_close(&w->vault);
	if (w->journal_fd >= 0)
		close(w->journal_fd);
	mem_free(w->adopted);
}

static struct nft_pinhole pinhole_of(const struct flow_spec *spec)
{
	return (struct nft_pinhole){spec->local, spec->source.addr, spec->ice};
}

static int collect_pinholes(struct warden *w, struct nft_pinhole **out, size_t *out_count)
{
	size_t count = flow_table_open_count(w->flows), n = 0;
	struct nft_pinhole *p = mem_zalloc(count + 1, sizeof(*p));
	uint32_t i = flow_table_next(w->flows, 0);
	struct flow_spec spec;

	if (!p)
		return ERR_NOMEM;
	for (; i != HW_FLOW_NONE && n < count; i = flow_table_next(w->flows, i + 1))
		if (flow_table_spec(w->flows, i, &spec))
			p[n++] = pinhole_of(&spec);
	*out = p;
	*out_count = n;
	return 0;
}

static int add_addresses(struct flow_table *t, const struct config *c)
{
	int err = 0;

	for (size_t i = 0; i < c->zone_count && !err; i++) {
		if (c->zones[i].address4.family != IP_NONE)
			err = flow_table_address_add(t, &c->zones[i].address4);
		if (!err && c->zones[i].address6.family != IP_NONE)
			err = flow_table_address_add(t, &c->zones[i].address6);
	}
	return err;
}

int warden_firewall_apply(struct warden *w, const struct config *config)
{
	struct segment_policy *policy = NULL;
	struct nft_pinhole *pinholes = NULL;
	size_t count = 0;
	int err;

	if (!w->nft)
		return 0;
	err = collect_pinholes(w, &pinholes, &count);
	err = err ? err : r5_segment_new(config, &policy);
	err = err ? err : nft_quarantine_set(w->nft, config->quarantine, config->quarantine_count);
	nft_shield_want(w->nft, !w->path || !warden_program_wanted(config) ||
					warden_path_refused(w)[0] != '\0');
	err = err ? err : nft_apply(w->nft, config, policy, pinholes, count);
	r5_segment_free(policy);
	mem_free(pinholes);
	if (!err)
		warden_bans_apply(w);
	return err;
}

int warden_flows_apply(struct warden *w, const struct config *config)
{
	int err = add_addresses(w->flows, config);

	err = err ? err : warden_path_apply(w, config);
	warden_path_look(w);
	return err ? err : warden_firewall_apply(w, config);
}

const char *warden_flows_error(const struct warden *w, int err)
{
	const char *path = warden_path_refused(w), *nft = w->nft ? nft_error(w->nft) : "";

	if (err == ERR_ABSENT && path[0])
		return path;
	return nft[0] ? nft : err_text(err);
}

/* The index of a zone may be another one since a reload; its address tells. */
static const char *zone_name(const struct warden *w, const struct flow_spec *spec)
{
	const struct config *c = w->now.config;

	for (size_t i = 0; i < c->zone_count; i++)
		if (ip_eq(&c->zones[i].address4, &spec->local.addr) ||
		    ip_eq(&c->zones[i].address6, &spec->local.addr))
			return c->zones[i].name;
	return "-";
}

static const char *proto_name(const struct flow_spec *spec)
{
	return spec->kind == FLOW_RTP ? "rtp" : spec->kind == FLOW_RTCP ? "rtcp" : "udp";
}

static void flow_event(struct warden *w, const struct flow_spec *spec, const char *action,
		       enum reason why, const char *detail)
{
	struct event e = {.type = "flow",
			  .reason = why,
			  .from = spec->source,
			  .to = spec->local,
			  .proto = proto_name(spec),
			  .zone = zone_name(w, spec),
			  .call = spec->call,
			  .action = action,
			  .local = &spec->local,
			  .source = &spec->source,
			  .detail = slice_z(detail)};

	warden_event(w, &e);
}

static void flow_close(struct warden *w, struct changes *ch, uint32_t index, enum reason why)
{
	struct flow_spec spec;

	if (!flow_table_spec(w->flows, index, &spec) || flow_table_withdraw(w->flows, index) != 0)
		return;
	ch->remove[ch->remove_count++] = pinhole_of(&spec);
	ch->kick[ch->kick_count++] = index;
	w->pinholes.closed++;
	flow_event(w, &spec, "close", why, NULL);
}

static void flow_refuse(struct warden *w, struct child *from, const struct flow_spec *spec,
			enum reason why, const char *detail)
{
	struct proc_flow_refused m = {spec->local, spec->call, (uint32_t)why};

	w->pinholes.refused++;
	flow_event(w, spec, "refuse", why, detail);
	log_line(SEV_CRITICAL, "%s: %s", reason_row(why)->sentence, detail ? detail : "");
	if (from->kind == PROC_PROBE)
		warden_probe_on_refused(w, why);
	warden_child_send(from, PROC_FLOW_REFUSED, &m, sizeof(m), NULL, 0);
}

/* Replacing what stands there is one closing and one opening only if the source changes. */
static void flow_open(struct warden *w, struct child *from, struct changes *ch,
		      const struct proc_flow_op *op)
{
	const char *detail = NULL;
	uint32_t index = flow_table_index(w->flows, &op->spec.local);
	struct flow_way way;
	struct flow_spec old;
	bool same, replaces = flow_table_spec(w->flows, index, &old);
	enum reason why = flow_check(w->now.config, &op->spec, replaces ? &old : NULL, &detail);

	if (why != REASON_NONE || index == HW_FLOW_NONE) {
		flow_refuse(w, from, &op->spec, why != REASON_NONE ? why : REASON_warden_refused,
			    detail);
		return;
	}
	same = replaces && old.call == op->spec.call && old.ice == op->spec.ice &&
	       ip_eq(&old.source.addr, &op->spec.source.addr);
	way = warden_path_way(w, &op->spec);
	if (flow_table_publish_by(w->flows, &op->spec, &way, clock_ns(), &index) != 0) {
		flow_refuse(w, from, &op->spec, REASON_warden_refused, "its port is not ours");
		return;
	}
	ch->kick[ch->kick_count++] = index;
	if (same)
		return;
	if (replaces) {
		ch->remove[ch->remove_count++] = pinhole_of(&old);
		w->pinholes.closed++;
		flow_event(w, &old, "close", REASON_stream_moved, NULL);
	}
	ch->add[ch->add_count++] = pinhole_of(&op->spec);
	w->pinholes.opened++;
	flow_event(w, &op->spec, "open", (enum reason)op->reason, NULL);
}

/* What stands there as the new signal wants it goes on untouched: nothing is learned anew, no
 * figure starts afresh. */
static void flow_adopt(struct warden *w, struct child *from, struct changes *ch,
		       const struct proc_flow_op *op)
{
	uint32_t index = flow_table_index(w->flows, &op->spec.local);

	if (flow_table_holds(w->flows, &op->spec))
		w->adopted[index / 64] |= UINT64_C(1) << index % 64;
	else
		flow_open(w, from, ch, op);
}

static void apply(struct warden *w, struct changes *ch)
{
	int err = 0;

	if (w->nft && ch->add_count + ch->remove_count > 0)
		err = nft_pinholes_change(w->nft, ch->add, ch->add_count, ch->remove,
					  ch->remove_count);
	if (err) {
		log_line(SEV_WARNING, "nftables: %s; the table is written anew", nft_error(w->nft));
		err = warden_flows_apply(w, w->now.config);
	}
	if (err)
		log_line(SEV_CRITICAL, "nftables: %s", nft_error(w->nft));
	if (ch->kick_count)
		warden_child_send(&w->child[CHILD_MEDIA], PROC_MEDIA_KICK, ch->kick,
				  ch->kick_count * sizeof(ch->kick[0]), NULL, 0);
	ch->add_count = ch->remove_count = ch->kick_count = 0;
}

static bool truths_valid(const struct flow_spec *spec)
{
	const bool *const truths[] = {&spec->from_caller,
				      &spec->rtcp_mux,
				      &spec->dtls,
				      &spec->ice,
				      &spec->learn_port,
				      &spec->to_learned,
				      &spec->secret_in.required,
				      &spec->secret_in.terminated,
				      &spec->secret_out.required,
				      &spec->secret_out.terminated};

	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (!proc_bool_valid(truths[i]))
			return false;
	return true;
}

static bool op_valid(const struct proc_flow_op *op)
{
	return truths_valid(&op->spec) && op->op <= FLOW_OP_ADOPT && op->reason < REASON_COUNT &&
	       op->spec.kind <= FLOW_RAW && memchr(op->spec.codec, 0, sizeof(op->spec.codec)) &&
	       op->spec.local.addr.family <= IP_V6 && op->spec.source.addr.family <= IP_V6 &&
	       op->spec.out.addr.family <= IP_V6 && op->spec.to.addr.family <= IP_V6;
}

int warden_flow_ops(struct warden *w, struct child *from, const struct proc_msg *msg)
{
	size_t count = msg->bytes / sizeof(struct proc_flow_op);
	struct changes *ch = mem_zalloc(1, sizeof(*ch));
	int err = 0;

	if (!ch)
		return ERR_NOMEM;
	for (size_t i = 0; i < count && !err; i++) {
		struct proc_flow_op op;
		uint32_t index;

		memcpy(&op, msg->payload + i * sizeof(op), sizeof(op));
		if (!op_valid(&op)) {
			err = ERR_PEER;
			continue;
		}
		index = flow_table_index(w->flows, &op.spec.local);
		if (op.op == FLOW_OP_OPEN)
			flow_open(w, from, ch, &op);
		else if (op.op == FLOW_OP_ADOPT)
			flow_adopt(w, from, ch, &op);
		else if (index != HW_FLOW_NONE)
			flow_close(w, ch, index, (enum reason)op.reason);
	}
	apply(w, ch);
	mem_free(ch);
	return err;
}

/* Closes the open flows that `wanted` picks, in batches. */
static void close_where(struct warden *w,
			bool (*wanted)(const struct warden *w, uint32_t call, uint32_t index,
				       const struct hw_flow *f),
			uint32_t call, enum reason why)
{
	struct changes *ch = mem_zalloc(1, sizeof(*ch));
	uint32_t i = ch ? flow_table_next(w->flows, 0) : HW_FLOW_NONE;

	for (; i != HW_FLOW_NONE; i = flow_table_next(w->flows, i + 1)) {
		struct hw_flow f;

		if (!flow_table_read(w->flows, i, &f) || !wanted(w, call, i, &f))
			continue;
		flow_close(w, ch, i, why);
		if (ch->kick_count == PROC_FLOW_OPS_MAX)
			apply(w, ch);
	}
	if (ch)
		apply(w, ch);
	mem_free(ch);
}

static bool is_any(const struct warden *w, uint32_t call, uint32_t index, const struct hw_flow *f)
{
	return true;
}

static bool is_orphan(const struct warden *w, uint32_t call, uint32_t index,
		      const struct hw_flow *f)
{
	bool adopted = w->adopted[index / 64] >> index % 64 & 1;

	return !adopted && f->opened_ns < w->signal_born_ns && (call == 0 || f->call == call);
}

void warden_flows_close_all(struct warden *w)
{
	close_where(w, is_any, 0, REASON_gateway_stopped);
}

static void on_idle_call(void *ctx, uint32_t call)
{
	close_where(ctx, is_orphan, call, REASON_media_idle);
}

size_t warden_flows_orphans(const struct warden *w)
{
	struct hw_flow f;
	size_t n = 0;

	if (!w->flows || w->signal_born_ns == 0)
		return 0;
	for (uint32_t i = flow_table_next(w->flows, 0); i != HW_FLOW_NONE;
	     i = flow_table_next(w->flows, i + 1))
		n += flow_table_read(w->flows, i, &f) && is_orphan(w, 0, i, &f);
	return n;
}

static void on_orphans(void *ctx)
{
	struct warden *w = ctx;
	uint64_t idle_ns = (uint64_t)w->now.config->media.idle_timeout_ms * 1000000u;

	if (flow_table_idle_calls(w->flows, clock_ns(), idle_ns, on_idle_call, w) != 0)
		log_line(SEV_WARNING, "memory ran out while looking for silent flows");
	if (warden_flows_orphans(w))
		loop_timer_start(w->orphans, ORPHANS_MS);
}

void warden_flows_orphan(struct warden *w)
{
	w->signal_born_ns = clock_ns();
	memset(w->adopted, 0, (flow_table_size(w->flows) / 64 + 1) * sizeof(uint64_t));
	if (!w->orphans && loop_timer_new(w->loop, on_orphans, w, &w->orphans) != 0) {
		warden_flows_close_all(w);
		return;
	}
	loop_timer_start(w->orphans, ORPHANS_MS);
}
