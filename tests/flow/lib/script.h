/* A .flow file as a list of statements; README.md beside the stories describes the language. */
#ifndef HW_TESTS_FLOW_SCRIPT_H
#define HW_TESTS_FLOW_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#define SCRIPT_WORDS_MAX      16
#define SCRIPT_STATEMENTS_MAX 2048

struct statement {
	const char *file; /* borrowed from the script */
	unsigned line;
	bool detail; /* indented: it says more of the statement before */
	unsigned word_count;
	char *word[SCRIPT_WORDS_MAX]; /* NULL beyond word_count */
	char *block;		      /* between <<< and >>>, or NULL */
};

struct script {
	size_t count;
	struct statement statement[SCRIPT_STATEMENTS_MAX];
	size_t file_count;
	char *file[16];
};

/* A file with all that it includes. NULL, with a message on stderr, when it cannot be read. */
struct script *script_load(const char *path);
void script_free(struct script *s);

#endif
