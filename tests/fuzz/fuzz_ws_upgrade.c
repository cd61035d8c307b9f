/* Opening requests of WebSockets: what is taken lies in the bytes, and a cut one is never refused
 * for being cut. */
#include <stdlib.h>

#include "proto/ws/limits.h"
#include "proto/ws/ws_upgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void must_lie_in(struct slice part, struct slice whole)
{
	must(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = slice_of((const char *)data, size);
	struct ws_upgrade u, cut;
	enum ws_verdict v = ws_upgrade_read(all, &u);

	must_lie_in(u.host, all);
	must_lie_in(u.key, all);
	must_lie_in(u.origin, all);
	must((v == WS_REFUSED) == (u.status != 0) && (v == WS_REFUSED) == (u.complaint != NULL));
	if (v != WS_DONE)
		return 0;
	must(u.bytes <= size && u.bytes <= WS_UPGRADE_BYTES_MAX && u.key.n == WS_KEY_BYTES);
	for (size_t n = 0; n < u.bytes; n++)
		must(ws_upgrade_read(slice_of(all.p, n), &cut) == WS_MORE);
	return 0;
}
