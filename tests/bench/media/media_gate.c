/* A gateway's media side for the benchmark: opens the flows of N streams as calls would and relays
 * them until it is told to end, by ordinary sockets, by AF_XDP sockets, or in the kernel. */
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bench/media/load.h"
#include "bench/media/sealed.h"
#include "bpf/path.h"
#include "enforce/xsk.h"
#include "media/limits.h"
#include "relay/lane.h"
#include "relay/relay.h"
#include "relay/workers.h"

#define PORT_FIRST 16384
#define PORT_LAST  65535

struct options {
	uint32_t first, streams;
	const char *path;
	/* What comes from the client is sealed, and goes on sealed; SRTP_NONE = plain. */
	enum srtp_suite open, seal;
};

struct hops {
	uint16_t client, server;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static struct ip_endpoint at(uint32_t address, uint32_t port)
{
	struct ip_endpoint e = {.addr.family = IP_V4, .port = (uint16_t)port};

	for (int i = 0; i < 4; i++)
		e.addr.bytes[i] = (uint8_t)(address >> (24 - 8 * i));
	return e;
}

/* RTP or RTCP from one side; policed, but far above what any run sends. */
static struct flow_spec spec_of(const struct options *o, uint32_t stream, bool from_caller,
				bool rtcp)
{
	uint32_t shift = 2 * stream + rtcp;
	struct ip_endpoint outside = at(LOAD_OUTSIDE, LOAD_CLIENT_PORT + shift);
	struct ip_endpoint inside = at(LOAD_INSIDE, LOAD_SERVER_PORT + shift);
	struct ip_endpoint client = at(LOAD_CLIENT, LOAD_CLIENT_PORT + shift);
	struct ip_endpoint server = at(LOAD_SERVER, LOAD_SERVER_PORT + shift);

	struct flow_spec spec = {
		.call = stream + 1,
		.zone = from_caller ? 0 : 1,
		.out_zone = from_caller ? 1 : 0,
		.kind = rtcp ? FLOW_RTCP : FLOW_RTP,
		.from_caller = from_caller,
		.dscp = 46,
		.clock_khz = 8,
		.local = from_caller ? outside : inside,
		.out = from_caller ? inside : outside,
		.source = from_caller ? client : server,
		.to = from_caller ? server : client,
		.payload_types = {1},
		.rate_bytes_s = FLOW_RATE_MAX,
		.codec = "PCMU/8000",
	};

	if (o->open != SRTP_NONE && from_caller)
		spec.secret_in =
			(struct flow_secret){KEYS_SDES, (uint8_t)o->open, true, true, stream + 1};
	if (o->seal != SRTP_NONE && from_caller)
		spec.secret_out =
			(struct flow_secret){KEYS_SDES, (uint8_t)o->seal, true, true, stream + 1};
	return spec;
}

/* A key for each stream, as signal puts it there. */
static int put_keys(const struct flow_table *t, const struct vault_fds *fds,
		    const struct options *o)
{
	struct vault *v;
	int err = vault_map(fds, VAULT_WRITER, &v);

	for (uint32_t i = o->first; i < o->first + o->streams && !err && (o->open || o->seal); i++)
		for (unsigned rtcp = 0; rtcp < 2; rtcp++) {
			struct flow_spec spec = spec_of(o, i, true, rtcp);
			struct vault_keys keys = {.open_number = i + 1, .seal_number = i + 1};

			/* The client's, as the load has it, and another one for the server. */
			keys.open = sealed_key(o->open, i);
			keys.seal = sealed_key(o->seal, i | LOAD_DIRECTION);
			vault_put(v, flow_table_index(t, &spec.local), &keys);
		}
	if (!err)
		vault_free(v);
	return err;
}

static int vault_open(const struct flow_table *t, const struct options *o, struct vault **out)
{
	struct vault_fds fds;
	int err = vault_create(2, &fds);

	if (err)
		return err;
	err = put_keys(t, &fds, o);
	err = err ? err : vault_map(&fds, VAULT_PATH, out);
	vault_fds_close(&fds);
	return err;
}

static int open_flows(struct flow_table *t, const struct options *o, const struct hops *hops,
		      enum hw_user_why why)
{
	int err = 0;

	for (uint32_t i = 0; i < 4 * o->streams && !err; i++) {
		struct flow_spec spec = spec_of(o, o->first + i / 4, i & 1, i & 2);
		struct flow_way way = {.next_hop = i & 1 ? hops->server : hops->client,
				       .source_hop = i & 1 ? hops->client : hops->server,
				       .user_why = (uint8_t)why};
		uint32_t index;

		err = flow_table_publish_by(t, &spec, &way, now_ns(), &index);
	}
	return err;
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* The relay's threads end with the process. */
static void wait_for_end(void)
{
	sigset_t end;
	int number;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	sigwait(&end, &number);
}

static int path_view(const struct flow_table *t, struct flow_table **out)
{
	struct flow_table_fds fds;
	int err = flow_table_share(t, FLOW_TABLE_PATH, &fds);

	return err ? err : flow_table_map(&fds, FLOW_TABLE_PATH, out);
}

static int run_sockets(const struct options *o)
{
	struct ip_endpoint outside = at(LOAD_OUTSIDE, 0), inside = at(LOAD_INSIDE, 0);
	struct workers_setup setup = {.count = 1, .now_ns = now_ns};
	struct flow_table *table = NULL;
	struct workers *workers = NULL;
	int err = flow_table_create(2, &table);

	err = err ? err : flow_table_address_add(table, &outside.addr);
	err = err ? err : flow_table_address_add(table, &inside.addr);
	err = err ? err : open_flows(table, o, &(struct hops){0}, HW_USER_CONFIGURED);
	err = err ? err : vault_open(table, o, &setup.vault);
	err = err ? err : path_view(table, &setup.table);
	err = err ? err : workers_start(&setup, &workers);
	if (!err && workers_unbound(workers))
		err = -EADDRINUSE;
	if (!err) {
		ready();
		wait_for_end();
	}
	workers_stop(workers);
	vault_free(setup.vault);
	flow_table_free(setup.table);
	flow_table_free(table);
	return err;
}

static uint16_t hop_to(struct bpf_path *p, uint32_t ifindex, uint8_t network)
{
	const struct hw_next_hop hop = {.ifindex = ifindex,
					.mtu = 1500,
					.mac_to = {2, 0, 0, 0, network, 2},
					.mac_from = {2, 0, 0, 0, network, 1}};

	return path_hop(p, &hop);
}

static int side_up(struct bpf_path *p, const char *interface, uint32_t address)
{
	struct ip_endpoint local = at(address, 0);
	struct flow_reach reach = {.ifindex = if_nametoindex(interface)};
	enum xdp_mode mode;
	int err = xdp_attach(p->xdp, reach.ifindex, false, &mode);

	if (err)
		return err;
	reach.interface = xdp_interface_number(p->xdp, reach.ifindex);
	return path_address(p, &local.addr, &reach, PORT_FIRST, PORT_LAST);
}

static int kernel_up(struct bpf_path *p, const struct options *o, enum hw_user_why user_why)
{
	const char *why = NULL;
	int err = path_init(p, NULL, PORT_FIRST, PORT_LAST, &why);
	struct hops hops;

	err = err ? err : side_up(p, "out0", LOAD_OUTSIDE);
	err = err ? err : side_up(p, "in0", LOAD_INSIDE);
	if (err) {
		fprintf(stderr, "media_gate: %s\n", xdp_error(p->xdp));
		return err;
	}
	hops.client = hop_to(p, if_nametoindex("out0"), 1);
	hops.server = hop_to(p, if_nametoindex("in0"), 2);
	return open_flows(p->table, o, &hops, user_why);
}

static int run_kernel(const struct options *o)
{
	struct bpf_path p;
	int err = kernel_up(&p, o, HW_USER_NOT);

	if (!err) {
		ready();
		wait_for_end();
	}
	path_done(&p);
	return err;
}

/* The table as media has it: the same figures. */
static int path_view_blocks(struct bpf_path *p, struct flow_table **out)
{
	int err = path_view(p->table, out);

	for (unsigned slot = 0; slot < 2 && !err; slot++) {
		for (unsigned i = PORT_FIRST / HW_BLOCK_PORTS; i < HW_SLOT_BLOCKS && !err; i++) {
			unsigned block = slot * HW_SLOT_BLOCKS + i;
			struct xdp_block b;

			err = xdp_block(p->xdp, block, &b);
			err = err ? err
				  : flow_table_block(*out, block,
						     &(struct flow_table_fds){-1, b.figures});
		}
	}
	return err;
}

static int lane_make(struct bpf_path *p, struct flow_table *table, struct vault *vault,
		     struct lane **out)
{
	struct lane_setup setup = {.next_hops = p->hops, .count = 2, .vault = vault};
	struct xsk_lane_fds fds;
	int err;

	setup.ifindex[0] = if_nametoindex("out0");
	setup.ifindex[1] = if_nametoindex("in0");
	err = xsk_lane_open(setup.ifindex, 2, 0, &fds);
	for (size_t i = 0; i < 2 && !err; i++) {
		uint16_t interface = xdp_interface_number(p->xdp, setup.ifindex[i]);
		uint32_t key = xdp_socket_key(interface, 0);

		setup.socket[i] = fds.socket[i];
		if (bpf_map_update_elem(xdp_map_fd(p->xdp, XDP_MAP_SOCKETS), &key, &fds.socket[i],
					BPF_ANY) != 0)
			err = -errno;
	}
	setup.frames = fds.frames;
	return err ? err : lane_new(&setup, table, out);
}

/* The relay as a thread of media runs it; as nobody's worker, it binds no ordinary sockets, of
 * which one process may not have as many as the benchmark has flows. */
static int run_xdp(const struct options *o)
{
	struct relay_setup setup = {.worker = 1, .workers = 1, .wake_fd = -1, .now_ns = now_ns};
	struct relay *relay = NULL;
	struct lane *lane = NULL;
	struct bpf_path p;
	int err = kernel_up(&p, o, HW_USER_CONFIGURED);

	err = err ? err : path_view_blocks(&p, &setup.table);
	err = err ? err : vault_open(p.table, o, &setup.vault);
	err = err ? err : lane_make(&p, setup.table, setup.vault, &lane);
	err = err ? err : relay_new(&setup, &relay);
	err = err ? err : relay_set_lane(relay, lane);
	if (!err)
		ready();
	while (!err)
		err = relay_run(relay, -1);
	return err;
}

static int run(const struct options *o)
{
	if (strcmp(o->path, "sockets") == 0)
		return run_sockets(o);
	if (strcmp(o->path, "kernel") == 0)
		return run_kernel(o);
	/* Nothing of it is pinned: a signal may end it anywhere. */
	return run_xdp(o);
}

static int options_read(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{"first", required_argument, NULL, 'f'}, {"streams", required_argument, NULL, 'n'},
		{"path", required_argument, NULL, 'p'},	 {"open", required_argument, NULL, 'o'},
		{"seal", required_argument, NULL, 's'},	 {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){0};
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'n')
			o->streams = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'f')
			o->first = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'p')
			o->path = optarg;
		else if (c == 'o')
			o->open = srtp_suite_by_name(slice_z(optarg));
		else if (c == 's')
			o->seal = srtp_suite_by_name(slice_z(optarg));
	}
	return o->path && o->streams && o->first <= LOAD_STREAMS_MAX &&
			       o->streams <= LOAD_STREAMS_MAX - o->first
		       ? 0
		       : -EINVAL;
}

int main(int argc, char **argv)
{
	struct options o;
	sigset_t end;
	int err;

	if (options_read(&o, argc, argv)) {
		fprintf(stderr,
			"usage: media_gate [--first N] --streams N --path sockets|xdp|kernel "
			"[--open SUITE] [--seal SUITE]\n");
		return 2;
	}
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	if (strcmp(o.path, "xdp") != 0)
		sigprocmask(SIG_BLOCK, &end, NULL);
	err = run(&o);
	if (err)
		fprintf(stderr, "media_gate: %s\n", err_text(err));
	return err ? 1 : 0;
}
