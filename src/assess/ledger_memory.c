#include "assess/ledger.h"

int ledger_recall(struct store *s, const char *who, const char *key, char *buf, size_t size)
{
	struct store_query *q;
	int err = store_prepare(s, "SELECT value FROM memory WHERE check_id = ?1 AND key = ?2", &q);

	if (err)
		return err;
	store_bind_z(q, 1, who);
	store_bind_z(q, 2, key);
	err = store_step(q);
	if (err == 1 && !slice_to_z(slice_z(store_column_z(q, 0)), buf, size))
		err = ERR_SPACE;
	store_finish(q);
	if (err == 0)
		return ERR_ABSENT;
	return err < 0 ? err : 0;
}

int ledger_remember(struct store *s, const char *who, const char *key, const char *value,
		    uint64_t now_ms)
{
	struct store_query *q;
	int err = store_prepare(s, "INSERT OR REPLACE INTO memory VALUES (?1, ?2, ?3, ?4)", &q);

	if (err)
		return err;
	store_bind_z(q, 1, who);
	store_bind_z(q, 2, key);
	store_bind_z(q, 3, value);
	store_bind_u64(q, 4, now_ms);
	err = store_step(q);
	store_finish(q);
	return err;
}
