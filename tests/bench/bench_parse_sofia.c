#include <stdbool.h>

#include <sofia-sip/sdp.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/su.h>

#include "bench/bench_parse.h"

const char bench_parser_name[] = "sofia-sip";

void bench_parser_start(void)
{
	su_init();
}

bool bench_parser_run(const char *text, size_t n)
{
	msg_t *message = msg_make(sip_default_mclass(), 0, text, (ssize_t)n);
	sip_t *sip = sip_object(message);
	sdp_parser_t *session;
	bool good;

	if (!sip || !sip->sip_cseq || !sip->sip_payload)
		return false;
	session = sdp_parse(NULL, sip->sip_payload->pl_data, (issize_t)sip->sip_payload->pl_len, 0);
	good = sdp_session(session) != NULL;
	sdp_parser_free(session);
	msg_destroy(message);
	return good;
}
