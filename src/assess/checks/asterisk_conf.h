/* Asterisk's configuration files as Asterisk takes them (its main/config.c): comments left out,
 * includes followed, templates carried out. Files come through callbacks, so that hosts by SSH and
 * tests use the same reader. */
#ifndef HW_ASSESS_CHECKS_ASTERISK_CONF_H
#define HW_ASSESS_CHECKS_ASTERISK_CONF_H

#include "base/arena.h"
#include "base/slice.h"

#define ASTERISK_FOLDER	      "/etc/asterisk/" /* what an include names may lie in it alone */
#define ASTERISK_PATH_MAX     256
#define ASTERISK_GAP_MAX      200
#define ASTERISK_FILES_MAX    64 /* that one configuration is made of */
#define ASTERISK_DEPTH_MAX    10 /* of includes; Asterisk's own limit (MAX_INCLUDE_LEVEL) */
#define ASTERISK_TEXT_MAX     (4u * 1024 * 1024)  /* bytes of all its files */
#define ASTERISK_MEMORY_MAX   (32u * 1024 * 1024) /* bytes of its lines */
#define ASTERISK_SECTIONS_MAX 16384

/* Where files come from. `read`: the whole text of a file, mem_wipe_free'd with its length by who
 * asked; ERR_ABSENT: it cannot be read. `list`: the paths that a path or a pattern with * and ?
 * stands for, a line each, mem_free'd; empty when there is none. */
struct asterisk_files {
	void *ctx;
	int (*read)(void *ctx, const char *path, char **out_text, size_t *out_bytes);
	int (*list)(void *ctx, const char *pattern, char **out_text);
};

struct asterisk_pair {
	struct slice key, value;
	struct asterisk_pair *next;
};

struct asterisk_section {
	struct slice name;
	bool is_template;
	struct asterisk_pair *first, **last;
	struct asterisk_section *next;
};

struct asterisk_source {
	char *text;
	size_t bytes;
	struct asterisk_source *next;
};

struct asterisk_conf {
	struct arena arena;
	struct asterisk_section *first, **last;
	struct asterisk_source *sources; /* whose text the lines borrow; wiped at the end */
	size_t section_count, file_count, text_bytes;
	/* What it also consists of and could not be followed ("" = nothing): what is not found in
	 * the rest is then not known to be absent. */
	char gap[ASTERISK_GAP_MAX];
};

/* Reads a file of ASTERISK_FOLDER by its name with all that it includes. ERR_ABSENT: there is no
 * such file; ERR_LIMIT: it is larger than the limits above; ERR_NOMEM; what the callbacks say. */
int asterisk_read(struct asterisk_conf *out, const struct asterisk_files *files,
		  const char *name) must_check;
/* Accepts a zeroed one. */
void asterisk_done(struct asterisk_conf *c);

/* One "key = value" or "key => value"; slices are the configuration's. */
struct asterisk_line {
	struct slice section, key, value;
	const struct asterisk_section *in; /* two sections may have the same name */
	const struct asterisk_pair *pair;
};

/* The next one; a zeroed line asks for the first. Templates themselves are left out. False at the
 * end. */
bool asterisk_next(const struct asterisk_conf *c, struct asterisk_line *line);
/* The last value of a key in a section (case ignored); empty when it is not set. */
struct slice asterisk_value(const struct asterisk_conf *c, const char *section, const char *key);
/* no, false, off, 0, n, f. */
bool asterisk_is_no(struct slice value);
/* Whether a comma-separated list has this word. */
bool asterisk_lists(struct slice list, const char *word);

#endif
