#include <stdbool.h>
#include <stdint.h>

#include <re.h>

#include "bench/bench_parse.h"

const char bench_parser_name[] = "libre";

static struct mbuf *buffer;
static struct sdp_session *session;

void bench_parser_start(void)
{
	struct sdp_media *media;
	struct sa local;

	libre_init();
	buffer = mbuf_alloc(4096);
	sa_set_str(&local, "192.0.2.1", 5004);
	sdp_session_alloc(&session, &local);
	sdp_media_add(&media, session, "audio", 5004, "RTP/AVP");
	sdp_format_add(NULL, media, false, "8", "PCMA", 8000, 1, NULL, NULL, NULL, false, NULL);
}

static bool header_read(const struct sip_hdr *header, const struct sip_msg *message, void *unused)
{
	struct sip_addr addr;

	return sip_addr_decode(&addr, &header->val) != 0;
}

bool bench_parser_run(const char *text, size_t n)
{
	struct sip_msg *message;
	bool good;

	buffer->pos = buffer->end = 0;
	mbuf_write_mem(buffer, (const uint8_t *)text, n);
	buffer->pos = 0;
	if (sip_msg_decode(&message, buffer))
		return false;
	good = !sip_msg_hdr_apply(message, true, SIP_HDR_CONTACT, header_read, NULL) &&
	       !sip_msg_hdr_apply(message, true, SIP_HDR_RECORD_ROUTE, header_read, NULL) &&
	       !sip_msg_hdr_apply(message, true, SIP_HDR_P_ASSERTED_IDENTITY, header_read, NULL) &&
	       sdp_decode(session, message->mb, true) == 0;
	mem_deref(message);
	return good;
}
