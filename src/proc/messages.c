#include "proc/messages.h"

#include <string.h>

#define BIT(kind) (1u << PROC_##kind)
#define CHILDREN                                                                                   \
	(BIT(SIGNAL) | BIT(MEDIA) | BIT(CONSOLE) | BIT(TLS) | BIT(WATCH) | BIT(ANNOUNCE) |         \
	 BIT(STIR) | BIT(PROBE))

#define ONE(type) .bytes_min = sizeof(type), .bytes_max = sizeof(type), .unit_bytes = sizeof(type)
#define MANY(type, count)                                                                          \
	.bytes_min = sizeof(type), .bytes_max = (count) * sizeof(type), .unit_bytes = sizeof(type)
#define FDS(least, most) .fds_min = (least), .fds_max = (most)
#define WAY(from, to)	 .senders = (from), .receivers = (to)

static const struct proc_row rows[PROC_TYPE_COUNT] = {
	[PROC_SPAWN] = {"spawn", WAY(BIT(WARDEN), BIT(SPAWNER)), ONE(struct proc_spawn), FDS(1, 1)},
	[PROC_SPAWNED] = {"spawned", WAY(BIT(SPAWNER), BIT(WARDEN)), ONE(struct proc_spawned)},
	[PROC_EXITED] = {"exited", WAY(BIT(SPAWNER), BIT(WARDEN)), ONE(struct proc_exited)},
	[PROC_KILL] = {"kill", WAY(BIT(WARDEN), BIT(SPAWNER)), ONE(struct proc_kill)},

	[PROC_HELLO] = {"hello", WAY(BIT(WARDEN), CHILDREN), ONE(struct proc_hello)},
	[PROC_CONFIG_BEGIN] = {"config_begin", WAY(BIT(WARDEN), CHILDREN),
			       ONE(struct proc_config_begin), FDS(1, 2)},
	[PROC_CONFIG_ZONE] = {"config_zone", WAY(BIT(WARDEN), CHILDREN),
			      ONE(struct proc_config_zone)},
	[PROC_CONFIG_PEER] = {"config_peer", WAY(BIT(WARDEN), CHILDREN),
			      ONE(struct proc_config_peer)},
	[PROC_CONFIG_SECRET] = {"config_secret", WAY(BIT(WARDEN), BIT(SIGNAL)),
				ONE(struct proc_config_secret)},
	[PROC_CONFIG_LISTENER] = {"config_listener",
				  WAY(BIT(WARDEN),
				      BIT(SIGNAL) | BIT(TLS) | BIT(WATCH) | BIT(STIR) | BIT(PROBE)),
				  ONE(struct proc_config_listener), FDS(0, 1)},
	[PROC_CONFIG_END] = {"config_end", WAY(BIT(WARDEN), CHILDREN), ONE(struct proc_config_end)},
	[PROC_FLOW_TABLE] = {"flow_table", WAY(BIT(WARDEN), BIT(SIGNAL) | BIT(MEDIA)),
			     .unit_bytes = 1, FDS(2, 2)},
	[PROC_VAULT] = {"vault", WAY(BIT(WARDEN), BIT(SIGNAL) | BIT(MEDIA)), .unit_bytes = 1,
			FDS(2, 4)},
	[PROC_JOURNAL] = {"journal", WAY(BIT(WARDEN), BIT(SIGNAL)), .unit_bytes = 1, FDS(1, 1)},
	[PROC_FLOW_BLOCK] = {"flow_block", WAY(BIT(WARDEN), BIT(SIGNAL) | BIT(MEDIA)),
			     ONE(struct proc_flow_block), FDS(1, 1)},
	[PROC_CONTROL_RING] = {"control_ring", WAY(BIT(WARDEN), BIT(MEDIA)), .unit_bytes = 1,
			       FDS(1, 1)},
	[PROC_MEDIA_KICK] = {"media_kick", WAY(BIT(WARDEN), BIT(MEDIA)),
			     MANY(uint32_t, PROC_KICKS_MAX)},
	[PROC_MEDIA_LANE] = {"media_lane", WAY(BIT(WARDEN), BIT(MEDIA)),
			     ONE(struct proc_media_lane), FDS(0, PROC_FDS_MAX)},
	[PROC_VOICE_VLAN] = {"voice_vlan", WAY(BIT(WARDEN), BIT(ANNOUNCE)),
			     MANY(struct proc_voice_vlan, PROC_VOICE_PORTS_MAX), FDS(1, 1)},
	[PROC_VOICE_VLAN_TOLD] = {"voice_vlan_told", WAY(BIT(ANNOUNCE), BIT(WARDEN)),
				  MANY(struct proc_voice_vlan_told, PROC_VOICE_PORTS_MAX)},
	[PROC_LLDPD_GONE] = {"lldpd_gone", WAY(BIT(ANNOUNCE), BIT(WARDEN)), .unit_bytes = 1},
	[PROC_TAP] = {"tap", WAY(BIT(WARDEN), BIT(WATCH)), ONE(struct proc_tap), FDS(0, 1)},
	[PROC_PEER] = {"peer",
		       WAY(BIT(WARDEN),
			   BIT(SIGNAL) | BIT(CONSOLE) | BIT(TLS) | BIT(WATCH) | BIT(STIR)),
		       ONE(struct proc_peer), FDS(1, 1)},
	[PROC_CONSOLE_SETUP] = {"console_setup", WAY(BIT(WARDEN), BIT(CONSOLE)),
				ONE(struct proc_console_setup), FDS(2, 5)},
	[PROC_FLOW_REFUSED] = {"flow_refused", WAY(BIT(WARDEN), BIT(SIGNAL) | BIT(PROBE)),
			       ONE(struct proc_flow_refused)},
	[PROC_STOP] = {"stop", WAY(BIT(WARDEN), CHILDREN | BIT(SPAWNER)), ONE(struct proc_stop)},

	[PROC_CONFIG_DONE] = {"config_done", WAY(CHILDREN, BIT(WARDEN)),
			      ONE(struct proc_config_done)},
	[PROC_FLOW_OPS] = {"flow_ops", WAY(BIT(SIGNAL) | BIT(PROBE), BIT(WARDEN)),
			   MANY(struct proc_flow_op, PROC_FLOW_OPS_MAX)},
	[PROC_STOPPED] = {"stopped", WAY(CHILDREN, BIT(WARDEN)), .unit_bytes = 1},
	[PROC_MEDIA_READY] = {"media_ready", WAY(BIT(MEDIA), BIT(WARDEN)),
			      ONE(struct proc_media_ready)},
	[PROC_VERDICT] = {"verdict", WAY(BIT(PROBE), BIT(WARDEN)), ONE(struct proc_verdict)},

	[PROC_BAN] = {"ban", WAY(BIT(SIGNAL), BIT(WARDEN)), ONE(struct proc_ban)},
	[PROC_TRUST] = {"trust", WAY(BIT(SIGNAL), BIT(WARDEN)),
			MANY(struct proc_trust, PROC_TRUST_MAX)},
	[PROC_RECOVERY] = {"recovery", WAY(BIT(SIGNAL), BIT(WARDEN)), .unit_bytes = 1},
	[PROC_BAN_KNOWN] = {"ban_known", WAY(BIT(WARDEN), BIT(SIGNAL)), ONE(struct proc_ban)},

	[PROC_QUERY] = {"query", WAY(BIT(CONSOLE), BIT(WARDEN) | BIT(SIGNAL) | BIT(WATCH)),
			ONE(struct proc_query_msg)},
	[PROC_ANSWER] = {"answer", WAY(BIT(WARDEN) | BIT(SIGNAL) | BIT(WATCH), BIT(CONSOLE)),
			 ONE(struct proc_answer), FDS(1, 1)},
	[PROC_EVENT] = {"event",
			WAY(BIT(WARDEN) | BIT(SIGNAL) | BIT(MEDIA) | BIT(WATCH), BIT(CONSOLE)),
			.bytes_min = 2, .bytes_max = PROC_PAYLOAD_MAX, .unit_bytes = 1},

	[PROC_DTLS_MADE] = {"dtls_made", WAY(BIT(MEDIA), BIT(WARDEN)),
			    ONE(struct proc_dtls_present)},
	[PROC_DTLS_PRESENT] = {"dtls_present", WAY(BIT(WARDEN), BIT(SIGNAL)),
			       ONE(struct proc_dtls_present)},
	[PROC_TLS_IDENTITY] = {"tls_identity", WAY(BIT(WARDEN), BIT(TLS)),
			       ONE(struct proc_tls_identity), FDS(1, 3)},
	[PROC_TLS_CA] = {"tls_ca", WAY(BIT(WARDEN), BIT(TLS)), .unit_bytes = 1, FDS(1, 1)},
	[PROC_SIGNER] = {"signer", WAY(BIT(WARDEN), BIT(TLS)), ONE(struct proc_signer), FDS(2, 2)},
	[PROC_SIGN] = {"sign", WAY(BIT(SIGNAL), BIT(TLS)), ONE(struct identity_ask)},
	[PROC_SIGNED] = {"signed", WAY(BIT(TLS), BIT(SIGNAL)), ONE(struct identity_answer)},
	[PROC_STIR_TRUST] = {"stir_trust", WAY(BIT(WARDEN), BIT(STIR)), .unit_bytes = 1, FDS(2, 2)},
	[PROC_VERIFY] = {"verify", WAY(BIT(SIGNAL), BIT(STIR)), ONE(struct identity_ask)},
	[PROC_VERIFIED] = {"verified", WAY(BIT(STIR), BIT(SIGNAL)), ONE(struct identity_answer)},
	[PROC_TLS_OPENED] = {"tls_opened", WAY(BIT(TLS), BIT(SIGNAL)), ONE(struct tls_opened),
			     FDS(0, 1)},
	[PROC_TLS_REFUSED] = {"tls_refused", WAY(BIT(TLS), BIT(SIGNAL)), ONE(struct tls_refused)},
	[PROC_TLS_COUNTS] = {"tls_counts", WAY(BIT(TLS), BIT(SIGNAL)), ONE(struct tls_counts)},
	[PROC_TLS_DIAL] = {"tls_dial", WAY(BIT(SIGNAL), BIT(TLS)), ONE(struct tls_dial), FDS(1, 1)},
};

const struct proc_row *proc_row(unsigned type)
{
	return type < PROC_TYPE_COUNT && rows[type].name ? &rows[type] : NULL;
}

bool proc_bool_valid(const bool *at)
{
	uint8_t byte;

	memcpy(&byte, at, sizeof(byte));
	return byte <= 1;
}

const char *proc_kind_name(enum proc_kind kind)
{
	static const char *const names[PROC_KIND_COUNT] = {
		"warden", "spawner", "signal",	 "media", "console",
		"tls",	  "watch",   "announce", "stir",  "probe"};

	return (unsigned)kind < PROC_KIND_COUNT ? names[kind] : "?";
}
