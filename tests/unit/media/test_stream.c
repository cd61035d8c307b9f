#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "media/limits.h"
#include "media/stream.h"

#define PACKET_NS     20000000ull /* 20 ms of G.711 */
#define START_NS      1000000000ull
#define SSRC	      0xcafe
#define SEQUENCE_MAX  16
#define MODEL_PACKETS 200000

static const struct {
	const char *name;
	int seq[SEQUENCE_MAX]; /* ends with -1 */
	uint32_t lost, reordered, duplicate, expected;
} sequences[] = {
	{"one packet", {7, -1}, 0, 0, 0, 1},
	{"in order", {1, 2, 3, 4, -1}, 0, 0, 0, 4},
	{"one lost", {1, 2, 4, -1}, 1, 0, 0, 4},
	{"two lost", {1, 4, -1}, 2, 0, 0, 4},
	{"late is not lost", {1, 3, 2, 4, -1}, 0, 1, 0, 4},
	{"duplicate of the newest", {1, 2, 2, 3, -1}, 0, 0, 1, 3},
	{"duplicate of an older one", {1, 2, 3, 1, -1}, 0, 0, 1, 3},
	{"duplicate hides no loss", {1, 1, 3, -1}, 1, 0, 1, 3},
	{"late before the first", {5, 3, 6, -1}, 1, 1, 0, 4},
	{"wraps", {65534, 65535, 0, 1, -1}, 0, 0, 0, 4},
	{"loss across the wrap", {65534, 1, -1}, 2, 0, 0, 4},
	{"late across the wrap", {65534, 0, 65535, 1, -1}, 0, 1, 0, 4},
	{"first is zero, late one before", {0, 65535, 1, -1}, 0, 1, 0, 3},
	{"largest step that is loss", {1, 3000, -1}, 2998, 0, 0, 3000},
	{"a stray far ahead is not believed", {1, 2, 30000, 3, -1}, 0, 0, 0, 3},
	{"two in a row far ahead: a restart", {1, 2, 30000, 30001, 30002, -1}, 0, 0, 0, 5},
	{"restart keeps what was lost", {1, 3, 30000, 30001, -1}, 1, 0, 0, 5},
	{"two strays apart are no restart", {1, 2, 30000, 40000, 3, -1}, 0, 0, 0, 3},
	{"a stray far behind is not believed", {30000, 30001, 100, 30002, -1}, 0, 0, 0, 3},
};

static struct hw_stream play(const int *seq)
{
	struct hw_stream s = {0};

	for (unsigned i = 0; seq[i] >= 0; i++) {
		struct rtp_header h = {.seq = (uint16_t)seq[i], .ssrc = SSRC, .timestamp = 160 * i};

		stream_on_rtp(&s, &h, 172, START_NS + i * PACKET_NS, 8);
	}
	return s;
}

static void sequence_3550_a1_a3(void **state)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		struct hw_stream s = play(sequences[i].seq);

		if (stream_lost(&s) != sequences[i].lost || s.reordered != sequences[i].reordered ||
		    s.duplicate != sequences[i].duplicate ||
		    stream_expected(&s) != sequences[i].expected)
			fail_msg("%s: lost %u reordered %u duplicate %u expected %u",
				 sequences[i].name, stream_lost(&s), s.reordered, s.duplicate,
				 stream_expected(&s));
	}
}

static void long_run_wraps_often(void **state)
{
	struct hw_stream s = {0};
	uint32_t sent_lost = 0;

	for (uint32_t i = 0; i < 300000; i++) {
		struct rtp_header h = {.seq = (uint16_t)i, .ssrc = SSRC, .timestamp = 160 * i};

		if (i % 1000 == 500) {
			sent_lost++;
			continue;
		}
		stream_on_rtp(&s, &h, 172, START_NS + i * PACKET_NS, 8);
	}
	assert_int_equal(stream_lost(&s), sent_lost);
	assert_int_equal(stream_expected(&s), 300000);
	assert_int_equal(s.packets, 300000 - sent_lost);
	assert_int_equal(s.bytes, s.packets * 172);
	assert_int_equal(s.reordered + s.duplicate + s.ssrc_changes, 0);
	assert_int_equal(stream_jitter_us(&s, 8), 0);
}

static void ssrc_change_keeps_totals(void **state)
{
	struct hw_stream s = play((const int[]){1, 2, 4, -1});
	struct rtp_header h = {.seq = 60000, .ssrc = SSRC + 1, .timestamp = 12345678};

	stream_on_rtp(&s, &h, 172, START_NS + 4 * PACKET_NS, 8);
	assert_int_equal(stream_lost(&s), 1);
	h.seq += 3;
	h.timestamp += 480;
	stream_on_rtp(&s, &h, 172, START_NS + 7 * PACKET_NS, 8);
	assert_int_equal(stream_lost(&s), 3);
	assert_int_equal(s.ssrc, SSRC + 1);
	assert_int_equal(s.ssrc_changes, 1);
	assert_int_equal(s.packets, 5);
	assert_int_equal(stream_expected(&s), 8);
	assert_int_equal(stream_jitter_us(&s, 8), 0);
}

/* Packets that come 5 ms late and 5 ms early in turn: |D| is 10 ms, the mean goes there. */
static void jitter_3550_a8(void **state)
{
	struct hw_stream s = {0};

	for (uint32_t i = 0; i < 500; i++) {
		struct rtp_header h = {.seq = (uint16_t)i, .ssrc = SSRC, .timestamp = 160 * i};
		uint64_t shift_ns = i % 2 ? 10000000 : 0;

		stream_on_rtp(&s, &h, 172, START_NS + i * PACKET_NS + shift_ns, 8);
	}
	assert_in_range(stream_jitter_us(&s, 8), 9500, 10500);
	assert_int_equal(stream_jitter_us(&s, 0), 0);
}

static void one_timestamp_is_no_jitter(void **state)
{
	struct hw_stream s = {0};

	for (uint32_t i = 0; i < 50; i++) {
		struct rtp_header h = {.seq = (uint16_t)i, .ssrc = SSRC, .timestamp = 4000};

		stream_on_rtp(&s, &h, 20, START_NS + i * PACKET_NS, 8);
	}
	assert_int_equal(stream_jitter_us(&s, 8), 0);
}

static void absurd_timestamps_stay_in_bounds(void **state)
{
	struct hw_stream s = {0};

	for (uint32_t i = 0; i < 1000; i++) {
		struct rtp_header h = {
			.seq = (uint16_t)i, .ssrc = SSRC, .timestamp = i % 2 ? 0x7fffffff : 0};

		stream_on_rtp(&s, &h, 20, START_NS + i * PACKET_NS, 8);
	}
	assert_in_range(s.jitter_q4, 0, 16ull * STREAM_JITTER_STEP_MAX + 16);
}

static void gaps_and_others(void **state)
{
	struct hw_stream s = play((const int[]){1, 2, -1});
	struct rtp_header h = {.seq = 3, .ssrc = SSRC, .timestamp = 320};
	uint64_t last_ns = START_NS + PACKET_NS;

	stream_on_rtp(&s, &h, 172, last_ns + STREAM_GAP_NS, 8);
	assert_int_equal(s.gaps, 0);
	h.seq++;
	stream_on_rtp(&s, &h, 172, last_ns + 2 * STREAM_GAP_NS + 1, 8);
	assert_int_equal(s.gaps, 1);
	stream_on_control(&s, last_ns + 3 * STREAM_GAP_NS);
	assert_int_equal(s.control_packets, 1);
	assert_int_equal(s.packets, 4);
	assert_int_equal(s.last_seen_ns, last_ns + 3 * STREAM_GAP_NS);
	s = (struct hw_stream){0};
	stream_on_raw(&s, 99, START_NS);
	assert_int_equal(s.packets, 1);
	assert_int_equal(s.bytes, 99);
	assert_int_equal(stream_lost(&s) + stream_expected(&s), 0);
}

/* What a simple bookkeeper with unlimited memory says of the same packets. */
struct naive {
	bool came[MODEL_PACKETS];
	uint32_t first, last, unique, duplicate, reordered;
};

static void naive_take(struct naive *n, uint32_t number)
{
	if (n->unique == 0)
		n->first = n->last = number;
	if (n->came[number]) {
		n->duplicate++;
		return;
	}
	n->came[number] = true;
	n->unique++;
	if (number < n->last)
		n->reordered++;
	n->last = number > n->last ? number : n->last;
	n->first = number < n->first ? number : n->first;
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

/* Loses, doubles and delays packets by up to 40, over several wraps of the numbers. */
static void against_the_naive_model(void **state)
{
	static struct naive model;

	for (uint32_t seed = 1; seed <= 8; seed++) {
		struct hw_stream s = {0};
		uint32_t random = seed;

		memset(&model, 0, sizeof(model));
		for (uint32_t i = 50; i < MODEL_PACKETS; i++) {
			uint32_t dice = next_random(&random) % 100;
			uint32_t number = dice < 5 ? i - next_random(&random) % 40 : i;
			struct rtp_header h = {.seq = (uint16_t)(number + 65000), .ssrc = SSRC};

			if (dice >= 95)
				continue;
			stream_on_rtp(&s, &h, 172, START_NS + i * PACKET_NS, 8);
			naive_take(&model, number);
		}
		assert_int_equal(s.duplicate, model.duplicate);
		assert_int_equal(s.reordered, model.reordered);
		assert_int_equal(stream_expected(&s), model.last - model.first + 1);
		assert_int_equal(stream_lost(&s), model.last - model.first + 1 - model.unique);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequence_3550_a1_a3),
		cmocka_unit_test(long_run_wraps_often),
		cmocka_unit_test(against_the_naive_model),
		cmocka_unit_test(ssrc_change_keeps_totals),
		cmocka_unit_test(jitter_3550_a8),
		cmocka_unit_test(one_timestamp_is_no_jitter),
		cmocka_unit_test(absurd_timestamps_stay_in_bounds),
		cmocka_unit_test(gaps_and_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
