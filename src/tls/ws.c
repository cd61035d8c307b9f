#include "tls/ws.h"

#include <openssl/evp.h>
#include <wslay/wslay.h>

#include "base/mem.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 1.3 */

struct ws {
	struct ws_user user;
	wslay_event_context_ptr ctx;
	struct slice fed; /* not yet taken by wslay */
	int err;	  /* of the user's */
};

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t size, int flags, void *arg)
{
	struct ws *w = arg;
	size_t n = size < w->fed.n ? size : w->fed.n;

	if (n == 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, w->fed.p, n);
	w->fed = slice_from(w->fed, n);
	return (ssize_t)n;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t n, int flags,
		       void *arg)
{
	struct ws *w = arg;
	int err = w->err ? w->err : w->user.wire(w->user.ctx, slice_of((const char *)data, n));

	if (err) {
		w->err = err;
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	return (ssize_t)n;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m,
		       void *arg)
{
	struct ws *w = arg;
	bool data = m->opcode == WSLAY_TEXT_FRAME || m->opcode == WSLAY_BINARY_FRAME;

	if (data && !w->err)
		w->err =
			w->user.message(w->user.ctx, slice_of((const char *)m->msg, m->msg_length));
}

int ws_new(const struct ws_user *user, size_t message_max, struct ws **out)
{
	struct wslay_event_callbacks callbacks = {.recv_callback = on_recv,
						  .send_callback = on_send,
						  .on_msg_recv_callback = on_message};
	struct ws *w = mem_zalloc(1, sizeof(*w));

	if (!w)
		return ERR_NOMEM;
	w->user = *user;
	if (wslay_event_context_server_init(&w->ctx, &callbacks, w) != 0) {
		mem_free(w);
		return ERR_NOMEM;
	}
	wslay_event_config_set_max_recv_msg_length(w->ctx, message_max);
	*out = w;
	return 0;
}

void ws_free(struct ws *w)
{
	if (!w)
		return;
	wslay_event_context_free(w->ctx);
	mem_free(w);
}

static int flush(struct ws *w)
{
	int got = wslay_event_want_write(w->ctx) ? wslay_event_send(w->ctx) : 0;

	if (w->err)
		return w->err;
	return got == WSLAY_ERR_NOMEM ? ERR_NOMEM : got ? ERR_PEER : 0;
}

int ws_feed(struct ws *w, struct slice bytes)
{
	int got, err;

	w->fed = bytes;
	got = wslay_event_recv(w->ctx);
	w->fed = slice_of(NULL, 0);
	err = flush(w);
	if (err)
		return err;
	if (got == WSLAY_ERR_NOMEM)
		return ERR_NOMEM;
	/* Who broke the protocol is told so by a close frame and not heard any more. */
	return got || (!wslay_event_want_read(w->ctx) && !wslay_event_get_close_received(w->ctx))
		       ? ERR_PEER
		       : 0;
}

/* Length and second byte's range of a sequence by its first byte (Unicode 3.9, table 3-7: whole,
 * shortest, no surrogates, not beyond U+10FFFF). */
struct utf8_row {
	unsigned char first, last, low, high;
	size_t more;
};

static const struct utf8_row *utf8_row_of(unsigned char c)
{
	static const struct utf8_row rows[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2},
		{0xe1, 0xec, 0x80, 0xbf, 2}, {0xed, 0xed, 0x80, 0x9f, 2},
		{0xee, 0xef, 0x80, 0xbf, 2}, {0xf0, 0xf0, 0x90, 0xbf, 3},
		{0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (c >= rows[i].first && c <= rows[i].last)
			return &rows[i];
	return NULL;
}

static bool is_utf8(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < s.n; i++) {
		const struct utf8_row *row = p[i] < 0x80 ? NULL : utf8_row_of(p[i]);

		if (p[i] < 0x80)
			continue;
		if (!row || row->more > s.n - i - 1 || p[i + 1] < row->low || p[i + 1] > row->high)
			return false;
		for (size_t k = 2; k <= row->more; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
		i += row->more;
	}
	return true;
}

static int queue(struct ws *w, uint8_t opcode, struct slice message)
{
	struct wslay_event_msg m = {opcode, (const uint8_t *)message.p, message.n};
	int got = wslay_event_queue_msg(w->ctx, &m);

	if (got)
		return got == WSLAY_ERR_NOMEM ? ERR_NOMEM : ERR_PEER;
	return flush(w);
}

int ws_send(struct ws *w, struct slice message)
{
	return queue(w, is_utf8(message) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, message);
}

int ws_ping(struct ws *w)
{
	return queue(w, WSLAY_PING, slice_of(NULL, 0));
}

void ws_close(struct ws *w)
{
	if (wslay_event_queue_close(w->ctx, WSLAY_CODE_GOING_AWAY, NULL, 0) == 0)
		w->err = flush(w);
}

bool ws_over(const struct ws *w)
{
	return w->err ||
	       (wslay_event_get_close_received(w->ctx) && wslay_event_get_close_sent(w->ctx));
}

void ws_accept_write(struct out *o, struct slice key)
{
	char text[64], encoded[32];
	struct out t = out_to(text, sizeof(text));
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	out_bytes(&t, key);
	out_z(&t, GUID);
	if (t.err || EVP_Digest(text, t.n, digest, &n, EVP_sha1(), NULL) != 1 || n != 20) {
		o->err = ERR_SPACE;
		return;
	}
	out_bytes(o, slice_of(encoded,
			      (size_t)EVP_EncodeBlock((unsigned char *)encoded, digest, (int)n)));
}
