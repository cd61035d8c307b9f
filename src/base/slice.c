#include "base/slice.h"

static bool same_nocase(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
	return a.n == b.n && same_nocase(a.p, b.p, a.n);
}

bool slice_starts(struct slice s, struct slice prefix)
{
	return slice_eq(slice_first(s, prefix.n), prefix);
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
	return slice_eq_nocase(slice_first(s, prefix.n), prefix);
}

bool slice_ends_nocase(struct slice s, struct slice suffix)
{
	return s.n >= suffix.n && same_nocase(s.p + (s.n - suffix.n), suffix.p, suffix.n);
}

size_t slice_find(struct slice s, char c)
{
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;

	return hit ? (size_t)(hit - s.p) : s.n;
}

size_t slice_find_slice(struct slice s, struct slice what)
{
	const char *hit;

	if (what.n == 0)
		return 0;
	hit = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
	return hit ? (size_t)(hit - s.p) : s.n;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.n > 0 && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct slice slice_split(struct slice s, char sep, struct slice *rest)
{
	size_t at = slice_find(s, sep);

	*rest = at < s.n ? slice_from(s, at + 1) : slice_of(slice_end(s), 0);
	return slice_first(s, at);
}

int slice_u64(struct slice s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (s.n == 0)
		return ERR_SYNTAX;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

		if (digit > 9)
			return ERR_SYNTAX;
		if (value > (max - digit) / 10 || digit > max)
			return ERR_LIMIT;
		value = value * 10 + digit;
	}
	*out = value;
	return 0;
}

int slice_u32(struct slice s, uint32_t max, uint32_t *out)
{
	uint64_t wide;
	int err = slice_u64(s, max, &wide);

	if (err)
		return err;
	*out = (uint32_t)wide;
	return 0;
}

bool slice_to_z(struct slice s, char *dst, size_t size)
{
	size_t n = s.n < size ? s.n : size - 1;

	if (n)
		memcpy(dst, s.p, n);
	dst[n] = '\0';
	return n == s.n;
}
