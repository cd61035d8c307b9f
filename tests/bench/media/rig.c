#include "bench/media/rig.h"
#include "bench/media/frame.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define PATH_BYTES    256
#define CPUS_MAX      512
#define SETUP_US      30000 /* of one BPF_PROG_TEST_RUN, before the first packet */
#define Q8_PER_SECOND 256e9
#define POOL_BYTES    (LOAD_POOL_PACKETS * sizeof(struct load_slot))

static const uint8_t mac_client[6] = {2, 0, 0, 0, 1, 2}, mac_outside[6] = {2, 0, 0, 0, 1, 1},
		     mac_server[6] = {2, 0, 0, 0, 2, 2}, mac_inside[6] = {2, 0, 0, 0, 2, 1};

static int complain(const char *what, int err)
{
	fprintf(stderr, "media_load: %s: %s\n", what, strerror(-err));
	return err;
}

static int end_open(struct rig_end *e, const char *prefix, const char *host, const char *device)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/run/netns/%s-%s", prefix, host);
	e->netns = open(path, O_RDONLY | O_CLOEXEC);
	if (e->netns < 0)
		return complain(path, -errno);
	if (setns(e->netns, CLONE_NEWNET) != 0)
		return complain("setns", -errno);
	e->ifindex = (int)if_nametoindex(device);
	return e->ifindex ? 0 : complain(device, -errno);
}

/* The calling thread stays in that namespace until the next one. */
static int end_attach(struct rig_end *e, struct bpf_object *o, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(o, name);
	int err;

	if (!program || setns(e->netns, CLONE_NEWNET) != 0)
		return complain(name, -EINVAL);
	err = bpf_xdp_attach(e->ifindex, bpf_program__fd(program),
			     XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	e->attached = err == 0;
	return err ? complain(name, err) : 0;
}

static void end_close(struct rig_end *e)
{
	if (e->attached && setns(e->netns, CLONE_NEWNET) == 0)
		(void)bpf_xdp_detach(e->ifindex, XDP_FLAGS_DRV_MODE, NULL);
	if (e->netns > 0)
		close(e->netns);
	*e = (struct rig_end){0};
}

static int load(const char *folder, const char *name, uint32_t slots, struct bpf_object **out)
{
	char path[PATH_BYTES];
	int err = 0;

	snprintf(path, sizeof(path), "%s/%s.bpf.o", folder, name);
	*out = bpf_object__open_file(path, NULL);
	if (!*out)
		return complain(path, -errno);
	if (slots)
		err = bpf_map__set_max_entries(bpf_object__find_map_by_name(*out, "pool"), slots);
	err = err ? err : bpf_object__load(*out);
	return err ? complain(path, err) : 0;
}

static int pool_map(struct rig *r)
{
	void *p = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_object__find_map_fd_by_name(r->gen, "pool"), 0);

	if (p == MAP_FAILED)
		return complain("pool", -errno);
	r->pool = p;
	return 0;
}

static int map_set(struct bpf_object *o, const char *map, uint32_t key, const void *value)
{
	int fd = bpf_object__find_map_fd_by_name(o, map);

	return bpf_map_update_elem(fd, &key, value, BPF_ANY) == 0 ? 0 : complain(map, -errno);
}

/* Device maps take the interface of the namespace that the caller is in. */
static int device_set(struct bpf_object *o, uint32_t key, const struct rig_end *e)
{
	uint32_t ifindex = (uint32_t)e->ifindex;

	if (setns(e->netns, CLONE_NEWNET) != 0)
		return complain("setns", -errno);
	return map_set(o, "ends", key, &ifindex);
}

static int attach_raw(struct rig *r, const char *folder)
{
	struct load_raw to_client = {.port_from = LOAD_SERVER_PORT, .port_to = LOAD_CLIENT_PORT};
	struct load_raw to_server = {.port_from = LOAD_CLIENT_PORT, .port_to = LOAD_SERVER_PORT};
	int err = load(folder, "raw", 0, &r->raw);

	memcpy(to_client.macs, mac_client, 6);
	memcpy(to_client.macs + 6, mac_outside, 6);
	memcpy(to_server.macs, mac_server, 6);
	memcpy(to_server.macs + 6, mac_inside, 6);
	err = err ? err : map_set(r->raw, "sides", 0, &to_client);
	err = err ? err : map_set(r->raw, "sides", 1, &to_server);
	err = err ? err : device_set(r->raw, 0, &r->outside);
	err = err ? err : device_set(r->raw, 1, &r->inside);
	err = err ? err : end_attach(&r->outside, r->raw, "raw_to_server");
	return err ? err : end_attach(&r->inside, r->raw, "raw_to_client");
}

static int attach(struct rig *r, const char *folder, enum rig_gateway gateway)
{
	bool direct = gateway == RIG_GATEWAY_DIRECT;
	int err = end_attach(&r->client, r->sink, direct ? "pass" : "sink_client");

	err = err ? err : end_attach(&r->server, r->sink, direct ? "pass" : "sink_server");
	if (direct) {
		err = err ? err : end_attach(&r->outside, r->sink, "sink_direct");
		err = err ? err : end_attach(&r->inside, r->sink, "sink_direct");
	}
	if (gateway == RIG_GATEWAY_RAW)
		err = err ? err : attach_raw(r, folder);
	return err;
}

int rig_stream_set(struct rig *r, uint32_t stream, const struct load_stream *gateway)
{
	return map_set(r->gen, "streams", stream, gateway);
}

static int streams_fill(struct rig *r)
{
	int err = 0;

	for (uint32_t i = 0; i < r->streams && !err; i++) {
		struct load_stream s = {.outside = (uint16_t)(LOAD_CLIENT_PORT + 2 * i),
					.inside = (uint16_t)(LOAD_SERVER_PORT + 2 * i)};

		err = rig_stream_set(r, i, &s);
	}
	return err;
}

static int ends_open(struct rig *r, const char *prefix)
{
	int err = end_open(&r->client, prefix, "client", "eth0");

	err = err ? err : end_open(&r->server, prefix, "server", "eth0");
	err = err ? err : end_open(&r->outside, prefix, "gw", "out0");
	return err ? err : end_open(&r->inside, prefix, "gw", "in0");
}

int rig_init(struct rig *r, const struct rig_setup *setup)
{
	int err;

	*r = (struct rig){.streams = setup->streams, .rtp_bytes = setup->rtp_bytes};
	err = load(setup->folder, "gen", setup->pooled ? LOAD_POOL_PACKETS : 0, &r->gen);
	err = err || !setup->pooled ? err : pool_map(r);
	err = err ? err : load(setup->folder, "sink", 0, &r->sink);
	err = err ? err : ends_open(r, setup->prefix);
	err = err ? err : device_set(r->gen, 0, &r->client);
	err = err ? err : device_set(r->gen, 1, &r->server);
	err = err ? err : streams_fill(r);
	return err ? err : attach(r, setup->folder, setup->gateway);
}

void rig_done(struct rig *r)
{
	end_close(&r->client);
	end_close(&r->server);
	end_close(&r->outside);
	end_close(&r->inside);
	if (r->pool)
		munmap(r->pool, POOL_BYTES);
	bpf_object__close(r->gen);
	bpf_object__close(r->sink);
	bpf_object__close(r->raw);
}

static void state_fill(const struct rig *r, const struct rig_run *run, struct load_state *s)
{
	*s = (struct load_state){.streams = r->streams,
				 .both_ways = run->both_ways,
				 .before = r->sent,
				 .rtp_bytes = r->rtp_bytes,
				 .pool = r->pool ? LOAD_POOL_PACKETS : 0};
	if (run->rate_per_s)
		s->interval_q8 = (uint64_t)(Q8_PER_SECOND / (double)run->rate_per_s);
	memcpy(s->macs[0], mac_outside, 6);
	memcpy(s->macs[0] + 6, mac_client, 6);
	memcpy(s->macs[1], mac_inside, 6);
	memcpy(s->macs[1] + 6, mac_server, 6);
}

static void on_alarm(int number)
{
}

/* A timed run ends by a signal: the kernel looks for one between two batches. */
static void alarm_in(double seconds)
{
	struct sigaction quiet = {.sa_handler = on_alarm};
	long us = (long)(seconds * 1e6) + SETUP_US;
	struct itimerval it = {.it_value = {us / 1000000, us % 1000000}};

	sigaction(SIGALRM, &quiet, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

int rig_run(struct rig *r, const struct rig_run *run, struct load_state *out)
{
	static char frame[FRAME_RTP_AT + LOAD_SLOT_BYTES];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = (uint32_t)FRAME_RTP_AT + r->rtp_bytes,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		    .repeat = run->packets ? (int)run->packets : INT32_MAX,
		    .batch_size = run->batch);
	struct bpf_program *program = bpf_object__find_program_by_name(r->gen, "generate");
	int fd = bpf_object__find_map_fd_by_name(r->gen, "state"), err;
	uint32_t zero = 0;

	state_fill(r, run, out);
	if (bpf_map_update_elem(fd, &zero, out, BPF_ANY) != 0)
		return complain("state", -errno);
	if (!run->packets)
		alarm_in(run->seconds);
	err = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	if (err && err != -EINTR)
		return complain("BPF_PROG_TEST_RUN", err);
	if (bpf_map_lookup_elem(fd, &zero, out) != 0)
		return complain("state", -errno);
	r->sent += out->sent;
	return 0;
}

int rig_count(struct rig *r, struct rig_count *out)
{
	int counts = bpf_object__find_map_fd_by_name(r->sink, "counts");
	int latency = bpf_object__find_map_fd_by_name(r->sink, "latency");
	int cpus = libbpf_num_possible_cpus();
	struct load_count c[CPUS_MAX];
	uint64_t slot[CPUS_MAX];

	memset(out, 0, sizeof(*out));
	for (uint32_t key = 0; key < LOAD_BUCKETS; key++) {
		if (cpus > CPUS_MAX || bpf_map_lookup_elem(latency, &key, slot) != 0)
			return complain("latency", -errno);
		for (int i = 0; i < cpus; i++)
			out->latency[key] += slot[i];
	}
	if (bpf_map_lookup_elem(counts, &(uint32_t){0}, c) != 0)
		return complain("counts", -errno);
	for (int i = 0; i < cpus; i++) {
		out->packets += c[i].packets;
		out->bytes += c[i].bytes;
		out->strange += c[i].strange;
	}
	return 0;
}

static uint32_t end_program(const struct rig_end *e)
{
	uint32_t id = 0;

	if (setns(e->netns, CLONE_NEWNET) != 0 || bpf_xdp_query_id(e->ifindex, 0, &id) != 0)
		return 0;
	return id;
}

static bool program_add(uint32_t id, uint64_t *ns, uint64_t *runs)
{
	struct bpf_prog_info info = {0};
	uint32_t bytes = sizeof(info);
	int fd = id ? bpf_prog_get_fd_by_id(id) : -1;
	bool good = fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0;

	if (fd >= 0)
		close(fd);
	*ns += info.run_time_ns;
	*runs += info.run_cnt;
	return good;
}

bool rig_program_time(struct rig *r, uint64_t *out_ns, uint64_t *out_runs)
{
	uint32_t outside = end_program(&r->outside), inside = end_program(&r->inside);
	bool good;

	*out_ns = *out_runs = 0;
	good = program_add(outside, out_ns, out_runs);
	if (inside != outside)
		good &= program_add(inside, out_ns, out_runs);
	return good;
}
