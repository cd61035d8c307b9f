#include "media/evidence.h"

#define VALUES	  256
#define TOTAL_MAX 60000u
#define CHI_LIMIT 450 /* mean 255, deviation 22.6: more than eight deviations */

/* How many different values uniform bytes have at least, seven deviations below the mean: for 16 *
 * i of them the mean is 256 - 256 * (255/256)^n, the variance 256 * p + 65280 * (254/256)^n - (256
 * * p)^2 with p = (255/256)^n. */
static const uint8_t distinct_floor[] = {
	0,   10,  21,  31,  40,	 49,  58,  66,	74,  82,  89,  96,  103, 109, 115, 121,
	127, 132, 137, 142, 147, 151, 155, 159, 163, 167, 171, 174, 177, 181, 184, 186,
	189, 192, 194, 197, 199, 201, 204, 206, 208, 209, 211, 213, 215, 216, 218, 219,
	221, 222, 223, 224, 226, 227, 228, 229, 230, 231, 232, 233, 233, 234, 235, 236};
#define FLOORS (sizeof(distinct_floor) / sizeof(distinct_floor[0]))

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
	return distinct < distinct_floor[payload.n / 16 < FLOORS ? payload.n / 16 : FLOORS - 1];
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
