/* Plays a script against the core. Only for player*.c. */
#ifndef HW_TESTS_FLOW_PLAYER_H
#define HW_TESTS_FLOW_PLAYER_H

#include "flow/lib/harness.h"
#include "flow/lib/script.h"

#define PLAYER_PATHS_MAX    32
#define PLAYER_VARS_MAX	    256
#define PLAYER_MESSAGES_MAX 128
#define PLAYER_IGNORES_MAX  16
#define PLAYER_DEPTH_MAX    8 /* variables within variables */

struct player_path {
	const char *name;
	struct path path;
	const char *remote; /* as written */
};

struct player_var {
	char *name, *value;
};

/* A message that the core sent, kept under a name: it is answered, or begins or confirms a dialog.
 */
struct player_message {
	char *name;
	const struct player_path *path;
	char *bytes; /* NULL: it never came (only when lenient) */
	size_t n;
	char *reply_tag;
	unsigned next_cseq;
};

/* What goes wrong on the way, besides the n-th allocation. */
struct player_mishap {
	unsigned long fail_alloc; /* n-th heap request fails; 0 = none */
	unsigned lose_event;	  /* n-th message to the core is lost; 0 = none */
	unsigned double_event;	  /* n-th message to the core comes twice; 0 = none */
	unsigned die_event;	  /* behind the n-th message another core goes on; 0 = none */
};

struct player {
	struct harness h;
	const struct script *script;
	const struct statement *at;
	struct player_mishap mishap;
	unsigned events; /* messages fed so far */
	unsigned fresh;	 /* for branches and the like */
	struct player_path path[PLAYER_PATHS_MAX];
	size_t path_count;
	struct player_var var[PLAYER_VARS_MAX];
	size_t var_count;
	struct player_message message[PLAYER_MESSAGES_MAX];
	size_t message_count;
	const char *ignore_path[PLAYER_IGNORES_MAX], *ignore_what[PLAYER_IGNORES_MAX];
	size_t ignore_count;
	struct player_message *last; /* what `out` took */
	struct sip_msg parsed;	     /* scratch */
	long marked_live;
};

/* What was used up, for planning the mishaps. */
struct player_result {
	bool good;
	char failure[2400];
	unsigned long allocations;
	unsigned events;
};

struct player_result player_play(const struct script *script, struct player_mishap mishap);

/* ---- player_text.c: words, variables and fields ---- */

/* A fault of the script itself ends the program. */
__attribute__((noreturn, format(printf, 2, 3))) void player_fault(const struct player *p,
								  const char *fmt, ...);
/* The text with each ${name} replaced; belongs to the caller. */
char *player_expand(struct player *p, const char *text);
void player_set(struct player *p, const char *name, const char *value);
const struct player_path *player_path_find(const struct player *p, const char *name);
struct player_message *player_message_find(struct player *p, const char *name);
/* A field of a kept message ("call-id", "from-tag", "contact", "header:Name" ...) as new memory;
 * NULL when it has none. */
char *player_field(struct player *p, const struct player_message *m, const char *field);
/* "250ms", "3s", "5m", "2h". */
uint64_t player_duration_ms(const struct player *p, const char *word);
/* The word behind "key=", or NULL. */
const char *player_option(const struct statement *st, const char *key);

/* ---- player_send.c: what comes in ---- */

void player_in(struct player *p);
void player_reply(struct player *p);
void player_ask(struct player *p);
void player_ack(struct player *p);
/* Lines with LF and without Content-Length become a message. */
void player_feed_text(struct player *p, const struct player_path *path, const char *text);

/* ---- player_expect.c: what must come out ---- */

void player_out(struct player *p);
void player_detail(struct player *p);
void player_flow(struct player *p);
void player_count(struct player *p, const char *what, size_t got);
void player_closed(struct player *p);
void player_listed(struct player *p);
void player_report(struct player *p);
void player_refused(struct player *p);
void player_kept_out(struct player *p);
void player_distrusted(struct player *p);
/* Before the next event: nothing that the script does not know of is left. */
void player_settle(struct player *p);

#endif
