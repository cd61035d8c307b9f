/* What children may say to the warden when somebody has taken them over: each message is taken,
 * refused or ends its sender; no flow is ever open that the configuration does not justify, what
 * the warden answers is well formed, and neither memory nor descriptors are lost. */
#include <stdint.h>

#include "base/mem.h"
#include "config/config_load.h"
#include "config/resolve.h"
#include "messages.h"
#include "io/clock.h"
#include "main/warden_path.h"
#include "main/warden_probe.h"
#include "media/flow_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGES_MAX 64

static const char text[] =
	"zone out { interface = a  address = \"192.0.2.1\" }\n"
	"zone in { interface = b  address = \"10.0.0.1\"  trust = trusted }\n"
	"media { ports = 20000-20099 }\n"
	"pbx p { zone = in  address = \"10.0.0.5:5060\" }\n"
	"phones r { zone = out  to = p  listen = {\"udp:5060\", \"tcp:5060\"} }\n";

static const enum proc_kind kinds[CHILD_COUNT] = {
	PROC_SIGNAL, PROC_MEDIA, PROC_CONSOLE, PROC_TLS, PROC_WATCH, PROC_ANNOUNCE, PROC_STIR};

static struct warden *once(void)
{
	static struct warden w;
	struct config_report report = config_report_empty();
	int err;

	if (w.loop)
		return &w;
	err = config_parse(slice_z(text), &report, &w.now.config);
	err = err ? err : config_resolve(w.now.config, NULL, &report);
	err = err ? err : config_listeners_derive(w.now.config);
	err = err ? err : loop_new(&w.loop);
	err = err ? err : flow_table_create(4, &w.flows);
	w.vault = VAULT_FDS_NONE;
	err = err ? err : vault_create(4, &w.vault);
	err = err ? err : vault_gauge_new(&w.vault, &w.gauge);
	err = err ? err : loop_timer_new(w.loop, warden_bans_apply, &w, &w.bans_timer);
	err = err ? err : loop_timer_new(w.loop, warden_events_flush, &w, &w.event_timer);
	expect(err == 0);
	config_report_done(&report);
	for (size_t i = 0; i < w.now.config->zone_count; i++)
		expect(flow_table_address_add(w.flows, &w.now.config->zones[i].address4) == 0);
	w.adopted = mem_zalloc(flow_table_size(w.flows) / 64 + 1, sizeof(uint64_t));
	expect(w.adopted != NULL);
	w.now.generation = 1;
	w.config_path = "/nonexistent/hornwork.conf";
	w.ready = w.reloading = true; /* what a reload reads is another target's */
	w.journal_fd = w.spawner.fd = w.probe.channel.fd = -1;
	proc_msg_init(&w.msg);
	return &w;
}

static struct proc_flow_op usual_op(struct script *s)
{
	unsigned pair = take(s, 50);
	struct proc_flow_op op = {.op = take(s, 3), .reason = REASON_offer_answered};
	struct ip_addr out = {IP_V4, {192, 0, 2, 1}}, in = {IP_V4, {10, 0, 0, 1}};

	op.spec = (struct flow_spec){.call = 1 + take(s, 4),
				     .zone = 0,
				     .out_zone = 1,
				     .kind = (uint8_t)(pair % 2),
				     .local = {out, (uint16_t)(20000 + pair)},
				     .source = {{IP_V4, {192, 0, 2, 9}}, 4000},
				     .out = {in, (uint16_t)(20050 + pair)},
				     .to = {{IP_V4, {10, 0, 0, 5}}, 6000},
				     .payload_types = {1},
				     .rate_bytes_s = 20000,
				     .codec = "PCMU/8000"};
	return op;
}

static size_t usual(unsigned type, uint8_t *payload, struct script *s)
{
	if (type == PROC_FLOW_OPS) {
		size_t count = 1 + take(s, 8);

		for (size_t i = 0; i < count; i++) {
			struct proc_flow_op op = usual_op(s);

			memcpy(payload + i * sizeof(op), &op, sizeof(op));
		}
		return count * sizeof(struct proc_flow_op);
	}
	if (type == PROC_BAN) {
		struct proc_ban m = {.lifted = take(s, 2),
				     .ban = {.prefix = {{IP_V4, {203, 0, 113, 5}}, 32},
					     .reason = REASON_ban_by_hand,
					     .until_ms = BAN_FOR_EVER,
					     .whole = take(s, 2)}};

		memcpy(payload, &m, sizeof(m));
		return sizeof(m);
	}
	if (type == PROC_QUERY) {
		struct proc_query_msg m = {.id = 1, .what = take(s, QUERY_COUNT + 1)};

		(void)!slice_to_z(take(s, 2) ? SL("udp 192.0.2.9:1 10.0.0.5:2") : SL("192.0.2.9"),
				  m.argument, sizeof(m.argument));
		memcpy(payload, &m, sizeof(m));
		return sizeof(m);
	}
	return 0;
}

static void check_flows(struct warden *w)
{
	struct flow_spec spec;
	size_t open = 0;

	for (uint32_t i = flow_table_next(w->flows, 0); i != HW_FLOW_NONE;
	     i = flow_table_next(w->flows, i + 1)) {
		const char *detail = NULL;

		expect(flow_table_spec(w->flows, i, &spec));
		expect(flow_check(w->now.config, &spec, &spec, &detail) == REASON_NONE);
		open++;
	}
	expect(open == w->pinholes.opened - w->pinholes.closed);
	expect(r2_bans_count(&w->bans) <= R2_BANS_MAX);
}

static void play(struct warden *w, struct script *s, struct proc_channel far[CHILD_COUNT + 1],
		 const int *fds)
{
	for (size_t i = 0; i < MESSAGES_MAX && s->n; i++) {
		unsigned who = take(s, CHILD_COUNT + 1);
		struct child *c = who < CHILD_COUNT ? &w->child[who] : &w->probe;
		int got;

		if (!proc_channel_open(&c->channel))
			continue; /* it was put down */
		send_next(s, &far[who], fds, usual);
		got = proc_receive(&c->channel, &w->msg);
		if (got == 1)
			warden_on_child_message(c, &w->msg);
		else if (got < 0)
			warden_child_condemn(c, got);
		proc_msg_done(&w->msg);
		check_flows(w);
		for (size_t k = 0; k <= CHILD_COUNT; k++)
			drain(&far[k], &w->msg);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct warden *w = once();
	struct script s = {data, size};
	struct proc_channel far[CHILD_COUNT + 1];
	struct fds fds;
	int before;
	static const struct hash_key key = {0};
	long live;

	before = next_fd();
	live = mem_test_live();
	expect(r2_bans_init(&w->bans, &key) == 0);
	fds_open(&fds);
	for (size_t i = 0; i <= CHILD_COUNT; i++) {
		struct child *c = i < CHILD_COUNT ? &w->child[i] : &w->probe;
		int pair[2];

		expect(proc_pair(pair) == 0);
		c->warden = w;
		c->kind = i < CHILD_COUNT ? kinds[i] : PROC_PROBE;
		c->up = true;
		c->generation = 1;
		proc_channel_init(&c->channel, pair[0], PROC_WARDEN, c->kind);
		proc_channel_init(&far[i], pair[1], c->kind, PROC_WARDEN);
	}
	play(w, &s, far, fds.near);
	warden_flows_close_all(w);
	expect(flow_table_open_count(w->flows) == 0);
	for (size_t i = 0; i <= CHILD_COUNT; i++) {
		proc_channel_done(i < CHILD_COUNT ? &w->child[i].channel : &w->probe.channel);
		proc_channel_done(&far[i]);
	}
	fds_close(&fds);
	warden_events_flush(w);
	r2_bans_done(&w->bans);
	expect(next_fd() == before);
	expect(mem_test_live() == live);
	return 0;
}
