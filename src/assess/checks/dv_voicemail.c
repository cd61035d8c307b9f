/* DV: what users' own secrets look like, read on the PBX. */
#include "assess/checks/table.h"
#include "assess/ssh.h"

#define BOXES_SHOWN 12

/* One digit again and again, or digits in a row. */
static bool is_run(struct slice pin)
{
	for (int step = -1; step <= 1; step++) {
		size_t i = 1;

		while (i < pin.n && pin.p[i] - pin.p[i - 1] == step)
			i++;
		if (i == pin.n)
			return true;
	}
	return false;
}

static bool is_default(struct slice box, struct slice pin)
{
	if (slice_starts(pin, SL("-")))
		pin = slice_from(pin, 1); /* the user may not change it */
	return pin.n == 0 || slice_eq(pin, box) || pin.n < 4 ||
	       (slice_is_digits(pin) && is_run(pin));
}

/* "box => pin,name,mail,...", in every context; [general] and [zonemessages] hold no boxes. */
static size_t weak_boxes(struct slice text, struct out *names)
{
	bool boxes = false;
	size_t count = 0;

	while (text.n) {
		struct slice pin, rest, box, line = slice_split(text, '\n', &text);

		line = slice_trim(slice_first(line, slice_find(line, ';')));
		if (line.n && line.p[0] == '[') {
			boxes = !slice_starts_nocase(line, SL("[general]")) &&
				!slice_starts_nocase(line, SL("[zonemessages]"));
			continue;
		}
		box = slice_trim(slice_split(line, '=', &pin));
		if (!boxes || !slice_is_digits(box) || !slice_starts(pin, SL(">")))
			continue;
		pin = slice_trim(slice_split(slice_from(pin, 1), ',', &rest));
		if (is_default(box, pin) && count++ < BOXES_SHOWN) {
			out_z(names, count > 1 ? ", " : "");
			out_bytes(names, slice_first(box, 20));
		}
	}
	return count;
}

enum verdict dv22_voicemail_pins(struct visit *v)
{
	char text[BOXES_SHOWN * 24];
	struct out o = out_to(text, sizeof(text));
	struct ssh_text file;
	size_t count;
	int err = visit_file(v, "/etc/asterisk/voicemail.conf", &file);

	if (err)
		return visit_no_host(v, err);
	count = weak_boxes(slice_of(file.p, file.n), &o);
	ssh_text_done(&file);
	if (count == 0)
		return VERDICT_CLEAN;
	return visit_found(
		v, &(struct found){0},
		"%zu voicemail boxes have a PIN that is the box's number, shorter than four "
		"digits or a row of digits: %.*s%s",
		count, (int)o.n, text, count > BOXES_SHOWN ? ", ..." : "");
}
