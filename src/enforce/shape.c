#include "enforce/shape.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "enforce/link_impl.h"

#define BURST_BYTES_MIN 3028u /* two full frames */
#define TICK_NS_SHIFT	6     /* the scheduler's tick is 64 ns (net/pkt_sched.h, PSCHED_SHIFT) */
#define QUANTUM_BYTES	1514u
#define VOICE_PACKETS                                                                              \
	200u		  /* one packet of each of so many calls: more than waits while it goes    \
			   */
#define REST_QUEUE_MS  50 /* of bytes at its rate, where there is no fair queue */
#define REST_BYTES_MIN (16u * 1514u)

/* A link with a tree of ours. */
struct shaped {
	int index;
	bool wanted;
};

struct shaper {
	struct link_socket *socket;
	struct shaped links[CONFIG_SECTIONS_MAX];
	size_t count;
};

struct shape_rates shape_rates(uint64_t uplink_bps, uint32_t voice_share)
{
	struct shape_rates r = {.all = uplink_bps, .media = uplink_bps / 100 * voice_share};

	r.signaling = uplink_bps / 100 * SHAPE_SIGNALING_PERCENT;
	r.rest = r.all - r.media > r.signaling ? r.all - r.media - r.signaling : r.all / 100;
	return r;
}

/* ---- requests ---- */

static struct nlmsghdr *request(struct shaper *s, uint16_t type, uint16_t flags, int index,
				uint32_t parent, uint32_t handle)
{
	struct nlmsghdr *h = link_request(s->socket, type, (uint16_t)(flags | NLM_F_ACK));
	struct tcmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->tcm_family = AF_UNSPEC;
	m->tcm_ifindex = index;
	m->tcm_parent = parent;
	m->tcm_handle = handle;
	return h;
}

struct root {
	int index;
	uint32_t handle; /* 0 = the system's own, or none */
};

static int on_qdisc(const struct nlmsghdr *h, void *ctx)
{
	const struct tcmsg *m = mnl_nlmsg_get_payload(h);
	struct root *root = ctx;

	if (h->nlmsg_type == RTM_NEWQDISC && m->tcm_ifindex == root->index &&
	    m->tcm_parent == TC_H_ROOT)
		root->handle = m->tcm_handle;
	return MNL_CB_OK;
}

static int root_of(struct shaper *s, int index, uint32_t *out)
{
	struct root root = {.index = index};
	struct nlmsghdr *h = request(s, RTM_GETQDISC, NLM_F_DUMP, index, 0, 0);
	int err = link_exchange(s->socket, h, on_qdisc, &root);

	*out = root.handle;
	return err;
}

static int add_htb(struct shaper *s, int index)
{
	struct tc_htb_glob glob = {.version = 3, .rate2quantum = 10, .defcls = SHAPE_CLASS_REST};
	struct nlmsghdr *h = request(s, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, index,
				     TC_H_ROOT, SHAPE_HANDLE << 16);
	struct nlattr *options;

	mnl_attr_put_strz(h, TCA_KIND, "htb");
	options = mnl_attr_nest_start(h, TCA_OPTIONS);
	mnl_attr_put(h, TCA_HTB_INIT, sizeof(glob), &glob);
	mnl_attr_nest_end(h, options);
	return link_exchange(s->socket, h, NULL, NULL);
}

/* Bytes a second in the old field; what does not fit stands in an attribute of its own. */
static struct tc_ratespec ratespec(uint64_t bytes_s)
{
	return (struct tc_ratespec){.linklayer = TC_LINKLAYER_ETHERNET,
				    .rate = bytes_s > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes_s};
}

/* A millisecond's bytes or two frames, as scheduler's ticks at this rate. */
static uint32_t burst_ticks(uint64_t bytes_s)
{
	uint64_t bytes = bytes_s / 1000 > BURST_BYTES_MIN ? bytes_s / 1000 : BURST_BYTES_MIN;
	uint64_t ticks = (bytes * 1000000000u / bytes_s) >> TICK_NS_SHIFT;

	return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

static int set_class(struct shaper *s, int index, uint32_t parent, uint32_t minor,
		     uint64_t rate_bps, uint64_t ceil_bps, uint32_t prio)
{
	uint64_t rate = rate_bps / 8 ? rate_bps / 8 : 1, ceil = ceil_bps / 8 ? ceil_bps / 8 : 1;
	struct tc_htb_opt opt = {.rate = ratespec(rate),
				 .ceil = ratespec(ceil),
				 .buffer = burst_ticks(rate),
				 .cbuffer = burst_ticks(ceil),
				 .quantum = QUANTUM_BYTES,
				 .prio = prio};
	struct nlmsghdr *h =
		request(s, RTM_NEWTCLASS, NLM_F_CREATE, index, parent, SHAPE_HANDLE << 16 | minor);
	struct nlattr *options;

	mnl_attr_put_strz(h, TCA_KIND, "htb");
	options = mnl_attr_nest_start(h, TCA_OPTIONS);
	mnl_attr_put(h, TCA_HTB_PARMS, sizeof(opt), &opt);
	if (rate > UINT32_MAX)
		mnl_attr_put_u64(h, TCA_HTB_RATE64, rate);
	if (ceil > UINT32_MAX)
		mnl_attr_put_u64(h, TCA_HTB_CEIL64, ceil);
	mnl_attr_nest_end(h, options);
	return link_exchange(s->socket, h, NULL, NULL);
}

/* A queue of the kind under a class; `limit` 0 = the kind's own. */
static int add_leaf(struct shaper *s, int index, uint32_t minor, const char *kind, uint32_t limit)
{
	struct tc_fifo_qopt fifo = {.limit = limit};
	struct nlmsghdr *h = request(s, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, index,
				     SHAPE_HANDLE << 16 | minor, (SHAPE_HANDLE + minor) << 16);

	mnl_attr_put_strz(h, TCA_KIND, kind);
	if (limit)
		mnl_attr_put(h, TCA_OPTIONS, sizeof(fifo), &fifo);
	return link_exchange(s->socket, h, NULL, NULL);
}

/* ---- one link ---- */

static int set_classes(struct shaper *s, int index, const struct shape_rates *r)
{
	const uint32_t top = SHAPE_HANDLE << 16 | SHAPE_CLASS_ALL;
	int err = set_class(s, index, SHAPE_HANDLE << 16, SHAPE_CLASS_ALL, r->all, r->all, 0);

	if (!err)
		err = set_class(s, index, top, SHAPE_CLASS_MEDIA, r->media, r->media, 0);
	if (!err)
		err = set_class(s, index, top, SHAPE_CLASS_SIGNALING, r->signaling, r->all, 1);
	return err ? err : set_class(s, index, top, SHAPE_CLASS_REST, r->rest, r->all, 7);
}

static int add_leaves(struct shaper *s, int index, const struct shape_rates *r, bool *out_fair)
{
	static const char *const fair[] = {"cake", "fq_codel"}; /* fair by host, or by flow */
	uint64_t bytes = r->all / 8 * REST_QUEUE_MS / 1000;
	int err = add_leaf(s, index, SHAPE_CLASS_MEDIA, "pfifo", VOICE_PACKETS);

	if (!err)
		err = add_leaf(s, index, SHAPE_CLASS_SIGNALING, "pfifo", VOICE_PACKETS);
	*out_fair = false;
	for (size_t i = 0; i < 2 && !err && !*out_fair; i++) {
		int got = add_leaf(s, index, SHAPE_CLASS_REST, fair[i], 0);

		*out_fair = got == 0;
		/* a kind that the kernel does not know is no failure */
		err = got == 0 || got == -ENOENT || got == -EOPNOTSUPP || got == -EINVAL ? 0 : got;
	}
	if (err || *out_fair)
		return err;
	bytes = bytes < REST_BYTES_MIN ? REST_BYTES_MIN : bytes;
	return add_leaf(s, index, SHAPE_CLASS_REST, "bfifo",
			bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes);
}

static int remove_root(struct shaper *s, int index)
{
	uint32_t handle;
	int err = root_of(s, index, &handle);

	if (err || handle != SHAPE_HANDLE << 16)
		return err;
	return link_exchange(s->socket,
			     request(s, RTM_DELQDISC, 0, index, TC_H_ROOT, SHAPE_HANDLE << 16),
			     NULL, NULL);
}

static enum shape_outcome shape_link(struct shaper *s, int index, const struct shape_rates *r,
				     int *out_err)
{
	uint32_t handle = 0;
	bool fair = false;
	int err = root_of(s, index, &handle);

	if (!err && handle && handle != SHAPE_HANDLE << 16)
		return SHAPE_FOREIGN;
	if (!err && !handle) {
		err = add_htb(s, index);
		if (err == -ENOENT || err == -EOPNOTSUPP)
			return SHAPE_ABSENT;
	}
	err = err ? err : set_classes(s, index, r);
	err = err ? err : add_leaves(s, index, r, &fair);
	if (err) {
		if (!handle)
			*out_err = remove_root(s, index);
		*out_err = err;
		return SHAPE_FAILED;
	}
	return fair ? SHAPE_DONE : SHAPE_PLAIN;
}

/* ---- all of them ---- */

static struct shaped *find(struct shaper *s, int index)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->links[i].index == index)
			return &s->links[i];
	return NULL;
}

static void forget_unwanted(struct shaper *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (s->links[i].wanted || remove_root(s, s->links[i].index) == -EPERM)
			s->links[kept++] = s->links[i];
	}
	s->count = kept;
}

void shaper_apply(struct shaper *s, const struct config *c, enum shape_outcome *out, int *out_err)
{
	for (size_t i = 0; i < s->count; i++)
		s->links[i].wanted = false;
	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *z = &c->zones[i];
		struct shape_rates r = shape_rates(z->uplink_bps, z->voice_share);
		int index = (int)if_nametoindex(z->interface);
		struct shaped *link;

		out[i] = SHAPE_NONE;
		out_err[i] = 0;
		if (!z->uplink_bps)
			continue;
		out[i] = index ? shape_link(s, index, &r, &out_err[i]) : SHAPE_FAILED;
		if (!index)
			out_err[i] = -ENODEV;
		if (out[i] != SHAPE_DONE && out[i] != SHAPE_PLAIN)
			continue;
		link = find(s, index);
		if (!link && s->count < CONFIG_SECTIONS_MAX) {
			link = &s->links[s->count++];
			link->index = index;
		}
		if (link)
			link->wanted = true;
	}
	forget_unwanted(s);
}

int shaper_new(struct shaper **out)
{
	struct shaper *s = mem_zalloc(1, sizeof(*s));
	int err;

	if (!s)
		return ERR_NOMEM;
	err = link_socket_new(&s->socket);
	if (err) {
		mem_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void shaper_free(struct shaper *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		s->links[i].wanted = false;
	forget_unwanted(s);
	link_socket_free(s->socket);
	mem_free(s);
}
