/* What the shield's maps hold, shared by kernel side and user space. The shield is the first stage
 * of the kernel path's program: what comes to our UDP listeners for SIP is judged there by who
 * sends it, before the stack or a parser sees it. Addresses are 16 bytes, IPv4 in the first four
 * and zeros behind them; ports in host order; times of the monotonic clock in ns. */
#ifndef HW_BPF_SHIELD_ABI_H
#define HW_BPF_SHIELD_ABI_H

#include <linux/types.h>

#define HW_SHIELD_PORTS_MAX    2048u   /* listeners by address, port and protocol; addresses */
#define HW_SHIELD_BANS_MAX     16640u  /* addresses and prefixes; as guard's limits */
#define HW_SHIELD_FRIENDS_MAX  1024u   /* configured peers, and prefixes under no limit */
#define HW_SHIELD_FLOWS_MAX    131072u /* that have earned trust, or lost it, and their addresses */
#define HW_SHIELD_SOURCES      65536u  /* buckets of sources; addresses that share one share it */
#define HW_SHIELD_PREFIXES     16384u
#define HW_SHIELD_BUCKETS      (HW_SHIELD_SOURCES + HW_SHIELD_PREFIXES)
#define HW_SHIELD_SEEN	       4096u /* sources of which something was dropped, by hash */
#define HW_SHIELD_FRAGMENTS    4096u /* datagrams in pieces, of which the next one may come */
#define HW_SHIELD_ADDRESS_BITS 8u    /* in front of an address in a prefix's key: its family */

/* Why something was dropped; HW_SHIELD_PASS: it was not. Indexes the counts. */
enum hw_shield_why {
	HW_SHIELD_PASS,
	HW_SHIELD_BANNED,      /* its address is banned */
	HW_SHIELD_FLOW_BANNED, /* this flow alone is */
	HW_SHIELD_SOURCE,      /* more than one source may send */
	HW_SHIELD_PREFIX,      /* more than one network may */
	HW_SHIELD_STRANGERS,   /* more than all strangers together may */
	HW_SHIELD_REGISTERS,   /* more REGISTERs than all strangers together may send */
	HW_SHIELD_RETURNING,   /* more than all addresses where phones were registered may */
	HW_SHIELD_TRUSTED,     /* a flow with trust sends more than it may */
	HW_SHIELD_NOT_SIP,     /* the first bytes are nobody's who speaks what this port speaks */
	HW_SHIELD_SYN,	       /* more new connections than one source may open */
	HW_SHIELD_SYNS,	       /* more than all strangers together may */
	HW_SHIELD_FRAGMENT,    /* a fragment that nobody waits for */
	HW_SHIELD_OVERLAP,     /* one that overlaps another */
	HW_SHIELD_WHY_COUNT
};

/* What a flow, or the address of one, has earned. */
enum hw_trust {
	HW_TRUST_STRANGER,   /* nothing: it has no entry */
	HW_TRUST_CHALLENGED, /* its REGISTER was answered with a challenge: it may answer */
	HW_TRUST_RETURNING,  /* an address (port 0) where phones are, or were, registered */
	HW_TRUST_REGISTERED, /* the PBX accepted its REGISTER */
	HW_TRUST_PEER,	     /* named by the configuration; of that zone */
	HW_TRUST_EXEMPT,     /* never-ban: under no limit */
	HW_TRUST_BANNED,     /* a banned flow */
	HW_TRUST_COUNT
};

struct hw_shield_port_key {
	__u8 address[16];
	__u16 port;	/* 0: the address, at which some port listens */
	__u16 protocol; /* IPPROTO_UDP, IPPROTO_TCP; 0 of the address */
};

struct hw_shield_port {
	__u16 zone;
};

/* Of a longest prefix match: `bits` counts the family's too. */
struct hw_shield_prefix {
	__u32 bits;
	__u8 family; /* 4 or 6 */
	__u8 address[16];
	__u8 reserved[3];
};

struct hw_shield_ban {
	__u64 until_ns; /* ~0 = until it is lifted */
	__u16 reason;	/* enum reason */
	__u8 whole;	/* flows with trust too */
	__u8 reserved[5];
};

struct hw_shield_friend {
	__u16 zone;
	__u8 trust; /* HW_TRUST_PEER, HW_TRUST_EXEMPT */
	__u8 reserved;
};

struct hw_shield_flow_key {
	__u8 address[16];
	__u16 port; /* 0: the address */
	__u8 family;
	__u8 reserved;
};

struct hw_shield_flow {
	__u64 until_ns;	   /* then it is a stranger's again; ~0 = for ever */
	__u64 due_ns;	   /* its bucket: when what has passed would have come at its rate */
	__u64 interval_ns; /* of its bucket: from packet to packet at that rate; 0 = not limited */
	__u64 burst_ns;	   /* what it may be ahead */
	__u8 trust;	   /* enum hw_trust */
	__u8 reserved[3];
	__u32 phones; /* of an address: flows that registered there since it is known */
};

/* Budgets that are not one flow's: a time from packet to packet, and how far ahead of it. */
enum hw_shield_budget {
	HW_BUDGET_SOURCE,    /* each source's, UDP */
	HW_BUDGET_RECOVERY,  /* instead of that, for REGISTER, while recovery's grace lasts */
	HW_BUDGET_SYN,	     /* each source's new connections */
	HW_BUDGET_PREFIX,    /* each /24 or /48 */
	HW_BUDGET_STRANGERS, /* all of them together; from here on one bucket each */
	HW_BUDGET_REGISTERS,
	HW_BUDGET_RETURNING,
	HW_BUDGET_SYNS,
	HW_BUDGET_NOT_SIP, /* so much goes on all the same, so that it is known who sends it */
	HW_BUDGET_COUNT
};

struct hw_shield_rate {
	__u64 interval_ns; /* 0 = not limited */
	__u64 burst_ns;
};

struct hw_shield_setup {
	__u64 key[2];		 /* of all hashes; random */
	__u64 recovery_until_ns; /* everybody registers again until then */
	__u32 active;		 /* 0: nothing is looked at */
	__u32 reserved;
	struct hw_shield_rate rate[HW_BUDGET_COUNT];
};

/* One bucket of all strangers together; a line for each. */
struct hw_shield_total {
	__u64 due_ns;
	__u64 reserved[7];
};

/* A datagram in pieces: what comes next. */
struct hw_shield_fragment {
	__u64 key; /* keyed hash of addresses, protocol and number; 0 = none */
	__u64 until_ns;
	__u32 next; /* bytes behind the IP header that have come */
	__u32 reserved;
};

/* A source of which something was dropped: the last one with this hash. */
struct hw_shield_seen {
	__u8 address[16];
	__u64 first_ns, last_ns;
	__u32 count;
	__u16 port; /* of the last packet */
	__u8 family;
	__u8 why; /* enum hw_shield_why of the last packet */
};

struct hw_shield_counts {
	__u64 dropped[HW_SHIELD_WHY_COUNT];
	__u64 passed[HW_TRUST_COUNT]; /* to a listener, by who sent it; of connections the SYN */
	__u64 sampled;		      /* not SIP, and passed on all the same */
};

_Static_assert(sizeof(struct hw_shield_port_key) == 20, "without padding");
_Static_assert(sizeof(struct hw_shield_prefix) == 24, "without padding");
_Static_assert(sizeof(struct hw_shield_flow_key) == 20, "without padding");
_Static_assert(sizeof(struct hw_shield_flow) == 40, "without padding");
_Static_assert(sizeof(struct hw_shield_total) == 64, "a line");

#endif
