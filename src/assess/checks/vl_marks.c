/* VL-12, VL-13: marks of priority, compared where they arrive. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/trial.h"

#define WAIT_MS	   1500
#define PROBES	   3  /* a lost datagram is no evidence */
#define DSCP_EF	   46 /* RFC 3246: media */
#define DSCP_CS3   24 /* RFC 4594: signalling */
#define RTP_HEAD   12
#define MARK_BYTES 16

struct way {
	struct place *from, *to;
	const char *from_name, *to_name;
	unsigned from_socket, to_socket;
};

/* One RTP packet with this mark; the DSCP with which it arrived, or an error. */
static int arrives_with(struct visit *v, const struct way *w, uint8_t dscp)
{
	struct ip_endpoint at = {*place_address(w->to), place_port(w->to, w->to_socket)};
	char rtp[RTP_HEAD + MARK_BYTES] = {(char)0x80};
	struct place_datagram got;
	char token[17];
	int err = place_tos(w->from, w->from_socket, (uint8_t)(dscp << 2));

	visit_token(token);
	memcpy(rtp + RTP_HEAD, token, MARK_BYTES);
	for (int i = 0; i < PROBES && !err; i++) {
		err = place_send(v, w->from, w->from_socket, PACKET_RTP, &at,
				 slice_of(rtp, sizeof(rtp)));
		while (!err && place_recv(w->to, &got, WAIT_MS / PROBES) == 0)
			if (slice_eq(slice_of(got.bytes, got.n), slice_of(rtp, sizeof(rtp))))
				return got.tos >> 2;
	}
	return err ? err : -ETIMEDOUT;
}

/* Both marks on one way. *looked counts those that arrived. */
static enum verdict try_way(struct visit *v, struct way w, unsigned *looked)
{
	static const struct {
		uint8_t dscp;
		const char *word;
	} marks[] = {{DSCP_EF, "EF (46)"}, {DSCP_CS3, "CS3 (24)"}};
	enum verdict verdict = VERDICT_CLEAN;
	int err = place_udp(w.from, 0, &w.from_socket);

	err = err ? err : place_udp(w.to, 0, &w.to_socket);
	if (err)
		return visit_failed(v, "a socket", err);
	for (size_t i = 0; i < 2; i++) {
		int dscp = arrives_with(v, &w, marks[i].dscp);

		if (dscp == -ETIMEDOUT)
			continue;
		if (dscp < 0)
			return visit_failed(v, "a datagram", dscp);
		*looked += 1;
		if (dscp != marks[i].dscp)
			verdict =
				visit_found(v, &(struct found){0},
					    "sent with DSCP %s from place %s, it arrives at place "
					    "%s with %d",
					    marks[i].word, w.from_name, w.to_name, dscp);
	}
	return verdict;
}

enum verdict vl13_marks_lost(struct visit *v)
{
	static const char *const names[] = {"voice", "inside", "outside"};
	struct place *ends[3];
	const char *of[3];
	enum verdict there, back;
	unsigned looked = 0;
	size_t n = 0;

	for (size_t i = 0; i < 3 && n < 2; i++) {
		int err = visit_place(v, names[i], &ends[n]);

		if (err && err != ERR_ABSENT)
			return visit_no_place(v, names[i], err);
		of[n] = names[i];
		n += !err;
	}
	if (n < 2)
		return visit_not_asked(v, "two of the places voice, inside and outside are needed");
	there = try_way(v, (struct way){ends[0], ends[1], of[0], of[1], 0, 0}, &looked);
	back = try_way(v, (struct way){ends[1], ends[0], of[1], of[0], 0, 0}, &looked);
	if (v->finding_count)
		return VERDICT_FOUND;
	if (there == VERDICT_UNTESTED || back == VERDICT_UNTESTED)
		return VERDICT_UNTESTED;
	if (!looked)
		return visit_untested(v, "nothing passes between places %s and %s", of[0], of[1]);
	return VERDICT_CLEAN;
}

/* ---- VL-12 ---- */

#define DSCP_AF31	 26 /* RFC 4594's older choice for signalling */
#define DSCP_VOICE_ADMIT 44 /* RFC 5865 */

/* Everything of one kind that arrived at one end. */
static void judge_marks(struct trial *c, enum trial_at at, enum trial_kind kind, uint64_t right,
			const char *wanted)
{
	uint64_t wrong = c->marks[at][kind] & ~right;

	for (unsigned dscp = 0; dscp < 64; dscp++)
		if (wrong >> dscp & 1)
			(void)visit_found(
				c->v, &(struct found){.pcap = c->pcap ? c->pcap_path : NULL},
				"%s of a test call arrives at place %s with DSCP %u, not %s",
				kind == TRIAL_SIP ? "SIP" : "RTP",
				at == TRIAL_OUT ? "outside" : "inside", dscp, wanted);
}

enum verdict vl12_marks_missing(struct visit *v)
{
	struct trial c;
	enum verdict verdict = trial_talking(v, &c);

	for (enum trial_at at = TRIAL_OUT; verdict == VERDICT_CLEAN && at <= TRIAL_IN; at++) {
		/* Inside, a PBX may speak to the phone itself: its marks are not the gateway's. */
		if (at == TRIAL_OUT || ip_eq(&c.ends[at].peer.addr, &c.ends[at].media.addr))
			judge_marks(&c, at, TRIAL_SIP, 1ull << DSCP_CS3 | 1ull << DSCP_AF31,
				    "CS3 (24) or AF31 (26)");
		judge_marks(&c, at, TRIAL_RTP, 1ull << DSCP_EF | 1ull << DSCP_VOICE_ADMIT,
			    "EF (46)");
	}
	trial_done(&c);
	return v->finding_count ? VERDICT_FOUND : verdict;
}
