#include "base/reason.h"

static const struct reason_row rows[REASON_COUNT] = {
	[REASON_NONE] = {"none", "core", SEV_INFO, 0, "nothing was refused", ""},
#define REASON(name, tag, severity, status, sentence, reference)                                   \
	[REASON_##name] = {#name, tag, severity, status, sentence, reference},
#include "base/reasons.def"
#undef REASON
};

const struct reason_row *reason_row(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? &rows[r] : &rows[REASON_NONE];
}

enum reason reason_by_name(struct slice name)
{
	for (unsigned i = 0; i < REASON_COUNT; i++)
		if (slice_eq(name, slice_z(rows[i].name)))
			return (enum reason)i;
	return REASON_NONE;
}

const char *severity_text(enum severity s)
{
	static const char *const text[] = {"info", "notice", "warning", "critical"};

	return (unsigned)s < sizeof(text) / sizeof(text[0]) ? text[s] : "info";
}
