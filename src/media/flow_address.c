#include "media/flow_table_impl.h"

#include "bpf/judge.h"

static uint8_t family_number(const struct ip_addr *a)
{
	return a->family == IP_V4 ? 4 : a->family == IP_V6 ? 6 : 0;
}

static uint32_t slot_find(const struct flow_table *t, const struct ip_addr *a)
{
	uint8_t family = family_number(a);

	for (uint32_t slot = 0; family && slot < t->slot_count; slot++) {
		const struct hw_table_address *at = &t->head->address[slot];

		if (at->family == family && memcmp(at->bytes, a->bytes, sizeof(at->bytes)) == 0)
			return slot;
	}
	return HW_FLOW_NONE;
}

int flow_table_address_add(struct flow_table *t, const struct ip_addr *a)
{
	if (!family_number(a))
		return ERR_SYNTAX;
	if (slot_find(t, a) != HW_FLOW_NONE)
		return 0;
	for (uint32_t slot = 0; slot < t->slot_count; slot++) {
		struct hw_table_address *at = &t->head->address[slot];

		if (at->family)
			continue;
		memcpy(at->bytes, a->bytes, sizeof(at->bytes));
		__atomic_store_n(&at->family, family_number(a), __ATOMIC_RELEASE);
		if (t->kernel_head)
			t->kernel_head->address[slot] = *at;
		return 0;
	}
	return ERR_LIMIT;
}

/* Makes an address findable by the kernel path. ERR_LIMIT: too many share its places. */
static int find_add(struct flow_table *t, uint32_t slot)
{
	struct hw_table_head *head = t->kernel_head;
	uint32_t word[4], start;

	memcpy(word, head->address[slot].bytes, sizeof(word));
	start = hw_find_start(word);
	for (uint32_t i = 0; i < HW_FIND_PROBES; i++) {
		uint8_t *place = &head->find[(start + i) % (1u << HW_FIND_BITS)];

		if (*place == 0)
			__atomic_store_n(place, (uint8_t)(slot + 1), __ATOMIC_RELEASE);
		if (*place == slot + 1)
			return 0;
	}
	return ERR_LIMIT;
}

int flow_table_reach(struct flow_table *t, const struct ip_addr *a, const struct flow_reach *reach)
{
	uint32_t slot = slot_find(t, a);
	struct hw_table_address *at;
	int err;

	if (slot == HW_FLOW_NONE)
		return ERR_ABSENT;
	if (!t->kernel_head)
		return reach->ifindex ? ERR_DENIED : 0;
	at = &t->kernel_head->address[slot];
	if (at->ifindex != reach->ifindex || memcmp(at->vlan, reach->vlan, sizeof(at->vlan)) != 0 ||
	    at->interface != reach->interface)
		__atomic_store_n(&at->ifindex, 0, __ATOMIC_RELEASE);
	if (reach->ifindex == 0)
		return 0;
	err = find_add(t, slot);
	if (err)
		return err;
	at->interface = reach->interface;
	at->generic = reach->generic;
	memcpy(at->vlan, reach->vlan, sizeof(at->vlan));
	__atomic_store_n(&at->ifindex, reach->ifindex, __ATOMIC_RELEASE);
	return 0;
}

bool flow_table_reached(const struct flow_table *t, const struct ip_addr *a)
{
	uint32_t slot = slot_find(t, a);

	return t->kernel_head && slot != HW_FLOW_NONE && t->kernel_head->address[slot].ifindex != 0;
}

void flow_table_range(struct flow_table *t, uint16_t first, uint16_t last)
{
	if (!t->kernel_head)
		return;
	t->kernel_head->port_first = first;
	t->kernel_head->port_last = last;
}

uint32_t flow_table_index(const struct flow_table *t, const struct ip_endpoint *local)
{
	uint32_t slot = slot_find(t, &local->addr);

	return slot == HW_FLOW_NONE || local->port == 0 ? HW_FLOW_NONE
							: slot * HW_TABLE_PORTS_MAX + local->port;
}

uint32_t flow_table_size(const struct flow_table *t)
{
	return t->size;
}

bool flow_table_local(const struct flow_table *t, uint32_t index, struct ip_endpoint *out)
{
	const struct hw_table_address *at;

	if (index >= t->size)
		return false;
	at = &t->head->address[index / HW_TABLE_PORTS_MAX];
	if (!__atomic_load_n(&at->family, __ATOMIC_ACQUIRE))
		return false;
	out->addr.family = at->family == 4 ? IP_V4 : IP_V6;
	memcpy(out->addr.bytes, at->bytes, sizeof(at->bytes));
	out->port = (uint16_t)(index % HW_TABLE_PORTS_MAX);
	return true;
}
