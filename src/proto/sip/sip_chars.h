/* Character classes of RFC 3261 25.1 and the small scanners built on them; inside the codec only.
 */
#ifndef HW_PROTO_SIP_CHARS_H
#define HW_PROTO_SIP_CHARS_H

#include "base/slice.h"

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
	CH_SCHEME = 32768   /* after the first letter of a URI scheme */
};

extern const uint16_t sip_chars[256];

static inline bool ch_is(char c, unsigned classes)
{
	return (sip_chars[(uint8_t)c] & classes) != 0;
}

/* The end of the run of these classes. */
static inline const char *ch_run(const char *p, const char *end, unsigned classes)
{
	while (p < end && ch_is(*p, classes))
		p++;
	return p;
}

static inline const char *ch_skip_lws(const char *p, const char *end)
{
	return ch_run(p, end, CH_LWS);
}

/* The end of the run of these classes and of %HH escapes; a '%' without two hexadecimal digits
 * ends the run. */
static inline const char *ch_run_escaped(const char *p, const char *end, unsigned classes)
{
	for (;;) {
		p = ch_run(p, end, classes);
		if (end - p < 3 || *p != '%' || !ch_is(p[1], CH_HEX) || !ch_is(p[2], CH_HEX))
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

/* An empty slice may be over NULL, to which nothing may be added. */
static inline const char *ch_end(struct slice s)
{
	return s.n ? s.p + s.n : s.p;
}

/* Behind the closing quote of the quoted-string at p; NULL when it does not close. */
const char *sip_quoted_end(const char *p, const char *end);

/* One generic-param behind its ';' (RFC 3261 25.1): LWS around the name, the '=' and the value. */
struct sip_param {
	struct slice name;
	struct slice value; /* without quotes; empty and p == NULL for a flag */
};
/* Where it ends (LWS behind it skipped), or NULL when it is malformed. Phones and printed call
 * flows have ";;" and a last ";": one empty parameter is passed over, and at the end of the value
 * the name is empty; two in a row are malformed (RFC 4475 3.1.2.1). */
const char *sip_param_scan(const char *p, const char *end, struct sip_param *out);

#endif
