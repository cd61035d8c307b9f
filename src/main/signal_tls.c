/* Connections over TLS: hw-tls encrypts and decrypts, we hold their plain ends and what is known of
 * them. */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/clock.h"
#include "main/signal_proc.h"

/* The tag of a connection. Its facts are cut behind the last name. */
struct secured {
	uint8_t transport;
	struct tls_facts facts;
};

static struct secured *secured_new(const struct tls_opened *o)
{
	size_t n = o->facts.name_count < TLS_NAMES_MAX ? o->facts.name_count : TLS_NAMES_MAX;
	size_t size = offsetof(struct secured, facts.names) + n * sizeof(o->facts.names[0]);
	struct secured *t = mem_zalloc(1, size);

	if (!t)
		return NULL;
	t->transport = (uint8_t)o->transport;
	memcpy(&t->facts, &o->facts, size - offsetof(struct secured, facts));
	t->facts.name_count = (uint32_t)n;
	return t;
}

const struct tls_facts *signal_tls_facts(const struct tcp_peer *peer)
{
	const struct secured *t = peer->tag;

	return t ? &t->facts : NULL;
}

struct path signal_path_of(const struct signal *s, const struct tcp_peer *peer)
{
	const struct config *c = s->config;
	const struct secured *t = peer->tag;
	struct path p = {.listener = peer->listener,
			 .transport = t ? t->transport : TRANSPORT_TCP,
			 .conn = peer->conn,
			 .remote = peer->remote};

	if (peer->listener >= c->listener_count)
		return p;
	if (!t)
		p.transport = c->listeners[peer->listener].transport;
	else if (t->facts.name_count)
		p.certified = tls_facts_peer(&t->facts, c, c->listeners[peer->listener].zone,
					     &peer->remote);
	return p;
}

/* ---- what hw-tls says ---- */

static uint16_t listener_at(const struct config *c, uint32_t transport,
			    const struct ip_endpoint *local)
{
	for (size_t i = 0; i < c->listener_count; i++)
		if (c->listeners[i].transport == transport &&
		    ip_endpoint_eq(&c->listeners[i].local, local))
			return (uint16_t)i;
	return CONFIG_NONE;
}

static void on_opened(struct signal *s)
{
	struct tls_opened o;
	struct secured *tag;
	uint16_t listener;
	int fd = proc_msg_take_fd(&s->msg, 0);

	memcpy(&o, s->msg.payload, sizeof(o));
	tag = secured_new(&o);
	listener = s->config ? listener_at(s->config, o.transport, &o.local) : CONFIG_NONE;
	if (tag && o.id) {
		if (tcp_dialled(s->tcp, o.id, tag))
			tag = NULL;
	} else if (tag && fd >= 0 && listener != CONFIG_NONE) {
		if (tcp_adopt(s->tcp, listener, &o.remote, fd, tag) == 0)
			tag = NULL;
		fd = -1;
	}
	if (fd >= 0)
		close(fd);
	mem_free(tag);
}

static void on_refused(struct signal *s)
{
	struct tls_refused r;
	enum reason why = REASON_tls_handshake;
	uint16_t listener;

	memcpy(&r, s->msg.payload, sizeof(r));
	r.detail[sizeof(r.detail) - 1] = '\0';
	if (r.reason > REASON_NONE && r.reason < REASON_COUNT)
		why = (enum reason)r.reason;
	if (r.id)
		tcp_broken(s->tcp, r.id, (uint16_t)why);
	s->refused_tls[why] += 1 + (uint64_t)r.more;
	listener = s->config ? listener_at(s->config, r.transport, &r.local) : CONFIG_NONE;
	signal_refusal(s, why, &r.remote, listener, transport_text((enum transport)r.transport),
		       slice_z(r.detail));
}

static int on_tls_message(void *ctx)
{
	struct signal *s = ctx;

	if (s->msg.type == PROC_TLS_OPENED)
		on_opened(s);
	else if (s->msg.type == PROC_TLS_COUNTS)
		memcpy(&s->tls_counts, s->msg.payload, sizeof(s->tls_counts));
	else if (s->msg.type == PROC_SIGNED)
		signal_on_signed(s);
	else
		on_refused(s);
	return 0;
}

static void on_tls(void *ctx, unsigned events)
{
	struct signal *s = ctx;

	/* Its connections end by themselves; the warden starts another one. */
	if (child_link_turn(&s->tls, events, &s->msg, on_tls_message, s))
		child_link_done(&s->tls);
}

int signal_tls_take(struct signal *s, int fd)
{
	child_link_done(&s->tls);
	proc_channel_init(&s->tls.channel, fd, PROC_SIGNAL, PROC_TLS);
	return child_link_watch(&s->tls, s->loop, on_tls, s);
}

void signal_tls_closed(struct signal *s, const struct tcp_peer *peer)
{
	struct secured *t = peer->tag;
	struct path p = {.listener = peer->listener,
			 .transport = t ? t->transport : TRANSPORT_TCP,
			 .conn = peer->conn,
			 .remote = peer->remote};

	signal_note_closed(s, &p);
	mem_free(t);
}

/* ---- connections of ours ---- */

/* Nobody is dialled but the peers of the configuration, under their names. */
int signal_tls_dial(void *ctx, const struct tcp_peer *peer, int fd)
{
	struct signal *s = ctx;
	const struct config *c = s->config;
	struct tls_dial d = {.id = peer->conn, .remote = peer->remote};
	int err = ERR_DENIED;

	d.local = c->listeners[peer->listener].local;
	for (size_t i = 1; err && i <= c->pbx_count + c->trunk_count; i++) {
		const struct config_peer *at;
		struct config_owner o;

		if (!config_peer_of_number(c, (uint16_t)i, &o))
			break;
		at = config_peer_of(c, o);
		if (at->transport != TRANSPORT_TLS || !ip_endpoint_eq(&at->at, &peer->remote))
			continue;
		d.verify = config_must_prove(c, o);
		(void)slice_to_z(slice_z(at->host), d.host, sizeof(d.host));
		err = proc_send(&s->tls.channel, PROC_TLS_DIAL, &d, sizeof(d), &fd, 1);
	}
	close(fd);
	return err;
}

void signal_tls_alias(struct signal *s, const struct path *from, const struct sip_msg *msg)
{
	const struct config_peer *peer;
	struct config_owner o;

	if (!msg->request || !sip_param_get(msg->via.params, SL("alias"), NULL) ||
	    !config_peer_of_number(s->config, from->certified, &o))
		return;
	peer = config_peer_of(s->config, o);
	tcp_alias(s->tcp, from->conn, &peer->at);
}

/* ---- WebSockets ---- */

static bool is_keepalive(struct slice bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		if (bytes.p[i] != '\r' && bytes.p[i] != '\n')
			return false;
	return true;
}

static void take_message(struct signal *s, const struct path *from, struct slice message)
{
	enum reason why = REASON_NONE;
	enum sip_verdict v;

	if (is_keepalive(message)) {
		if (message.n == 4 && signal_ws_send(s, from, SL("\r\n")) != 0)
			s->refused_connections++;
		return;
	}
	v = sip_msg_parse(message, s->config->limits.message_bytes, &s->parsed, &why);
	if (signal_patched(s, from, message))
		return;
	if (v == SIP_DONE)
		core_on_message(s->core, clock_ms(), from, &s->parsed);
	else
		core_on_refused(s->core, clock_ms(), from, &s->parsed, why);
}

struct tcp_taken signal_ws_bytes(struct signal *s, const struct tcp_peer *peer, struct slice bytes)
{
	struct tcp_taken taken = {0};
	struct path path = signal_path_of(s, peer);

	while (bytes.n - taken.used_bytes >= TLS_WS_PREFIX_BYTES && !taken.close) {
		struct slice rest = slice_from(bytes, taken.used_bytes);
		const unsigned char *p = (const unsigned char *)rest.p;
		size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

		if (n > s->config->limits.message_bytes || !signal_admits(s, &path)) {
			taken.close = true;
			break;
		}
		if (rest.n - TLS_WS_PREFIX_BYTES < n)
			break;
		take_message(s, &path, slice_first(slice_from(rest, TLS_WS_PREFIX_BYTES), n));
		taken.used_bytes += TLS_WS_PREFIX_BYTES + n;
		taken.whole = true;
	}
	taken.incomplete = taken.used_bytes < bytes.n;
	return taken;
}

int signal_ws_send(struct signal *s, const struct path *p, struct slice bytes)
{
	char *text = s->ws_out;
	struct out o = out_to(text, sizeof(s->ws_out));

	out_char(&o, (char)(bytes.n >> 24 & 0xff));
	out_char(&o, (char)(bytes.n >> 16 & 0xff));
	out_char(&o, (char)(bytes.n >> 8 & 0xff));
	out_char(&o, (char)(bytes.n & 0xff));
	out_bytes(&o, bytes);
	return o.err ? o.err : tcp_send(s->tcp, p->listener, p->conn, &p->remote, out_slice(&o));
}

/* ---- listings ---- */

struct search {
	const struct path *path;
	const struct tls_facts *found;
};

static void look(void *ctx, const struct tcp_peer *peer)
{
	struct search *q = ctx;

	if (peer->listener == q->path->listener &&
	    (q->path->conn ? peer->conn == q->path->conn
			   : ip_endpoint_eq(&peer->remote, &q->path->remote)))
		q->found = signal_tls_facts(peer);
}

void signal_tls_json(const struct signal *s, struct json *j, const struct path *path)
{
	struct search q = {.path = path};

	json_key(j, "tls");
	if (transport_secure((enum transport)path->transport))
		tcp_walk(s->tcp, look, &q);
	if (!q.found) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_member_z(j, "version", q.found->protocol);
	json_member_z(j, "cipher", q.found->cipher);
	json_member_z(j, "sni", q.found->sni);
	json_member_z(j, "certificate", q.found->subject);
	json_member_bool(j, "verified", q.found->name_count > 0);
	json_member_z(j, "distrust", q.found->distrust);
	json_close(j, '}');
}
