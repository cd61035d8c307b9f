#include "io/reassembly.h"

#include "base/mem.h"

#define BUFFER_STEP 8192 /* bytes; a stream's buffer grows by that beyond what it must */

/* A segment that came too early. */
struct held {
	struct list node;
	uint32_t seq;
	size_t n;
	char bytes[];
};

int reassembly_init(struct reassembly *r, const struct hash_key *key)
{
	*r = (struct reassembly){.key = *key};
	return hash_init(&r->flows, REASSEMBLY_FLOWS_MAX);
}

static void held_drop(struct tcp_flow *f, struct held *h)
{
	list_remove(&h->node);
	f->held_count--;
	mem_free(h);
}

static void flow_clear(struct tcp_flow *f)
{
	list_for_each_safe (n, &f->held)
		held_drop(f, container_of(n, struct held, node));
	mem_free(f->buf);
	f->buf = NULL;
	f->n = f->size = 0;
}

void reassembly_done(struct reassembly *r)
{
	size_t at = 0;
	struct hash_node *node = hash_walk(&r->flows, &at, NULL);

	while (node) {
		struct tcp_flow *f = container_of(node, struct tcp_flow, node);

		node = hash_walk(&r->flows, &at, node);
		flow_clear(f);
		mem_free(f);
	}
	hash_done(&r->flows);
}

static uint64_t flow_hash(const struct reassembly *r, const struct packet *p)
{
	uint8_t text[2 * (sizeof(p->src.addr) + 2)];
	const struct ip_endpoint *ends[2] = {&p->src, &p->dst};
	size_t n = 0;

	for (unsigned i = 0; i < 2; i++) {
		memcpy(text + n, &ends[i]->addr, sizeof(ends[i]->addr));
		n += sizeof(ends[i]->addr);
		text[n++] = (uint8_t)(ends[i]->port >> 8);
		text[n++] = (uint8_t)ends[i]->port;
	}
	return hash_bytes(&r->key, slice_of((const char *)text, n));
}

static struct tcp_flow *flow_find(const struct reassembly *r, const struct packet *p, uint64_t hash)
{
	for (struct hash_node *n = hash_first(&r->flows, hash); n; n = hash_next(n)) {
		struct tcp_flow *f = container_of(n, struct tcp_flow, node);

		if (ip_endpoint_eq(&f->src, &p->src) && ip_endpoint_eq(&f->dst, &p->dst))
			return f;
	}
	return NULL;
}

static struct tcp_flow *flow_new(struct reassembly *r, const struct packet *p, uint64_t hash)
{
	struct tcp_flow *f = mem_zalloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->src = p->src;
	f->dst = p->dst;
	list_init(&f->held);
	if (hash_add(&r->flows, &f->node, hash)) {
		mem_free(f);
		return NULL;
	}
	return f;
}

/* A new connection over the same ports begins anew. */
static void flow_restart(struct tcp_flow *f, uint32_t seq)
{
	list_for_each_safe (n, &f->held)
		held_drop(f, container_of(n, struct held, node));
	f->n = 0;
	f->started = true;
	f->ignored = f->spoken = f->hole = f->closed = false;
	f->next_seq = seq;
}

/* Sequence numbers go round (RFC 9293 3.4). */
static bool is_behind(uint32_t a, uint32_t b)
{
	return b != a && b - a <= INT32_MAX;
}

/* Bytes of a segment that lie behind what is known already; empty when none do. */
static struct slice unseen(const struct tcp_flow *f, uint32_t seq, struct slice bytes)
{
	uint32_t known = f->next_seq - seq;

	return known > INT32_MAX ? bytes : slice_from(bytes, known);
}

static bool append(struct tcp_flow *f, struct slice bytes)
{
	if (bytes.n > REASSEMBLY_BYTES_MAX - f->n)
		return false;
	if (bytes.n > f->size - f->n) {
		size_t size = f->n + bytes.n + BUFFER_STEP;
		char *grown = mem_grow(f->buf, size);

		if (!grown)
			return false;
		f->buf = grown;
		f->size = size;
	}
	memcpy(f->buf + f->n, bytes.p, bytes.n);
	f->n += bytes.n;
	f->next_seq += (uint32_t)bytes.n;
	return true;
}

/* Takes what is held and has come into reach. */
static bool catch_up(struct tcp_flow *f)
{
	bool more = false;

	list_for_each_safe (n, &f->held) {
		struct held *h = container_of(n, struct held, node);
		struct slice bytes = unseen(f, h->seq, slice_of(h->bytes, h->n));

		if (is_behind(f->next_seq, h->seq))
			break; /* still a hole before it */
		if (bytes.n && !append(f, bytes))
			break;
		more |= bytes.n > 0;
		held_drop(f, h);
	}
	return more;
}

static bool hold(struct tcp_flow *f, uint32_t seq, struct slice bytes)
{
	struct list *before = &f->held;
	struct held *h;

	if (f->held_count == REASSEMBLY_HELD_MAX)
		return false;
	h = mem_zalloc(1, sizeof(*h) + bytes.n);
	if (!h)
		return false;
	h->seq = seq;
	h->n = bytes.n;
	memcpy(h->bytes, bytes.p, bytes.n);
	list_for_each (n, &f->held) {
		if (is_behind(seq, container_of(n, struct held, node)->seq)) {
			before = n;
			break;
		}
	}
	list_append(before, &h->node);
	f->held_count++;
	return true;
}

static bool segment_take(struct tcp_flow *f, uint32_t seq, struct slice bytes)
{
	if (is_behind(f->next_seq, seq)) {
		if (hold(f, seq, bytes))
			return true;
		/* The hole will not be filled any more. */
		return reassembly_skip(f) && hold(f, seq, bytes);
	}
	bytes = unseen(f, seq, bytes);
	if (bytes.n == 0)
		return true;
	if (!append(f, bytes))
		return false;
	(void)catch_up(f);
	return true;
}

struct tcp_flow *reassembly_add(struct reassembly *r, const struct packet *p)
{
	uint64_t hash = flow_hash(r, p);
	struct tcp_flow *f = flow_find(r, p, hash);

	if (!f)
		f = flow_new(r, p, hash);
	if (!f) {
		r->dropped++;
		return NULL;
	}
	if (p->syn && (!f->started || f->next_seq != p->seq + 1))
		flow_restart(f, p->seq + 1);
	else if (!f->started)
		flow_restart(f, p->seq); /* the capture began in the middle */
	if (f->ignored)
		flow_clear(f);
	else if (p->payload.n && !p->syn && !segment_take(f, p->seq, p->payload))
		r->dropped++;
	f->closed |= p->fin || p->rst;
	return f;
}

bool reassembly_take(struct tcp_flow *f, size_t n)
{
	if (n >= f->n) {
		f->n = 0;
	} else if (n) {
		memmove(f->buf, f->buf + n, f->n - n);
		f->n -= n;
	}
	return catch_up(f);
}

bool reassembly_skip(struct tcp_flow *f)
{
	if (list_empty(&f->held))
		return false;
	f->n = 0; /* an unfinished message before the hole stays unfinished */
	f->hole = true;
	f->next_seq = container_of(f->held.next, struct held, node)->seq;
	(void)catch_up(f);
	return true;
}
