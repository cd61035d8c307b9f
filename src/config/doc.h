/* What stands in a configuration file, before anything is made of it: sections, entries, values,
 * each with its line. */
#ifndef HW_CONFIG_DOC_H
#define HW_CONFIG_DOC_H

#include "base/arena.h"
#include "config/report.h"

struct schema_section;
struct schema_row;

struct doc_value {
	struct slice text;
	unsigned line;
	struct doc_value *next;
};

struct doc_entry {
	const struct schema_row *row;
	unsigned line; /* of its first value; of its section for an empty list */
	struct doc_value *values;
	size_t value_count;  /* 0: an empty list */
	unsigned again_line; /* where the key stands a second time, or 0 */
	struct doc_entry *next;
};

struct doc_section {
	const struct schema_section *schema;
	struct slice title; /* empty for sections without one */
	unsigned line;
	struct doc_section *within; /* the section that it stands in, or NULL */
	struct doc_entry *entries;  /* in the file's order */
	struct doc_section *next;
};

struct doc {
	struct doc_section *sections; /* in the file's order */
	bool whole;		      /* false: reading ended early at a mistake that is reported */
};

/* Reads text that config_text_clean passed. Everything lies in `arena`, which is emptied first and
 * belongs to the document. Misspelt names are
 * reported and taken for what they are nearest to, so that one slip is told once. ERR_NOMEM; what
 * is wrong in the text goes to the report only. */
int doc_read(struct arena *arena, const char *text, struct config_report *report,
	     struct doc *out) must_check;

#endif
