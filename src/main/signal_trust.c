/* What the kernel path's shield should know of flows: where a phone is registered, and who was
 * challenged and so will answer. */
#include "io/clock.h"
#include "main/signal_proc.h"

#define CHALLENGES_PER_S 500 /* told; a flood of strangers is challenged no more often */

void signal_trust_flush(struct signal *s)
{
	int err;

	if (s->trust_count == 0)
		return;
	err = proc_send(&s->warden.channel, PROC_TRUST, s->trust,
			s->trust_count * sizeof(s->trust[0]), NULL, 0);
	s->trust_count = 0;
	if (err)
		s->failed = err;
}

/* Connections prove their address by themselves: the shield looks at datagrams. */
void signal_trust(struct signal *s, const struct path *at, enum hw_trust trust)
{
	if (at->transport != TRANSPORT_UDP || at->remote.port == 0)
		return;
	if (s->trust_count == PROC_TRUST_MAX)
		signal_trust_flush(s);
	s->trust[s->trust_count++] = (struct proc_trust){.flow = at->remote, .trust = trust};
}

void signal_prove(struct signal *s, const struct path *at)
{
	uint64_t now_ms = clock_ms();

	if (!core_trusts(s->core, now_ms, at))
		return;
	source_limit_prove(&s->sources, &at->remote, now_ms);
	signal_trust(s, at, HW_TRUST_REGISTERED);
}

void signal_trust_sent(struct signal *s, const struct path *to, struct slice bytes)
{
	uint64_t second = clock_ms() / 1000;
	struct slice status = slice_first(bytes, sizeof("SIP/2.0 401") - 1);

	if (to->transport != TRANSPORT_UDP ||
	    (!slice_eq(status, SL("SIP/2.0 401")) && !slice_eq(status, SL("SIP/2.0 407"))))
		return;
	if (s->challenge_second != second) {
		s->challenge_second = second;
		s->challenges = 0;
	}
	if (s->challenges++ < CHALLENGES_PER_S)
		signal_trust(s, to, HW_TRUST_CHALLENGED);
}

void signal_watch_pbxs(struct signal *s)
{
	for (size_t i = 0; i < s->config->pbx_count; i++) {
		bool up = core_pbx_up(s->core, (uint16_t)i);

		if (up && s->pbx_away[i] &&
		    proc_send(&s->warden.channel, PROC_RECOVERY, NULL, 0, NULL, 0) != 0)
			s->failed = ERR_PEER;
		s->pbx_away[i] = !up;
	}
}
