/* Hornwork's parser. It types or checks each address, number and Via while it parses; the lists and
 * credentials that it leaves lazy are read here too, as the peers do. */
#include <stdbool.h>

#include "bench/bench_parse.h"
#include "proto/sdp/sdp.h"
#include "proto/sip/sip_msg.h"

const char bench_parser_name[] = "hornwork";

static struct sip_msg msg;
static struct sdp session;

void bench_parser_start(void)
{
}

static bool tokens_read(enum sip_header_id id)
{
	struct sip_values v = sip_values_of(&msg, id);
	struct slice value;

	while (sip_values_next(&v, &value))
		__asm__ volatile("" : : "r"(value.p), "r"(value.n));
	return true;
}

static bool credentials_read(void)
{
	const struct sip_header *h = sip_header_first(&msg, SIP_H_PROXY_AUTHORIZATION);
	struct sip_auth auth;
	struct sip_values v;
	struct slice value;

	if (!h)
		return true;
	if (sip_auth_parse(h->value, &auth) != 0)
		return false;
	v = sip_values_in(auth.params);
	while (sip_values_next(&v, &value))
		__asm__ volatile("" : : "r"(value.p), "r"(value.n));
	return true;
}

bool bench_parser_run(const char *text, size_t n)
{
	enum reason reason;

	return sip_msg_parse(slice_of(text, n), SIP_MESSAGE_BYTES_MAX, &msg, &reason) == SIP_DONE &&
	       msg.contact.uri_text.n && tokens_read(SIP_H_ALLOW) && tokens_read(SIP_H_SUPPORTED) &&
	       credentials_read() && sdp_parse(msg.body, &session, &reason) == 0;
}
