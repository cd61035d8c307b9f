/* The block of shields in a configuration file: lines that `hornwork shield` writes and an
 * administrator can read. Text in, text out. */
#ifndef HW_MAIN_SHIELD_FILE_H
#define HW_MAIN_SHIELD_FILE_H

#include "base/out.h"

/* Writes `text` with the section added at the end of the block, which is made if it is not there.
 * ERR_EXISTS: a section of that name stands in the block; ERR_SPACE. */
int shield_file_add(struct slice text, struct slice name, struct slice section,
		    struct out *o) must_check;
/* Writes `text` without the section; with the last one the block goes too. ERR_ABSENT: there is
 * none in the block; ERR_SPACE. */
int shield_file_remove(struct slice text, struct slice name, struct out *o) must_check;

#endif
