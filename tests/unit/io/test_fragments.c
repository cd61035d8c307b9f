#include "unit/check.h"
#include "unit/failing_alloc.h"

#include "io/fragments.h"

#define PROTO_UDP 17

/* UDP 5060 to 5062, 24 bytes of payload: four pieces of eight bytes. */
static const char datagram[] = "\x13\xc4\x13\xc6\x00\x20\x00\x00"
			       "abcdefghijklmnopqrstuvwx";

static struct packet piece(uint32_t id, size_t from, size_t n, bool more)
{
	return (struct packet){.protocol = PROTO_UDP,
			       .src.addr = {IP_V4, {192, 0, 2, 1}},
			       .dst.addr = {IP_V4, {192, 0, 2, 2}},
			       .fragment_id = id,
			       .fragment_offset = (uint16_t)from,
			       .fragment_more = more,
			       .fragment = slice_of(datagram + from, n)};
}

static enum packet_kind add(struct fragments *f, uint64_t now_ns, struct packet p,
			    struct packet *out)
{
	enum packet_kind kind = fragments_add(f, now_ns, &p);

	*out = p;
	return kind;
}

static void any_order(void **state)
{
	static const size_t orders[][3] = {{0, 8, 16}, {16, 8, 0}, {8, 16, 0}, {0, 16, 8}};
	struct fragments *f;
	struct packet p;

	(void)state;
	assert_int_equal(fragments_new(&f), 0);
	for (uint32_t i = 0; i < ROWS(orders); i++) {
		for (unsigned k = 0; k < 3; k++) {
			size_t from = orders[i][k];
			bool last = from == 16;
			enum packet_kind kind = add(f, 1, piece(i, from, last ? 16 : 8, !last), &p);

			assert_int_equal(kind, k == 2 ? PACKET_UDP : PACKET_FRAGMENT);
		}
		check_slice("payload", p.payload, "abcdefghijklmnopqrstuvwx");
		assert_int_equal(p.src.port, 5060);
	}
	fragments_free(f);
}

static void twice_the_same_is_no_harm(void **state)
{
	struct fragments *f;
	struct packet p;

	(void)state;
	assert_int_equal(fragments_new(&f), 0);
	assert_int_equal(add(f, 1, piece(1, 0, 16, true), &p), PACKET_FRAGMENT);
	assert_int_equal(add(f, 1, piece(1, 8, 8, true), &p), PACKET_FRAGMENT);
	assert_int_equal(add(f, 1, piece(1, 16, 16, false), &p), PACKET_UDP);
	fragments_free(f);
}

static void contradictions(void **state)
{
	struct packet p, other = piece(1, 8, 8, true), odd = piece(2, 0, 7, true);
	struct packet far = piece(3, 0, 16, false), late = piece(4, 16, 16, false);
	struct fragments *f;

	(void)state;
	assert_int_equal(fragments_new(&f), 0);
	other.fragment = SL("ABCDEFGH");
	assert_int_equal(add(f, 1, piece(1, 0, 16, true), &p), PACKET_FRAGMENT);
	assert_int_equal(add(f, 1, other, &p), PACKET_BROKEN);
	assert_int_equal(add(f, 1, odd, &p), PACKET_BROKEN);
	far.fragment_offset = 65528;
	assert_int_equal(add(f, 1, far, &p), PACKET_BROKEN);
	assert_int_equal(add(f, 1, late, &p), PACKET_FRAGMENT);
	late.fragment = slice_first(late.fragment, 8);
	assert_int_equal(add(f, 1, late, &p), PACKET_BROKEN);
	fragments_free(f);
}

static void limits(void **state)
{
	struct fragments *f;
	struct packet p;

	(void)state;
	assert_int_equal(fragments_new(&f), 0);
	/* One more datagram than there is room for: the oldest gave way. */
	for (uint32_t i = 0; i <= FRAGMENTS_DATAGRAMS_MAX; i++)
		assert_int_equal(add(f, 1 + i, piece(i, 0, 16, true), &p), PACKET_FRAGMENT);
	assert_int_equal(add(f, 99, piece(0, 16, 16, false), &p), PACKET_FRAGMENT);
	assert_int_equal(add(f, 99, piece(FRAGMENTS_DATAGRAMS_MAX, 16, 16, false), &p), PACKET_UDP);
	/* The rest of a datagram comes too late. */
	assert_int_equal(add(f, 100, piece(1000, 0, 16, true), &p), PACKET_FRAGMENT);
	assert_int_equal(add(f, 101 + FRAGMENTS_HOLD_NS, piece(1000, 16, 16, false), &p),
			 PACKET_FRAGMENT);
	fragments_free(f);
}

static int allocate(void *context)
{
	struct fragments *f;
	int err = fragments_new(&f);

	(void)context;
	if (!err)
		fragments_free(f);
	return err;
}

static void failing(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(allocate, NULL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order),	  cmocka_unit_test(twice_the_same_is_no_harm),
		cmocka_unit_test(contradictions), cmocka_unit_test(limits),
		cmocka_unit_test(failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
