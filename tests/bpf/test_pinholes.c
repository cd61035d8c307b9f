/* Ten thousand pinholes opened and closed by the warden's own code: flow table, kernel path and
 * firewall, in a namespace of this process. The ledger is exact; the time is told. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "io/clock.h"
#include "main/warden_path.h"
#include "unit/enforce/gate.h"

#define MANY	   10000
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

static void ask(struct warden *w, uint32_t op)
{
	static struct proc_msg msg;

	for (unsigned first = 0; first < MANY; first += PROC_FLOW_OPS_MAX) {
		unsigned n = 0;

		for (; n < PROC_FLOW_OPS_MAX && first + n < MANY; n++) {
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
	ask(w, FLOW_OP_OPEN);
	opened_ns = clock_ns();
	assert_int_equal(w->pinholes.opened, MANY);
	assert_int_equal(w->pinholes.closed, 0);
	assert_open(w, MANY);
	told_ns = clock_ns();
	ask(w, FLOW_OP_CLOSE);
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

int main(void)
{
	const struct CMUnitTest tests[] = {WITH_NET(r1_ten_thousand_opened_and_closed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
