/* A gateway's and a peer's network namespace of this process, joined by a veth pair, and a
 * configuration for them: for tests of the firewall against a real kernel. Nothing outside of them
 * is touched. Tests are skipped without the privilege. */
#ifndef HW_TESTS_UNIT_ENFORCE_GATE_H
#define HW_TESTS_UNIT_ENFORCE_GATE_H

#include <unistd.h>

#include "enforce/nft.h"
#include "guard/r5_segment.h"
#include "unit/enforce/net.h"

#define MEDIA_PORT 20000

struct net {
	bool usable;
	int home, peer_ns, gate_ns; /* namespaces */
	struct config config;
	struct config_zone zone;
	struct config_listener listener;
	struct config_listen service;
	struct nft *nft;
};

static inline void make_links(struct net *n)
{
	char peer[32];

	snprintf(peer, sizeof(peer), "/proc/%d/fd/%d", getpid(), n->peer_ns);
	RUN("ip", "link", "add", "gate0", "type", "veth", "peer", "name", "peer0", "netns", peer);
	RUN("ip", "addr", "add", "192.0.2.1/24", "dev", "gate0");
	RUN("ip", "addr", "add", "2001:db8::1/64", "dev", "gate0", "nodad");
	RUN("ip", "link", "set", "gate0", "up");
	RUN("ip", "link", "set", "lo", "up");
	enter(n->peer_ns);
	RUN("ip", "addr", "add", "192.0.2.2/24", "dev", "peer0");
	RUN("ip", "addr", "add", "192.0.2.3/24", "dev", "peer0");
	RUN("ip", "addr", "add", "2001:db8::2/64", "dev", "peer0", "nodad");
	RUN("ip", "link", "set", "peer0", "up");
	enter(n->gate_ns);
}

static inline void make_config(struct net *n)
{
	memcpy(n->zone.name, "internet", 9);
	memcpy(n->zone.interface, "gate0", 6);
	n->zone.address4 = addr("192.0.2.1");
	n->zone.address6 = addr("2001:db8::1");
	n->service = (struct config_listen){TRANSPORT_TCP, 22};
	n->zone.services = &n->service;
	n->zone.service_count = 1;
	n->listener = (struct config_listener){0, TRANSPORT_UDP, {n->zone.address4, 5060}};
	n->config = (struct config){.zones = &n->zone,
				    .zone_count = 1,
				    .listeners = &n->listener,
				    .listener_count = 1,
				    .media = {.port_first = 16384, .port_last = 32767}};
}

static inline int set_up(void **state)
{
	static struct net n;

	memset(&n, 0, sizeof(n));
	*state = &n;
	n.home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	n.peer_ns = n.home < 0 ? -1 : new_namespace();
	n.gate_ns = n.peer_ns < 0 ? -1 : new_namespace();
	if (n.gate_ns < 0)
		return 0;
	if (nft_new(&n.nft) == 0) {
		make_links(&n);
		make_config(&n);
		n.usable = true;
	}
	return 0;
}

static inline int tear_down(void **state)
{
	struct net *n = *state;

	nft_free(n->nft);
	if (n->home >= 0 && n->gate_ns >= 0 && setns(n->home, CLONE_NEWNET) != 0)
		return -1;
	close(n->gate_ns);
	close(n->peer_ns);
	close(n->home);
	return 0;
}

static inline struct net *net_of(void **state)
{
	struct net *n = *state;

	if (!n->usable)
		skip_because("no namespaces or no nf_tables for us here");
	return n;
}

static inline int apply_to(struct nft *nft, const struct config *c, const struct nft_pinhole *pins,
			   size_t count)
{
	struct segment_policy *policy = NULL;
	int err = r5_segment_new(c, &policy);

	err = err ? err : nft_apply(nft, c, policy, pins, count);
	r5_segment_free(policy);
	return err;
}

static inline void apply(struct net *n, const struct nft_pinhole *pins, size_t count)
{
	enter(n->gate_ns);
	if (apply_to(n->nft, &n->config, pins, count) != 0)
		fail_msg("nft: %s", nft_error(n->nft));
}

static inline struct nft_pinhole pinhole(const char *local, const char *source)
{
	return (struct nft_pinhole){{addr(local), MEDIA_PORT}, addr(source)};
}

#define WITH_NET(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
