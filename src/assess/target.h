/* One device of an asset: what was learnt about it, and how fast it is sent packets. A target
 * belongs to one thread at a time. */
#ifndef HW_ASSESS_TARGET_H
#define HW_ASSESS_TARGET_H

#include <pthread.h>
#include <stdatomic.h>

#include "assess/finding.h"
#include "assess/pace.h"
#include "assess/packet.h"

#define TARGET_TEXT_MAX 128 /* bytes of a product, a version, a model with its NUL */

#define PLACES_MAX     16 /* places that the checks of one target look from */
#define SEEN_PORTS_MAX 48 /* TCP ports of a gentle device whose state is remembered */

/* A TCP port that answered in this run: checks that ask for the same one share the look. */
struct seen_port {
	uint16_t port;
	bool open; /* else refused; a port that did not answer is not remembered */
};

struct ssh_host;
struct place;

struct target {
	const struct config *config; /* borrowed */
	const struct config_asset *asset;
	char name[FINDING_ASSET_MAX]; /* the asset's; NAME/ADDRESS when it has several */
	struct ip_addr address;

	/* Learnt by the first look at it; empty = not known. */
	char product[TARGET_TEXT_MAX]; /* "Yealink SIP-T46S" */
	char version[TARGET_TEXT_MAX]; /* "66.84.0.15" */
	char seen_by[TARGET_TEXT_MAX]; /* "SIP User-Agent" */
	bool speaks_sip;	       /* answered an OPTIONS */
	uint16_t health_port;	       /* TCP port that answered, when it speaks no SIP */

	struct seen_port seen[SEEN_PORTS_MAX];
	size_t seen_count;

	uint8_t state; /* enum target_state */
	char why[TARGET_TEXT_MAX * 2];

	pthread_mutex_t lock; /* guards pace: a connection's pump sends too */
	struct pace pace;
	uint32_t held; /* packets that the kernel may send at any time; kept free in the pace */
	struct packet_plan sent; /* of each class */
	unsigned connections;	 /* open now */
	struct ssh_host *ssh;	 /* the session of host-read-only checks, kept between them */
	struct place *places[PLACES_MAX]; /* opened so far */
	const atomic_bool *cancel;	  /* the run is to end: nothing more is sent */
};

/* ERR_NOMEM never: plain initialisation. Ended with target_done. */
void target_init(struct target *t, const struct config *c, const struct config_asset *a,
		 const struct ip_addr *address, const atomic_bool *cancel);
void target_done(struct target *t);
/* Packets a second: the asset's, or its kind's. */
uint32_t target_rate(const struct config_asset *a);
/* Waits until so many packets may be sent at once, and notes them. ERR_DENIED: the run was
 * cancelled meanwhile. */
int target_take(struct target *t, uint32_t packets) must_check;
/* The same for `packets` now and one that the kernel sends at a time of its own: an
 * acknowledgement. Ended with target_release. */
int target_take_and_hold(struct target *t, uint32_t packets) must_check;
/* Holds one packet if it may be sent from now on; else the milliseconds until it may. */
uint64_t target_try_hold(struct target *t);
/* The hold ends; so many packets left meanwhile. */
void target_release(struct target *t, uint32_t packets);
/* The packet that was taken last has left only now: a thread may wait between the two. */
void target_sent(struct target *t);
/* Packets that left without asking (acknowledgements): delays what comes next. */
void target_note(struct target *t, uint32_t packets);
/* A gentle device takes one connection at a time. */
bool target_is_gentle(const struct target *t);
/* So few packets a second that the kernel's acknowledgements need a turn too. */
bool target_is_careful(const struct target *t);
/* What a connection to a TCP port of a gentle device ended with: 0 or -ECONNREFUSED is remembered,
 * anything else is not; when the memory is full the port is asked again. */
void target_saw_port(struct target *t, uint16_t port, int err);
/* NULL: not asked yet in this run, or no gentle device. */
const struct seen_port *target_seen_port(const struct target *t, uint16_t port);
/* The model for canaries: product without version, or the asset's name. */
const char *target_model(const struct target *t);

#endif
