/* The configuration that `hornwork init` writes. */
#ifndef HW_MAIN_INIT_TEXT_H
#define HW_MAIN_INIT_TEXT_H

#include "base/out.h"

#define INIT_ANSWER_MAX 128 /* bytes of an answer with its NUL */

struct init_answers {
	char outside[INIT_ANSWER_MAX];	   /* interface towards phones outside */
	char inside[INIT_ANSWER_MAX];	   /* interface towards the PBX; may be the same */
	char pbx[INIT_ANSWER_MAX];	   /* as pbx { address } */
	char certificate[INIT_ANSWER_MAX]; /* a file; empty = no TLS */
	char key[INIT_ANSWER_MAX];	   /* a file; empty = in the certificate's */
};

/* A commented configuration from good answers; it passes `hornwork check`. */
void init_text_write(struct out *o, const struct init_answers *a);

#endif
