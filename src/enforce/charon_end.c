/* The end of a tunnel: taken out of charon. */
#include "enforce/charon_impl.h"

#include <poll.h>
#include <sys/socket.h>

void charon_write_terminate(struct out *o, const char *name)
{
	size_t start = vici_begin(o, VICI_REQUEST, SL("terminate"));

	vici_pair(o, "ike", slice_z(name));
	vici_pair(o, "force", SL("yes"));
	vici_pair(o, "timeout", SL("-1"));
	vici_end(o, start);
}

static void write_removal(struct out *o, const char *command, const char *key, const char *value)
{
	size_t start = vici_begin(o, VICI_REQUEST, slice_z(command));

	vici_pair(o, key, slice_z(value));
	vici_end(o, start);
}

/* A key may be another tunnel's too. */
static bool may_unload(const struct charon *c, const char *key_id)
{
	return *key_id && !(c->setup.key_shared && c->setup.key_shared(c->setup.ctx, key_id));
}

bool charon_write_stale(struct charon *c)
{
	char key[KEY_ID_MAX];
	bool secret = c->stale_secret;

	memcpy(key, c->stale_key, sizeof(key));
	if (secret) {
		c->stale_secret = false;
		write_removal(&c->out, "unload-shared", "id", c->name);
		return true;
	}
	*c->stale_key = '\0';
	if (!may_unload(c, key))
		return false;
	memcpy(c->leaving_key, key, sizeof(c->leaving_key));
	write_removal(&c->out, "unload-key", "id", key);
	return true;
}

void charon_stale_gone(struct charon *c)
{
	char key[KEY_ID_MAX];

	memcpy(key, c->leaving_key, sizeof(key));
	*c->leaving_key = '\0';
	if (*key && c->setup.key_gone)
		c->setup.key_gone(c->setup.ctx, key);
}

/* Asks and waits for the answer, whatever it is; events go by. False: it has no time for us. */
static bool ask_waiting(struct charon *c, int *left_ms)
{
	charon_flush(c, 0);
	while (c->fd >= 0 && *left_ms > 0) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		struct vici_packet got;
		ssize_t n;
		long took;

		while ((took = vici_packet_read(slice_of(c->in, c->in_n), &got)) > 0) {
			enum vici_type type = got.type;

			c->in_n -= (size_t)took;
			memmove(c->in, c->in + took, c->in_n);
			if (type != VICI_EVENT)
				return true;
		}
		if (took < 0 || poll(&p, 1, 50) < 0)
			return false;
		n = p.revents ? recv(c->fd, c->in + c->in_n, IN_BYTES - c->in_n, MSG_DONTWAIT) : -1;
		if (n == 0)
			return false;
		c->in_n += n > 0 ? (size_t)n : 0;
		*left_ms -= n > 0 ? 1 : 50;
	}
	return false;
}

/* An answer that did not come in time may still be on its way: others are told all the same. */
static bool take_stale_out(struct charon *c, int *left_ms)
{
	bool answered = true;

	while (answered && charon_write_stale(c)) {
		answered = ask_waiting(c, left_ms);
		charon_stale_gone(c);
	}
	return answered;
}

void charon_leave(struct charon *c)
{
	int left_ms = LEAVE_MS;

	if (c->fd < 0 || (c->step != STEP_IDLE && !ask_waiting(c, &left_ms)))
		return;
	write_removal(&c->out, "unload-conn", "name", c->name);
	if (!ask_waiting(c, &left_ms))
		return;
	charon_write_terminate(&c->out, c->name);
	if (!ask_waiting(c, &left_ms))
		return;
	c->stale_secret |= !*c->key_id;
	if (!take_stale_out(c, &left_ms))
		return;
	memcpy(c->stale_key, c->key_id, sizeof(c->stale_key));
	(void)!take_stale_out(c, &left_ms);
}
