/* A marked test call through the gateway, between place outside (the caller) and place inside (the
 * called phone), and what each of them hears. A third socket listens at place stranger, or at
 * another port outside when there is no such place.
 *
 *	struct trial c;
 *	enum verdict verdict = trial_open(v, &c);	// places, sockets, registration
 *
 *	if (verdict == VERDICT_CLEAN && (verdict = trial_connect(&c)) == VERDICT_CLEAN)
 *		... trial_talk(&c, 500); c.heard[TRIAL_IN][TRIAL_OUT] ...
 *	trial_done(&c);				// hangs up, unregisters
 *
 * Each RTP packet's payload says who sent it, so what arrives is counted by its true sender. All
 * that is sent and received goes into a capture file, kept when there is a finding. */
#ifndef HW_ASSESS_TRIAL_H
#define HW_ASSESS_TRIAL_H

#include <stdio.h>

#include "assess/pcap.h"
#include "assess/place.h"

enum trial_at { TRIAL_OUT, TRIAL_IN, TRIAL_STRANGER, TRIAL_ENDS };

#define TRIAL_TEXT_MAX	 512  /* of a From, To, URI with its NUL */
#define TRIAL_ROUTES_MAX 1024 /* of all Route lines */
#define TRIAL_PATH_MAX	 4352

struct trial_end {
	struct place *place;
	unsigned sip, rtp, rtcp;  /* its sockets */
	struct ip_endpoint peer;  /* where its SIP goes */
	struct ip_endpoint media; /* where its RTP goes; port 0 = not known */
	char call_id[TRIAL_TEXT_MAX], own[TRIAL_TEXT_MAX], other[TRIAL_TEXT_MAX];
	char target[TRIAL_TEXT_MAX], routes[TRIAL_ROUTES_MAX];
	char tag[17], branch[17];
	bool refused; /* what goes out next acknowledges a refusal */
	uint32_t cseq, ssrc, timestamp;
	uint16_t seq;
};

#define TRIAL_PATH_PACKETS 512 /* of one measurement in one direction */

/* One direction of the call as its packets' own times tell it: stamped where they left and where
 * they arrived. */
struct trial_path {
	bool measured;
	uint16_t first_seq, sent;
	uint32_t received; /* each once */
	uint64_t seen[TRIAL_PATH_PACKETS / 64];
	int64_t transit_ns; /* sum; the two clocks' distance is in it */
	int64_t last_ns;    /* the last one's */
	int64_t jitter_ns;  /* RFC 3550 6.4.1 */
};

/* DSCPs with which packets of a kind arrived: a bit for each of the 64. */
enum trial_kind { TRIAL_SIP, TRIAL_RTP, TRIAL_KINDS };

struct trial_message {
	enum trial_at at;
	struct ip_endpoint from;
	size_t n;
	char bytes[PLACE_BYTES_MAX + 1];
};

struct trial {
	struct visit *v;
	struct trial_end ends[TRIAL_ENDS];
	char domain[256], mark[17];
	char password[128]; /* "" = no account */
	struct trial_message last, invite;
	bool has_message, registered, invited, up;
	FILE *pcap;
	char pcap_path[TRIAL_PATH_MAX];
	/* Marked packets that an end heard, by their true sender; at its RTP or its RTCP port. */
	uint32_t heard[TRIAL_ENDS][TRIAL_ENDS];
	uint32_t others[TRIAL_ENDS]; /* datagrams at its media ports without our mark */
	uint32_t odd[TRIAL_ENDS];    /* marked ones that no phone sends: trial_send_odd */
	uint64_t heard_at_ms[TRIAL_ENDS][TRIAL_ENDS];
	struct trial_path paths[2];	/* from outside, from inside */
	uint64_t marks[2][TRIAL_KINDS]; /* outside, inside */
	char asked[64];			/* Call-ID of trial_reaches's last OPTIONS */
	bool asked_answered;		/* by the target */
	unsigned refused_with;		/* status that refused the last INVITE; 0 = none did */
	/* What goes on beside waiting and listening, or NULL: it sends a little and returns. */
	void (*meanwhile)(struct trial *c);
};

/* VERDICT_CLEAN: ready. Else the check's verdict: what is not configured, not reachable. */
enum verdict trial_open(struct visit *v, struct trial *c);
/* INVITE until the call stands; VERDICT_CLEAN, or the check's verdict. */
enum verdict trial_connect(struct trial *c);
/* The same in two steps: until inside has the INVITE, and from its 200 on. */
enum verdict trial_invite(struct trial *c);
enum verdict trial_answer(struct trial *c);
/* trial_open and trial_connect, until both ends have heard each other. */
enum verdict trial_talking(struct visit *v, struct trial *c);
/* Both ends talk and listen, a packet each in 20 ms. */
int trial_talk(struct trial *c, uint32_t ms) must_check;
/* Both ends talk for at most 10 s, paced and stamped by the places themselves: c->paths. */
int trial_measure(struct trial *c, uint32_t ms) must_check;
/* The same in two steps, for who does something else meanwhile: it goes on by itself for `ms`. */
int trial_measure_begin(struct trial *c, uint32_t ms) must_check;
int trial_measure_end(struct trial *c) must_check;
/* Half of the way there and back in us, clocks' distance excluded; 0: nothing was heard. */
uint32_t trial_one_way_us(const struct trial *c);
/* Listens. */
void trial_listen(struct trial *c, uint32_t ms);
/* One marked RTP packet of this end to where its media goes; `as`: with whose SSRC, sequence and
 * timestamp (from this end's own socket). */
int trial_send_rtp(struct trial *c, enum trial_at from, enum trial_at as,
		   const struct ip_endpoint *to) must_check;
/* Sender reports, marked, from this end's RTCP socket. */
int trial_send_rtcp(struct trial *c, enum trial_at from, const struct ip_endpoint *to) must_check;
/* Marked bytes that are no RTP, from this end's RTP socket. */
int trial_send_odd(struct trial *c, enum trial_at from, const struct ip_endpoint *to,
		   struct slice head, size_t size) must_check;
/* The same behind the head of this end's next RTP packet: longer than a phone's. */
int trial_send_long(struct trial *c, enum trial_at from, const struct ip_endpoint *to,
		    size_t size) must_check;
/* Listens, and answers a BYE that comes to either end: true when one came. */
bool trial_idle(struct trial *c, uint32_t ms);
/* Whether what this end sends gets to the target at all: an OPTIONS from its SIP socket is
 * answered, whatever the answer. A place that is shut out or has no way there makes everything look
 * closed. */
bool trial_reaches(struct trial *c, enum trial_at from);
/* Untested, since they were not answered before, or after. */
enum verdict trial_unreached(struct trial *c, enum trial_at from, bool before);
/* Between two such questions `attack` judges: its VERDICT_CLEAN counts when both were answered, and
 * is untested else. */
enum verdict trial_from(struct trial *c, enum trial_at from,
			enum verdict (*attack)(struct trial *c));
/* What was heard so far is forgotten. */
void trial_forget(struct trial *c);
/* BYE from outside, answered inside. 0; -ETIMEDOUT: it did not arrive. */
int trial_hang_up(struct trial *c) must_check;
/* Ends what is left, and the capture. */
void trial_done(struct trial *c);
/* Between trial_sip.c, trial_media.c and trial.c: sends and captures; reads once, ms at most. */
int trial_send(struct trial *c, struct place *p, unsigned socket, enum packet_class class,
	       const struct ip_endpoint *to, struct slice bytes) must_check;
void trial_pump(struct trial *c, uint32_t ms);
void trial_heard(struct trial *c, enum trial_at at, const struct place_datagram *d);
int trial_register(struct trial *c, unsigned seconds) must_check;

#endif
