#include "assess/checks/factory.h"

#include <jansson.h>
#include <stdio.h>

#define LINE_BYTES_MAX 8192
#define PATH_BYTES_MAX 512

/* ---- does it fit? ---- */

static bool is_word(char c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* The next run of letters, digits and hyphens. */
static struct slice next_word(struct slice *rest)
{
	size_t from = 0, n = 0;
	struct slice word;

	while (from < rest->n && !is_word(rest->p[from]))
		from++;
	while (from + n < rest->n && is_word(rest->p[from + n]))
		n++;
	word = slice_of(rest->p + from, n);
	*rest = slice_from(*rest, from + n);
	return word;
}

/* A pattern's 'x' behind a digit or a letter of a model is any digit: "T2x", "GRP26xx". */
static bool matches_at(struct slice pattern, struct slice text)
{
	if (pattern.n > text.n)
		return false;
	for (size_t i = 0; i < pattern.n; i++) {
		char p = ascii_lower(pattern.p[i]), c = ascii_lower(text.p[i]);

		if (p == 'x' && i > 0 && ascii_is_digit(c))
			continue;
		if (p != c)
			return false;
	}
	/* "T20" is not "T200". */
	if (text.n == pattern.n || !ascii_is_digit(text.p[pattern.n]))
		return true;
	return !ascii_is_digit(pattern.p[pattern.n - 1]) &&
	       ascii_lower(pattern.p[pattern.n - 1]) != 'x';
}

static bool stands_in(struct slice pattern, struct slice product)
{
	for (size_t at = 0; at < product.n; at++)
		if ((at == 0 || !is_word(product.p[at - 1]) || product.p[at - 1] == '-') &&
		    matches_at(pattern, slice_from(product, at)))
			return true;
	return false;
}

/* Words that say nothing of a model. */
static bool is_common(struct slice word)
{
	static const char *const common[] = {
		"series",  "phones",   "phone",	   "generation", "video",      "software",
		"desk",	   "and",      "sip",	   "up",	 "to",	       "systems",
		"room",	   "gateways", "adapters", "adapter",	 "standard",   "ip",
		"base",	   "pbx",      "core",	   "hotel",	 "deskphones", "uc",
		"control", "touch",    "h"};

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (slice_eq_nocase(word, slice_z(common[i])))
			return true;
	return word.n < 2;
}

bool factory_family_fits(struct slice family, struct slice product)
{
	while (family.n) {
		struct slice word = next_word(&family);

		if (word.n && !is_common(word) && stands_in(word, product))
			return true;
	}
	return false;
}

/* "HP Poly (Polycom)": one of the maker's names stands in the product's. */
static bool vendor_fits(struct slice vendor, struct slice product)
{
	while (vendor.n) {
		struct slice word = next_word(&vendor);

		if (word.n > 2 && !slice_eq_nocase(word, SL("OEM")) && stands_in(word, product))
			return true;
	}
	return false;
}

/* ---- the file ---- */

static bool opens(const json_t *row, unsigned doors)
{
	const json_t *door;
	size_t i;

	json_array_foreach(json_object_get(row, "interfaces"), i, door)
	{
		const char *name = json_string_value(door);

		if (!name)
			continue;
		if ((doors & FACTORY_WEB) && strcmp(name, "web") == 0)
			return true;
		if ((doors & FACTORY_SSH) && (strcmp(name, "ssh") == 0 || strcmp(name, "cli") == 0))
			return true;
	}
	return false;
}

static void take_accounts(const json_t *row, struct factory_list *out)
{
	const char *reference = json_string_value(json_object_get(row, "reference"));
	const json_t *account;
	size_t i;

	json_array_foreach(json_object_get(row, "factory_accounts"), i, account)
	{
		const char *user = json_string_value(json_object_get(account, "username"));
		const char *password = json_string_value(json_object_get(account, "password"));
		struct factory_account *a = &out->account[out->count];

		if (!user || !password || *password == '<' || out->count == FACTORY_ACCOUNTS_MAX)
			continue;
		if (slice_to_z(slice_z(user), a->user, sizeof(a->user)) &&
		    slice_to_z(slice_z(password), a->password, sizeof(a->password))) {
			(void)slice_to_z(slice_z(reference ? reference : ""), a->reference,
					 sizeof(a->reference));
			out->count++;
		}
	}
}

static void take_row(const json_t *row, struct slice product, unsigned doors,
		     struct factory_list *out)
{
	const char *vendor = json_string_value(json_object_get(row, "vendor"));
	const char *family = json_string_value(json_object_get(row, "family"));

	if (vendor && family && opens(row, doors) && vendor_fits(slice_z(vendor), product) &&
	    factory_family_fits(slice_z(family), product))
		take_accounts(row, out);
}

int factory_load(const char *data_dir, const char *product, unsigned doors,
		 struct factory_list *out)
{
	char path[PATH_BYTES_MAX], line[LINE_BYTES_MAX];
	FILE *f;
	int err = 0;

	*out = (struct factory_list){0};
	if (!data_dir || snprintf(path, sizeof(path), "%s/factory-defaults.jsonl", data_dir) >=
				 (int)sizeof(path))
		return ERR_ABSENT;
	f = fopen(path, "re");
	if (!f)
		return ERR_ABSENT;
	while (!err && fgets(line, sizeof(line), f)) {
		json_t *row = json_loads(line, 0, NULL);

		if (row)
			take_row(row, slice_z(product), doors, out);
		else
			err = ERR_SYNTAX;
		json_decref(row);
	}
	fclose(f);
	return err;
}
