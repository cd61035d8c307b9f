/* Pinholes by the warden's own code: flow table, kernel path and firewall, in a namespace of this
 * process. Ten thousand opened and closed: the ledger is exact; the time is told. What a warden
 * that was killed left: taken over, or ended when it is of another version. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "io/clock.h"
#include "main/warden_path.h"
#include "unit/enforce/gate.h"

#define MANY	   10000
#define SOME	   8
#define FIRST_PORT 16384
#define SOURCE	   "192.0.2.2"
/* Less than one second when the machine has nothing else to do. */
#define GENEROUS_MS 10000

static struct warden *warden_new(struct net *n)
{
	static struct warden w;
	static char run_dir[64];

	snprintf(run_dir, sizeof(run_dir), "/hw-test-pinholes-%d", getpid());
	w = (struct warden){.now = {.config = &n->config}, .run_dir = run_dir, .nft = n->nft};
	n->nft = NULL;
	proc_channel_init(&w.child[CHILD_CONSOLE].channel, -1, PROC_WARDEN, PROC_CONSOLE);
	proc_channel_init(&w.child[CHILD_MEDIA].channel, -1, PROC_WARDEN, PROC_MEDIA);
	proc_channel_init(&w.child[CHILD_SIGNAL].channel, -1, PROC_WARDEN, PROC_SIGNAL);
	assert_int_equal(loop_new(&w.loop), 0);
	assert_int_equal(loop_timer_new(w.loop, warden_events_flush, &w, &w.event_timer), 0);
	assert_int_equal(warden_bans_new(&w), 0);
	assert_int_equal(warden_flows_new(&w), 0);
	assert_int_equal(warden_flows_apply(&w, &n->config), 0);
	return &w;
}

static void warden_end(struct warden *w)
{
	warden_flows_done(w);
	warden_bans_done(w);
	loop_timer_free(w->event_timer);
	loop_free(w->loop);
}

/* RTP of a call that comes in and goes out by the one interface. */
static struct proc_flow_op request(uint32_t op, unsigned number)
{
	uint16_t port = (uint16_t)(FIRST_PORT + number),
		 mate = (uint16_t)(FIRST_PORT + (number ^ 1));

	return (struct proc_flow_op){.op = op,
				     .reason = op == FLOW_OP_OPEN ? REASON_offer_answered
								  : REASON_bye_caller,
				     .spec = {.call = 1 + number / 4,
					      .kind = FLOW_RTP,
					      .clock_khz = 8,
					      .local = {addr("192.0.2.1"), port},
					      .source = {addr(SOURCE), 4000},
					      .out = {addr("192.0.2.1"), mate},
					      .to = {addr("192.0.2.3"), 5000},
					      .codec = "PCMU/8000"}};
}

static void ask(struct warden *w, uint32_t op, unsigned count)
{
	static struct proc_msg msg;

	for (unsigned first = 0; first < count; first += PROC_FLOW_OPS_MAX) {
		unsigned n = 0;

		for (; n < PROC_FLOW_OPS_MAX && first + n < count; n++) {
			struct proc_flow_op one = request(op, first + n);

			memcpy(msg.payload + n * sizeof(one), &one, sizeof(one));
		}
		msg.bytes = n * sizeof(struct proc_flow_op);
		assert_int_equal(warden_flow_ops(w, &w->child[CHILD_SIGNAL], &msg), 0);
	}
}

/* Open entries in the arrays that the program reads. */
static unsigned in_kernel(struct warden *w)
{
	size_t bytes = HW_BLOCK_PORTS * sizeof(struct hw_flow);
	unsigned open = 0;

	for (unsigned i = 0; i < HW_BLOCKS_MAX; i++) {
		const struct hw_flow *flows;
		struct xdp_block b;

		if (!xdp_has_block(w->path->xdp, i))
			continue;
		assert_int_equal(xdp_block(w->path->xdp, i, &b), 0);
		flows = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, b.flows, 0);
		assert_true(flows != MAP_FAILED);
		for (unsigned k = 0; k < HW_BLOCK_PORTS; k++)
			open += flows[k].generation != 0;
		munmap((void *)(uintptr_t)flows, bytes);
		close(b.flows);
		close(b.figures);
	}
	return open;
}

/* Elements of the firewall's sets, as nft tells them. */
static unsigned in_firewall(void)
{
	FILE *nft = popen("nft list table inet hornwork", "r");
	size_t room = 0;
	unsigned open = 0;
	char *line = NULL;

	assert_non_null(nft);
	while (getline(&line, &room, nft) > 0)
		for (const char *at = line; (at = strstr(at, SOURCE)) != NULL; at += sizeof(SOURCE))
			open++;
	free(line);
	assert_int_equal(pclose(nft), 0);
	return open;
}

static void assert_open(struct warden *w, unsigned count)
{
	assert_int_equal(flow_table_open_count(w->flows), count);
	assert_int_equal(in_firewall(), count);
	if (w->path)
		assert_int_equal(in_kernel(w), count);
}

static void r1_ten_thousand_opened_and_closed(void **state)
{
	struct net *n = net_of(state);
	struct warden *w;
	uint64_t start_ns, opened_ns, told_ns, closed_ns;

	enter(n->gate_ns);
	w = warden_new(n);
	if (!w->path)
		print_message("no kernel path here: table and firewall alone\n");
	assert_open(w, 0);
	start_ns = clock_ns();
	ask(w, FLOW_OP_OPEN, MANY);
	opened_ns = clock_ns();
	assert_int_equal(w->pinholes.opened, MANY);
	assert_int_equal(w->pinholes.closed, 0);
	assert_open(w, MANY);
	told_ns = clock_ns();
	ask(w, FLOW_OP_CLOSE, MANY);
	closed_ns = clock_ns();
	print_message("%d pinholes opened in %llu ms and closed in %llu ms\n", MANY,
		      (unsigned long long)(opened_ns - start_ns) / 1000000,
		      (unsigned long long)(closed_ns - told_ns) / 1000000);
	assert_int_equal(w->pinholes.opened, MANY);
	assert_int_equal(w->pinholes.closed, MANY);
	assert_int_equal(w->pinholes.refused, 0);
	assert_open(w, 0);
	assert_in_range((opened_ns - start_ns + closed_ns - told_ns) / 1000000, 0, GENEROUS_MS);
	warden_end(w);
}

/* ---- after a warden that was killed ---- */

/* Nothing is taken back: program, maps and firewall stay. */
static void warden_dies(struct warden *w, struct net *n)
{
	nft_free(w->nft);
	w->nft = NULL;
	warden_path_free(w, false);
	warden_end(w);
	assert_int_equal(nft_new(&n->nft), 0);
}

/* The number of the program on the interface; 0 = none. */
static uint32_t program_now(void)
{
	uint32_t id = 0;

	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex("gate0"), 0, &id), 0);
	return id;
}

/* A warden with open pinholes was killed; the program that it left, 0 = no kernel path here. */
static uint32_t one_was_killed(struct net *n, char dir[static CONFIG_PATH_MAX])
{
	struct warden *w;
	uint32_t program;

	enter(n->gate_ns);
	w = warden_new(n);
	if (!w->path || !w->path->dir[0]) {
		warden_end(w);
		return 0;
	}
	(void)snprintf(dir, CONFIG_PATH_MAX, "%s", w->path->dir);
	ask(w, FLOW_OP_OPEN, SOME);
	assert_open(w, SOME);
	program = program_now();
	assert_int_not_equal(program, 0);
	warden_dies(w, n);
	assert_int_equal(program_now(), program); /* its calls go on */
	return program;
}

static void the_next_one_takes_over(void **state)
{
	struct net *n = net_of(state);
	char dir[CONFIG_PATH_MAX];
	uint32_t before = one_was_killed(n, dir);
	struct warden *w;

	if (!before)
		skip();
	w = warden_new(n);
	assert_open(w, SOME);
	assert_int_equal(w->path->adopted, SOME);
	assert_int_equal(w->pinholes.opened, SOME);
	/* a program of this version, where the one of the last version was */
	assert_int_not_equal(program_now(), before);
	assert_int_not_equal(program_now(), 0);
	ask(w, FLOW_OP_CLOSE, SOME);
	assert_open(w, 0);
	warden_end(w);
	assert_int_equal(program_now(), 0);
	assert_int_not_equal(access(dir, F_OK), 0);
}

static int pin_open(const char *dir, const char *name)
{
	char path[CONFIG_PATH_MAX + 32];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	return fd;
}

static void in_another_version(const char *dir)
{
	int fd = pin_open(dir, "hw_head");
	struct hw_table_head *head =
		mmap(NULL, sizeof(*head), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_true(head != MAP_FAILED);
	head->version++;
	munmap(head, sizeof(*head));
	close(fd);
}

static void in_another_size(const char *dir)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	char path[CONFIG_PATH_MAX + 32];
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "hw_head", 4, sizeof(struct hw_table_head) / 2,
				1, &opts);

	assert_true(fd >= 0);
	(void)snprintf(path, sizeof(path), "%s/hw_head", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	close(fd);
}

static bool noted(const struct warden *w, const char *what)
{
	for (size_t i = 0; i < w->notice_count; i++)
		if (strstr(w->notices[i], what))
			return true;
	return false;
}

/* Another layout: nothing of it can be read, so its pinholes end and the path is made anew. */
static void another_version_ends(void **state)
{
	static void (*const left[])(const char *dir) = {in_another_version, in_another_size};
	struct net *n = net_of(state);

	for (size_t i = 0; i < ROWS(left); i++) {
		char dir[CONFIG_PATH_MAX];
		uint32_t before = one_was_killed(n, dir);
		struct warden *w;

		if (!before)
			skip();
		left[i](dir);
		w = warden_new(n);
		assert_true(noted(w, "of another version"));
		assert_non_null(w->path);
		assert_open(w, 0);
		assert_int_not_equal(program_now(), before);
		assert_int_not_equal(program_now(), 0);
		ask(w, FLOW_OP_OPEN, SOME);
		assert_open(w, SOME);
		warden_end(w);
		assert_int_equal(program_now(), 0);
		assert_int_equal(nft_new(&n->nft), 0);
	}
}

/* What can be taken over in part only is not left to itself: no program, no pin, nothing open. */
static void half_of_it_ends(void **state)
{
	struct net *n = net_of(state);
	char dir[CONFIG_PATH_MAX], path[CONFIG_PATH_MAX + 32];
	uint32_t before = one_was_killed(n, dir);
	struct warden *w;

	if (!before)
		skip();
	/* the first block holds pinholes, the last one cannot be had */
	(void)snprintf(path, sizeof(path), "%s/hw_flows_%u", dir, 32767 / HW_BLOCK_PORTS);
	assert_int_equal(unlink(path), 0);
	w = warden_new(n);
	assert_true(noted(w, "no kernel path for media"));
	assert_null(w->path);
	assert_open(w, 0);
	assert_int_equal(program_now(), 0);
	assert_int_not_equal(access(dir, F_OK), 0);
	warden_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_NET(r1_ten_thousand_opened_and_closed),
		WITH_NET(the_next_one_takes_over),
		WITH_NET(another_version_ends),
		WITH_NET(half_of_it_ends),
	};
	char dir[CONFIG_PATH_MAX];
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	(void)snprintf(dir, sizeof(dir), "/sys/fs/bpf/hornwork-hw-test-pinholes-%d", getpid());
	xdp_clear(dir); /* of a test that failed */
	return failed;
}
