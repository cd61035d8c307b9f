/* Another configuration takes over: all of it, or nothing. */
#include <unistd.h>

#include "base/mem.h"
#include "io/log.h"
#include "main/assess_schedule.h"
#include "main/warden_tunnels.h"

/* One reload under way. The reading is a thread's, because names may have to be looked up and the
 * gateway must go on meanwhile; everything else is the loop's. */
struct reload {
	struct warden *w;
	uint32_t query; /* the console's; 0 = SIGHUP */
	const char *path;
	uint64_t generation;
	struct regime next;
	int err;
	struct out errors;
	char text[WARDEN_ERRORS_BYTES];
};

/* Undoes a regime that did not come to power: what it shares stays open. */
static void regime_abandon(struct regime *r)
{
	for (size_t i = 0; i < r->listeners.count; i++)
		if (r->listeners.old_index[i] == CONFIG_NONE && r->listeners.fds[i] >= 0)
			close(r->listeners.fds[i]);
	tls_material_close(&r->tls);
	signer_files_close(&r->signers);
	trust_files_close(&r->trust);
	patch_files_close(&r->patches);
	mem_free(r->listeners.fds);
	mem_free(r->listeners.old_index);
	mem_free((void *)(uintptr_t)r->text.p);
	config_free(r->config);
}

/* The console's own: a new file and socket before the old ones are let go. */
static int reopen_console(struct warden *w, const struct regime *next, struct out *errors)
{
	const struct ip_endpoint *before = &w->now.config->console.listen;
	bool same = ip_endpoint_eq(before, &next->config->console.listen);
	char token[PROC_TOKEN_MAX];
	int events_fd = events_open(next->config, errors);
	int console_fd = same ? w->console_fd : console_listen(next->config, errors);
	int err = token_read(next->config, token, errors);

	if ((events_fd < -1 || console_fd < -1) && !err)
		err = ERR_DENIED;
	if (err) {
		if (events_fd >= 0)
			close(events_fd);
		if (!same && console_fd >= 0)
			close(console_fd);
		return err;
	}
	if (w->events_fd >= 0)
		close(w->events_fd);
	if (!same && w->console_fd >= 0)
		close(w->console_fd);
	w->events_fd = events_fd;
	w->console_fd = console_fd;
	memcpy(w->token, token, sizeof(token));
	explicit_bzero(token, sizeof(token));
	return 0;
}

static void wake_assessor(struct warden *w)
{
	if (w->assessor_fd < 0 || w->now.config->asset_count == 0)
		return;
	schedule_wake(w->assessor_fd);
	w->assessor_fd = -1;
}

static int take_over(struct warden *w, struct regime *next, struct out *errors)
{
	struct regime before = w->now;
	int console_fd = w->console_fd;
	int err = warden_tunnels_check(w, next->config, errors);

	err = err ? err : regime_bind(w->config_path, w->vlans, &w->now, next, errors);

	if (err) {
		vlans_keep(w->vlans, w->now.config);
		return err;
	}
	err = warden_flows_apply(w, next->config);
	if (err)
		out_fmt(errors, "%s: not in force: %s\n", w->config_path,
			warden_flows_error(w, err));
	else
		err = reopen_console(w, next, errors);
	if (err) {
		if (warden_flows_apply(w, w->now.config) != 0)
			log_line(SEV_CRITICAL, "the firewall could not be put back as it was");
		vlans_keep(w->vlans, w->now.config);
		return err;
	}
	w->now = *next;
	vlans_keep(w->vlans, w->now.config);
	warden_shape_apply(w, w->now.config);
	if (warden_tunnels_apply(w) != 0)
		log_line(SEV_CRITICAL, "memory ran out: a tunnel is not begun, and nothing "
				       "passes outside of it");
	warden_hand_config(&w->child[CHILD_TLS], true);
	warden_stir_apply(w);
	warden_hand_config(&w->child[CHILD_SIGNAL], true);
	warden_hand_config(&w->child[CHILD_WATCH], true);
	warden_taps_apply(w);
	warden_voice_vlan_apply(w);
	warden_cdp_apply(w);
	warden_expiry_look(w);
	wake_assessor(w);
	warden_hand_console(w, w->console_fd == console_fd);
	regime_done(&before, &w->now);
	return 0;
}

static void log_lines(struct slice text)
{
	while (text.n > 0) {
		struct slice line = slice_split(text, '\n', &text);

		log_line(SEV_WARNING, "%.*s", SLICE_ARGS(line));
	}
}

static void tell(struct reload *r)
{
	struct warden *w = r->w;
	struct slice said = out_slice(&r->errors);
	struct event e = {.type = "config",
			  .name = "config_refused",
			  .severity = SEV_WARNING,
			  .detail = slice_trim(said)};

	log_lines(said); /* warnings, where it was taken */
	if (!r->err) {
		w->reload_query = r->query; /* answered when signal has it */
		return;
	}
	log_line(SEV_WARNING, "the configuration was not taken; the old one stays");
	warden_event(w, &e);
	if (r->query)
		warden_answer(w, r->query, 409, said);
}

static void on_read(void *ctx)
{
	struct reload *r = ctx;

	r->err = regime_read(r->path, r->generation, &r->next, &r->errors);
}

static void on_read_done(void *ctx)
{
	struct reload *r = ctx;
	struct warden *w = r->w;
	bool read = r->err == 0;

	w->reloading = false;
	if (read && w->stopping)
		r->err = ERR_DENIED;
	else if (read)
		r->err = take_over(w, &r->next, &r->errors);
	if (read && r->err)
		regime_abandon(&r->next);
	if (!w->stopping)
		tell(r);
	mem_free(r);
}

void warden_reload(struct warden *w, uint32_t query)
{
	struct reload *r;

	if (w->reloading || w->reload_query || w->stopping) {
		if (query)
			warden_answer(w, query, 409, SL("a reload is under way\n"));
		return;
	}
	r = mem_zalloc(1, sizeof(*r));
	if (r) {
		r->w = w;
		r->query = query;
		r->path = w->config_path;
		r->generation = w->now.generation + 1;
		r->errors = out_to(r->text, sizeof(r->text));
	}
	w->reloading = r && loop_work(w->loop, on_read, on_read_done, r) == 0;
	if (w->reloading)
		return;
	mem_free(r);
	log_line(SEV_WARNING, "memory ran out: not reloaded");
	if (query)
		warden_answer(w, query, 503, SL("memory ran out\n"));
}
