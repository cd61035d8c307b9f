/* Clear and encrypted payloads are told apart by their bytes alone. */
#include "unit/check.h"

#include <math.h>

#include "media/evidence.h"
#include "proto/srtp/srtp.h"

static uint32_t random_state = 7;

static uint8_t draw(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint8_t)(random_state >> 24);
}

/* G.711 u-law of 16 bit linear samples (ITU-T G.711), for what a codec makes of a sound. */
static uint8_t ulaw(int sample)
{
	int sign = sample < 0 ? 0x80 : 0, magnitude = (sample < 0 ? -sample : sample) + 132,
	    exp = 7;

	if (magnitude > 32635)
		magnitude = 32635;
	while (exp > 0 && !(magnitude >> (exp + 7)))
		exp--;
	return (uint8_t) ~(sign | exp << 4 | (magnitude >> (exp + 3) & 15));
}

static void tone(char *at, size_t n, size_t from)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (char)ulaw((int)(9000 * sin((double)(from + i) * 0.7854) +
					 3000 * sin((double)(from + i) * 0.31)));
}

static void encrypt(char *payload, uint16_t seq)
{
	static struct srtp *s;
	static struct srtp_streams streams;
	struct srtp_key key = {.suite = SRTP_AES_128_CM_SHA1_80};
	uint8_t packet[256] = {0x80, 0, (uint8_t)(seq >> 8), (uint8_t)seq};
	size_t n = 172;

	if (!payload) {
		srtp_free(s);
		s = NULL;
		return;
	}
	if (!s)
		assert_int_equal(srtp_new(&key, SRTP_SEAL, &s), 0);
	memcpy(packet + 12, payload, 160);
	assert_int_equal(srtp_seal(s, &streams, packet, &n, sizeof(packet)), SRTP_DONE);
	memcpy(payload, packet + 12, 170);
}

static void packets_in_the_clear_are_seen(void **state)
{
	char bytes[320];

	memset(bytes, 0xff, sizeof(bytes));
	assert_true(evidence_packet_clear(slice_of(bytes, 160)));
	assert_true(evidence_packet_clear(slice_of(bytes, EVIDENCE_PACKET_MIN)));
	assert_false(evidence_packet_clear(slice_of(bytes, EVIDENCE_PACKET_MIN - 1)));
	tone(bytes, 160, 0);
	assert_true(evidence_packet_clear(slice_of(bytes, 160)));
}

static void ciphertext_is_never_taken_for_clear(void **state)
{
	char bytes[1500];

	for (unsigned round = 0; round < 20000; round++) {
		size_t n = EVIDENCE_PACKET_MIN + round % (sizeof(bytes) - EVIDENCE_PACKET_MIN);

		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)draw();
		assert_false(evidence_packet_clear(slice_of(bytes, n)));
	}
}

static void streams_are_judged_by_all_their_bytes(void **state)
{
	struct evidence clear = {0}, sealed = {0}, opus = {0};
	char bytes[256];

	assert_int_equal(evidence_verdict(&clear), EVIDENCE_UNKNOWN);
	for (unsigned i = 0; i < 100; i++) {
		tone(bytes, 160, i * 160);
		evidence_add(&clear, slice_of(bytes, 160));
		encrypt(bytes, (uint16_t)i);
		evidence_add(&sealed, slice_of(bytes, 170));
		/* A variable-rate codec: uniform but for the byte that says which mode follows. */
		for (size_t b = 0; b < 80; b++)
			bytes[b] = (char)draw();
		bytes[0] = 0x78;
		evidence_add(&opus, slice_of(bytes, 80));
	}
	assert_int_equal(evidence_verdict(&clear), EVIDENCE_CLEAR);
	assert_int_equal(evidence_verdict(&sealed), EVIDENCE_ENCRYPTED);
	assert_int_equal(evidence_verdict(&opus), EVIDENCE_CLEAR);
	encrypt(NULL, 0);
}

static void it_stops_counting_in_time(void **state)
{
	struct evidence e = {0};
	char bytes[1000] = {0};

	for (unsigned i = 0; i < 1000; i++)
		evidence_add(&e, slice_of(bytes, sizeof(bytes)));
	assert_int_equal(e.total, 60000);
	assert_string_equal(evidence_text(evidence_verdict(&e)), "clear");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_in_the_clear_are_seen),
		cmocka_unit_test(ciphertext_is_never_taken_for_clear),
		cmocka_unit_test(streams_are_judged_by_all_their_bytes),
		cmocka_unit_test(it_stops_counting_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
