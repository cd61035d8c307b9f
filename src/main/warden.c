#include "main/warden.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "main/command.h"
#include "main/warden_path.h"
#include "main/warden_probe.h"
#include "main/warden_tunnels.h"
#include "proc/identity.h"
#include "proc/sandbox.h"

void warden_notice(struct warden *w, const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (w->notice_count >= WARDEN_NOTICES_MAX)
		return;
	text = w->notices[w->notice_count];
	va_start(ap, fmt);
	vsnprintf(text, WARDEN_NOTICE_BYTES, fmt, ap);
	va_end(ap);
	w->notice_count++;
	log_line(SEV_NOTICE, "note: %s", text);
}

void warden_event(struct warden *w, struct event *e)
{
	e->wall_ms = clock_wall_ms();
	event_batch_add(&w->events, &w->child[CHILD_CONSOLE].channel, e);
	if (!w->events.waiting)
		loop_timer_start(w->event_timer, w->events.urgent ? 0 : EVENT_WAIT_MS);
	w->events.waiting = true;
}

void warden_events_flush(void *ctx)
{
	struct warden *w = ctx;
	struct child *console = &w->child[CHILD_CONSOLE];
	int err = event_batch_flush(&w->events, &console->channel);

	w->events.waiting = false;
	if (err)
		warden_child_condemn(console, err);
	else
		warden_child_rewatch(console);
}

void warden_tell(struct warden *w, const char *type, const char *name, enum severity severity,
		 const char *fmt, ...)
{
	struct event e = {.type = type, .name = name, .severity = severity};
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_line(severity, "%s", text);
	e.detail = slice_z(text);
	warden_event(w, &e);
}

/* ---- the end ---- */

static void tell_to_stop(struct child *c)
{
	struct proc_stop m = {.grace_ms = WARDEN_STOP_MS};

	if (c->pid > 0)
		warden_child_send(c, PROC_STOP, &m, sizeof(m), NULL, 0);
}

static bool gone(const struct child *c)
{
	return c->pid <= 0 || c->stopped || !proc_channel_open(&c->channel);
}

/* First signal says its goodbyes, then what it left open is closed, then the others end. */
static void stop_further(struct warden *w)
{
	if (!gone(&w->child[CHILD_SIGNAL]))
		return;
	if (!w->flows_closed) {
		w->flows_closed = true;
		warden_flows_close_all(w);
		warden_tell(w, "process", "gateway_stopped", SEV_NOTICE, "the gateway stops");
		warden_events_flush(w); /* before it is told to stop */
		tell_to_stop(&w->child[CHILD_MEDIA]);
		tell_to_stop(&w->child[CHILD_CONSOLE]);
		tell_to_stop(&w->child[CHILD_TLS]);
		tell_to_stop(&w->child[CHILD_WATCH]);
		tell_to_stop(&w->child[CHILD_ANNOUNCE]);
		tell_to_stop(&w->child[CHILD_STIR]);
		loop_timer_start(w->stop, WARDEN_STOP_MS);
	}
	for (size_t i = 0; i < CHILD_COUNT; i++)
		if (!gone(&w->child[i]))
			return;
	loop_stop(w->loop);
}

void warden_on_stopped(struct child *c)
{
	c->stopped = true;
	if (c->warden->stopping)
		stop_further(c->warden);
}

static void on_stop_timer(void *ctx)
{
	struct warden *w = ctx;

	if (!w->stopping) {
		warden_fail(w, "the processes of the gateway were not up in time");
		return;
	}
	log_line(SEV_WARNING, "a process did not stop in time");
	if (w->flows_closed) {
		loop_stop(w->loop);
		return;
	}
	w->child[CHILD_SIGNAL].stopped = true;
	stop_further(w);
}

void warden_stop(struct warden *w)
{
	if (w->stopping)
		return;
	w->stopping = true;
	for (size_t i = 0; i < CHILD_COUNT; i++)
		loop_timer_stop(w->child[i].restart);
	loop_timer_start(w->stop, WARDEN_STOP_MS + 500);
	tell_to_stop(&w->child[CHILD_SIGNAL]);
	stop_further(w);
}

void warden_fail(struct warden *w, const char *why)
{
	log_line(SEV_CRITICAL, "%s", why);
	w->failed = true;
	warden_stop(w);
}

/* ---- the beginning ---- */

/* For systemd's Type=notify; does nothing elsewhere. */
static void notify_manager(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n == 0 || n >= sizeof(name.sun_path))
		return;
	memcpy(name.sun_path, path, n);
	if (path[0] == '@')
		name.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&name,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

void warden_ready(struct warden *w)
{
	w->ready = true;
	loop_timer_stop(w->stop);
	warden_tell(w, "process", "gateway_started", SEV_INFO, "the gateway runs (%s mode)",
		    w->nft ? "full" : "user");
	notify_manager("READY=1");
	warden_expiry_look(w);
	log_line(SEV_INFO, "ready");
	if (w->self_test)
		warden_self_test(w);
}

static void on_signal(void *ctx, int signum)
{
	if (signum == SIGHUP)
		warden_reload(ctx, 0);
	else
		warden_stop(ctx);
}

static int give_up_rights(struct warden *w)
{
	static const int kept[] = {CAP_NET_ADMIN, CAP_BPF, CAP_NET_RAW, CAP_NET_BIND_SERVICE};
	int err = proc_caps_keep(kept, sizeof(kept) / sizeof(kept[0]));

	if (!err)
		err = proc_harden();
	return err ? err : proc_sandbox_warden();
}

static void look_around(struct warden *w)
{
	int err;

	if (!proc_identity_can_change())
		warden_notice(w, "not started as root: all processes run as uid %u", getuid());
	if (!proc_memory_lockable())
		warden_notice(w, "memory cannot be locked (RLIMIT_MEMLOCK): keys and passwords may "
				 "reach the swap space");
	if (proc_landlock_abi() == 0)
		warden_notice(w, "this kernel has no Landlock: files are guarded by seccomp alone");
	if (proc_sandbox_only_logs())
		warden_notice(w, "HORNWORK_SECCOMP=log: the sandboxes log what they should stop");
	err = nft_new(&w->nft);
	if (!err)
		err = warden_flows_apply(w, w->now.config);
	if (!err && !nft_guards_frames(w->nft))
		warden_notice(w, "this kernel cannot filter below IP: VLAN tags and forged ARP are "
				 "dropped by nobody but the system");
	if (!err)
		return;
	warden_notice(w,
		      "no firewall of its own (%s): unused ports are closed by nobody but the "
		      "system",
		      w->nft ? nft_error(w->nft) : err_text(err));
	nft_free(w->nft);
	w->nft = NULL;
}

static void note_unserved(struct warden *w)
{
	const struct config *c = w->now.config;

	for (size_t i = 0; i < c->listener_count; i++) {
		char text[IP_ENDPOINT_TEXT_MAX];

		if (w->now.listeners.fds[i] < 0)
			warden_notice(w, "%s:%s is not served: this build has no such transport",
				      transport_text(c->listeners[i].transport),
				      ip_endpoint_text(&c->listeners[i].local, text));
	}
}

static int put_in_force(struct warden *w)
{
	int err = warden_flows_apply(w, w->now.config);

	if (err)
		log_line(SEV_CRITICAL, "the configuration cannot be put in force: %s",
			 warden_flows_error(w, err));
	return err;
}

/* Without the firewall what belongs into a tunnel would pass in the clear. */
static int tunnels_possible(const struct warden *w)
{
	char text[WARDEN_NOTICE_BYTES];
	struct out o = out_to(text, sizeof(text));
	int err = warden_tunnels_check(w, w->now.config, &o);

	if (err)
		log_line(SEV_CRITICAL, "%.*s", SLICE_ARGS(slice_trim(out_slice(&o))));
	return err;
}

static int begin(struct warden *w)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	int err = loop_new(&w->loop);

	if (!err)
		err = warden_flows_new(w);
	if (!err)
		err = warden_bans_new(w);
	if (!err)
		err = put_in_force(w);
	if (!err)
		err = loop_timer_new(w->loop, on_stop_timer, w, &w->stop);
	if (!err)
		err = loop_timer_new(w->loop, warden_events_flush, w, &w->event_timer);
	if (!err)
		err = warden_expiry_new(w);
	for (size_t i = 0; i < 3 && !err; i++)
		err = loop_signal_add(w->loop, signals[i], on_signal, w, &w->signals[i]);
	if (!err)
		err = warden_path_start(w);
	if (err)
		return err;
	look_around(w);
	warden_shape_apply(w, w->now.config);
	warden_taps_apply(w);
	warden_voice_vlan_apply(w);
	warden_cdp_apply(w);
	note_unserved(w);
	err = tunnels_possible(w);
	err = err ? err : give_up_rights(w);
	err = err ? err : warden_tunnels_apply(w);
	return err ? err : warden_children_start(w);
}

static void end(struct warden *w)
{
	warden_children_done(w);
	warden_tunnels_done(w);
	warden_taps_done(w);
	warden_voice_vlan_done(w);
	warden_cdp_done(w);
	if (w->flows)
		warden_flows_done(w);
	warden_bans_done(w);
	shaper_free(w->shaper);
	for (size_t i = 0; i < 3; i++)
		loop_signal_remove(w->signals[i]);
	loop_timer_free(w->stop);
	loop_timer_free(w->event_timer);
	loop_timer_free(w->expiry);
	loop_free(w->loop);
}

int warden_run(struct warden *w)
{
	int err;

	w->started_ms = clock_ms();
	proc_msg_init(&w->msg);
	err = begin(w);
	if (err) {
		log_line(SEV_CRITICAL, "the gateway cannot start: %s", err_text(err));
		w->failed = true;
	} else {
		loop_timer_start(w->stop, WARDEN_START_MS);
		loop_run(w->loop);
	}
	notify_manager("STOPPING=1");
	end(w);
	return !w->failed ? EXIT_GOOD : w->self_test && w->ready ? EXIT_FOUND : EXIT_USAGE;
}
