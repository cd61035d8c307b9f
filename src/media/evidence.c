#include "media/evidence.h"

#define VALUES	  256
#define TOTAL_MAX 60000u
#define CHI_LIMIT 450 /* mean 255, deviation 22.6: more than eight deviations */

/* The number of different values among n uniform bytes has this mean; its deviation is at most
 * sqrt(n) / 4 and stays below 6. Seven deviations below it. */
static unsigned distinct_floor(size_t n)
{
	double mean = VALUES, missing = 1, deviation = n < 576 ? 6 : 4;

	for (size_t i = 0; i < n; i++)
		missing *= 255.0 / VALUES;
	mean -= VALUES * missing;
	if (n < 128)
		deviation = 4;
	return mean > 7 * deviation ? (unsigned)(mean - 7 * deviation) : 0;
}

bool evidence_packet_clear(struct slice payload)
{
	uint64_t seen[VALUES / 64] = {0};
	unsigned distinct = 0;

	if (payload.n < EVIDENCE_PACKET_MIN)
		return false;
	for (size_t i = 0; i < payload.n; i++) {
		uint8_t value = (uint8_t)payload.p[i];

		seen[value / 64] |= 1ull << value % 64;
	}
	for (size_t i = 0; i < VALUES / 64; i++)
		distinct += (unsigned)__builtin_popcountll(seen[i]);
	return distinct < distinct_floor(payload.n);
}

void evidence_add(struct evidence *e, struct slice payload)
{
	for (size_t i = 0; i < payload.n && e->total < TOTAL_MAX; i++, e->total++)
		e->seen[(uint8_t)payload.p[i]]++;
}

enum evidence_verdict evidence_verdict(const struct evidence *e)
{
	double mean = (double)e->total / VALUES, sum = 0;

	if (e->total < EVIDENCE_STREAM_MIN)
		return EVIDENCE_UNKNOWN;
	for (size_t i = 0; i < VALUES; i++) {
		double off = (double)e->seen[i] - mean;

		sum += off * off / mean;
	}
	return sum > CHI_LIMIT ? EVIDENCE_CLEAR : EVIDENCE_ENCRYPTED;
}

const char *evidence_text(enum evidence_verdict v)
{
	static const char *const texts[] = {"unknown", "clear", "encrypted"};

	return texts[v];
}
