#include "io/fragments.h"

#include "base/mem.h"

#define UNIT_BYTES 8 /* fragments begin at multiples of it */
#define UNITS_MAX  (FRAGMENTS_BYTES_MAX / UNIT_BYTES + 1)

struct datagram {
	bool used;
	struct ip_addr src, dst;
	uint32_t id;
	uint8_t protocol;
	uint64_t first_ns;
	size_t total;	   /* bytes; 0 until the last piece came */
	size_t units_have; /* pieces of eight bytes */
	uint8_t have[UNITS_MAX / 8 + 1];
	char bytes[FRAGMENTS_BYTES_MAX + 1];
};

struct fragments {
	struct datagram slots[FRAGMENTS_DATAGRAMS_MAX];
};

int fragments_new(struct fragments **out)
{
	struct fragments *f = mem_zalloc(1, sizeof(*f));

	if (!f)
		return ERR_NOMEM;
	*out = f;
	return 0;
}

void fragments_free(struct fragments *f)
{
	mem_free(f);
}

static bool belongs(const struct datagram *d, const struct packet *p, uint64_t now_ns)
{
	return d->used && d->id == p->fragment_id && d->protocol == p->protocol &&
	       ip_eq(&d->src, &p->src.addr) && ip_eq(&d->dst, &p->dst.addr) &&
	       now_ns - d->first_ns <= FRAGMENTS_HOLD_NS;
}

static struct datagram *slot_for(struct fragments *f, const struct packet *p, uint64_t now_ns)
{
	struct datagram *oldest = &f->slots[0];

	for (size_t i = 0; i < FRAGMENTS_DATAGRAMS_MAX; i++) {
		struct datagram *d = &f->slots[i];

		if (belongs(d, p, now_ns))
			return d;
		if (!d->used || (oldest->used && d->first_ns < oldest->first_ns))
			oldest = d;
	}
	memset(oldest, 0, offsetof(struct datagram, bytes));
	oldest->used = true;
	oldest->src = p->src.addr;
	oldest->dst = p->dst.addr;
	oldest->id = p->fragment_id;
	oldest->protocol = p->protocol;
	oldest->first_ns = now_ns;
	return oldest;
}

/* The bytes of a unit that came before must be the same again. */
static bool unit_take(struct datagram *d, size_t unit, struct slice bytes)
{
	char *at = d->bytes + unit * UNIT_BYTES;
	uint8_t bit = (uint8_t)(1u << (unit % 8));

	if (d->have[unit / 8] & bit)
		return memcmp(at, bytes.p, bytes.n) == 0;
	memcpy(at, bytes.p, bytes.n);
	d->have[unit / 8] |= bit;
	d->units_have++;
	return true;
}

static bool piece_take(struct datagram *d, const struct packet *p)
{
	struct slice rest = p->fragment;
	size_t end = p->fragment_offset + rest.n;

	if (end > FRAGMENTS_BYTES_MAX || p->cut)
		return false;
	if (p->fragment_more ? rest.n % UNIT_BYTES != 0 : d->total && d->total != end)
		return false;
	if (!p->fragment_more)
		d->total = end;
	for (size_t unit = p->fragment_offset / UNIT_BYTES; rest.n; unit++) {
		if (!unit_take(d, unit, slice_first(rest, UNIT_BYTES)))
			return false;
		rest = slice_from(rest, UNIT_BYTES);
	}
	return true;
}

enum packet_kind fragments_add(struct fragments *f, uint64_t now_ns, struct packet *p)
{
	struct datagram *d = slot_for(f, p, now_ns);

	if (!piece_take(d, p)) {
		d->used = false;
		return PACKET_BROKEN;
	}
	if (d->total == 0 || d->units_have < (d->total + UNIT_BYTES - 1) / UNIT_BYTES)
		return PACKET_FRAGMENT;
	d->used = false; /* its bytes stay until another datagram takes the slot */
	return packet_decode_transport(slice_of(d->bytes, d->total), p);
}
