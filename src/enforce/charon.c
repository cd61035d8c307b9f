#include "enforce/charon_impl.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

static const char *const events[] = {"list-sa", "log", "ike-updown", "child-updown"};
#define EVENTS (sizeof(events) / sizeof(events[0]))

const char *charon_state_text(enum charon_state s)
{
	static const char *const text[] = {
		[CHARON_ABSENT] = "no-charon",
		[CHARON_LOADING] = "loading",
		[CHARON_REFUSED] = "refused",
		[CHARON_DOWN] = "down",
		[CHARON_UP] = "up",
	};

	return text[s];
}

/* ---- the socket ---- */

static void load_forget(struct charon *c)
{
	if (c->load.buf)
		explicit_bzero(c->load.buf, c->load.size);
	mem_free(c->load.buf);
	c->load = (struct out){0};
	c->load_at = 0;
}

static void hang_up(struct charon *c, const char *why, uint64_t now_ms)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	if (c->out.buf)
		explicit_bzero(c->out.buf, c->out.size);
	c->in_n = c->out.n = c->out_sent = 0;
	c->out.err = 0;
	load_forget(c);
	charon_stale_gone(c); /* perhaps */
	c->step = STEP_IDLE;
	c->before = (struct charon_sas){0};
	charon_state_set(c, CHARON_ABSENT, now_ms);
	charon_tell(c, REASON_tunnel_no_charon, slice_z(why), now_ms);
}

void charon_flush(struct charon *c, uint64_t now_ms)
{
	while (c->fd >= 0 && c->out_sent < c->out.n) {
		ssize_t n = send(c->fd, c->out.buf + c->out_sent, c->out.n - c->out_sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			hang_up(c, "it closed its socket", now_ms);
			return;
		}
		c->out_sent += (size_t)n;
	}
	if (c->out.buf)
		explicit_bzero(c->out.buf, c->out.n);
	c->out.n = c->out_sent = 0;
}

/* One request is under way at a time, so there is room for it. */
static void ask(struct charon *c, enum step step, uint64_t now_ms)
{
	c->step = step;
	c->asked_ms = now_ms;
	if (c->out.err)
		hang_up(c, "a request is too long", now_ms);
	else
		charon_flush(c, now_ms);
}

static void ask_register(struct charon *c, uint64_t now_ms)
{
	size_t start = vici_begin(&c->out, VICI_REGISTER, slice_z(events[c->registered]));

	vici_end(&c->out, start);
	ask(c, STEP_REGISTER, now_ms);
}

static void ask_list(struct charon *c, uint64_t now_ms)
{
	size_t start = vici_begin(&c->out, VICI_REQUEST, SL("list-sas"));

	vici_pair(&c->out, "ike", slice_z(c->name));
	vici_end(&c->out, start);
	c->sas = (struct charon_sas){0};
	c->list_due = false;
	ask(c, STEP_LIST, now_ms);
}

static void write_initiate(struct out *o, const char *name)
{
	size_t start = vici_begin(o, VICI_REQUEST, SL("initiate"));

	vici_pair(o, "ike", slice_z(name));
	vici_pair(o, "child", slice_z(name));
	vici_pair(o, "timeout", SL("-1")); /* the answer does not wait for the outcome */
	vici_end(o, start);
}

/* The next of the requests that make the connection. */
static void ask_load(struct charon *c, uint64_t now_ms)
{
	struct slice left = slice_from(out_slice(&c->load), c->load_at);
	struct vici_packet p;
	long n = vici_packet_read(left, &p);

	if (n <= 0) {
		hang_up(c, "the requests cannot be written", now_ms);
		return;
	}
	out_bytes(&c->out, slice_first(left, (size_t)n));
	c->load_at += (size_t)n;
	ask(c, STEP_LOAD, now_ms);
}

static void load_begin(struct charon *c, uint64_t now_ms)
{
	int err = 0;

	c->load_due = false;
	c->loaded_ms = now_ms;
	load_forget(c);
	*c->told_key = '\0';
	c->load.buf = mem_zalloc(1, OUT_BYTES);
	c->load.size = c->load.buf ? OUT_BYTES : 0;
	err = c->load.buf ? c->setup.load(c->setup.ctx, &c->load) : ERR_NOMEM;
	if (err || c->load.n == 0) {
		load_forget(c);
		charon_state_set(c, CHARON_REFUSED, now_ms);
		charon_tell(c, REASON_tunnel_not_taken, slice_z(err_text(err)), now_ms);
		return;
	}
	ask_load(c, now_ms);
}

/* What is due now, if nothing is under way. */
static void go_on(struct charon *c, uint64_t now_ms)
{
	if (c->fd < 0 || c->step != STEP_IDLE)
		return;
	if (c->registered < EVENTS) {
		ask_register(c, now_ms);
	} else if (c->end_due) {
		c->end_due = false;
		charon_write_terminate(&c->out, c->name);
		ask(c, STEP_TERMINATE, now_ms);
	} else if ((*c->stale_key || c->stale_secret) && charon_write_stale(c)) {
		ask(c, STEP_REMOVE, now_ms); /* before other terms make more of it */
	} else if (c->load_due) {
		load_begin(c, now_ms);
	} else if (c->view.state == CHARON_REFUSED) {
		c->load_due = now_ms - c->loaded_ms >= LOAD_AGAIN_MS;
	} else if (c->begin_due) {
		c->begin_due = false;
		c->initiated_ms = now_ms;
		write_initiate(&c->out, c->name);
		ask(c, STEP_INITIATE, now_ms);
	} else if (c->list_due || now_ms - c->listed_ms >= POLL_MS) {
		ask_list(c, now_ms);
	}
}

/* ---- what comes of it ---- */

static bool answer_good(struct slice message, struct slice *why, struct slice *id)
{
	struct vici_reader r = vici_reader_of(message);
	struct vici_element e;
	bool good = false;

	*why = *id = slice_of(NULL, 0);
	while (vici_next(&r, &e)) {
		if (e.kind != VICI_KEY_VALUE || e.depth != 0)
			continue;
		if (slice_eq(e.name, SL("success")))
			good = slice_eq(e.value, SL("yes"));
		else if (slice_eq(e.name, SL("errmsg")))
			*why = e.value;
		else if (slice_eq(e.name, SL("id")))
			*id = e.value;
	}
	return good && !r.c.err;
}

/* What was loaded takes the place of what had been: that is taken out. */
static void take_key(struct charon *c)
{
	if (*c->key_id && strcmp(c->key_id, c->told_key) != 0)
		memcpy(c->stale_key, c->key_id, sizeof(c->stale_key));
	c->stale_secret = *c->told_key != '\0'; /* there or not: to be sure */
	memcpy(c->key_id, c->told_key, sizeof(c->key_id));
}

static void on_loaded(struct charon *c, struct slice message, uint64_t now_ms)
{
	struct slice why, id;

	if (!answer_good(message, &why, &id)) {
		load_forget(c);
		charon_state_set(c, CHARON_REFUSED, now_ms);
		charon_tell(c, REASON_tunnel_not_taken, why, now_ms);
		return;
	}
	if (id.n)
		(void)slice_to_z(id, c->told_key, sizeof(c->told_key));
	if (c->load_at < c->load.n) {
		ask_load(c, now_ms);
		return;
	}
	load_forget(c);
	take_key(c);
	if (c->view.state != CHARON_UP)
		charon_state_set(c, CHARON_DOWN, now_ms);
	c->initiated_ms = 0;
	c->list_due = true;
}

static void on_answer(struct charon *c, const struct vici_packet *p, uint64_t now_ms)
{
	enum step step = c->step;

	c->step = STEP_IDLE;
	if (step == STEP_REGISTER && p->type == VICI_CONFIRM)
		c->registered++;
	else if (step == STEP_LOAD && p->type == VICI_RESPONSE)
		on_loaded(c, p->message, now_ms);
	else if (step == STEP_LIST && p->type == VICI_RESPONSE)
		charon_on_listed(c, now_ms);
	else if (step == STEP_REMOVE && p->type == VICI_RESPONSE)
		charon_stale_gone(c);
	else if (step == STEP_IDLE || step == STEP_REGISTER || p->type != VICI_RESPONSE)
		hang_up(c, "it does not speak the vici that we know", now_ms);
}

/* The log's lines about our SA, and about one that the peer begins: that has no name before it is
 * known which tunnel it is for. */
static bool concerns_us(struct charon *c, const struct charon_log *l)
{
	const struct ip_addr *both[] = {&c->setup.remote4, &c->setup.remote6};

	for (size_t i = 0; i < 2; i++) {
		char text[IP_TEXT_MAX];
		struct slice at = slice_z(both[i]->family ? ip_text(both[i], text) : "");

		if (at.n && slice_starts(l->text, at) &&
		    slice_starts(slice_from(l->text, at.n), SL(" is initiating")))
			(void)slice_to_z(l->id, c->stranger, sizeof(c->stranger));
	}
	if (slice_eq(l->ike, slice_z(c->name)))
		return true;
	return *c->stranger && slice_eq(l->id, slice_z(c->stranger)) &&
	       !slice_starts(l->ike, SL("hornwork-"));
}

static int on_log(struct charon *c, struct slice message, uint64_t now_ms)
{
	struct charon_log l;
	int err = charon_log_read(message, &l);
	enum reason why;

	if (err || !concerns_us(c, &l))
		return err;
	why = charon_log_reason(l.text);
	if (why != REASON_NONE)
		charon_hear(c, why, l.text, now_ms);
	return 0;
}

static int on_event(struct charon *c, const struct vici_packet *p, uint64_t now_ms)
{
	if (slice_eq(p->name, SL("list-sa")))
		return charon_sas_add(&c->sas, p->message, c->name);
	if (slice_eq(p->name, SL("log")))
		return on_log(c, p->message, now_ms);
	c->list_due = true; /* of ours or another's: it is cheap to look */
	return 0;
}

static void on_packets(struct charon *c, uint64_t now_ms)
{
	size_t taken = 0;

	while (c->fd >= 0) {
		struct vici_packet p;
		long n = vici_packet_read(slice_of(c->in + taken, c->in_n - taken), &p);
		int err = n < 0 ? (int)n : 0;

		if (n == 0)
			break;
		if (!err && p.type == VICI_EVENT)
			err = on_event(c, &p, now_ms);
		else if (!err)
			on_answer(c, &p, now_ms);
		if (err)
			hang_up(c, "it does not speak the vici that we know", now_ms);
		taken += n > 0 ? (size_t)n : 0;
	}
	if (c->fd < 0)
		return;
	c->in_n -= taken;
	memmove(c->in, c->in + taken, c->in_n);
}

static void receive(struct charon *c, uint64_t now_ms)
{
	while (c->fd >= 0 && c->in_n < IN_BYTES) {
		ssize_t n = recv(c->fd, c->in + c->in_n, IN_BYTES - c->in_n, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			hang_up(c, "it closed its socket", now_ms);
			return;
		}
		c->in_n += (size_t)n;
		on_packets(c, now_ms);
	}
}

static int dial(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd, err;

	if (!slice_to_z(slice_z(path), name.sun_path, sizeof(name.sun_path)))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* ---- for the warden ---- */

void charon_ready(struct charon *c, uint64_t now_ms)
{
	charon_flush(c, now_ms);
	receive(c, now_ms);
	go_on(c, now_ms);
}

static void connect_again(struct charon *c, uint64_t now_ms)
{
	int fd = dial(c->setup.socket);

	if (fd < 0) {
		charon_state_set(c, CHARON_ABSENT, now_ms);
		charon_tell(c, REASON_tunnel_no_charon, slice_z(err_text(fd)), now_ms);
		return;
	}
	c->fd = fd;
	c->registered = 0;
	c->load_due = true;
	c->end_due = c->begin_due = c->list_due = false;
	charon_state_set(c, CHARON_LOADING, now_ms);
}

void charon_tick(struct charon *c, uint64_t now_ms)
{
	if (c->fd < 0)
		connect_again(c, now_ms);
	else if (c->step != STEP_IDLE && now_ms - c->asked_ms > ANSWER_MS)
		hang_up(c, "it does not answer", now_ms);
	go_on(c, now_ms);
}

void charon_reload(struct charon *c, bool anew, uint64_t now_ms)
{
	c->load_due = true;
	c->end_due |= anew;
	go_on(c, now_ms);
}

void charon_key_gone(struct charon *c, const char *key_id)
{
	if (c->load.n || strcmp(c->key_id, key_id) == 0 || strcmp(c->told_key, key_id) == 0)
		c->load_due = true;
}

int charon_fd(const struct charon *c)
{
	return c->fd;
}

bool charon_wants_write(const struct charon *c)
{
	return c->fd >= 0 && c->out_sent < c->out.n;
}

const char *charon_key_id(const struct charon *c)
{
	return c->key_id;
}

const struct charon_view *charon_view(const struct charon *c)
{
	return &c->view;
}

int charon_new(const struct charon_setup *setup, uint64_t now_ms, struct charon **out)
{
	struct charon *c = mem_zalloc(1, sizeof(*c));

	if (!c)
		return ERR_NOMEM;
	c->setup = *setup;
	c->fd = -1;
	c->view.since_ms = now_ms;
	charon_name(setup->name, c->name);
	c->in = mem_zalloc(1, IN_BYTES);
	c->out.buf = mem_zalloc(1, OUT_BYTES);
	c->out.size = OUT_BYTES;
	if (!c->in || !c->out.buf) {
		charon_free(c);
		return ERR_NOMEM;
	}
	*out = c;
	return 0;
}

void charon_free(struct charon *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	load_forget(c);
	if (c->out.buf)
		explicit_bzero(c->out.buf, c->out.size);
	mem_free(c->out.buf);
	mem_free(c->in);
	mem_free(c);
}
