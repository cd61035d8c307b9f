/* What outlives a process: one SQLite database in the state folder. The only file that knows SQLite
 * is store.c. A store belongs to one thread at a time; several processes may open it. */
#ifndef HW_STORE_STORE_H
#define HW_STORE_STORE_H

#include "base/slice.h"

#define STORE_FILE    "hornwork.db"
#define STORE_WAIT_MS 10000 /* for another process that writes */

struct store;
struct store_query;

/* Opens or makes DIR/hornwork.db, for its owner alone, and brings its tables up to date.
 * ERR_VERSION: a newer hornwork wrote it. -errno (the folder), ERR_PEER (the file is no database,
 * or damaged), ERR_NOMEM. */
int store_open(const char *dir, struct store **out) must_check;
/* Accepts NULL. */
void store_close(struct store *s);
/* The last failure in words; borrowed until the next call. */
const char *store_why(const struct store *s);

/* All or nothing: begin, then commit or roll back. */
int store_begin(struct store *s) must_check;
int store_commit(struct store *s) must_check;
void store_roll_back(struct store *s);

/* A statement with ?1, ?2 ... for values. ERR_SYNTAX (a mistake of ours), ERR_NOMEM, ERR_PEER. */
int store_prepare(struct store *s, const char *sql, struct store_query **out) must_check;
/* Accepts NULL. */
void store_finish(struct store_query *q);
/* Values, numbered from 1; texts are copied. A NULL text is NULL in SQL. */
void store_bind_z(struct store_query *q, int at, const char *z);
void store_bind_u64(struct store_query *q, int at, uint64_t value);
/* 1: there is a row; 0: there is none (any more); else ERR_PEER, ERR_NOMEM. */
int store_step(struct store_query *q) must_check;
/* Ready to be bound and stepped again. */
void store_reset(struct store_query *q);
/* Columns, numbered from 0; borrowed until the next step. "" and 0 for NULL. */
const char *store_column_z(struct store_query *q, int at);
uint64_t store_column_u64(struct store_query *q, int at);
/* A statement without values and rows. */
int store_run(struct store *s, const char *sql) must_check;
/* The rowid of the last insert. */
uint64_t store_last_id(const struct store *s);

#endif
