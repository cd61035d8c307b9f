#include "assess/packet.h"

static const struct {
	const char *word, *help;
} rows[PACKET_CLASSES] = {
#define X(name, word, help) {word, help},
	PACKET_CLASS_ROWS(X)
#undef X
};

const char *packet_class_word(enum packet_class c)
{
	return rows[c].word;
}

const char *packet_class_help(enum packet_class c)
{
	return rows[c].help;
}

static int read_one(struct slice item, struct packet_plan *plan)
{
	struct slice number, word = slice_split(item, '=', &number);
	uint32_t n;

	for (size_t i = 0; i < PACKET_CLASSES; i++) {
		if (!slice_eq(word, slice_z(rows[i].word)))
			continue;
		if (slice_u32(number, 100000, &n) || n == 0 || plan->most[i])
			return ERR_SYNTAX;
		plan->most[i] = n;
		return 0;
	}
	return ERR_SYNTAX;
}

int packet_plan_parse(struct slice text, struct packet_plan *out)
{
	struct packet_plan plan = {0};
	struct slice rest = text;

	while (rest.n) {
		struct slice item = slice_split(rest, ' ', &rest);

		if (item.n && read_one(item, &plan))
			return ERR_SYNTAX;
	}
	*out = plan;
	return 0;
}

void packet_plan_add(struct packet_plan *to, const struct packet_plan *more)
{
	for (size_t i = 0; i < PACKET_CLASSES; i++)
		to->most[i] += more->most[i];
}
