/* The console process: answers the API by asking the warden and signal, keeps the events. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "console/feed.h"
#include "console/http.h"
#include "console/ring.h"
#include "console/syslog.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/child_link.h"
#include "main/child_main.h"
#include "main/command.h"
#include "main/console_proc.h"
#include "proc/identity.h"
#include "proc/sandbox.h"
#include "proc/spawner.h"

#define QUERIES_MAX 256 /* open at a time: two HTTP listeners' connections */
#define QUERY_TIMEOUT_MS                                                                           \
	8000 /* a process that is being restarted is back by then, or not at all                   \
	      */
#define SWEEP_MS 500

/* One open question; who asked may have gone (request NULL). */
struct query {
	uint32_t id; /* 0 = free */
	struct http_request *request;
	const struct question *question;
	uint64_t asked_ms;
	unsigned parts_open;
	struct slice part[QUESTION_PARTS_MAX]; /* mapped: warden's, signal's, watch's */
	struct slice refusal;		       /* of those: the first that is none of 200 */
	unsigned status;
};

struct console {
	struct loop *loop;
	struct child_link warden, signal, leaks;
	struct proc_msg msg;
	struct http *http;
	struct loop_timer *sweep;
	struct ring ring;
	int events_fd;
	uint64_t events_lost; /* of the file */
	struct feed feed;
	struct syslog_sink syslog;
	uint32_t next_id;
	struct query query[QUERIES_MAX];
	bool serving;
};

/* ---- events ---- */

/* A message holds whole lines. */
static void on_events(struct console *c, const struct proc_msg *msg)
{
	struct slice text = slice_of((const char *)msg->payload, msg->bytes), rest = text;

	while (rest.n > 0) {
		struct slice line = slice_split(rest, '\n', &rest);

		if (line.n == 0)
			continue;
		ring_add(&c->ring, line);
		feed_add(&c->feed, line);
		syslog_sink_add(&c->syslog, line);
	}
	feed_flush(&c->feed);
	if (c->events_fd >= 0 && write(c->events_fd, text.p, text.n) < 0 && c->events_lost++ == 0)
		log_line(SEV_WARNING, "events cannot be written: %s", err_text(-errno));
}

static void answer_events(struct console *c, struct http_request *r)
{
	size_t size = c->ring.bytes + 2 * c->ring.count + 8;
	char *text = mem_zalloc(1, size);
	struct out o = out_to(text, text ? size : 0);

	out_char(&o, '[');
	for (size_t i = 0; i < c->ring.count; i++) {
		out_z(&o, i ? ",\n" : "");
		out_z(&o, ring_at(&c->ring, i));
	}
	out_char(&o, ']');
	http_answer_text(r, o.err ? 500 : 200, out_slice(&o), false);
	mem_free(text);
}

/* ---- questions ---- */

static void query_free(struct query *q)
{
	for (size_t i = 0; i < QUESTION_PARTS_MAX; i++)
		proc_text_unmap(q->part[i]);
	*q = (struct query){0};
}

static void query_fail(struct query *q, unsigned status, const char *why)
{
	char text[160];
	struct out o = out_to(text, sizeof(text));
	struct json j = json_to(&o);
	struct http_request *r = q->request;

	json_open(&j, '{');
	json_member_z(&j, "error", why);
	json_close(&j, '}');
	query_free(q);
	if (r)
		http_answer_text(r, status, out_slice(&o), false);
}

/* The console's own figures, behind those of the others. */
static void write_metrics(struct out *o, const struct console *c)
{
	const struct {
		const char *sink;
		uint64_t lost;
	} rows[] = {{"file", c->events_lost}, {"socket", c->feed.lost}, {"syslog", c->syslog.lost}};

	out_z(o, "# TYPE hornwork_events_lost_total counter\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		out_fmt(o, "hornwork_events_lost_total{sink=\"%s\"} %llu\n", rows[i].sink,
			(unsigned long long)rows[i].lost);
}

static void query_finish(const struct console *c, struct query *q)
{
	/* a reload's complaints are escaped: at most six bytes for one */
	size_t grow = q->question->query == QUERY_RELOAD ? 6 : 1;
	size_t size = grow * (q->part[0].n + q->part[1].n + q->part[2].n) + 1024;
	struct http_request *r = q->request;
	char *text = mem_zalloc(1, size);
	struct out o = out_to(text, text ? size : 0);
	unsigned status = q->status;
	bool plain = q->question->plain;

	if (q->status == 200 || q->question->query == QUERY_RELOAD)
		question_write(q->question, q->part, q->status == 200, &o);
	else /* who found what is wrong says it */
		out_bytes(&o, q->refusal);
	if (status == 200 && plain)
		write_metrics(&o, c);
	query_free(q);
	if (r)
		http_answer_text(r, o.err ? 500 : status, out_slice(&o), plain);
	mem_free(text);
}

static struct query *query_new(struct console *c)
{
	for (size_t i = 0; i < QUERIES_MAX; i++) {
		if (c->query[i].id)
			continue;
		c->next_id = c->next_id == UINT32_MAX ? 1 : c->next_id + 1;
		c->query[i] =
			(struct query){.id = c->next_id, .asked_ms = clock_ms(), .status = 200};
		return &c->query[i];
	}
	return NULL;
}

static int put_question(struct child_link *l, const struct query *q, const char *argument)
{
	struct proc_query_msg m = {.id = q->id, .what = (uint32_t)q->question->query};
	int err;

	(void)slice_to_z(slice_z(argument), m.argument, sizeof(m.argument));
	err = proc_send(&l->channel, PROC_QUERY, &m, sizeof(m), NULL, 0);
	child_link_rewatch(l);
	return err;
}

/* Others tell what they know also while nobody watches the links. ERR_ABSENT: nobody else was
 * asked. */
static int without_watch(struct query *q)
{
	if (q->question->asks == ASK_WATCH)
		return ERR_ABSENT;
	q->parts_open &= ~(unsigned)ASK_WATCH;
	return 0;
}

static void on_asked(void *ctx, struct http_request *r, enum route route, const char *argument)
{
	struct console *c = ctx;
	struct query *q;
	int err = 0;

	if (route == ROUTE_EVENTS) {
		answer_events(c, r);
		return;
	}
	q = question_of(route) ? query_new(c) : NULL;
	if (!q) {
		http_answer_text(r, 503, SL("{\"error\": \"too many open questions\"}"), false);
		return;
	}
	q->request = r;
	q->question = question_of(route);
	if (q->question->asks & ASK_WARDEN)
		err = put_question(&c->warden, q, argument);
	if (!err && (q->question->asks & ASK_SIGNAL))
		err = put_question(&c->signal, q, argument);
	q->parts_open = q->question->asks;
	if (!err && (q->question->asks & ASK_WATCH) && put_question(&c->leaks, q, argument))
		err = without_watch(q);
	if (err)
		query_fail(q, 503, "a process of the gateway is being restarted");
}

static void on_gone(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	for (size_t i = 0; i < QUERIES_MAX; i++)
		if (c->query[i].request == r)
			c->query[i].request = NULL;
}

static void on_sweep(void *ctx)
{
	struct console *c = ctx;
	uint64_t now_ms = clock_ms();

	for (size_t i = 0; i < QUERIES_MAX; i++)
		if (c->query[i].id && now_ms - c->query[i].asked_ms > QUERY_TIMEOUT_MS)
			query_fail(&c->query[i], 504, "a process of the gateway did not answer");
	loop_timer_start(c->sweep, SWEEP_MS);
}

static int on_answer(struct console *c, unsigned who)
{
	struct proc_answer m;
	struct query *q = NULL;
	int fd = proc_msg_take_fd(&c->msg, 0), err = 0;

	memcpy(&m, c->msg.payload, sizeof(m));
	for (size_t i = 0; i < QUERIES_MAX; i++)
		if (c->query[i].id == m.id && m.id)
			q = &c->query[i];
	if (q && (q->parts_open & who)) {
		err = proc_text_map(fd, m.bytes, &q->part[who >> 1]);
		q->parts_open &= ~who;
		if (m.status != 200 && q->status == 200) {
			q->status = m.status;
			q->refusal = q->part[who >> 1];
		}
		if (!err && !q->parts_open)
			query_finish(c, q);
	}
	close(fd);
	return err;
}

/* ---- channels ---- */

static int on_peer_message(struct console *c, unsigned who)
{
	if (c->msg.type != PROC_EVENT)
		return on_answer(c, who);
	on_events(c, &c->msg);
	return 0;
}

static int on_signal_message(void *ctx)
{
	return on_peer_message(ctx, ASK_SIGNAL);
}

static int on_watch_message(void *ctx)
{
	return on_peer_message(ctx, ASK_WATCH);
}

/* Its successor was not asked: whoever did asks again. */
static void signal_gone(struct console *c)
{
	for (size_t i = 0; i < QUERIES_MAX; i++)
		if (c->query[i].id && (c->query[i].parts_open & ASK_SIGNAL))
			query_fail(&c->query[i], 503,
				   "a process of the gateway is being restarted");
}

static void on_signal(void *ctx, unsigned events)
{
	struct console *c = ctx;

	if (!child_link_turn(&c->signal, events, &c->msg, on_signal_message, c))
		return;
	child_link_done(&c->signal); /* it comes back with a new channel */
	signal_gone(c);
}

static void on_watch(void *ctx, unsigned events)
{
	struct console *c = ctx;

	if (!child_link_turn(&c->leaks, events, &c->msg, on_watch_message, c))
		return;
	child_link_done(&c->leaks);
	for (size_t i = 0; i < QUERIES_MAX; i++) {
		struct query *q = &c->query[i];

		if (!q->id || !(q->parts_open & ASK_WATCH))
			continue;
		if (without_watch(q))
			query_fail(q, 503, "a process of the gateway is being restarted");
		else if (!q->parts_open)
			query_finish(c, q);
	}
}

static int take_peer(struct console *c)
{
	struct proc_peer m;
	struct child_link *l;

	memcpy(&m, c->msg.payload, sizeof(m));
	if (m.kind != PROC_SIGNAL && m.kind != PROC_WATCH)
		return ERR_PEER;
	l = m.kind == PROC_SIGNAL ? &c->signal : &c->leaks;
	if (m.kind == PROC_SIGNAL)
		signal_gone(c);
	child_link_done(l);
	proc_channel_init(&l->channel, proc_msg_take_fd(&c->msg, 0), PROC_CONSOLE,
			  (enum proc_kind)m.kind);
	return child_link_watch(l, c->loop, m.kind == PROC_SIGNAL ? on_signal : on_watch, c);
}

static int lock_in(struct console *c)
{
	struct proc_sandbox_state state;
	int err = proc_harden();

	err = err ? err : proc_sandbox_enter(PROC_CONSOLE, &state);
	return err ? err : child_config_done(&c->warden.channel, 0, 0);
}

static int take_setup(struct console *c)
{
	struct proc_console_setup m;
	size_t n = 2;
	int tcp = -1, err = 0;

	memcpy(&m, c->msg.payload, sizeof(m));
	explicit_bzero(c->msg.payload, sizeof(m));
	m.token[sizeof(m.token) - 1] = '\0';
	if (!c->serving)
		err = http_listen_unix(c->http, proc_msg_take_fd(&c->msg, 0));
	if (!err && !c->serving)
		err = feed_listen(&c->feed, proc_msg_take_fd(&c->msg, 1));
	if (m.flags & CONSOLE_HAS_TCP)
		tcp = proc_msg_take_fd(&c->msg, n++);
	if (!err && (m.flags & CONSOLE_KEEPS_TCP))
		http_tcp_token(c->http, m.flags & CONSOLE_HAS_TOKEN ? m.token : "");
	else if (!err)
		err = http_listen_tcp(c->http, tcp, m.flags & CONSOLE_HAS_TOKEN ? m.token : "");
	explicit_bzero(&m.token, sizeof(m.token));
	if (c->events_fd >= 0)
		close(c->events_fd);
	c->events_fd = m.flags & CONSOLE_HAS_EVENTS ? proc_msg_take_fd(&c->msg, n++) : -1;
	m.syslog[sizeof(m.syslog) - 1] = '\0';
	syslog_sink_set(&c->syslog,
			m.flags & CONSOLE_HAS_SYSLOG ? proc_msg_take_fd(&c->msg, n) : -1, m.syslog);
	if (!err && !c->serving)
		err = lock_in(c);
	c->serving = true;
	return err;
}

static int on_warden_message(void *ctx)
{
	struct console *c = ctx;
	switch ((int)c->msg.type) {
	case PROC_HELLO:
		return 0;
	case PROC_CONSOLE_SETUP:
		return take_setup(c);
	case PROC_PEER:
		return take_peer(c);
	case PROC_EVENT:
		on_events(c, &c->msg);
		return 0;
	case PROC_ANSWER:
		return on_answer(c, ASK_WARDEN);
	case PROC_STOP:
		if (proc_send(&c->warden.channel, PROC_STOPPED, NULL, 0, NULL, 0) != 0)
			return -EPIPE;
		loop_stop(c->loop);
		return 0;
	default:
		return ERR_PEER;
	}
}

static void on_warden(void *ctx, unsigned events)
{
	struct console *c = ctx;
	int err = child_link_turn(&c->warden, events, &c->msg, on_warden_message, c);

	if (err)
		child_give_up(c->loop, "console", err);
}

static int set_up(struct console *c)
{
	struct http_handler handler = {.ctx = c, .asked = on_asked, .gone = on_gone};
	int err = loop_new(&c->loop);

	feed_init(&c->feed, c->loop);
	if (!err)
		err = http_new(c->loop, &handler, &c->http);
	if (!err)
		err = loop_timer_new(c->loop, on_sweep, c, &c->sweep);
	if (!err)
		err = child_link_watch(&c->warden, c->loop, on_warden, c);
	if (!err)
		loop_timer_start(c->sweep, SWEEP_MS);
	return err;
}

static void tear_down(struct console *c)
{
	for (size_t i = 0; i < QUERIES_MAX; i++)
		if (c->query[i].id)
			query_fail(&c->query[i], 503, "the gateway stops");
	http_free(c->http);
	feed_done(&c->feed);
	syslog_sink_set(&c->syslog, -1, "");
	child_link_done(&c->signal);
	child_link_done(&c->leaks);
	child_link_done(&c->warden);
	ring_done(&c->ring);
	loop_timer_free(c->sweep);
	loop_free(c->loop);
	proc_msg_done(&c->msg);
}

int child_console(int argc, char **argv)
{
	struct console *c = mem_zalloc(1, sizeof(*c));
	int err;

	if (!c)
		return EXIT_USAGE;
	proc_msg_init(&c->msg);
	c->signal.channel.fd = c->leaks.channel.fd = c->events_fd = c->syslog.fd = -1;
	if (proc_child_begin(PROC_CONSOLE, &c->warden.channel) != 0) {
		fputs("hornwork: this is started by 'hornwork run' alone\n", stderr);
		mem_free(c);
		return EXIT_USAGE;
	}
	err = set_up(c);
	if (!err)
		loop_run(c->loop);
	tear_down(c);
	mem_free(c);
	return err ? EXIT_USAGE : EXIT_GOOD;
}
