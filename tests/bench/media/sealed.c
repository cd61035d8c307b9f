#include "bench/media/sealed.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "proto/srtp/srtp.h"

#define SAMPLES 160 /* of a packet */

struct sealed {
	uint32_t streams, bytes;
	struct srtp **keyed; /* by stream */
};

struct srtp_key sealed_key(enum srtp_suite suite, uint32_t number)
{
	struct srtp_key key = {.suite = (uint8_t)suite};

	for (unsigned i = 0; i < sizeof(number); i++)
		key.master[i] = (uint8_t)(number >> (8 * i));
	return key;
}

int sealed_new(enum srtp_suite suite, uint32_t streams, struct sealed **out)
{
	const struct srtp_suite_row *row = srtp_suite_row(suite);
	uint32_t bytes = row ? LOAD_RTP_BYTES + row->tag_bytes : 0;
	struct sealed *s;
	int err;

	if (bytes != LOAD_SEALED_SHA1 && bytes != LOAD_SEALED_GCM)
		return ERR_SYNTAX;
	s = mem_zalloc(1, sizeof(*s));
	if (!s)
		return ERR_NOMEM;
	*s = (struct sealed){.streams = streams, .bytes = bytes};
	s->keyed = mem_zalloc(streams, sizeof(s->keyed[0]));
	err = s->keyed ? 0 : ERR_NOMEM;
	for (uint32_t i = 0; i < streams && !err; i++) {
		struct srtp_key key = sealed_key(suite, i);

		err = srtp_new(&key, SRTP_SEAL, &s->keyed[i]);
	}
	if (err)
		sealed_free(s);
	else
		*out = s;
	return err;
}

void sealed_free(struct sealed *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->keyed && i < s->streams; i++)
		srtp_free(s->keyed[i]);
	mem_free(s->keyed);
	mem_free(s);
}

uint32_t sealed_bytes(const struct sealed *s)
{
	return s->bytes;
}

static void write_rtp(uint8_t *p, uint32_t stream, uint64_t number)
{
	uint32_t timestamp = (uint32_t)number * SAMPLES;

	memset(p, 0xd5, LOAD_RTP_BYTES); /* silence */
	p[0] = 0x80;
	p[1] = 0;
	p[2] = (uint8_t)(number >> 8);
	p[3] = (uint8_t)number;
	for (unsigned i = 0; i < 4; i++) {
		p[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
		p[8 + i] = (uint8_t)(stream >> (24 - 8 * i));
	}
}

int sealed_fill(struct sealed *s, struct load_slot *pool, uint64_t first, uint32_t count)
{
	for (uint64_t n = first; n < first + count; n++) {
		uint8_t *packet = (uint8_t *)pool[n % LOAD_POOL_PACKETS].word;
		uint32_t stream = (uint32_t)(n % s->streams);
		uint64_t number = n / s->streams;
		/* The sender's state is as the packet before left it, sent or not. */
		struct srtp_streams state = {.count = number > 0};
		size_t bytes = LOAD_RTP_BYTES;

		state.stream[0] =
			(struct srtp_stream){.ssrc = stream, .index = number - 1, .window = 1};
		write_rtp(packet, stream, number);
		if (srtp_seal(s->keyed[stream], &state, packet, &bytes, LOAD_SLOT_BYTES) !=
		    SRTP_DONE)
			return ERR_SYNTAX;
	}
	return 0;
}
