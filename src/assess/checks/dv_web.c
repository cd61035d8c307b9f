/* DV: the web interface of a device. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/http.h"

/* Whether the plain page does nothing but send the browser to HTTPS. */
static bool goes_to_https(const struct http_answer *a)
{
	return slice_starts_nocase(slice_z(a->location), SL("https://")) ||
	       (a->n < 2048 && http_has(a, "http-equiv=\"refresh\"") &&
		http_has(a, "url=https://"));
}

enum verdict dv12_plain_http(struct visit *v)
{
	struct http_answer a;
	struct slice title;
	enum verdict verdict = VERDICT_CLEAN;
	int err = visit_http(v, &(struct http_ask){.class = PACKET_HTTP}, &a);

	if (err == ERR_PEER)
		return visit_absent(v, "what answers on port 80 is no web server");
	if (err)
		return visit_closed(v, err);
	title = http_title(&a);
	if (!goes_to_https(&a))
		verdict = visit_found(v, &(struct found){.port = 80},
				      "GET / on port 80 is answered with %ld, title \"%.*s\", "
				      "without a redirect to HTTPS",
				      a.status, SLICE_ARGS(title));
	http_answer_done(&a);
	return verdict;
}
