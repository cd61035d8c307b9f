#include "main/signal_proc.h"

#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/digest.h"
#include "io/log.h"
#include "main/child_main.h"
#include "main/command.h"
#include "proc/spawner.h"

static void on_core_timer(void *ctx)
{
	struct signal *s = ctx;

	if (s->core)
		core_tick(s->core, clock_ms());
}

static void on_idle_call(void *ctx, uint32_t call)
{
	struct signal *s = ctx;

	core_on_media_idle(s->core, clock_ms(), call);
}

static void prove(void *ctx, const struct binding_info *b)
{
	struct signal *s = ctx;

	signal_prove(s, &b->path);
}

/* Flows of an earlier signal go on until they fall silent; then nobody needs their keys. */
static void forget_left_keys(struct signal *s)
{
	for (uint32_t i = vault_next_left(s->vault, 0); i != UINT32_MAX;
	     i = vault_next_left(s->vault, i + 1))
		if (flow_table_generation(s->flows, i) == 0)
			vault_wipe(s->vault, i);
}

static void on_house_timer(void *ctx)
{
	struct signal *s = ctx;

	loop_timer_start(s->house_timer, SIGNAL_HOUSE_MS);
	if (!s->core)
		return;
	if (flow_table_idle_calls(s->flows, clock_ns(),
				  (uint64_t)s->config->media.idle_timeout_ms * 1000000u,
				  on_idle_call, s) != 0)
		log_line(SEV_WARNING, "memory ran out while looking for silent calls");
	signal_fraud_clock(s);
	signal_watch_handshakes(s);
	signal_watch_pbxs(s);
	signal_quality_look(s);
	signal_injection_look(s);
	records_age(&s->records, clock_ms());
	if (s->house_turns % SIGNAL_VAULT_TURNS == 0)
		forget_left_keys(s);
	if (s->house_turns++ % SIGNAL_PROVE_TURNS == 0)
		core_bindings_walk(s->core, prove, s);
}

/* OpenSSL reads files when it is used first: that must be before the door is locked. */
static void warm_up(void)
{
	char text[65];
	struct slice part = SL("x");

	(void)digest_hex(NULL, SL("MD5"), &part, 1, text);
	(void)digest_hex(NULL, SL("SHA-256"), &part, 1, text);
	tzset(); /* the time zone is a file too */
}

static int set_up(struct signal *s)
{
	struct hash_key key;
	int err = loop_new(&s->loop);

	s->env = signal_env(s);
	s->env.random(s, (uint8_t *)&key, sizeof(key));
	if (!err)
		err = records_init(&s->records, &key);
	if (!err)
		err = refusals_init(&s->refusals);
	if (!err)
		err = source_limit_init(&s->sources, &key, 0);
	if (!err)
		err = signal_net_new(s);
	if (!err)
		err = loop_timer_new(s->loop, on_core_timer, s, &s->core_timer);
	if (!err)
		err = loop_timer_new(s->loop, on_house_timer, s, &s->house_timer);
	if (!err)
		err = loop_timer_new(s->loop, signal_events_flush, s, &s->event_timer);
	if (!err)
		err = child_link_watch(&s->warden, s->loop, signal_on_warden, s);
	if (err)
		return err;
	loop_timer_start(s->house_timer, SIGNAL_HOUSE_MS);
	loop_on_turn_end(s->loop, signal_turn_end, s);
	warm_up();
	return 0;
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
	patch_set_free(s->patches);
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

int child_signal(int argc, char **argv)
{
	struct signal *s = mem_zalloc(1, sizeof(*s));
	int err;

	if (!s)
		return EXIT_USAGE;
	proc_msg_init(&s->msg);
	s->console.channel.fd = s->tls.channel.fd = s->stir.channel.fd = -1;
	if (proc_child_begin(PROC_SIGNAL, &s->warden.channel) != 0) {
		fputs("hornwork: this is started by 'hornwork run' alone\n", stderr);
		mem_free(s);
		return EXIT_USAGE;
	}
	err = set_up(s);
	if (!err)
		loop_run(s->loop);
	else
		log_line(SEV_CRITICAL, "signal cannot start: %s", err_text(err));
	err = err ? err : s->failed;
	tear_down(s);
	mem_free(s);
	return err ? EXIT_USAGE : EXIT_GOOD;
}
