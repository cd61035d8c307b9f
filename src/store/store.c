#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/tables.h"

#define PATH_BYTES_MAX 512

struct store {
	sqlite3 *db;
};

struct store_query {
	sqlite3_stmt *stmt;
};

static int error_of(int code)
{
	if (code == SQLITE_OK)
		return 0;
	return code == SQLITE_NOMEM ? ERR_NOMEM : ERR_PEER;
}

int store_run(struct store *s, const char *sql)
{
	return error_of(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

static uint64_t version_of(struct store *s)
{
	struct store_query *q;
	uint64_t version = 0;

	if (store_prepare(s, "PRAGMA user_version", &q) == 0 && q && store_step(q) == 1)
		version = store_column_u64(q, 0);
	store_finish(q);
	return version;
}

static int apply_step(struct store *s, size_t step)
{
	char sql[64];
	int err = store_run(s, store_steps[step]);

	snprintf(sql, sizeof(sql), "PRAGMA user_version = %zu", step + 1);
	return err ? err : store_run(s, sql);
}

/* Two processes may come here at once: the version is read once more within the transaction. */
static int bring_up_to_date(struct store *s)
{
	int err = 0;

	if (version_of(s) > store_step_count)
		return ERR_VERSION;
	if (version_of(s) == store_step_count)
		return 0;
	err = store_begin(s);
	if (err)
		return err;
	for (size_t step = version_of(s); step < store_step_count && !err; step++)
		err = apply_step(s, step);
	if (!err)
		return store_commit(s);
	store_roll_back(s);
	return err;
}

/* What root creates belongs to whom the folder belongs to: a process without rights that keeps its
 * book there opens it too. SQLite gives the files beside it the same owner. */
static int give_to_owner_of(const char *dir, const char *path)
{
	struct stat of_dir, st;
	int fd, err = 0;

	if (geteuid() != 0)
		return 0;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (stat(dir, &of_dir) || fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		err = -EINVAL;
	else if (st.st_uid == 0 && of_dir.st_uid != 0)
		err = fchown(fd, of_dir.st_uid, of_dir.st_gid) ? -errno : 0;
	close(fd);
	return err;
}

static int open_db(struct store *s, const char *path)
{
	int err = error_of(sqlite3_open_v2(
		path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		NULL));

	if (err)
		return err;
	sqlite3_busy_timeout(s->db, STORE_WAIT_MS);
	if (chmod(path, 0600))
		return -errno;
	err = store_run(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			   "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;");
	return err ? err : bring_up_to_date(s);
}

int store_open(const char *dir, struct store **out)
{
	char path[PATH_BYTES_MAX];
	int n = snprintf(path, sizeof(path), "%s/" STORE_FILE, dir), err;
	struct store *s;

	if (n <= 0 || (size_t)n >= sizeof(path))
		return ERR_LIMIT;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	if (access(dir, W_OK | X_OK))
		return -errno;
	s = mem_zalloc(1, sizeof(*s));
	if (!s)
		return ERR_NOMEM;
	err = give_to_owner_of(dir, path);
	if (!err)
		err = open_db(s, path);
	if (err) {
		store_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	sqlite3_close(s->db);
	mem_free(s);
}

const char *store_why(const struct store *s)
{
	return sqlite3_errmsg(s->db);
}

int store_begin(struct store *s)
{
	return store_run(s, "BEGIN IMMEDIATE");
}

int store_commit(struct store *s)
{
	return store_run(s, "COMMIT");
}

void store_roll_back(struct store *s)
{
	(void)!store_run(s, "ROLLBACK");
}

int store_prepare(struct store *s, const char *sql, struct store_query **out)
{
	struct store_query *q = mem_zalloc(1, sizeof(*q));
	int err;

	*out = NULL;
	if (!q)
		return ERR_NOMEM;
	err = error_of(sqlite3_prepare_v2(s->db, sql, -1, &q->stmt, NULL));
	if (err) {
		mem_free(q);
		return err;
	}
	*out = q;
	return 0;
}

void store_finish(struct store_query *q)
{
	if (!q)
		return;
	sqlite3_finalize(q->stmt);
	mem_free(q);
}

/* A value that cannot be bound shows as a failed step. */
void store_bind_z(struct store_query *q, int at, const char *z)
{
	(void)sqlite3_bind_text(q->stmt, at, z, -1, SQLITE_TRANSIENT);
}

void store_bind_u64(struct store_query *q, int at, uint64_t value)
{
	(void)sqlite3_bind_int64(q->stmt, at, (sqlite3_int64)value);
}

int store_step(struct store_query *q)
{
	int code = sqlite3_step(q->stmt);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : error_of(code);
}

void store_reset(struct store_query *q)
{
	(void)sqlite3_reset(q->stmt);
	(void)sqlite3_clear_bindings(q->stmt);
}

const char *store_column_z(struct store_query *q, int at)
{
	const unsigned char *z = sqlite3_column_text(q->stmt, at);

	return z ? (const char *)z : "";
}

uint64_t store_column_u64(struct store_query *q, int at)
{
	return (uint64_t)sqlite3_column_int64(q->stmt, at);
}

uint64_t store_last_id(const struct store *s)
{
	return (uint64_t)sqlite3_last_insert_rowid(s->db);
}
