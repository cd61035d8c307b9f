#include "proto/sip/sip_simd.h"

struct bits {
	uint64_t control;
	uint64_t other;
};

#ifdef __x86_64__
#include <immintrin.h>

/* A byte's class is what its two halves have in common: `low[byte & 15] & high[byte >> 4]`. Bit 7
 * is "control", each other bit one group of bytes that are in runs. */
#define CONTROL	 ((char)0x80) /* 0x00 to 0x1f */
#define DELETE	 0x40	      /* 0x7f, found as the control byte it is */
#define UP_TO_9	 0x01	      /* 0 to 9 */
#define MARKS	 0x02	      /* '-' '.' */
#define A_TO_O	 0x04	      /* and a to o: low half 1 to 15 */
#define P_TO_Z	 0x08	      /* and p to z: low half 0 to 10 */
#define LOW_LINE 0x10	      /* '_' */
#define RUNS	 (UP_TO_9 | MARKS | A_TO_O | P_TO_Z | LOW_LINE)

#define LOW_HALF                                                                                   \
	(char)(CONTROL | UP_TO_9 | P_TO_Z), (char)(CONTROL | UP_TO_9 | A_TO_O | P_TO_Z),           \
		(char)(CONTROL | UP_TO_9 | A_TO_O | P_TO_Z),                                       \
		(char)(CONTROL | UP_TO_9 | A_TO_O | P_TO_Z),                                       \
		(char)(CONTROL | UP_TO_9 | A_TO_O | P_TO_Z),                                       \
		(char)(CONTROL | UP_TO_9 | A_TO_O | P_TO_Z),                                       \
		(char)(CONTROL | UP_TO_9 | A_TO_O | P_TO_Z),                                       \
		(char)(CONTROL | UP_TO_9 | A_TO_O | P_TO_Z),                                       \
		(char)(CONTROL | UP_TO_9 | A_TO_O | P_TO_Z),                                       \
		(char)(CONTROL | UP_TO_9 | A_TO_O | P_TO_Z), (char)(CONTROL | A_TO_O | P_TO_Z),    \
		(char)(CONTROL | A_TO_O), (char)(CONTROL | A_TO_O),                                \
		(char)(CONTROL | MARKS | A_TO_O), (char)(CONTROL | MARKS | A_TO_O),                \
		(char)(CONTROL | A_TO_O | LOW_LINE | DELETE)
#define HIGH_HALF                                                                                  \
	CONTROL, CONTROL, MARKS, UP_TO_9, A_TO_O, P_TO_Z | LOW_LINE, A_TO_O, P_TO_Z | DELETE, 0,   \
		0, 0, 0, 0, 0, 0, 0

__attribute__((target("avx2"))) static inline struct bits half_avx2(const char *p)
{
	const __m256i low = _mm256_setr_epi8(LOW_HALF, LOW_HALF);
	const __m256i high = _mm256_setr_epi8(HIGH_HALF, HIGH_HALF);
	const __m256i nibble = _mm256_set1_epi8(15);
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
	__m256i class = _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble)),
					 _mm256_shuffle_epi8(high, upper));
	/* DELETE moves into the sign bit, where CONTROL is. */
	__m256i control = _mm256_or_si256(class, _mm256_add_epi8(class, class));
	__m256i run = _mm256_and_si256(class, _mm256_set1_epi8(RUNS));

	return (struct bits){
		.control = (uint32_t)_mm256_movemask_epi8(control),
		.other = (uint32_t)_mm256_movemask_epi8(
			_mm256_cmpeq_epi8(run, _mm256_setzero_si256())),
	};
}

__attribute__((target("avx2"))) static void blocks_avx2(const char *p, size_t count,
							uint64_t *control, uint64_t *other)
{
	for (size_t i = 0; i < count; i++, p += SIP_MAP_BLOCK) {
		struct bits a = half_avx2(p), b = half_avx2(p + SIP_MAP_BLOCK / 2);

		control[i] = a.control | b.control << 32;
		other[i] = a.other | b.other << 32;
	}
}

static bool have_avx2(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}
#else
static void blocks_avx2(const char *p, size_t count, uint64_t *control, uint64_t *other)
{
}

static bool have_avx2(void)
{
	return false;
}
#endif

static struct bits block_bits(const char *p)
{
	struct bits bits = {0, 0};

	for (unsigned i = 0; i < SIP_MAP_BLOCK; i++) {
		unsigned char byte = (unsigned char)p[i];
		unsigned char lower = byte | 0x20;
		uint64_t control = byte < 0x20 || byte == 0x7f;
		uint64_t run = (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
			       byte == '-' || byte == '.' || byte == '_';

		bits.control |= control << i;
		bits.other |= (run ^ 1) << i;
	}
	return bits;
}

/* Any processor. */
static void blocks_plain(const char *p, size_t count, uint64_t *control, uint64_t *other)
{
	for (size_t i = 0; i < count; i++, p += SIP_MAP_BLOCK) {
		struct bits bits = block_bits(p);

		control[i] = bits.control;
		other[i] = bits.other;
	}
}

enum way { ANY_PROCESSOR, THIS_PROCESSOR };

static void blocks(enum way way, const char *p, size_t count, uint64_t *control, uint64_t *other)
{
	if (way == THIS_PROCESSOR && have_avx2())
		blocks_avx2(p, count, control, other);
	else
		blocks_plain(p, count, control, other);
}

/* The last block is filled up with control bytes. Returns the number of words. */
static size_t text_bits(enum way way, struct slice text, uint64_t *control, uint64_t *other)
{
	size_t n = text.n < SIP_MAP_BYTES_MAX ? text.n : SIP_MAP_BYTES_MAX;
	size_t whole = n / SIP_MAP_BLOCK, tail = n % SIP_MAP_BLOCK;
	char padded[SIP_MAP_BLOCK];

	blocks(way, text.p, whole, control, other);
	if (tail == 0)
		return whole;
	memset(padded, 0, sizeof(padded));
	memcpy(padded, text.p + whole * SIP_MAP_BLOCK, tail);
	blocks(way, padded, 1, control + whole, other + whole);
	return whole + 1;
}

static void map_build(enum way way, struct sip_map *map, struct slice text)
{
	map->base = text.p;
	map->bytes = text_bits(way, text, map->control, map->other) * SIP_MAP_BLOCK;
}

void sip_map_build(struct sip_map *map, struct slice text)
{
	map_build(THIS_PROCESSOR, map, text);
}

void sip_map_build_plain(struct sip_map *map, struct slice text)
{
	map_build(ANY_PROCESSOR, map, text);
}

size_t sip_map_controls(struct sip_map *map, struct slice part)
{
	uint64_t other[SIP_MAP_WORDS];

	return text_bits(THIS_PROCESSOR, part, map->control, other);
}
