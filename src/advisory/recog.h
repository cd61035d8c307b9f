/* Recog's fingerprint files (XML), where the user has them: taken over as rows of patterns. */
#ifndef HW_ADVISORY_RECOG_H
#define HW_ADVISORY_RECOG_H

#include "advisory/import_impl.h"

/* ERR_SYNTAX with words, also for a document type or entities of its own; ERR_LIMIT. */
int recog_import(struct import_sink *s, struct slice xml) must_check;

#endif
