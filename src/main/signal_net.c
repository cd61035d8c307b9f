/* What comes in from the wire. */
#include "base/mem.h"
#include "io/clock.h"
#include "io/limits.h"
#include "main/signal_proc.h"

/* Configured peers speak for many; others are held to the limit of one source. */
static bool limited(const struct signal *s, uint16_t listener, const struct ip_endpoint *from)
{
	const struct config *c = s->config;
	struct config_owner owner;

	for (size_t i = 0; i < c->limits.never_ban_count; i++)
		if (ip_in_prefix(&from->addr, &c->limits.never_ban[i]))
			return false;
	return listener >= c->listener_count ||
	       !config_peer_at(c, c->listeners[listener].zone, from, &owner);
}

bool signal_admits(struct signal *s, const struct path *from)
{
	uint64_t now_ms = clock_ms();
	enum source_verdict v;

	if (!core_admits(s->core, now_ms, from))
		return false;
	v = source_limit_take(&s->sources, &from->remote, now_ms);
	if (v == SOURCE_PASS || from->certified || !limited(s, from->listener, &from->remote))
		return true;
	s->refused_packets++;
	if (v == SOURCE_DROP_AND_TELL) {
		signal_refusal(s, REASON_source_rate_limit, &from->remote, from->listener,
			       transport_text((enum transport)from->transport), SL(""));
		core_on_offence(s->core, now_ms, from, REASON_source_rate_limit);
	}
	return false;
}

/* Keep-alives: line ends (RFC 5626 3.5.1) and what phones send in their place, zero bytes. */
static bool is_keepalive(struct slice bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		if (bytes.p[i] != '\r' && bytes.p[i] != '\n' && bytes.p[i] != '\0')
			return false;
	return true;
}

static void on_datagram(void *ctx, uint16_t listener, const struct ip_endpoint *from,
			struct slice bytes)
{
	struct signal *s = ctx;
	struct path path = {.listener = listener, .transport = TRANSPORT_UDP, .remote = *from};
	enum reason why = REASON_NONE;
	enum sip_verdict v;

	if (!signal_admits(s, &path))
		return;
	if (is_keepalive(bytes)) {
		s->refused_empty++;
		return;
	}
	core_on_waited(s->core, clock_ms(), udp_waited_ms(s->udp));
	v = sip_msg_parse(bytes, s->config->limits.message_bytes, &s->parsed, &why);
	if (signal_patched(s, &path, bytes))
		return;
	if (v == SIP_DONE)
		core_on_message(s->core, clock_ms(), &path, &s->parsed);
	else
		core_on_refused(s->core, clock_ms(), &path, &s->parsed, why);
}

static void on_unsent(void *ctx, uint16_t listener, const struct ip_endpoint *to)
{
	struct path path = {.listener = listener, .transport = TRANSPORT_UDP, .remote = *to};

	signal_note_broken(ctx, &path, REASON_NONE);
}

/* A double CRLF asks for a single one (RFC 5626 3.5.1). */
static void answer_ping(struct signal *s, const struct tcp_peer *peer, struct slice skipped)
{
	if (slice_find_slice(skipped, SL("\r\n\r\n")) < skipped.n &&
	    tcp_send(s->tcp, peer->listener, peer->conn, &peer->remote, SL("\r\n")) != 0)
		s->refused_connections++;
}

static size_t leading_line_ends(struct slice bytes)
{
	size_t n = 0;

	while (n < bytes.n && (bytes.p[n] == '\r' || bytes.p[n] == '\n'))
		n++;
	return n;
}

static void take_message(struct signal *s, const struct path *from)
{
	core_on_waited(s->core, clock_ms(), loop_turn_age_ms(s->loop));
	if (from->certified)
		signal_tls_alias(s, from, &s->parsed);
	core_on_message(s->core, clock_ms(), from, &s->parsed);
}

/* Whether a message can begin so: a method or "SIP/2.0" (RFC 3261 25.1: tokens). Who speaks TLS at
 * this port, or nothing at all that is text, need not be waited for. */
static bool may_begin(struct slice rest)
{
	static const struct slice marks = SLICE("-.!%*_+`'~");

	return rest.n == 0 || ascii_is_alpha(rest.p[0]) || ascii_is_digit(rest.p[0]) ||
	       slice_find(marks, rest.p[0]) < marks.n;
}

static void refuse_bytes(struct signal *s, const struct path *from)
{
	signal_refusal(s, REASON_sip_start_line, &from->remote, from->listener,
		       transport_text((enum transport)from->transport), SL("first bytes"));
	core_on_offence(s->core, clock_ms(), from, REASON_sip_start_line);
}

static struct tcp_taken on_bytes(void *ctx, const struct tcp_peer *peer, struct slice bytes)
{
	struct signal *s = ctx;
	struct tcp_taken taken = {0};
	struct path path = signal_path_of(s, peer);

	if (path.transport == TRANSPORT_WSS)
		return signal_ws_bytes(s, peer, bytes);
	while (taken.used_bytes < bytes.n && !taken.close) {
		struct slice rest = slice_from(bytes, taken.used_bytes);
		size_t used = 0, pings = leading_line_ends(rest);
		enum reason why = REASON_NONE;
		enum sip_verdict v;

		answer_ping(s, peer, slice_first(rest, pings));
		v = sip_msg_parse_stream(rest, s->config->limits.message_bytes, &s->parsed, &used,
					 &why);
		if (v == SIP_MORE) {
			taken.used_bytes += pings;
			taken.close = !may_begin(slice_from(rest, pings));
			if (taken.close)
				refuse_bytes(s, &path);
			break;
		}
		if (!signal_admits(s, &path))
			taken.close = true;
		else if (signal_patched(s, &path,
					v == SIP_REFUSED ? rest : slice_first(rest, used)))
			taken.close = v == SIP_REFUSED;
		else if (v == SIP_REFUSED)
			core_on_refused(s->core, clock_ms(), &path, &s->parsed, why);
		else
			take_message(s, &path);
		taken.used_bytes += used;
		taken.close = taken.close || v == SIP_REFUSED;
		taken.whole = true;
	}
	taken.incomplete = taken.used_bytes < bytes.n;
	return taken;
}

static void on_broken(void *ctx, const struct tcp_peer *peer)
{
	struct signal *s = ctx;
	struct path path = signal_path_of(s, peer);

	if (peer->listener < s->config->listener_count)
		signal_note_broken(s, &path, (enum reason)peer->why);
}

static void on_closed(void *ctx, const struct tcp_peer *peer)
{
	signal_tls_closed(ctx, peer);
}

static void on_refused_peer(void *ctx, const struct tcp_peer *peer, const char *why)
{
	struct signal *s = ctx;
	struct path path = {.listener = peer->listener,
			    .transport = TRANSPORT_TCP,
			    .conn = peer->conn,
			    .remote = peer->remote};

	s->refused_connections++;
	signal_refusal(s, REASON_connection_refused, &peer->remote, peer->listener,
		       signal_tls_facts(peer) ? "tls" : "tcp", slice_z(why));
	core_on_offence(s->core, clock_ms(), &path, REASON_connection_refused);
}

int signal_net_new(struct signal *s)
{
	struct udp_handler udp = {.ctx = s, .datagram = on_datagram, .unsent = on_unsent};
	struct tcp_handler tcp = {.ctx = s,
				  .bytes = on_bytes,
				  .broken = on_broken,
				  .refused = on_refused_peer,
				  .closed = on_closed,
				  .dial = signal_tls_dial};
	struct tcp_setup setup = {.message_bytes_max = SIP_MESSAGE_BYTES_MAX, .now_ms = clock_ms};
	int err = udp_new(s->loop, &udp, &s->udp);

	return err ? err : tcp_new(s->loop, &tcp, &setup, &s->tcp);
}

void signal_net_free(struct signal *s)
{
	udp_free(s->udp);
	tcp_free(s->tcp);
}

static int add_new(struct signal *s, const uint16_t *old_index, int *fds)
{
	const struct config *c = s->config;
	int err = 0;

	for (size_t i = 0; i < c->listener_count && !err; i++) {
		const struct config_listener *l = &c->listeners[i];

		if (old_index[i] != CONFIG_NONE)
			continue;
		if (transport_secure((enum transport)l->transport)) {
			err = tcp_listen_add(s->tcp, (uint16_t)i, &l->local, -1);
			continue;
		}
		if (fds[i] < 0)
			continue;
		err = l->transport == TRANSPORT_UDP
			      ? udp_add(s->udp, (uint16_t)i, fds[i])
			      : tcp_listen_add(s->tcp, (uint16_t)i, &l->local, fds[i]);
		if (!err)
			fds[i] = -1; /* it is theirs now */
	}
	return err;
}

int signal_net_apply(struct signal *s, const struct config *old, const uint16_t *old_index,
		     int *fds)
{
	size_t old_count = old ? old->listener_count : 0;
	uint16_t *map = mem_zalloc(old_count + 1, sizeof(*map));

	if (!map)
		return ERR_NOMEM;
	for (size_t i = 0; i < old_count; i++)
		map[i] = CONFIG_NONE;
	for (size_t i = 0; i < s->config->listener_count; i++)
		if (old_index[i] < old_count)
			map[old_index[i]] = (uint16_t)i;
	udp_renumber(s->udp, map, old_count);
	tcp_renumber(s->tcp, map, old_count);
	if (s->core) {
		core_reload(s->core, s->config, map, clock_ms());
		s->house_turns = 0; /* the firewall begins without trust */
	}
	mem_free(map);
	s->sources.per_s = s->config->limits.per_source_pps;
	tcp_message_bytes_max(s->tcp, s->config->limits.message_bytes);
	return add_new(s, old_index, fds);
}
