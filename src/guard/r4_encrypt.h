/* What policy makes of encryption in descriptions: which media may be in the clear, whether keys
 * may be told over this signalling, what the other side is offered (RFC 4568, 8643). Decisions
 * only: the caller keeps the state and draws the keys. */
#ifndef HW_GUARD_R4_ENCRYPT_H
#define HW_GUARD_R4_ENCRYPT_H

#include "guard/limits.h"
#include "model/config.h"
#include "proto/sdp/sdp_crypto.h"

/* What holds for one side of a call. */
struct r4_policy {
	uint8_t srtp;	       /* enum srtp_policy; required in a zone with cleartext = deny */
	bool signalling_clear; /* its signalling is not encrypted */
	bool keys_in_clear;    /* and yet keys may be told over it */
	bool dtls;    /* it is offered keys by DTLS, not by SDES; with srtp required alone */
	bool browser; /* likewise, by ICE, audio alone; and it offers nothing else */
};

/* How a description would have a stream encrypted. */
enum r4_form {
	R4_PLAIN,    /* RTP/AVP */
	R4_OPTIONAL, /* RTP/AVP with a=crypto: encrypted if the answer agrees, RFC 8643 */
	R4_SAVP,     /* RTP/SAVP with a=crypto */
	R4_DTLS,     /* UDP/TLS/RTP/SAVP: keys come of a handshake (RFC 5764) */
	R4_OTHER,    /* no RTP, or RTP in a way that has no keys */
};

/* One a=crypto line. */
struct r4_line {
	uint32_t tag;
	uint32_t number; /* of the key, for the packet path; 0 = not given yet */
	bool ours;	 /* our key; else the other side's, passed through */
	struct srtp_key key;
};

/* What is said of one stream, in an offer or an answer. */
struct r4_said {
	uint8_t form;	 /* enum r4_form */
	bool feedback;	 /* RTP/AVPF, RTP/SAVPF, UDP/TLS/RTP/SAVPF */
	bool keys_asked; /* a=crypto stands there, even if no line of it can be used */
	uint8_t line_count;
	struct r4_line line[R4_LINES_MAX]; /* those that can be used, in their order */
};

/* Lines of unknown suites, with several keys or with parameters that weaken or are not known are
 * passed over, as RFC 4568 5.1.2 has it. */
void r4_read(const struct sdp_media *m, struct r4_said *out);
/* May this side offer that? REASON_NONE, or why not. */
enum reason r4_offer_admitted(const struct r4_policy *from, const struct r4_said *offer);
/* Do handshakes of both sides end with us? Between two that are off they pass, as all else does. */
bool r4_handshakes_end(const struct r4_policy *from, const struct r4_policy *to);
/* Are keys of this side's to be used: told, and believed? */
bool r4_keys_trusted(const struct r4_policy *side);
/* How the stream is offered to the other side. *out is R4_PLAIN, R4_OPTIONAL, R4_SAVP or R4_DTLS
 * (or as the offer for what passes as it is). Or why it cannot be. */
enum reason r4_form_towards(const struct r4_policy *from, const struct r4_policy *to,
			    const struct r4_said *offer, enum r4_form *out);
/* May the other side be told this side's own keys, so that media passes from end to end? Not over
 * signalling that is worse than the one that they came by. */
bool r4_keys_shared(const struct r4_policy *from, const struct r4_policy *to);
/* May we offer keys of our own besides? Not between two sides that are off: then we only pass on.
 */
bool r4_keys_added(const struct r4_policy *from, const struct r4_policy *to);
/* The line of what was told that an answer took, or NULL when it took none. */
const struct r4_line *r4_line_taken(const struct r4_said *told, const struct r4_said *answer);
/* Does the answer keep to what was told? REASON_NONE, and whether the stream is encrypted. */
enum reason r4_answer_admitted(const struct r4_said *told, const struct r4_said *answer,
			       bool *out_encrypted);
/* "RTP/SAVPF" and the like; empty for R4_OTHER. */
struct slice r4_proto(enum r4_form form, bool feedback);

#endif
