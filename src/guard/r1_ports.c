#include "guard/r1_ports.h"

#include "base/mem.h"

void r1_ports_init(struct r1_ports *p, uint16_t first, uint16_t last)
{
	*p = (struct r1_ports){.first = first, .last = last};
	p->pairs = last > first ? ((size_t)last - first + 1) / 2 : 0;
}

void r1_ports_done(struct r1_ports *p)
{
	for (size_t i = 0; i < p->count; i++)
		mem_free(p->of[i].taken);
	p->count = 0;
}

static size_t index_of(const struct r1_ports *p, const struct ip_addr *addr)
{
	size_t i = 0;

	while (i < p->count && !ip_eq(&p->of[i].addr, addr))
		i++;
	return i;
}

static struct r1_ports_of *find(struct r1_ports *p, const struct ip_addr *addr)
{
	size_t i = index_of(p, addr);

	return i < p->count ? &p->of[i] : NULL;
}

static int add(struct r1_ports *p, const struct ip_addr *addr, uint32_t random,
	       struct r1_ports_of **out)
{
	struct r1_ports_of *of;

	if (p->count == R1_ADDRESSES_MAX || p->pairs == 0)
		return ERR_LIMIT;
	of = &p->of[p->count];
	*of = (struct r1_ports_of){.addr = *addr, .next = random % p->pairs};
	of->taken = mem_zalloc((p->pairs + 63) / 64, sizeof(uint64_t));
	if (!of->taken)
		return ERR_NOMEM;
	p->count++;
	*out = of;
	return 0;
}

static bool is_taken(const struct r1_ports_of *of, size_t pair)
{
	return of->taken[pair / 64] >> (pair % 64) & 1;
}

static void mark(struct r1_ports_of *of, size_t pair, bool taken)
{
	uint64_t bit = UINT64_C(1) << (pair % 64);

	if (is_taken(of, pair) == taken)
		return;
	of->taken[pair / 64] ^= bit;
	of->used = taken ? of->used + 1 : of->used - 1;
}

int r1_ports_take(struct r1_ports *p, const struct ip_addr *addr, uint32_t random,
		  uint16_t *out_port)
{
	struct r1_ports_of *of = find(p, addr);
	int err = of ? 0 : add(p, addr, random, &of);

	if (err)
		return err;
	if (of->used == p->pairs)
		return ERR_LIMIT;
	while (is_taken(of, of->next))
		of->next = (of->next + 1) % p->pairs;
	mark(of, of->next, true);
	*out_port = (uint16_t)(p->first + of->next * 2);
	of->next = (of->next + 1) % p->pairs;
	return 0;
}

static bool pair_of(const struct r1_ports *p, uint16_t port, size_t *out)
{
	if (port < p->first || port >= p->last || (port - p->first) % 2)
		return false;
	*out = (size_t)(port - p->first) / 2;
	return *out < p->pairs;
}

void r1_ports_give(struct r1_ports *p, const struct ip_addr *addr, uint16_t port)
{
	struct r1_ports_of *of = find(p, addr);
	size_t pair;

	if (of && pair_of(p, port, &pair))
		mark(of, pair, false);
}

bool r1_ports_taken(const struct r1_ports *p, const struct ip_addr *addr, uint16_t port)
{
	size_t i = index_of(p, addr), pair;

	return i < p->count && pair_of(p, port, &pair) && is_taken(&p->of[i], pair);
}

void r1_ports_keep(struct r1_ports *p, const struct ip_addr *addr, uint16_t port)
{
	struct r1_ports_of *of = find(p, addr);
	size_t pair;

	if (!pair_of(p, port, &pair))
		return;
	if (!of && add(p, addr, 0, &of))
		return;
	mark(of, pair, true);
}
