/* The map of a text: a bit for each byte, made many bytes at a time. */
#ifndef HW_PROTO_SIP_SIMD_H
#define HW_PROTO_SIP_SIMD_H

#include "base/slice.h"

#define SIP_MAP_BLOCK	  64   /* bytes, as many as bits in a word */
#define SIP_MAP_BYTES_MAX 4096 /* of a text; what is behind is read byte by byte */
#define SIP_MAP_WORDS	  (SIP_MAP_BYTES_MAX / SIP_MAP_BLOCK)

/* Most of a message are runs of letters, digits, '-', '.' and '_', which no grammar of it breaks:
 * who looks for the end of a run asks the map instead of each byte. Bits behind the text say
 * "control" and "other". */
struct sip_map {
	const char *base;
	size_t bytes;			 /* mapped: a multiple of SIP_MAP_BLOCK */
	uint64_t control[SIP_MAP_WORDS]; /* below 0x20, or 0x7f */
	uint64_t other[SIP_MAP_WORDS];	 /* in no such run */
};

/* Maps the first SIP_MAP_BYTES_MAX bytes of the text. The map borrows it. */
void sip_map_build(struct sip_map *map, struct slice text);
/* The same on any processor: for tests, which hold the two against each other. */
void sip_map_build_plain(struct sip_map *map, struct slice text);
/* Makes `control` tell about another part of the text, up to as many bytes; `other` stays. Returns
 * how many words count. */
size_t sip_map_controls(struct sip_map *map, struct slice part);

/* The first byte at p or behind it that is in no run; behind the map, p itself. */
static inline const char *sip_map_next(const struct sip_map *map, const char *p)
{
	size_t at = (size_t)(p - map->base);

	while (at < map->bytes) {
		uint64_t word = map->other[at / SIP_MAP_BLOCK] >> (at % SIP_MAP_BLOCK);

		if (word)
			return map->base + at + __builtin_ctzll(word);
		at = (at / SIP_MAP_BLOCK + 1) * SIP_MAP_BLOCK;
	}
	return map->base + at;
}

#endif
