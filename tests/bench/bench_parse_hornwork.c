/* Hornwork's parser; what it leaves lazy is read here too, so that all is typed as the peers do. */
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

static bool addresses_read(enum sip_header_id id)
{
	struct sip_values v = sip_values_of(&msg, id);
	struct sip_name_addr addr;
	struct slice value;

	while (sip_values_next(&v, &value))
		if (sip_name_addr_parse(value, &addr) != 0)
			return false;
	return true;
}

static bool vias_read(void)
{
	const struct sip_header *h = sip_header_first(&msg, SIP_H_VIA);
	struct sip_via via;

	while ((h = sip_header_next(&msg, h)))
		if (sip_via_parse(h->value, &via) != 0)
			return false;
	return true;
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
	       vias_read() && addresses_read(SIP_H_CONTACT) && addresses_read(SIP_H_RECORD_ROUTE) &&
	       addresses_read(SIP_H_P_ASSERTED_IDENTITY) && tokens_read(SIP_H_ALLOW) &&
	       tokens_read(SIP_H_SUPPORTED) && credentials_read() &&
	       sdp_parse(msg.body, &session, &reason) == 0;
}
