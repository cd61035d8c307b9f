#include "assess/valve.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#define TCP_OFFSET_AT 12 /* RFC 9293, 3.1: the header's length in words, in the upper half */
#define TCP_FLAGS_AT  13
#define FLAG_FIN      0x01
#define FLAG_SYN      0x02
#define FLAG_RST      0x04
#define ALL_BYTES     0x40000

/* The kernel hands a socket's filter the segment from its TCP header on, and takes a segment that
 * was cut for one with fewer bytes. A FIN cannot be cut off, so its segment goes whole. */
static const struct sock_filter shut[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS_AT),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_SYN | FLAG_RST, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_FIN, 5, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_OFFSET_AT),
	BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 2),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x3c),
	BPF_STMT(BPF_RET | BPF_A, 0),
	BPF_STMT(BPF_RET | BPF_K, ALL_BYTES),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

int valve_shut(int fd)
{
	struct sock_fprog program = {.len = sizeof(shut) / sizeof(shut[0]),
				     .filter = (struct sock_filter *)(uintptr_t)shut};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

int valve_open(int fd)
{
	int unused = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) &&
	    errno != ENOENT)
		return -errno;
	return 0;
}

static void set_ack(int fd, int how)
{
	(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &how, sizeof(how));
}

void valve_delay_ack(int fd)
{
	set_ack(fd, 0);
}

void valve_ack_now(int fd)
{
	set_ack(fd, 1);
	set_ack(fd, 0);
}

uint32_t valve_segments(int fd)
{
	struct tcp_info info = {0};
	socklen_t n = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) ||
	    n < offsetof(struct tcp_info, tcpi_segs_out) + sizeof(info.tcpi_segs_out))
		return 0;
	return info.tcpi_segs_out;
}
