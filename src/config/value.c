#include "config/value.h"

#include "base/suggest.h"
#include "config/value_net.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {{"ms", 1},	    {"s", 1000},	{"m", 60 * 1000},
					{"min", 60 * 1000}, {"h", 3600 * 1000}, {"d", 86400 * 1000},
					{NULL, 0}};
static const struct unit rates[] = {
	{"bit", 1},	      {"kbit", 1000},	       {"mbit", 1000000},
	{"gbit", 1000000000}, {"tbit", 1000000000000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1}, {"k", 1024}, {"m", 1024 * 1024}, {NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

/* The word at `index` of "a|b|c"; empty behind the last. */
static struct slice word_at(const char *words, size_t index)
{
	struct slice rest = slice_z(words), word = {0};

	for (size_t i = 0; i <= index; i++)
		word = slice_split(rest, '|', &rest);
	return word;
}

static void write_words(struct out *o, const char *words)
{
	for (size_t i = 0; word_at(words, i).n; i++) {
		if (i)
			out_z(o, word_at(words, i + 1).n ? ", " : " or ");
		out_bytes(o, word_at(words, i));
	}
}

static int read_enum(const struct schema_row *row, struct slice text, uint8_t *out, struct out *why)
{
	struct suggest near = suggest_for(text);

	for (size_t i = 0; word_at(row->words, i).n; i++) {
		if (slice_eq(text, word_at(row->words, i))) {
			*out = (uint8_t)i;
			return 0;
		}
		suggest_offer(&near, word_at(row->words, i));
	}
	if (near.best.n)
		out_fmt(why, "did you mean \"%.*s\"?", SLICE_ARGS(near.best));
	else
		out_z(why, "write ");
	if (!near.best.n)
		write_words(why, row->words);
	return ERR_SYNTAX;
}

static int read_bool(struct slice text, bool *out, struct out *why)
{
	bool yes =
		slice_eq(text, SL("yes")) || slice_eq(text, SL("true")) || slice_eq(text, SL("on"));

	if (!yes && !slice_eq(text, SL("no")) && !slice_eq(text, SL("false")) &&
	    !slice_eq(text, SL("off"))) {
		out_z(why, "write yes or no");
		return ERR_SYNTAX;
	}
	*out = yes;
	return 0;
}

static const struct unit *units_of(enum schema_type type)
{
	if (type == SCHEMA_DURATION_MS || type == SCHEMA_DURATION_S)
		return durations;
	if (type == SCHEMA_BITRATE)
		return rates;
	return type == SCHEMA_SIZE ? sizes : plain;
}

static const struct unit *unit_find(const struct unit *units, struct slice name)
{
	for (; units->name; units++)
		if (slice_eq_nocase(name, slice_z(units->name)))
			return units;
	return NULL;
}

/* A number in its type's own unit, as a person would write it. */
static void write_number(struct out *o, enum schema_type type, uint64_t value)
{
	const struct unit *best = NULL;

	if (type == SCHEMA_DURATION_S)
		value *= 1000;
	for (const struct unit *u = units_of(type); u->name; u++)
		if (value % u->factor == 0 && value / u->factor > 0 &&
		    (!best || u->factor > best->factor))
			best = u;
	out_u64(o, best ? value / best->factor : value);
	if (best)
		out_z(o, best->name);
}

void value_write_range(const struct schema_row *row, struct out *o)
{
	out_z(o, "from ");
	write_number(o, row->type, row->min);
	out_z(o, " to ");
	write_number(o, row->type, row->max);
	if (row->zero_is_off)
		out_z(o, ", or 0");
}

static int out_of_range(const struct schema_row *row, struct out *why)
{
	out_z(why, "write a value ");
	value_write_range(row, why);
	return ERR_SYNTAX;
}

/* Digits, then one of the type's units; 0 needs no unit. In the smallest unit. */
static int read_amount(const struct schema_row *row, struct slice text, uint64_t *out,
		       struct out *why)
{
	size_t digits = 0;
	const struct unit *unit;
	uint64_t value = 0;

	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	if (slice_u64(slice_first(text, digits), UINT64_MAX / 2, &value) == ERR_LIMIT)
		return out_of_range(row, why);
	unit = unit_find(units_of(row->type), slice_from(text, digits));
	if (digits == text.n && value == 0)
		unit = &plain[0];
	if (!digits || !unit) {
		out_fmt(why, "write %s", schema_type_text(row->type));
		return ERR_SYNTAX;
	}
	if (value > UINT64_MAX / unit->factor)
		return out_of_range(row, why);
	*out = value * unit->factor;
	return 0;
}

static int read_number(const struct schema_row *row, struct slice text, uint64_t *out,
		       struct out *why)
{
	uint64_t value = 0;
	int err = read_amount(row, text, &value, why);

	if (err)
		return err;
	if (row->type == SCHEMA_DURATION_S) {
		if (value % 1000) {
			out_z(why, "write whole seconds");
			return ERR_SYNTAX;
		}
		value /= 1000;
	}
	if ((value < row->min || value > row->max) && !(row->zero_is_off && value == 0))
		return out_of_range(row, why);
	*out = value;
	return 0;
}

static int store_number(const struct schema_row *row, uint64_t value, void *out)
{
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;

	if (row->type == SCHEMA_BITRATE)
		memcpy(out, &value, sizeof(value));
	else if (row->type == SCHEMA_VLAN)
		memcpy(out, &v16, sizeof(v16));
	else
		memcpy(out, &v32, sizeof(v32));
	return 0;
}

static int read_text(struct slice text, size_t room, void *out, struct out *why)
{
	if (text.n >= room) {
		out_fmt(why, "write at most %zu bytes", room - 1);
		return ERR_SYNTAX;
	}
	memset(out, 0, room);
	memcpy(out, text.p, text.n);
	return 0;
}

static int read_file(struct slice text, void *out, struct out *why)
{
	if (!text.n || text.p[0] != '/' || text.p[text.n - 1] == '/') {
		out_z(why, "write a file name from the root on, as in \"/etc/hornwork/secret\"");
		return ERR_SYNTAX;
	}
	return read_text(text, CONFIG_PATH_MAX, out, why);
}

/* The kernel admits more signs; the firewall's rules do not. */
static bool interface_byte(char c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == '-' || c == '@';
}

static int read_interface(struct slice text, void *out, struct out *why)
{
	bool good = text.n > 0 && text.n < CONFIG_IFNAME_MAX && !slice_eq(text, SL(".")) &&
		    !slice_eq(text, SL(".."));

	for (size_t i = 0; i < text.n; i++)
		good = good && interface_byte(text.p[i]);
	if (!good) {
		out_z(why, "write the name of a network interface, as `ip link` shows it: up to 15 "
			   "letters, digits, dots, hyphens");
		return ERR_SYNTAX;
	}
	return read_text(text, CONFIG_IFNAME_MAX, out, why);
}

static int read_port_name(struct slice text, struct arena *arena, void *out, struct out *why)
{
	char name[CONFIG_IFNAME_MAX];
	struct slice copy;
	int err = read_interface(text, name, why);

	err = err ? err : arena_copy(arena, text, &copy);
	if (!err)
		memcpy(out, &copy, sizeof(copy));
	return err;
}

/* Numbers of any type, into their field. */
static int read_counted(const struct schema_row *row, struct slice text, void *out, struct out *why)
{
	uint64_t value = 0;
	int err = read_number(row, text, &value, why);

	return err ? err : store_number(row, value, out);
}

int value_read(const struct schema_row *row, struct slice text, struct arena *arena, void *out,
	       struct out *why)
{
	switch (row->type) {
	case SCHEMA_BOOL:
		return read_bool(text, out, why);
	case SCHEMA_ENUM:
		return read_enum(row, text, out, why);
	case SCHEMA_COUNT:
	case SCHEMA_VLAN:
	case SCHEMA_SIZE:
	case SCHEMA_DURATION_MS:
	case SCHEMA_DURATION_S:
	case SCHEMA_BITRATE:
		return read_counted(row, text, out, why);
	case SCHEMA_INTERFACE:
		return read_interface(text, out, why);
	case SCHEMA_TEXT:
		return read_text(text, row->room, out, why);
	case SCHEMA_FILE:
		return read_file(text, out, why);
	case SCHEMA_PEER:
	case SCHEMA_ENDPOINT:
	case SCHEMA_PORTS:
	case SCHEMA_PORT:
	case SCHEMA_WINDOW:
	case SCHEMA_ADDRESSES:
	case SCHEMA_LISTEN:
	case SCHEMA_SERVICE:
	case SCHEMA_SUBNET:
	case SCHEMA_REACH:
	case SCHEMA_HOST:
		return value_net_read(row, text, out, why);
	case SCHEMA_DOMAIN:
	case SCHEMA_METHOD:
	case SCHEMA_FILES:
	case SCHEMA_ORIGIN:
	case SCHEMA_MAC:
	case SCHEMA_WEB_PATH:
	case SCHEMA_PATCHES:
	case SCHEMA_DIAL:
		return value_word_read(row, text, arena, out, why);
	case SCHEMA_PORT_NAMES:
		return read_port_name(text, arena, out, why);
	case SCHEMA_ZONE:
	case SCHEMA_PBX:
	case SCHEMA_TRUNK:
	case SCHEMA_TUNNEL:
		break;
	case SCHEMA_LATER:
		return row->words ? read_enum(row, text, &(uint8_t){0}, why) : 0;
	}
	return 0;
}

size_t value_size(const struct schema_row *row)
{
	static const size_t bytes[] = {
		[SCHEMA_BOOL] = sizeof(bool),
		[SCHEMA_ENUM] = sizeof(uint8_t),
		[SCHEMA_COUNT] = sizeof(uint32_t),
		[SCHEMA_VLAN] = sizeof(uint16_t),
		[SCHEMA_SIZE] = sizeof(uint32_t),
		[SCHEMA_DURATION_MS] = sizeof(uint32_t),
		[SCHEMA_DURATION_S] = sizeof(uint32_t),
		[SCHEMA_BITRATE] = sizeof(uint64_t),
		[SCHEMA_INTERFACE] = CONFIG_IFNAME_MAX,
		[SCHEMA_FILE] = CONFIG_PATH_MAX,
		[SCHEMA_PEER] = sizeof(struct config_peer),
		[SCHEMA_ENDPOINT] = sizeof(struct ip_endpoint),
		[SCHEMA_PORTS] = 2 * sizeof(uint16_t),
		[SCHEMA_PORT] = sizeof(uint16_t),
		[SCHEMA_WINDOW] = 2 * sizeof(uint16_t),
		[SCHEMA_ADDRESSES] = 2 * sizeof(struct ip_addr),
		[SCHEMA_LISTEN] = sizeof(struct config_listen),
		[SCHEMA_SERVICE] = sizeof(struct config_listen),
		[SCHEMA_SUBNET] = sizeof(struct ip_prefix),
		[SCHEMA_REACH] = sizeof(struct config_reach),
		[SCHEMA_HOST] = sizeof(struct ip_prefix),
		[SCHEMA_DOMAIN] = sizeof(struct slice),
		[SCHEMA_METHOD] = sizeof(struct slice),
		[SCHEMA_FILES] = sizeof(struct slice),
		[SCHEMA_ORIGIN] = sizeof(struct slice),
		[SCHEMA_MAC] = sizeof(struct slice),
		[SCHEMA_PORT_NAMES] = sizeof(struct slice),
		[SCHEMA_WEB_PATH] = sizeof(struct slice),
		[SCHEMA_PATCHES] = sizeof(struct slice),
		[SCHEMA_DIAL] = sizeof(struct slice),
		[SCHEMA_LATER] = 0,
	};

	return row->type == SCHEMA_TEXT ? row->room : bytes[row->type];
}

bool value_is_carried_out(const struct schema_row *row, struct slice text)
{
	if (!row->now)
		return true;
	for (size_t i = 0; word_at(row->now, i).n; i++)
		if (slice_eq(text, word_at(row->now, i)))
			return true;
	return false;
}
