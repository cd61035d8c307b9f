/* A ban: who is kept out of signalling, until when and why. Plain data that signal decides on, the
 * warden carries out in the firewall, and listings show. */
#ifndef HW_MODEL_BAN_H
#define HW_MODEL_BAN_H

#include "base/ip.h"

#define BAN_NOTE_MAX 64		/* bytes of an administrator's words with their NUL */
#define BAN_FOR_EVER UINT64_MAX /* until it is lifted */

struct ban {
	struct ip_prefix prefix;
	uint16_t port;	   /* 0: every stranger from the prefix; else this flow alone */
	uint16_t reason;   /* enum reason */
	uint64_t since_ms; /* monotonic clock */
	uint64_t until_ms; /* likewise, or BAN_FOR_EVER */
	bool whole;	   /* registered phones too; else what they send passes */
	char note[BAN_NOTE_MAX];
};

#endif
