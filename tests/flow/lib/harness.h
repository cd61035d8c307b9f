/* The core between a fake clock, a fake chance and a fake world: for stories, soaks and fuzzing.
 * What the core asks for is kept until the story takes it; what must always hold is checked as it
 * happens. Its own memory comes from malloc, so that mem_test_live counts the product's alone. */
#ifndef HW_TESTS_FLOW_HARNESS_H
#define HW_TESTS_FLOW_HARNESS_H

#include "call/core.h"
#include "call/limits.h"
#include "model/config.h"

#define HARNESS_SENT_MAX    512 /* sends that nobody took yet */
#define HARNESS_FLOWS_MAX   256
#define HARNESS_REPORTS_MAX 256 /* reports since the last event */
#define HARNESS_HIDDEN_MAX  512
#define HARNESS_HIDDEN_TEXT 96
#define HARNESS_KEPT_MAX    256 /* records */
#define HARNESS_START_MS    UINT64_C(1000000)

struct harness_sent {
	struct path path;
	char *bytes; /* with a NUL */
	size_t n;
};

struct harness_report {
	enum report_type type;
	enum reason reason;
	bool taken;
	char text[256];
};

/* What a successor is given. */
struct harness_kept {
	enum kept_kind kind;
	uint32_t number;
	char *bytes;
	size_t n;
};

/* A text of one zone that must never be seen in another. */
struct harness_hidden {
	uint16_t zone;
	char text[HARNESS_HIDDEN_TEXT];
};

struct harness {
	struct core_env env;
	struct core *core; /* NULL when it could not be made */
	struct config *config;
	uint64_t now_ms, chance;
	long live_before; /* blocks */
	bool trace;	  /* FLOW_TRACE is set */
	bool lenient;	  /* anything may fail for want of memory or messages: only leaks count */
	bool failed;
	char failure[2048];
	struct harness_sent sent[HARNESS_SENT_MAX];
	size_t sent_count;
	struct flow_spec flow[HARNESS_FLOWS_MAX];
	size_t flow_count;
	struct harness_report report[HARNESS_REPORTS_MAX];
	size_t report_count;
	struct identity_ask asked; /* the last one */
	size_t kept_out;	   /* messages that a ban kept out since the last event */
	size_t distrusted;	   /* flows that lost their trust since the last event */
	int bans;		   /* asked for, less those taken back */
	enum reason closed[HARNESS_FLOWS_MAX]; /* since the last event */
	size_t closed_count;
	struct flow_spec orphan[HARNESS_FLOWS_MAX]; /* of a dead core, not adopted yet */
	size_t orphan_count;
	struct harness_kept kept[HARNESS_KEPT_MAX];
	size_t kept_count;
	struct hash_key key;
	struct harness_hidden hidden[HARNESS_HIDDEN_MAX];
	size_t hidden_count;
	bool hiding_off;
	bool rubbish; /* a core went on with spoilt records: what it says may be nonsense */
	size_t traced;
	bool refusing; /* what comes in does not parse: the answer may lack what it lacked */
};

/* Reads the configuration (a fault in it is the story's and ends the program). The core is made by
 * harness_start; that may fail for want of memory. */
void harness_init(struct harness *h, const char *config_text, bool lenient);
void harness_start(struct harness *h);
/* Media has made a certificate for handshakes. */
void harness_certificate(struct harness *h);
/* Lets everything run out, checks that nothing is left, and frees all. */
void harness_finish(struct harness *h);
void harness_reload(struct harness *h, const char *config_text);

/* The core dies as it stands, and another one goes on with what it kept. */
void harness_restart(struct harness *h);

/* Says what is wrong; the first one is kept. Nothing when lenient, except with `always`. */
__attribute__((format(printf, 2, 3))) void harness_fail(struct harness *h, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void harness_fail_always(struct harness *h, const char *fmt,
							       ...);

/* Lets time pass to now_ms, firing each timer at its time. */
void harness_pass_to(struct harness *h, uint64_t now_ms);
/* Bytes come in along a path, parsed or refused as the wire would have it. */
void harness_feed(struct harness *h, const struct path *from, const char *bytes, size_t n);
/* The core is told that a path broke. */
void harness_break(struct harness *h, const struct path *path, enum reason why);

/* Takes the oldest send along the path whose method or status is `what` (NULL: any) out of the
 * queue into *out, which the caller frees; false: there is none. */
bool harness_take(struct harness *h, const struct path *path, const char *what,
		  struct harness_sent *out);
void harness_forget(struct harness *h); /* all sends, reports and closings */
/* A text that must not leave its zone. */
void harness_hide(struct harness *h, uint16_t zone, struct slice text);
/* harness_kept.c: records as the world keeps them. */
void harness_on_keep(struct harness *h, const struct action *a);
void harness_on_forget(struct harness *h, enum kept_kind kind, uint32_t number);
void harness_kept_free(struct harness *h);
/* What must hold of one end of a flow; `key` may be NULL. */
void harness_check_secret(struct harness *h, const struct flow_secret *s,
			  const struct srtp_key *key);
/* What holds after every event, however many events were lost. */
void harness_check_always(struct harness *h);

/* Reads and resolves a configuration; a fault in it ends the program. */
struct config *harness_config_read(const char *text);
/* The path between a peer and our listener at `local`. Ends the program when there is none. */
struct path harness_path(const struct harness *h, const char *transport, const char *remote,
			 const char *local, uint32_t conn);

#endif
