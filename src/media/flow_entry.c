#include "media/flow_table_impl.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bpf/judge.h"
#include "media/stream.h"

#define NS_PER_SECOND	1000000000ull
#define WORD_BITS	64u
#define FLOW_READ_TRIES 1000 /* a replacement takes some ten stores */
#define FLOW_WORDS	(sizeof(struct hw_flow) / sizeof(uint64_t))

/* The words of an entry, for copies that race with their writer and are checked afterwards. */
union flow_words {
	struct hw_flow flow;
	uint64_t word[FLOW_WORDS];
};

uint32_t flow_table_generation(const struct flow_table *t, uint32_t index)
{
	return __atomic_load_n(&t->flows[index].generation, __ATOMIC_ACQUIRE);
}

static bool bit_set(const struct flow_table *t, uint32_t index)
{
	return __atomic_load_n(&t->open[index / WORD_BITS], __ATOMIC_ACQUIRE) >> index % WORD_BITS &
	       1;
}

static bool read_once(const struct flow_table *t, uint32_t index, union flow_words *copy)
{
	const uint64_t *from = (const uint64_t *)(const void *)&t->flows[index];
	uint32_t generation = flow_table_generation(t, index);

	if (generation == 0 || generation == HW_FLOW_CHANGING)
		return false;
	for (size_t i = 0; i < FLOW_WORDS; i++)
		copy->word[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return flow_table_generation(t, index) == generation && copy->flow.generation == generation;
}

bool flow_table_read(const struct flow_table *t, uint32_t index, struct hw_flow *out)
{
	union flow_words copy not_zeroed;

	/* While an entry is replaced its bit stays set: wait for the few stores, not for ever. */
	for (unsigned tries = 0; tries < FLOW_READ_TRIES; tries++) {
		if (read_once(t, index, &copy)) {
			*out = copy.flow;
			return true;
		}
		if (!bit_set(t, index))
			return false;
	}
	return false;
}

static void entry_write(struct hw_flow *entry, const struct hw_flow *flow)
{
	uint64_t *to = (uint64_t *)(void *)entry;
	uint32_t meanwhile = entry->generation ? HW_FLOW_CHANGING : 0;
	union flow_words copy = {.flow = *flow};

	copy.flow.generation = meanwhile;
	__atomic_store_n(&entry->generation, meanwhile, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < FLOW_WORDS; i++)
		__atomic_store_n(&to[i], copy.word[i], __ATOMIC_RELAXED);
	__atomic_store_n(&entry->generation, flow->generation, __ATOMIC_RELEASE);
}

static void mark_open(struct flow_table *t, uint32_t index)
{
	t->head->open_count++;
	__atomic_fetch_or(&t->open[index / WORD_BITS], 1ull << index % WORD_BITS, __ATOMIC_RELEASE);
}

void flow_adopt(struct flow_table *t, uint32_t index, const struct hw_flow *flow)
{
	entry_write(&t->flows[index], flow);
	mark_open(t, index);
}

static uint32_t next_generation(struct flow_table *t)
{
	uint32_t generation = t->head->generation + 1;

	if (generation == 0 || generation == HW_FLOW_CHANGING)
		generation = 1;
	t->head->generation = generation;
	if (t->kernel_head)
		t->kernel_head->generation = generation;
	return generation;
}

static uint16_t kind_flags(const struct flow_spec *spec)
{
	if (spec->kind == FLOW_RAW)
		return HW_FLOW_RAW;
	if (spec->kind == FLOW_RTCP)
		return HW_FLOW_RTCP;
	return spec->rtcp_mux ? HW_FLOW_RTP | HW_FLOW_RTCP : HW_FLOW_RTP;
}

static uint16_t flags_of(const struct flow_spec *spec)
{
	unsigned flags = kind_flags(spec);

	flags |= spec->local.addr.family == IP_V6 ? HW_FLOW_SOURCE_V6 : 0;
	flags |= spec->out.addr.family == IP_V6 ? HW_FLOW_TO_V6 : 0;
	flags |= spec->to.addr.family != IP_NONE ? HW_FLOW_TO_KNOWN : 0;
	flags |= spec->to_learned ? HW_FLOW_TO_LEARNED : 0;
	flags |= spec->learn_port ? HW_FLOW_LEARN_PORT : 0;
	flags |= spec->dtls ? HW_FLOW_DTLS : 0;
	flags |= spec->from_caller ? HW_FLOW_FROM_CALLER : 0;
	flags |= spec->ice ? HW_FLOW_ICE : 0;
	flags |= spec->secret_in.terminated ? HW_FLOW_OPEN : 0;
	flags |= spec->secret_out.terminated ? HW_FLOW_SEAL : 0;
	flags |= spec->secret_in.required ? HW_FLOW_SECRET_IN : 0;
	flags |= spec->secret_out.required ? HW_FLOW_SECRET_OUT : 0;
	return (uint16_t)flags;
}

uint32_t flow_rate_ns(uint32_t rate_bytes_s)
{
	uint64_t ns = rate_bytes_s ? NS_PER_SECOND * HW_RATE_UNIT / rate_bytes_s : 0;

	return ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static struct hw_flow flow_of(const struct flow_spec *spec, const struct flow_way *way)
{
	struct hw_flow f = {
		.source_port_be = htons(spec->source.port),
		.to_port_be = htons(spec->to.port),
		.flags = flags_of(spec),
		.dscp = spec->dscp,
		.clock_khz = spec->clock_khz,
		.rate_bytes_s = spec->rate_bytes_s,
		.rate_ns_unit = flow_rate_ns(spec->rate_bytes_s),
		.next_hop = way->next_hop,
		.source_hop = way->source_hop,
		.user_why = way->user_why,
		.payload_types = {spec->payload_types[0], spec->payload_types[1]},
		.call = spec->call,
		.zone = spec->zone,
		.out_zone = spec->out_zone,
		.stream = spec->stream,
		.open_key = spec->secret_in.terminated ? spec->secret_in.key : 0,
		.seal_key = spec->secret_out.terminated ? spec->secret_out.key : 0,
	};

	memcpy(f.source, spec->source.addr.bytes, sizeof(f.source));
	memcpy(f.to, spec->to.addr.bytes, sizeof(f.to));
	memcpy(f.codec, spec->codec, sizeof(f.codec) - 1);
	return f;
}

int flow_table_publish(struct flow_table *t, const struct flow_spec *spec, uint64_t now_ns,
		       uint32_t *out_index)
{
	static const struct flow_way user = {.user_why = HW_USER_NO_PROGRAM};

	return flow_table_publish_by(t, spec, &user, now_ns, out_index);
}

int flow_table_publish_by(struct flow_table *t, const struct flow_spec *spec,
			  const struct flow_way *way, uint64_t now_ns, uint32_t *out_index)
{
	uint32_t index = flow_table_index(t, &spec->local);
	uint32_t out = flow_table_index(t, &spec->out);
	struct hw_flow f, old;
	bool was_open;

	if (index == HW_FLOW_NONE || out == HW_FLOW_NONE)
		return ERR_ABSENT;
	was_open = flow_table_read(t, index, &old);
	f = flow_of(spec, way);
	f.out_index = out;
	f.generation = next_generation(t);
	f.opened = was_open && old.call == f.call ? old.opened : f.generation;
	f.opened_ns = now_ns;
	/* User space first: what the kernel path leaves to it finds the entry there. */
	entry_write(&t->flows[index], &f);
	if (flow_kernel_entry(t, index))
		entry_write(flow_kernel_entry(t, index), &f);
	if (!was_open)
		mark_open(t, index);
	*out_index = index;
	return 0;
}

bool flow_table_holds(const struct flow_table *t, const struct flow_spec *spec)
{
	uint32_t index = flow_table_index(t, &spec->local);
	union flow_words there, like = {.word = {0}};

	if (index == HW_FLOW_NONE || !flow_table_read(t, index, &there.flow))
		return false;
	like.flow = flow_of(spec, &(struct flow_way){there.flow.next_hop, there.flow.source_hop,
						     there.flow.user_why});
	like.flow.out_index = flow_table_index(t, &spec->out);
	like.flow.generation = there.flow.generation;
	like.flow.opened = there.flow.opened;
	like.flow.opened_ns = there.flow.opened_ns;
	return memcmp(&like.flow, &there.flow, sizeof(like.flow)) == 0;
}

int flow_table_withdraw(struct flow_table *t, uint32_t index)
{
	struct hw_flow *kernel;

	if (index >= t->size || flow_table_generation(t, index) == 0)
		return ERR_ABSENT;
	kernel = flow_kernel_entry(t, index);
	if (kernel)
		__atomic_store_n(&kernel->generation, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&t->flows[index].generation, 0, __ATOMIC_RELEASE);
	__atomic_fetch_and(&t->open[index / WORD_BITS], ~(1ull << index % WORD_BITS),
			   __ATOMIC_RELEASE);
	t->head->open_count--;
	return 0;
}

static void entry_reroute(struct hw_flow *f, const struct flow_way *way)
{
	const union {
		uint16_t hop[2];
		uint32_t both;
	} hops = {.hop = {way->next_hop, way->source_hop}};

	/* To user space before the hops go, and back only when they are there. */
	if (way->user_why)
		__atomic_store_n(&f->user_why, way->user_why, __ATOMIC_RELEASE);
	__atomic_store_n((uint32_t *)(void *)&f->next_hop, hops.both, __ATOMIC_RELEASE);
	if (!way->user_why)
		__atomic_store_n(&f->user_why, 0, __ATOMIC_RELEASE);
}

void flow_table_reroute(struct flow_table *t, uint32_t index, const struct flow_way *way)
{
	entry_reroute(&t->flows[index], way);
	if (flow_kernel_entry(t, index))
		entry_reroute(flow_kernel_entry(t, index), way);
}

uint32_t flow_table_next(const struct flow_table *t, uint32_t from)
{
	uint64_t word;

	if (from >= t->size)
		return HW_FLOW_NONE;
	word = __atomic_load_n(&t->open[from / WORD_BITS], __ATOMIC_ACQUIRE) &
	       ~0ull << from % WORD_BITS;
	for (uint32_t at = from / WORD_BITS;;) {
		if (word)
			return at * WORD_BITS + (uint32_t)__builtin_ctzll(word);
		if (++at >= t->size / WORD_BITS)
			return HW_FLOW_NONE;
		word = __atomic_load_n(&t->open[at], __ATOMIC_ACQUIRE);
	}
}

size_t flow_table_open_count(const struct flow_table *t)
{
	return __atomic_load_n(&t->head->open_count, __ATOMIC_RELAXED);
}

static struct ip_endpoint endpoint_of(const uint8_t bytes[16], uint16_t port_be, bool v6)
{
	struct ip_endpoint e = {.addr.family = v6 ? IP_V6 : IP_V4, .port = ntohs(port_be)};

	memcpy(e.addr.bytes, bytes, sizeof(e.addr.bytes));
	return e;
}

static uint8_t kind_of(const struct hw_flow *f)
{
	if (f->flags & HW_FLOW_RAW)
		return FLOW_RAW;
	return f->flags & HW_FLOW_RTP ? FLOW_RTP : FLOW_RTCP;
}

/* Suite and key exchange are for listings and stand in no table. */
static struct flow_secret secret_of(bool terminated, bool required, uint32_t key)
{
	return (struct flow_secret){.terminated = terminated, .required = required, .key = key};
}

bool flow_table_spec(const struct flow_table *t, uint32_t index, struct flow_spec *out)
{
	struct flow_spec s = {0};
	struct hw_flow f;

	if (index >= t->size || !flow_table_read(t, index, &f))
		return false;
	if (!flow_table_local(t, index, &s.local) || !flow_table_local(t, f.out_index, &s.out))
		return false;
	s.call = f.call;
	s.zone = f.zone;
	s.out_zone = f.out_zone;
	s.kind = kind_of(&f);
	s.stream = f.stream;
	s.from_caller = f.flags & HW_FLOW_FROM_CALLER;
	s.rtcp_mux = s.kind == FLOW_RTP && f.flags & HW_FLOW_RTCP;
	s.dtls = f.flags & HW_FLOW_DTLS;
	s.ice = f.flags & HW_FLOW_ICE;
	s.learn_port = f.flags & HW_FLOW_LEARN_PORT;
	s.to_learned = f.flags & HW_FLOW_TO_LEARNED;
	s.dscp = f.dscp;
	s.clock_khz = f.clock_khz;
	s.source = endpoint_of(f.source, f.source_port_be, f.flags & HW_FLOW_SOURCE_V6);
	if (f.flags & HW_FLOW_TO_KNOWN)
		s.to = endpoint_of(f.to, f.to_port_be, f.flags & HW_FLOW_TO_V6);
	s.payload_types[0] = f.payload_types[0];
	s.payload_types[1] = f.payload_types[1];
	s.rate_bytes_s = f.rate_bytes_s;
	memcpy(s.codec, f.codec, sizeof(s.codec));
	s.secret_in = secret_of(f.flags & HW_FLOW_OPEN, f.flags & HW_FLOW_SECRET_IN, f.open_key);
	s.secret_out = secret_of(f.flags & HW_FLOW_SEAL, f.flags & HW_FLOW_SECRET_OUT, f.seal_key);
	*out = s;
	return true;
}

struct hw_flow_stats *flow_table_figures(struct flow_table *t, uint32_t index,
					 const struct hw_flow *flow)
{
	struct hw_flow_stats *stats = &t->stats[index];

	/* Whoever claims them writes this last: there is nothing to clear, and no lock to pay for.
	 */
	if (__atomic_load_n(&stats->opened, __ATOMIC_ACQUIRE) == flow->opened)
		return stats;
	hw_figures_lock(stats);
	hw_figures_claim(stats, flow->opened);
	hw_figures_unlock(stats);
	return stats;
}

uint16_t flow_learned_port(const struct hw_flow_stats *stats, const struct hw_flow *flow)
{
	if (__atomic_load_n(&stats->opened, __ATOMIC_ACQUIRE) != flow->opened)
		return 0;
	return (uint16_t)__atomic_load_n(&stats->learned, __ATOMIC_ACQUIRE);
}
