#include "assess/place.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assess/place_impl.h"
#include "assess/scope.h"
#include "base/mem.h"
#include "io/clock.h"

#define HELLO_WAIT_MS  15000 /* an SSH session is opened */
#define ANSWER_WAIT_MS 5000

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
	err = place_start(p, state_dir);
	if (!err)
		err = place_ask(p, AGENT_HELLO, 0, slice_of(NULL, 0), HELLO_WAIT_MS, &version);
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
	while ((q = place_dequeue(p)))
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

static int open_udp(struct place *p, struct ip_endpoint at, unsigned *out)
{
	char text[64];
	struct out o = out_to(text, sizeof(text));

	if (!at.addr.family)
		return -EAFNOSUPPORT;
	for (unsigned i = 0; i < PLACE_SOCKETS_MAX; i++) {
		int err;

		if (p->at[i].port)
			continue;
		agent_put_endpoint(&o, &at);
		err = place_ask(p, AGENT_UDP, (uint8_t)i, out_slice(&o), ANSWER_WAIT_MS, &at.port);
		if (err)
			return err;
		p->at[i] = at;
		*out = i;
		return 0;
	}
	return ERR_LIMIT;
}

int place_udp(struct place *p, uint16_t port, unsigned *out)
{
	return open_udp(p, (struct ip_endpoint){*place_address(p), port}, out);
}

int place_udp_towards(struct place *p, const struct ip_addr *to, unsigned *out)
{
	return open_udp(p, own(p, to->family), out);
}

const struct ip_endpoint *place_socket(const struct place *p, unsigned socket)
{
	return &p->at[socket];
}

uint16_t place_port(const struct place *p, unsigned socket)
{
	return p->at[socket].port;
}

int place_tos(struct place *p, unsigned socket, uint8_t tos)
{
	return place_ask(p, AGENT_TOS, (uint8_t)socket, slice_of((const char *)&tos, 1),
			 ANSWER_WAIT_MS, NULL);
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
	return o.err ? o.err : place_tell(p, AGENT_SEND, (uint8_t)socket, out_slice(&o));
}

int place_stream(struct visit *v, struct place *p, unsigned socket, const struct place_stream *s)
{
	bool paced = ip_eq(&s->to.addr, &v->target->address);
	char text[64 + AGENT_MARK_BYTES_MAX];
	struct out o = out_to(text, sizeof(text));
	int err = admit(v->config, &s->to.addr);

	/* The target takes what its asset's section says, and no stream that is faster. */
	if (!err && paced && target_rate(v->target->asset) * s->interval_ms < 1000)
		err = ERR_LIMIT;
	for (unsigned i = 0; !err && i < s->packets; i++)
		err = visit_spend(v, PACKET_RTP);
	if (err)
		return err;
	agent_put_endpoint(&o, &s->to);
	out_be16(&o, s->packets);
	out_char(&o, (char)s->interval_ms);
	out_char(&o, (char)s->payload_type);
	out_be16(&o, s->seq);
	out_be32(&o, s->timestamp);
	out_be32(&o, s->ssrc);
	out_bytes(&o, s->mark);
	return o.err ? o.err
		     : place_ask(p, AGENT_STREAM, (uint8_t)socket, out_slice(&o), ANSWER_WAIT_MS,
				 NULL);
}

int place_stream_end(struct place *p, unsigned socket, uint16_t *out_sent)
{
	return place_ask(p, AGENT_STREAM, (uint8_t)socket, slice_of(NULL, 0), ANSWER_WAIT_MS,
			 out_sent);
}

int place_recv(struct place *p, struct place_datagram *out, uint32_t timeout_ms)
{
	uint64_t until = clock_ms() + timeout_ms;
	char body[8];
	size_t n;

	while (!p->first) {
		uint64_t now = clock_ms();
		int got = now < until
				  ? place_next(p, body, sizeof(body), &n, (uint32_t)(until - now))
				  : -ETIMEDOUT;

		if (got < 0 && (got != -ETIMEDOUT || now >= until))
			return got;
	}
	struct queued *q = place_dequeue(p);

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
	out_be32(&o, timeout_ms);
	return place_ask(p, op, 0, out_slice(&o), timeout_ms + ANSWER_WAIT_MS, NULL);
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
	out_be32(&o, timeout_ms);
	got = place_tell(p, AGENT_LISTEN, 0, out_slice(&o));
	while (got >= 0 && got != AGENT_LISTEN)
		got = place_next(p, text, sizeof(text), &n, timeout_ms + ANSWER_WAIT_MS);
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

bool place_trouble(struct place *p, char why[static PLACE_WHY_MAX])
{
	uint32_t dropped = p->dropped;

	p->dropped = 0;
	if (p->ended)
		snprintf(why, PLACE_WHY_MAX, "the agent of place %s ended", p->section->name);
	else if (dropped)
		snprintf(why, PLACE_WHY_MAX,
			 "place %s received %u datagrams more than could be looked at",
			 p->section->name, dropped);
	return p->ended || dropped;
}

void place_reset(struct place *p)
{
	struct queued *q;
	uint32_t dropped = p->dropped;

	(void)!place_ask(p, AGENT_RESET, 0, slice_of(NULL, 0), ANSWER_WAIT_MS, NULL);
	p->dropped = dropped; /* what comes now is not waited for */
	memset(p->at, 0, sizeof(p->at));
	while ((q = place_dequeue(p)))
		mem_free(q);
}
