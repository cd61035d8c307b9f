#include "call/media_secret_impl.h"

#include "base/mem.h"

/* What we offer, the strongest first. AES-192 and short tags for more than 128 bits nobody asks
 * for: they are only taken. */
static const enum srtp_suite offered_suites[] = {
	SRTP_AEAD_AES_256_GCM,	 SRTP_AEAD_AES_128_GCM,	  SRTP_AES_256_CM_SHA1_80,
	SRTP_AES_128_CM_SHA1_80, SRTP_AES_128_CM_SHA1_32,
};
#define OFFERED_SUITES (sizeof(offered_suites) / sizeof(offered_suites[0]))

void media_secret_drop(struct media_secret *s, unsigned stream)
{
	if (!s->stream[stream])
		return;
	secret_dtls_drop(s->stream[stream]);
	explicit_bzero(s->stream[stream], sizeof(*s->stream[stream]));
	mem_free(s->stream[stream]);
	s->stream[stream] = NULL;
}

void media_secret_done(struct media_secret *s)
{
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++)
		media_secret_drop(s, i);
}

bool media_secret_concerns(const struct media_secret *s, const struct sdp *sdp)
{
	if (s->policy[0].srtp != SRTP_OFF || s->policy[1].srtp != SRTP_OFF)
		return true;
	for (unsigned i = 0; i < sdp->media_count; i++) {
		const struct sdp_media *m = &sdp->media[i];

		if (m->has_crypto || slice_starts_nocase(m->proto, SL("RTP/SAVP")) ||
		    (i < CALL_STREAMS_MAX && s->stream[i]))
			return true;
	}
	return false;
}

/* ---- keys ---- */

static uint32_t number_draw(const struct core_env *env)
{
	uint32_t number = 0;

	while (number == 0)
		env->random(env->ctx, (uint8_t *)&number, sizeof(number));
	return number;
}

/* Our key of a suite towards a side: drawn once, then the same for as long as the stream is. */
static const struct r4_line *own_line(struct stream_secret *st, const struct core_env *env,
				      unsigned side, enum srtp_suite suite)
{
	struct r4_line *l = &st->own[side][suite];

	if (l->number)
		return l;
	l->ours = true;
	l->key.suite = (uint8_t)suite;
	env->random(env->ctx, l->key.master, srtp_master_bytes(suite));
	l->number = number_draw(env);
	return l;
}

/* A key that the side had before keeps its number, and so its counters. */
static void number_give(const struct stream_secret *st, const struct core_env *env, unsigned side,
			struct r4_line *l)
{
	const struct r4_line *before = st ? &st->end[side].in : NULL;

	if (before && before->number && srtp_key_eq(&before->key, &l->key))
		l->number = before->number;
	else
		l->number = number_draw(env);
}

static struct stream_secret *stream_get(struct media_secret *s, unsigned i)
{
	if (!s->stream[i])
		s->stream[i] = mem_zalloc(1, sizeof(*s->stream[i]));
	return s->stream[i];
}

/* ---- writing ---- */

static void lines_write(const struct r4_line *lines, unsigned count, char text[SECRET_TEXT_MAX],
			struct sdp_edit_media *edit)
{
	struct out o = out_to(text, SECRET_TEXT_MAX);

	for (unsigned i = 0; i < count; i++)
		sdp_crypto_write(&o, lines[i].tag, srtp_suite_row(lines[i].key.suite)->name,
				 lines[i].key.master, srtp_master_bytes(lines[i].key.suite),
				 lines[i].key.mki, lines[i].key.mki_bytes);
	edit->drop |= SDP_ATTR_SDES;
	edit->lines = out_slice(&o);
}

/* `came`: how the other side has it. */
static void edit_form(const struct media_secret *s, const struct r4_said *said,
		      const struct r4_said *came, struct sdp_edit *edit, unsigned i)
{
	edit->media[i].proto = r4_proto((enum r4_form)said->form, said->feedback);
	if (said->form != R4_DTLS && said->form != R4_OTHER)
		edit->media[i].drop |= SDP_ATTR_SDES;
	if (secret_handshake(s, said) || secret_handshake(s, came)) {
		edit->media[i].drop = SECRET_DROP;
		edit->drop = SECRET_DROP;
	}
}

/* ---- offers ---- */

static bool has_suite(const struct r4_said *told, enum srtp_suite suite)
{
	for (unsigned i = 0; i < told->line_count; i++)
		if (told->line[i].key.suite == suite)
			return true;
	return false;
}

static uint32_t tag_free(const struct r4_said *told)
{
	uint32_t tag = 1;

	for (unsigned i = 0; i < told->line_count; i++)
		if (told->line[i].tag >= tag)
			tag = told->line[i].tag + 1;
	return tag;
}

/* The other side's own lines, if it may know them, then ours for the suites that it lacks: whatever
 * the answer takes, media can go. */
static void told_lines(struct media_secret *s, struct stream_secret *st, const struct core_env *env,
		       unsigned from, const struct r4_said *offered, struct r4_said *told)
{
	const struct r4_policy *a = &s->policy[from], *b = &s->policy[!from];

	if (r4_keys_shared(a, b)) {
		told->line_count = offered->line_count;
		memcpy(told->line, offered->line, sizeof(told->line));
	}
	for (unsigned i = 0; r4_keys_added(a, b) && i < OFFERED_SUITES; i++) {
		struct r4_line *l = &told->line[told->line_count];

		if (told->line_count == R4_LINES_MAX)
			return;
		if (has_suite(told, offered_suites[i]))
			continue;
		*l = *own_line(st, env, !from, offered_suites[i]);
		l->tag = tag_free(told);
		told->line_count++;
	}
}

/* What was RTP with feedback to a browser is none to a phone that never heard of it. */
static bool feedback_towards(const struct media_secret *s, unsigned to, enum r4_form form,
			     const struct r4_said *offered)
{
	if (form == R4_DTLS && r4_handshakes_end(&s->policy[0], &s->policy[1]))
		return s->policy[to].browser;
	return offered->feedback && !secret_handshake(s, offered);
}

static enum reason offer_handshakes(struct media_secret *s, const struct secret_tools *t,
				    unsigned from, unsigned i, const struct sdp *sdp,
				    struct secret_plan *plan)
{
	enum reason why = REASON_NONE;

	if (secret_handshake(s, &plan->offer[i].offered))
		why = secret_dtls_take(s, t, from, i, sdp, true, plan);
	if (!why && secret_handshake(s, &plan->offer[i].told))
		why = secret_dtls_offer(s, t, !from, i, plan);
	return why;
}

static enum reason offer_stream(struct media_secret *s, const struct secret_tools *t, unsigned from,
				unsigned i, const struct sdp *sdp, struct secret_plan *plan)
{
	struct r4_said *offered = &plan->offer[i].offered, *told = &plan->offer[i].told;
	enum r4_form form = R4_PLAIN;
	enum reason why;

	r4_read(&sdp->media[i], offered);
	why = r4_offer_admitted(&s->policy[from], offered);
	if (!why)
		why = r4_form_towards(&s->policy[from], &s->policy[!from], offered, &form);
	if (why)
		return why;
	*told = (struct r4_said){.form = (uint8_t)form,
				 .feedback = feedback_towards(s, !from, form, offered)};
	for (unsigned l = 0; l < offered->line_count; l++)
		number_give(s->stream[i], t->env, from, &offered->line[l]);
	/* Only a stream in the clear on both sides needs no memory of it. */
	if (offered->form == R4_PLAIN && form == R4_PLAIN && !s->stream[i] && !offered->keys_asked)
		return REASON_NONE;
	if (!stream_get(s, i))
		return REASON_out_of_memory;
	if (form == R4_OPTIONAL || form == R4_SAVP)
		told_lines(s, s->stream[i], t->env, from, offered, told);
	plan->used[i] = true;
	return offer_handshakes(s, t, from, i, sdp, plan);
}

/* What cannot be encrypted is left out where it must be, as long as something else is there. */
static bool left_out(enum reason why, const struct secret_plan *plan, unsigned i)
{
	return why == REASON_srtp_required && plan->offer[i].offered.form == R4_OTHER;
}

/* Of a browser's media audio alone has a port of its own here. */
static bool beyond_audio(const struct media_secret *s, const struct sdp_media *m)
{
	return (s->policy[0].browser || s->policy[1].browser) &&
	       !slice_eq_nocase(m->kind, SL("audio"));
}

/* Its line stays, refused, in the form in which it was offered. */
static enum reason leave_out(struct media_secret *s, unsigned i, const struct sdp_media *m,
			     struct secret_plan *plan)
{
	r4_read(m, &plan->offer[i].offered);
	plan->offer[i].told = plan->offer[i].offered;
	plan->used[i] = true;
	return stream_get(s, i) ? REASON_NONE : REASON_out_of_memory;
}

static enum reason offer_one(struct media_secret *s, const struct secret_tools *t, unsigned from,
			     unsigned i, const struct sdp *sdp, struct secret_plan *plan,
			     bool *relayed)
{
	enum reason why;

	*relayed = !beyond_audio(s, &sdp->media[i]);
	if (!*relayed)
		return leave_out(s, i, &sdp->media[i], plan);
	why = offer_stream(s, t, from, i, sdp, plan);
	*relayed = !left_out(why, plan, i);
	return *relayed ? why : REASON_NONE;
}

enum reason media_secret_offer(struct media_secret *s, const struct secret_tools *t, unsigned from,
			       const struct sdp *sdp, bool relayed[CALL_STREAMS_MAX],
			       struct secret_plan *plan, struct sdp_edit *edit)
{
	unsigned left = 0, out = 0;

	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++) {
		const struct secret_offer *offer = &plan->offer[i];
		enum reason why;

		if (!relayed[i])
			continue;
		why = offer_one(s, t, from, i, sdp, plan, &relayed[i]);
		if (why)
			return why;
		left += relayed[i];
		out += !relayed[i];
		if (!relayed[i])
			continue;
		lines_write(offer->told.line, offer->told.line_count, plan->text[i],
			    &edit->media[i]);
		edit_form(s, &offer->told, &offer->offered, edit, i);
	}
	return out && !left ? REASON_srtp_required : REASON_NONE;
}

/* ---- answers ---- */

/* The side that offered is answered with the line that passes through, or with a key of ours for
 * the first of its lines. */
static void answer_offerer(struct stream_secret *st, const struct core_env *env, unsigned offerer,
			   const struct r4_line *taken, const struct r4_line *answered,
			   struct secret_end *end, struct r4_line *out)
{
	const struct r4_said *offered = &st->offer.offered;

	end->encrypted = true;
	if (taken && !taken->ours) {
		end->through = true;
		end->in = *taken;
		end->out = *answered;
		*out = *answered;
		return;
	}
	end->in = offered->line[0];
	end->out = *own_line(st, env, offerer, (enum srtp_suite)offered->line[0].key.suite);
	*out = end->out;
	out->tag = offered->line[0].tag;
}

/* What handshakes the answer agrees to, with either side. */
static enum reason answer_handshakes(struct media_secret *s, const struct secret_tools *t,
				     unsigned from, unsigned i, const struct sdp *sdp,
				     struct secret_plan *plan)
{
	const struct secret_offer *offer = &s->stream[i]->offer;
	struct secret_end *here = &plan->end[i][from], *there = &plan->end[i][!from];
	enum reason why = REASON_NONE;

	if (secret_handshake(s, &offer->told)) {
		here->encrypted = here->dtls = true;
		why = secret_dtls_take(s, t, from, i, sdp, false, plan);
	}
	if (!why && secret_handshake(s, &offer->offered)) {
		there->encrypted = there->dtls = true;
		why = secret_dtls_answer(s, !from, i, plan);
	}
	return why;
}

static enum reason answer_stream(struct media_secret *s, const struct secret_tools *t,
				 unsigned from, unsigned i, const struct sdp *sdp,
				 struct secret_plan *plan, struct sdp_edit *edit)
{
	struct stream_secret *st = s->stream[i];
	struct secret_end *here = &plan->end[i][from], *there = &plan->end[i][!from];
	const struct r4_said *offered = &st->offer.offered;
	const struct r4_line *taken;
	struct r4_said answer;
	struct r4_line line;
	enum reason why;

	r4_read(&sdp->media[i], &answer);
	why = r4_answer_admitted(&st->offer.told, &answer, &here->encrypted);
	if (!why)
		why = answer_handshakes(s, t, from, i, sdp, plan);
	if (why)
		return why;
	taken = r4_line_taken(&st->offer.told, &answer);
	if (here->encrypted && taken) {
		number_give(st, t->env, from, &answer.line[0]);
		here->in = answer.line[0];
		here->out = *taken;
		here->through = !taken->ours;
	}
	if (offered->line_count && (here->through || r4_keys_trusted(&s->policy[!from])) &&
	    (here->through || r4_keys_added(&s->policy[0], &s->policy[1]))) {
		answer_offerer(st, t->env, !from, taken, &answer.line[0], there, &line);
		lines_write(&line, 1, plan->text[i], &edit->media[i]);
	}
	explicit_bzero(&answer, sizeof(answer));
	explicit_bzero(&line, sizeof(line));
	return REASON_NONE;
}

/* Nothing was offered but the clear. */
static enum reason answer_plain(const struct sdp_media *m, struct sdp_edit_media *edit)
{
	struct r4_said plain;

	r4_read(m, &plain);
	edit->drop |= plain.keys_asked ? SDP_ATTR_SDES : 0;
	return plain.form == R4_SAVP || plain.form == R4_DTLS ? REASON_srtp_answer : REASON_NONE;
}

enum reason media_secret_answer(struct media_secret *s, const struct secret_tools *t, unsigned from,
				const struct sdp *sdp, const bool relayed[CALL_STREAMS_MAX],
				struct secret_plan *plan, struct sdp_edit *edit)
{
	for (unsigned i = 0; i < CALL_STREAMS_MAX && i < sdp->media_count; i++) {
		enum reason why = REASON_NONE;

		if (s->stream[i])
			edit_form(s, &s->stream[i]->offer.offered, &s->stream[i]->offer.told, edit,
				  i);
		if (!relayed[i])
			continue;
		if (!s->stream[i]) {
			why = answer_plain(&sdp->media[i], &edit->media[i]);
		} else {
			why = answer_stream(s, t, from, i, sdp, plan, edit);
			plan->used[i] = true;
		}
		if (why)
			return why;
	}
	return REASON_NONE;
}

bool media_secret_exposed(struct media_secret *s)
{
	for (unsigned i = 0; !s->exposure_told && i < CALL_STREAMS_MAX; i++)
		for (unsigned side = 0; side < 2 && s->stream[i]; side++)
			if (s->stream[i]->end[side].encrypted && !s->stream[i]->end[side].dtls &&
			    s->policy[side].signalling_clear) {
				s->exposure_told = true;
				return true;
			}
	return false;
}

/* ---- flows ---- */

static struct flow_secret secret_of(const struct secret_end *e, const struct r4_line *l,
				    bool required)
{
	if (e->dtls)
		return (struct flow_secret){
			.exchange = KEYS_DTLS, .required = required, .terminated = true};
	return (struct flow_secret){
		.exchange = e->encrypted ? KEYS_SDES : KEYS_NONE,
		.suite = e->encrypted ? l->key.suite : SRTP_NONE,
		.required = required,
		.terminated = e->encrypted && !e->through,
		.key = e->encrypted && !e->through ? l->number : 0,
	};
}

void media_secret_flow(const struct media_secret *s, struct flow_spec *f)
{
	const struct stream_secret *st = s->stream[f->stream];
	unsigned from = f->from_caller ? 0 : 1;

	f->secret_in.required = s->policy[from].srtp == SRTP_REQUIRED;
	f->secret_out.required = s->policy[!from].srtp == SRTP_REQUIRED;
	if (r4_handshakes_end(&s->policy[0], &s->policy[1]))
		f->dtls = st && st->end[from].dtls;
	else if (f->dtls)
		return;
	if (!st)
		return;
	f->association = f->dtls && st->dtls[from] ? st->dtls[from]->version : 0;
	f->secret_in = secret_of(&st->end[from], &st->end[from].in, f->secret_in.required);
	f->secret_out = secret_of(&st->end[!from], &st->end[!from].out, f->secret_out.required);
}

bool media_secret_keys(const struct media_secret *s, const struct flow_spec *f,
		       struct flow_keys *out)
{
	const struct stream_secret *st = s->stream[f->stream];
	unsigned from = f->from_caller ? 0 : 1;

	if (!st || !(f->secret_in.key || f->secret_out.key))
		return false;
	*out = (struct flow_keys){0};
	if (f->secret_in.key)
		out->in = st->end[from].in.key;
	if (f->secret_out.key)
		out->out = st->end[!from].out.key;
	return true;
}
