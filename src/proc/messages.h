/* Every message that the processes exchange, in one place. All are plain data between processes of
 * one binary; what is received is checked against the table in messages.c before anybody sees it,
 * and a sender whose message does not pass is put down. */
#ifndef HW_PROC_MESSAGES_H
#define HW_PROC_MESSAGES_H

#include <assert.h>

#include "model/ban.h"
#include "base/fingerprint.h"
#include "model/config.h"
#include "model/flow.h"
#include "model/identity.h"
#include "model/tls_facts.h"

#define PROC_VERSION	     4	   /* of this page; both ends must have the same */
#define PROC_PAYLOAD_MAX     32768 /* bytes of one message behind its head */
#define PROC_SOCKET_NAME_MAX 108   /* sun_path of unix(7), with its NUL */
#define PROC_FDS_MAX	     10	   /* descriptors that may travel with one message */
#define PROC_FLOW_OPS_MAX                                                                          \
	((size_t)64)	       /* flow requests in one message: the flows of 8 calls with video */
#define PROC_KICKS_MAX	  1024 /* flow slots in one message to the relay */
#define PROC_EVENT_MAX	  4096 /* bytes of one event as a JSON line */
#define PROC_ARGUMENT_MAX 256  /* bytes of a query's argument with its NUL */
#define PROC_TOKEN_MAX	  256  /* bytes of the console's bearer token with its NUL */

enum proc_kind {
	PROC_WARDEN,
	PROC_SPAWNER,
	PROC_SIGNAL,
	PROC_MEDIA,
	PROC_CONSOLE,
	PROC_TLS,
	PROC_WATCH,    /* sees frames, and judges them */
	PROC_ANNOUNCE, /* speaks with lldpd */
	PROC_STIR,     /* verifies who calls */
	PROC_PROBE,    /* enters signal's sandbox and tries to get out (run --self-test) */
	PROC_KIND_COUNT
};

enum proc_type {
	PROC_NONE,
	/* warden <-> spawner */
	PROC_SPAWN,
	PROC_SPAWNED,
	PROC_EXITED,
	PROC_KILL,
	/* warden -> child */
	PROC_HELLO,
	PROC_CONFIG_BEGIN, /* + memfd with the text, and one with rules of virtual patches */
	PROC_CONFIG_ZONE,
	PROC_CONFIG_PEER,
	PROC_CONFIG_SECRET,
	PROC_CONFIG_LISTENER, /* + the socket when it is new */
	PROC_CONFIG_END,
	PROC_FLOW_TABLE,   /* + the two memory files of the table */
	PROC_VAULT,	   /* + the memory files of SRTP's keys and of peers; for media two more */
	PROC_JOURNAL,	   /* + the memory file of signal's records */
	PROC_FLOW_BLOCK,   /* + the figures of a block of it, which the kernel shares */
	PROC_CONTROL_RING, /* + the buffer with the kernel path's copies of RTCP */
	PROC_MEDIA_KICK,
	PROC_MEDIA_LANE, /* + next hops, frames and a socket for each interface */
	PROC_PEER,	 /* + a channel to another child */
	PROC_CONSOLE_SETUP,
	PROC_FLOW_REFUSED,
	PROC_BAN_KNOWN, /* what an earlier signal decided */
	PROC_STOP,
	/* child -> warden */
	PROC_CONFIG_DONE,
	PROC_FLOW_OPS,
	PROC_STOPPED,
	PROC_MEDIA_READY,
	PROC_VERDICT,
	PROC_BAN,
	PROC_RECOVERY, /* a PBX is back: everybody registers again */
	PROC_TRUST,    /* flows that were challenged, or at which phones are registered */
	/* console -> warden, signal; and back */
	PROC_QUERY,
	PROC_ANSWER, /* + memfd with the text */
	/* anybody -> console */
	PROC_EVENT, /* one or more events, a line each */
	/* warden -> tls */
	PROC_DTLS_MADE,	   /* media -> warden: the certificate that new DTLS associations get */
	PROC_DTLS_PRESENT, /* the same, warden -> signal */
	PROC_TLS_IDENTITY, /* + certificate, and as flagged key and OCSP response: open files */
	PROC_TLS_CA,	   /* + the open file */
	PROC_SIGNER,	   /* + a trunk's certificate and key: open files */
	/* tls <-> signal */
	PROC_TLS_OPENED, /* + the plain end of an accepted connection */
	PROC_TLS_REFUSED,
	PROC_TLS_COUNTS,
	PROC_SIGN,
	PROC_SIGNED,
	PROC_TAP,	      /* warden -> watch: + the packet socket of an interface */
	PROC_VOICE_VLAN,      /* warden -> announce: + a connection to lldpd */
	PROC_VOICE_VLAN_TOLD, /* announce -> warden: what became of each */
	PROC_LLDPD_GONE,
	/* warden -> stir */
	PROC_STIR_TRUST, /* + authorities of who signs, and of HTTPS servers: open files */
	/* stir <-> signal */
	PROC_VERIFY,
	PROC_VERIFIED,
	/* tls <-> signal */
	PROC_TLS_DIAL, /* + the end that signal's bytes come out of */
	PROC_TYPE_COUNT
};

struct proc_head {
	uint16_t version;
	uint16_t type;
	uint32_t bytes; /* behind this head */
};

struct proc_spawn {
	uint32_t kind; /* enum proc_kind; the channel's other end travels along */
};

struct proc_spawned {
	uint32_t kind;
	int32_t pid; /* or a negative errno */
	uint32_t uid;
	uint32_t spare_uid; /* 1: no user of that name is there */
};

struct proc_exited {
	uint32_t kind;
	int32_t pid;
	int32_t status; /* as from waitpid */
};

struct proc_kill {
	int32_t pid;
	int32_t signal;
};

struct proc_hello {
	uint32_t kind;
	uint32_t argument; /* probe: which attempt */
};

struct proc_config_begin {
	uint64_t generation;
	uint64_t text_bytes;
	uint32_t zones, pbxs, trunks, listeners, secrets; /* so many of each follow */
	uint32_t rules_bytes;				  /* 0 = no memfd with rules */
	char file[CONFIG_PATH_MAX];
};

struct proc_config_zone {
	uint32_t index;
	struct ip_addr address4, address6, public4, public6;
};

struct proc_config_peer {
	uint32_t index;
	uint32_t owner; /* enum owner_kind: pbx or trunk */
	struct ip_endpoint at;
};

struct proc_config_secret {
	uint32_t index; /* of the trunk */
	char password[CONFIG_SECRET_MAX];
};

struct proc_config_listener {
	uint32_t index;
	uint32_t old_index; /* it keeps this listener's socket; CONFIG_NONE = a new one comes */
	struct config_listener listener;
};

struct proc_config_end {
	uint64_t generation;
};

struct proc_config_done {
	uint64_t generation;
	int32_t err; /* 0 = in force */
};

struct proc_peer {
	uint32_t kind;
};

enum {
	CONSOLE_HAS_TCP = 1,
	CONSOLE_HAS_EVENTS = 2,
	CONSOLE_HAS_TOKEN = 4,
	CONSOLE_HAS_SYSLOG = 16,
	CONSOLE_KEEPS_TCP = 8, /* the socket that it has goes on; none travels */
};

/* Descriptors: the Unix socket that listens, then as flagged the TCP socket and the events file. */
struct proc_console_setup {
	uint32_t flags;
	char syslog[PROC_SOCKET_NAME_MAX];
	char token[PROC_TOKEN_MAX];
};

struct proc_dtls_present {
	struct fingerprint own;
};

struct proc_flow_refused {
	struct ip_endpoint local;
	uint32_t call;
	uint32_t reason;
};

struct proc_flow_block {
	uint32_t block;
};

#define PROC_LANE_SOCKETS_MAX 8 /* as HW_XSK_SOCKETS_MAX */

/* AF_XDP sockets for one thread of media, instead of those it has. */
struct proc_media_lane {
	uint32_t number;
	uint32_t count; /* sockets; 0 = none any more */
	uint32_t ifindex[PROC_LANE_SOCKETS_MAX];
};

/* The sockets of a lane have frames to receive into. */
struct proc_media_ready {
	uint32_t number;
};

struct proc_stop {
	uint32_t grace_ms;
};

enum flow_op {
	FLOW_OP_OPEN,
	FLOW_OP_CLOSE,
	FLOW_OP_ADOPT, /* a predecessor's that goes on as it is; opened when it stands there no more
			*/
};

struct proc_flow_op {
	uint32_t op;
	uint32_t reason;
	struct flow_spec spec;
};

struct proc_ban {
	uint32_t lifted; /* 1: let in again */
	uint32_t unused;
	struct ban ban;
};

#define PROC_TRUST_MAX ((size_t)64)

struct proc_trust {
	struct ip_endpoint flow;
	uint32_t trust; /* enum hw_trust: challenged or registered */
};

struct proc_verdict {
	uint32_t attempt;
	int32_t err; /* what the attempt got: 0 = it succeeded, which it must not */
};

enum proc_query {
	QUERY_STATUS,
	QUERY_CALLS,
	QUERY_CALLS_ALL,
	QUERY_REGISTRATIONS,
	QUERY_PATCHES,
	QUERY_TRACE,
	QUERY_EXPLAIN,
	QUERY_METRICS,
	QUERY_RELOAD,
	QUERY_POLICY,
	QUERY_BANS,
	QUERY_BAN_ADD,
	QUERY_BAN_LIFT,
	QUERY_LEAKS,
	QUERY_DEVICES,
	QUERY_COUNT
};

struct proc_query_msg {
	uint32_t id;
	uint32_t what; /* enum proc_query */
	char argument[PROC_ARGUMENT_MAX];
};

struct proc_answer {
	uint32_t id;
	uint32_t status; /* as HTTP has them: 200, 404, 409 ... */
	uint64_t bytes;	 /* of the text in the memfd */
};

#define PROC_TAPS_MAX ((size_t)32) /* interfaces that are watched at a time */

/* Frames of an interface, instead of those that this number had. */
struct proc_tap {
	uint32_t number;
	uint32_t open; /* 0 = none any more, and no descriptor */
	char interface[CONFIG_IFNAME_MAX];
	char of[CONFIG_IFNAME_MAX]; /* the link that it belongs to, as zones call it */
};

#define PROC_VOICE_PORTS_MAX ((size_t)32)

/* What phones on one interface are to be told. */
struct proc_voice_vlan {
	char interface[CONFIG_IFNAME_MAX];
	uint16_t vlan;
	uint8_t tagged, withdraw, priority, dscp;
};

struct proc_voice_vlan_told {
	uint32_t outcome; /* enum lldpd_outcome */
};

enum { TLS_HAS_KEY = 1, TLS_HAS_OCSP = 2 };

/* The files of the next configuration; they precede it. */
struct proc_tls_identity {
	uint32_t index;
	uint32_t flags;
};

struct proc_signer {
	uint32_t trunk; /* index in the next configuration; it precedes that */
};

static_assert(sizeof(struct proc_head) == 8, "head");
static_assert(sizeof(struct proc_spawned) == 16, "spawned");
static_assert(sizeof(struct proc_exited) == 12, "exited");
static_assert(sizeof(struct proc_config_begin) == 40 + CONFIG_PATH_MAX, "config_begin");
static_assert(sizeof(struct ip_addr) == 17 && sizeof(struct ip_endpoint) == 20, "ip");
static_assert(sizeof(struct proc_config_zone) == 72, "config_zone");
static_assert(sizeof(struct proc_config_peer) == 28, "config_peer");
static_assert(sizeof(struct proc_flow_refused) == 28, "flow_refused");
static_assert(sizeof(struct proc_flow_op) % 8 == 0, "flow_op has no tail to leak");
static_assert(PROC_FLOW_OPS_MAX * sizeof(struct proc_flow_op) <= PROC_PAYLOAD_MAX, "flow_ops fit");
static_assert(sizeof(struct proc_query_msg) == 8 + PROC_ARGUMENT_MAX, "query");
static_assert(sizeof(struct proc_answer) == 16, "answer");

/* What a message of one type may look like, who may send it and who may get it. */
struct proc_row {
	const char *name;
	uint32_t senders, receivers; /* bit n: enum proc_kind n */
	uint32_t bytes_min, bytes_max;
	uint32_t unit_bytes; /* the payload is a multiple of this */
	uint8_t fds_min, fds_max;
};

/* NULL for a type that nobody knows. Borrowed for ever. */
const struct proc_row *proc_row(unsigned type);
/* False for a byte that stands where a bool should and is none: it must not be read as one. */
bool proc_bool_valid(const bool *at);
/* "signal", "media", ... */
const char *proc_kind_name(enum proc_kind kind);

#endif
