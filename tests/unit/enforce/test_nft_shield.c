/* The shield's limits by nftables, against a real kernel. */
#include "unit/enforce/gate.h"

#include "bpf/shield_abi.h"

#define PER_SOURCE 10 /* so 20 a second pass, and 40 at once */
#define STRANGERS  30
#define MANY	   200 /* a socket's queue takes 256 */
#define INVITE	   "INVITE sip:1@192.0.2.1 SIP/2.0\r\n"
#define REGISTER   "REGISTER sip:192.0.2.1 SIP/2.0\r\n"

struct house {
	struct net *net;
	int sip, peer;
};

static struct house house_of(void **state)
{
	struct house h = {.net = net_of(state)};

	h.net->config.limits.per_source_pps = PER_SOURCE;
	h.net->config.limits.per_network_pps = 1000;
	h.net->config.limits.strangers_pps = STRANGERS;
	nft_shield_want(h.net->nft, true);
	apply(h.net, NULL, 0);
	h.sip = bound(h.net->gate_ns, SOCK_DGRAM, "192.0.2.1", 5060);
	h.peer = bound(h.net->peer_ns, SOCK_DGRAM, "192.0.2.2", 4000);
	return h;
}

static void leave(const struct house *h)
{
	close(h->sip);
	close(h->peer);
}

static unsigned arrived(int fd)
{
	unsigned n = 0;

	while (comes(fd, 60))
		n++;
	return n;
}

/* How many of MANY pass; the socket's queue takes them all. */
static unsigned flood(const struct house *h, int from, const char *text)
{
	struct sockaddr_storage ss;
	socklen_t n = sockaddr_of("192.0.2.1", 5060, &ss);

	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(sendto(from, text, strlen(text), 0, (struct sockaddr *)&ss, n),
				 strlen(text));
	return arrived(h->sip);
}

static uint64_t dropped(const struct house *h, enum nft_shield_counter which)
{
	uint64_t packets = 0;

	assert_int_equal(nft_shield_dropped(h->net->nft, which, &packets), 0);
	return packets;
}

static void trust(const struct house *h, const char *address, enum hw_trust how)
{
	struct nft_trust t = {{addr(address), 4000}, (uint8_t)how};

	if (nft_shield_trust(h->net->nft, &t, 1))
		fail_msg("nft: %s", nft_error(h->net->nft));
}

static void r2_a_source_has_its_limit(void **state)
{
	struct house h = house_of(state);
	unsigned through = flood(&h, h.peer, INVITE);
	int other = bound(h.net->peer_ns, SOCK_DGRAM, "192.0.2.3", 4000);

	assert_in_range(through, 30, 200);
	assert_int_equal(dropped(&h, NFT_SHIELD_SOURCE), MANY - through);
	PASSES(other, "192.0.2.1", 5060, h.sip);
	close(other);
	leave(&h);
}

static void r2_a_registered_phone_does_not_notice(void **state)
{
	struct house h = house_of(state);
	int phone = bound(h.net->peer_ns, SOCK_DGRAM, "192.0.2.3", 4000);

	trust(&h, "192.0.2.3", HW_TRUST_REGISTERED);
	trust(&h, "192.0.2.3", HW_TRUST_REGISTERED); /* again, with a new time */
	/* strangers use up what they have together */
	h.net->config.limits.per_source_pps = PER_SOURCE;
	(void)flood(&h, h.peer, INVITE);
	(void)flood(&h, h.peer, INVITE);
	for (unsigned i = 0; i < 10; i++)
		PASSES(phone, "192.0.2.1", 5060, h.sip);
	assert_int_equal(dropped(&h, NFT_SHIELD_PHONE), 0);
	/* it has a limit of its own */
	assert_in_range(flood(&h, phone, INVITE), 10, 200);
	assert_true(dropped(&h, NFT_SHIELD_PHONE) > 0);
	leave(&h);
	close(phone);
}

/* Each source alone is within its limit, both together are not within what all have. */
static void r2_strangers_and_registers_have_budgets(void **state)
{
	struct house h = house_of(state);
	int other = bound(h.net->peer_ns, SOCK_DGRAM, "192.0.2.3", 4000);
	unsigned through = 0;

	h.net->config.limits.per_source_pps = 100;
	h.net->config.limits.per_network_pps = 100000;
	h.net->config.limits.strangers_pps = 1; /* never less than one source's: 200 */
	apply(h.net, NULL, 0);
	for (unsigned i = 0; i < 2; i++)
		through += flood(&h, h.peer, INVITE) + flood(&h, other, INVITE);
	assert_true(dropped(&h, NFT_SHIELD_STRANGERS) > 0);
	assert_int_equal(dropped(&h, NFT_SHIELD_SOURCE) + dropped(&h, NFT_SHIELD_STRANGERS),
			 4 * MANY - through);
	/* REGISTERs have as much for themselves */
	assert_int_equal(dropped(&h, NFT_SHIELD_REGISTERS), 0);
	sleep(1);
	assert_true(flood(&h, h.peer, REGISTER) > 100);
	close(other);
	leave(&h);
}

static void r2_trust_is_lost_and_challenged(void **state)
{
	struct house h = house_of(state);

	trust(&h, "192.0.2.2", HW_TRUST_CHALLENGED);
	(void)flood(&h, h.peer, INVITE);
	assert_true(dropped(&h, NFT_SHIELD_PHONE) > 0);
	assert_int_equal(dropped(&h, NFT_SHIELD_SOURCE), 0);
	trust(&h, "192.0.2.2", HW_TRUST_STRANGER);
	trust(&h, "192.0.2.2", HW_TRUST_STRANGER); /* what is not there goes too */
	(void)flood(&h, h.peer, INVITE);
	assert_true(dropped(&h, NFT_SHIELD_SOURCE) > 0);
	/* an address where a phone was registered has a budget with the likes of it */
	trust(&h, "192.0.2.2", HW_TRUST_REGISTERED);
	trust(&h, "192.0.2.2", HW_TRUST_STRANGER);
	(void)flood(&h, h.peer, REGISTER);
	assert_true(dropped(&h, NFT_SHIELD_RETURNING) > 0);
	leave(&h);
}

static void r2_never_ban_has_no_limit(void **state)
{
	struct house h = house_of(state);
	struct ip_prefix exempt = {addr("192.0.2.2"), 32};

	h.net->config.limits.never_ban = &exempt;
	h.net->config.limits.never_ban_count = 1;
	apply(h.net, NULL, 0);
	assert_int_equal(flood(&h, h.peer, INVITE), MANY);
	leave(&h);
}

static int connects(const struct house *h, const char *from)
{
	struct sockaddr_storage ss;
	socklen_t n;
	int fd = bound(h->net->peer_ns, SOCK_STREAM, from, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	n = sockaddr_of("192.0.2.1", 5060, &ss);
	(void)!connect(fd, (struct sockaddr *)&ss, n);
	(void)!poll(&p, 1, ABSENT_MS);
	close(fd);
	return !!(p.revents & POLLOUT);
}

static void r2_connections_have_a_limit(void **state)
{
	struct house h = house_of(state);
	unsigned through = 0;
	int door;

	h.net->listener.transport = TRANSPORT_TCP;
	apply(h.net, NULL, 0);
	door = bound(h.net->gate_ns, SOCK_STREAM, "192.0.2.1", 5060);
	assert_int_equal(listen(door, 128), 0);
	for (unsigned i = 0; i < 80; i++)
		through += (unsigned)connects(&h, "192.0.2.2");
	assert_in_range(through, 40, 79);
	assert_true(dropped(&h, NFT_SHIELD_SYN) > 0);
	assert_true(connects(&h, "192.0.2.3"));
	close(door);
	leave(&h);
}

/* Without limits in the configuration, and without the wish, there are none. */
static void r2_no_limits_where_none_are_wanted(void **state)
{
	struct house h = house_of(state);
	uint64_t packets;

	h.net->config.limits.per_source_pps = 0;
	apply(h.net, NULL, 0);
	assert_int_equal(flood(&h, h.peer, INVITE), MANY);
	h.net->config.limits.per_source_pps = PER_SOURCE;
	nft_shield_want(h.net->nft, false);
	apply(h.net, NULL, 0);
	assert_int_equal(flood(&h, h.peer, INVITE), MANY);
	assert_int_equal(nft_shield_dropped(h.net->nft, NFT_SHIELD_SOURCE, &packets), ERR_ABSENT);
	trust(&h, "192.0.2.2", HW_TRUST_REGISTERED); /* nothing, and no failure */
	leave(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_NET(r2_a_source_has_its_limit),
		WITH_NET(r2_a_registered_phone_does_not_notice),
		WITH_NET(r2_strangers_and_registers_have_budgets),
		WITH_NET(r2_trust_is_lost_and_challenged),
		WITH_NET(r2_never_ban_has_no_limit),
		WITH_NET(r2_connections_have_a_limit),
		WITH_NET(r2_no_limits_where_none_are_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
