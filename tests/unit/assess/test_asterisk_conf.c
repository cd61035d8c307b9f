/* Asterisk's configuration: comments, includes within limits, templates. */
#include "assess/checks/asterisk_conf.h"
#include "base/mem.h"
#include "unit/check.h"
#include "unit/failing_alloc.h"

struct file {
	const char *path, *text; /* text NULL: it is there, and may not be read */
};

static int read_file(void *ctx, const char *path, char **out_text, size_t *out_bytes)
{
	for (const struct file *f = ctx; f->path; f++) {
		if (strcmp(f->path, path) != 0)
			continue;
		if (!f->text)
			return ERR_ABSENT;
		*out_text = mem_strndup(f->text, strlen(f->text));
		*out_bytes = strlen(f->text);
		return *out_text ? 0 : ERR_NOMEM;
	}
	return ERR_ABSENT;
}

/* A pattern ends in "*.conf" at most. */
static int list_files(void *ctx, const char *pattern, char **out_text)
{
	size_t head = slice_find(slice_z(pattern), '*');
	char text[8192];
	size_t n = 0;

	for (const struct file *f = ctx; f->path; f++)
		if (pattern[head] ? strncmp(f->path, pattern, head) == 0
				  : strcmp(f->path, pattern) == 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", f->path);
	*out_text = mem_strndup(text, n);
	return *out_text ? 0 : ERR_NOMEM;
}

static int read_all(struct asterisk_conf *c, const struct file *files, const char *name)
{
	union {
		const struct file *in;
		void *ctx;
	} u = {files};
	struct asterisk_files from = {u.ctx, read_file, list_files};

	return asterisk_read(c, &from, name);
}

/* "section/key=value" of each line, a space behind each. */
static void text_of(const struct asterisk_conf *c, char *to, size_t size)
{
	struct asterisk_line line = {0};
	size_t n = 0;

	*to = '\0';
	while (asterisk_next(c, &line))
		n += (size_t)snprintf(to + n, size - n, "%.*s/%.*s=%.*s ", SLICE_ARGS(line.section),
				      SLICE_ARGS(line.key), SLICE_ARGS(line.value));
}

#define A "/etc/asterisk/"

struct row {
	const char *name, *text, *want;
};

static const struct row rows[] = {
	{"plain", "[a]\nk = v\n x=>y \n", "a/k=v a/x=y "},
	{"comments", "; [no]\n[a] ; of it\nk = v ; t\n;k = w\nl = 1\\;2\n", "a/k=v a/l=1;2 "},
	{"block comment", "[a]\nk = 1\n;-- from here\nk = 2\n--; to here\nj = 3\n", "a/k=1 a/j=3 "},
	{"within a line", "[a]\nk = 1;-- x --;2\n", "a/k=12 "},
	{"a rule of hyphens is no block", "[a]\n;-----\nk = 1\n", "a/k=1 "},
	{"template", "[t](!)\nk = 1\n[a](t)\nl = 2\n", "a/k=1 a/l=2 "},
	{"templates of templates", "[t](!)\nk=1\n[u](!,t)\nl=2\n[a](u)\n", "a/k=1 a/l=2 "},
	{"two bases", "[t](!)\nk=1\n[u](!)\nl=2\n[a](t,u)\nm=3\n", "a/k=1 a/l=2 a/m=3 "},
	{"added later", "[a]\nk=1\n[b]\nx=1\n[a](+)\nl=2\n", "a/k=1 a/l=2 b/x=1 "},
	{"an unknown base", "[a](nobody)\nk=1\n", "a/k=1 "},
	{"appended", "[a]\nk=1\nk += 2\n", "a/k=1 a/k=2 "},
	{"included", "[a]\n#include sub.conf\nk=2\n", "a/in=1 a/k=2 s/z=9 "},
	{"quoted", "[a]\n#include \"sub.conf\"\n", "a/in=1 s/z=9 "},
	{"by its whole path", "[a]\n#include </etc/asterisk/sub.conf>\n", "a/in=1 s/z=9 "},
	{"by a pattern", "#include d/*.conf\n", "one/k=1 two/k=2 "},
	{"a pattern for nothing", "#include none/*.conf\n[a]\nk=1\n", "a/k=1 "},
	{"tried, and not there", "#tryinclude none.conf\n[a]\nk=1\n", "a/k=1 "},
	{"a template from elsewhere", "#include templates.conf\n[a](t)\n", "a/secret=x "},
};

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct file files[] = {{A "main.conf", rows[i].text},
					     {A "sub.conf", "in = 1\n[s]\nz=9\n"},
					     {A "d/1.conf", "[one]\nk=1\n"},
					     {A "d/2.conf", "[two]\nk=2\n"},
					     {A "templates.conf", "[t](!)\nsecret=x\n"},
					     {0}};
		struct asterisk_conf c;
		char got[512];

		check_int(rows[i].name, read_all(&c, files, "main.conf"), 0);
		text_of(&c, got, sizeof(got));
		check_slice(rows[i].name, slice_z(got), rows[i].want);
		check_slice(rows[i].name, slice_z(c.gap), "");
		asterisk_done(&c);
	}
}

static const struct row gaps[] = {
	{"a command", "[a]\n#exec /usr/bin/users\n", "#exec"},
	{"not there", "#include none.conf\n", "is not there"},
	{"not readable", "#include secret.conf\n", "cannot be read"},
	{"tried, not readable", "#tryinclude secret.conf\n", "cannot be read"},
	{"outside", "#include /etc/passwd\n", "outside"},
	{"upwards", "#include ../passwd\n", "outside"},
	{"upwards within", "#include /etc/asterisk/../passwd\n", "outside"},
	{"for a shell", "#include $(reboot)\n", "odd name"},
	{"of itself", "#include main.conf\n", "includes deep"},
};

static void what_cannot_be_followed_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(gaps); i++) {
		const struct file files[] = {
			{A "main.conf", gaps[i].text}, {A "secret.conf", NULL}, {0}};
		struct asterisk_conf c;

		check_int(gaps[i].name, read_all(&c, files, "main.conf"), 0);
		if (!strstr(c.gap, gaps[i].want))
			fail_msg("%s: got \"%s\"", gaps[i].name, c.gap);
		asterisk_done(&c);
	}
}

static void limits(void **state)
{
	struct file files[ASTERISK_FILES_MAX + 2] = {{A "main.conf", "#include d*\n"}};
	static char names[ASTERISK_FILES_MAX][32];
	struct asterisk_conf c;
	char *long_text;

	(void)state;
	for (size_t i = 0; i < ASTERISK_FILES_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), A "d%zu.conf", i);
		files[i + 1] = (struct file){names[i], "[a]\n"};
	}
	check_int("one file too many", read_all(&c, files, "main.conf"), ERR_LIMIT);
	files[ASTERISK_FILES_MAX] = (struct file){0};
	check_int("as many as may be", read_all(&c, files, "main.conf"), 0);
	asterisk_done(&c);
	long_text = mem_zalloc(1, ASTERISK_TEXT_MAX + 2);
	assert_non_null(long_text);
	memset(long_text, ';', ASTERISK_TEXT_MAX);
	files[0].text = long_text;
	check_int("as long as may be", read_all(&c, files, "main.conf"), 0);
	asterisk_done(&c);
	long_text[ASTERISK_TEXT_MAX] = ';';
	check_int("a byte too long", read_all(&c, files, "main.conf"), ERR_LIMIT);
	mem_free(long_text);
	check_int("no file", read_all(&c, files, "none.conf"), ERR_ABSENT);
}

static int read_some(void *context)
{
	const struct file files[] = {{A "main.conf", "[t](!)\nk=1\n#include sub.conf\n[a](t)\n"},
				     {A "sub.conf", "[s]\nz=9\n"},
				     {0}};
	struct asterisk_conf c;
	int err = read_all(&c, files, "main.conf");

	(void)context;
	if (!err)
		asterisk_done(&c);
	return err;
}

static void each_request_may_fail(void **state)
{
	(void)state;
	assert_true(failing_alloc_each(read_some, NULL) > 3);
}

static void values(void **state)
{
	const struct file files[] = {
		{A "main.conf", "[General]\nEnabled = Off\n[x]\nenabled = yes\n"}, {0}};
	struct asterisk_conf c;

	(void)state;
	check_int("read", read_all(&c, files, "main.conf"), 0);
	check_slice("value", asterisk_value(&c, "general", "enabled"), "Off");
	check_slice("not set", asterisk_value(&c, "general", "port"), "");
	assert_true(asterisk_is_no(asterisk_value(&c, "general", "enabled")));
	assert_true(asterisk_lists(SL("call, command"), "command"));
	assert_false(asterisk_lists(SL("call, commands"), "command"));
	asterisk_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row), cmocka_unit_test(what_cannot_be_followed_is_told),
		cmocka_unit_test(limits),   cmocka_unit_test(each_request_may_fail),
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
