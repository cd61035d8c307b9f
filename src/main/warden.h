/* The warden's one context, for the warden_*.c files alone. It owns what needs rights (sockets,
 * firewall, flow table, children) and reads nothing that a stranger wrote. */
#ifndef HW_MAIN_WARDEN_H
#define HW_MAIN_WARDEN_H

#include "config/config_load.h"
#include "enforce/nft.h"
#include "enforce/vlan.h"
#include "guard/r2_bans.h"
#include "io/loop.h"
#include "main/event_batch.h"
#include "main/listeners.h"
#include "main/patch_files.h"
#include "main/signers.h"
#include "main/trust_files.h"
#include "main/tls_material.h"
#include "media/flow_table.h"
#include "media/vault.h"
#include "proc/channel.h"
#include "proc/supervise.h"

#define WARDEN_NOTICES_MAX  16
#define WARDEN_NOTICE_BYTES 256
#define WARDEN_STOP_MS	    2000  /* for signal to say goodbye on the wire */
#define WARDEN_START_MS	    10000 /* for every child to be up */
#define WARDEN_ERRORS_BYTES 16384 /* of a refused configuration's complaints */

struct json;
struct warden;
struct warden_path;
struct warden_tunnels;
struct warden_taps;
struct warden_cdp;
struct warden_voice_vlan;

struct child {
	struct warden *warden;
	enum proc_kind kind;
	int pid; /* 0 = none alive */
	unsigned uid;
	bool up; /* has taken all it was given, and locked itself in */
	bool stopped;
	uint64_t generation; /* of the configuration it has; 0 = none */
	struct proc_channel channel;
	struct loop_fd *watch;
	struct supervise supervise;
	struct loop_timer *restart;
};

enum {
	CHILD_SIGNAL,
	CHILD_MEDIA,
	CHILD_CONSOLE,
	CHILD_TLS,
	CHILD_WATCH,
	CHILD_ANNOUNCE,
	CHILD_STIR,
	CHILD_COUNT
};

/* A configuration in force, with what was made for it. */
struct regime {
	struct config *config;
	struct slice text; /* owned */
	struct listeners listeners;
	struct tls_material tls;
	struct signer_files signers;
	struct trust_files trust;
	struct patch_files patches;
	uint64_t generation;
};

struct pinhole_counts {
	uint64_t opened, closed, refused;
};

struct warden {
	const char *config_path, *run_dir;
	struct loop *loop;
	struct regime now;
	struct proc_channel spawner;
	struct loop_fd *spawner_watch;
	struct child child[CHILD_COUNT];
	struct child probe; /* only for --self-test */
	struct proc_msg msg;
	struct event_batch events;
	struct flow_table *flows;
	struct fingerprint dtls_own; /* of the certificate that media made for DTLS */
	struct vault_fds vault;	     /* kept for those who need it, not looked into */
	struct vault_gauge *gauge;   /* but for this */
	int journal_fd;		     /* signal's records; likewise */
	struct warden_path *path;    /* NULL = media goes through user space */
	struct nft *nft;	     /* NULL = no firewall: the user mode */
	struct vlans *vlans;
	struct warden_tunnels *tunnels;	      /* NULL = there never was one */
	struct warden_taps *taps;	      /* NULL = no link is watched */
	struct warden_cdp *cdp;		      /* likewise */
	struct warden_voice_vlan *voice_vlan; /* NULL = there never was one to tell of */
	struct shaper *shaper;		      /* NULL = this host lets us shape nothing */
	struct pinhole_counts pinholes;
	uint64_t signal_born_ns; /* flows that are older belong to a signal that died; 0 = none */
	uint64_t *adopted;	 /* a bit per flow of those that its successor goes on with */
	struct loop_timer *orphans;
	struct r2_bans bans; /* as signal told; for the firewall and the next signal */
	struct loop_timer *bans_timer;
	struct loop_signal *signals[3];
	int control_fd, feed_fd, console_fd, events_fd; /* -1 = none */
	int assessor_fd; /* of one that waits for the first asset; -1 = none */
	char token[PROC_TOKEN_MAX];
	uint64_t started_ms;
	bool ready, stopping, failed, flows_closed;
	struct loop_timer *stop, *event_timer, *expiry;
	unsigned expiry_looks;
	uint32_t reload_query; /* the console's query that waits for signal; 0 = none */
	bool reloading;
	bool self_test;
	uint32_t probe_attempt; /* enum probe_attempt */
	bool probe_judged, probe_condemned;
	char notices[WARDEN_NOTICES_MAX][WARDEN_NOTICE_BYTES];
	size_t notice_count;
};

/* warden.c */
__attribute__((format(printf, 2, 3))) void warden_notice(struct warden *w, const char *fmt, ...);
/* To the console soon, or nowhere while there is none. */
void warden_event(struct warden *w, struct event *e);
/* Now: `ctx` is the warden. */
void warden_events_flush(void *ctx);
/* "process" and "config" events. */
__attribute__((format(printf, 5, 6))) void warden_tell(struct warden *w, const char *type,
						       const char *name, enum severity severity,
						       const char *fmt, ...);
/* Ends with an error. */
void warden_fail(struct warden *w, const char *why);
/* Begins a clean stop. */
void warden_stop(struct warden *w);
/* Every child is up. */
void warden_ready(struct warden *w);
void warden_on_stopped(struct child *c);
/* A whole gateway's life: from a loaded regime to the end. Returns the exit code. */
int warden_run(struct warden *w) must_check;

/* warden_children.c */
int warden_children_start(struct warden *w) must_check;
void warden_children_done(struct warden *w);
/* Kills who sent what nobody may send, or cannot be reached; it is then started again. */
void warden_child_condemn(struct child *c, int err);
/* Sends, or condemns. */
void warden_child_send(struct child *c, enum proc_type type, const void *payload, size_t bytes,
		       const int *fds, size_t fd_count);
/* After something was sent past warden_child_send. */
void warden_child_rewatch(struct child *c);
int warden_child_spawn(struct child *c) must_check;
/* What signal and tls, and console, need of the present regime. */
void warden_hand_config(struct child *c, bool reload);
/* False for a process that this configuration has no work for. */
bool warden_child_wanted(const struct child *c);
/* Whoever verifies callers has the present configuration, or ends, or starts. */
void warden_stir_apply(struct warden *w);
void warden_hand_console(struct warden *w, bool keeps_tcp);
/* The configuration without its secrets and sockets. */
void warden_hand_probe(struct warden *w);

/* warden_messages.c */
void warden_on_child_message(struct child *c, struct proc_msg *msg);
void warden_answer(struct warden *w, uint32_t id, unsigned status, struct slice text);

/* warden_flows.c */
int warden_flows_new(struct warden *w) must_check;
/* The firewall as this configuration wants it, with the pinholes that are open. 0 without one. */
int warden_firewall_apply(struct warden *w, const struct config *config) must_check;
/* Slots for the present configuration's addresses, and the firewall as it wants it. */
int warden_flows_apply(struct warden *w, const struct config *config) must_check;
/* Why that failed with `err` just now, for the administrator. Borrowed until the next time. */
const char *warden_flows_error(const struct warden *w, int err);
/* ERR_PEER when the requests are no requests. */
int warden_flow_ops(struct warden *w, struct child *from, const struct proc_msg *msg) must_check;
/* Flows that a new signal does not adopt are nobody's any more: they end when they fall silent. */
void warden_flows_orphan(struct warden *w);
/* Pinholes of calls of an earlier signal process that are still open. */
size_t warden_flows_orphans(const struct warden *w);
void warden_flows_close_all(struct warden *w);
void warden_flows_done(struct warden *w);

/* warden_bans.c */
int warden_bans_new(struct warden *w) must_check;
void warden_bans_done(struct warden *w);
/* ERR_PEER when it is none. */
int warden_on_ban(struct child *c, const struct proc_msg *msg) must_check;
/* What a new signal process has to know. */
void warden_bans_hand(struct child *signal);
/* The firewall's sets, made what they should be; `ctx` is the warden. */
void warden_bans_apply(void *ctx);

/* warden_regime.c */
/* Reads, checks and resolves; *out is whole or untouched. Complaints as "FILE:LINE: text" lines in
 * `errors`. ERR_SYNTAX, ERR_NOMEM, -errno. */
int regime_read(const char *path, uint64_t generation, struct regime *out,
		struct out *errors) must_check;
/* The links of its VLANs, and its sockets; those that `old` (may be NULL) has are shared.
 * ERR_NOMEM, -errno. */
int regime_bind(const char *path, struct vlans *vlans, const struct regime *old, struct regime *r,
		struct out *errors) must_check;
void regime_done(struct regime *r, const struct regime *heir);

/* warden_reload.c */
/* Begins to; the outcome is told in the log, as an event, and to the console's query (0 = none). */
void warden_reload(struct warden *w, uint32_t query);

/* warden_shield.c */
/* Flows that signal knows something of. ERR_PEER. */
int warden_on_trust(struct warden *w, const struct proc_msg *msg) must_check;

/* warden_rundir.c: pid file, control socket, console's socket, events file, token. */
int rundir_claim(const char *dir, struct out *errors) must_check;
void rundir_release(const char *dir, int pid_fd);
int rundir_listen(const char *dir, const char *file, struct out *errors) must_check;
int events_open(const struct config *config, struct out *errors) must_check;
int console_listen(const struct config *config, struct out *errors) must_check;
int token_read(const struct config *config, char token[static PROC_TOKEN_MAX],
	       struct out *errors) must_check;

/* warden_shape.c */
/* The queues as the configuration wants them; what cannot be is told. */
void warden_shape_apply(struct warden *w, const struct config *config);

/* warden_taps.c */
/* Sockets that see the zones' links, as the present configuration wants them; from then on also
 * when links come and go. What cannot be watched is told. */
void warden_taps_apply(struct warden *w);
/* All of them, to a watch process that is new. */
void warden_taps_hand(struct warden *w);
void warden_taps_done(struct warden *w);

/* warden_voice_vlan.c */
/* The voice VLAN, told to phones as the present configuration wants it; from then on also when
 * links or lldpd come and go. */
void warden_voice_vlan_apply(struct warden *w);
/* A new process that announces knows nothing yet. */
void warden_voice_vlan_hand(struct warden *w);
/* ERR_PEER when it is no answer. */
int warden_on_voice_vlan_told(struct warden *w, const struct proc_msg *msg) must_check;
void warden_on_lldpd_gone(struct warden *w);
void warden_voice_vlan_status(const struct warden *w, struct json *j);
void warden_voice_vlan_metrics(const struct warden *w, struct out *o);
void warden_voice_vlan_done(struct warden *w);

/* warden_cdp.c */
/* The voice VLAN by CDP, where the present configuration wants it; from then on also as links come
 * and go. What was told is withdrawn when it is wanted no more, and by warden_cdp_done. */
void warden_cdp_apply(struct warden *w);
void warden_cdp_status(const struct warden *w, struct json *j);
void warden_cdp_metrics(const struct warden *w, struct out *o);
void warden_cdp_done(struct warden *w);

/* warden_policy.c */
/* Answers the console's query: the whole matrix, or about one packet. */
void warden_policy(struct warden *w, uint32_t query, struct slice question);

/* warden_expiry.c: certificates that end soon; now and every day. */
int warden_expiry_new(struct warden *w) must_check;
void warden_expiry_look(struct warden *w);
void warden_expiry_status(const struct warden *w, struct json *j);
void warden_expiry_metrics(const struct warden *w, struct out *o);

/* warden_views.c */
void warden_status(struct warden *w, struct out *o);
void warden_metrics(struct warden *w, struct out *o);

#endif
