/* The link to a place's agent: its process, and the frames that go to and fro. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assess/agent.h"
#include "assess/place_impl.h"
#include "base/mem.h"

#define QUEUE_MAX                                                                                  \
	256 /* datagrams that wait to be asked for; what is more is dropped, and counted */

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

int place_start(struct place *p, const char *state_dir)
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

/* ERR_LIMIT: there is no room; ERR_SYNTAX. */
static int enqueue(struct place *p, const struct agent_frame *f)
{
	struct cursor c = cur_of(f->body);
	struct queued *q = p->queue_length < QUEUE_MAX ? mem_zalloc(1, sizeof(*q)) : NULL;
	struct slice bytes;

	if (!q)
		return ERR_LIMIT;
	q->datagram.socket = f->socket;
	q->datagram.at_ns = agent_u64(&c);
	q->datagram.tos = cur_u8(&c);
	q->datagram.from = agent_endpoint(&c);
	bytes = cur_rest(&c);
	if (c.err || bytes.n > sizeof(q->datagram.bytes)) {
		mem_free(q);
		return ERR_SYNTAX;
	}
	memcpy(q->datagram.bytes, bytes.p, bytes.n);
	q->datagram.n = bytes.n;
	*p->last = q;
	p->last = &q->next;
	p->queue_length++;
	return 0;
}

struct queued *place_dequeue(struct place *p)
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

/* Reads what the agent says. -ETIMEDOUT; ERR_PEER: it is gone, and stays so. */
static int fill(struct place *p, uint32_t timeout_ms)
{
	struct pollfd w = {.fd = p->fd, .events = POLLIN};
	ssize_t n;

	if (p->ended)
		return ERR_PEER;
	if (poll(&w, 1, (int)timeout_ms) <= 0)
		return -ETIMEDOUT;
	n = recv(p->fd, p->input + p->have, sizeof(p->input) - p->have, MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return -ETIMEDOUT;
	if (n <= 0) {
		p->ended = true;
		return ERR_PEER;
	}
	p->have += (size_t)n;
	return 0;
}

int place_next(struct place *p, char *body, size_t size, size_t *n, uint32_t timeout_ms)
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
		p->ended = true; /* what comes after it cannot be told apart */
	if (got < 0)
		return ERR_PEER;
	if (f.op == AGENT_DATAGRAM && enqueue(p, &f))
		p->dropped++;
	*n = f.body.n < size ? f.body.n : size;
	memcpy(body, f.body.p, *n);
	memmove(p->input, p->input + used, p->have - used);
	p->have -= used;
	return f.op;
}

int place_tell(struct place *p, uint8_t op, uint8_t socket, struct slice body)
{
	char text[AGENT_FRAME_BYTES_MAX + AGENT_HEAD_BYTES];
	struct out o = out_to(text, sizeof(text));
	int err = agent_frame_write(&o, op, socket, body);
	ssize_t n = err ? -1 : send(p->fd, text, o.n, MSG_NOSIGNAL);

	if (err)
		return err;
	return n == (ssize_t)o.n ? 0 : ERR_PEER;
}

int place_ask(struct place *p, uint8_t op, uint8_t socket, struct slice body, uint32_t timeout_ms,
	      uint16_t *more)
{
	char text[64];
	size_t n;
	int err = place_tell(p, op, socket, body);

	while (!err) {
		int got = place_next(p, text, sizeof(text), &n, timeout_ms);

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
