#include "main/warden_lanes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/log.h"
#include "main/warden_path.h"

#define RETRY_MS  10  /* the kernel gives a closed socket's queue back a little later */
#define RETRY_MAX 200 /* times; after that each */
#define SLOW_MS	  1000

/* One for each of the first receive queues, of all interfaces with the program. */
struct lanes_want {
	uint32_t ifindex[HW_XSK_SOCKETS_MAX];
	uint32_t count, lanes;
};

struct warden_lanes {
	struct warden *warden;
	struct loop_timer *retry;
	struct xsk_hops hops;
	struct lanes_want have; /* what media was given */
	bool wanted;
	struct xsk_lane_fds pending[HW_XSK_LANES_MAX]; /* until media is ready for packets */
	unsigned tries;
	char why[WARDEN_NOTICE_BYTES]; /* why ordinary sockets; empty = AF_XDP */
};

bool warden_program_wanted(const struct config *config)
{
	return config->media.path != MEDIA_USER || config->media.af_xdp;
}

static unsigned core_count(void)
{
	cpu_set_t cores;
	int count = sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;

	return count < 1 ? 1 : (unsigned)count;
}

/* Media has a thread for each core; a lane needs the same queue of every interface. */
static void want_find(const struct warden_lanes *l, struct lanes_want *want)
{
	const struct warden_path *p = l->warden->path;
	uint32_t lanes = core_count();

	*want = (struct lanes_want){0};
	if (!l->wanted)
		return;
	for (uint16_t i = 0; i < HW_INTERFACES_MAX && want->count < HW_XSK_SOCKETS_MAX; i++) {
		uint32_t ifindex = xdp_interface_at(p->xdp, i);
		char name[IF_NAMESIZE];
		int queues;

		if (ifindex == 0 || !if_indextoname(ifindex, name))
			continue;
		queues = xsk_queue_count(name);
		if (queues < 1)
			continue;
		want->ifindex[want->count++] = ifindex;
		lanes = (uint32_t)queues < lanes ? (uint32_t)queues : lanes;
	}
	lanes = lanes < HW_XSK_LANES_MAX ? lanes : HW_XSK_LANES_MAX;
	want->lanes = want->count ? lanes : 0;
}

static void send_lane(struct warden_lanes *l, uint32_t number, const struct lanes_want *want,
		      const struct xsk_lane_fds *fds)
{
	struct proc_media_lane m = {.number = number, .count = want->count};
	int list[PROC_FDS_MAX] = {l->hops.fd, fds->frames};

	memcpy(m.ifindex, want->ifindex, sizeof(m.ifindex));
	memcpy(&list[2], fds->socket, want->count * sizeof(fds->socket[0]));
	warden_child_send(&l->warden->child[CHILD_MEDIA], PROC_MEDIA_LANE, &m, sizeof(m), list,
			  want->count + 2);
}

/* The program sends this queue's packets there from now on. */
static int steer(const struct warden_path *p, uint32_t queue, const struct lanes_want *want,
		 const struct xsk_lane_fds *fds)
{
	for (uint32_t i = 0; i < want->count; i++) {
		uint16_t interface = xdp_interface_number(p->xdp, want->ifindex[i]);
		uint32_t key = xdp_socket_key(interface, queue);

		if (bpf_map_update_elem(xdp_map_fd(p->xdp, XDP_MAP_SOCKETS), &key, &fds->socket[i],
					BPF_ANY) != 0)
			return -errno;
	}
	return 0;
}

static int lane_make(struct warden_lanes *l, uint32_t queue, const struct lanes_want *want)
{
	int err = xsk_lane_open(want->ifindex, want->count, queue, &l->pending[queue]);

	if (!err)
		send_lane(l, queue, want, &l->pending[queue]);
	return err;
}

void warden_lanes_ready(struct warden *w, uint32_t number)
{
	struct warden_lanes *l = w->path ? w->path->lanes : NULL;

	if (!l || number >= l->have.lanes || l->pending[number].count == 0)
		return; /* of an earlier set */
	if (steer(w->path, number, &l->have, &l->pending[number]) != 0)
		log_line(SEV_WARNING, "the kernel path does not take AF_XDP sockets");
	xsk_lane_close(&l->pending[number]);
}

static void forget(struct warden_lanes *l)
{
	for (size_t i = 0; i < HW_XSK_LANES_MAX; i++)
		xsk_lane_close(&l->pending[i]);
	l->have = (struct lanes_want){0};
}

/* Media lets go of what it has; the kernel does a little later. */
static void take_away(struct warden_lanes *l)
{
	for (uint32_t i = 0; i < l->have.lanes; i++) {
		const struct proc_media_lane none = {.number = i};

		warden_child_send(&l->warden->child[CHILD_MEDIA], PROC_MEDIA_LANE, &none,
				  sizeof(none), NULL, 0);
	}
	forget(l);
}

static void give_up(struct warden_lanes *l, int err)
{
	const char *why = err == ERR_LIMIT ? "not enough memory may be locked (RLIMIT_MEMLOCK)"
					   : err_text(err);

	take_away(l);
	if (strcmp(l->why, why) != 0)
		log_line(SEV_WARNING, "media in user space takes ordinary sockets, not AF_XDP: %s",
			 why);
	(void)snprintf(l->why, sizeof(l->why), "%s", why);
}

static void make_all(struct warden_lanes *l, const struct lanes_want *want)
{
	int err = 0;

	for (uint32_t i = 0; i < want->lanes && !err; i++) {
		err = lane_make(l, i, want);
		if (!err)
			l->have.lanes = i + 1;
	}
	if (!err) {
		l->have = *want;
		l->tries = 0;
		l->why[0] = '\0';
	} else if (err != -EBUSY && err != ERR_LIMIT) {
		give_up(l, err);
	} else if (l->tries++ < RETRY_MAX) {
		/* The kernel frees what a killed media held only a little after its death. */
		take_away(l);
		loop_timer_start(l->retry, RETRY_MS);
	} else {
		/* Another process holds it: that may end, too. */
		give_up(l, err);
		loop_timer_start(l->retry, SLOW_MS);
	}
}

static void look(struct warden_lanes *l)
{
	const struct child *media = &l->warden->child[CHILD_MEDIA];
	struct lanes_want want;

	if (!media->warden || !proc_channel_open(&media->channel))
		return; /* it gets them when it is born */
	want_find(l, &want);
	if (memcmp(&want, &l->have, sizeof(want)) == 0)
		return;
	if (l->have.lanes) {
		take_away(l);
		loop_timer_start(l->retry, RETRY_MS);
	} else if (want.lanes) {
		make_all(l, &want);
	}
}

static void on_retry(void *ctx)
{
	struct warden_lanes *l = ctx;

	if (l->warden->path && l->warden->path->xdp)
		look(l);
}

void warden_lanes_apply(struct warden *w, const struct config *config)
{
	struct warden_lanes *l = w->path->lanes;

	if (!l)
		return;
	l->wanted = config->media.af_xdp;
	l->tries = 0;
	look(l);
}

void warden_lanes_hand(struct warden *w)
{
	struct warden_lanes *l = w->path ? w->path->lanes : NULL;

	if (!l)
		return;
	forget(l);
	l->tries = 0;
	look(l);
}

static void hop_copy(struct warden *w, uint16_t number)
{
	if (w->path->lanes && number != HW_NEXT_HOP_NONE)
		xsk_hops_copy(&w->path->lanes->hops, &w->path->hops[number], number);
}

bool warden_lanes_take(const struct flow_spec *s, uint8_t user_why)
{
	return user_why == HW_USER_CONFIGURED || user_why == HW_USER_FAMILY ||
	       (user_why == HW_USER_TRANSFORM && !s->dtls && !s->ice);
}

void warden_lanes_way(struct warden *w, const struct flow_way *way)
{
	hop_copy(w, way->next_hop);
	hop_copy(w, way->source_hop);
}

void warden_lanes_hops(struct warden *w)
{
	for (uint16_t i = 1; i < HW_NEXT_HOPS_MAX; i++)
		hop_copy(w, i);
}

int warden_lanes_new(struct warden *w, struct warden_lanes **out)
{
	struct warden_lanes *l = mem_zalloc(1, sizeof(*l));
	int err = l ? xsk_hops_new(&l->hops) : ERR_NOMEM;

	if (!err)
		err = loop_timer_new(w->loop, on_retry, l, &l->retry);
	for (size_t i = 0; l && i < HW_XSK_LANES_MAX; i++)
		l->pending[i].frames = -1;
	if (err) {
		warden_lanes_free(l);
		return err;
	}
	l->warden = w;
	l->wanted = w->now.config->media.af_xdp;
	*out = l;
	return 0;
}

void warden_lanes_free(struct warden_lanes *l)
{
	if (!l)
		return;
	loop_timer_free(l->retry);
	forget(l);
	xsk_hops_done(&l->hops);
	mem_free(l);
}

void warden_lanes_status(const struct warden *w, struct json *j)
{
	const struct warden_lanes *l = w->path ? w->path->lanes : NULL;
	bool given = l && l->have.lanes;

	json_member_open(j, "user_path", '{');
	json_member_z(j, "sockets", given ? "af-xdp" : "ordinary");
	json_member_z(j, "why",
		      given	   ? ""
		      : !l	   ? "no kernel path on this system"
		      : !l->wanted ? "media { af-xdp = no }"
		      : l->why[0]  ? l->why
				   : "no interface has the program");
	json_member_u64(j, "threads", given ? l->have.lanes : 0);
	json_close(j, '}');
}
