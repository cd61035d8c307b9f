/* Character classes of RFC 3261 25.1 and the small scanners built on them; inside the codec only.
 */
#ifndef HW_PROTO_SIP_CHARS_H
#define HW_PROTO_SIP_CHARS_H

#include "base/slice.h"
#include "proto/sip/sip_simd.h"

enum sip_char_class {
	CH_TOKEN = 1,	  /* token */
	CH_USER = 2,	  /* user, without its escapes; '#' too, which phones send for star codes */
	CH_USER_BARE = 4, /* the same outside angle brackets: no ',' ';' '?' */
	CH_PASSWORD = 8,  /* password, without its escapes */
	CH_HOST = 16,	  /* host names and IPv4; '_' too, which names in the wild hold */
	CH_URI_PARAM = 32,  /* paramchar, without its escapes */
	CH_URI_HEADER = 64, /* hnv-unreserved and unreserved, without escapes, with '=' and '&' */
	CH_URI_ANY = 128,   /* uric of RFC 2396, without escapes */
	CH_VALUE = 256,	    /* gen-value: token, host, and what is unambiguous beside them */
	CH_LWS = 512,	    /* SP, HTAB and the CR LF of a fold */
	CH_DIGIT = 1024,
	CH_HEX = 2048,
	CH_QUOTED = 4096,   /* within quotes as itself: all but '"' and '\' */
	CH_DISPLAY = 8192,  /* token, LWS, and bytes of UTF-8 in an unquoted display name */
	CH_VISIBLE = 16384, /* 0x21 to 0x7e */
	CH_SCHEME = 32768,  /* after the first letter of a URI scheme */
	CH_LISTED = 65536   /* in a list of values: neither ends one nor opens quotes, brackets,
			       comments */
};

extern const uint32_t sip_chars[256];

static inline bool ch_is(char c, unsigned classes)
{
	return (sip_chars[(uint8_t)c] & classes) != 0;
}

/* Where a scan must stop, and the map of the text that it runs in, or NULL. */
struct ch_bound {
	const char *end;
	const struct sip_map *map;
};

static inline struct ch_bound ch_bound_of(struct slice s)
{
	return (struct ch_bound){slice_end(s), NULL};
}

/* The bound of a part of a mapped text. */
static inline struct ch_bound ch_bound_in(const struct sip_map *map, struct slice part)
{
	return (struct ch_bound){slice_end(part), map};
}

/* The end of the run of these classes. */
static inline const char *ch_run(const char *p, struct ch_bound to, unsigned classes)
{
	while (p < to.end && ch_is(*p, classes))
		p++;
	return p;
}

/* The same for classes that hold letters, digits, '-', '.' and '_': a map passes over them without
 * a look at each. */
static inline const char *ch_run_wide(const char *p, struct ch_bound to, unsigned classes)
{
	if (!to.map)
		return ch_run(p, to, classes);
	for (;; p++) {
		p = sip_map_next(to.map, p);
		if (p >= to.end)
			return to.end;
		if (!ch_is(*p, classes))
			return p;
	}
}

static inline const char *ch_skip_lws(const char *p, struct ch_bound to)
{
	while (p < to.end && (uint8_t)*p <= ' ' && ch_is(*p, CH_LWS))
		p++;
	return p;
}

/* The end of the run of these classes (as for ch_run_wide) and of %HH escapes; a '%' without two
 * hexadecimal digits ends the run. */
static inline const char *ch_run_escaped(const char *p, struct ch_bound to, unsigned classes)
{
	for (;;) {
		p = ch_run_wide(p, to, classes);
		if (p == to.end || *p != '%' || to.end - p < 3 || !ch_is(p[1], CH_HEX) ||
		    !ch_is(p[2], CH_HEX))
			return p;
		p += 3;
	}
}

/* True if the n bytes at p are the word, which stands in lower case letters, digits and '-'. */
static inline bool ch_word(const char *p, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] | 0x20) != word[i])
			return false;
	return true;
}

static inline struct slice ch_slice(const char *from, const char *to)
{
	return slice_of(from, (size_t)(to - from));
}

/* As slice_trim, where there is little to trim. */
static inline struct slice ch_trim(const char *p, const char *end)
{
	while (p < end && (uint8_t)*p <= ' ' && ch_is(*p, CH_LWS))
		p++;
	while (p < end && (uint8_t)end[-1] <= ' ' && ch_is(end[-1], CH_LWS))
		end--;
	return ch_slice(p, end);
}

/* Behind the closing quote of the quoted-string at p; NULL when it does not close. */
const char *sip_quoted_end(const char *p, struct ch_bound to);

/* One generic-param behind its ';' (RFC 3261 25.1): LWS around the name, the '=' and the value. */
struct sip_param {
	struct slice name;
	struct slice value; /* without quotes; empty and p == NULL for a flag */
};
/* Where it ends (LWS behind it skipped), or NULL when it is malformed. Phones and printed call
 * flows have ";;" and a last ";": one empty parameter is passed over, and at the end of the value
 * the name is empty; two in a row are malformed (RFC 4475 3.1.2.1). */
const char *sip_param_scan(const char *p, struct ch_bound to, struct sip_param *out);

#endif
