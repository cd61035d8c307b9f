#include "assess/place.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assess/agent.h"
#include "assess/scope.h"
#include "base/mem.h"
#include "io/clock.h"

#define HELLO_WAIT_MS  15000 /* an SSH session is opened */
#define ANSWER_WAIT_MS 5000
#define QUEUE_MAX      256 /* datagrams that wait to be asked for; what is more is dropped */
#define INPUT_BYTES    (8 * (AGENT_FRAME_BYTES_MAX + AGENT_HEAD_BYTES))

struct queued {
	struct place_datagram datagram;
	struct queued *next;
};

struct place {
	const struct config_place *section;
	int fd; /* to the agent */
	pid_t pid;
	uint16_t ports[PLACE_SOCKETS_MAX]; /* 0 = free */
	struct queued *first, **last;
	size_t queue_length;
	char input[INPUT_BYTES];
	size_t have;
};

/* ---- the agent's process ---- */

static void exec_agent(const struct config_place *s, const char *known_hosts)
{
	char address[IP_TEXT_MAX], target[CONFIG_NAME_MAX + IP_TEXT_MAX + 1], port[8];
	const struct ip_addr *at = s->address4.family ? &s->address4 : &s->address6;

	if (!*s->ssh_user) {
		execl("/proc/self/exe", "hornwork", "@agent", (char *)NULL);
		_exit(127);
	}
	snprintf(target, sizeof(target), "%s@%s", s->ssh_user, ip_text(at, address));
	snprintf(port, sizeof(port), "%u", s->ssh_port);
	execlp("ssh", "ssh", "-F", "none", "-T", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
	       "-o", "StrictHostKeyChecking=accept-new", "-o", known_hosts, "-o",
	       "IdentitiesOnly=yes", "-o", "ConnectTimeout=10", "-i", s->ssh_key_file, "-p", port,
	       target, s->command, "@agent", (char *)NULL);
	_exit(127);
}

static int start_agent(struct place *p, const char *state_dir)
{
	char known_hosts[CONFIG_PATH_MAX + 64];
	int pair[2];

	snprintf(known_hosts, sizeof(known_hosts), "UserKnownHostsFile=%s/known_hosts", state_dir);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	p->pid = fork();
	if (p->pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(pair[1], STDIN_FILENO);
		dup2(pair[1], STDOUT_FILENO);
		exec_agent(p->section, known_hosts);
	}
	close(pair[1]);
	p->fd = pair[0];
	return p->pid < 0 ? -errno : 0;
}

/* ---- frames ---- */

static void enqueue(struct place *p, const struct agent_frame *f)
{
	struct cursor c = cur_of(f->body);
	struct queued *q;
	struct slice bytes;

	if (p->queue_length == QUEUE_MAX)
		return;
	q = mem_zalloc(1, sizeof(*q));
	if (!q)
		return;
	q->datagram.socket = f->socket;
	q->datagram.at_ns = agent_u64(&c);
	q->datagram.tos = cur_u8(&c);
	q->datagram.from = agent_endpoint(&c);
	bytes = cur_rest(&c);
	if (c.err || bytes.n > sizeof(q->datagram.bytes)) {
		mem_free(q);
		return;
	}
	memcpy(q->datagram.bytes, bytes.p, bytes.n);
	q->datagram.n = bytes.n;
	*p->last = q;
	p->last = &q->next;
	p->queue_length++;
}

static struct queued *dequeue(struct place *p)
{
	struct queued *q = p->first;

	if (!q)
		return NULL;
	p->first = q->next;
	if (!p->first)
		p->last = &p->first;
	p->queue_length--;
	return q;
}

static int fill(struct place *p, uint32_t timeout_ms)
{
	struct pollfd w = {.fd = p->fd, .events = POLLIN};
	ssize_t n;

	if (poll(&w, 1, (int)timeout_ms) <= 0)
		return -ETIMEDOUT;
	n = recv(p->fd, p->input + p->have, sizeof(p->input) - p->have, 0);
	if (n <= 0)
		return ERR_PEER;
	p->have += (size_t)n;
	return 0;
}

/* The next frame's body as a copy into `body`. Its op, or an error. */
static int next_frame(struct place *p, char *body, size_t size, size_t *n, uint32_t timeout_ms)
{
	struct agent_frame f;
	size_t used;
	int got;

	while ((got = agent_frame_read(slice_of(p->input, p->have), &f, &used)) == 0) {
		int err = fill(p, timeout_ms);

		if (err)
			return err;
	}
	if (got < 0)
		return ERR_PEER;
	if (f.op == AGENT_DATAGRAM)
		enqueue(p, &f);
	*n = f.body.n < size ? f.body.n : size;
	memcpy(body, f.body.p, *n);
	memmove(p->input, p->input + used, p->have - used);
	p->have -= used;
	return f.op;
}

static int tell(struct place *p, uint8_t op, uint8_t socket, struct slice body)
{
	char text[AGENT_FRAME_BYTES_MAX + AGENT_HEAD_BYTES];
	struct out o = out_to(text, sizeof(text));
	int err = agent_frame_write(&o, op, socket, body);
	ssize_t n = err ? -1 : send(p->fd, text, o.n, MSG_NOSIGNAL);

	if (err)
		return err;
	return n == (ssize_t)o.n ? 0 : ERR_PEER;
}

/* Asks and waits for the answer; what sockets received meanwhile is kept. */
static int ask(struct place *p, uint8_t op, uint8_t socket, struct slice body, uint32_t timeout_ms,
	       uint16_t *more)
{
	char text[64];
	size_t n;
	int err = tell(p, op, socket, body);

	while (!err) {
		int got = next_frame(p, text, sizeof(text), &n, timeout_ms);

		if (got < 0)
			return got;
		if (got == op) {
			struct cursor c = cur_of(slice_of(text, n));
			int said = (int)cur_u32(&c);

			if (more)
				*more = cur_u16(&c);
			return c.err ? ERR_PEER : said;
		}
	}
	return err;
}

/* ---- life ---- */

static const struct config_place *section_of(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->place_count; i++)
		if (strcmp(c->places[i].name, name) == 0)
			return &c->places[i];
	return NULL;
}

static int open_place(const struct config_place *s, const char *state_dir, struct place **out)
{
	struct place *p = mem_zalloc(1, sizeof(*p));
	uint16_t version = 0;
	int err;

	if (!p)
		return ERR_NOMEM;
	p->section = s;
	p->last = &p->first;
	p->fd = -1;
	err = start_agent(p, state_dir);
	if (!err)
		err = ask(p, AGENT_HELLO, 0, slice_of(NULL, 0), HELLO_WAIT_MS, &version);
	if (!err && version != AGENT_VERSION)
		err = ERR_VERSION;
	if (err) {
		place_close(p);
		return err;
	}
	*out = p;
	return 0;
}

void place_close(struct place *p)
{
	struct queued *q;

	if (!p)
		return;
	if (p->fd >= 0)
		close(p->fd); /* the agent ends with its input */
	if (p->pid > 0 && waitpid(p->pid, NULL, WNOHANG) == 0) {
		kill(p->pid, SIGTERM);
		waitpid(p->pid, NULL, 0);
	}
	while ((q = dequeue(p)))
		mem_free(q);
	mem_free(p);
}

int visit_place(struct visit *v, const char *name, struct place **out)
{
	const struct config_place *s = section_of(v->config, name);
	struct place **places = v->target->places;
	int err;

	if (!s)
		return ERR_ABSENT;
	for (size_t i = 0; i < PLACES_MAX; i++) {
		if (places[i] && places[i]->section == s) {
			*out = places[i];
			return 0;
		}
		if (!places[i]) {
			err = open_place(s, v->host->state_dir, &places[i]);
			*out = places[i];
			return err;
		}
	}
	return ERR_LIMIT;
}

enum verdict visit_no_place(struct visit *v, const char *name, int err)
{
	if (err == ERR_ABSENT)
		return visit_not_asked(v,
				       "no place %s { address = ... } says from where it could be "
				       "looked at",
				       name);
	if (err == ERR_VERSION)
		return visit_untested(v, "place %s runs another version of hornwork", name);
	return visit_untested(v, "place %s cannot be reached, or hornwork does not run there (%s)",
			      name, err_text(err));
}

/* ---- use ---- */

const struct ip_addr *place_address(const struct place *p)
{
	return p->section->address4.family ? &p->section->address4 : &p->section->address6;
}

/* The place's address of this family. */
static struct ip_endpoint own(const struct place *p, uint8_t family)
{
	return (struct ip_endpoint){family == IP_V6 ? p->section->address6 : p->section->address4,
				    0};
}

static int admit(const struct config *c, const struct ip_addr *to)
{
	char why[SCOPE_WHY_MAX];

	for (size_t i = 0; i < c->place_count; i++)
		if (ip_eq(&c->places[i].address4, to) || ip_eq(&c->places[i].address6, to))
			return 0;
	return scope_admit(c, to, why);
}

int place_udp(struct place *p, uint16_t port, unsigned *out)
{
	struct ip_endpoint at = {*place_address(p), port};
	char text[64];
	struct out o = out_to(text, sizeof(text));
	int err;

	for (unsigned i = 0; i < PLACE_SOCKETS_MAX; i++) {
		if (p->ports[i])
			continue;
		agent_put_endpoint(&o, &at);
		err = ask(p, AGENT_UDP, (uint8_t)i, out_slice(&o), ANSWER_WAIT_MS, &p->ports[i]);
		if (!err)
			*out = i;
		else
			p->ports[i] = 0;
		return err;
	}
	return ERR_LIMIT;
}

uint16_t place_port(const struct place *p, unsigned socket)
{
	return p->ports[socket];
}

int place_tos(struct place *p, unsigned socket, uint8_t tos)
{
	return ask(p, AGENT_TOS, (uint8_t)socket, slice_of((const char *)&tos, 1), ANSWER_WAIT_MS,
		   NULL);
}

int place_send(struct visit *v, struct place *p, unsigned socket, enum packet_class class,
	       const struct ip_endpoint *to, struct slice bytes)
{
	char text[AGENT_FRAME_BYTES_MAX];
	struct out o = out_to(text, sizeof(text));
	int err = admit(v->config, &to->addr);

	if (!err)
		err = visit_spend(v, class);
	if (!err && ip_eq(&to->addr, &v->target->address))
		err = target_take(v->target, 1);
	if (err)
		return err;
	agent_put_endpoint(&o, to);
	out_bytes(&o, bytes);
	return o.err ? o.err : tell(p, AGENT_SEND, (uint8_t)socket, out_slice(&o));
}

int place_recv(struct place *p, struct place_datagram *out, uint32_t timeout_ms)
{
	uint64_t until = clock_ms() + timeout_ms;
	char body[8];
	size_t n;

	while (!p->first) {
		uint64_t now = clock_ms();
		int got = now < until
				  ? next_frame(p, body, sizeof(body), &n, (uint32_t)(until - now))
				  : -ETIMEDOUT;

		if (got < 0)
			return got;
	}
	struct queued *q = dequeue(p);

	*out = q->datagram;
	mem_free(q);
	return 0;
}

/* A question about a way: own address, the other end, how long. */
static int ask_way(struct visit *v, struct place *p, uint8_t op, enum packet_class class,
		   const struct ip_endpoint *to, uint32_t timeout_ms)
{
	struct ip_endpoint from = own(p, to->addr.family);
	char text[64];
	struct out o = out_to(text, sizeof(text));
	int err = from.addr.family ? admit(v->config, &to->addr) : -EAFNOSUPPORT;

	if (!err)
		err = visit_spend(v, class);
	if (!err && ip_eq(&to->addr, &v->target->address))
		err = target_take(v->target, 2);
	if (err)
		return err;
	agent_put_endpoint(&o, &from);
	agent_put_endpoint(&o, to);
	agent_put_u32(&o, timeout_ms);
	return ask(p, op, 0, out_slice(&o), timeout_ms + ANSWER_WAIT_MS, NULL);
}

int place_connect(struct visit *v, struct place *p, const struct ip_endpoint *to,
		  uint32_t timeout_ms)
{
	return ask_way(v, p, AGENT_CONNECT, PACKET_TCP_CONNECT, to, timeout_ms);
}

int place_ping(struct visit *v, struct place *p, const struct ip_addr *to, uint32_t timeout_ms)
{
	struct ip_endpoint at = {*to, 0};

	return ask_way(v, p, AGENT_PING, PACKET_ICMP, &at, timeout_ms);
}

int place_listen(struct place *p, char frame[static PLACE_BYTES_MAX], uint32_t timeout_ms)
{
	struct ip_endpoint at = own(p, place_address(p)->family);
	char text[AGENT_FRAME_BYTES_MAX];
	struct out o = out_to(text, sizeof(text));
	size_t n = 0;
	int got = 0;

	agent_put_endpoint(&o, &at);
	agent_put_u32(&o, timeout_ms);
	got = tell(p, AGENT_LISTEN, 0, out_slice(&o));
	while (got >= 0 && got != AGENT_LISTEN)
		got = next_frame(p, text, sizeof(text), &n, timeout_ms + ANSWER_WAIT_MS);
	if (got >= 0) {
		struct cursor c = cur_of(slice_of(text, n));
		struct slice bytes;

		got = (int)cur_u32(&c);
		(void)cur_u16(&c);
		bytes = cur_rest(&c);
		if (c.err || bytes.n > PLACE_BYTES_MAX)
			return ERR_PEER;
		memcpy(frame, bytes.p, bytes.n);
		got = got ? got : (int)bytes.n;
	}
	return got;
}

void place_reset(struct place *p)
{
	struct queued *q;

	(void)!ask(p, AGENT_RESET, 0, slice_of(NULL, 0), ANSWER_WAIT_MS, NULL);
	memset(p->ports, 0, sizeof(p->ports));
	while ((q = dequeue(p)))
		mem_free(q);
}
