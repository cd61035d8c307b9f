/* Between the parts of this module. */
#ifndef HW_PATCH_IMPL_H
#define HW_PATCH_IMPL_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/arena.h"
#include "patch/patch.h"

enum patch_part { PART_HEADER, PART_URI, PART_HEAD, PART_BODY, PART_MESSAGE };
enum patch_measure {
	MEASURE_PATTERN, /* a value that the pattern fits */
	MEASURE_LINES,	 /* header lines of that name */
	MEASURE_VALUES,	 /* comma-separated values on all of them */
	MEASURE_BYTES,	 /* of the longest value, or of the part */
	MEASURE_NUMBER,	 /* a value that begins with digits */
};

struct patch_match {
	enum patch_part part;
	struct slice header[PATCH_NAMES_MAX];	/* any of them */
	enum sip_header_id id[PATCH_NAMES_MAX]; /* SIP_H_OTHER: by its name */
	size_t header_count;
	enum patch_measure measure;
	bool negated;	  /* !~ */
	char comparison;  /* < > = */
	uint64_t number;  /* of the comparison */
	pcre2_code *code; /* of MEASURE_PATTERN; the set's */
	unsigned line;
};

struct patch_set {
	struct arena arena;
	struct patch *rules[PATCH_RULES_MAX];
	size_t count;
	pcre2_general_context *heap;
	pcre2_compile_context *compile;
	pcre2_match_context *bounds;
	pcre2_match_data *data;
	struct patch_view view; /* of the message being judged */
	bool identity_kept;	/* as in its patch_target_of */
	char *message;		/* PATCH_MESSAGE_MAX bytes: one that proves a rule */
};

/* patch_pattern.c */
int patch_patterns_init(struct patch_set *s) must_check;
void patch_patterns_done(struct patch_set *s);
/* ERR_SYNTAX with what is wrong in `why` (at least 120 bytes), ERR_NOMEM. */
int patch_pattern_compile(struct patch_set *s, struct slice pattern, uint32_t options,
			  pcre2_code **out, char *why, size_t size) must_check;
bool patch_pattern_fits(struct patch_set *s, const pcre2_code *code, struct slice text);

/* patch_find.c: against the set's view. */
bool patch_fits(struct patch_set *s, const struct patch *p);

/* patch_proof.c: the lines of a test message become bytes; see hornwork-rules(5). */
struct patch_proof {
	struct out o;	  /* into the set's message */
	bool bad;	  /* an escape is not known, or it is too long */
	size_t length_at; /* where the digits of Content-Length stand; 0 = nowhere */
};
void patch_proof_begin(struct patch_set *s, struct patch_proof *p);
void patch_proof_line(struct patch_proof *p, struct slice line);
/* The message, with its Content-Length filled in. */
struct slice patch_proof_end(struct patch_set *s, struct patch_proof *p);

/* patch_words.c: values of keys and match lines. 0, ERR_NOMEM, or ERR_SYNTAX with `why`. */
int patch_key(struct patch_set *s, struct patch *p, struct slice key, struct slice value,
	      unsigned line, char *why) must_check;

#endif
