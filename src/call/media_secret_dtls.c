#include "call/media_secret_impl.h"

#include "base/mem.h"

bool secret_handshake(const struct media_secret *s, const struct r4_said *said)
{
	return said->form == R4_DTLS && r4_handshakes_end(&s->policy[0], &s->policy[1]);
}

static void dtls_free(struct media_dtls **d)
{
	if (*d)
		mem_wipe_free(*d, sizeof(**d));
	*d = NULL;
}

static struct media_dtls_setup setup_of(const struct media_secret *s, const struct secret_tools *t,
					unsigned side)
{
	return (struct media_dtls_setup){t->env, t->own, t->key, s->policy[side].browser,
					 t->nat[side]};
}

/* A copy to work on, of what is known of the side, or a fresh one. */
static enum reason plan_dtls(const struct media_dtls *known, const struct media_dtls_setup *setup,
			     struct media_dtls **out)
{
	if (!known && setup->own->hash == FINGERPRINT_NONE)
		return REASON_dtls_no_certificate;
	dtls_free(out);
	*out = mem_zalloc(1, sizeof(**out));
	if (!*out)
		return REASON_out_of_memory;
	if (known)
		**out = *known;
	else
		media_dtls_init(*out, setup);
	return REASON_NONE;
}

enum reason secret_dtls_take(const struct media_secret *s, const struct secret_tools *t,
			     unsigned side, unsigned stream, const struct sdp *sdp, bool is_offer,
			     struct secret_plan *plan)
{
	const struct stream_secret *st = s->stream[stream];
	const struct media_dtls *known = st ? st->dtls[side] : NULL;
	struct media_dtls_setup setup = setup_of(s, t, side);
	struct sdp_secure secure;
	enum reason why = sdp_secure_read(sdp, stream, &secure);

	if (st && !is_offer && st->pending[side])
		known = st->pending[side];
	if (!why)
		why = plan_dtls(known, &setup, &plan->dtls[stream][side]);
	if (!why)
		why = media_dtls_take(plan->dtls[stream][side], &setup, &sdp->media[stream],
				      &secure, is_offer);
	return why;
}

enum reason secret_dtls_offer(const struct media_secret *s, const struct secret_tools *t,
			      unsigned side, unsigned stream, struct secret_plan *plan)
{
	const struct stream_secret *st = s->stream[stream];
	struct media_dtls_setup setup = setup_of(s, t, side);

	return plan_dtls(st ? st->dtls[side] : NULL, &setup, &plan->dtls[stream][side]);
}

enum reason secret_dtls_answer(const struct media_secret *s, unsigned side, unsigned stream,
			       struct secret_plan *plan)
{
	const struct stream_secret *st = s->stream[stream];
	const struct media_dtls *offered = st->pending[side] ? st->pending[side] : st->dtls[side];

	if (!offered)
		return REASON_srtp_answer;
	return plan_dtls(offered, NULL, &plan->dtls[stream][side]);
}

void media_secret_lines(struct secret_plan *plan, unsigned to, bool is_offer,
			const struct ip_addr *told, struct sdp_edit *edit)
{
	struct media_dtls *streams[CALL_STREAMS_MAX] = {NULL};
	struct out o = out_to(plan->session_text, sizeof(plan->session_text));

	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++) {
		const struct ip_endpoint at = {*told, edit->media[i].port};
		struct out lines = out_to(plan->text[i], sizeof(plan->text[i]));

		if (!plan->dtls[i][to] || edit->media[i].kind != SDP_RELAY)
			continue;
		streams[i] = plan->dtls[i][to];
		media_dtls_write(streams[i], &lines, is_offer, &at);
		edit->media[i].lines = out_slice(&lines);
	}
	media_dtls_write_session(&o, streams, CALL_STREAMS_MAX);
	edit->lines = out_slice(&o);
}

void media_secret_plan_free(struct secret_plan *plan)
{
	for (unsigned i = 0; plan && i < CALL_STREAMS_MAX; i++)
		for (unsigned side = 0; side < 2; side++)
			dtls_free(&plan->dtls[i][side]);
	mem_wipe_free(plan, sizeof(*plan));
}

static void move(struct media_dtls **to, struct media_dtls **from)
{
	if (!*from)
		return;
	dtls_free(to);
	*to = *from;
	*from = NULL;
}

void media_secret_offer_keep(struct media_secret *s, struct secret_plan *plan)
{
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++) {
		struct stream_secret *st = s->stream[i];

		if (!plan->used[i] || !st)
			continue;
		st->offer = plan->offer[i];
		for (unsigned side = 0; side < 2; side++) {
			dtls_free(&st->pending[side]);
			move(&st->pending[side], &plan->dtls[i][side]);
		}
	}
}

void media_secret_answer_keep(struct media_secret *s, struct secret_plan *plan)
{
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++) {
		struct stream_secret *st = s->stream[i];

		if (!plan->used[i] || !st)
			continue;
		memcpy(st->end, plan->end[i], sizeof(st->end));
		for (unsigned side = 0; side < 2; side++) {
			if (!st->end[side].dtls)
				dtls_free(&st->dtls[side]);
			move(&st->dtls[side], &plan->dtls[i][side]);
		}
	}
}

void media_secret_settled(struct media_secret *s)
{
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++)
		for (unsigned side = 0; s->stream[i] && side < 2; side++)
			dtls_free(&s->stream[i]->pending[side]);
}

void secret_dtls_drop(struct stream_secret *st)
{
	for (unsigned side = 0; side < 2; side++) {
		dtls_free(&st->dtls[side]);
		dtls_free(&st->pending[side]);
	}
}

bool media_secret_mux_apart(const struct media_secret *s, unsigned stream, bool mux[2])
{
	const struct stream_secret *st = s->stream[stream];
	bool apart = false;

	for (unsigned side = 0; st && side < 2; side++) {
		const struct media_dtls *d = st->end[side].dtls ? st->dtls[side] : NULL;

		apart |= d != NULL;
		mux[side] = d && d->mux;
	}
	return apart;
}

const struct association_spec *media_secret_association(const struct media_secret *s,
							const struct flow_spec *f)
{
	const struct stream_secret *st = s->stream[f->stream];
	const struct media_dtls *d = st ? st->dtls[f->from_caller ? 0 : 1] : NULL;

	return d && f->secret_in.exchange == KEYS_DTLS && f->secret_in.terminated ? &d->spec : NULL;
}
