#include "main/watch.h"

#include "base/mem.h"

#define ARENA_CHUNK (256u * 1024) /* bytes */

static int tables_init(struct watch *w)
{
	int err = hash_init(&w->calls_by_id, WATCH_CALLS_MAX);

	if (!err)
		err = hash_init(&w->ends_by_endpoint, WATCH_ENDS_MAX);
	if (!err)
		err = hash_init(&w->streams_by_flow, WATCH_STREAMS_MAX);
	if (!err)
		err = hash_init(&w->refusals_by_kind, WATCH_REFUSALS_MAX);
	return err;
}

void watch_call_init(struct watch_call *c, uint64_t time_ns)
{
	c->started_ns = time_ns;
	list_init(&c->messages);
	list_init(&c->ends);
	list_init(&c->streams);
}

int watch_init(struct watch *w, const struct hash_key *key)
{
	int err;

	*w = (struct watch){.key = *key};
	arena_init(&w->arena, ARENA_CHUNK, WATCH_MEMORY_MAX);
	list_init(&w->calls);
	list_init(&w->streams);
	list_init(&w->refusals);
	w->sdp = mem_zalloc(1, sizeof(*w->sdp));
	w->msg = mem_zalloc(1, sizeof(*w->msg));
	w->others = watch_alloc(w, sizeof(*w->others));
	err = w->sdp && w->msg && w->others ? tables_init(w) : ERR_NOMEM;
	if (!err)
		watch_call_init(w->others, 0);
	if (err)
		watch_done(w);
	return err;
}

void watch_done(struct watch *w)
{
	hash_done(&w->calls_by_id);
	hash_done(&w->ends_by_endpoint);
	hash_done(&w->streams_by_flow);
	hash_done(&w->refusals_by_kind);
	arena_done(&w->arena);
	mem_free(w->sdp);
	mem_free(w->msg);
}

void *watch_alloc(struct watch *w, size_t bytes)
{
	void *p = arena_alloc(&w->arena, bytes);

	if (!p)
		w->counts.not_kept++;
	return p;
}

struct slice watch_keep(struct watch *w, struct slice text)
{
	struct slice kept = {0};

	if (text.n && arena_copy(&w->arena, slice_first(text, WATCH_LINE_MAX), &kept))
		w->counts.not_kept++;
	return kept;
}

uint64_t watch_endpoint_hash(const struct watch *w, const struct ip_endpoint *a,
			     const struct ip_endpoint *b, uint32_t salt)
{
	char text[2 * (sizeof(a->addr) + sizeof(a->port)) + sizeof(salt)];
	struct out o = out_to(text, sizeof(text));

	out_bytes(&o, slice_of((const char *)&a->addr, sizeof(a->addr)));
	out_bytes(&o, slice_of((const char *)&a->port, sizeof(a->port)));
	out_bytes(&o, slice_of((const char *)&b->addr, sizeof(b->addr)));
	out_bytes(&o, slice_of((const char *)&b->port, sizeof(b->port)));
	out_bytes(&o, slice_of((const char *)&salt, sizeof(salt)));
	return hash_bytes(&w->key, out_slice(&o));
}

/* Sources change their ports; what counts is who was refused for what. */
static uint64_t refusal_hash(const struct watch *w, const struct watch_at *at, enum reason reason)
{
	struct ip_endpoint src = {.addr = at->src.addr};

	return watch_endpoint_hash(w, &src, &at->dst, (uint32_t)reason);
}

static struct watch_refusal *refusal_find(const struct watch *w, const struct watch_at *at,
					  const struct watch_call *call, enum reason reason,
					  uint64_t hash)
{
	for (struct hash_node *n = hash_first(&w->refusals_by_kind, hash); n; n = hash_next(n)) {
		struct watch_refusal *r = container_of(n, struct watch_refusal, by_kind);

		if (r->reason == reason && r->call == call &&
		    ip_eq(&r->at.src.addr, &at->src.addr) && ip_endpoint_eq(&r->at.dst, &at->dst))
			return r;
	}
	return NULL;
}

void watch_refuse(struct watch *w, const struct watch_at *at, const struct watch_call *call,
		  enum reason reason, unsigned answer, struct slice line, uint64_t count)
{
	uint64_t hash = refusal_hash(w, at, reason);
	struct watch_refusal *r = refusal_find(w, at, call, reason, hash);

	if (!r) {
		r = watch_alloc(w, sizeof(*r));
		if (!r)
			return;
		r->at = *at;
		r->reason = reason;
		r->answer = answer;
		r->call = call;
		r->line = watch_keep(w, line);
		if (hash_add(&w->refusals_by_kind, &r->by_kind, hash)) {
			w->counts.not_kept++;
			return;
		}
		list_append(&w->refusals, &r->node);
	}
	r->count += count;
	r->last_ns = at->time_ns;
}

/* "METHOD URI SIP/2.0" or "SIP/2.0 CODE": the first line has the version in it. */
bool watch_looks_like_sip(struct slice bytes)
{
	struct slice line = slice_first(bytes, slice_find(bytes, '\n'));

	if (slice_starts(bytes, SL("SIP/")))
		return true;
	return slice_find_slice(slice_first(line, SIP_URI_BYTES_MAX + SIP_METHOD_MAX),
				SL(" SIP/")) < line.n;
}

static bool is_sip_port(const struct watch_at *at)
{
	return at->src.port == WATCH_SIP_PORT || at->dst.port == WATCH_SIP_PORT;
}

/* MGCP (RFC 3435 3.5) and Megaco (RFC 3525 9.1) carry descriptions too. */
static bool is_gateway_control(const struct watch_at *at)
{
	static const uint16_t ports[] = {2427, 2727, 2944, 2945};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (at->src.port == ports[i] || at->dst.port == ports[i])
			return true;
	return false;
}

/* Line ends and NULs alone keep a NAT's binding open. */
static bool is_keep_alive(struct slice payload)
{
	for (size_t i = 0; i < payload.n; i++)
		if (payload.p[i] != '\r' && payload.p[i] != '\n' && payload.p[i] != '\0')
			return false;
	return true;
}

void watch_on_datagram(struct watch *w, const struct watch_at *at, struct slice payload)
{
	enum reason reason = REASON_NONE;
	enum sip_verdict verdict;

	if (is_keep_alive(payload) && is_sip_port(at))
		return;
	if (!watch_looks_like_sip(payload)) {
		if (is_gateway_control(at))
			watch_on_foreign_sdp(w, at, payload);
		if (watch_on_media(w, at, payload) || !is_sip_port(at))
			return;
	}
	verdict = sip_msg_parse(payload, SIP_MESSAGE_BYTES_MAX, w->msg, &reason);
	watch_on_message(w, at, payload, verdict, reason);
}

/* Behind a hole the next message begins at a line that looks like a start line. */
static size_t resync(struct slice bytes)
{
	size_t at = 0;

	while (at < bytes.n && !watch_looks_like_sip(slice_from(bytes, at)))
		at += slice_find(slice_from(bytes, at), '\n') + 1;
	return at < bytes.n ? at : bytes.n;
}

/* Takes one message off the stream; false when there is no whole one. */
static bool stream_step(struct watch *w, const struct watch_at *at, struct tcp_flow *flow)
{
	struct slice bytes = slice_of(flow->buf, flow->n);
	enum reason reason = REASON_NONE;
	size_t used = 0;
	enum sip_verdict verdict;

	if (bytes.n == 0)
		return false;
	verdict = sip_msg_parse_stream(bytes, SIP_MESSAGE_BYTES_MAX, w->msg, &used, &reason);
	if (verdict == SIP_MORE)
		return reassembly_take(flow, used);
	watch_on_message(w, at, slice_first(bytes, verdict == SIP_DONE ? used : bytes.n), verdict,
			 reason);
	if (verdict == SIP_REFUSED)
		flow->ignored = true; /* the gateway would have closed it */
	(void)reassembly_take(flow, verdict == SIP_DONE ? used : bytes.n);
	return verdict == SIP_DONE;
}

void watch_on_stream(struct watch *w, const struct watch_at *at, struct tcp_flow *flow)
{
	struct slice bytes = slice_of(flow->buf, flow->n);

	if (flow->ignored || bytes.n == 0)
		return;
	if (flow->hole) {
		flow->hole = false;
		(void)reassembly_take(flow, resync(bytes));
	} else if (!flow->spoken && !is_keep_alive(bytes)) {
		/* A first line may still be on its way; on SIP's own port anything is SIP. */
		if (!watch_looks_like_sip(bytes) && !is_sip_port(at)) {
			flow->ignored =
				slice_find(bytes, '\n') < bytes.n || bytes.n > SIP_URI_BYTES_MAX;
			return;
		}
		flow->spoken = true;
	}
	while (stream_step(w, at, flow))
		;
}
