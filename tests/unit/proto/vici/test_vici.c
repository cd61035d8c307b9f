/* vici: what is written reads as the same, and what breaks the grammar or a limit is refused. */
#include "unit/check.h"

#include "proto/vici/vici.h"

#define BYTES(text) slice_of(text, sizeof(text) - 1)

static char big[2 * VICI_PACKET_MAX];

/* "{a}x=y[l:i,j]" for section a with its end, a pair and a list. */
static int spell(struct slice message, char *text, size_t size)
{
	struct vici_reader r = vici_reader_of(message);
	struct out o = out_to(text, size - 1);
	struct vici_element e;

	while (vici_next(&r, &e)) {
		static const char *const open[] = {
			[VICI_SECTION_START] = "{", [VICI_SECTION_END] = "}",
			[VICI_KEY_VALUE] = " ",	    [VICI_LIST_START] = "[",
			[VICI_LIST_ITEM] = ",",	    [VICI_LIST_END] = "]",
		};

		out_fmt(&o, "%s%.*s", open[e.kind], SLICE_ARGS(e.name));
		if (e.kind == VICI_KEY_VALUE)
			out_z(&o, "=");
		out_bytes(&o, e.value);
	}
	text[o.n] = '\0';
	return r.c.err;
}

static void what_is_written_is_read(void **state)
{
	char text[256];
	struct out o = out_to(big, sizeof(big));
	size_t start = vici_begin(&o, VICI_REQUEST, SL("load-conn"));
	struct vici_packet p;

	(void)state;
	vici_section(&o, SL("branch"));
	vici_pair(&o, "version", SL("2"));
	vici_list(&o, "remote_addrs");
	vici_item(&o, SL("192.0.2.2"));
	vici_item(&o, SL("2001:db8::2"));
	vici_list_end(&o);
	vici_section(&o, SL("local"));
	vici_pair(&o, "auth", SL("psk"));
	vici_section_end(&o);
	vici_section_end(&o);
	vici_end(&o, start);
	assert_int_equal(o.err, 0);
	assert_int_equal(vici_packet_read(out_slice(&o), &p), (long)o.n);
	assert_int_equal(p.type, VICI_REQUEST);
	check_slice("name", p.name, "load-conn");
	assert_int_equal(spell(p.message, text, sizeof(text)), 0);
	assert_string_equal(text, "{branch version=2[remote_addrs,192.0.2.2,2001:db8::2]{local "
				  "auth=psk}}");
}

/* Wherever the stream is cut, nothing is taken before the packet is whole. */
static void a_packet_comes_in_pieces(void **state)
{
	static const char stream[] = "\0\0\0\1\5\0\0\0\5\7\3log\0\0\0\1\2";
	struct slice whole = BYTES(stream);
	struct vici_packet p;

	(void)state;
	for (size_t n = 0; n < 5; n++)
		assert_int_equal(vici_packet_read(slice_first(whole, n), &p), 0);
	assert_int_equal(vici_packet_read(whole, &p), 5);
	assert_int_equal(p.type, VICI_CONFIRM);
	for (size_t n = 0; n < 9; n++)
		assert_int_equal(vici_packet_read(slice_first(slice_from(whole, 5), n), &p), 0);
	assert_int_equal(vici_packet_read(slice_from(whole, 5), &p), 9);
	assert_int_equal(p.type, VICI_EVENT);
	check_slice("name", p.name, "log");
	assert_int_equal(p.message.n, 0);
}

struct row {
	const char *name;
	const char *bytes;
	size_t n;
	long want;
};

#define ROW(name, text, want)                                                                      \
	{                                                                                          \
		name, text, sizeof(text) - 1, want                                                 \
	}

static void packets(void **state)
{
	static const struct row rows[] = {
		ROW("an empty packet has no type", "\0\0\0\0", ERR_SYNTAX),
		ROW("an unknown type", "\0\0\0\1\10", ERR_SYNTAX),
		ROW("an event without a name", "\0\0\0\1\7", ERR_SYNTAX),
		ROW("a name that ends too early", "\0\0\0\3\7\2a", ERR_SYNTAX),
		ROW("longest: more is to come", "\0\1\0\0\1", 0),
		ROW("longer than the longest", "\0\1\0\1\1", ERR_LIMIT),
		ROW("the longest length that there is", "\377\377\377\377\1", ERR_LIMIT),
	};
	struct vici_packet p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].name, vici_packet_read(slice_of(rows[i].bytes, rows[i].n), &p),
			  rows[i].want);
}

static void messages(void **state)
{
	static const struct row rows[] = {
		ROW("nothing", "", 0),
		ROW("an empty list", "\4\1l\6", 0),
		ROW("sections in each other", "\1\1a\1\1b\2\2", 0),
		ROW("as deep as it goes",
		    "\1\1a\1\1a\1\1a\1\1a\1\1a\1\1a\1\1a\1\1a\2\2\2\2\2\2\2\2", 0),
		ROW("deeper", "\1\1a\1\1a\1\1a\1\1a\1\1a\1\1a\1\1a\1\1a\1\1a\2\2\2\2\2\2\2\2\2",
		    ERR_LIMIT),
		ROW("a section without an end", "\1\1a", ERR_SYNTAX),
		ROW("a list without an end", "\4\1l", ERR_SYNTAX),
		ROW("an end without a section", "\2", ERR_SYNTAX),
		ROW("an end of no list", "\6", ERR_SYNTAX),
		ROW("an item of no list", "\5\0\1a", ERR_SYNTAX),
		ROW("a pair in a list", "\4\1l\3\1k\0\1v\6", ERR_SYNTAX),
		ROW("a list in a list", "\4\1l\4\1l\6\6", ERR_SYNTAX),
		ROW("a section in a list", "\4\1l\1\1a\2\6", ERR_SYNTAX),
		ROW("a section that ends in a list", "\1\1a\4\1l\2\6", ERR_SYNTAX),
		ROW("no such element", "\7", ERR_SYNTAX),
		ROW("zero is no element", "\0", ERR_SYNTAX),
		ROW("a value that ends too early", "\3\1k\0\2v", ERR_SYNTAX),
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].name,
			  spell(slice_of(rows[i].bytes, rows[i].n), text, sizeof(text)),
			  rows[i].want);
}

static void elements_limit(void **state)
{
	struct out o = out_to(big, sizeof(big));
	struct vici_reader r;
	struct vici_element e;
	unsigned n = 0;

	(void)state;
	for (int i = 0; i < VICI_ELEMENTS_MAX; i++)
		vici_pair(&o, "k", SL("v"));
	r = vici_reader_of(out_slice(&o));
	while (vici_next(&r, &e))
		n++;
	assert_int_equal(r.c.err, 0);
	assert_int_equal(n, VICI_ELEMENTS_MAX);
	vici_pair(&o, "k", SL("v"));
	r = vici_reader_of(out_slice(&o));
	while (vici_next(&r, &e))
		;
	assert_int_equal(r.c.err, ERR_LIMIT);
}

static void what_is_too_long_is_not_written(void **state)
{
	static char long_name[VICI_NAME_MAX + 2], value[VICI_VALUE_MAX + 1];
	struct out o = out_to(big, sizeof(big));
	size_t start;

	(void)state;
	memset(long_name, 'n', VICI_NAME_MAX);
	vici_pair(&o, long_name, slice_of(value, VICI_VALUE_MAX));
	assert_int_equal(o.err, 0);
	long_name[VICI_NAME_MAX] = 'n';
	vici_section(&o, slice_z(long_name));
	assert_int_equal(o.err, ERR_SPACE);
	o = out_to(big, sizeof(big));
	vici_item(&o, slice_of(value, VICI_VALUE_MAX + 1));
	assert_int_equal(o.err, ERR_SPACE);
	o = out_to(big, sizeof(big));
	start = vici_begin(&o, VICI_REQUEST, SL("x"));
	while (o.n < VICI_PACKET_MAX)
		vici_item(&o, SL("0123456789abcdef"));
	vici_end(&o, start);
	while (o.n <= VICI_PACKET_MAX + VICI_HEAD_BYTES)
		vici_item(&o, SL("0123456789abcdef"));
	vici_end(&o, start);
	assert_int_equal(o.err, ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_packet_comes_in_pieces),
		cmocka_unit_test(packets),
		cmocka_unit_test(messages),
		cmocka_unit_test(elements_limit),
		cmocka_unit_test(what_is_too_long_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
