/* The map of a text: each byte, at each place, by both ways of making it. */
#include "proto/sip/sip_chars.h"
#include "unit/check.h"

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

static bool in_run(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

static void check_map(const struct sip_map *map, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		size_t word = i / SIP_MAP_BLOCK, bit = i % SIP_MAP_BLOCK;
		unsigned char c = (unsigned char)text.p[i];

		check_int("control", (long long)(map->control[word] >> bit & 1), is_control(c));
		check_int("other", (long long)(map->other[word] >> bit & 1), !in_run(c));
	}
	for (size_t i = text.n; i < map->bytes; i++)
		check_int("behind",
			  (long long)(map->other[i / SIP_MAP_BLOCK] >> i % SIP_MAP_BLOCK & 1), 1);
}

static void each_byte_at_each_place(void **state)
{
	static struct sip_map map, plain;
	static char text[512 + SIP_MAP_BLOCK];

	for (size_t shift = 0; shift < SIP_MAP_BLOCK; shift++) {
		struct slice all = slice_of(text + shift, 512 - shift);

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = (char)(i * 7 + shift);
		sip_map_build(&map, all);
		sip_map_build_plain(&plain, all);
		check_map(&map, all);
		check_int("bytes", (long long)map.bytes, (long long)plain.bytes);
		for (size_t word = 0; word < map.bytes / SIP_MAP_BLOCK; word++) {
			assert_true(map.control[word] == plain.control[word]);
			assert_true(map.other[word] == plain.other[word]);
		}
	}
}

static void next_byte(void **state)
{
	static char text[SIP_MAP_BYTES_MAX + 100];
	static struct sip_map map;
	struct slice all = slice_of(text, sizeof(text));

	memset(text, 'a', sizeof(text));
	text[3] = ':';
	text[200] = ';';
	text[SIP_MAP_BYTES_MAX + 5] = ';';
	sip_map_build(&map, all);
	check_int("mapped", (long long)map.bytes, SIP_MAP_BYTES_MAX);
	check_int("in the block", sip_map_next(&map, text) - text, 3);
	check_int("here", sip_map_next(&map, text + 3) - text, 3);
	check_int("blocks on", sip_map_next(&map, text + 4) - text, 200);
	check_int("to the map's end", sip_map_next(&map, text + 201) - text, SIP_MAP_BYTES_MAX);
	check_int("a run within the map",
		  ch_run_wide(text, ch_bound_in(&map, all), CH_TOKEN) - text, 3);
	check_int("a run beyond the map",
		  ch_run_wide(text + 201, ch_bound_in(&map, all), CH_TOKEN) - text,
		  SIP_MAP_BYTES_MAX + 5);
	check_int("a run up to its bound",
		  ch_run_wide(text + 4, ch_bound_in(&map, slice_first(all, 99)), CH_TOKEN) - text,
		  99);
	check_int("the same without a map",
		  ch_run_wide(text + 201, ch_bound_of(slice_from(all, 201)), CH_TOKEN) - text,
		  SIP_MAP_BYTES_MAX + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_at_each_place),
		cmocka_unit_test(next_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
