#include "main/warden_path.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/warden_lanes.h"
#include "media/flow_check.h"

#define BPFFS	      "/sys/fs/bpf"
#define DEFAULT_RUN   "/run/hornwork"
#define BLOCK_NOWHERE HW_BLOCKS_MAX

/* A folder of this gateway's name; several gateways differ by their run directory. */
static void pin_dir(const struct warden *w, char out[static CONFIG_PATH_MAX])
{
	(void)snprintf(out, CONFIG_PATH_MAX, BPFFS "/hornwork%s",
		       strcmp(w->run_dir, DEFAULT_RUN) ? w->run_dir : "");
	for (char *c = out + strlen(BPFFS "/hornwork"); *c; c++)
		if (*c == '/' || *c == '.')
			*c = '-';
}

/* What was left by another version is of no use; its calls end. */
static int load(struct warden *w, struct warden_path *p)
{
	const char *dir = p->dir[0] ? p->dir : NULL;
	int err = xdp_new(dir, &p->xdp);

	if (err != ERR_VERSION)
		return err;
	warden_notice(w, "the kernel path of another version was there: its calls ended");
	xdp_free(p->xdp);
	xdp_clear(dir);
	return xdp_new(dir, &p->xdp);
}

static int map_hops(struct warden_path *p)
{
	p->hops = mmap(NULL, HW_NEXT_HOPS_MAX * sizeof(*p->hops), PROT_READ | PROT_WRITE,
		       MAP_SHARED, xdp_map_fd(p->xdp, XDP_MAP_NEXT_HOPS), 0);
	return p->hops == MAP_FAILED ? -errno : 0;
}

static int block_take(struct warden *w, struct warden_path *p, unsigned block)
{
	struct flow_table_fds fds;
	struct xdp_block b;
	int err;

	if (p->block[block])
		return 0;
	err = xdp_block(p->xdp, block, &b);
	if (err)
		return err;
	fds = (struct flow_table_fds){b.flows, b.figures};
	err = flow_table_block(w->flows, block, &fds);
	close(fds.flows);
	close(fds.stats);
	p->block[block] = !err;
	return err;
}

/* The flows of a warden that was killed: they are as good as those of a signal that was. */
static int adopt(struct warden *w, struct warden_path *p)
{
	int err = flow_table_kernel_head(w->flows, xdp_map_fd(p->xdp, XDP_MAP_HEAD));

	for (unsigned i = 0; i < HW_BLOCKS_MAX && !err; i++)
		if (xdp_has_block(p->xdp, i))
			err = block_take(w, p, i);
	if (err)
		return err;
	p->adopted = flow_table_open_count(w->flows);
	w->pinholes.opened = p->adopted;
	return 0;
}

static bool can_transmit(void *ctx, uint32_t ifindex)
{
	const struct warden_path *p = ctx;

	return p->generic || xdp_can_transmit(ifindex);
}

/* ---- ways ---- */

static bool unspecified(const struct ip_addr *a)
{
	return a->family == IP_NONE || ip_is_unspecified(a);
}

static unsigned block_of(const struct warden *w, const struct ip_endpoint *local)
{
	uint32_t index = flow_table_index(w->flows, local);

	return index == HW_FLOW_NONE ? BLOCK_NOWHERE : index / HW_BLOCK_PORTS;
}

/* What stands against the kernel path whatever the routes are. */
static enum hw_user_why standing_why(struct warden *w, const struct flow_spec *s)
{
	unsigned in = block_of(w, &s->local), out = block_of(w, &s->out);

	if (!w->path || !w->path->ways)
		return HW_USER_NO_PROGRAM;
	if (w->now.config->media.path == MEDIA_USER)
		return HW_USER_CONFIGURED;
	if (s->secret_in.terminated || s->secret_out.terminated || s->ice)
		return HW_USER_TRANSFORM;
	if (s->secret_in.required || s->secret_out.required)
		return HW_USER_CHECKED;
	if (s->local.addr.family != s->out.addr.family)
		return HW_USER_FAMILY;
	if (in == BLOCK_NOWHERE || out == BLOCK_NOWHERE || !w->path->block[in] ||
	    !w->path->block[out])
		return HW_USER_TABLE;
	return flow_table_reached(w->flows, &s->local.addr) ? HW_USER_NOT : HW_USER_NO_PROGRAM;
}

struct flow_way warden_path_way(struct warden *w, const struct flow_spec *s)
{
	bool shaped = config_zone_shaped(w->now.config, s->out_zone);
	/* The program and AF_XDP would send it past the tunnel, and past the firewall. */
	bool tunnelled = flow_is_tunnelled(w->now.config, s);
	struct flow_way way = {.user_why = (uint8_t)(tunnelled ? HW_USER_TUNNEL
						     : shaped  ? HW_USER_SHAPED
							       : standing_why(w, s))};
	bool lane = warden_lanes_take(s, way.user_why);
	struct way out;

	/* AF_XDP sockets need the way too. */
	if (way.user_why && !(lane && w->path->lanes))
		return way;
	if (!unspecified(&s->source.addr)) {
		out = ways_find(w->path->ways, &s->local.addr, &s->source.addr);
		way.source_hop = out.hop;
		if (out.why == HW_USER_OWN_ADDRESS && !lane)
			way.user_why = out.why;
	}
	if (!unspecified(&s->to.addr)) {
		out = ways_find(w->path->ways, &s->out.addr, &s->to.addr);
		way.next_hop = out.hop;
		/* Where the peer may be learned, what it announced need not be reached. */
		if (!lane && (out.why == HW_USER_OWN_ADDRESS || (out.why && !s->to_learned)))
			way.user_why = out.why;
	}
	warden_lanes_way(w, &way);
	return way;
}

/* All open flows get the ways that there are now; next hops that none of them uses are let go. */
static void look_anew(struct warden *w)
{
	uint32_t i = flow_table_next(w->flows, 0);

	ways_sweep_begin(w->path->ways);
	for (; i != HW_FLOW_NONE; i = flow_table_next(w->flows, i + 1)) {
		struct flow_spec spec;
		struct flow_way way;

		if (!flow_table_spec(w->flows, i, &spec))
			continue;
		way = warden_path_way(w, &spec);
		flow_table_reroute(w->flows, i, &way);
		ways_sweep_keep(w->path->ways, way.next_hop);
		ways_sweep_keep(w->path->ways, way.source_hop);
	}
	ways_sweep_end(w->path->ways);
}

static uint32_t link_of(const struct warden_path *p, const struct config_zone *z)
{
	return ways_interface(p->ways, z->interface).ifindex;
}

/* What hangs on an interface itself (queues, frame rules) went with the one that was there. */
static void tend_new_links(struct warden *w)
{
	const struct config *c = w->now.config;
	bool any = false;
	int err;

	for (size_t i = 0; i < c->zone_count; i++) {
		uint32_t link = link_of(w->path, &c->zones[i]);

		any = any || (link && link != w->path->link[i]);
	}
	if (!any)
		return;
	err = warden_firewall_apply(w, c);
	if (err)
		log_line(SEV_WARNING, "an interface is new: %s", warden_flows_error(w, err));
	warden_shape_apply(w, c);
}

static void on_look(void *ctx)
{
	struct warden *w = ctx;

	tend_new_links(w);
	if (warden_path_apply(w, w->now.config) != 0)
		log_line(SEV_WARNING, "kernel path: %s", w->path->refused);
	look_anew(w);
}

void warden_path_look(struct warden *w)
{
	if (w->path && w->path->look)
		loop_timer_start(w->path->look, WARDEN_PATH_LOOK_MS);
}

static void on_changed(void *ctx)
{
	struct warden_path *p = ctx;

	warden_path_look(p->warden);
}

static void on_netlink(void *ctx, unsigned events)
{
	struct warden *w = ctx;

	ways_read(w->path->ways);
	warden_lanes_hops(w);
}

/* ---- interfaces ---- */

static bool is_zone_interface(const struct config *c, uint32_t ifindex, const struct ways *ways)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (ways_interface(ways, c->zones[i].interface).ifindex == ifindex)
			return true;
	return false;
}

static void detach_others(struct warden_path *p, const struct config *c, bool all)
{
	for (uint16_t i = 0; i < HW_INTERFACES_MAX; i++) {
		uint32_t ifindex = xdp_interface_at(p->xdp, i);

		if (ifindex && (all || !is_zone_interface(c, ifindex, p->ways)))
			xdp_detach(p->xdp, ifindex);
	}
}

/* False: some interface cannot send what the driver of another one redirects to it. */
static bool attach_all(struct warden_path *p, const struct config *c, bool generic)
{
	bool all = true;

	for (size_t i = 0; i < c->zone_count; i++) {
		uint32_t ifindex = ways_interface(p->ways, c->zones[i].interface).ifindex;
		enum xdp_mode mode = XDP_DETACHED;

		if (ifindex == 0 || strcmp(c->zones[i].interface, "lo") == 0 ||
		    config_zone_is_device(c, (uint16_t)i))
			continue;
		if (xdp_attach(p->xdp, ifindex, generic, &mode) != 0)
			(void)snprintf(p->refused, sizeof(p->refused), "%s", xdp_error(p->xdp));
		all &= mode == XDP_NATIVE && xdp_can_transmit(ifindex);
	}
	return all;
}

/* All natively, or all generically: a driver's redirect reaches only who can take it. */
static void attach(struct warden_path *p, const struct config *c)
{
	bool generic = p->generic;

	p->refused[0] = '\0';
	p->generic = !attach_all(p, c, false);
	if (p->generic && !attach_all(p, c, true) && !generic)
		log_line(SEV_INFO, "kernel path: an interface cannot transmit redirected packets "
				   "natively; the program runs generically");
}

static int reach_address(struct warden *w, const struct config_zone *z, const struct ip_addr *a)
{
	struct warden_path *p = w->path;
	struct flow_reach reach = {0};
	uint32_t ifindex = ways_interface(p->ways, z->interface).ifindex;
	enum xdp_mode mode = xdp_mode_of(p->xdp, ifindex);

	if (a->family == IP_NONE)
		return 0;
	if (mode != XDP_DETACHED) {
		reach.ifindex = ifindex;
		reach.interface = xdp_interface_number(p->xdp, ifindex);
		reach.generic = mode == XDP_GENERIC;
	}
	return flow_table_reach(w->flows, a, &reach);
}

/* Its figures; a child reads the flows in the table's own memory. */
static void hand_block(struct child *c, unsigned block)
{
	struct proc_flow_block m = {block};
	struct xdp_block b;

	if (!c->warden || !proc_channel_open(&c->channel)) /* not born yet */
		return;
	if (xdp_block(c->warden->path->xdp, block, &b) != 0) {
		warden_child_condemn(c, ERR_NOMEM);
		return;
	}
	warden_child_send(c, PROC_FLOW_BLOCK, &m, sizeof(m), &b.figures, 1);
	close(b.flows);
	close(b.figures);
}

/* The blocks that the media range spans on this address. */
static void take_blocks(struct warden *w, const struct config *c, const struct ip_addr *a)
{
	struct ip_endpoint local = {*a, c->media.port_first};
	struct warden_path *p = w->path;
	unsigned block = block_of(w, &local);
	unsigned last =
		block - c->media.port_first / HW_BLOCK_PORTS + c->media.port_last / HW_BLOCK_PORTS;

	for (; block != BLOCK_NOWHERE && block <= last; block++) {
		if (p->block[block])
			continue;
		if (block_take(w, p, block) != 0) {
			(void)snprintf(p->refused, sizeof(p->refused), "%s", xdp_error(p->xdp));
			return;
		}
		hand_block(&w->child[CHILD_SIGNAL], block);
		hand_block(&w->child[CHILD_MEDIA], block);
	}
}

int warden_path_apply(struct warden *w, const struct config *c)
{
	struct warden_path *p = w->path;
	int err = 0;

	if (!p || !p->ways)
		return 0;
	for (size_t i = 0; i < c->zone_count; i++)
		p->link[i] = link_of(p, &c->zones[i]);
	if (!warden_program_wanted(c)) {
		detach_others(p, c, true);
		p->refused[0] = '\0';
	} else {
		detach_others(p, c, false);
		attach(p, c);
	}
	for (size_t i = 0; i < c->zone_count && !err; i++) {
		const struct config_zone *z = &c->zones[i];

		if (warden_program_wanted(c) && z->address4.family != IP_NONE)
			take_blocks(w, c, &z->address4);
		if (warden_program_wanted(c) && z->address6.family != IP_NONE)
			take_blocks(w, c, &z->address6);
		err = reach_address(w, z, &z->address4);
		err = err ? err : reach_address(w, z, &z->address6);
	}
	flow_table_range(w->flows, c->media.port_first, c->media.port_last);
	warden_shield_apply(w, c);
	warden_lanes_apply(w, c);
	if (err)
		(void)snprintf(p->refused, sizeof(p->refused), "too many addresses fall together");
	return p->refused[0] && c->media.path == MEDIA_KERNEL ? ERR_ABSENT : 0;
}

/* ---- birth and death ---- */

static void on_tick(void *ctx)
{
	struct warden *w = ctx;

	ways_tick(w->path->ways);
	warden_lanes_hops(w);
	warden_shield_tick(w);
	loop_timer_start(w->path->tick, WAYS_TICK_MS);
}

static int ways_open(struct warden_path *p)
{
	struct ways_setup setup = {
		.hops = p->hops, .transmits = can_transmit, .changed = on_changed, .ctx = p};

	if (getrandom(&setup.key, sizeof(setup.key), 0) != sizeof(setup.key))
		return -EIO;
	return ways_new(&setup, &p->ways);
}

static int path_open(struct warden *w, struct warden_path *p)
{
	int err = xdp_mount(BPFFS);

	if (err)
		warden_notice(w,
			      "no bpffs at " BPFFS " (%s): running calls would not outlive the "
			      "warden",
			      err_text(err));
	else
		pin_dir(w, p->dir);
	err = load(w, p);
	err = err ? err : map_hops(p);
	err = err ? err : ways_open(p);
	return err ? err : adopt(w, p);
}

int warden_path_new(struct warden *w)
{
	struct warden_path *p = mem_zalloc(1, sizeof(*p));
	bool insists = w->now.config->media.path == MEDIA_KERNEL;
	int err;

	if (!p)
		return ERR_NOMEM;
	p->warden = w;
	p->hops = MAP_FAILED;
	w->path = p;
	err = path_open(w, p);
	if (!err)
		return 0;
	if (insists || w->now.config->media.path == MEDIA_AUTO)
		warden_notice(w, "no kernel path for media (%s): %s",
			      p->xdp && xdp_error(p->xdp)[0] ? xdp_error(p->xdp) : err_text(err),
			      insists ? "media { path = kernel } asks for it"
				      : "packets go through user space");
	warden_path_free(w, false);
	return insists ? err : 0;
}

int warden_path_start(struct warden *w)
{
	struct warden_path *p = w->path;
	int err;

	if (!p)
		return 0;
	err = warden_lanes_new(w, &p->lanes);
	if (!err)
		err = loop_timer_new(w->loop, on_look, w, &p->look);
	if (!err)
		err = loop_timer_new(w->loop, on_tick, w, &p->tick);
	if (!err)
		err = loop_fd_add(w->loop, ways_fd(p->ways), LOOP_READ, on_netlink, w, &p->watch);
	if (err)
		return err;
	loop_timer_start(p->tick, WAYS_TICK_MS);
	if (p->adopted == 0)
		return 0;
	warden_notice(w, "%zu pinholes of a warden that was killed carry on until they fall silent",
		      p->adopted);
	warden_flows_orphan(w);
	look_anew(w);
	return 0;
}

void warden_path_free(struct warden *w, bool purge)
{
	struct warden_path *p = w->path;

	w->path = NULL;
	if (!p)
		return;
	loop_fd_remove(p->watch);
	loop_timer_free(p->tick);
	loop_timer_free(p->look);
	warden_lanes_free(p->lanes);
	ways_free(p->ways);
	shield_free(p->shield);
	if (purge && p->xdp)
		for (uint16_t i = 0; i < HW_INTERFACES_MAX; i++)
			xdp_detach(p->xdp, xdp_interface_at(p->xdp, i));
	if (purge && p->dir[0])
		xdp_clear(p->dir);
	if (p->hops != MAP_FAILED)
		munmap(p->hops, HW_NEXT_HOPS_MAX * sizeof(*p->hops));
	xdp_free(p->xdp);
	mem_free(p);
}

/* ---- others ---- */

void warden_path_hand(struct child *c)
{
	const struct warden_path *p = c->warden->path;
	int ring;

	for (unsigned i = 0; p && i < HW_BLOCKS_MAX; i++)
		if (p->block[i])
			hand_block(c, i);
	if (!p || c->kind != PROC_MEDIA)
		return;
	ring = xdp_map_fd(p->xdp, XDP_MAP_CONTROL);
	warden_child_send(c, PROC_CONTROL_RING, NULL, 0, &ring, 1);
}
