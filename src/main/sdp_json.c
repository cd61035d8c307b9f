#include "main/sdp_json.h"

static const char *direction_text(enum sdp_direction d)
{
	static const char *const names[] = {
		[SDP_SENDRECV] = "sendrecv",
		[SDP_SENDONLY] = "sendonly",
		[SDP_RECVONLY] = "recvonly",
		[SDP_INACTIVE] = "inactive",
	};

	return names[d];
}

static void member_text(struct json *j, const char *key, struct slice s)
{
	if (s.n) {
		json_member_str(j, key, s);
		return;
	}
	json_key(j, key);
	json_null(j);
}

/* A refused description may name ports beyond 65535; they are shown as they stand there. */
static uint32_t rtcp_port_shown(const struct sdp_media *m)
{
	if (m->port_written == 0 || !sdp_proto_is_rtp(m->proto))
		return 0;
	return m->rtcp_port ? m->rtcp_port : m->port_written + 1;
}

static void pinhole(struct json *j, const struct sdp_media *m)
{
	uint32_t rtcp_port = rtcp_port_shown(m);

	json_open(j, '{');
	json_member_str(j, "media", m->kind);
	json_member_str(j, "proto", m->proto);
	member_text(j, "family", m->conn.family);
	member_text(j, "addr", m->conn.host);
	json_member_u64(j, "port", m->port_written);
	json_key(j, "rtcp_port");
	if (rtcp_port)
		json_u64(j, rtcp_port);
	else
		json_null(j);
	member_text(j, "rtcp_addr", rtcp_port ? m->rtcp_conn.host : slice_of(NULL, 0));
	json_member_bool(j, "rtcp_mux", m->rtcp_mux);
	json_member_z(j, "direction", direction_text(m->direction));
	json_member_bool(j, "open", m->port_written != 0);
	json_close(j, '}');
}

void sdp_json_pinholes(struct json *j, const struct sdp *sdp)
{
	json_member_open(j, "pinholes", '[');
	for (unsigned i = 0; i < sdp->media_count; i++)
		pinhole(j, &sdp->media[i]);
	json_close(j, ']');
}
