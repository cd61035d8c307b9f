/* The schema: one row for each key. The rows drive reading, defaults, checks and the manual. */
#ifndef HW_CONFIG_SCHEMA_H
#define HW_CONFIG_SCHEMA_H

#include "model/config.h"

enum schema_type {
	SCHEMA_BOOL,	    /* bool: yes, no */
	SCHEMA_ENUM,	    /* uint8_t: index into `words` */
	SCHEMA_COUNT,	    /* uint32_t */
	SCHEMA_VLAN,	    /* uint16_t */
	SCHEMA_SIZE,	    /* uint32_t bytes: 8192, 8k, 1m */
	SCHEMA_DURATION_MS, /* uint32_t: 500ms, 30s, 10m, 24h, 2d */
	SCHEMA_DURATION_S,  /* uint32_t: likewise */
	SCHEMA_BITRATE,	    /* uint64_t: 512kbit, 50mbit, 1gbit */
	SCHEMA_INTERFACE,   /* char[CONFIG_IFNAME_MAX] */
	SCHEMA_TEXT,	    /* char[room] */
	SCHEMA_FILE,	    /* char[CONFIG_PATH_MAX]: an absolute path */
	SCHEMA_PEER,	    /* struct config_peer */
	SCHEMA_ENDPOINT,    /* struct ip_endpoint: 127.0.0.1:8080 */
	SCHEMA_PORTS,	    /* two uint16_t: first and last */
	SCHEMA_PORT,	    /* uint16_t */
	SCHEMA_WINDOW,	    /* two uint16_t: minutes of the day */
	SCHEMA_ADDRESSES,   /* two struct ip_addr: IPv4 and IPv6 */
	SCHEMA_ZONE,	    /* uint16_t: the index of a section of that kind */
	SCHEMA_PBX,
	SCHEMA_TRUNK,
	SCHEMA_TUNNEL,
	SCHEMA_LISTEN,	   /* list of struct config_listen */
	SCHEMA_SERVICE,	   /* list of struct config_listen: ports of the gateway itself */
	SCHEMA_SUBNET,	   /* list of struct ip_prefix */
	SCHEMA_REACH,	   /* list of struct config_reach: zones, with a port or without */
	SCHEMA_HOST,	   /* list of struct ip_prefix: each a single address */
	SCHEMA_DOMAIN,	   /* list of struct slice: host names or addresses */
	SCHEMA_METHOD,	   /* list of struct slice: SIP methods */
	SCHEMA_FILES,	   /* list of struct slice: absolute paths */
	SCHEMA_ORIGIN,	   /* list of struct slice: "https://HOST[:PORT]" (RFC 6454 6.2) */
	SCHEMA_MAC,	   /* list of struct slice: twelve hexadecimal digits */
	SCHEMA_PORT_NAMES, /* list of struct slice: network interfaces */
	SCHEMA_WEB_PATH,   /* list of struct slice: the path of a URL, from / to / */
	SCHEMA_PATCHES,	   /* list of struct slice: names of virtual patches, or CVEs */
	SCHEMA_DIAL,	   /* list of struct slice: beginnings of numbers */
	SCHEMA_LATER,	   /* no field: belongs to a later version */
};

struct schema_row {
	const char *key;
	enum schema_type type;
	bool required;
	bool has_no_effect;   /* read and kept, but nothing carries it out yet: a warning says so */
	size_t at;	      /* offset of the field */
	size_t count_at;      /* lists: offset of the size_t with their length */
	size_t room;	      /* SCHEMA_TEXT: bytes of the field */
	uint64_t min, max;    /* numbers, in the field's unit */
	bool zero_is_off;     /* 0 is admitted besides min..max */
	const char *words;    /* SCHEMA_ENUM: "off|preferred|required" */
	const char *now;      /* the words that this version carries out; NULL = all values */
	const char *needs;    /* what the others would need, for the error */
	const char *fallback; /* default as it would be written; NULL = none, empty or zero */
	const char *by_default; /* default in words where `fallback` cannot tell it */
	const char *tag;	/* r1..r5, or core */
	const char *help;	/* one line, no full stop */
	const char *more;	/* further sentences for the manual, or NULL */
};

struct schema_section {
	const char *name;
	const char *within; /* not NULL: it stands in sections of this name, and its rows' fields
			       are theirs */
	bool titled;	    /* NAME follows the word; any number of them */
	const char *later;  /* not NULL: not carried out by this version, and what to know */
	size_t at;	 /* offset in struct config: of the struct, or of a pointer to the first */
	size_t count_at; /* titled: offset of the size_t with their number */
	size_t line_at;	 /* not titled: offset of the unsigned with its line; 0 = none */
	size_t size;	 /* bytes of one struct */
	const struct schema_row *rows;
	size_t row_count;
	const char *tag;
	const char *help;
	const char *example; /* for the manual */
};

/* Every section in the manual's order. Titled ones start with `char name[CONFIG_NAME_MAX];
 * unsigned line;`. */
const struct schema_section *schema_sections(size_t *count);
/* By name, or NULL; `within` is NULL for those that stand in no other one. */
const struct schema_section *schema_section_find(struct slice name);
const struct schema_section *schema_section_within(const char *within, struct slice name);
const struct schema_row *schema_row_find(const struct schema_section *s, struct slice key);
/* A list takes {a, b}; anything else one value. */
bool schema_is_list(const struct schema_row *row);
/* The type in words, for errors and the manual: "yes or no", "a duration such as 30s". */
const char *schema_type_text(enum schema_type type);

#endif
