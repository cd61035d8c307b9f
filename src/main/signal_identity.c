/* Calls that hw-tls signs (RFC 8224 6.1), and those that hw-stir verifies (6.2). */
#include "io/clock.h"
#include "main/signal_proc.h"

void signal_identity_ask(struct signal *s, const struct identity_ask *ask)
{
	bool sign = ask->work == IDENTITY_SIGN;
	struct child_link *to = sign ? &s->tls : &s->stir;

	/* Nobody there: the core's timer decides what becomes of the call. */
	if (proc_channel_open(&to->channel))
		(void)!proc_send(&to->channel, sign ? PROC_SIGN : PROC_VERIFY, ask, sizeof(*ask),
				 NULL, 0);
	if (!sign)
		child_link_rewatch(to);
}

static bool visible(const char *text, size_t size)
{
	size_t n = strnlen(text, size);

	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return n < size;
}

/* What each of the two may say; one that is taken over cannot speak for the other. */
static bool may_say(uint32_t work, uint32_t why)
{
	static const enum reason verdicts[] = {
		REASON_identity_missing,     REASON_identity_malformed,
		REASON_identity_url,	     REASON_identity_stale,
		REASON_identity_number,	     REASON_identity_certificate_away,
		REASON_identity_certificate, REASON_identity_signature,
		REASON_identity_authority,   REASON_identity_replayed,
		REASON_identity_verified,    REASON_out_of_memory};

	if (work == IDENTITY_SIGN)
		return why == REASON_identity_signed || why == REASON_identity_unsigned;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (why == verdicts[i])
			return true;
	return false;
}

static void take_answer(struct signal *s, uint32_t work)
{
	struct identity_answer a;
	bool attested;

	memcpy(&a, s->msg.payload, sizeof(a));
	a.work = work;
	attested = a.reason == REASON_identity_verified || a.reason == REASON_identity_signed;
	/* It becomes a line of a message. */
	if (s->core && visible(a.tn, sizeof(a.tn)) && visible(a.origid, sizeof(a.origid)) &&
	    visible(a.detail, sizeof(a.detail)) && visible(a.header, sizeof(a.header)) &&
	    may_say(work, a.reason) &&
	    (attested ? a.attest >= 'A' && a.attest <= 'C' : a.attest == 0))
		core_on_identity(s->core, clock_ms(), &a);
}

void signal_on_signed(struct signal *s)
{
	take_answer(s, IDENTITY_SIGN);
}

static int on_verified(void *ctx)
{
	take_answer(ctx, IDENTITY_VERIFY);
	return 0;
}

static void on_stir(void *ctx, unsigned events)
{
	struct signal *s = ctx;

	if (child_link_turn(&s->stir, events, &s->msg, on_verified, s))
		child_link_done(&s->stir); /* the warden starts another one */
}

int signal_stir_take(struct signal *s, int fd)
{
	child_link_done(&s->stir);
	proc_channel_init(&s->stir.channel, fd, PROC_SIGNAL, PROC_STIR);
	return child_link_watch(&s->stir, s->loop, on_stir, s);
}

static const char *state_text(const struct identity_view *v)
{
	static const char *const text[] = {
		[IDENTITY_NOT_ASKED] = "",	 [IDENTITY_ABSENT] = "absent",
		[IDENTITY_WAITING] = "waiting",	 [IDENTITY_VERIFIED] = "verified",
		[IDENTITY_FAILED] = "failed",	 [IDENTITY_SIGNED] = "signed",
		[IDENTITY_UNSIGNED] = "unsigned"};

	return text[v->state];
}

void signal_identity_json(struct json *j, const struct identity_view *v)
{
	char attest[2] = {(char)v->attest};

	json_key(j, "identity");
	if (v->state == IDENTITY_NOT_ASKED) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_member_z(j, "state", state_text(v));
	if (v->state == IDENTITY_ABSENT || v->state == IDENTITY_FAILED)
		json_member_z(j, "reason", reason_row((enum reason)v->reason)->name);
	json_member_z(j, "attest", attest);
	json_member_z(j, "number", v->tn);
	json_member_z(j, "origid", v->origid);
	json_close(j, '}');
}

void signal_identity_explain(struct out *o, const struct identity_view *v)
{
	switch ((enum identity_state)v->state) {
	case IDENTITY_SIGNED:
		out_fmt(o, "; its caller's number %s went out signed by us, attestation %c", v->tn,
			v->attest);
		break;
	case IDENTITY_UNSIGNED:
		out_z(o, "; its caller's identity went out unsigned");
		break;
	case IDENTITY_VERIFIED:
		out_fmt(o,
			"; its caller's number %s is verified, attestation %c, signed as origin %s",
			v->tn, v->attest, v->origid);
		break;
	case IDENTITY_ABSENT:
	case IDENTITY_FAILED:
		out_fmt(o, "; its caller is not verified: %s",
			reason_row((enum reason)v->reason)->sentence);
		break;
	case IDENTITY_NOT_ASKED:
	case IDENTITY_WAITING:
		break;
	}
}
