/* The rows of each section; for schema.c alone. */
#ifndef HW_CONFIG_SCHEMA_ROWS_H
#define HW_CONFIG_SCHEMA_ROWS_H

#include "config/schema.h"

/* Where a key's field is. */
#define FIELD(kind, member) .at = offsetof(struct config_##kind, member)
#define LIST(kind, list, n) FIELD(kind, list), .count_at = offsetof(struct config_##kind, n)
#define TEXT(kind, member)  FIELD(kind, member), .room = sizeof(((struct config_##kind *)0)->member)

/* What the manual says of keys that stand in several sections. */
#define KEYS_MORE                                                                                  \
	"sdes: in the description (RFC 4568). dtls: by a handshake on the media's own ports (RFC " \
	"5763), which needs srtp = required, and no encrypted signalling. What the other side "    \
	"offers is taken in either way."
#define SRTP_MORE                                                                                  \
	"off: the gateway offers no encryption of its own; between two sides that are both off, "  \
	"what they agree on passes from end to end. preferred: offered, and plain RTP if the "     \
	"other side takes none (RFC 8643). required: a description that does not agree to it is "  \
	"refused with 488."
#define SDES_MORE                                                                                  \
	"Who reads the signalling can then decrypt the media. With deny such a description is "    \
	"refused where encryption is required or the only way offered."

#define SCHEMA_ZONE_ROWS       17
#define SCHEMA_QUALITY_ROWS    4
#define SCHEMA_QOS_ROWS	       2
#define SCHEMA_PBX_ROWS	       11
#define SCHEMA_PHONES_ROWS     11
#define SCHEMA_TRUNK_ROWS      23
#define SCHEMA_TUNNEL_ROWS     12
#define SCHEMA_TLS_ROWS	       6
#define SCHEMA_IDENTITY_ROWS   4
#define SCHEMA_MEDIA_ROWS      4
#define SCHEMA_LIMITS_ROWS     16
#define SCHEMA_FRAUD_ROWS      16
#define SCHEMA_PATCHES_ROWS    4
#define SCHEMA_CONSOLE_ROWS    4
#define SCHEMA_ASSESS_ROWS     7
#define SCHEMA_ASSET_ROWS      19
#define SCHEMA_PLACE_ROWS      6
#define SCHEMA_SHIELD_ROWS     3
#define SCHEMA_VOICE_VLAN_ROWS 5

extern const struct schema_row schema_zone_rows[SCHEMA_ZONE_ROWS];
extern const struct schema_row schema_quality_rows[SCHEMA_QUALITY_ROWS];
extern const struct schema_row schema_qos_rows[SCHEMA_QOS_ROWS];
extern const struct schema_row schema_voice_vlan_rows[SCHEMA_VOICE_VLAN_ROWS];
extern const struct schema_row schema_pbx_rows[SCHEMA_PBX_ROWS];
extern const struct schema_row schema_phones_rows[SCHEMA_PHONES_ROWS];
extern const struct schema_row schema_trunk_rows[SCHEMA_TRUNK_ROWS];
/* schema_rows_tunnel.c */
extern const struct schema_row schema_tunnel_rows[SCHEMA_TUNNEL_ROWS];
extern const struct schema_row schema_tls_rows[SCHEMA_TLS_ROWS];
extern const struct schema_row schema_identity_rows[SCHEMA_IDENTITY_ROWS];
extern const struct schema_row schema_media_rows[SCHEMA_MEDIA_ROWS];
extern const struct schema_row schema_limits_rows[SCHEMA_LIMITS_ROWS];
/* schema_rows_fraud.c */
extern const struct schema_row schema_fraud_rows[SCHEMA_FRAUD_ROWS];
/* schema_rows_patches.c */
extern const struct schema_row schema_patches_rows[SCHEMA_PATCHES_ROWS];
/* schema_rows_console.c */
extern const struct schema_row schema_console_rows[SCHEMA_CONSOLE_ROWS];
/* schema_rows_assess.c */
extern const struct schema_row schema_assess_rows[SCHEMA_ASSESS_ROWS];
extern const struct schema_row schema_asset_rows[SCHEMA_ASSET_ROWS];
extern const struct schema_row schema_place_rows[SCHEMA_PLACE_ROWS];
extern const struct schema_row schema_shield_rows[SCHEMA_SHIELD_ROWS];

#endif
