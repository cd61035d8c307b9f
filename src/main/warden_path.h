/* The kernel path as the warden runs it: program, interfaces, next hops, and what of the flow table
 * the kernel shares. For the warden_*.c files. */
#ifndef HW_MAIN_WARDEN_PATH_H
#define HW_MAIN_WARDEN_PATH_H

#include "base/json.h"
#include "enforce/shield.h"
#include "enforce/ways.h"
#include "enforce/xdp.h"
#include "main/warden.h"

#define WARDEN_PATH_LOOK_MS                                                                        \
	50 /* from a change of routes or neighbours to new ways for all flows                      \
	    */

struct warden_path {
	struct warden *warden;
	struct xdp *xdp;
	struct shield *shield;		     /* NULL before the first configuration */
	bool zone_down[CONFIG_SECTIONS_MAX]; /* its interface had no link at the last look */
	uint64_t swept_ms;		     /* when the shield's flows were last looked through */
	struct ways *ways;
	struct hw_next_hop *hops;
	struct warden_lanes *lanes; /* NULL = media has ordinary sockets only */
	struct loop_fd *watch;
	struct loop_timer *tick, *look;
	bool generic;		   /* one of the interfaces cannot do better, so none does */
	bool block[HW_BLOCKS_MAX]; /* in the table */
	size_t adopted;		   /* flows of a warden before us */
	uint32_t link[CONFIG_SECTIONS_MAX]; /* of each zone, when it was last looked at; 0 = none */
	char refused[WARDEN_NOTICE_BYTES];  /* why an interface is not served; empty = all are */
	char dir[CONFIG_PATH_MAX];	    /* of the pins; empty = nothing is pinned */
};

/* Loads, and takes over what a warden before us left. Needs root's rights, an empty table, the
 * loop. Without a kernel path w->path stays NULL and a notice says why. An error only where the
 * configuration insists on it. */
int warden_path_new(struct warden *w) must_check;
/* Watches the kernel's tables from here on. */
int warden_path_start(struct warden *w) must_check;
/* Makes interfaces, addresses and blocks what the configuration wants. ERR_ABSENT: it insists on
 * the kernel path, and an interface cannot have it. */
int warden_path_apply(struct warden *w, const struct config *config) must_check;
/* Why an interface is not served; empty: all are. Borrowed. */
const char *warden_path_refused(const struct warden *w);
/* Soon all open flows get the ways that there are then. */
void warden_path_look(struct warden *w);
/* How this flow is sent on now. */
struct flow_way warden_path_way(struct warden *w, const struct flow_spec *spec);
/* The figures' blocks, to a child that has its table. */
void warden_path_hand(struct child *c);
/* "kernel" or "user", and why. */
void warden_path_status(const struct warden *w, struct json *j);
/* How many flows are open on each path, and why. */
void warden_path_metrics(const struct warden *w, struct out *o);
/* Packets to closed ports of a zone that the program dropped. */
void warden_path_counts(const struct warden *w, uint16_t zone, struct hw_slot_counts *out);
/* `purge`: on purpose, with programs, pins and maps. */
void warden_path_free(struct warden *w, bool purge);

/* warden_shield.c: each does nothing without a kernel path. */
void warden_shield_apply(struct warden *w, const struct config *config);
/* Exactly these are kept out. */
void warden_shield_bans(struct warden *w, const struct ban *bans, size_t count);
void warden_shield_tick(struct warden *w);
/* An outage is over: phones that register again are no flood. `why` is for the log. */
void warden_shield_recover(struct warden *w, const char *why);
void warden_shield_status(const struct warden *w, struct json *j);
void warden_shield_metrics(const struct warden *w, struct out *o);
/* A list: what was dropped of this address lately, or nothing. */
void warden_shield_explain(const struct warden *w, struct slice what, struct out *o);

#endif
