#include <stdbool.h>
#include <string.h>

#include <osipparser2/osip_parser.h>
#include <osipparser2/sdp_message.h>

#include "bench/bench_parse.h"

const char bench_parser_name[] = "libosip2";

void bench_parser_start(void)
{
	parser_init();
}

bool bench_parser_run(const char *text, size_t n)
{
	osip_message_t *message = NULL;
	sdp_message_t *session = NULL;
	osip_body_t *body = NULL;
	bool good;

	if (osip_message_init(&message))
		return false;
	good = osip_message_parse(message, text, n) == 0 &&
	       osip_message_get_body(message, 0, &body) == 0 && sdp_message_init(&session) == 0 &&
	       sdp_message_parse(session, body->body) == 0;
	sdp_message_free(session);
	osip_message_free(message);
	return good;
}
