#include "enforce/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where things stand in a frame without its outer tag, which the kernel has taken out. */
#define AT_TYPE	    12
#define AT_IP4	    14
#define AT_IP4_FRAG 20
#define AT_IP4_NEXT 23
#define AT_IP4_DST  30
#define AT_IP6_NEXT 20
#define AT_IP6_DST  38
#define AT_ICMP6    54
#define IP6_BYTES   40
/* Behind the IP head, whose length is in the index register. */
#define AT_SPORT      14
#define AT_DPORT      16
#define AT_UDP_DATA   22
#define AT_TCP_LENGTH 26
#define AT_TCP_DATA   14 /* with TCP's head in the register too */

#define TYPE_LENGTH_MAX 1500
#define MEMORY_OWN	0 /* 1: it goes to an address of ours */
#define MEMORY_NEXT	1 /* the protocol behind IP */
#define MEMORY_SIP	2 /* 1: to or from SIP's port */
#define PORT_SIP	5060

struct rows {
	struct sock_filter *row;
	size_t n;
};

static size_t put(struct rows *r, int code, uint32_t k)
{
	if (r->n < TAP_FILTER_ROWS_MAX)
		r->row[r->n] = (struct sock_filter)BPF_STMT((uint16_t)code, k);
	return r->n++;
}

static void jump(struct rows *r, int op, uint32_t k, uint8_t yes, uint8_t no)
{
	size_t at = put(r, BPF_JMP | op | BPF_K, k);

	if (at < TAP_FILTER_ROWS_MAX) {
		r->row[at].jt = yes;
		r->row[at].jf = no;
	}
}

static void take_if(struct rows *r, uint32_t value, uint32_t bytes)
{
	jump(r, BPF_JEQ, value, 0, 1);
	put(r, BPF_RET | BPF_K, bytes);
}

/* What follows up to end_block is for this value alone. */
static size_t block_if(struct rows *r, uint32_t value)
{
	jump(r, BPF_JEQ, value, 1, 0);
	return put(r, BPF_JMP | BPF_JA, 0);
}

static void end_block(struct rows *r, size_t block)
{
	if (block < TAP_FILTER_ROWS_MAX)
		r->row[block].k = (uint32_t)(r->n - block - 1);
}

static void drop(struct rows *r)
{
	put(r, BPF_RET | BPF_K, 0);
}

/* On a link without VLANs each tag is news, but one that holds a priority alone. */
static void put_tags(struct rows *r, bool carries_vlan)
{
	if (carries_vlan)
		return;
	put(r, BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	jump(r, BPF_JEQ, 0, 3, 0);
	put(r, BPF_LD | BPF_H | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG));
	jump(r, BPF_JSET, 0x0fff, 0, 1);
	put(r, BPF_RET | BPF_K, TAP_SNAP_BYTES);
}

/* 802.3 frames to 01:00:0c:cc:cc:cc. */
static void put_lengths(struct rows *r)
{
	jump(r, BPF_JGT, TYPE_LENGTH_MAX, 6, 0);
	put(r, BPF_LD | BPF_W | BPF_ABS, 0);
	jump(r, BPF_JEQ, 0x01000ccc, 0, 3);
	put(r, BPF_LD | BPF_H | BPF_ABS, 4);
	take_if(r, 0xcccc, TAP_WHOLE_BYTES);
	drop(r);
}

/* Which of our addresses it goes to. `words` 32-bit words at `at`. */
static void put_own(struct rows *r, const struct tap_wish *wish, enum ip_family family, uint32_t at)
{
	uint8_t words = family == IP_V4 ? 1 : 4;

	for (size_t i = 0; i < wish->own_count; i++) {
		if (wish->own[i].family != family)
			continue;
		for (uint8_t k = 0; k < words; k++) {
			uint32_t word;

			memcpy(&word, wish->own[i].bytes + (size_t)4 * k, sizeof(word));
			put(r, BPF_LD | BPF_W | BPF_ABS, at + 4u * k);
			jump(r, BPF_JEQ, ntohl(word), 0, (uint8_t)(2 * (words - k - 1) + 2));
		}
		put(r, BPF_LD | BPF_IMM, 1);
		put(r, BPF_ST, MEMORY_OWN);
	}
}

static void put_ip4(struct rows *r, const struct tap_wish *wish)
{
	size_t block = block_if(r, ETH_P_IP);

	put(r, BPF_LD | BPF_H | BPF_ABS, AT_IP4_FRAG);
	jump(r, BPF_JSET, 0x1fff, 0, 1);
	drop(r);
	put_own(r, wish, IP_V4, AT_IP4_DST);
	put(r, BPF_LD | BPF_B | BPF_ABS, AT_IP4_NEXT);
	put(r, BPF_ST, MEMORY_NEXT);
	put(r, BPF_LDX | BPF_B | BPF_MSH, AT_IP4);
	put(r, BPF_LD | BPF_IMM, ETH_P_IP);
	end_block(r, block);
}

/* Heads between IPv6's and the transport's are rare enough to be looked at in any case, and so are
 * those who tell neighbours their address. */
static void put_ip6(struct rows *r, const struct tap_wish *wish)
{
	static const uint8_t heads[] = {IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
					IPPROTO_DSTOPTS};
	size_t block = block_if(r, ETH_P_IPV6), inner;

	put_own(r, wish, IP_V6, AT_IP6_DST);
	put(r, BPF_LD | BPF_B | BPF_ABS, AT_IP6_NEXT);
	put(r, BPF_ST, MEMORY_NEXT);
	for (size_t i = 0; i < sizeof(heads); i++)
		take_if(r, heads[i], TAP_SNAP_BYTES);
	inner = block_if(r, IPPROTO_ICMPV6);
	put(r, BPF_LD | BPF_B | BPF_ABS, AT_ICMP6);
	jump(r, BPF_JGE, 133, 0, 2); /* RFC 4861 4: 133 to 136 */
	jump(r, BPF_JGT, 136, 1, 0);
	put(r, BPF_RET | BPF_K, TAP_SNAP_BYTES);
	drop(r);
	end_block(r, inner);
	put(r, BPF_LDX | BPF_IMM, IP6_BYTES);
	put(r, BPF_LD | BPF_IMM, ETH_P_IPV6);
	end_block(r, block);
}

/* The word in the register begins a SIP message. */
static void put_sip(struct rows *r)
{
	static const char words[][5] = {"INVI", "REGI", "ACK ", "BYE ", "CANC",
					"OPTI", "INFO", "PRAC", "SUBS", "NOTI",
					"UPDA", "REFE", "MESS", "PUBL", "SIP/"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		uint32_t word;

		memcpy(&word, words[i], sizeof(word));
		take_if(r, ntohl(word), TAP_SNAP_BYTES);
	}
}

/* DHCP, RTP by its version, SIP. */
static void put_udp(struct rows *r)
{
	size_t block = block_if(r, IPPROTO_UDP), rtp;

	put(r, BPF_LD | BPF_H | BPF_IND, AT_SPORT);
	take_if(r, 67, TAP_WHOLE_BYTES);
	take_if(r, 547, TAP_WHOLE_BYTES);
	put(r, BPF_LD | BPF_H | BPF_IND, AT_DPORT);
	take_if(r, 67, TAP_WHOLE_BYTES);
	put(r, BPF_LD | BPF_B | BPF_IND, AT_UDP_DATA);
	put(r, BPF_ALU | BPF_AND | BPF_K, 0xc0);
	rtp = block_if(r, 0x80);
	put(r, BPF_LD | BPF_MEM, MEMORY_OWN);
	take_if(r, 0, TAP_SNAP_BYTES);
	drop(r);
	end_block(r, rtp);
	put(r, BPF_LD | BPF_W | BPF_IND, AT_UDP_DATA);
	put_sip(r);
	drop(r);
	end_block(r, block);
}

/* A message may begin anywhere in a segment, which no filter finds: on SIP's port all that carries
 * something passes. */
static void put_tcp(struct rows *r)
{
	size_t block = block_if(r, IPPROTO_TCP);

	put(r, BPF_LD | BPF_H | BPF_IND, AT_SPORT);
	jump(r, BPF_JEQ, PORT_SIP, 2, 0);
	put(r, BPF_LD | BPF_H | BPF_IND, AT_DPORT);
	jump(r, BPF_JEQ, PORT_SIP, 0, 2);
	put(r, BPF_LD | BPF_IMM, 1);
	put(r, BPF_ST, MEMORY_SIP);
	put(r, BPF_LD | BPF_B | BPF_IND, AT_TCP_LENGTH);
	put(r, BPF_ALU | BPF_AND | BPF_K, 0xf0);
	put(r, BPF_ALU | BPF_RSH | BPF_K, 2);
	put(r, BPF_ALU | BPF_ADD | BPF_X, 0);
	put(r, BPF_MISC | BPF_TAX, 0);
	put(r, BPF_LD | BPF_W | BPF_IND, AT_TCP_DATA); /* drops what carries nothing */
	put_sip(r);
	put(r, BPF_LD | BPF_MEM, MEMORY_SIP);
	take_if(r, 1, TAP_WHOLE_BYTES);
	end_block(r, block);
}

size_t tap_filter(const struct tap_wish *wish, struct sock_filter rows[static TAP_FILTER_ROWS_MAX])
{
	struct rows r = {.row = rows};

	put(&r, BPF_LD | BPF_IMM, 0);
	put(&r, BPF_ST, MEMORY_OWN);
	put(&r, BPF_ST, MEMORY_NEXT);
	put(&r, BPF_ST, MEMORY_SIP);
	put_tags(&r, wish->carries_vlan);
	put(&r, BPF_LD | BPF_H | BPF_ABS, AT_TYPE);
	take_if(&r, ETH_P_LLDP, TAP_WHOLE_BYTES);
	take_if(&r, ETH_P_8021Q, TAP_SNAP_BYTES);
	take_if(&r, ETH_P_8021AD, TAP_SNAP_BYTES);
	take_if(&r, ETH_P_QINQ1, TAP_SNAP_BYTES);
	take_if(&r, ETH_P_ARP, TAP_SNAP_BYTES);
	put_lengths(&r);
	put_ip4(&r, wish);
	put_ip6(&r, wish);
	put(&r, BPF_LD | BPF_MEM, MEMORY_NEXT);
	put_udp(&r);
	put_tcp(&r);
	drop(&r);
	return r.n;
}

/* With a ring to transmit from the kernel sends what lies in that ring and no bytes of a caller's
 * (packet(7), PACKET_TX_RING); the sandbox of who gets the socket can neither map the ring nor take
 * it away, so it stays empty: the socket only receives. */
static int mute(int fd)
{
	unsigned page = (unsigned)getpagesize();
	struct tpacket_req ring = {page, 1, page, 1};

	return setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &ring, sizeof(ring)) ? -errno : 0;
}

/* The filter stands before the socket is bound: nothing else ever waits in it. */
static int set_up(int fd, const struct tap_wish *wish)
{
	struct sock_filter rows[TAP_FILTER_ROWS_MAX];
	struct sock_fprog program = {.filter = rows};
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = wish->index};
	struct packet_mreq all = {.mr_ifindex = wish->index, .mr_type = PACKET_MR_PROMISC};
	size_t count = tap_filter(wish, rows);
	int one = 1, room = TAP_RECEIVE_BYTES;

	if (count > TAP_FILTER_ROWS_MAX)
		return ERR_LIMIT;
	program.len = (unsigned short)count;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)))
		return -errno;
	return mute(fd);
}

static int is_ethernet(int fd, int index)
{
	struct ifreq r = {0};

	r.ifr_ifindex = index;
	if (ioctl(fd, SIOCGIFNAME, &r) || ioctl(fd, SIOCGIFHWADDR, &r))
		return -errno;
	return r.ifr_hwaddr.sa_family == ARPHRD_ETHER ? 0 : ERR_ABSENT;
}

int tap_open(const struct tap_wish *wish, int *out_fd)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	err = is_ethernet(fd, wish->index);
	err = err ? err : set_up(fd, wish);
	if (err)
		close(fd);
	else
		*out_fd = fd;
	return err;
}
