/* Calls that hw-tls signs (RFC 8224 6.1). */
#include "io/clock.h"
#include "main/signal_proc.h"

void signal_sign(struct signal *s, const struct identity_ask *ask)
{
	/* Nobody there: the core's timer lets the call go on unsigned. */
	if (proc_channel_open(&s->tls.channel))
		(void)!proc_send(&s->tls.channel, PROC_SIGN, ask, sizeof(*ask), NULL, 0);
}

static bool visible(const char *text, size_t size)
{
	size_t n = strnlen(text, size);

	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return n < size;
}

void signal_on_signed(struct signal *s)
{
	struct identity_answer a;

	memcpy(&a, s->msg.payload, sizeof(a));
	/* It becomes a line of a message. */
	if (s->core && visible(a.tn, sizeof(a.tn)) && visible(a.origid, sizeof(a.origid)) &&
	    visible(a.detail, sizeof(a.detail)) && visible(a.header, sizeof(a.header)) &&
	    (a.attest == 0 || (a.attest >= 'A' && a.attest <= 'C')))
		core_on_identity(s->core, clock_ms(), &a);
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
	json_member_z(j, "state",
		      v->state == IDENTITY_SIGNED    ? "signed"
		      : v->state == IDENTITY_WAITING ? "waiting"
						     : "unsigned");
	json_member_z(j, "attest", attest);
	json_member_z(j, "number", v->tn);
	json_member_z(j, "origid", v->origid);
	json_close(j, '}');
}
