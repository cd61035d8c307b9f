/* Virtual patches: whatever the file of rules, it is read within its bounds or refused; whatever
 * the message, it is judged, and what the file's own proofs promise holds. The input is a file of
 * rules, and behind a line "----" a message; without that line it is a message for rules of ours.
 */
#include <stdlib.h>

#include "patch/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char usual[] =
	"patch a {\n about = x\n cve = CVE-2018-7284\n product = asterisk\n action = reject 400\n"
	" match = Accept values > 32\n"
	" attack\n | INVITE sip:a SIP/2.0\n | Accept: \\{33:a,}a\n |\n"
	" neighbour\n | INVITE sip:a SIP/2.0\n |\n}\n"
	"patch b {\n about = x\n action = drop\n match = head ~ /^(a+)+$/m\n match = body bytes > "
	"2\n"
	" attack\n | INVITE sip:a SIP/2.0\n | aa\n |\n | body\n neighbour\n | INVITE sip:a "
	"SIP/2.0\n "
	"|\n}\n"
	"patch c {\n about = x\n status = 200-299\n match = To number < 7\n match = Via lines = 1\n"
	" attack\n | SIP/2.0 200 OK\n | To: 1\n | Via: x\n |\n neighbour\n | SIP/2.0 200 OK\n "
	"|\n}\n";

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static void on_error(void *ctx, const char *file, unsigned line, const char *text)
{
	unsigned *errors = ctx;

	expect(file && text && strlen(text) < PATCH_SAID_MAX);
	(void)line;
	(*errors)++;
}

/* Switching rules off and on again does not change what a message is held against. */
static void judge(struct patch_set *s, struct slice message)
{
	const struct patch_target_of targets[] = {
		{0}, {.product = SL("asterisk"), .identity_kept = true}, {.phones = true}};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		const struct patch *p = patch_set_find(s, message, &targets[i]);
		char text[1024];
		struct out o = out_to(text, sizeof(text));

		if (!p)
			continue;
		expect(!p->off && p->hits > 0);
		patch_write_name(&o, p);
		expect(slice_starts(out_slice(&o), p->name));
		expect(patch_set_find(s, message, &targets[i]) == p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size), rules = SL(usual);
	size_t mark = slice_find_slice(in, SL("\n----\n"));
	struct patch_set *s;
	unsigned errors = 0;
	const struct patch_listener l = {.ctx = &errors, .error = on_error};
	int err;

	if (mark < in.n) {
		rules = slice_first(in, mark);
		in = slice_from(in, mark + 6);
	}
	if (rules.n > PATCH_TEXT_MAX || patch_set_new(&s))
		return 0;
	err = patch_set_read(s, "fuzz", rules, &l);
	expect((err == ERR_SYNTAX) == (errors > 0) || err == ERR_NOMEM);
	if (!err)
		judge(s, in);
	patch_set_free(s);
	return 0;
}
