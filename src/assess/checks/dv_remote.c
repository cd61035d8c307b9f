/* DV: what lets others use a device from outside: calls past the PBX, remote control. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/http.h"
#include "assess/sip.h"

/* ---- DV-15: calls from anybody ---- */

/* The call is cancelled at the first ring; one that is answered at once is ended at once. */
enum verdict dv15_calls_from_anybody(struct visit *v)
{
	static const char offer[] =
		"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
		"m=audio 20000 RTP/AVP 0 8\r\na=inactive\r\n";
	struct sip_reply r;
	int err = visit_sip(v,
			    &(struct sip_ask){.class = PACKET_SIP_INVITE,
					      .method = "INVITE",
					      .user = v->target->asset->test_user,
					      .content_type = "application/sdp",
					      .body = slice_of(offer, sizeof(offer) - 1)},
			    &r);

	if (err == -ECONNREFUSED || err == -ETIMEDOUT)
		return visit_absent(v, "it answers no call on its SIP port");
	if (err)
		return visit_failed(v, "INVITE", err);
	if (r.provisional < 180 && (r.status < 200 || r.status >= 300))
		return VERDICT_CLEAN;
	return visit_found(
		v, &(struct found){.port = v->target->asset->sip_port},
		"a call from an address that is not its registrar's %s (%u); it was ended at "
		"once",
		r.status >= 200 && r.status < 300 ? "was answered" : "rang",
		r.status >= 200 && r.status < 300 ? r.status : r.provisional);
}

/* ---- DV-17: remote control ---- */

struct control {
	const char *path;
	const char *what;
};

/* Read only: none of these does anything without its parameters. 200 or 405 without a login means
 * that the interface is there for everybody; 401 that it asks. */
static const struct control controls[] = {
	{"/CGI/Execute", "Cisco's XML execute interface"},
	{"/CGI/Screenshot", "Cisco's screenshot"},
	{"/push", "Poly's push interface"},
	{"/command.htm", "Snom's remote control"},
	{"/servlet?key=", "Yealink's action URI"},
	{"/cgi-bin/ConfigManApp.com?key=", "Fanvil's and Yealink's remote control"},
};

#define CONTROLS (sizeof(controls) / sizeof(controls[0]))

static int status_of(struct visit *v, const char *path, bool *tls, long *out)
{
	struct http_answer a;
	int err = visit_http(v, &(struct http_ask){.class = PACKET_HTTP, .path = path, .tls = *tls},
			     &a);

	if (err == -ECONNREFUSED && !*tls) {
		*tls = true;
		err = visit_http(
			v, &(struct http_ask){.class = PACKET_HTTP, .path = path, .tls = true}, &a);
	}
	if (err)
		return err;
	*out = a.status;
	http_answer_done(&a);
	return 0;
}

enum verdict dv17_remote_control(struct visit *v)
{
	char nowhere[32] = "/", token[17];
	struct out o = out_to(nowhere, sizeof(nowhere) - 1);
	enum verdict verdict = VERDICT_CLEAN;
	bool tls = false;
	long none, status;
	int err;

	visit_token(token);
	out_fmt(&o, "/%s", token);
	nowhere[o.n] = '\0';
	err = status_of(v, nowhere, &tls, &none);
	if (err == ERR_PEER)
		return visit_absent(v, "what answers is no web server");
	if (err)
		return visit_closed(v, err);
	for (size_t i = 0; i < CONTROLS; i++) {
		err = status_of(v, controls[i].path, &tls, &status);
		if (err)
			return verdict == VERDICT_FOUND ? verdict : visit_failed(v, "HTTP", err);
		if ((status == 200 || status == 405) && status != none)
			verdict = visit_found(v, &(struct found){.port = tls ? 443 : 80},
					      "%s answers %s without a login (%ld)",
					      controls[i].path, controls[i].what, status);
	}
	return verdict;
}
