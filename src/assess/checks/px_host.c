/* PX: configuration of the PBX, read on its host. */
#include "assess/checks/table.h"
#include "assess/ssh.h"

/* The last value of a key in a section of an Asterisk configuration file; empty when it is not
 * set. Comments start with ';'. */
static struct slice asterisk_value(struct slice text, const char *section, const char *key)
{
	struct slice found = {0};
	bool inside = false;

	while (text.n) {
		struct slice value, name, line = slice_split(text, '\n', &text);

		line = slice_trim(slice_first(line, slice_find(line, ';')));
		if (line.n && line.p[0] == '[')
			inside = slice_eq_nocase(
				slice_first(slice_from(line, 1), slice_find(line, ']') - 1),
				slice_z(section));
		name = slice_trim(slice_split(line, '=', &value));
		if (value.n && value.p[0] == '>')
			value = slice_from(value, 1);
		if (inside && slice_eq_nocase(name, slice_z(key)))
			found = slice_trim(value);
	}
	return found;
}

static bool is_no(struct slice value)
{
	static const char *const words[] = {"no", "false", "off", "0", "n", "f"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_eq_nocase(value, slice_z(words[i])))
			return true;
	return false;
}

/* Not set is "no" from Asterisk 12 on (UPGRADE-12.txt); an explicit "yes" is the flaw. */
enum verdict px22_live_dangerously(struct visit *v)
{
	struct ssh_text file;
	struct slice value;
	enum verdict verdict = VERDICT_CLEAN;
	int err = visit_file(v, "/etc/asterisk/asterisk.conf", &file);

	if (err)
		return visit_no_host(v, err);
	value = asterisk_value(slice_of(file.p, file.n), "options", "live_dangerously");
	if (value.n && !is_no(value))
		verdict = visit_found(v, &(struct found){0},
				      "/etc/asterisk/asterisk.conf has live_dangerously = %.*s",
				      SLICE_ARGS(value));
	ssh_text_done(&file);
	return verdict;
}
