/* The flow table's layout: the only header that kernel side and user space share. Two areas of
 * shared memory (files in memory, or mapped BPF arrays): the flows, written by the warden alone,
 * and their figures, written by the packet path alone. Both are indexed directly by the local
 * address' slot and the port. Fields are in host order unless named _be. */
#ifndef HW_BPF_ABI_H
#define HW_BPF_ABI_H

#include <linux/types.h>

#define HW_TABLE_MAGIC	       0x48574654u /* "HWFT" */
#define HW_TABLE_VERSION       2u	   /* raised with every change of this header */
#define HW_TABLE_ADDRESSES_MAX 128u	   /* slots: zones times families */
#define HW_TABLE_PORTS_MAX     65536u	   /* entries of one slot */
#define HW_FLOW_NONE	       0xffffffffu /* an index that names no entry */
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

/* What one open port accepts and where it goes. The first line is what every packet needs. Areas
 * begin at a page and entries are whole lines, so each entry begins at a line. */
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
	__u32 rate_bytes_s; /* 0 = not policed */
	__u32 next_hop;	    /* kept for the kernel path: MACs and interface; 0 = none */
	__u32 reserved;

	__u64 payload_types[2]; /* bit n: type n is admitted; all zero = any */
	__u64 opened_ns;	/* monotonic clock */
	__u32 call;
	__u16 zone;
	__u16 out_zone;
	__u8 stream;
	__u8 reserved2[7];
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
	__u32 transit;	 /* arrival less timestamp, in timestamp units */
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
	__u32 reserved[6];
};

struct hw_flow_stats {
	__u32 opened;	    /* the opening they belong to; another one: nothing came yet */
	__u32 bucket_bytes; /* token bucket's fill */
	__u64 bucket_ns;    /* when it was filled last */
	__u64 learned;	    /* generation << 32 | port, by compare-and-swap; 0 = never */
	__u32 refused[HW_REFUSED_KEYED];
	__u64 reserved;
	struct hw_stream stream;
};

struct hw_table_address {
	__u8 family; /* 0 = free slot, 4 or 6 */
	__u8 reserved[3];
	__u8 bytes[16];
};

/* First page of the flows' area; then a bit per entry (open or not), then the entries. */
struct hw_table_head {
	__u32 magic;
	__u32 version;
	__u32 slot_count;
	__u32 port_count; /* entries per slot; index = slot * port_count + port */
	__u32 generation; /* the last one given out */
	__u32 open_count;
	__u32 reserved[10];
	struct hw_table_address address[HW_TABLE_ADDRESSES_MAX];
} __attribute__((aligned(4096)));

_Static_assert(HW_TABLE_PORTS_MAX / 8 % HW_CACHE_LINE_BYTES == 0, "the bits end at a line");
_Static_assert(sizeof(struct hw_flow) == 2 * HW_CACHE_LINE_BYTES, "a flow is two lines");
_Static_assert(sizeof(struct hw_stream) == 2 * HW_CACHE_LINE_BYTES, "a stream is two lines");
_Static_assert(sizeof(struct hw_flow_stats) == 3 * HW_CACHE_LINE_BYTES, "figures are three lines");
_Static_assert(sizeof(struct hw_table_head) == 4096, "the head is a page");

#endif
