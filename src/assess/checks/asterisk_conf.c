#include "assess/checks/asterisk_conf.h"

bool asterisk_next(struct slice *rest, struct asterisk_line *out)
{
	while (rest->n) {
		struct slice value, key, line = slice_split(*rest, '\n', rest);

		line = slice_trim(slice_first(line, slice_find(line, ';')));
		if (line.n && line.p[0] == '[') {
			line = slice_from(line, 1);
			out->section = slice_trim(slice_first(line, slice_find(line, ']')));
			continue;
		}
		if (slice_find(line, '=') == line.n)
			continue;
		key = slice_trim(slice_split(line, '=', &value));
		if (value.n && value.p[0] == '>')
			value = slice_from(value, 1);
		out->key = key;
		out->value = slice_trim(value);
		return true;
	}
	return false;
}

struct slice asterisk_value(struct slice text, const char *section, const char *key)
{
	struct asterisk_line line = {0};
	struct slice found = {0};

	while (asterisk_next(&text, &line))
		if (slice_eq_nocase(line.section, slice_z(section)) &&
		    slice_eq_nocase(line.key, slice_z(key)))
			found = line.value;
	return found;
}

bool asterisk_is_no(struct slice value)
{
	static const char *const words[] = {"no", "false", "off", "0", "n", "f"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_eq_nocase(value, slice_z(words[i])))
			return true;
	return false;
}

bool asterisk_lists(struct slice list, const char *word)
{
	while (list.n)
		if (slice_eq_nocase(slice_trim(slice_split(list, ',', &list)), slice_z(word)))
			return true;
	return false;
}
