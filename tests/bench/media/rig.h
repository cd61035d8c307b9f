/* The three namespaces of one way to relay, with load on its outer ends. Of the programs here only
 * the generator, the sinks and the raw redirect belong to the benchmark. */
#ifndef HW_BENCH_MEDIA_RIG_H
#define HW_BENCH_MEDIA_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/media/load.h"

struct bpf_object;

enum rig_gateway {
	RIG_GATEWAY_OTHER,  /* somebody else's, it is there already */
	RIG_GATEWAY_RAW,    /* the raw redirect */
	RIG_GATEWAY_DIRECT, /* none: the sinks stand at the gateway's ends */
};

struct rig_end {
	int ifindex;
	int netns;
	bool attached;
};

struct rig {
	struct bpf_object *gen, *sink, *raw;
	struct rig_end client, server, outside, inside;
	uint32_t streams;
	struct load_slot *pool; /* NULL: the generator makes the packets itself */
	uint32_t rtp_bytes;	/* of a packet */
	uint64_t sent; /* by all runs; beginning with what earlier rigs sent, if that is to go on */
};

/* What came in until now. */
struct rig_count {
	uint64_t packets, strange;
	uint64_t bytes; /* of datagrams with their UDP heads */
	uint64_t latency[LOAD_BUCKETS];
};

struct rig_setup {
	const char *prefix; /* -client, -gw, -server are the namespaces */
	const char *folder; /* of the BPF objects */
	uint32_t streams;
	uint32_t rtp_bytes; /* of a packet */
	bool pooled;	    /* what is sent from the client lies in a pool that the caller fills */
	enum rig_gateway gateway;
};

/* -errno, having said why. What it attached goes with rig_done. */
int rig_init(struct rig *r, const struct rig_setup *setup);
void rig_done(struct rig *r);
/* Where the gateway takes a stream's packets; by default at the same numbers as the peers. */
int rig_stream_set(struct rig *r, uint32_t stream, const struct load_stream *gateway);

struct rig_run {
	uint32_t packets;    /* so many program runs; 0 = as long as seconds */
	uint64_t rate_per_s; /* 0 = as fast as possible */
	double seconds;	     /* with a rate */
	uint32_t batch;
	bool both_ways;
};

/* Sends from the calling thread; what was sent is told in *out. -errno. */
int rig_run(struct rig *r, const struct rig_run *run, struct load_state *out);
int rig_count(struct rig *r, struct rig_count *out);
/* Time and runs of the XDP programs at the gateway's ends since they were loaded; false: none. */
bool rig_program_time(struct rig *r, uint64_t *out_ns, uint64_t *out_runs);

#endif
