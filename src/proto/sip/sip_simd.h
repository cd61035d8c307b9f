/* Sixty-four bytes at a time: which of them are control bytes. */
#ifndef HW_PROTO_SIP_SIMD_H
#define HW_PROTO_SIP_SIMD_H

#include <stdint.h>

#define SIMD_BLOCK 64 /* bytes */

#ifdef __SSE2__
#include <emmintrin.h>

static inline uint64_t simd_controls16(const char *p)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
	__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));

	return (uint16_t)_mm_movemask_epi8(_mm_or_si128(low, del));
}

/* Bit i: p[i] is below 0x20 or is 0x7f. Reads SIMD_BLOCK bytes. */
static inline uint64_t simd_controls(const char *p)
{
	return simd_controls16(p) | simd_controls16(p + 16) << 16 | simd_controls16(p + 32) << 32 |
	       simd_controls16(p + 48) << 48;
}
#else
static inline uint64_t simd_controls(const char *p)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < SIMD_BLOCK; i++)
		mask |= (uint64_t)((unsigned char)p[i] < 0x20 || p[i] == 0x7f) << i;
	return mask;
}
#endif

#endif
