/* DV: what users' own secrets look like, read on the PBX. */
#include "assess/checks/asterisk_host.h"
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
static size_t weak_boxes(const struct asterisk_conf *c, struct out *names)
{
	struct asterisk_line line = {0};
	size_t count = 0;

	while (asterisk_next(c, &line)) {
		struct slice rest, pin = slice_trim(slice_split(line.value, ',', &rest));

		if (slice_eq_nocase(line.section, SL("general")) ||
		    slice_eq_nocase(line.section, SL("zonemessages")) || !slice_is_digits(line.key))
			continue;
		if (is_default(line.key, pin) && count++ < BOXES_SHOWN) {
			out_z(names, count > 1 ? ", " : "");
			out_bytes(names, slice_first(line.key, 20));
		}
	}
	return count;
}

enum verdict dv22_voicemail_pins(struct visit *v)
{
	char text[BOXES_SHOWN * 24];
	struct out o = out_to(text, sizeof(text));
	struct asterisk_conf c;
	enum verdict verdict;
	size_t count;
	int err = visit_asterisk(v, "voicemail.conf", &c);

	if (err)
		return visit_no_host(v, err);
	count = weak_boxes(&c, &o);
	if (count == 0)
		verdict = visit_asterisk_clean(v, &c);
	else
		verdict = visit_found(v, &(struct found){0},
				      "%zu voicemail boxes have a PIN that is the box's number, "
				      "shorter than four digits or a row of digits: %.*s%s",
				      count, (int)o.n, text, count > BOXES_SHOWN ? ", ..." : "");
	asterisk_done(&c);
	return verdict;
}
