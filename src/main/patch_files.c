#include "main/patch_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "main/file_read.h"

#define RULES_PROOF "asterisk.conf" /* what the folder of our rules holds */

struct hearer {
	patch_files_hear hear;
	void *ctx;
};

static void on_error(void *ctx, const char *file, unsigned line, const char *text)
{
	const struct hearer *h = ctx;

	if (h->hear)
		h->hear(h->ctx, file, line, text);
}

/* ---- where the shipped rules are ---- */

static bool is_rules_dir(const char *dir)
{
	char path[CONFIG_PATH_MAX + sizeof(RULES_PROOF) + 1];

	snprintf(path, sizeof(path), "%s/" RULES_PROOF, dir);
	return access(path, R_OK) == 0;
}

/* The folder of the shipped rules. ERR_ABSENT. */
static int shipped_dir(char *out, size_t size)
{
	static const char *const up[] = {"../share/hornwork/rules", "../rules"};
	char exe[CONFIG_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; slash && i < sizeof(up) / sizeof(up[0]); i++) {
		int length = snprintf(out, size, "%s/%s", exe, up[i]);

		if (length > 0 && (size_t)length < size && is_rules_dir(out))
			return 0;
	}
	snprintf(out, size, "%s/rules", HORNWORK_DATADIR);
	return is_rules_dir(out) ? 0 : ERR_ABSENT;
}

/* ---- reading ---- */

static int add_file(struct patch_files *f, const char *path, const struct hearer *h)
{
	struct out o = out_to(f->text, PATCH_TEXT_MAX);
	char why[CONFIG_PATH_MAX + 80];
	char *bytes;
	size_t n;
	int err = file_read(path, &bytes, &n);

	if (err) {
		snprintf(why, sizeof(why), "the file of rules %s cannot be read: %s", path,
			 err_text(err));
		on_error((void *)(uintptr_t)h, NULL, 0, why);
		return ERR_SYNTAX;
	}
	o.n = f->n;
	out_fmt(&o, "file %s\n", path);
	out_bytes(&o, slice_of(bytes, n));
	out_char(&o, '\n');
	mem_free(bytes);
	if (o.err) {
		snprintf(why, sizeof(why), "the rules are longer than %d bytes with %s",
			 PATCH_TEXT_MAX, path);
		on_error((void *)(uintptr_t)h, NULL, 0, why);
		return ERR_SYNTAX;
	}
	f->n = o.n;
	return 0;
}

static int is_rules_file(const struct dirent *e)
{
	struct slice name = slice_z(e->d_name);

	return name.n > 5 && name.p[0] != '.' &&
	       slice_eq(slice_from(name, name.n - 5), SL(".conf"));
}

static int add_shipped(struct patch_files *f, const struct hearer *h)
{
	char dir[CONFIG_PATH_MAX], path[2 * CONFIG_PATH_MAX];
	struct dirent **names = NULL;
	int n = shipped_dir(dir, sizeof(dir)) ? -1 : scandir(dir, &names, is_rules_file, alphasort);
	int err = 0;

	if (n < 0) {
		on_error((void *)(uintptr_t)h, NULL, 0,
			 "the shipped rules are not in " HORNWORK_DATADIR
			 "/rules; install Hornwork again, or write patches { shipped = no }");
		return ERR_SYNTAX;
	}
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (!err)
			err = add_file(f, path, h);
		free(names[i]);
	}
	free(names);
	return err;
}

void patch_files_close(struct patch_files *f)
{
	mem_free(f->text);
	*f = (struct patch_files){0};
}

int patch_files_open(const struct config *c, struct patch_files *out, patch_files_hear hear,
		     void *ctx)
{
	struct hearer h = {hear, ctx};
	struct patch_files f = {mem_zalloc(1, PATCH_TEXT_MAX), 0};
	struct patch_set *set = NULL;
	int err = f.text ? 0 : ERR_NOMEM;

	if (!err && c->patches.shipped)
		err = add_shipped(&f, &h);
	for (size_t i = 0; i < c->patches.file_count && !err; i++) {
		char path[CONFIG_PATH_MAX];

		(void)slice_to_z(c->patches.files[i], path, sizeof(path));
		err = add_file(&f, path, &h);
	}
	if (!err)
		err = patch_files_set(c, slice_of(f.text, f.n), &set, hear, ctx);
	patch_set_free(set);
	if (err) {
		patch_files_close(&f);
		return err;
	}
	*out = f;
	return 0;
}

/* ---- what the configuration says of rules ---- */

static void say_unknown(const struct patch_set *s, struct slice what, const char *where,
			const struct hearer *h)
{
	struct slice near = patch_set_nearest(s, what);
	char text[PATCH_SAID_MAX];

	snprintf(text, sizeof(text), "%s: no rule is called %.*s, or for that CVE%s%.*s%s", where,
		 SLICE_ARGS(slice_first(what, PATCH_NAME_MAX)), near.n ? "; did you mean " : "",
		 SLICE_ARGS(near), near.n ? "?" : "");
	on_error((void *)(uintptr_t)h, NULL, 0, text);
}

/* A misspelt product would switch off every rule for it. */
static int check_products(const struct config *c, const struct patch_set *s, const struct hearer *h)
{
	int err = 0;

	for (size_t i = 0; i < c->pbx_count; i++) {
		struct slice product = slice_z(c->pbxs[i].product), near;
		char text[PATCH_SAID_MAX];

		near = product.n ? patch_set_product_meant(s, product) : product;
		if (near.n == 0)
			continue;
		snprintf(text, sizeof(text),
			 "pbx %s: no rule is for the product %.*s; did you mean %.*s?",
			 c->pbxs[i].name, SLICE_ARGS(product), SLICE_ARGS(near));
		on_error((void *)(uintptr_t)h, NULL, 0, text);
		err = ERR_SYNTAX;
	}
	return err;
}

static int choose(const struct config *c, struct patch_set *s, const struct hearer *h)
{
	int err = 0;

	for (size_t i = 0; i < c->patches.off_count; i++)
		if (!patch_set_off(s, c->patches.off[i])) {
			say_unknown(s, c->patches.off[i], "patches { off }", h);
			err = ERR_SYNTAX;
		}
	for (size_t i = 0; i < c->shield_count; i++)
		for (size_t k = 0; k < c->shields[i].patch_count; k++)
			if (!patch_set_force(s, c->shields[i].patches[k])) {
				say_unknown(s, c->shields[i].patches[k], "shield { patch }", h);
				err = ERR_SYNTAX;
			}
	return err;
}

int patch_files_set(const struct config *c, struct slice text, struct patch_set **out,
		    patch_files_hear hear, void *ctx)
{
	struct hearer h = {hear, ctx};
	const struct patch_listener l = {.ctx = &h, .error = on_error};
	struct patch_set *s;
	int err = patch_set_new(&s);

	if (err)
		return err;
	err = patch_set_read(s, "rules", text, &l);
	if (!err)
		err = choose(c, s, &h);
	if (!err)
		err = check_products(c, s, &h);
	if (err) {
		patch_set_free(s);
		return err;
	}
	*out = s;
	return 0;
}
