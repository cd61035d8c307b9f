#include "call/txn_impl.h"

/* RFC 3261 8.1.1.7: a branch that begins so is unique; others are matched as RFC 2543 did. */
static const struct slice magic_cookie = SLICE("z9hG4bK");

struct txn_key txn_key_of_request(const struct sip_msg *request)
{
	bool ack = request->method == SIP_ACK;
	struct slice branch = request->via.branch;

	return (struct txn_key){
		.server = true,
		.legacy = !slice_starts_nocase(branch, magic_cookie) || branch.n == magic_cookie.n,
		.method = ack ? SIP_INVITE : request->method,
		.method_text = ack ? sip_method_name(SIP_INVITE) : request->method_text,
		.branch = branch,
		.sent_by = request->via.host,
		.sent_by_port = request->via.port,
		.uri = request->uri_text,
		.call_id = request->call_id,
		.from_tag = request->from.tag,
		.to_tag = request->to.tag,
		.cseq = request->cseq.number,
	};
}

uint64_t txn_key_hash(const struct txn_layer *l, const struct txn_key *key)
{
	if (key->legacy)
		return hash_bytes(&l->key, key->call_id) + key->cseq;
	return hash_bytes(&l->key, key->branch) + (uint64_t)key->method * 2 + key->server;
}

static bool same_method(const struct txn_key *a, const struct txn_key *b)
{
	return a->method == b->method &&
	       (a->method != SIP_METHOD_OTHER || slice_eq(a->method_text, b->method_text));
}

static bool same_sent_by(const struct txn_key *a, const struct txn_key *b)
{
	return a->sent_by_port == b->sent_by_port && slice_eq_nocase(a->sent_by, b->sent_by);
}

/* RFC 3261 17.2.3, the second list. An ACK carries the To tag of our answer, which the request had
 * not: so a tag is compared only where the kept request has one. */
static bool same_legacy(const struct txn_key *kept, const struct txn_key *key)
{
	bool same_to = slice_eq(kept->to_tag, key->to_tag) ||
		       (kept->to_tag.n == 0 && key->method == SIP_INVITE);

	return kept->cseq == key->cseq && slice_eq(kept->call_id, key->call_id) &&
	       slice_eq(kept->from_tag, key->from_tag) && slice_eq(kept->uri, key->uri) && same_to;
}

static bool same_key(const struct txn_key *kept, const struct txn_key *key)
{
	if (kept->server != key->server || kept->legacy != key->legacy)
		return false;
	if (!same_method(kept, key) || !slice_eq(kept->branch, key->branch))
		return false;
	return !key->server ||
	       (same_sent_by(kept, key) && (!key->legacy || same_legacy(kept, key)));
}

struct txn *txn_key_find(const struct txn_layer *l, const struct txn_key *key, uint16_t listener)
{
	struct hash_node *n = hash_first(&l->by_id, txn_key_hash(l, key));

	for (; n; n = hash_next(n)) {
		struct txn *t = container_of(n, struct txn, by_id);

		if (t->state != TXN_TERMINATED && t->path.listener == listener &&
		    same_key(&t->key, key))
			return t;
	}
	return NULL;
}
