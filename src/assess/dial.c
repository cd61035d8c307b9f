#include "assess/dial.h"

/* Emergency numbers in use somewhere (ITU-T E.161.1 names 112 and 911 as the common ones; the
 * others are national). */
static const char *const emergency[] = {
	"000", "061", "066", "08",   "100",  "101",  "102",   "103",   "104", "105", "106", "108",
	"110", "111", "112", "113",  "114",  "115",  "116",   "117",   "118", "119", "120", "122",
	"123", "125", "127", "128",  "129",  "130",  "131",   "132",   "133", "140", "143", "144",
	"145", "147", "150", "151",  "155",  "156",  "158",   "160",   "161", "166", "170", "171",
	"180", "185", "190", "191",  "192",  "193",  "194",   "195",   "196", "197", "198", "199",
	"901", "902", "903", "911",  "912",  "913",  "933",   "988",   "992", "993", "994", "995",
	"997", "998", "999", "1122", "1177", "1669", "10111", "10177", "15",  "16",  "17",  "18",
};

/* What PBXs want in front of an outside line. */
static const char *const outside[] = {"", "0", "00", "8", "9", "99", "*"};

static bool is_emergency(struct slice digits)
{
	for (size_t i = 0; i < sizeof(emergency) / sizeof(emergency[0]); i++)
		if (slice_eq(digits, slice_z(emergency[i])))
			return true;
	return false;
}

/* Without separators that dial plans ignore. */
static struct slice bare(struct slice number, char buf[static 64])
{
	size_t n = 0;

	for (size_t i = 0; i < number.n && n < 64; i++)
		if ((number.p[i] >= '0' && number.p[i] <= '9') || number.p[i] == '*' ||
		    number.p[i] == '#')
			buf[n++] = number.p[i];
	return slice_of(buf, n);
}

static bool is_named(const struct config *c, struct slice digits)
{
	char buf[64];

	for (size_t i = 0; i < c->assess.never_dial_count; i++)
		if (slice_starts(digits, bare(c->assess.never_dial[i], buf)))
			return true;
	return false;
}

bool dial_is_forbidden(const struct config *c, struct slice number)
{
	char buf[64];
	struct slice digits = bare(number, buf);

	if (number.n && digits.n == 0)
		return false; /* a name, no number */
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		struct slice prefix = slice_z(outside[i]);

		if (slice_starts(digits, prefix) && is_emergency(slice_from(digits, prefix.n)))
			return true;
	}
	/* Behind a country code of up to three digits, and a number ended by #. */
	for (size_t i = 1; i <= 3 && number.n && number.p[0] == '+' && i < digits.n; i++)
		if (is_emergency(slice_from(digits, i)))
			return true;
	if (digits.n && digits.p[digits.n - 1] == '#')
		return dial_is_forbidden(c, slice_first(digits, digits.n - 1));
	return is_named(c, digits);
}
