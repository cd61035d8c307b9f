/* The flow table's layout, shared by kernel side and user space. Two areas of memory: the flows,
 * written by the warden alone, and their figures, written by the packet path alone. Both are
 * indexed directly by the local address' slot and the port. In user space they are sparse files;
 * what the kernel reads too (the head, and blocks of 4,096 ports) are BPF arrays that are mapped
 * over those files. Fields are in host order unless named _be. */
#ifndef HW_BPF_ABI_H
#define HW_BPF_ABI_H

#include <linux/types.h>

#define HW_TABLE_MAGIC	       0x48574654u /* "HWFT" */
#define HW_TABLE_VERSION       3u	   /* raised with every change of this header */
#define HW_TABLE_ADDRESSES_MAX 128u	   /* slots: zones times families */
#define HW_TABLE_PORTS_MAX     65536u	   /* entries of one slot */
#define HW_FLOW_NONE	       0xffffffffu /* an index that names no entry */
#define HW_FLOW_CHANGING       0xffffffffu /* a generation: the entry is being replaced just now */
#define HW_BLOCK_PORTS	       4096u	   /* entries of one BPF array */
#define HW_SLOT_BLOCKS	       (HW_TABLE_PORTS_MAX / HW_BLOCK_PORTS)
#define HW_BLOCKS_MAX	       (HW_TABLE_ADDRESSES_MAX * HW_SLOT_BLOCKS)
#define HW_FIND_BITS	       10u /* of the index by address: 1,024 places for 128 addresses */
#define HW_FIND_PROBES	       8u  /* places that are looked at for an address */
#define HW_NEXT_HOPS_MAX       4096u
#define HW_NEXT_HOP_NONE       0u  /* an index that names no next hop */
#define HW_XSK_QUEUES	       64u /* receive queues of one interface that may have a socket */
#define HW_INTERFACES_MAX      64u
#define HW_RATE_UNIT	       64u /* bytes that hw_flow.rate_ns_unit speaks of */
#define HW_CONTROL_RING_BYTES  (1u << 20)
#define HW_CONTROL_BYTES_MAX   1500u /* of an RTCP packet's copy */
#define HW_CACHE_LINE_BYTES    64

/* hw_flow.flags */
#define HW_FLOW_SOURCE_V6 0x0001u /* local and source are IPv6 */
#define HW_FLOW_TO_V6	  0x0002u /* out and to are IPv6 */
#define HW_FLOW_TO_KNOWN  0x0004u /* `to` holds a destination */
#define HW_FLOW_TO_LEARNED                                                                         \
	0x0008u			    /* send where entry `out_index` learned its peer, once it has  \
				     */
#define HW_FLOW_LEARN_PORT  0x0010u /* the source's port is learned once per generation */
#define HW_FLOW_RTP	    0x0020u
#define HW_FLOW_RTCP	    0x0040u /* with HW_FLOW_RTP: both on one port (RFC 5761) */
#define HW_FLOW_RAW	    0x0080u /* neither: source and rate are checked only */
#define HW_FLOW_DTLS	    0x0100u /* DTLS and STUN pass too (RFC 7983) */
#define HW_FLOW_FROM_CALLER 0x0200u
/* Who has the keys of SRTP. Packets of a flow with one of the first two go through user space. */
#define HW_FLOW_OPEN	   0x0400u /* what comes is SRTP and is opened here */
#define HW_FLOW_SEAL	   0x0800u /* what goes out is sealed here */
#define HW_FLOW_SECRET_IN  0x1000u /* policy: nothing in the clear may come in here */
#define HW_FLOW_SECRET_OUT 0x2000u /* policy: nothing in the clear may go out */
#define HW_FLOW_ICE	   0x4000u /* senders prove themselves by ICE; with HW_FLOW_OPEN alone */
/* Not for AF_XDP, whose frames come to any thread: a handshake's state belongs to the one that has
 * the call. */
#define HW_FLOW_NO_LANE (HW_FLOW_DTLS | HW_FLOW_ICE)

/* Why a flow, or one packet of it, is not relayed by the kernel path. */
enum hw_user_why {
	HW_USER_NOT,	      /* the kernel path relays it */
	HW_USER_CONFIGURED,   /* media { path = user } */
	HW_USER_NO_PROGRAM,   /* an interface of the call has no program */
	HW_USER_TABLE,	      /* the kernel's tables have no room for it */
	HW_USER_FAMILY,	      /* IPv4 on one side, IPv6 on the other */
	HW_USER_OWN_ADDRESS,  /* it comes from or goes to this host */
	HW_USER_TRANSFORM,    /* packets are encrypted or decrypted here */
	HW_USER_NO_ROUTE,     /* no route to the destination */
	HW_USER_NO_NEIGHBOUR, /* the next hop's MAC address is not known (yet) */
	HW_USER_LINK_DOWN,    /* the interface to the next hop is down */
	HW_USER_NO_TRANSMIT,  /* that interface takes no redirected packets */
	HW_USER_MTU,	      /* the packet is longer than the way out takes */
	HW_USER_CHANGING,     /* the entry was being replaced */
	HW_USER_CHECKED,      /* that it is encrypted is looked at here */
	HW_USER_RTCP,	      /* RTCP that came with RTP goes on by a port of its own */
	HW_USER_SHAPED,	      /* its way out has queues, which the kernel path would pass by */
	HW_USER_TUNNEL,	      /* it goes through an IPsec tunnel, which is the stack's affair */
	HW_USER_COUNT
};

/* What one open port accepts and where it goes. The first line is what every packet needs, the
 * second begins with what RTP needs. Entries are whole lines. */
struct hw_flow {
	__u32 generation; /* 0 = closed; changes with each publication; written last, release */
	__u32 opened;	  /* the generation with which this opening began */
	__u8 source[16];  /* permitted sender's address, IPv4 in the first four bytes */
	__u8 to[16];	  /* destination's address */
	__be16 source_port_be; /* 0 with HW_FLOW_LEARN_PORT: not known beforehand */
	__be16 to_port_be;
	__u32 out_index; /* the entry whose local end packets leave from */
	__u16 flags;
	__u8 dscp;
	__u8 clock_khz;	    /* 0 = no jitter */
	__u32 rate_ns_unit; /* time of HW_RATE_UNIT bytes at the policed rate; 0 = not policed */
	__u16 next_hop;	    /* towards `to` */
	__u16 source_hop;   /* towards `source`, for what goes to the learned peer */
	__u32 call;

	__u64 payload_types[2]; /* bit n: type n is admitted; all zero = any */
	__u8 user_why;		/* enum hw_user_why; the warden changes it while the flow is open */
	__u8 stream;
	__u16 zone;
	__u16 out_zone;
	__u16 reserved;
	__u64 opened_ns; /* monotonic clock */
	__u32 rate_bytes_s;
	__u32 reserved2;
	char codec[16];
	__u32 open_key; /* with HW_FLOW_OPEN: which key, by its number in the vault */
	__u32 seal_key; /* with HW_FLOW_SEAL */
};

/* Why a packet of an open port was refused; indexes hw_flow_stats.refused. */
enum hw_refused {
	HW_REFUSED_ADDRESS,   /* not the permitted address */
	HW_REFUSED_PORT,      /* the permitted address, but not its port */
	HW_REFUSED_NOT_RTP,   /* neither RTP nor RTCP, and not DTLS or STUN where they pass */
	HW_REFUSED_TYPE,      /* payload type not negotiated */
	HW_REFUSED_RATE,      /* above the codec's rate */
	HW_REFUSED_NO_TARGET, /* no destination known yet, or its port is not open */
	HW_REFUSED_TOO_LONG,  /* longer than the relay takes */
	HW_REFUSED_SEND,      /* the system would not send it */
	HW_REFUSED_KEYED,     /* from here on in hw_stream.keyed_refused: media alone says these */
	HW_REFUSED_PLAIN = HW_REFUSED_KEYED, /* not encrypted where it has to be */
	HW_REFUSED_FORGED,   /* SRTP that the key does not prove, or no key is there */
	HW_REFUSED_REPLAYED, /* SRTP that came already, or is older than the window */
	HW_REFUSED_COUNT
};

/* Reception figures (RFC 3550 A.1, A.3, A.8), summed over the SSRCs that came one after another. */
struct hw_stream {
	__u64 packets;	    /* RTP packets, duplicates too */
	__u64 bytes;	    /* their UDP payload */
	__u64 last_seen_ns; /* monotonic clock; any admitted packet; 0 = none yet */
	__u64 window;	    /* bit n: sequence number max_seq - n has come */
	__u32 ssrc;
	__u32 max_seq;	 /* highest sequence number, extended by its cycles */
	__u32 base_seq;	 /* the first one */
	__u32 received;	 /* of this SSRC, duplicates not counted */
	__u32 jitter_q4; /* in timestamp units, times 16 */
	__u32 arrival;	 /* of the last packet that told of the path, in 1,024 ns */
	__u32 timestamp; /* of the last packet */
	__u32 bad_seq;	 /* the sequence number that would prove a restart, +1; 0 = none */

	__u32 lost_before; /* lost before the present SSRC or restart */
	__u32 reordered;
	__u32 duplicate;
	__u32 ssrc_changes;
	__u32 gaps;	       /* pauses over 100 ms between two packets */
	__u32 control_packets; /* RTCP, DTLS, STUN beside RTP */
	__u32 received_before; /* as `received`, before the present SSRC or restart */

	__u32 keyed_refused[HW_REFUSED_COUNT - HW_REFUSED_KEYED];
	/* What RTCP says, written by media alone. */
	__u32 round_trip_us;  /* between us and the sender of this flow; 0 = not known */
	__u32 far_lost_q8;    /* what its sender did not receive of the last ones, in 1/256 */
	__u32 far_lost_total; /* and over all */
	__u32 far_jitter;     /* in timestamp units */
	__u32 report_mid;     /* middle of the last sender report's NTP time that passed here */
	__u32 report_us;      /* and when: low bits of the monotonic clock in microseconds */
};

/* How far a DTLS handshake is. */
enum hw_handshake {
	HW_HANDSHAKE_NONE, /* none is to be */
	HW_HANDSHAKE_UNDER_WAY,
	HW_HANDSHAKE_UP,
	HW_HANDSHAKE_BAD_FINGERPRINT,
	HW_HANDSHAKE_NO_PROFILE,
	HW_HANDSHAKE_FAILED,
	HW_HANDSHAKE_TIMEOUT,
	HW_HANDSHAKE_CLOSED,
	HW_HANDSHAKE_COUNT
};

enum hw_ice {
	HW_ICE_NONE,
	HW_ICE_NEW,
	HW_ICE_CHECKING,
	HW_ICE_CONNECTED,
	HW_ICE_DISCONNECTED,
	HW_ICE_COUNT
};

struct hw_flow_stats {
	__u32 opened;  /* the opening they belong to; another one: nothing came yet */
	__u32 lock;    /* held for the few stores of one packet */
	__u64 due_ns;  /* token bucket: when what has passed would have come at the policed rate */
	__u64 learned; /* generation << 32 | port, by compare-and-swap; 0 = never */
	__u32 refused[HW_REFUSED_KEYED];
	__u32 to_user; /* packets that the kernel path left to user space, not counted elsewhere */
	__u8 to_user_why; /* the last one's enum hw_user_why */
	/* What a peer has agreed on with media itself, written by it alone. */
	__u8 handshake; /* enum hw_handshake */
	__u8 ice;	/* enum hw_ice */
	__u8 suite;	/* enum srtp_suite of the handshake's keys */
	struct hw_stream stream;
};

/* The way to a neighbour: half a line. */
struct hw_next_hop {
	__u32 generation; /* 0 = cannot be used now, `why` says why; written last, release */
	__u32 ifindex;	  /* packets leave by this one */
	__u16 mtu;	  /* of an IP packet in bytes */
	__u16 vlan;	  /* the tag that is put on: VLAN number and priority; 0 = none */
	__u8 mac_to[6];
	__u8 mac_from[6];
	__u8 why;
	__u8 reserved[7];
};

/* A local address: which slot of the table is its, and where it is reached. */
struct hw_table_address {
	__u8 family;	 /* 0 = free slot, 4 or 6 */
	__u8 generic;	 /* the interface's program runs behind the driver, on socket buffers */
	__u16 vlan[2];	 /* numbers of the tags that packets to it carry, the outer one first */
	__u16 interface; /* number of the interface among ours, for its AF_XDP sockets */
	__u8 bytes[16];
	__u32 ifindex; /* the interface with the program; 0 = the kernel path does not serve it */
	__u32 reserved;
};

/* First pages of the flows' area; then a bit per entry (open or not), then the entries. */
struct hw_table_head {
	__u32 magic;
	__u32 version;
	__u32 slot_count;
	__u32 port_count; /* entries per slot; index = slot * port_count + port */
	__u32 generation; /* the last one given out */
	__u32 open_count;
	__u32 port_first, port_last; /* the media range: a closed port in it answers nobody */
	__u32 reserved[8];
	struct hw_table_address address[HW_TABLE_ADDRESSES_MAX];
	__u8 find[1u << HW_FIND_BITS]; /* slot + 1 of an address; 0 = none; see hw_find() */
} __attribute__((aligned(4096)));

/* What the kernel path counts beside the flows, per CPU and slot. */
struct hw_slot_counts {
	__u64 closed_packets; /* to a port of the media range that no call has open */
	__u64 closed_bytes;
	__u64 to_stack; /* to a media port, in a form that the kernel path does not read */
	__u64 relayed;
};

/* A copy of an RTCP packet that the kernel path relayed: the ring buffer's entry. */
struct hw_control_copy {
	__u64 now_ns;
	__u32 index; /* of the flow */
	__u32 generation;
	__u32 bytes;
	__u8 packet[HW_CONTROL_BYTES_MAX];
};

_Static_assert(HW_TABLE_PORTS_MAX / 8 % HW_CACHE_LINE_BYTES == 0, "the bits end at a line");
_Static_assert(__builtin_offsetof(struct hw_flow, payload_types) == 64, "line by line");
_Static_assert(sizeof(struct hw_flow) == 2 * HW_CACHE_LINE_BYTES, "a flow is two lines");
_Static_assert(sizeof(struct hw_stream) == 2 * HW_CACHE_LINE_BYTES, "a stream is two lines");
_Static_assert(sizeof(struct hw_flow_stats) == 3 * HW_CACHE_LINE_BYTES, "figures are three lines");
_Static_assert(sizeof(struct hw_next_hop) == HW_CACHE_LINE_BYTES / 2, "a next hop is half a line");
_Static_assert(sizeof(struct hw_table_address) == 32, "half a line");
_Static_assert(sizeof(struct hw_table_head) == 8192, "the head is two pages");
_Static_assert(HW_BLOCK_PORTS * sizeof(struct hw_flow) % 65536 == 0, "blocks are whole pages");
_Static_assert(HW_BLOCK_PORTS * sizeof(struct hw_flow_stats) % 65536 == 0,
	       "blocks are whole pages");

#endif
