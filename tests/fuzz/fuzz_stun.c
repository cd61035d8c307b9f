/* STUN: whatever comes, slices stay within the datagram, and what is read and written anew reads as
 * the same. */
#include <stdlib.h>

#include "proto/stun/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static void within(struct slice whole, struct slice part)
{
	expect(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void write_attributes(struct out *o, const struct stun_msg *m)
{
	if (m->username.n)
		stun_add(o, STUN_ATTR_USERNAME, m->username);
	if (m->mapped.addr.family != IP_NONE)
		stun_add_xor_mapped(o, &m->mapped);
	if (m->error_code)
		stun_add_error(o, m->error_code, m->error_text);
	if (m->has_priority)
		stun_add_u32(o, STUN_ATTR_PRIORITY, m->priority);
	if (m->use_candidate)
		stun_add(o, STUN_ATTR_USE_CANDIDATE, slice_of(NULL, 0));
	if (m->role != STUN_ROLE_NONE)
		stun_add_u64(o,
			     m->role == STUN_ROLE_CONTROLLED ? STUN_ATTR_ICE_CONTROLLED
							     : STUN_ATTR_ICE_CONTROLLING,
			     m->tie_breaker);
	stun_add_unknown(o, m->unknown, m->unknown_count);
}

static void written_anew(const struct stun_msg *m)
{
	char buf[2 * STUN_MESSAGE_BYTES_MAX];
	struct out o = out_to(buf, sizeof(buf));
	struct stun_msg again;

	stun_begin(&o, m->class, m->method, m->transaction);
	write_attributes(&o, m);
	if (o.n + 64 > STUN_MESSAGE_BYTES_MAX)
		return;
	stun_add_integrity(&o, STUN_SHA256, SL("key"));
	stun_add_fingerprint(&o);
	expect(!o.err && stun_parse(out_slice(&o), &again) == 0);
	expect(stun_is_proven(&again, SL("key")) && !stun_is_proven(&again, SL("yek")));
	expect(again.class == m->class && again.method == m->method);
	expect(slice_eq(again.username, m->username));
	expect(ip_endpoint_eq(&again.mapped, &m->mapped));
	expect(again.error_code == m->error_code && again.priority == m->priority);
	expect(again.role == m->role && again.tie_breaker == m->tie_breaker);
	expect(again.use_candidate == m->use_candidate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice d = slice_of((const char *)data, size);
	struct stun_msg m;

	if (stun_parse(d, &m))
		return 0;
	within(d, m.username);
	within(d, m.software);
	within(d, m.error_text);
	(void)stun_is_proven(&m, SL("VOkJxbRl1RmTxUk/WvJxBt"));
	written_anew(&m);
	return 0;
}
