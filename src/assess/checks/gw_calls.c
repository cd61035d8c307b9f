/* GW: media of marked test calls through the gateway, measured at both ends. */
#include <errno.h>

#include "assess/trial.h"
#include "assess/checks/table.h"
#include "io/clock.h"

#define GRACE_MS       1000 /* that a pinhole may take to open, and to close */
#define PORTS_ASKED    20
#define OPENING_MS_MAX 4000 /* after which the call counts as one without media */

#define FOUND(c, fmt, ...)                                                                         \
	visit_found((c)->v, &(struct found){.pcap = (c)->pcap ? (c)->pcap_path : NULL}, fmt,       \
		    ##__VA_ARGS__)

/* Makes the call, lets `attack` do and judge, ends it. */
static enum verdict during_call(struct visit *v, enum verdict (*attack)(struct trial *c))
{
	struct trial c;
	enum verdict verdict = trial_talking(v, &c);

	if (verdict == VERDICT_CLEAN)
		verdict = attack(&c);
	trial_done(&c);
	return verdict;
}

/* The same, where the stranger attacks. */
static enum verdict during_call_by_stranger(struct visit *v,
					    enum verdict (*attack)(struct trial *c))
{
	struct trial c;
	enum verdict verdict = trial_talking(v, &c);

	if (verdict == VERDICT_CLEAN)
		verdict = trial_from(&c, TRIAL_STRANGER, attack);
	trial_done(&c);
	return verdict;
}

static enum verdict failed(struct trial *c, int err)
{
	return visit_failed(c->v, "the test call's media", err);
}

/* ---- GW-02 ---- */

static enum verdict idle_ports(struct trial *c)
{
	uint16_t first = c->v->config->media.port_first, last = c->v->config->media.port_last;
	int err = 0;

	for (unsigned i = 0; !err && i < PORTS_ASKED; i++) {
		struct ip_endpoint to = {c->v->target->address, 0};

		to.port = (uint16_t)(first + (unsigned)(last - first) * i / (PORTS_ASKED - 1));
		err = trial_send_rtp(c, TRIAL_OUT, TRIAL_OUT, &to);
		trial_listen(c, 20);
	}
	if (err)
		return failed(c, err);
	trial_listen(c, 500);
	if (!c->others[TRIAL_OUT] && !c->heard[TRIAL_OUT][TRIAL_OUT])
		return VERDICT_CLEAN;
	return FOUND(c, "%u packets to media ports without a call are answered with %u",
		     PORTS_ASKED, c->others[TRIAL_OUT] + c->heard[TRIAL_OUT][TRIAL_OUT]);
}

enum verdict gw02_idle_ports(struct visit *v)
{
	struct trial c;
	enum verdict verdict = trial_open(v, &c);

	if (verdict == VERDICT_CLEAN && config_is_assets_only(v->config))
		verdict = visit_not_asked(v, "no gateway's section names its media ports");
	if (verdict == VERDICT_CLEAN)
		verdict = trial_from(&c, TRIAL_OUT, idle_ports);
	trial_done(&c);
	return verdict;
}

/* ---- GW-03 ---- */

/* Half a second of packets to the caller's port, numbered as those of `as` (its SSRC, sequence). */
static int stranger_talks(struct trial *c, enum trial_at as)
{
	int err = 0;

	for (unsigned i = 0; i < 25 && !err; i++) {
		err = trial_send_rtp(c, TRIAL_STRANGER, as, &c->ends[TRIAL_OUT].media);
		if (!err)
			err = trial_talk(c, 20);
	}
	return err;
}

static enum verdict wrong_source(struct trial *c)
{
	int err = stranger_talks(c, TRIAL_STRANGER);

	if (err)
		return failed(c, err);
	if (c->heard[TRIAL_IN][TRIAL_STRANGER] == 0)
		return VERDICT_CLEAN;
	return FOUND(c, "%u of 25 packets of a stranger to the call's port reach the called phone",
		     c->heard[TRIAL_IN][TRIAL_STRANGER]);
}

/* How long after its answer a call's own media passes both ways. */
static enum verdict opening(struct trial *c)
{
	static const uint8_t low = ASSESS_LOW;
	uint64_t answered = clock_ms(), opened = 0;
	int err = 0;

	while (!err && (!c->heard[TRIAL_IN][TRIAL_OUT] || !c->heard[TRIAL_OUT][TRIAL_IN]) &&
	       clock_ms() < answered + OPENING_MS_MAX)
		err = trial_talk(c, 20);
	if (err)
		return failed(c, err);
	if (!c->heard[TRIAL_IN][TRIAL_OUT] || !c->heard[TRIAL_OUT][TRIAL_IN])
		return visit_untested(c->v,
				      "the test call's own media does not arrive at both ends");
	opened = c->heard_at_ms[TRIAL_IN][TRIAL_OUT];
	if (c->heard_at_ms[TRIAL_OUT][TRIAL_IN] > opened)
		opened = c->heard_at_ms[TRIAL_OUT][TRIAL_IN];
	trial_forget(c);
	if (opened <= answered + GRACE_MS)
		return VERDICT_CLEAN;
	return visit_found(
		c->v,
		&(struct found){
			.severity = &low, .cvss_tenths = 31, .pcap = c->pcap ? c->pcap_path : NULL},
		"the pinhole opens %u ms after the answer", (unsigned)(opened - answered));
}

enum verdict gw03_wrong_source(struct visit *v)
{
	struct trial c;
	enum verdict verdict = trial_open(v, &c);

	if (verdict == VERDICT_CLEAN)
		verdict = trial_connect(&c);
	if (verdict == VERDICT_CLEAN)
		verdict = opening(&c);
	if (verdict == VERDICT_CLEAN || verdict == VERDICT_FOUND)
		verdict = trial_from(&c, TRIAL_STRANGER, wrong_source);
	trial_done(&c);
	return v->finding_count ? VERDICT_FOUND : verdict;
}

/* ---- GW-04 ---- */

static enum verdict after_bye(struct trial *c)
{
	uint64_t ended;
	int err = trial_hang_up(c);

	if (err)
		return visit_failed(c->v, "BYE", err);
	ended = clock_ms();
	trial_forget(c);
	err = trial_talk(c, GRACE_MS + 1500);
	if (err)
		return failed(c, err);
	for (enum trial_at at = TRIAL_OUT; at <= TRIAL_IN; at++) {
		enum trial_at from = at == TRIAL_OUT ? TRIAL_IN : TRIAL_OUT;

		if (c->heard[at][from] && c->heard_at_ms[at][from] > ended + GRACE_MS)
			return FOUND(c, "media still passes %u ms after BYE",
				     (unsigned)(c->heard_at_ms[at][from] - ended));
	}
	return VERDICT_CLEAN;
}

enum verdict gw04_open_after_bye(struct visit *v)
{
	return during_call(v, after_bye);
}

/* ---- GW-06 ---- */

/* Above Ethernet's 1,500, so two fragments, and 203 ms of PCMU: a receiver need take 200 ms at most
 * (RFC 3551 4.2). */
#define OVERSIZE_BYTES 1640

static enum verdict wrong_payload(struct trial *c)
{
	static const char dns[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x10";
	static const char other[] = "\x80\x63\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01";
	const struct ip_endpoint *to = &c->ends[TRIAL_OUT].media;
	int err = 0;

	for (unsigned i = 0; i < 5 && !err; i++) {
		err = trial_send_odd(c, TRIAL_OUT, to, slice_of(dns, sizeof(dns) - 1), 64);
		if (!err)
			err = trial_send_odd(c, TRIAL_OUT, to, SL("\xc5\xff\x17\x01"), 200);
		if (!err)
			err = trial_send_odd(c, TRIAL_OUT, to, slice_of(other, sizeof(other) - 1),
					     172);
		if (!err)
			err = trial_send_odd(c, TRIAL_OUT, to, SL("\xc5\xff\x17\x01"),
					     OVERSIZE_BYTES);
		if (!err)
			err = trial_send_long(c, TRIAL_OUT, to, OVERSIZE_BYTES);
		if (!err)
			err = trial_talk(c, 40);
	}
	trial_listen(c, 300);
	if (err)
		return failed(c, err);
	if (c->odd[TRIAL_IN] == 0)
		return VERDICT_CLEAN;
	return FOUND(c,
		     "%u of 25 datagrams that are no RTP of this call (DNS, random bytes, another "
		     "payload type, oversize with and without RTP's head) reach the called phone",
		     c->odd[TRIAL_IN]);
}

enum verdict gw06_wrong_payload(struct visit *v)
{
	return during_call(v, wrong_payload);
}

/* ---- GW-07 ---- */

/* A second in which the caller is silent and the stranger is not. */
static int theft_in_a_pause(struct trial *c)
{
	int err = 0;

	for (unsigned i = 0; i < 50 && !err; i++) {
		err = trial_send_rtp(c, TRIAL_STRANGER, TRIAL_STRANGER, &c->ends[TRIAL_OUT].media);
		if (!err)
			err = trial_send_rtp(c, TRIAL_IN, TRIAL_IN, &c->ends[TRIAL_IN].media);
		trial_listen(c, 20);
	}
	return err;
}

static enum verdict latch_theft(struct trial *c)
{
	unsigned packets = 0;
	int err = 0;

	for (; packets < 100 && !err; packets++) {
		err = trial_send_rtp(c, TRIAL_STRANGER, TRIAL_STRANGER, &c->ends[TRIAL_OUT].media);
		if (!err)
			err = trial_talk(c, 20);
	}
	if (err)
		return failed(c, err);
	if (c->heard[TRIAL_STRANGER][TRIAL_IN])
		return FOUND(c,
			     "a stranger who sent to the call's port hears the called phone: "
			     "%u of %u packets",
			     c->heard[TRIAL_STRANGER][TRIAL_IN], packets);
	if (c->heard[TRIAL_OUT][TRIAL_IN] < packets / 2)
		return FOUND(c,
			     "the caller hears %u of %u packets while a stranger sends to its "
			     "port",
			     c->heard[TRIAL_OUT][TRIAL_IN], packets);
	err = theft_in_a_pause(c);
	if (err)
		return failed(c, err);
	if (c->heard[TRIAL_STRANGER][TRIAL_IN])
		return FOUND(c,
			     "a stranger who sends while the caller is silent hears the called "
			     "phone: %u of 50 packets",
			     c->heard[TRIAL_STRANGER][TRIAL_IN]);
	return VERDICT_CLEAN;
}

/* The stranger may be the first, too (CVE-2025-53399). */
static enum verdict first_to_send(struct trial *c)
{
	int err = 0;

	for (unsigned i = 0; i < 10 && !err; i++) {
		err = trial_send_rtp(c, TRIAL_STRANGER, TRIAL_STRANGER, &c->ends[TRIAL_OUT].media);
		trial_listen(c, 20);
	}
	if (!err)
		err = trial_talk(c, 500);
	if (c->heard[TRIAL_STRANGER][TRIAL_IN])
		return FOUND(c,
			     "a stranger who sends before the caller does hears the called "
			     "phone: %u packets",
			     c->heard[TRIAL_STRANGER][TRIAL_IN]);
	return err ? failed(c, err) : VERDICT_CLEAN;
}

static enum verdict theft_before_media(struct visit *v)
{
	struct trial c;
	enum verdict verdict = trial_open(v, &c);

	if (verdict == VERDICT_CLEAN)
		verdict = trial_connect(&c);
	if (verdict == VERDICT_CLEAN)
		verdict = trial_from(&c, TRIAL_STRANGER, first_to_send);
	trial_done(&c);
	return verdict;
}

enum verdict gw07_latch_theft(struct visit *v)
{
	enum verdict verdict = theft_before_media(v);

	return verdict == VERDICT_CLEAN ? during_call_by_stranger(v, latch_theft) : verdict;
}

/* ---- GW-08 ---- */

static enum verdict rtcp_bleed(struct trial *c)
{
	struct ip_endpoint beside = c->ends[TRIAL_OUT].media, in = c->ends[TRIAL_IN].media;
	int err = 0;

	beside.port++;
	in.port++;
	for (unsigned i = 0; i < 25 && !err; i++) {
		err = trial_send_rtcp(c, TRIAL_STRANGER,
				      i % 2 ? &beside : &c->ends[TRIAL_OUT].media);
		if (!err)
			err = trial_send_rtcp(c, TRIAL_IN, &in);
		if (!err)
			err = trial_talk(c, 40);
	}
	if (err)
		return failed(c, err);
	if (c->heard[TRIAL_STRANGER][TRIAL_IN] || c->others[TRIAL_STRANGER])
		return FOUND(c, "a stranger who sent RTCP gets %u packets of the call",
			     c->heard[TRIAL_STRANGER][TRIAL_IN] + c->others[TRIAL_STRANGER]);
	if (c->heard[TRIAL_IN][TRIAL_STRANGER])
		return FOUND(c, "RTCP of a stranger reaches the called phone (%u packets)",
			     c->heard[TRIAL_IN][TRIAL_STRANGER]);
	return VERDICT_CLEAN;
}

enum verdict gw08_rtcp_bleed(struct visit *v)
{
	return during_call_by_stranger(v, rtcp_bleed);
}

/* ---- GW-09 ---- */

static enum verdict injection(struct trial *c)
{
	int err = stranger_talks(c, TRIAL_OUT);

	if (err)
		return failed(c, err);
	if (c->heard[TRIAL_IN][TRIAL_STRANGER] == 0)
		return VERDICT_CLEAN;
	return FOUND(c,
		     "%u of 25 packets of a stranger with the caller's SSRC and sequence reach the "
		     "called phone",
		     c->heard[TRIAL_IN][TRIAL_STRANGER]);
}

enum verdict gw09_injection(struct visit *v)
{
	return during_call_by_stranger(v, injection);
}
