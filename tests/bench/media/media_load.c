/* Measures one way to relay: `media_load --rig PREFIX --streams N`; prints a JSON object.
 * Generator, gateway and sink all run on one core, the generator only when nothing else wants to: a
 * closed loop, in which nothing is lost for want of a core and CPU time is a sum that holds. */
#include <bpf/bpf.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json.h"
#include "bench/media/cpu.h"
#include "bench/media/rig.h"
#include "bench/media/sealed.h"

#define BATCH	       64     /* frames of one go, as a driver's poll */
#define LATENCY_BATCH  1      /* each frame leaves at once */
#define PILOT_PACKETS  20000u /* tells how fast it goes */
#define SETTLE_US      50000  /* until what is under way has arrived */
#define POOL_SLACK_S   0.1    /* that a timed run may take longer */
#define CALIBRATE_RUNS 3
#define UDP_HEAD_BYTES 8
#define SLOWER	       0.9 /* where packets were lost, so much of the rate is tried next */
#define SLOWER_TRIES   12
#define ROUNDS_OF_WARMTH                                                                           \
	2 /* packets of each stream, first from the client alone, then both ways                   \
	   */

struct options {
	const char *prefix, *folder, *ports;
	uint32_t streams;
	double seconds;
	bool one_way;	       /* from the client alone */
	uint64_t before;       /* packets that earlier rigs sent */
	enum srtp_suite suite; /* what is sent is sealed; SRTP_NONE = plain */
	struct sealed *sealed;
	enum rig_gateway gateway;
	struct cpu_watch watch;
};

struct trial {
	uint64_t sent, received, strange, bytes;
	double seconds, cpu_ns;
	double p50_ns, p99_ns;
};

struct result {
	struct trial full, lossless, half;
	double program_ns; /* negative: no program */
};

static double bucket_ns(uint32_t bucket)
{
	uint32_t octave = bucket / LOAD_BUCKET_STEP + 4, step = bucket % LOAD_BUCKET_STEP;

	return bucket < LOAD_BUCKET_STEP
		       ? bucket
		       : (double)(1ull << octave) * (1 + (step + 0.5) / LOAD_BUCKET_STEP);
}

static double percentile(const struct rig_count *before, const struct rig_count *after, double part)
{
	uint64_t total = after->packets - before->packets, seen = 0;

	for (uint32_t i = 0; i < LOAD_BUCKETS && total; i++) {
		seen += after->latency[i] - before->latency[i];
		if ((double)seen >= part * (double)total)
			return bucket_ns(i);
	}
	return 0;
}

/* Makes the run no longer than the pool lasts and fills it, before anything is measured. */
static int provide(struct rig *r, const struct options *o, struct rig_run *run)
{
	double longest = 0;

	if (!o->sealed)
		return 0;
	if (run->packets > LOAD_POOL_PACKETS)
		run->packets = LOAD_POOL_PACKETS;
	if (!run->packets)
		longest = LOAD_POOL_PACKETS / (double)run->rate_per_s - POOL_SLACK_S;
	if (!run->packets && run->seconds > longest)
		run->seconds = longest;
	return sealed_fill(
		o->sealed, r->pool, r->sent,
		run->packets ? run->packets
			     : (uint32_t)((double)run->rate_per_s * (run->seconds + POOL_SLACK_S)));
}

static int try(struct rig *r, const struct options *o, struct rig_run *run, struct trial *out)
{
	static struct rig_count before, after;
	struct load_state state;
	uint64_t cpu;
	int err = rig_count(r, &before);

	err = err ? err : provide(r, o, run);
	if (err)
		return err;
	cpu = cpu_ns(&o->watch);
	err = rig_run(r, run, &state);
	usleep(SETTLE_US);
	out->cpu_ns = (double)(cpu_ns(&o->watch) - cpu);
	err = err ? err : rig_count(r, &after);
	out->sent = state.sent;
	out->received = after.packets - before.packets;
	out->strange = after.strange - before.strange;
	out->bytes = after.bytes - before.bytes;
	out->seconds = (double)(state.last_ns - state.first_ns) / 1e9;
	out->p50_ns = percentile(&before, &after, 0.5);
	out->p99_ns = percentile(&before, &after, 0.99);
	return err;
}

static int warm_up(struct rig *r, const struct options *o)
{
	struct rig_run run = {.batch = BATCH, .packets = ROUNDS_OF_WARMTH * r->streams};
	struct trial t;
	int err = try(r, o, &run, &t);

	if (o->one_way)
		return err;
	run.both_ways = !o->one_way;
	run.packets *= 2;
	return err ? err : try(r, o, &run, &t);
}

/* What a run costs by itself, whatever is sent in it. */
static int calibrate(struct rig *r, const struct options *o, double *out_ns)
{
	struct rig_run run = {.batch = BATCH, .packets = BATCH, .both_ways = !o->one_way};
	int err = 0;

	*out_ns = 1e18;
	for (int i = 0; i < CALIBRATE_RUNS && !err; i++) {
		struct trial t = {0};

		err = try(r, o, &run, &t);
		if (t.cpu_ns < *out_ns)
			*out_ns = t.cpu_ns;
	}
	return err;
}

static double rate_of(const struct trial *t)
{
	return t->seconds > 0 ? (double)t->received / t->seconds : 0;
}

static bool is_lossless(const struct trial *t)
{
	return t->received >= t->sent && t->strange == 0;
}

/* As fast as it goes, then slower until nothing is lost. */
static int measure_rate(struct rig *r, const struct options *o, double set_up_ns,
			struct result *out)
{
	struct rig_run run = {.batch = BATCH, .packets = PILOT_PACKETS, .both_ways = !o->one_way};
	struct trial pilot;
	int err = try(r, o, &run, &pilot);
	double rate;

	if (err)
		return err;
	rate = (double)pilot.sent / (pilot.seconds > 0 ? pilot.seconds : 1);
	run.packets = (uint32_t)(rate * o->seconds) + BATCH;
	err = try(r, o, &run, &out->full);
	out->full.cpu_ns -= set_up_ns;
	out->lossless = out->full;
	rate = rate_of(&out->full);
	run.packets = 0;
	run.seconds = o->seconds;
	for (int i = 0; i < SLOWER_TRIES && !err && !is_lossless(&out->lossless); i++) {
		rate *= SLOWER;
		run.rate_per_s = (uint64_t)rate;
		err = try(r, o, &run, &out->lossless);
	}
	return err;
}

/* With the kernel's own stop-watch, which costs time itself: a run of its own. */
static int measure_program(struct rig *r, const struct options *o, struct result *out)
{
	struct rig_run run = {.batch = BATCH,
			      .both_ways = !o->one_way,
			      .packets = (uint32_t)(out->full.sent / 2) + BATCH};
	uint64_t before_ns, before_runs, after_ns, after_runs;
	struct trial t;
	int watch, err;

	out->program_ns = -1;
	if (!rig_program_time(r, &before_ns, &before_runs))
		return 0;
	watch = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (watch < 0)
		return watch;
	err = try(r, o, &run, &t);
	if (rig_program_time(r, &after_ns, &after_runs) && after_runs > before_runs)
		out->program_ns =
			(double)(after_ns - before_ns) / (double)(after_runs - before_runs);
	close(watch);
	return err;
}

static int measure(struct rig *r, const struct options *o, struct result *out)
{
	struct rig_run half = {
		.batch = LATENCY_BATCH, .both_ways = !o->one_way, .seconds = o->seconds};
	double set_up_ns;
	int err = warm_up(r, o);

	err = err ? err : calibrate(r, o, &set_up_ns);
	err = err ? err : measure_rate(r, o, set_up_ns, out);
	half.rate_per_s = (uint64_t)(rate_of(&out->lossless) / 2);
	if (half.rate_per_s == 0) {
		fprintf(stderr, "media_load: nothing came through\n");
		return -EIO;
	}
	if (o->one_way) /* is about what a packet costs */
		return err;
	err = err ? err : try(r, o, &half, &out->half);
	return err ? err : measure_program(r, o, out);
}

static void print(const struct rig *r, const struct result *res)
{
	char text[1024];
	struct out o = out_to(text, sizeof(text));
	struct json j = json_to(&o);
	uint64_t lost =
		res->lossless.sent - res->lossless.received + (res->half.sent - res->half.received);

	json_open(&j, '{');
	json_member_real(&j, "packets_per_s", rate_of(&res->lossless), 0);
	json_member_real(&j, "total_ns", res->full.cpu_ns / (double)res->full.received, 1);
	json_member_real(&j, "program_ns", res->program_ns, 1);
	json_member_real(&j, "p50_ns", res->half.p50_ns, 0);
	json_member_real(&j, "p99_ns", res->half.p99_ns, 0);
	json_member_u64(&j, "lost", lost);
	json_member_u64(&j, "lost_at_full_speed", res->full.sent - res->full.received);
	json_member_real(&j, "rtp_bytes",
			 (double)res->full.bytes / (double)res->full.received - UDP_HEAD_BYTES, 1);
	json_member_u64(&j, "strange", res->full.strange);
	json_member_real(&j, "half_rate", rate_of(&res->half), 0);
	json_member_u64(&j, "before", r->sent);
	json_close(&j, '}');
	printf("%.*s\n", (int)o.n, text);
}

static int rig_start(struct rig *r, const struct options *o)
{
	const struct rig_setup setup = {.prefix = o->prefix,
					.folder = o->folder,
					.streams = o->streams,
					.rtp_bytes = o->sealed ? sealed_bytes(o->sealed)
							       : LOAD_RTP_BYTES,
					.pooled = o->sealed != NULL,
					.gateway = o->gateway};
	int err = rig_init(r, &setup);

	r->sent = o->before;
	return err;
}

/* Lines "STREAM OUTSIDE INSIDE". */
static int ports_read(struct rig *r, const char *path)
{
	uint32_t stream, outside, inside;
	FILE *f = fopen(path, "r");
	int err = f ? 0 : -errno;

	while (!err &&
	       fscanf(f, "%" SCNu32 " %" SCNu32 " %" SCNu32, &stream, &outside, &inside) == 3) {
		struct load_stream s = {(uint16_t)outside, (uint16_t)inside};

		err = rig_stream_set(r, stream, &s);
	}
	if (f)
		fclose(f);
	return err;
}

static int options_read(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {{"rig", required_argument, NULL, 'r'},
					      {"streams", required_argument, NULL, 'n'},
					      {"objects", required_argument, NULL, 'o'},
					      {"ports", required_argument, NULL, 'p'},
					      {"seconds", required_argument, NULL, 's'},
					      {"pid", required_argument, NULL, 'P'},
					      {"one-way", no_argument, NULL, '1'},
					      {"before", required_argument, NULL, 'b'},
					      {"sealed", required_argument, NULL, 'S'},
					      {"raw", no_argument, NULL, 'R'},
					      {"direct", no_argument, NULL, 'D'},
					      {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.seconds = 0.5};
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'r')
			o->prefix = optarg;
		else if (c == 'n')
			o->streams = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'o')
			o->folder = optarg;
		else if (c == 'p')
			o->ports = optarg;
		else if (c == 's')
			o->seconds = strtod(optarg, NULL);
		else if (c == 'P' && o->watch.count < CPU_PIDS_MAX)
			o->watch.pids[o->watch.count++] = (pid_t)strtol(optarg, NULL, 10);
		else if (c == '1')
			o->one_way = true;
		else if (c == 'b')
			o->before = strtoull(optarg, NULL, 10);
		else if (c == 'S')
			o->suite = srtp_suite_by_name(slice_z(optarg));
		else if (c == 'R' || c == 'D')
			o->gateway = c == 'R' ? RIG_GATEWAY_RAW : RIG_GATEWAY_DIRECT;
		else
			return -EINVAL;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	struct result result = {.program_ns = -1};
	struct options o;
	struct rig rig = {0};
	int err = options_read(&o, argc, argv);

	if (err || !o.prefix || !o.folder || o.streams == 0 || o.streams > LOAD_STREAMS_MAX) {
		fprintf(stderr, "usage: media_load --rig PREFIX --streams N --objects FOLDER "
				"[--ports FILE] "
				"[--seconds S] [--pid PID]... "
				"[--one-way [--sealed SUITE]] [--before PACKETS] "
				"[--raw | --direct]\n");
		return 2;
	}
	setrlimit(RLIMIT_MEMLOCK, &all);
	cpu_find_softirq(&o.watch);
	err = o.suite ? sealed_new(o.suite, o.streams, &o.sealed) : 0;
	err = err ? err : rig_start(&rig, &o);
	err = err || !o.ports ? err : ports_read(&rig, o.ports);
	err = err ? err : cpu_settle();
	err = err ? err : measure(&rig, &o, &result);
	rig_done(&rig);
	sealed_free(o.sealed);
	if (!err)
		print(&rig, &result);
	return err ? 1 : 0;
}
