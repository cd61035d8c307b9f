/* WebSockets: the opening request, and messages between frames and signal. */
#include "proto/ws/limits.h"
#include "proto/ws/ws_upgrade.h"
#include "tls/conn_impl.h"
#include "tls/limits.h"

#define PART_MAX (TLS_MESSAGE_MAX + TLS_WS_PREFIX_BYTES)

/* ---- messages ---- */

static int on_message(void *ctx, struct slice message)
{
	struct conn *c = ctx;
	const char prefix[TLS_WS_PREFIX_BYTES] = {0, (char)(message.n >> 16 & 0xff),
						  (char)(message.n >> 8 & 0xff),
						  (char)(message.n & 0xff)};
	int err;

	if (c->state != CONN_OPEN || message.n == 0)
		return 0;
	err = pend_add(&c->to_sig, slice_of(prefix, sizeof(prefix)), 2 * PART_MAX);
	return err ? err : pend_add(&c->to_sig, message, 2 * PART_MAX);
}

static int on_wire(void *ctx, struct slice bytes)
{
	return conn_to_net(ctx, bytes);
}

int conn_ws_from_sig(struct conn *c, struct slice bytes)
{
	int err = pend_add(&c->part, bytes, 2 * PART_MAX);

	while (!err && c->part.n >= TLS_WS_PREFIX_BYTES) {
		const unsigned char *p = (const unsigned char *)c->part.p;
		size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

		if (n > TLS_MESSAGE_MAX)
			return ERR_PEER;
		if (c->part.n - TLS_WS_PREFIX_BYTES < n)
			return 0;
		err = ws_send(c->ws, slice_of(c->part.p + TLS_WS_PREFIX_BYTES, n));
		pend_take(&c->part, TLS_WS_PREFIX_BYTES + n);
	}
	return err;
}

/* ---- the opening ---- */

static bool origin_admitted(const struct conn *c, struct slice origin)
{
	const struct config_tls *t = &c->env->config->tls;

	for (size_t i = 0; i < t->origin_count; i++)
		if (slice_eq_nocase(t->origins[i], origin))
			return true;
	return t->origin_count == 0;
}

static int refuse(struct conn *c, unsigned status, const char *why)
{
	char text[512];
	struct out o = out_to(text, sizeof(text));

	ws_upgrade_refuse(&o, status, why);
	c->env->refused(c->env->ctx, &c->base, why);
	conn_close(c);
	return conn_to_net(c, out_slice(&o));
}

static int open_up(struct conn *c, const struct ws_upgrade *u)
{
	struct ws_user user = {.ctx = c, .message = on_message, .wire = on_wire};
	char accept[64], text[512];
	struct out a = out_to(accept, sizeof(accept)), o = out_to(text, sizeof(text));
	int err;

	if (!origin_admitted(c, u->origin))
		return refuse(c, 403, "pages of this origin are not admitted");
	ws_accept_write(&a, u->key);
	ws_upgrade_accept(&o, out_slice(&a));
	err = a.err || o.err ? ERR_SPACE : ws_new(&user, c->env->message_bytes_max, &c->ws);
	if (!err)
		err = conn_to_net(c, out_slice(&o));
	return err ? err : conn_ready(c);
}

static int read_opening(struct conn *c, struct slice bytes)
{
	int err = pend_add(&c->part, bytes, WS_UPGRADE_BYTES_MAX + TLS_RECORD_BYTES);
	struct ws_upgrade u;
	enum ws_verdict v;

	if (err)
		return err;
	v = ws_upgrade_read(pend_slice(&c->part), &u);
	if (v == WS_MORE)
		return 0;
	if (v == WS_REFUSED)
		return refuse(c, u.status, u.complaint);
	err = open_up(c, &u);
	pend_take(&c->part, u.bytes);
	if (err || !c->ws || !c->part.n)
		return err;
	/* A client may not wait for our answer before its first frame. */
	err = ws_feed(c->ws, pend_slice(&c->part));
	pend_take(&c->part, c->part.n);
	return err;
}

int conn_ws_from_net(struct conn *c, struct slice bytes)
{
	int err;

	if (!c->ws)
		return c->state == CONN_OPENING ? read_opening(c, bytes) : 0;
	err = ws_feed(c->ws, bytes);
	if (err == ERR_PEER)
		c->env->refused(c->env->ctx, &c->base, "it broke the rules of WebSocket");
	return err;
}
