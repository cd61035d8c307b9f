/* strongSwan's charon, told by vici what one tunnel needs and watched: loads the connection, begins
 * it, begins it again whenever it is not up, and says why it is not. One connection for each
 * tunnel, so that they do not wait for each other. Time is a parameter; the socket is non-blocking.
 */
#ifndef HW_ENFORCE_CHARON_H
#define HW_ENFORCE_CHARON_H

#include "base/out.h"
#include "base/reason.h"
#include "model/config.h"

#define CHARON_TICK_MS	 1000 /* how often charon_tick wants to be called */
#define CHARON_NAME_MAX	 (CONFIG_NAME_MAX + 16)
#define CHARON_WORD_MAX	 64
#define CHARON_WORDS_MAX 240 /* of what charon said last */

enum charon_state {
	CHARON_ABSENT,	/* nobody answers at the socket */
	CHARON_LOADING, /* it is being told of the tunnel */
	CHARON_REFUSED, /* it does not take the tunnel's keys or connection */
	CHARON_DOWN,	/* it knows the tunnel, which is not up */
	CHARON_UP
};

struct charon_view {
	enum charon_state state;
	uint64_t since_ms; /* of this state */
	uint64_t ups;	   /* times that it came up */
	uint64_t bytes_in, bytes_out, packets_in, packets_out;
	char ike[CHARON_WORD_MAX], esp[CHARON_WORD_MAX]; /* "AES_GCM_16-256/CURVE_25519" */
	char remote_id[CONFIG_IDENTITY_MAX];		 /* as it proved itself */
	enum reason why;				 /* it is not up; REASON_NONE = not known */
	char words[CHARON_WORDS_MAX];			 /* charon's own about it */
};

struct charon_setup {
	char socket[CONFIG_PATH_MAX];
	char name[CONFIG_NAME_MAX];	 /* of the tunnel */
	struct ip_addr remote4, remote6; /* whose attempts to begin it concern us */
	/* Writes the requests that make the connection, one behind the other; the buffer is wiped
	 * when they have been answered. 0, or an error that is told. */
	int (*load)(void *ctx, struct out *o);
	/* Something happened: tunnel_up, or why it is not. `detail` may hold strangers' bytes. */
	void (*news)(void *ctx, enum reason what, struct slice detail);
	/* Whether another tunnel of this charon proves itself by this key; NULL: none does. */
	bool (*key_shared)(void *ctx, const char *key_id);
	/* charon has forgotten this key. It may have been told of it for another tunnel meanwhile:
	 * charon_key_gone for each of them. NULL: there is none. */
	void (*key_gone)(void *ctx, const char *key_id);
	void *ctx;
};

struct charon;

/* ERR_NOMEM. Connects with the first tick. */
int charon_new(const struct charon_setup *setup, uint64_t now_ms, struct charon **out) must_check;
/* Closes the connection; what charon has it keeps. Accepts NULL. */
void charon_free(struct charon *c);
/* The socket, -1 = none; it may be another one after each call below. */
int charon_fd(const struct charon *c);
bool charon_wants_write(const struct charon *c);
/* Reads and writes what can be. */
void charon_ready(struct charon *c, uint64_t now_ms);
void charon_tick(struct charon *c, uint64_t now_ms);
/* Loads it again; with `anew` what is up by the old terms ends and begins again. */
void charon_reload(struct charon *c, bool anew, uint64_t now_ms);
/* Ends the tunnel and takes it out of charon. Waits up to a second. */
void charon_leave(struct charon *c);
/* A key is gone from charon: one that this tunnel has, or may just be telling of, is told again
 * with the next tick. */
void charon_key_gone(struct charon *c, const char *key_id);
/* Of the private key that charon has for it; "" = it has none. */
const char *charon_key_id(const struct charon *c);
const struct charon_view *charon_view(const struct charon *c);
/* "up", "no-charon", ... Borrowed for ever. */
const char *charon_state_text(enum charon_state s);

/* ---- charon_load.c: a tunnel as vici requests; pure ---- */

/* The contents of the files; empty where there is none. */
struct charon_files {
	struct slice certificate, key, ca;
};

/* "hornwork-NAME": ours among what an administrator may have loaded himself. */
void charon_name(const char *tunnel, char out[static CHARON_NAME_MAX]);
/* Key or secret, then the connection. ERR_SPACE. */
int charon_load_write(struct out *o, const struct config *c, const struct config_tunnel *t,
		      const struct charon_files *files) must_check;

/* ---- charon_watch.c: what charon tells; pure ---- */

/* What a list of SAs says of one tunnel. */
struct charon_sas {
	bool any;	  /* it has an IKE SA */
	bool established; /* one of them is */
	bool installed;	  /* and a pair of ESP SAs */
	bool asks;	  /* it waits for the peer's answer whether it is alive */
	char ike[CHARON_WORD_MAX], esp[CHARON_WORD_MAX], remote_id[CONFIG_IDENTITY_MAX];
	struct charon_child {
		uint32_t id;
		uint64_t bytes_in, bytes_out, packets_in, packets_out;
	} child[8];
	size_t child_count;
};

/* Adds a list-sa event about `name`. ERR_SYNTAX, ERR_LIMIT. */
int charon_sas_add(struct charon_sas *sas, struct slice message, const char *name) must_check;

/* A line of charon's log. */
struct charon_log {
	struct slice ike, id, text; /* the SA's connection and number */
};

int charon_log_read(struct slice message, struct charon_log *out) must_check;
/* The reason that it tells, or REASON_NONE. */
enum reason charon_log_reason(struct slice text);

#endif
