/* A stream of messages: cut anywhere, the same comes out; what is refused in the whole is refused
 * or still awaited in each part of it. */
#include <stdlib.h>

#include "proto/sip/sip_msg.h"

#define CUTS_MAX 600 /* beyond that many bytes only some cuts are tried */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

struct taken {
	enum sip_verdict verdict;
	size_t used;
	size_t body_bytes;
	uint8_t headers;
};

static struct taken take(struct slice bytes)
{
	static struct sip_msg m;
	struct taken t = {0};
	enum reason reason = REASON_NONE;

	t.verdict = sip_msg_parse_stream(bytes, SIP_MESSAGE_BYTES_MAX, &m, &t.used, &reason);
	expect(t.used <= bytes.n && (t.verdict == SIP_REFUSED) == (reason != REASON_NONE));
	if (t.verdict == SIP_DONE) {
		t.body_bytes = m.body.n;
		t.headers = m.header_count;
		expect(m.raw.p + m.raw.n == bytes.p + t.used);
	}
	return t;
}

static void cut(struct slice bytes, const struct taken *whole, size_t at)
{
	struct taken part = take(slice_first(bytes, at));

	if (whole->verdict == SIP_DONE && at >= whole->used) {
		expect(part.verdict == SIP_DONE && part.used == whole->used);
		expect(part.body_bytes == whole->body_bytes && part.headers == whole->headers);
	} else if (whole->verdict == SIP_REFUSED) {
		expect(part.verdict != SIP_DONE);
	} else {
		expect(part.verdict == SIP_MORE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_of((const char *)data, size);

	while (bytes.n) {
		struct taken whole = take(bytes);
		size_t step = 1 + bytes.n / CUTS_MAX;

		for (size_t at = 0; at < bytes.n; at += step)
			cut(bytes, &whole, at);
		if (whole.verdict != SIP_DONE)
			break;
		bytes = slice_from(bytes, whole.used);
	}
	return 0;
}
