/* The signal process' one context, for the signal*.c files alone: the pure core in its shell of
 * sockets, timers and channels. It holds no right. */
#ifndef HW_MAIN_SIGNAL_PROC_H
#define HW_MAIN_SIGNAL_PROC_H

#include "call/core.h"
#include "io/loop.h"
#include "io/tcp.h"
#include "io/udp.h"
#include "main/config_wire.h"
#include "main/event_batch.h"
#include "main/record.h"
#include "main/refusals.h"
#include "main/source_limit.h"
#include "media/flow_table.h"
#include "media/vault.h"
#include "proc/channel.h"

#define SIGNAL_HOUSE_MS	    1000 /* silent calls, old records */
#define SIGNAL_PROVE_TURNS  60	 /* of the above: registered phones keep their place */
#define SIGNAL_VAULT_TURNS  10	 /* likewise: keys of a predecessor's calls that ended since */
#define SIGNAL_EVENTS_PER_S 200	 /* refusals told one by one; beyond: counted */
#define SIGNAL_RANDOM_BYTES 2048 /* drawn from the kernel at a time: about 100 calls' worth */
#define SIGNAL_ERRORS_MAX   256	 /* unreachable peers told to the core at the turn's end */

struct signal_link {
	struct proc_channel channel;
	struct loop_fd *watch;
};

struct signal {
	struct loop *loop;
	struct signal_link warden, console;
	struct proc_msg msg;
	struct config *config;
	struct config_intake intake;
	struct flow_table *flows;
	struct vault *vault;
	struct core_env env;
	struct core *core;
	struct udp *udp;
	struct tcp *tcp;
	struct source_limit sources;
	struct records records;
	struct refusals refusals;
	struct event_batch events;
	uint8_t random[SIGNAL_RANDOM_BYTES]; /* drawn ahead; what is used is wiped */
	size_t random_left;
	struct loop_timer *core_timer, *house_timer, *event_timer;
	struct sip_msg parsed;
	struct proc_flow_op ops[PROC_FLOW_OPS_MAX]; /* of this turn, not yet sent */
	size_t op_count;
	struct path broken[SIGNAL_ERRORS_MAX]; /* to be told to the core when it is not at work */
	size_t broken_count;
	uint64_t events_second; /* which second is being counted */
	uint32_t events_in_second, events_unsaid;
	uint64_t refused_packets;     /* by the source limit */
	uint64_t refused_connections; /* by the TCP bounds */
	uint64_t refused_empty;	      /* keep-alive datagrams */
	uint32_t house_turns;
	bool locked_in, stopping;
	int failed; /* why the process must end; 0 = it need not */
};

/* signal_acts.c: what the core asks for. */
struct core_env signal_env(struct signal *s);
/* Flow requests first, so that the port is open when the answer arrives; then what was queued. */
void signal_turn_end(void *ctx);
void signal_events_flush(void *ctx);
void signal_refusal(struct signal *s, enum reason reason, const struct ip_endpoint *from,
		    uint16_t listener, const char *proto, struct slice detail);
/* A peer that cannot be reached, noted for the core. */
void signal_note_broken(struct signal *s, const struct path *to);

/* signal_net.c: what comes in. */
int signal_net_new(struct signal *s) must_check;
void signal_net_free(struct signal *s);
/* The present configuration's listeners: those of old_index go on, the others are new. */
int signal_net_apply(struct signal *s, const struct config *old, const uint16_t *old_index,
		     int *fds) must_check;

/* signal_link.c: what the warden and the console say. */
int signal_link_watch(struct signal *s, struct signal_link *link,
		      void (*ready)(void *ctx, unsigned events)) must_check;
void signal_link_done(struct signal_link *link);
void signal_link_rewatch(struct signal_link *link);
void signal_on_warden(void *ctx, unsigned events);

/* signal_views.c, signal_explain.c: answers; each writes JSON into the console's answer. */
struct answer;
void signal_view_status(struct signal *s, struct answer *a);
void signal_view_metrics(struct signal *s, struct answer *a);
void signal_view_calls(struct signal *s, struct answer *a, bool ended_too);
void signal_view_registrations(struct signal *s, struct answer *a);
/* HTTP-like status. */
unsigned signal_view_trace(struct signal *s, struct answer *a, struct slice what);
unsigned signal_view_explain(struct signal *s, struct answer *a, struct slice what);

#endif
