#include "relay/lane.h"

#include "base/mem.h"
#include "media/crypt.h"
#include "media/limits.h"
#include "relay/frame.h"
#include "relay/lane_keys.h"
#include "relay/xsk.h"

#define HOP_TRIES 3 /* a next hop is being rewritten just now; a few stores */

struct lane {
	struct flow_table *table;
	struct lane_keys keys;
	const struct hw_next_hop *next_hops;
	struct xsk_frames frames;
	struct xsk sockets[HW_XSK_SOCKETS_MAX];
	size_t count;
	uint64_t relayed;
};

int lane_new(const struct lane_setup *setup, struct flow_table *table, struct lane **out)
{
	struct lane *l = mem_zalloc(1, sizeof(*l));
	int err = l ? 0 : ERR_NOMEM;

	for (size_t i = 0; i < setup->count; i++) {
		struct xsk none = {.fd = -1}, *x = err ? &none : &l->sockets[i];
		int failed = xsk_open(x, setup->socket[i], setup->ifindex[i]);

		if (err)
			xsk_close(x);
		else if (!failed)
			l->count++;
		err = err ? err : failed;
	}
	err = err ? err : lane_keys_init(&l->keys, setup->vault, flow_table_size(table));
	err = err ? err : xsk_frames_map(&l->frames, setup->frames, setup->count);
	if (err) {
		lane_free(l);
		return err;
	}
	l->table = table;
	l->next_hops = setup->next_hops;
	for (size_t i = 0; i < l->count; i++)
		xsk_fill(&l->sockets[i], &l->frames);
	*out = l;
	return 0;
}

void lane_free(struct lane *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->count; i++)
		xsk_close(&l->sockets[i]);
	lane_keys_done(&l->keys);
	xsk_frames_unmap(&l->frames);
	mem_free(l);
}

size_t lane_socket_count(const struct lane *l)
{
	return l->count;
}

int lane_socket(const struct lane *l, size_t number)
{
	return l->sockets[number].fd;
}

uint64_t lane_relayed(const struct lane *l)
{
	return l->relayed;
}

/* A copy that is whole; false: it cannot be used now. */
static bool hop_read(const struct lane *l, uint16_t number, struct hw_next_hop *out)
{
	const struct hw_next_hop *hop = &l->next_hops[number];

	if (number == HW_NEXT_HOP_NONE || number >= HW_NEXT_HOPS_MAX)
		return false;
	for (int i = 0; i < HOP_TRIES; i++) {
		uint32_t generation = __atomic_load_n(&hop->generation, __ATOMIC_ACQUIRE);

		if (generation == 0)
			return false;
		*out = *hop;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&hop->generation, __ATOMIC_RELAXED) == generation)
			return true;
	}
	return false;
}

static struct xsk *socket_of(struct lane *l, uint32_t ifindex)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->sockets[i].ifindex == ifindex)
			return &l->sockets[i];
	return NULL;
}

/* A flow as the packet sees it: what the table says at this moment, and its figures. */
struct view {
	struct hw_flow flow;
	struct hw_flow_stats *stats;
};

static bool view_take(struct lane *l, uint32_t index, struct view *v)
{
	if (index >= flow_table_size(l->table) || !flow_table_read(l->table, index, &v->flow))
		return false;
	v->stats = flow_table_figures(l->table, index, &v->flow);
	return true;
}

/* Where a packet that passed goes on to; false: nowhere. */
static bool way_find(struct lane *l, const struct view *in, struct frame_way *way,
		     uint16_t *out_hop)
{
	struct view out not_zeroed;
	struct ip_addr announced = {.family = in->flow.flags & HW_FLOW_TO_V6 ? IP_V6 : IP_V4};

	if (!view_take(l, in->flow.out_index, &out) || out.flow.call != in->flow.call ||
	    !judge_target(&in->flow, &out.flow, out.stats, &way->to) ||
	    !flow_table_local(l->table, in->flow.out_index, &way->from))
		return false;
	memcpy(announced.bytes, in->flow.to, sizeof(announced.bytes));
	way->dscp = in->flow.dscp;
	*out_hop = in->flow.flags & HW_FLOW_TO_KNOWN && ip_eq(&announced, &way->to.addr)
			   ? in->flow.next_hop
			   : out.flow.source_hop;
	return way->from.addr.family == way->to.addr.family;
}

/* Hands a frame with its new head over for sending; JUDGE_PASS, or why it stays here. */
static enum hw_refused send_on(struct lane *l, const struct frame *f, struct frame_way *way,
			       uint16_t hop_number, uint64_t offset)
{
	size_t room = (size_t)(f->payload.p - (l->frames.memory + offset)), head_bytes;
	struct hw_next_hop hop;
	struct xsk *to;

	if (!hop_read(l, hop_number, &hop))
		return HW_REFUSED_SEND;
	to = socket_of(l, hop.ifindex);
	if (!to || room < FRAME_HEAD_MAX)
		return HW_REFUSED_SEND;
	if (frame_ip_bytes(f, way) > hop.mtu)
		return HW_REFUSED_TOO_LONG;
	way->hop = &hop;
	head_bytes = frame_rewrite(f, way);
	way->hop = NULL; /* it ends here */
	return xsk_send(to, &l->frames, offset + room - head_bytes,
			(uint32_t)(head_bytes + f->payload.n))
		       ? JUDGE_PASS
		       : HW_REFUSED_SEND;
}

/* Judged, opened and sealed as the flow wants it; f->payload becomes what goes on. */
static enum hw_refused pass(struct lane *l, const struct view *in, uint32_t index, struct frame *f,
			    uint64_t frame_end, uint64_t now_ns)
{
	uint64_t at = (uint64_t)(f->payload.p - l->frames.memory);
	uint8_t *packet = (uint8_t *)l->frames.memory + at;
	size_t bytes = f->payload.n;
	enum hw_refused why;

	why = crypt_pass(lane_keys_get(&l->keys, index, &in->flow, now_ns), in->stats, &in->flow,
			 &f->source, packet, &bytes, (size_t)(frame_end - at), now_ns);
	if (in->flow.flags & (HW_FLOW_OPEN | HW_FLOW_SEAL))
		f->check = 0; /* of other bytes */
	f->payload.n = bytes;
	return why;
}

/* One frame; true: it was handed over, and comes back when it is sent. */
static bool relay_frame(struct lane *l, const struct xdp_desc *d, uint64_t now_ns)
{
	uint64_t offset = d->addr - d->addr % HW_XSK_FRAME_BYTES;
	struct frame_way way not_zeroed;
	enum hw_refused why;
	struct view in not_zeroed;
	struct frame f not_zeroed;
	uint32_t index;
	uint16_t hop;

	if (d->addr >= l->frames.bytes || d->len > HW_XSK_FRAME_BYTES - (d->addr - offset) ||
	    !frame_parse(slice_of(l->frames.memory + d->addr, d->len), &f))
		return false;
	index = flow_table_index(l->table, &f.local);
	if (!view_take(l, index, &in) || in.flow.flags & HW_FLOW_NO_LANE)
		return false; /* it closed a moment ago, or another thread's handshake is to come */
	if (pass(l, &in, index, &f, offset + HW_XSK_FRAME_BYTES, now_ns) != JUDGE_PASS)
		return false;
	why = way_find(l, &in, &way, &hop) ? send_on(l, &f, &way, hop, offset)
					   : HW_REFUSED_NO_TARGET;
	if (why == JUDGE_PASS)
		return true;
	judge_refuse(in.stats, why, 1);
	return false;
}

static void socket_run(struct lane *l, struct xsk *x, uint64_t now_ns)
{
	uint32_t at, count = xsk_receive(x, LANE_BATCH_MAX, &at);

	for (uint32_t i = 0; i < count; i++) {
		const struct xdp_desc d = *xsk_received(x, at + i);

		if (relay_frame(l, &d, now_ns))
			l->relayed++;
		else
			xsk_give_back(&l->frames, d.addr);
	}
	if (count)
		xsk_release(x, count);
}

void lane_run(struct lane *l, uint64_t now_ns)
{
	for (size_t i = 0; i < l->count; i++)
		socket_run(l, &l->sockets[i], now_ns);
	for (size_t i = 0; i < l->count; i++)
		(void)xsk_flush(&l->sockets[i], &l->frames);
	for (size_t i = 0; i < l->count; i++)
		xsk_fill(&l->sockets[i], &l->frames);
	lane_keys_sweep(&l->keys, l->table, now_ns);
}

void lane_forget(struct lane *l, uint32_t index)
{
	if (l)
		lane_keys_forget(&l->keys, index);
}
