/* The firewall against a real kernel: a gateway's and a peer's network namespace of this process,
 * joined by a veth pair. Nothing outside of them is touched. Skipped without the privilege. */
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit/enforce/gate.h"
#include "unit/failing_alloc.h"

#define MANY 10000

static struct nft_zone_counters counters(struct net *n)
{
	struct nft_zone_counters c = {0};

	assert_int_equal(nft_zone_counters(n->nft, 0, &c), 0);
	return c;
}

/* Another owner's table, which also makes the kernel track connections. */
static void other_table(void)
{
	RUN("nft", "table inet other { chain c { type filter hook input priority 10; "
		   "ct state established counter accept\n }\n}\n");
}

static void r1_pinhole_opens_and_closes_at_once(void **state)
{
	struct net *n = net_of(state);
	const struct nft_pinhole pin = pinhole("192.0.2.1", "192.0.2.2");
	int ours = bound(n->gate_ns, SOCK_DGRAM, "192.0.2.1", MEDIA_PORT);
	int peer = bound(n->peer_ns, SOCK_DGRAM, "192.0.2.2", 4000);
	int stranger = bound(n->peer_ns, SOCK_DGRAM, "192.0.2.3", 4000);

	/* A conversation that the kernel remembers as established. */
	enter(n->gate_ns);
	other_table();
	PASSES(peer, "192.0.2.1", MEDIA_PORT, ours);
	PASSES(ours, "192.0.2.2", 4000, peer);
	PASSES(peer, "192.0.2.1", MEDIA_PORT, ours);
	apply(n, NULL, 0);
	DROPPED(peer, "192.0.2.1", MEDIA_PORT, ours);
	assert_int_equal(counters(n).closed_port_packets, 1);
	assert_int_equal(nft_pinholes_change(n->nft, &pin, 1, NULL, 0), 0);
	PASSES(peer, "192.0.2.1", MEDIA_PORT, ours);
	PASSES(ours, "192.0.2.2", 4000, peer);
	DROPPED(stranger, "192.0.2.1", MEDIA_PORT, ours);
	assert_int_equal(nft_pinholes_change(n->nft, NULL, 0, &pin, 1), 0);
	DROPPED(peer, "192.0.2.1", MEDIA_PORT, ours);
	assert_false(passes_bytes(peer, "192.0.2.1", MEDIA_PORT, ours, 3000, ABSENT_MS));
	assert_int_equal(counters(n).closed_port_packets, 4);
	close(ours);
	close(peer);
	close(stranger);
}

/* Where senders prove themselves, whoever the zone admits may try. */
static void r4_pinhole_for_any_source(void **state)
{
	struct net *n = net_of(state);
	const struct nft_pinhole pins[] = {
		{.local = {addr("192.0.2.1"), MEDIA_PORT}, .any_source = true},
		{.local = {addr("2001:db8::1"), MEDIA_PORT}, .any_source = true},
	};
	int ours = bound(n->gate_ns, SOCK_DGRAM, "192.0.2.1", MEDIA_PORT);
	int ours6 = bound(n->gate_ns, SOCK_DGRAM, "2001:db8::1", MEDIA_PORT);
	int peer = bound(n->peer_ns, SOCK_DGRAM, "192.0.2.2", 4000);
	int stranger = bound(n->peer_ns, SOCK_DGRAM, "192.0.2.3", 4000);
	int peer6 = bound(n->peer_ns, SOCK_DGRAM, "2001:db8::2", 4000);

	apply(n, NULL, 0);
	DROPPED(peer, "192.0.2.1", MEDIA_PORT, ours);
	assert_int_equal(nft_pinholes_change(n->nft, pins, 2, NULL, 0), 0);
	for (unsigned round = 0; round < 2; round++) {
		PASSES(peer, "192.0.2.1", MEDIA_PORT, ours);
		PASSES(stranger, "192.0.2.1", MEDIA_PORT, ours);
		PASSES(peer6, "2001:db8::1", MEDIA_PORT, ours6);
		apply(n, pins, 2); /* a reload keeps them */
	}
	assert_int_equal(nft_pinholes_change(n->nft, NULL, 0, pins, 2), 0);
	DROPPED(peer, "192.0.2.1", MEDIA_PORT, ours);
	DROPPED(peer6, "2001:db8::1", MEDIA_PORT, ours6);
	close(ours);
	close(ours6);
	close(peer);
	close(stranger);
	close(peer6);
}

static void r1_ipv6_pinhole(void **state)
{
	struct net *n = net_of(state);
	const struct nft_pinhole pin = pinhole("2001:db8::1", "2001:db8::2");
	int ours = bound(n->gate_ns, SOCK_DGRAM, "2001:db8::1", MEDIA_PORT);
	int peer = bound(n->peer_ns, SOCK_DGRAM, "2001:db8::2", 4000);

	apply(n, NULL, 0);
	DROPPED(peer, "2001:db8::1", MEDIA_PORT, ours); /* and neighbours were found all the same */
	assert_int_equal(nft_pinholes_change(n->nft, &pin, 1, NULL, 0), 0);
	PASSES(peer, "2001:db8::1", MEDIA_PORT, ours);
	PASSES(ours, "2001:db8::2", 4000, peer);
	assert_int_equal(nft_pinholes_change(n->nft, NULL, 0, &pin, 1), 0);
	DROPPED(peer, "2001:db8::1", MEDIA_PORT, ours);
	close(ours);
	close(peer);
}

static bool connects(struct net *n, uint16_t port, int wait_ms)
{
	int fd = bound(n->peer_ns, SOCK_STREAM, "192.0.2.2", 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_of("192.0.2.1", port, &ss);
	bool done;

	(void)connect(fd, (struct sockaddr *)&ss, len);
	done = poll(&p, 1, wait_ms) == 1 && !(p.revents & (POLLERR | POLLHUP));
	close(fd);
	return done;
}

/* An echo request and its answer (RFC 792). */
static bool answers_echo(struct net *n)
{
	static const uint8_t request[] = {8, 0, 0xf7, 0xfd, 0, 1, 0, 1};
	uint8_t answer[64] = {0};
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_of("192.0.2.1", 0, &ss);
	struct pollfd p = {.events = POLLIN};
	bool good;

	enter(n->peer_ns);
	p.fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	assert_int_equal(sendto(p.fd, request, sizeof(request), 0, (struct sockaddr *)&ss, len),
			 sizeof(request));
	good = poll(&p, 1, ARRIVES_MS) == 1 && recv(p.fd, answer, sizeof(answer), 0) >= 28 &&
	       answer[20] == 0;
	close(p.fd);
	return good;
}

static void r1_default_deny_but_listeners_and_services(void **state)
{
	struct net *n = net_of(state);
	int sip = bound(n->gate_ns, SOCK_DGRAM, "192.0.2.1", 5060);
	int other = bound(n->gate_ns, SOCK_DGRAM, "192.0.2.1", 5070);
	int ssh = bound(n->gate_ns, SOCK_STREAM, "192.0.2.1", 22);
	int telnet = bound(n->gate_ns, SOCK_STREAM, "192.0.2.1", 23);
	int peer = bound(n->peer_ns, SOCK_DGRAM, "192.0.2.2", 5060);
	struct ip_prefix elsewhere;

	assert_int_equal(listen(ssh, 1) | listen(telnet, 1), 0);
	apply(n, NULL, 0);
	PASSES(peer, "192.0.2.1", 5060, sip);
	DROPPED(peer, "192.0.2.1", 5070, other);
	assert_int_equal(counters(n).dropped_packets, 1);
	PASSES(other, "192.0.2.2", 5060, peer);
	PASSES(peer, "192.0.2.1", 5070, other); /* an answer to what we sent */
	assert_true(connects(n, 22, ARRIVES_MS));
	assert_false(connects(n, 23, ABSENT_MS));
	assert_true(answers_echo(n));
	assert_int_equal(ip_prefix_parse(SL("198.51.100.0/24"), &elsewhere), 0);
	n->zone.subnets = &elsewhere;
	n->zone.subnet_count = 1;
	apply(n, NULL, 0);
	DROPPED(peer, "192.0.2.1", 5060, sip);
	close(sip);
	close(other);
	close(ssh);
	close(telnet);
	close(peer);
}

/* A conversation with the address of another zone, known to the connection tracking: who forges its
 * source on this interface is no part of it. */
static void r5_no_way_into_another_zone(void **state)
{
	struct net *n = net_of(state);
	struct config_zone zones[2];
	int core = -1, forger = -1, inner = -1;

	RUN("ip", "link", "add", "core0", "type", "veth", "peer", "name", "pbx0");
	RUN("ip", "addr", "add", "10.10.0.1/24", "dev", "core0");
	RUN("ip", "link", "set", "core0", "up");
	RUN("ip", "link", "set", "pbx0", "up");
	enter(n->peer_ns);
	RUN("ip", "addr", "add", "10.10.0.5/32", "dev", "lo");
	RUN("ip", "route", "add", "10.10.0.1/32", "via", "192.0.2.1", "src", "10.10.0.5");
	core = bound(n->gate_ns, SOCK_DGRAM, "10.10.0.1", 5060);
	forger = bound(n->peer_ns, SOCK_DGRAM, "10.10.0.5", 5060);
	inner = bound(n->gate_ns, SOCK_DGRAM, "192.0.2.1", 5060);
	zones[0] = n->zone;
	zones[1] = (struct config_zone){.address4 = addr("10.10.0.1")};
	memcpy(zones[1].name, "core", 5);
	memcpy(zones[1].interface, "core0", 6);
	n->config.zones = zones;
	n->config.zone_count = 2;
	apply(n, NULL, 0);
	/* This is said to the PBX, which is not there: the kernel remembers the question. */
	DROPPED(core, "10.10.0.5", 5060, inner);
	DROPPED(forger, "10.10.0.1", 5060, core);
	assert_int_equal(counters(n).dropped_packets, 1);
	close(core);
	close(forger);
	close(inner);
}

static void reload_keeps_pinholes_and_counters(void **state)
{
	struct net *n = net_of(state);
	const struct nft_pinhole pin = pinhole("192.0.2.1", "192.0.2.2");
	int ours = bound(n->gate_ns, SOCK_DGRAM, "192.0.2.1", MEDIA_PORT);
	int peer = bound(n->peer_ns, SOCK_DGRAM, "192.0.2.2", 4000);
	int stranger = bound(n->peer_ns, SOCK_DGRAM, "192.0.2.3", 4000);

	apply(n, NULL, 0);
	DROPPED(peer, "192.0.2.1", MEDIA_PORT, ours);
	apply(n, &pin, 1);
	PASSES(peer, "192.0.2.1", MEDIA_PORT, ours);
	assert_int_equal(counters(n).closed_port_packets, 1);
	/* The media range moves away: the running call keeps its port, nobody else gets it. */
	n->config.media.port_first = MEDIA_PORT + 2;
	apply(n, &pin, 1);
	PASSES(peer, "192.0.2.1", MEDIA_PORT, ours);
	DROPPED(stranger, "192.0.2.1", MEDIA_PORT, ours);
	n->config.media.port_first = 16384;
	/* A configuration that nft cannot take changes nothing. */
	memcpy(n->zone.interface, "x y", 4);
	assert_int_equal(apply_to(n->nft, &n->config, NULL, 0), ERR_SYNTAX);
	memcpy(n->zone.interface, "gate0", 6);
	PASSES(peer, "192.0.2.1", MEDIA_PORT, ours);
	close(ours);
	close(peer);
	close(stranger);
}

static void only_our_table_goes(void **state)
{
	struct net *n = net_of(state);
	struct nft_zone_counters c;

	other_table();
	apply(n, NULL, 0);
	RUN("nft", "list", "table", "inet", "hornwork");
	assert_int_equal(nft_remove(n->nft), 0);
	assert_int_not_equal(run_program((const char *const[]){"nft", "list", "table", "inet",
							       "hornwork", NULL}),
			     0);
	RUN("nft", "list", "table", "inet", "other");
	assert_int_equal(nft_remove(n->nft), 0); /* nothing there is no failure */
	assert_int_equal(nft_zone_counters(n->nft, 0, &c), ERR_ABSENT);
}

static void changes_are_idempotent(void **state)
{
	struct net *n = net_of(state);
	const struct nft_pinhole a = pinhole("192.0.2.1", "192.0.2.2");
	const struct nft_pinhole b = pinhole("192.0.2.1", "192.0.2.3");
	const struct nft_pinhole both[] = {a, b};
	int ours = bound(n->gate_ns, SOCK_DGRAM, "192.0.2.1", MEDIA_PORT);
	int peer = bound(n->peer_ns, SOCK_DGRAM, "192.0.2.2", 4000);

	enter(n->gate_ns);
	assert_true(nft_pinholes_change(n->nft, &a, 1, NULL, 0) < 0); /* no table yet */
	assert_string_not_equal(nft_error(n->nft), "");
	apply(n, NULL, 0);
	assert_int_equal(nft_pinholes_change(n->nft, NULL, 0, NULL, 0), 0);
	assert_int_equal(nft_pinholes_change(n->nft, &a, 1, NULL, 0), 0);
	assert_int_equal(nft_pinholes_change(n->nft, &a, 1, NULL, 0), 0);
	assert_int_equal(nft_pinholes_change(n->nft, &a, 1, &a, 1), 0); /* closed, then opened */
	PASSES(peer, "192.0.2.1", MEDIA_PORT, ours);
	assert_int_equal(nft_pinholes_change(n->nft, NULL, 0, both, 2), 0); /* b is not there */
	DROPPED(peer, "192.0.2.1", MEDIA_PORT, ours);
	assert_int_equal(nft_pinholes_change(n->nft, &a, 1, both, 2), 0);
	PASSES(peer, "192.0.2.1", MEDIA_PORT, ours);
	close(ours);
	close(peer);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void ten_thousand_in_a_second(void **state)
{
	struct net *n = net_of(state);
	struct nft_pinhole *pins = mem_zalloc(MANY, sizeof(*pins));
	uint64_t start_ms;

	assert_non_null(pins);
	for (size_t i = 0; i < MANY; i++) {
		bool six = i % 4 == 0;

		pins[i].local.addr = six ? n->zone.address6 : n->zone.address4;
		pins[i].local.port = (uint16_t)(16384 + i);
		pins[i].source = six ? addr("2001:db8::2") : addr("192.0.2.2");
	}
	apply(n, NULL, 0);
	start_ms = now_ms();
	assert_int_equal(nft_pinholes_change(n->nft, pins, MANY, NULL, 0), 0);
	assert_int_equal(nft_pinholes_change(n->nft, NULL, 0, pins, MANY), 0);
	print_message("%d pinholes opened and closed in %llu ms\n", MANY,
		      (unsigned long long)(now_ms() - start_ms));
	assert_in_range(now_ms() - start_ms, 0, 1000);
	/* And all of them at once, as a reload does. */
	apply(n, pins, MANY);
	assert_int_equal(nft_pinholes_change(n->nft, NULL, 0, pins, MANY), 0);
	mem_free(pins);
}

static int apply_once(void *ctx)
{
	struct net *n = ctx;
	struct nft *nft = NULL;
	int err = nft_new(&nft);

	if (!err)
		err = apply_to(nft, &n->config, NULL, 0);
	nft_free(nft);
	return err;
}

static void allocations_fail(void **state)
{
	struct net *n = net_of(state);

	enter(n->gate_ns);
	assert_true(failing_alloc_each(apply_once, n) >= 4);
}

static void without_privilege(void **state)
{
	int status;
	pid_t pid = fork();

	(void)net_of(state);
	if (pid == 0) {
		struct nft *nft = NULL;

		if (setuid(65534) != 0)
			_exit(2);
		_exit(nft_new(&nft) == ERR_DENIED ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_NET(r1_pinhole_opens_and_closes_at_once),
		WITH_NET(r4_pinhole_for_any_source),
		WITH_NET(r1_ipv6_pinhole),
		WITH_NET(r1_default_deny_but_listeners_and_services),
		WITH_NET(r5_no_way_into_another_zone),
		WITH_NET(reload_keeps_pinholes_and_counters),
		WITH_NET(only_our_table_goes),
		WITH_NET(changes_are_idempotent),
		WITH_NET(ten_thousand_in_a_second),
		WITH_NET(allocations_fail),
		WITH_NET(without_privilege),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
