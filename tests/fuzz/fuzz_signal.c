/* What hw-tls, hw-stir, the console and the warden may say to signal. The first three may have been
 * taken over: whatever they say, signal goes on, what it answers is well formed, and neither memory
 * nor descriptors are lost. */
#include <stdint.h>

#include "base/mem.h"
#include "config/config_load.h"
#include "config/resolve.h"
#include "messages.h"
#include "io/clock.h"
#include "main/signal_proc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGES_MAX 64

static const char text[] =
	"zone out { interface = a  address = \"192.0.2.1\" }\n"
	"zone in { interface = b  address = \"10.0.0.1\"  trust = trusted }\n"
	"pbx p { zone = in  address = \"10.0.0.5:5060\" }\n"
	"phones r { zone = out  to = p  listen = {\"udp:5060\", \"tcp:5060\"} }\n";

static struct config *parsed(void)
{
	struct config_report report = config_report_empty();
	struct config *c = NULL;
	int err = config_parse(slice_z(text), &report, &c);

	err = err ? err : config_resolve(c, NULL, &report);
	err = err ? err : config_listeners_derive(c);
	expect(err == 0);
	config_report_done(&report);
	return c;
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

/* All that is ready now. */
static void turn(struct signal *s)
{
	struct loop_timer *t;

	expect(loop_timer_new(s->loop, stop, s->loop, &t) == 0);
	loop_timer_start(t, 0);
	loop_run(s->loop);
	loop_timer_free(t);
}

/* What the warden makes once for all of signal's lives. */
static void take_memory(struct signal *s)
{
	static struct flow_table *table;
	static struct vault_fds vault;
	static int journal = -1;
	static const struct hash_key fresh = {1, 2};
	struct flow_table_fds flow_fds;
	struct vault_fds vault_fds = VAULT_FDS_NONE;

	if (!table)
		expect(flow_table_create(4, &table) == 0 && vault_create(4, &vault) == 0 &&
		       journal_create(&journal) == 0);
	expect(flow_table_share(table, FLOW_TABLE_READER, &flow_fds) == 0);
	expect(flow_table_map(&flow_fds, FLOW_TABLE_READER, &s->flows) == 0);
	close(flow_fds.flows);
	close(flow_fds.stats);
	expect(vault_share(&vault, VAULT_WRITER, &vault_fds) == 0);
	expect(vault_map(&vault_fds, VAULT_WRITER, &s->vault) == 0);
	vault_fds_close(&vault_fds);
	expect(journal_open(journal, clock_ms(), &fresh, &s->journal) == 0);
}

static void set_up(struct signal *s)
{
	static const struct hash_key key = {0};
	int err;

	take_memory(s);
	err = loop_new(&s->loop);

	s->env = signal_env(s);
	err = err ? err : records_init(&s->records, &key);
	err = err ? err : refusals_init(&s->refusals);
	err = err ? err : source_limit_init(&s->sources, &key, 0);
	err = err ? err : signal_net_new(s);
	err = err ? err : loop_timer_new(s->loop, stop, s->loop, &s->core_timer);
	err = err ? err : loop_timer_new(s->loop, stop, s->loop, &s->house_timer);
	err = err ? err : loop_timer_new(s->loop, signal_events_flush, s, &s->event_timer);
	s->config = parsed();
	signal_shape(s);
	err = err ? err : core_new(&s->env, s->config, clock_ms(), &s->core);
	s->locked_in = true; /* a sandbox would hold this process too */
	expect(err == 0);
}

static void tear_down(struct signal *s)
{
	core_free(s->core);
	journal_free(s->journal);
	signal_net_free(s);
	child_link_done(&s->tls);
	child_link_done(&s->stir);
	child_link_done(&s->console);
	child_link_done(&s->warden);
	config_intake_done(&s->intake);
	config_free(s->config);
	flow_table_free(s->flows);
	vault_free(s->vault);
	source_limit_done(&s->sources);
	refusals_done(&s->refusals);
	records_done(&s->records);
	loop_timer_free(s->core_timer);
	loop_timer_free(s->house_timer);
	loop_timer_free(s->event_timer);
	loop_free(s->loop);
	proc_msg_done(&s->msg);
}

enum { WARDEN, TLS, STIR, CONSOLE, PEERS };

static const enum proc_kind kinds[PEERS] = {PROC_WARDEN, PROC_TLS, PROC_STIR, PROC_CONSOLE};

/* The warden hands over each of the others' channels. */
static void join(struct signal *s, struct proc_channel far[PEERS])
{
	int pair[2];

	for (size_t i = WARDEN; i < PEERS; i++) {
		struct proc_peer m = {(uint32_t)kinds[i]};

		expect(proc_pair(pair) == 0);
		proc_channel_init(&far[i], pair[1], kinds[i], PROC_SIGNAL);
		if (i == WARDEN) {
			proc_channel_init(&s->warden.channel, pair[0], PROC_SIGNAL, PROC_WARDEN);
			expect(child_link_watch(&s->warden, s->loop, signal_on_warden, s) == 0);
			continue;
		}
		expect(proc_send(&far[WARDEN], PROC_PEER, &m, sizeof(m), &pair[0], 1) == 0);
		close(pair[0]);
	}
	turn(s);
	expect(proc_channel_open(&s->tls.channel) && proc_channel_open(&s->stir.channel) &&
	       proc_channel_open(&s->console.channel));
}

static size_t usual_query(uint8_t *payload, struct script *s)
{
	static const char *const arguments[] = {
		"1", "203.0.113.5 60 a note", "203.0.113.0/24", "alice", "4930123456", "x@y", ""};
	struct proc_query_msg m = {.id = 1, .what = take(s, QUERY_COUNT + 1)};

	(void)!slice_to_z(slice_z(arguments[take(s, 7)]), m.argument, sizeof(m.argument));
	memcpy(payload, &m, sizeof(m));
	return sizeof(m);
}

static size_t usual_opened(uint8_t *payload, struct script *s)
{
	struct tls_opened m = {.id = take(s, 3),
			       .transport = TRANSPORT_TCP,
			       .local = {{IP_V4, {192, 0, 2, 1}}, 5060},
			       .remote = {{IP_V4, {203, 0, 113, 9}}, 40000},
			       .facts = {.protocol = "TLSv1.3",
					 .cipher = "TLS_AES_128_GCM_SHA256",
					 .sni = "example.com",
					 .subject = "CN=example.com",
					 .name_count = 1,
					 .names = {"example.com"}}};

	memcpy(payload, &m, sizeof(m));
	return sizeof(m);
}

static size_t usual_refused(uint8_t *payload, struct script *s)
{
	struct tls_refused m = {.id = take(s, 3),
				.transport = TRANSPORT_TLS,
				.reason = REASON_tls_handshake,
				.local = {{IP_V4, {192, 0, 2, 1}}, 5060},
				.remote = {{IP_V4, {203, 0, 113, 9}}, 40000},
				.detail = "no shared cipher"};

	memcpy(payload, &m, sizeof(m));
	return sizeof(m);
}

static size_t usual(unsigned type, uint8_t *payload, struct script *s)
{
	struct identity_answer answer = {.call = 1 + take(s, 4),
					 .reason = REASON_identity_verified,
					 .attest = 'A',
					 .tn = "4930123456"};

	switch (type) {
	case PROC_QUERY:
		return usual_query(payload, s);
	case PROC_TLS_OPENED:
		return usual_opened(payload, s);
	case PROC_TLS_REFUSED:
		return usual_refused(payload, s);
	case PROC_SIGNED:
		answer.reason = REASON_identity_signed;
		memcpy(payload, &answer, sizeof(answer));
		return sizeof(answer);
	case PROC_VERIFIED:
		memcpy(payload, &answer, sizeof(answer));
		return sizeof(answer);
	default:
		return 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = {data, size};
	struct proc_channel far[PEERS];
	struct signal *s = mem_zalloc(1, sizeof(*s));
	struct fds fds;
	int before;
	static bool warm;
	long live;

	expect(s != NULL);
	if (!warm) { /* the memory that stays */
		take_memory(s);
		flow_table_free(s->flows);
		vault_free(s->vault);
		journal_free(s->journal);
		warm = true;
	}
	before = next_fd();
	live = mem_test_live();
	fds_open(&fds);
	proc_msg_init(&s->msg);
	s->console.channel.fd = s->tls.channel.fd = s->stir.channel.fd = -1;
	set_up(s);
	join(s, far);
	for (size_t i = 0; i < MESSAGES_MAX && script.n; i++) {
		send_next(&script, &far[take(&script, PEERS)], fds.near, usual);
		turn(s);
		for (size_t k = 0; k < PEERS; k++)
			drain(&far[k], &s->msg);
	}
	tear_down(s);
	for (size_t i = 0; i < PEERS; i++)
		proc_channel_done(&far[i]);
	fds_close(&fds);
	expect(next_fd() == before);
	expect(mem_test_live() == live);
	mem_free(s);
	return 0;
}
