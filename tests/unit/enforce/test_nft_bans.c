/* Bans in the firewall, against a real kernel. */
#include <stdlib.h>

#include "unit/enforce/gate.h"

#define MANY 10000

static struct nft_ban ban(const char *prefix, uint64_t for_s)
{
	struct nft_ban b = {.for_s = for_s};

	assert_int_equal(ip_prefix_parse(slice_z(prefix), &b.prefix), 0);
	return b;
}

static void set_bans(struct net *n, const struct nft_ban *bans, size_t count)
{
	if (nft_bans_set(n->nft, bans, count) != 0)
		fail_msg("nft: %s", nft_error(n->nft));
}

static void r2_a_ban_closes_signalling_alone(void **state)
{
	struct net *n = net_of(state);
	const struct nft_pinhole pin = pinhole("192.0.2.1", "192.0.2.2");
	int sip = bound(n->gate_ns, SOCK_DGRAM, "192.0.2.1", 5060);
	int media = bound(n->gate_ns, SOCK_DGRAM, "192.0.2.1", MEDIA_PORT);
	int peer = bound(n->peer_ns, SOCK_DGRAM, "192.0.2.2", 4000);
	int other = bound(n->peer_ns, SOCK_DGRAM, "192.0.2.3", 4000);
	/* One within another, neighbours, and all the other kinds at once. */
	const struct nft_ban bans[] = {ban("192.0.2.2", 0),	ban("198.51.100.0/24", 600),
				       ban("198.51.100.7", 60), ban("198.51.101.1", 60),
				       ban("198.51.101.2", 90), ban("2001:db8:7::/48", 0),
				       ban("2001:db8:7::1", 5)};

	apply(n, &pin, 1);
	PASSES(peer, "192.0.2.1", 5060, sip);
	PASSES(sip, "192.0.2.2", 4000, peer); /* a conversation that the kernel remembers */
	set_bans(n, bans, ROWS(bans));
	DROPPED(peer, "192.0.2.1", 5060, sip);
	PASSES(peer, "192.0.2.1", MEDIA_PORT, media);
	PASSES(other, "192.0.2.1", 5060, sip);
	apply(n, &pin, 1); /* begins with none */
	PASSES(peer, "192.0.2.1", 5060, sip);
	set_bans(n, bans, ROWS(bans));
	DROPPED(peer, "192.0.2.1", 5060, sip);
	set_bans(n, NULL, 0);
	PASSES(peer, "192.0.2.1", 5060, sip);
	close(sip);
	close(media);
	close(peer);
	close(other);
}

static void r2_ten_thousand_bans(void **state)
{
	struct net *n = net_of(state);
	struct nft_ban *bans = calloc(MANY, sizeof(*bans));

	apply(n, NULL, 0);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t be = htonl(0x0a000000u + 2 * i);

		bans[i] = (struct nft_ban){.prefix = {{.family = IP_V4}, 32}, .for_s = 600};
		memcpy(bans[i].prefix.addr.bytes, &be, sizeof(be));
	}
	set_bans(n, bans, MANY);
	set_bans(n, bans, MANY / 2);
	set_bans(n, NULL, 0);
	free(bans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_NET(r2_a_ban_closes_signalling_alone),
		WITH_NET(r2_ten_thousand_bans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
