/* The tables, as steps from one version of the database to the next; for store.c. A step is never
 * changed once it was released: what is new comes as a further one. */
#ifndef HW_STORE_TABLES_H
#define HW_STORE_TABLES_H

#include <stddef.h>

extern const char *const store_steps[];
extern const size_t store_step_count;

#endif
