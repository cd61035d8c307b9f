/* Each limit of the codec at N and at N + 1. */
#include "unit/check.h"

#include "proto/sdp/sdp.h"

#define HEAD "v=0\r\nc=IN IP4 192.0.2.1\r\n"

static struct sdp parsed;
static char text[SDP_BYTES_MAX + 4096];

static int parse(const struct out *o, enum reason *reason)
{
	assert_int_equal(o->err, 0);
	return sdp_parse(out_slice(o), &parsed, reason);
}

static int with_media(unsigned count, enum reason *reason)
{
	struct out o = out_to(text, sizeof(text));

	out_z(&o, HEAD);
	for (unsigned i = 0; i < count; i++)
		out_z(&o, "m=audio 4000 RTP/AVP 0\r\n");
	return parse(&o, reason);
}

static int with_formats(unsigned count, enum reason *reason)
{
	struct out o = out_to(text, sizeof(text));

	out_z(&o, HEAD "m=audio 4000 RTP/AVP");
	for (unsigned i = 0; i < count; i++)
		out_fmt(&o, " %u", i);
	return parse(&o, reason);
}

static int with_lines(unsigned count, enum reason *reason)
{
	struct out o = out_to(text, sizeof(text));

	out_z(&o, "v=0\r\n");
	for (unsigned i = 0; i < count; i++)
		out_z(&o, "a=x\r\n");
	return parse(&o, reason);
}

static int with_bytes(unsigned count, enum reason *reason)
{
	struct out o = out_to(text, sizeof(text));

	out_z(&o, "v=0\r\na=");
	while (o.n < count)
		out_char(&o, 'x');
	return parse(&o, reason);
}

static const struct {
	const char *name;
	int (*run)(unsigned count, enum reason *reason);
	unsigned max;
	enum reason beyond;
} rows[] = {
	{"SDP_MEDIA_MAX", with_media, SDP_MEDIA_MAX, REASON_sdp_media_limit},
	{"SDP_FORMATS_MAX", with_formats, SDP_FORMATS_MAX, REASON_sdp_formats_limit},
	{"SDP_LINES_MAX", with_lines, SDP_LINES_MAX - 1, REASON_sdp_too_long},
	{"SDP_BYTES_MAX", with_bytes, SDP_BYTES_MAX, REASON_sdp_too_long},
};

static void each_limit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		enum reason reason;

		check_int(rows[i].name, rows[i].run(rows[i].max, &reason), 0);
		check_int(rows[i].name, reason, REASON_NONE);
		check_int(rows[i].name, rows[i].run(rows[i].max + 1, &reason), ERR_LIMIT);
		check_int(rows[i].name, reason, rows[i].beyond);
	}
	assert_int_equal(with_media(SDP_MEDIA_MAX + 1, &(enum reason){0}), ERR_LIMIT);
	assert_int_equal(parsed.media_count, SDP_MEDIA_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_limit)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
