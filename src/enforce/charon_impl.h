/* Shared by charon.c (the conversation), charon_judge.c (what follows from it) and charon_end.c. */
#ifndef HW_ENFORCE_CHARON_IMPL_H
#define HW_ENFORCE_CHARON_IMPL_H

#include "enforce/charon.h"
#include "proto/vici/vici.h"

#define IN_BYTES      (VICI_HEAD_BYTES + VICI_PACKET_MAX)
#define OUT_BYTES     (VICI_HEAD_BYTES + VICI_PACKET_MAX)
#define POLL_MS	      3000  /* between looks at the SAs; events make it sooner */
#define ANSWER_MS     10000 /* charon answers within milliseconds, or hangs */
#define RETRY_MS      5000  /* between attempts to begin a tunnel that is not up */
#define ATTEMPT_MS    20000 /* one attempt; then it is begun anew */
#define LOAD_AGAIN_MS 30000 /* after charon took it not */
#define SILENT_LOOKS  4	    /* at which the peer had not said that it is alive */
#define SAME_NEWS_MS  60000 /* a reason that stays is told again */
#define LEAVE_MS      1000
#define KEY_ID_MAX    65 /* hexadecimal SHA-1 or SHA-256 with a NUL */

enum step {
	STEP_IDLE,
	STEP_REGISTER,
	STEP_LOAD,
	STEP_LIST,
	STEP_INITIATE,
	STEP_REMOVE,
	STEP_TERMINATE
};

struct charon {
	struct charon_setup setup;
	struct charon_view view;
	char name[CHARON_NAME_MAX];
	int fd;
	char *in;
	size_t in_n;
	struct out out;
	size_t out_sent;
	enum step step;
	uint64_t asked_ms, listed_ms, initiated_ms, loaded_ms;
	unsigned registered;
	struct out load; /* requests that are still to be sent, from load_at on */
	size_t load_at;
	bool list_due, load_due, end_due, begin_due;
	struct charon_sas sas, before;
	unsigned silent;
	bool was_silent;	    /* that is why it was ended */
	char stranger[16];	    /* number of an SA that the peer begins, before it has a name */
	char key_id[KEY_ID_MAX];    /* of the private key in charon; "" = the secret is there, or
				       nothing */
	char told_key[KEY_ID_MAX];  /* the same of what is being loaded */
	char stale_key[KEY_ID_MAX]; /* of earlier terms, to be taken out */
	char leaving_key[KEY_ID_MAX]; /* which charon has been asked to forget */
	bool stale_secret;
	/* Said by charon while the tunnel was up: why it fell, if it falls now, else of no matter.
	 */
	enum reason heard;
	char heard_words[CHARON_WORDS_MAX];
	uint64_t heard_ms;
	enum reason told;
	uint64_t told_ms;
};

/* Keeps the reason and tells it, but not the same one all the time. */
void charon_tell(struct charon *c, enum reason what, struct slice words, uint64_t now_ms);
/* As charon_tell for what charon's log says, which while the tunnel is up may be of another
 * attempt. */
void charon_hear(struct charon *c, enum reason what, struct slice words, uint64_t now_ms);
void charon_state_set(struct charon *c, enum charon_state s, uint64_t now_ms);
/* Sends what can be sent. */
void charon_flush(struct charon *c, uint64_t now_ms);
void charon_write_terminate(struct out *o, const char *name);
/* What earlier terms left in charon is to be taken out; false: nothing is left. */
bool charon_write_stale(struct charon *c);
/* charon has answered to that, whatever it said. */
void charon_stale_gone(struct charon *c);
/* The list of SAs is whole: what it means, and what is due now. */
void charon_on_listed(struct charon *c, uint64_t now_ms);

#endif
