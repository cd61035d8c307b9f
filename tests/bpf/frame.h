/* Frames for BPF_PROG_TEST_RUN, built and read. */
#ifndef HW_TESTS_BPF_FRAME_H
#define HW_TESTS_BPF_FRAME_H

#include <stdint.h>

#include "base/ip.h"

#define FRAME_MAX 2048

struct frame {
	uint8_t bytes[FRAME_MAX];
	unsigned n;
	uint8_t *ip, *udp, *payload; /* into bytes; NULL where frame_read found none */
	unsigned payload_bytes;
	uint16_t vlan[2];
	unsigned tags;
};

struct frame_ends {
	struct ip_endpoint from, to;
	unsigned tags;
	uint16_t vlan[2];
};

/* An Ethernet frame with a UDP datagram, sums right. */
void frame_build(struct frame *f, const struct frame_ends *ends, const void *payload, unsigned n);
/* Finds the parts of a frame again; false: it holds no UDP datagram, or a sum in it is wrong. */
bool frame_read(struct frame *f);
/* The ends of what frame_read found. */
struct frame_ends frame_ends(const struct frame *f);
/* The UDP checksum's one's complement sum over pseudo header and datagram: 0xffff when right. */
uint16_t frame_udp_sum(const struct frame *f);

/* Runs the program once; the frame as it left is in *f. Its verdict (XDP_DROP, ...), or -errno. */
int frame_run(int program, struct frame *f);

#endif
