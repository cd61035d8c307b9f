#include "unit/relay/way.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "bpf/path.h"
#include "enforce/xsk.h"
#include "relay/lane.h"
#include "unit/relay/rig.h"

#define SKIP	   77
#define PORT_FIRST 32768
#define PORT_LAST  61440
#define FREE_TRIES 500 /* the kernel takes back a closed socket's queue a little later */
#define FREE_US	   2000

const struct way way = {.outside = "198.51.100.2",
			.inside = "198.51.100.3",
			.caller = "198.51.100.4",
			.callee = "198.51.100.5",
			.stranger = "198.51.100.6",
			.outside6 = "2001:db8::2",
			.caller6 = "2001:db8::4",
			.wait_ms = 1};

struct place {
	int gateway, peers; /* namespaces */
	struct bpf_path path;
	uint16_t hop;
	uint32_t ifindex;
	struct lane *lane; /* the relay's */
};

static struct place *place(void)
{
	static struct place p;

	return &p;
}

static int new_namespace(void)
{
	return unshare(CLONE_NEWNET) ? -1 : open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static void enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

/* A cable between the two. Both namespaces have no name and go with this process. */
static int cable(const struct place *p)
{
	char command[2048];

	enter(p->gateway);
	snprintf(command, sizeof(command),
		 "ip link add hw-g address 02:00:00:00:00:01 type veth peer name hw-p address "
		 "02:00:00:00:00:02 netns /proc/%d/fd/%d && "
		 "for a in %s/24 %s/24 %s/64; do ip addr add $a dev hw-g || exit 1; done; "
		 "sysctl -qw net.ipv6.conf.hw-g.accept_dad=0; ip link set lo up; ip link set hw-g "
		 "up",
		 getpid(), p->peers, way.outside, way.inside, way.outside6);
	if (system(command) != 0)
		return -1;
	enter(p->peers);
	snprintf(command, sizeof(command),
		 "for a in %s/24 %s/24 %s/24 %s/64; do ip addr add $a dev hw-p || exit 1; "
		 "done; "
		 "sysctl -qw net.ipv6.conf.hw-p.accept_dad=0; ip link set lo up; ip link set hw-p "
		 "up; ethtool -K hw-p gro on >/dev/null",
		 way.caller, way.callee, way.stranger, way.caller6);
	return system(command);
}

int way_begin(void)
{
	struct place *p = place();

	p->gateway = geteuid() == 0 ? new_namespace() : -1;
	p->peers = p->gateway < 0 ? -1 : new_namespace();
	if (p->peers < 0) {
		printf("skipped: namespaces and AF_XDP need root\n");
		return SKIP;
	}
	if (cable(p) != 0)
		return 1;
	enter(p->gateway);
	p->ifindex = if_nametoindex("hw-g");
	return p->ifindex ? 0 : 1;
}

/* For the warden, and the same blocks for media. */
static int take_address(struct place *p, struct flow_table *path, const char *address)
{
	struct flow_reach reach = {.ifindex = p->ifindex};
	struct ip_endpoint local = rig_at(address, PORT_FIRST);
	int err;

	reach.interface = xdp_interface_number(p->path.xdp, p->ifindex);
	err = path_address(&p->path, &local.addr, &reach, PORT_FIRST, PORT_LAST);
	for (uint32_t port = PORT_FIRST; port <= PORT_LAST && !err; port += HW_BLOCK_PORTS) {
		unsigned block;
		struct xdp_block b;

		local.port = (uint16_t)port;
		block = flow_table_index(path, &local) / HW_BLOCK_PORTS;
		err = xdp_block(p->path.xdp, block, &b);
		if (err)
			return err;
		err = flow_table_block(path, block, &(struct flow_table_fds){-1, b.figures});
		close(b.flows);
		close(b.figures);
	}
	return err;
}

int way_tables(struct flow_table **out_owner, struct flow_table **out_path)
{
	struct place *p = place();
	struct hw_next_hop hop = {.ifindex = p->ifindex,
				  .mtu = 1500,
				  .mac_to = {2, 0, 0, 0, 0, 2},
				  .mac_from = {2, 0, 0, 0, 0, 1}};
	const char *why = NULL;
	enum xdp_mode mode;
	int err = path_init(&p->path, NULL, PORT_FIRST, PORT_LAST, &why);

	err = err ? err : xdp_attach(p->path.xdp, p->ifindex, false, &mode);
	if (err) {
		fprintf(stderr, "%s\n", why);
		return err;
	}
	p->hop = path_hop(&p->path, &hop);
	*out_owner = p->path.table;
	*out_path = rig_path_view(*out_owner);
	err = take_address(p, *out_path, way.outside);
	err = err ? err : take_address(p, *out_path, way.inside);
	return err ? err : take_address(p, *out_path, way.outside6);
}

void way_tables_free(struct flow_table *owner, struct flow_table *path)
{
	flow_table_free(path);
	path_done(&place()->path);
}

int way_address(struct flow_table *owner, const struct ip_addr *a)
{
	return flow_table_index(owner, &(struct ip_endpoint){*a, 1}) == HW_FLOW_NONE;
}

int way_publish(struct flow_table *owner, const struct flow_spec *spec, uint32_t *out_index)
{
	const struct flow_way by = {.next_hop = place()->hop,
				    .source_hop = place()->hop,
				    .user_why = HW_USER_CONFIGURED};

	return flow_table_publish_by(owner, spec, &by, rig_now_ns(), out_index);
}

int way_relay(struct relay *r, struct flow_table *path)
{
	struct place *p = place();
	struct lane_setup setup = {.ifindex = {p->ifindex}, .next_hops = p->path.hops, .count = 1};
	uint32_t key = xdp_socket_key(xdp_interface_number(p->path.xdp, p->ifindex), 0);
	struct xsk_lane_fds fds;
	int err = -EBUSY;

	for (int i = 0; i < FREE_TRIES && err == -EBUSY; i++) {
		err = xsk_lane_open(&p->ifindex, 1, 0, &fds);
		if (err == -EBUSY)
			usleep(FREE_US);
	}
	if (err)
		return err;
	if (bpf_map_update_elem(xdp_map_fd(p->path.xdp, XDP_MAP_SOCKETS), &key, &fds.socket[0],
				BPF_ANY) != 0)
		return -errno;
	setup.socket[0] = fds.socket[0];
	setup.frames = fds.frames;
	err = lane_new(&setup, path, &p->lane);
	close(fds.frames);
	return err ? err : relay_set_lane(r, p->lane);
}

int way_peer(struct ip_endpoint *e)
{
	int fd;

	enter(place()->peers);
	fd = rig_socket(e);
	enter(place()->gateway);
	return fd;
}

size_t way_taken(void)
{
	return lane_relayed(place()->lane);
}
