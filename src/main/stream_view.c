#include "main/stream_view.h"

#define VIDEO_CLOCK_KHZ 90 /* RFC 3551 5: every video format there has this clock */

const char *stream_media(const struct flow_spec *spec)
{
	if (spec->kind == FLOW_RAW)
		return "other";
	return spec->clock_khz == VIDEO_CLOCK_KHZ ? "video" : "audio";
}

struct quality stream_quality(const struct flow_spec *spec, const struct flow_stats *stats)
{
	struct quality_input in = {.codec = slice_z(spec->codec),
				   .expected = stats->expected,
				   .lost = stats->lost,
				   .jitter_us = stats->jitter_us,
				   .one_way_ms = stats->round_trip_us / 2000};

	return quality_of(&in);
}

static struct ip_endpoint source_of(const struct flow_spec *spec, const struct flow_stats *stats)
{
	struct ip_endpoint source = spec->source;

	if (stats->learned_port)
		source.port = stats->learned_port;
	return source;
}

static const char *handshake_text(const struct flow_stats *stats)
{
	static const char *const words[HW_HANDSHAKE_COUNT] = {
		[HW_HANDSHAKE_NONE] = "waiting",
		[HW_HANDSHAKE_UNDER_WAY] = "under way",
		[HW_HANDSHAKE_UP] = "up",
		[HW_HANDSHAKE_BAD_FINGERPRINT] = "wrong fingerprint",
		[HW_HANDSHAKE_NO_PROFILE] = "no profile",
		[HW_HANDSHAKE_FAILED] = "failed",
		[HW_HANDSHAKE_TIMEOUT] = "timeout",
		[HW_HANDSHAKE_CLOSED] = "closed",
	};

	return stats->handshake < HW_HANDSHAKE_COUNT ? words[stats->handshake] : "unknown";
}

static const char *ice_text(const struct flow_stats *stats)
{
	static const char *const words[HW_ICE_COUNT] = {
		[HW_ICE_NONE] = "waiting",
		[HW_ICE_NEW] = "new",
		[HW_ICE_CHECKING] = "checking",
		[HW_ICE_CONNECTED] = "connected",
		[HW_ICE_DISCONNECTED] = "disconnected",
	};

	return stats->ice < HW_ICE_COUNT ? words[stats->ice] : "unknown";
}

/* How the sender's side is encrypted; null = in the clear. */
static void encryption_write(struct json *j, const struct flow_spec *spec,
			     const struct flow_stats *stats)
{
	const struct flow_secret *s = &spec->secret_in;
	const struct srtp_suite_row *row =
		srtp_suite_row(spec->association ? stats->suite : s->suite);

	json_key(j, "encryption");
	if (s->exchange == KEYS_NONE) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_member_z(j, "keys", s->exchange == KEYS_SDES ? "sdes" : "dtls");
	json_member_z(j, "suite", row ? row->name : "");
	json_member_bool(j, "end_to_end", !s->terminated);
	if (spec->association)
		json_member_z(j, "handshake", handshake_text(stats));
	if (spec->ice)
		json_member_z(j, "ice", ice_text(stats));
	json_close(j, '}');
}

/* Why it is not, or not always, on the kernel path; empty when it is. Borrowed for ever. */
const char *stream_path_why(const struct flow_stats *stats)
{
	static const char *const words[HW_USER_COUNT] = {
		[HW_USER_NOT] = "",
		[HW_USER_CONFIGURED] = "media { path = user }",
		[HW_USER_NO_PROGRAM] = "the interface has no kernel path",
		[HW_USER_TABLE] = "the kernel's tables are full",
		[HW_USER_FAMILY] = "IPv4 on one side, IPv6 on the other",
		[HW_USER_OWN_ADDRESS] = "it comes from or goes to an address of this host",
		[HW_USER_TRANSFORM] = "it is encrypted or decrypted here",
		[HW_USER_NO_ROUTE] = "there is no route to its destination",
		[HW_USER_NO_NEIGHBOUR] = "the next hop does not answer",
		[HW_USER_LINK_DOWN] = "the interface to its destination is down",
		[HW_USER_NO_TRANSMIT] =
			"the interface to its destination takes no redirected packets",
		[HW_USER_MTU] = "a packet is longer than the way out takes",
		[HW_USER_RTCP] = "its RTCP goes on by a port of its own",
		[HW_USER_CHECKED] = "that it is encrypted is looked at here",
		[HW_USER_SHAPED] = "its zone's link is shaped (qos)",
		[HW_USER_TUNNEL] = "it goes through an IPsec tunnel",
		[HW_USER_CHANGING] = "it was changed while a packet came",
	};
	unsigned why = stats->user_why ? stats->user_why : stats->to_user_why;

	return why < HW_USER_COUNT ? words[why] : "unknown";
}

void stream_view_write(struct json *j, const struct record_pinhole *p,
		       const struct flow_stats *stats, uint64_t now_ns)
{
	const struct flow_spec *spec = &p->spec;
	struct ip_endpoint source = source_of(spec, stats);
	struct quality q = stream_quality(spec, stats);

	json_open(j, '{');
	json_member_z(j, "media", stream_media(spec));
	json_member_u64(j, "index", spec->stream);
	json_member_z(j, "direction", spec->from_caller ? "from_caller" : "from_callee");
	json_member_z(j, "zone", p->zone);
	json_member_endpoint(j, "local", &spec->local);
	json_member_endpoint(j, "source", &source);
	json_member_bool(j, "source_learned", stats->learned_port != 0);
	json_member_endpoint(j, "to", &spec->to);
	json_member_z(j, "path", stats->user_why == HW_USER_NOT ? "kernel" : "user");
	json_member_z(j, "why", stream_path_why(stats));
	json_member_z(j, "codec", spec->codec);
	encryption_write(j, spec, stats);
	json_member_u64(j, "packets", stats->packets);
	json_member_u64(j, "bytes", stats->bytes);
	json_member_u64(j, "lost", stats->lost);
	json_member_u64(j, "reordered", stats->reordered);
	json_member_u64(j, "duplicate", stats->duplicate);
	json_member_u64(j, "refused", stats->refused_total);
	json_member_real(j, "jitter_ms", (double)stats->jitter_us / 1000, 3);
	json_key(j, "round_trip_ms");
	if (stats->round_trip_us)
		json_real(j, (double)stats->round_trip_us / 1000, 3);
	else
		json_null(j);
	json_member_u64(j, "far_lost", stats->far_lost);
	json_key(j, "r_factor");
	if (q.r_factor < 0)
		json_null(j);
	else
		json_real(j, q.r_factor, 1);
	json_key(j, "mos");
	if (q.r_factor < 0)
		json_null(j);
	else
		json_real(j, q.mos, 2);
	json_key(j, "last_seen_ms_ago");
	if (stats->last_seen_ns && now_ns >= stats->last_seen_ns)
		json_u64(j, (now_ns - stats->last_seen_ns) / 1000000u);
	else
		json_null(j);
	json_close(j, '}');
}
