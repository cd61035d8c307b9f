/* The benchmark's frame as the BPF programs see it. */
#ifndef HW_BENCH_MEDIA_FRAME_H
#define HW_BENCH_MEDIA_FRAME_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include "load.h"

#define FRAME_UDP    17
#define FRAME_RTP_AT (sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr))

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	__u8 rtp_version, rtp_type;
	__be16 rtp_seq;
	__be32 rtp_timestamp, rtp_ssrc;
	__u64 stamp_ns; /* of the sender's clock: the first eight bytes of speech */
} __attribute__((packed));

#endif
