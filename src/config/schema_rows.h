/* The rows of each section; for schema.c alone. */
#ifndef HW_CONFIG_SCHEMA_ROWS_H
#define HW_CONFIG_SCHEMA_ROWS_H

#include "config/schema.h"

/* Where a key's field is. */
#define FIELD(kind, member) .at = offsetof(struct config_##kind, member)
#define LIST(kind, list, n) FIELD(kind, list), .count_at = offsetof(struct config_##kind, n)
#define TEXT(kind, member)  FIELD(kind, member), .room = sizeof(((struct config_##kind *)0)->member)

#define SCHEMA_ZONE_ROWS    12
#define SCHEMA_QOS_ROWS	    2
#define SCHEMA_PBX_ROWS	    9
#define SCHEMA_PHONES_ROWS  10
#define SCHEMA_TRUNK_ROWS   14
#define SCHEMA_TLS_ROWS	    6
#define SCHEMA_MEDIA_ROWS   4
#define SCHEMA_LIMITS_ROWS  7
#define SCHEMA_CONSOLE_ROWS 3
#define SCHEMA_ASSESS_ROWS  7
#define SCHEMA_ASSET_ROWS   15
#define SCHEMA_PLACE_ROWS   5
#define SCHEMA_SHIELD_ROWS  2

extern const struct schema_row schema_zone_rows[SCHEMA_ZONE_ROWS];
extern const struct schema_row schema_qos_rows[SCHEMA_QOS_ROWS];
extern const struct schema_row schema_pbx_rows[SCHEMA_PBX_ROWS];
extern const struct schema_row schema_phones_rows[SCHEMA_PHONES_ROWS];
extern const struct schema_row schema_trunk_rows[SCHEMA_TRUNK_ROWS];
extern const struct schema_row schema_tls_rows[SCHEMA_TLS_ROWS];
extern const struct schema_row schema_media_rows[SCHEMA_MEDIA_ROWS];
extern const struct schema_row schema_limits_rows[SCHEMA_LIMITS_ROWS];
extern const struct schema_row schema_console_rows[SCHEMA_CONSOLE_ROWS];
/* schema_rows_assess.c */
extern const struct schema_row schema_assess_rows[SCHEMA_ASSESS_ROWS];
extern const struct schema_row schema_asset_rows[SCHEMA_ASSET_ROWS];
extern const struct schema_row schema_place_rows[SCHEMA_PLACE_ROWS];
extern const struct schema_row schema_shield_rows[SCHEMA_SHIELD_ROWS];

#endif
