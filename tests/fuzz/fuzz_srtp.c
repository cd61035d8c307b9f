/* SRTP and SRTCP: whatever comes is refused and left as it was, or opens; and what is sealed opens
 * as what it was. The first three bytes choose suite, MKI and kind, the rest is the packet. */
#include <stdlib.h>

#include "proto/srtp/srtp.h"

#define ROOM 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static struct srtp_key key_of(const uint8_t *choice)
{
	struct srtp_key key = {.suite = (uint8_t)(1 + choice[0] % (SRTP_SUITE_COUNT - 1)),
			       .mki_bytes = choice[1] % (SRTP_MKI_BYTES_MAX + 1)};

	memset(key.mki, choice[1], key.mki_bytes);
	memset(key.master, choice[0], srtp_master_bytes(key.suite));
	return key;
}

static enum srtp_result open_one(struct srtp *s, struct srtp_streams *all, uint8_t *packet,
				 size_t *bytes, bool control)
{
	return control ? srtcp_open(s, all, packet, bytes) : srtp_open(s, all, packet, bytes);
}

/* No stranger has the key. */
static void try_open(struct srtp *s, const uint8_t *data, size_t size, bool control)
{
	struct srtp_streams all = {0};
	uint8_t packet[ROOM];
	size_t bytes = size;

	memcpy(packet, data, size);
	expect(open_one(s, &all, packet, &bytes, control) != SRTP_DONE);
	expect(bytes == size && memcmp(packet, data, size) == 0 && all.count == 0);
}

static void try_both(struct srtp *seal, struct srtp *open, const uint8_t *data, size_t size,
		     bool control)
{
	struct srtp_streams sent = {0}, got = {0};
	uint8_t packet[ROOM];
	size_t bytes = size;
	enum srtp_result r;

	memcpy(packet, data, size);
	r = control ? srtcp_seal(seal, &sent, packet, &bytes, ROOM)
		    : srtp_seal(seal, &sent, packet, &bytes, ROOM);
	if (r != SRTP_DONE) {
		expect(bytes == size && memcmp(packet, data, size) == 0);
		return;
	}
	if (control && (data[0] & 0xc0) != 0x80)
		return; /* sealed as it is; nobody would open it */
	expect(open_one(open, &got, packet, &bytes, control) == SRTP_DONE);
	expect(bytes == size && memcmp(packet, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srtp *seal, *open;
	struct srtp_key key;

	if (size < 3 || size > ROOM)
		return 0;
	key = key_of(data);
	expect(srtp_new(&key, SRTP_SEAL, &seal) == 0);
	expect(srtp_new(&key, SRTP_OPEN, &open) == 0);
	try_open(open, data + 3, size - 3, data[2] & 1);
	try_both(seal, open, data + 3, size - 3, data[2] & 1);
	srtp_free(seal);
	srtp_free(open);
	return 0;
}
