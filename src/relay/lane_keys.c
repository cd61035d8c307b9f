#include "relay/lane_keys.h"

#include "base/mem.h"

#define SWEEP_NS 1000000000ull

struct lane_key {
	struct list node;
	uint32_t index, opened, generation;
	struct crypt *crypt;
};

int lane_keys_init(struct lane_keys *k, struct vault *vault, uint32_t size)
{
	*k = (struct lane_keys){.vault = vault, .size = size};
	list_init(&k->all);
	if (!vault)
		return 0;
	k->at = mem_zalloc(size, sizeof(struct lane_key *));
	return k->at ? 0 : ERR_NOMEM;
}

static void key_free(struct lane_keys *k, struct lane_key *one)
{
	k->at[one->index] = NULL;
	list_remove(&one->node);
	crypt_free(one->crypt);
	mem_free(one);
}

void lane_keys_done(struct lane_keys *k)
{
	if (k->at)
		list_for_each_safe (n, &k->all)
			key_free(k, container_of(n, struct lane_key, node));
	mem_free(k->at);
	k->at = NULL;
}

static struct lane_key *key_new(struct lane_keys *k, uint32_t index, const struct hw_flow *flow)
{
	struct lane_key *one = mem_zalloc(1, sizeof(*one));

	if (!one || crypt_new(k->vault, index, &one->crypt)) {
		mem_free(one);
		return NULL;
	}
	one->index = index;
	one->opened = flow->opened;
	list_append(&k->all, &one->node);
	k->at[index] = one;
	return one;
}

struct crypt *lane_keys_get(struct lane_keys *k, uint32_t index, const struct hw_flow *flow,
			    uint64_t now_ns)
{
	struct lane_key *one;

	if (!crypt_wanted(flow) || !k->at || index >= k->size)
		return NULL;
	one = k->at[index];
	if (one && one->opened != flow->opened) {
		key_free(k, one);
		one = NULL;
	}
	if (!one)
		one = key_new(k, index, flow);
	if (one && one->generation != flow->generation) {
		crypt_sync(one->crypt, flow, now_ns);
		one->generation = flow->generation;
	}
	return one ? one->crypt : NULL;
}

void lane_keys_forget(struct lane_keys *k, uint32_t index)
{
	if (k->at && index < k->size && k->at[index])
		key_free(k, k->at[index]);
}

void lane_keys_sweep(struct lane_keys *k, const struct flow_table *t, uint64_t now_ns)
{
	if (list_empty(&k->all) || now_ns - k->swept_ns < SWEEP_NS)
		return;
	k->swept_ns = now_ns;
	list_for_each_safe (n, &k->all) {
		struct lane_key *one = container_of(n, struct lane_key, node);

		if (flow_table_generation(t, one->index) == 0)
			key_free(k, one);
	}
}
