/* The process that sees frames of the zones' links (hw-watch). */
#include "main/leak_proc.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/child_main.h"
#include "main/command.h"
#include "proc/identity.h"
#include "proc/sandbox.h"
#include "proc/spawner.h"

#define TAG_AT	  12 /* behind the two addresses */
#define TAG_BYTES 4

/* ---- events ---- */

static void events_flush(void *ctx)
{
	struct leak_proc *p = ctx;

	p->events.waiting = false;
	if (event_batch_flush(&p->events, &p->console.channel))
		child_link_done(&p->console); /* it comes back with a new channel */
	else
		child_link_rewatch(&p->console);
}

static void tell(struct leak_proc *p, const struct event *e)
{
	event_batch_add(&p->events, &p->console.channel, e);
	if (!p->events.waiting)
		loop_timer_start(p->event_timer, EVENT_WAIT_MS);
	p->events.waiting = true;
}

static void on_found(void *ctx, const struct leaks *l, const struct leak *k)
{
	char text[LEAK_EVIDENCE_BYTES + 64], mac[LEAK_MAC_TEXT_MAX];
	const char *zone = leak_zone_text(l, k->zone);
	struct out o = out_to(text, sizeof(text));
	struct event e = {.type = "leak",
			  .reason = k->reason,
			  .wall_ms = k->last_ms,
			  .from = k->src,
			  .to = k->dst,
			  .zone = *zone ? zone : NULL};

	out_fmt(&o, "%s sent on %s ", leak_mac_text(k->mac, mac), l->link.of);
	out_z(&o, k->evidence);
	e.detail = out_slice(&o);
	tell(ctx, &e);
}

/* ---- frames ---- */

/* The tag that the kernel took out goes back to its place. */
static struct slice with_tag(uint8_t *frame, size_t n, const struct msghdr *m)
{
	uint8_t *start = frame + TAG_BYTES;
	struct tpacket_auxdata aux;
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	uint16_t type;

	if (!c || c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA || n < TAG_AT)
		return slice_of((const char *)start, n);
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return slice_of((const char *)start, n);
	type = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : LINK_ETHERTYPE_VLAN;
	memmove(frame, start, TAG_AT);
	frame[TAG_AT] = (uint8_t)(type >> 8);
	frame[TAG_AT + 1] = (uint8_t)type;
	frame[TAG_AT + 2] = (uint8_t)(aux.tp_vlan_tci >> 8);
	frame[TAG_AT + 3] = (uint8_t)aux.tp_vlan_tci;
	return slice_of((const char *)frame, n + TAG_BYTES);
}

/* False: there is none. */
static bool take_frame(struct leak_tap *t, uint64_t now_ms)
{
	union {
		struct cmsghdr head;
		uint8_t bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	uint8_t frame[TAG_BYTES + LEAK_FRAME_BYTES];
	struct iovec at = {frame + TAG_BYTES, LEAK_FRAME_BYTES};
	struct msghdr m = {.msg_iov = &at,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(t->fd, &m, MSG_DONTWAIT);

	if (n < 0)
		return errno != EAGAIN && errno != EINTR && errno != ENETDOWN;
	t->frames++;
	leaks_on_frame(&t->link->leaks, with_tag(frame, (size_t)n, &m), now_ms);
	return true;
}

static void on_frames(void *ctx, unsigned events)
{
	struct leak_tap *t = ctx;
	uint64_t now_ms = clock_wall_ms();

	for (int i = 0; i < LEAK_TURN_FRAMES; i++) {
		if (t->left == 0) { /* the rest waits, or is missed, until the next share */
			loop_fd_want(t->watch, 0);
			return;
		}
		t->left--;
		if (!take_frame(t, now_ms))
			return;
	}
}

static void tap_close(struct leak_tap *t)
{
	loop_fd_remove(t->watch);
	if (t->link)
		close(t->fd);
	*t = (struct leak_tap){.proc = t->proc, .fd = -1};
}

static void count_missed(struct leak_tap *t)
{
	struct tpacket_stats s;
	socklen_t size = sizeof(s);
	char text[160];
	struct event e = {.type = "leak",
			  .name = "leak_watch_overrun",
			  .severity = SEV_NOTICE,
			  .wall_ms = clock_wall_ms()};

	if (getsockopt(t->fd, SOL_PACKET, PACKET_STATISTICS, &s, &size) || s.tp_drops == 0)
		return;
	t->missed += s.tp_drops;
	if (t->told)
		return;
	t->told = true;
	(void)snprintf(text, sizeof(text),
		       "more than can be looked at comes in on %s: some frames are judged, others "
		       "are counted as missed",
		       t->interface);
	e.detail = slice_z(text);
	tell(t->proc, &e);
}

static void on_tick(void *ctx)
{
	struct leak_proc *p = ctx;
	uint32_t open = 0;

	for (size_t i = 0; i < PROC_TAPS_MAX; i++)
		open += p->tap[i].link != NULL;
	for (size_t i = 0; i < PROC_TAPS_MAX; i++) {
		struct leak_tap *t = &p->tap[i];

		if (!t->link)
			continue;
		count_missed(t);
		t->left = LEAK_FRAMES_PER_SECOND / LEAK_TICKS / open;
		loop_fd_want(t->watch, LOOP_READ);
	}
	loop_timer_start(p->tick, 1000 / LEAK_TICKS);
}

/* ---- the warden ---- */

/* NULL: there are LEAK_LINKS_MAX others, or no memory. */
static struct leak_link *link_of(struct leak_proc *p, const char *of)
{
	struct leak_link *free_place = NULL;
	struct r5_link link = {.config = p->config};

	for (size_t i = 0; i < LEAK_LINKS_MAX; i++) {
		if (strcmp(p->link[i].of, of) == 0)
			return &p->link[i];
		if (!p->link[i].of[0] && !free_place)
			free_place = &p->link[i];
	}
	if (!free_place)
		return NULL;
	link.of = free_place->of;
	if (leaks_init(&free_place->leaks, &link, &p->key)) {
		leaks_done(&free_place->leaks);
		return NULL;
	}
	(void)slice_to_z(slice_z(of), free_place->of, sizeof(free_place->of));
	free_place->leaks.forget_ms = LEAK_FORGET_MS;
	free_place->leaks.on_new = on_found;
	free_place->leaks.ctx = p;
	return free_place;
}

static int on_tap(struct leak_proc *p)
{
	int fd = proc_msg_take_fd(&p->msg, 0);
	struct proc_tap m;
	struct leak_tap *t;

	memcpy(&m, p->msg.payload, sizeof(m));
	m.interface[sizeof(m.interface) - 1] = m.of[sizeof(m.of) - 1] = '\0';
	if (m.number >= PROC_TAPS_MAX || !p->config || (m.open && !m.of[0]) ||
	    (fd >= 0) != (m.open == 1)) {
		if (fd >= 0)
			close(fd);
		return ERR_PEER;
	}
	t = &p->tap[m.number];
	tap_close(t);
	if (!m.open)
		return 0;
	t->link = link_of(p, m.of);
	if (!t->link) {
		log_line(SEV_WARNING, "%s is not watched for leaks: %d links are at most",
			 m.interface, LEAK_LINKS_MAX);
		close(fd);
		return 0;
	}
	t->fd = fd;
	memcpy(t->interface, m.interface, sizeof(t->interface));
	return loop_fd_add(p->loop, fd, 0, on_frames, t, &t->watch);
}

static int lock_in(struct leak_proc *p)
{
	struct proc_sandbox_state state;
	int err = proc_harden();

	err = err ? err : proc_sandbox_enter(PROC_WATCH, &state);
	p->locked_in = !err;
	return err;
}

static int config_whole(struct leak_proc *p)
{
	uint64_t generation = p->intake.begin.generation;
	struct config *old = p->config;
	int err = p->locked_in ? 0 : lock_in(p);

	p->config = p->intake.config;
	p->intake.config = NULL;
	for (size_t i = 0; i < LEAK_LINKS_MAX; i++)
		if (p->link[i].of[0])
			leaks_reconfigure(&p->link[i].leaks, p->config);
	config_free(old);
	config_intake_done(&p->intake);
	return err ? err : child_config_done(&p->warden.channel, generation, 0);
}

static int on_console_message(void *ctx)
{
	struct leak_proc *p = ctx;
	struct proc_query_msg q;
	struct answer a;
	unsigned status;
	int err;

	if (p->msg.type != PROC_QUERY)
		return ERR_PEER;
	memcpy(&q, p->msg.payload, sizeof(q));
	q.argument[sizeof(q.argument) - 1] = '\0';
	err = answer_begin(&a);
	if (err)
		return err;
	events_flush(p); /* whoever asks finds in the events what the answer speaks of */
	status = leak_proc_fill(p, &a, &q);
	return answer_end(&a, &p->console.channel, q.id, status);
}

static void on_console(void *ctx, unsigned events)
{
	struct leak_proc *p = ctx;

	if (child_link_turn(&p->console, events, &p->msg, on_console_message, p))
		child_link_done(&p->console);
}

static int take_console(struct leak_proc *p)
{
	child_link_done(&p->console);
	proc_channel_init(&p->console.channel, proc_msg_take_fd(&p->msg, 0), PROC_WATCH,
			  PROC_CONSOLE);
	return child_link_watch(&p->console, p->loop, on_console, p);
}

static int on_warden_message(void *ctx)
{
	struct leak_proc *p = ctx;
	int done;

	switch ((int)p->msg.type) {
	case PROC_HELLO:
		return 0;
	case PROC_TAP:
		return on_tap(p);
	case PROC_PEER:
		return take_console(p);
	case PROC_STOP:
		events_flush(p);
		if (proc_send(&p->warden.channel, PROC_STOPPED, NULL, 0, NULL, 0) != 0)
			return -EPIPE;
		loop_stop(p->loop);
		return 0;
	default:
		done = config_intake_on_message(&p->intake, &p->msg);
		return done == 1 ? config_whole(p) : done;
	}
}

static void on_warden(void *ctx, unsigned events)
{
	struct leak_proc *p = ctx;
	int err = child_link_turn(&p->warden, events, &p->msg, on_warden_message, p);

	if (err)
		child_give_up(p->loop, "watch", err);
}

/* ---- life ---- */

static int set_up(struct leak_proc *p)
{
	int err = loop_new(&p->loop);

	if (!err && getrandom(&p->key, sizeof(p->key), 0) != sizeof(p->key))
		err = ERR_ABSENT;
	if (!err)
		err = loop_timer_new(p->loop, on_tick, p, &p->tick);
	if (!err)
		err = loop_timer_new(p->loop, events_flush, p, &p->event_timer);
	if (!err)
		err = child_link_watch(&p->warden, p->loop, on_warden, p);
	if (!err)
		loop_timer_start(p->tick, 0);
	return err;
}

static void tear_down(struct leak_proc *p)
{
	for (size_t i = 0; i < PROC_TAPS_MAX; i++)
		tap_close(&p->tap[i]);
	for (size_t i = 0; i < LEAK_LINKS_MAX; i++)
		if (p->link[i].of[0])
			leaks_done(&p->link[i].leaks);
	child_link_done(&p->console);
	child_link_done(&p->warden);
	config_intake_done(&p->intake);
	config_free(p->config);
	loop_timer_free(p->tick);
	loop_timer_free(p->event_timer);
	loop_free(p->loop);
	proc_msg_done(&p->msg);
}

int child_watch(int argc, char **argv)
{
	struct leak_proc *p = mem_zalloc(1, sizeof(*p));
	int err;

	if (!p)
		return EXIT_USAGE;
	proc_msg_init(&p->msg);
	p->console.channel.fd = -1;
	for (size_t i = 0; i < PROC_TAPS_MAX; i++)
		p->tap[i] = (struct leak_tap){.proc = p, .fd = -1};
	if (proc_child_begin(PROC_WATCH, &p->warden.channel) != 0) {
		fputs("hornwork: this is started by 'hornwork run' alone\n", stderr);
		mem_free(p);
		return EXIT_USAGE;
	}
	err = set_up(p);
	if (!err)
		loop_run(p->loop);
	else
		log_line(SEV_CRITICAL, "watch cannot start: %s", err_text(err));
	tear_down(p);
	mem_free(p);
	return err ? EXIT_USAGE : EXIT_GOOD;
}
