/* The signalling of test calls: both ends' dialogs (RFC 3261 12), marked and short. */
#include <errno.h>

#include "assess/trial.h"
#include "assess/credentials.h"
#include "assess/sip.h"
#include "io/clock.h"

#define ANSWER_MS 1000 /* until a request is sent again */
#define TRIES	  4

/* ---- writing ---- */

static struct ip_endpoint sip_at(const struct trial_end *e)
{
	return (struct ip_endpoint){*place_address(e->place), place_port(e->place, e->sip)};
}

static void out_contact(struct out *o, const struct trial_end *e)
{
	struct ip_endpoint at = sip_at(e);

	out_z(o, "Contact: <sip:hornwork-assess@");
	ip_endpoint_write(o, &at);
	out_z(o, ">\r\n");
}

static void out_sdp(struct out *o, const struct trial_end *e)
{
	const struct ip_addr *own = place_address(e->place);
	const char *family = own->family == IP_V6 ? "IP6" : "IP4";
	char z[IP_TEXT_MAX], body[512];

	snprintf(body, sizeof(body),
		 "v=0\r\no=hornwork-assess 1 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n"
		 "m=audio %u RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n",
		 family, ip_text(own, z), family, z, place_port(e->place, e->rtp));
	out_fmt(o, "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
		body);
}

/* The ACK of a refusal takes its INVITE's branch (RFC 3261 17.1.1.3). */
static void out_request(struct out *o, struct trial_end *e, const char *method)
{
	struct ip_endpoint at = sip_at(e);

	if (!e->refused)
		visit_token(e->branch);
	out_fmt(o, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP ", method, e->target);
	ip_endpoint_write(o, &at);
	out_fmt(o, ";rport;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n", e->branch);
	out_fmt(o, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\n", e->own, e->other, e->call_id);
	out_fmt(o, "CSeq: %u %s\r\nUser-Agent: " SIP_USER_AGENT "\r\n%s", e->cseq, method,
		e->routes);
}

/* ---- reading ---- */

static struct slice text_of(const struct trial_message *m)
{
	return slice_of(m->bytes, m->n);
}

static unsigned status_of(const struct trial_message *m)
{
	uint32_t status = 0;

	if (!slice_starts(text_of(m), SL("SIP/2.0 ")) ||
	    slice_u32(slice_first(slice_from(text_of(m), 8), 3), 699, &status))
		return 0;
	return status;
}

static bool is_request(const struct trial_message *m, const char *method)
{
	struct slice word = slice_first(text_of(m), slice_find(text_of(m), ' '));

	return slice_eq(word, slice_z(method));
}

static bool copy(struct slice s, char *to, size_t size)
{
	return s.n && slice_to_z(s, to, size);
}

/* The URI between < and >, or what stands before parameters. */
static struct slice uri_of(struct slice value)
{
	struct slice rest, inner = slice_from(value, slice_find(value, '<') + 1);

	if (inner.n)
		return slice_split(inner, '>', &rest);
	return slice_trim(slice_split(value, ';', &rest));
}

/* The first line of the body that starts so, without that. */
static struct slice sdp_line_of(struct slice text, struct slice head)
{
	struct slice rest = slice_from(text, slice_find_slice(text, SL("\r\n\r\n")));

	while (rest.n) {
		struct slice line = slice_trim(slice_split(rest, '\n', &rest));

		if (slice_starts(line, head))
			return slice_from(line, head.n);
	}
	return slice_of(NULL, 0);
}

static int read_media(const struct trial_message *m, struct ip_endpoint *out)
{
	struct slice rest, c = sdp_line_of(text_of(m), SL("c=IN IP"));
	uint32_t port;

	(void)slice_split(c, ' ', &c);
	if (slice_u32(slice_split(sdp_line_of(text_of(m), SL("m=audio ")), ' ', &rest), 65535,
		      &port) ||
	    ip_parse(slice_trim(c), &out->addr))
		return ERR_SYNTAX;
	out->port = (uint16_t)port;
	return port ? 0 : ERR_ABSENT;
}

/* Record-Route as Route lines: a caller takes them in reverse order (RFC 3261 12.1.2). */
static int read_routes(const struct trial_message *m, bool reverse, char *to, size_t size)
{
	struct out o = out_to(to, size - 1);
	unsigned n = 0;

	while (sip_text_header(text_of(m), "Record-Route", n).n)
		n++;
	for (unsigned i = 0; i < n; i++) {
		unsigned nth = reverse ? n - 1 - i : i;

		out_fmt(&o, "Route: %.*s\r\n",
			SLICE_ARGS(sip_text_header(text_of(m), "Record-Route", nth)));
	}
	to[o.n] = '\0';
	return o.err;
}

/* ---- exchanges ---- */

/* Answers a request of the other side with what it needs to be matched. */
static int reply(struct trial *c, const struct trial_message *m, const char *status, bool media)
{
	char text[PLACE_BYTES_MAX];
	struct out o = out_to(text, sizeof(text));
	const struct trial_end *e = &c->ends[m->at];
	struct slice value, to = sip_text_header(text_of(m), "To", 0);

	out_fmt(&o, "SIP/2.0 %s\r\n", status);
	for (unsigned i = 0; (value = sip_text_header(text_of(m), "Via", i)).n; i++)
		out_fmt(&o, "Via: %.*s\r\n", SLICE_ARGS(value));
	for (unsigned i = 0; (value = sip_text_header(text_of(m), "Record-Route", i)).n; i++)
		out_fmt(&o, "Record-Route: %.*s\r\n", SLICE_ARGS(value));
	out_fmt(&o, "From: %.*s\r\n", SLICE_ARGS(sip_text_header(text_of(m), "From", 0)));
	out_fmt(&o, "To: %.*s", SLICE_ARGS(to));
	if (slice_find_slice(to, SL(";tag=")) == to.n)
		out_fmt(&o, ";tag=%s", e->tag);
	out_fmt(&o, "\r\nCall-ID: %.*s\r\n", SLICE_ARGS(sip_text_header(text_of(m), "Call-ID", 0)));
	out_fmt(&o, "CSeq: %.*s\r\n", SLICE_ARGS(sip_text_header(text_of(m), "CSeq", 0)));
	out_contact(&o, e);
	if (media)
		out_sdp(&o, e);
	else
		out_z(&o, "Content-Length: 0\r\n\r\n");
	return o.err ? o.err
		     : trial_send(c, e->place, e->sip, PACKET_SIP_OTHER, &m->from, out_slice(&o));
}

/* The next message of any end: 0 and c->last. -ETIMEDOUT. */
static int next_message(struct trial *c, uint64_t until)
{
	c->has_message = false;
	while (!c->has_message) {
		if (clock_ms() >= until)
			return -ETIMEDOUT;
		trial_pump(c, 2);
	}
	c->has_message = false;
	return 0;
}

/* Whether it is a response to this end's last request. */
static bool answers(const struct trial_message *m, const struct trial_end *e)
{
	struct slice rest, number = sip_text_header(text_of(m), "CSeq", 0);
	uint32_t cseq;

	return status_of(m) &&
	       slice_eq(sip_text_header(text_of(m), "Call-ID", 0), slice_z(e->call_id)) &&
	       slice_u32(slice_split(number, ' ', &rest), UINT32_MAX, &cseq) == 0 &&
	       cseq == e->cseq;
}

/* Waits for a final response to this request at the caller's end; requests that come to the called
 * end meanwhile are answered with 200. The status, or an error. */
static int await_final(struct trial *c, const struct trial_end *e, uint64_t until)
{
	for (;;) {
		const struct trial_message *m = &c->last;
		int err = next_message(c, until);

		if (err)
			return err;
		if (is_request(m, "BYE"))
			err = reply(c, m, "200 OK", false);
		if (err)
			return err;
		if (m->at == TRIAL_OUT && status_of(m) >= 200 && answers(m, e))
			return (int)status_of(m);
	}
}

bool trial_idle(struct trial *c, uint32_t ms)
{
	uint64_t until = clock_ms() + ms;
	bool ended = false;

	while (next_message(c, until) == 0) {
		if (!is_request(&c->last, "BYE"))
			continue;
		(void)!reply(c, &c->last, "200 OK", false);
		ended = true;
	}
	c->up = c->up && !ended;
	return ended;
}

int trial_register(struct trial *c, unsigned seconds)
{
	struct trial_end e = c->ends[TRIAL_OUT];
	const char *user = c->v->target->asset->test_user;
	char text[PLACE_BYTES_MAX], more[1024] = "", token[17];
	int got = -ETIMEDOUT;

	visit_token(token);
	*e.routes = '\0';
	snprintf(e.target, sizeof(e.target), "sip:%s", c->domain);
	snprintf(e.own, sizeof(e.own), "<sip:%s@%s>;tag=%s", user, c->domain, e.tag);
	snprintf(e.other, sizeof(e.other), "<sip:%s@%s>", user, c->domain);
	snprintf(e.call_id, sizeof(e.call_id), SIP_MARK "-%s", token);
	for (e.cseq = 1; e.cseq <= TRIES; e.cseq++) {
		struct out o = out_to(text, sizeof(text));
		struct out credentials = out_to(more, sizeof(more) - 1);

		out_request(&o, &e, "REGISTER");
		out_contact(&o, &e);
		out_fmt(&o, "Expires: %u\r\n%sContent-Length: 0\r\n\r\n", seconds, more);
		got = o.err ? o.err
			    : trial_send(c, e.place, e.sip, PACKET_SIP_REGISTER, &e.peer,
					 out_slice(&o));
		if (!got)
			got = await_final(c, &e, clock_ms() + ANSWER_MS);
		if (got == 200)
			return 0;
		if (got == 401 || got == 407)
			got = *more ? ERR_DENIED
				    : credentials_write(&credentials, text_of(&c->last), user,
							c->password, "REGISTER", e.target);
		if (got && got != -ETIMEDOUT)
			break;
		more[credentials.n] = '\0';
	}
	return got < 0 ? got : ERR_DENIED;
}

static int send_invite(struct trial *c, const char *more)
{
	struct trial_end *e = &c->ends[TRIAL_OUT];
	char text[PLACE_BYTES_MAX];
	struct out o = out_to(text, sizeof(text));

	out_request(&o, e, "INVITE");
	out_contact(&o, e);
	out_z(&o, more);
	out_sdp(&o, e);
	return o.err ? o.err
		     : trial_send(c, e->place, e->sip, PACKET_SIP_INVITE, &e->peer, out_slice(&o));
}

static int send_ack(struct trial *c)
{
	struct trial_end *e = &c->ends[TRIAL_OUT];
	char text[PLACE_BYTES_MAX];
	struct out o = out_to(text, sizeof(text));

	out_request(&o, e, "ACK");
	out_z(&o, "Content-Length: 0\r\n\r\n");
	return o.err ? o.err
		     : trial_send(c, e->place, e->sip, PACKET_SIP_OTHER, &e->peer, out_slice(&o));
}

static int acknowledge_refusal(struct trial *c)
{
	struct trial_end *e = &c->ends[TRIAL_OUT];
	char other[TRIAL_TEXT_MAX];
	int err;

	memcpy(other, e->other, sizeof(other));
	if (!copy(sip_text_header(text_of(&c->last), "To", 0), e->other, sizeof(e->other)))
		return ERR_SYNTAX;
	e->refused = true;
	err = send_ack(c);
	e->refused = false;
	memcpy(e->other, other, sizeof(other));
	return err;
}

static int answer_challenge(struct trial *c)
{
	struct trial_end *e = &c->ends[TRIAL_OUT];
	char more[1024];
	struct out o = out_to(more, sizeof(more) - 1);
	int err = acknowledge_refusal(c);

	if (!err && (!*c->password || e->cseq != 1))
		err = ERR_DENIED;
	if (!err)
		err = credentials_write(&o, text_of(&c->last), c->v->target->asset->test_user,
					c->password, "INVITE", e->target);
	if (err)
		return err;
	more[o.n] = '\0';
	e->cseq++;
	return send_invite(c, more);
}

/* What the called end takes from the INVITE. */
static int take_invite(struct trial *c)
{
	struct trial_end *e = &c->ends[TRIAL_IN];

	c->invite = c->last;
	e->peer = c->last.from;
	return read_media(&c->invite, &e->media);
}

static bool is_marked(const struct trial *c, const struct trial_message *m)
{
	/* A gateway may give the call another Call-ID, but the caller's name stays. */
	return slice_find_slice(text_of(m), SL("hornwork-assess")) < m->n ||
	       slice_find_slice(text_of(m), slice_z(c->v->target->asset->test_user)) < m->n;
}

enum verdict trial_invite(struct trial *c)
{
	struct trial_end *e = &c->ends[TRIAL_OUT];
	const struct config_asset *a = c->v->target->asset;
	uint64_t until = clock_ms() + TRIES * ANSWER_MS;
	char token[17];
	int err;

	visit_token(token);
	c->refused_with = 0;
	e->cseq = 1;
	*e->routes = '\0';
	snprintf(e->target, sizeof(e->target), "sip:%s@%s", a->test_number, c->domain);
	snprintf(e->own, sizeof(e->own), "<sip:%s@%s>;tag=%s", a->test_user, c->domain, e->tag);
	snprintf(e->other, sizeof(e->other), "<sip:%s@%s>", a->test_number, c->domain);
	snprintf(e->call_id, sizeof(e->call_id), SIP_MARK "-%s", token);
	err = send_invite(c, "");
	while (!err) {
		const struct trial_message *m = &c->last;
		unsigned status;

		err = next_message(c, until);
		if (err)
			break;
		status = m->at == TRIAL_OUT && answers(m, e) ? status_of(m) : 0;
		if (m->at == TRIAL_IN && is_request(m, "INVITE") && is_marked(c, m)) {
			err = take_invite(c);
			if (!err)
				return VERDICT_CLEAN;
		} else if (status == 401 || status == 407) {
			err = answer_challenge(c);
		} else if (status >= 300) {
			(void)!acknowledge_refusal(c);
			c->refused_with = status;
			return visit_untested(c->v, "the test call to %s is refused with %u",
					      a->test_number, status);
		}
	}
	return visit_failed(c->v, "the test call does not reach place inside", err);
}

/* What the caller takes from the 200 (RFC 3261 12.1.2). */
static int take_answer(struct trial *c)
{
	struct trial_end *e = &c->ends[TRIAL_OUT];
	struct slice text = text_of(&c->last);

	if (!copy(sip_text_header(text, "To", 0), e->other, sizeof(e->other)) ||
	    !copy(uri_of(sip_text_header(text, "Contact", 0)), e->target, sizeof(e->target)))
		return ERR_SYNTAX;
	c->up = true;
	return read_routes(&c->last, true, e->routes, sizeof(e->routes));
}

enum verdict trial_answer(struct trial *c)
{
	struct trial_end *e = &c->ends[TRIAL_OUT];
	int got, err = reply(c, &c->invite, "200 OK", true);

	if (err)
		return visit_failed(c->v, "the answer", err);
	got = await_final(c, e, clock_ms() + TRIES * ANSWER_MS);
	if (got != 200)
		return got < 0 ? visit_failed(c->v, "the answer to the test call", got)
			       : visit_untested(c->v, "the answered test call ends with %d", got);
	err = take_answer(c);
	if (!err)
		err = send_ack(c);
	if (!err)
		err = read_media(&c->last, &e->media);
	return err ? visit_failed(c->v, "the answer to the test call", err) : VERDICT_CLEAN;
}

int trial_hang_up(struct trial *c)
{
	struct trial_end *e = &c->ends[TRIAL_OUT];
	int got = -ETIMEDOUT;

	c->up = false;
	e->cseq++;
	for (unsigned i = 0; i < TRIES && got == -ETIMEDOUT; i++) {
		char text[PLACE_BYTES_MAX];
		struct out o = out_to(text, sizeof(text));

		out_request(&o, e, "BYE");
		out_z(&o, "Content-Length: 0\r\n\r\n");
		got = o.err ? o.err
			    : trial_send(c, e->place, e->sip, PACKET_SIP_OTHER, &e->peer,
					 out_slice(&o));
		if (!got)
			got = await_final(c, e, clock_ms() + ANSWER_MS);
	}
	return got < 0 ? got : 0;
}
