/* Frames of a link, looked at for what does not belong there, and for who announces himself. Pure:
 * times come with the frames. All tables are bounded. */
#ifndef HW_MAIN_LEAK_H
#define HW_MAIN_LEAK_H

#include "base/hash.h"
#include "base/json.h"
#include "base/list.h"
#include "guard/r5_leak.h"
#include "media/evidence.h"
#include "proto/link/speaker.h"

#define LEAK_KINDS	    8	/* reasons leak_... in base/reasons.def */
#define LEAKS_OF_KIND	    128 /* kept of one kind, so that a flood of one hides no other */
#define LEAKS_MAX	    (LEAK_KINDS * LEAKS_OF_KIND)
#define LEAK_DEVICES_MAX    1024   /* the ones heard last */
#define LEAK_STREAMS_MAX    256	   /* RTP streams that are looked at, the last ones */
#define LEAK_RTP_MIN	    8	   /* packets in order that make a stream believable */
#define LEAK_SWITCH_MS	    300000 /* a switch that is silent for so long is forgotten */
#define LEAK_EVIDENCE_BYTES 160
#define LEAK_TEXT_BYTES	    64 /* of one thing that a device says of itself, with its NUL */
#define LEAK_MAC_TEXT_MAX   18
#define LEAK_SINCE_1970	    UINT64_MAX /* times are written as they are, not from a first one on */

/* The same again and again is one. */
struct leak {
	uint64_t first_ms, last_ms; /* since 1970 */
	uint64_t count;		    /* 0 = a free place */
	enum reason reason;
	uint16_t zone; /* index; CONFIG_NONE = no zone has that link and tag */
	uint16_t vlan[2];
	uint8_t vlan_count;
	uint8_t mac[LINK_MAC_BYTES];
	struct ip_endpoint src, dst;	    /* family IP_NONE = no IP packet */
	char evidence[LEAK_EVIDENCE_BYTES]; /* a C string; may hold strangers' bytes */
};

/* By what a device is known. */
enum leak_source { LEAK_BY_LLDP = 1, LEAK_BY_CDP = 2, LEAK_BY_DHCP = 4, LEAK_BY_VOICE = 8 };
enum leak_class { LEAK_CLASS_OTHER, LEAK_CLASS_PHONE, LEAK_CLASS_NETWORK };

struct leak_device {
	struct hash_node by_mac;
	struct list node; /* by last announcement, the oldest first; free ones are in no hash */
	bool used;
	uint64_t first_ms, last_ms;
	uint8_t mac[LINK_MAC_BYTES];
	uint8_t sources; /* enum leak_source, bits */
	enum leak_class class;
	uint16_t zone;	     /* where its address was seen last; CONFIG_NONE = nowhere yet */
	struct ip_addr addr; /* family IP_NONE = none was seen */
	/* C strings of strangers' bytes */
	char name[LEAK_TEXT_BYTES], maker[LEAK_TEXT_BYTES], model[LEAK_TEXT_BYTES],
		firmware[LEAK_TEXT_BYTES], serial[LEAK_TEXT_BYTES];
};

struct leak_stream {
	struct list node; /* by last packet, the oldest first */
	struct ip_endpoint src, dst;
	uint32_t ssrc;
	uint16_t seq, run;
	bool clear; /* one payload that no cipher gives */
	struct evidence evidence;
};

struct leaks {
	struct r5_link link;
	struct hash_key key;
	struct leak *found;	     /* LEAKS_MAX: LEAKS_OF_KIND for each kind */
	struct leak_device *devices; /* LEAK_DEVICES_MAX */
	struct leak_stream *streams;
	struct hash_table by_mac;
	struct list by_age, streams_by_age;
	bool has_switch; /* the first that was heard */
	uint8_t switch_mac[LINK_MAC_BYTES];
	uint64_t switch_ms;
	uint64_t not_kept;
	uint64_t frames[LEAK_KINDS]; /* that leaked, by reason - REASON_leak_tag */
	uint64_t forget_ms; /* what was not seen for so long gives way and is told anew; 0 = never
			     */
	void (*on_new)(void *ctx, const struct leaks *l, const struct leak *found); /* or NULL */
	void *ctx;
};

/* `link` is borrowed with its configuration. ERR_NOMEM; leaks_done undoes it also then. */
int leaks_init(struct leaks *l, const struct r5_link *link, const struct hash_key *key) must_check;
void leaks_done(struct leaks *l);
/* Another configuration in the place of the one it has, which is still there: zones are known
 * again by their names. */
void leaks_reconfigure(struct leaks *l, const struct config *config);
/* One Ethernet frame with its tags in it; one that is cut is looked at as far as it goes. `now_ms`
 * is since 1970. */
void leaks_on_frame(struct leaks *l, struct slice frame, uint64_t now_ms);

/* One object of type "leak", "device"; times from `first_ms` on, or with LEAK_SINCE_1970 as they
 * are. */
void leak_write_json(const struct leaks *l, const struct leak *k, uint64_t first_ms,
		     struct json *j);
void leak_device_write_json(const struct leaks *l, const struct leak_device *d, uint64_t first_ms,
			    struct json *j);
const char *leak_mac_text(const uint8_t mac[static LINK_MAC_BYTES],
			  char buf[static LEAK_MAC_TEXT_MAX]);
/* "02:00:5e:00:53:01" */
bool leak_mac_is(struct slice text);
/* "" for CONFIG_NONE. */
const char *leak_zone_text(const struct leaks *l, uint16_t zone);
/* As objects of type "leak" and "device", times from `first_ms` on. */
void leaks_write_json(const struct leaks *l, uint64_t first_ms, struct json *j);
/* The same for people. */
void leaks_write_text(const struct leaks *l, uint64_t first_ms, struct out *o);

/* ---- between leak.c, leak_frame.c and leak_voice.c ---- */

/* Where and by whom. */
struct leak_at {
	struct leaks *leaks;
	const struct link_frame *frame;
	struct ip_endpoint src, dst;
	uint16_t zone;
	uint64_t now_ms;
};

/* Notes it; nothing with REASON_NONE. */
void leaks_note(const struct leak_at *at, enum reason reason, struct slice evidence);
/* The device with this MAC address, in the place of the one that was silent longest where there is
 * none; NULL only without memory. */
struct leak_device *leaks_device(struct leaks *l, const uint8_t mac[static LINK_MAC_BYTES],
				 uint64_t now_ms);
/* NULL: nobody announced himself by it. */
struct leak_device *leaks_device_find(const struct leaks *l,
				      const uint8_t mac[static LINK_MAC_BYTES]);
/* A UDP or TCP payload: voice? */
void leaks_on_payload(const struct leak_at *at, bool udp, struct slice payload);

#endif
