/* Dialog information that is made to cost much: strangers' bodies are gone through once. The
 * stories of tests/flow/pickup.flow show what becomes of honest ones. */
#include <time.h>

#include "call/cross.h"
#include "unit/check.h"

#define BODY_BYTES 60000
#define GENEROUS_S 10 /* all rows together take some ten milliseconds */
#define ROUNDS	   20

static enum cross_known nobody(const struct cross *x, const struct cross_dialog *in,
			       struct cross_dialog *out)
{
	return CROSS_UNKNOWN;
}

static void repeat(char *to, const char *head, const char *what)
{
	size_t n = strlen(what), at = strlen(head);

	memcpy(to, head, at);
	for (; at + n <= BODY_BYTES; at += n)
		memcpy(to + at, what, n);
	memset(to + at, 'x', BODY_BYTES - at);
}

static void costly_bodies(void **state)
{
	static const struct {
		const char *head, *what;
	} rows[] = {{"", "<"},		{"<dialog ", "<"},	{"", "<dialog "},
		    {"<dialog ", "a="}, {"<dialog ", "a b c "}, {"<dialog ", "a=\"b\" "},
		    {"", "<dialog>"},	{"", "<dialog a='\"'>"}};
	static char body[BODY_BYTES], text[2 * BODY_BYTES];
	const struct side from = {.owner = {.kind = OWNER_PHONES}};
	const struct side to = {.owner = {.kind = OWNER_PBX}};
	const struct cross x = {.from = &from, .to = &to, .map_dialog = nobody};
	time_t began = time(NULL);

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		repeat(body, rows[i].head, rows[i].what);
		for (int k = 0; k < ROUNDS; k++) {
			struct out o = out_to(text, sizeof(text));

			cross_dialog_info(&x, &o, slice_of(body, BODY_BYTES));
			check_int(rows[i].what, o.err, 0);
			check_int(rows[i].what, slice_eq(out_slice(&o), slice_of(body, BODY_BYTES)),
				  1);
		}
	}
	assert_true(time(NULL) - began < GENEROUS_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(costly_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
