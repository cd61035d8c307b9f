#include "assess/sip.h"

#include <errno.h>

#include "assess/dial.h"
#include "io/clock.h"

#define REQUEST_BYTES_MAX 8192
#define FINAL_WAIT_MS	  4000 /* after a provisional response, or a CANCEL */

/* One conversation: what all its requests share. */
struct talk {
	struct target *target;
	const struct sip_ask *ask;
	struct dgram udp;
	struct wire *conn;
	char branch[17], tag[17], call_id[17];
	char request[REQUEST_BYTES_MAX];
};

static void write_uri(struct out *o, const struct talk *k, const char *user)
{
	out_z(o, "sip:");
	if (user)
		out_fmt(o, "%s@", user);
	if (k->ask->domain)
		out_z(o, k->ask->domain);
	else
		ip_write_host(o, &k->target->address);
}

static void write_via(struct out *o, const struct talk *k, const char *branch)
{
	out_fmt(o, "Via: SIP/2.0/%s ", k->conn ? "TCP" : "UDP");
	ip_endpoint_write(o, &k->udp.local);
	out_fmt(o, ";rport;branch=z9hG4bK%s\r\n", branch);
}

static void write_call_id(struct out *o, const struct talk *k)
{
	if (k->ask->call_id)
		out_fmt(o, "Call-ID: %s\r\n", k->ask->call_id);
	else
		out_fmt(o, "Call-ID: " SIP_MARK "-%s\r\n", k->call_id);
}

static void write_from(struct out *o, const struct talk *k)
{
	out_z(o, "From: <");
	write_uri(o, k, k->ask->from ? k->ask->from : "hornwork");
	out_fmt(o, ">;tag=%s\r\n", k->ask->tag ? k->ask->tag : k->tag);
}

static void write_head(struct out *o, const struct talk *k, const char *method, const char *branch)
{
	out_fmt(o, "%s ", method);
	/* A REGISTER goes to the domain (RFC 3261 10.2). */
	write_uri(o, k, strcmp(method, "REGISTER") == 0 ? NULL : k->ask->user);
	out_z(o, " SIP/2.0\r\n");
	write_via(o, k, branch);
	out_z(o, "Max-Forwards: 70\r\n");
	write_from(o, k);
	write_call_id(o, k);
	out_fmt(o, "CSeq: %u %s\r\n", k->ask->cseq ? k->ask->cseq : 1, method);
	out_z(o, "User-Agent: " SIP_USER_AGENT "\r\n");
}

static struct slice build_request(struct talk *k)
{
	struct out o = out_to(k->request, sizeof(k->request));
	const struct sip_ask *a = k->ask;

	write_head(&o, k, a->method, k->branch);
	out_z(&o, "To: <");
	write_uri(&o, k, a->user);
	out_z(&o, ">\r\n");
	if (!a->without_contact) {
		out_fmt(&o, "Contact: <sip:%s@", a->from ? a->from : "hornwork");
		ip_endpoint_write(&o, &k->udp.local);
		out_z(&o, k->conn ? ";transport=tcp>\r\n" : ">\r\n");
	}
	if (a->extra)
		out_z(&o, a->extra);
	if (a->body.n)
		out_fmt(&o, "Content-Type: %s\r\n",
			a->content_type ? a->content_type : "application/sdp");
	out_fmt(&o, "Content-Length: %zu\r\n\r\n", a->body.n);
	out_bytes(&o, a->body);
	return o.err ? slice_of(NULL, 0) : out_slice(&o);
}

/* ACK of a failure and CANCEL take the INVITE's branch (RFC 3261 9.1, 17.1.1.3). */
static int send_follow_up(struct talk *k, const char *method, const char *branch,
			  const struct sip_reply *r)
{
	char text[REQUEST_BYTES_MAX];
	struct out o = out_to(text, sizeof(text));
	struct slice to = r ? sip_reply_header(r, "To", 0) : slice_of(NULL, 0);

	write_head(&o, k, method, branch);
	if (to.n) {
		out_fmt(&o, "To: %.*s\r\n", SLICE_ARGS(to));
	} else {
		out_z(&o, "To: <");
		write_uri(&o, k, k->ask->user);
		out_z(&o, ">\r\n");
	}
	out_z(&o, "Content-Length: 0\r\n\r\n");
	if (o.err)
		return o.err;
	return k->conn ? wire_send(k->conn, out_slice(&o)) : dgram_send(&k->udp, out_slice(&o));
}

static int open_talk(struct talk *k, uint16_t port)
{
	int err = dgram_open(k->target, port, 0, &k->udp);

	if (!err && k->ask->tcp)
		err = wire_open(k->target, port, WIRE_TIMEOUT_MS, &k->conn);
	visit_token(k->branch);
	visit_token(k->tag);
	visit_token(k->call_id);
	return err;
}

static void close_talk(struct talk *k)
{
	wire_close(k->conn);
	dgram_close(&k->udp);
}

static int send_bytes(struct talk *k, struct slice bytes)
{
	return k->conn ? wire_send(k->conn, bytes) : dgram_send(&k->udp, bytes);
}

static int receive(struct talk *k, struct sip_reply *r, uint32_t timeout_ms)
{
	int n = k->conn ? wire_read_until(k->conn, "\r\n\r\n", r->bytes, SIP_REPLY_BYTES_MAX,
					  timeout_ms)
			: dgram_recv(&k->udp, r->bytes, SIP_REPLY_BYTES_MAX, timeout_ms);

	if (n < 0)
		return n;
	if (n == 0)
		return -ETIMEDOUT;
	r->n = (size_t)n;
	r->bytes[r->n] = '\0';
	return 0;
}

/* The status of a response; 0 for anything else. */
static uint16_t status_of(const struct sip_reply *r)
{
	struct slice text = slice_of(r->bytes, r->n);
	uint32_t status;

	if (!slice_starts_nocase(text, SL("SIP/2.0 ")) ||
	    slice_u32(slice_first(slice_from(text, 8), 3), 699, &status) || status < 100)
		return 0;
	return (uint16_t)status;
}

/* A CANCEL has the branch of its INVITE; CSeq tells their answers apart (RFC 3261 9.1). */
static bool is_ours(const struct talk *k, const struct sip_reply *r)
{
	struct slice via = sip_reply_header(r, "Via", 0);

	return slice_find_slice(via, slice_z(k->branch)) < via.n &&
	       slice_ends_nocase(sip_reply_header(r, "CSeq", 0), slice_z(k->ask->method));
}

/* What an INVITE's response asks for, so that nobody's phone rings on. */
static void follow_invite(struct talk *k, const struct sip_reply *r, bool *cancelled)
{
	if (r->status < 200) {
		if (!*cancelled)
			(void)!send_follow_up(k, "CANCEL", k->branch, NULL);
		*cancelled = true;
	} else if (r->status < 300) {
		const struct sip_ask *ask = k->ask;
		struct sip_ask bye = *ask;
		char other[17];

		visit_token(other);
		(void)!send_follow_up(k, "ACK", other, r);
		bye.cseq = (ask->cseq ? ask->cseq : 1) + 1;
		k->ask = &bye;
		visit_token(other);
		(void)!send_follow_up(k, "BYE", other, r);
		k->ask = ask;
	} else {
		(void)!send_follow_up(k, "ACK", k->branch, r);
	}
}

/* Responses until a final one, or until the time is over. */
static int await(struct talk *k, struct sip_reply *r, uint64_t sent_ms, uint32_t wait_ms)
{
	bool invite = strcmp(k->ask->method, "INVITE") == 0, cancelled = false;
	uint64_t until = clock_ms() + wait_ms;

	for (uint64_t now = clock_ms(); now < until; now = clock_ms()) {
		int err = receive(k, r, (uint32_t)(until - now));
		uint16_t status = err ? 0 : status_of(r);

		if (err)
			return r->status ? 0 : err;
		if (!status || !is_ours(k, r))
			continue;
		r->status = status;
		r->delay_ms = (uint32_t)(clock_ms() - sent_ms);
		if (status < 200 && status > 100 && status > r->provisional)
			r->provisional = status;
		if (invite && status != 100)
			follow_invite(k, r, &cancelled);
		if (status >= 200)
			return 0;
		until = clock_ms() + FINAL_WAIT_MS;
	}
	return r->status ? 0 : -ETIMEDOUT;
}

static int converse(struct talk *k, struct visit *v, struct sip_reply *out)
{
	struct slice request = build_request(k);
	uint64_t sent = clock_ms();
	int err = request.n ? -ETIMEDOUT : ERR_SPACE;

	for (int attempt = 0; attempt < (k->conn ? 1 : 2) && err == -ETIMEDOUT; attempt++) {
		int spent = v ? visit_spend(v, k->ask->class) : 0;

		if (spent)
			return attempt ? -ETIMEDOUT : spent;
		err = send_bytes(k, request);
		if (attempt == 0)
			sent = clock_ms();
		if (!err)
			err = await(k, out, sent, DGRAM_TIMEOUT_MS);
	}
	return err;
}

static int talk(struct target *t, struct visit *v, const struct sip_ask *ask, struct sip_reply *out)
{
	struct talk k = {.target = t, .ask = ask, .udp = {.fd = -1}};
	int err = open_talk(&k, ask->port ? ask->port : t->asset->sip_port);

	out->status = out->provisional = 0;
	out->delay_ms = 0;
	out->n = 0;
	if (!err)
		err = converse(&k, v, out);
	close_talk(&k);
	return err;
}

int visit_sip(struct visit *v, const struct sip_ask *ask, struct sip_reply *out)
{
	if (ask->user && strcmp(ask->method, "INVITE") == 0 &&
	    dial_is_forbidden(v->config, slice_z(ask->user)))
		return ERR_DENIED;
	return talk(v->target, v, ask, out);
}

int sip_options(struct target *t, struct sip_reply *out)
{
	struct sip_ask ask = {.class = PACKET_HEALTH,
			      .method = "OPTIONS",
			      .extra = "Accept: application/sdp\r\n"};

	return talk(t, NULL, &ask, out);
}

/* Compact forms of the headers that checks ask for (RFC 3261 7.3.3). */
static bool is_header(struct slice name, const char *want)
{
	static const char *const compact[][2] = {{"Via", "v"},
						 {"To", "t"},
						 {"From", "f"},
						 {"Contact", "m"},
						 {"Call-ID", "i"},
						 {"Supported", "k"},
						 {"Content-Length", "l"},
						 {"Content-Type", "c"}};

	if (slice_eq_nocase(name, slice_z(want)))
		return true;
	for (size_t i = 0; i < sizeof(compact) / sizeof(compact[0]); i++)
		if (slice_eq_nocase(slice_z(compact[i][0]), slice_z(want)) &&
		    slice_eq_nocase(name, slice_z(compact[i][1])))
			return true;
	return false;
}

struct slice sip_text_header(struct slice message, const char *name, unsigned nth)
{
	struct slice rest = message, line;

	(void)slice_split(rest, '\n', &rest);
	while (rest.n) {
		struct slice value, head;

		line = slice_split(rest, '\n', &rest);
		if (slice_trim(line).n == 0)
			break;
		head = slice_trim(slice_split(line, ':', &value));
		if (is_header(head, name) && nth-- == 0)
			return slice_trim(value);
	}
	return slice_of(NULL, 0);
}

struct slice sip_reply_header(const struct sip_reply *r, const char *name, unsigned nth)
{
	return sip_text_header(slice_of(r->bytes, r->n), name, nth);
}
