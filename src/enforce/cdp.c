#include "enforce/cdp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TO_UPPER 0x01000cccu /* 01:00:0c:cc:cc:cc */
#define TO_LOWER 0xccccu
#define CDP_TYPE 0x2000u /* of SNAP, behind 802.3's length, LLC and Cisco's number */
#define AT_TYPE	 20

static const uint8_t cdp_address[CDP_MAC_BYTES] = {0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc};

static int own_address(int fd, int index, uint8_t mac[static CDP_MAC_BYTES])
{
	struct ifreq r = {0};

	r.ifr_ifindex = index;
	if (ioctl(fd, SIOCGIFNAME, &r) || ioctl(fd, SIOCGIFHWADDR, &r))
		return -errno;
	if (r.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return ERR_ABSENT;
	memcpy(mac, r.ifr_hwaddr.sa_data, CDP_MAC_BYTES);
	return 0;
}

/* The filter stands before the socket is bound: nothing else ever waits in it. One byte of each
 * frame is kept. */
static int set_up(int fd, int index)
{
	struct sock_filter rows[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TO_UPPER, 0, 5),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TO_LOWER, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CDP_TYPE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {sizeof(rows) / sizeof(rows[0]), rows};
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
	struct packet_mreq group = {
		.mr_ifindex = index, .mr_type = PACKET_MR_MULTICAST, .mr_alen = CDP_MAC_BYTES};
	int one = 1, room = CDP_QUEUE_BYTES;

	memcpy(group.mr_address, cdp_address, sizeof(cdp_address));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group)))
		return -errno;
	return 0;
}

int cdp_open(int index, int *out_fd, uint8_t out_mac[static CDP_MAC_BYTES])
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;
	uint8_t mac[CDP_MAC_BYTES];

	if (fd < 0)
		return -errno;
	err = own_address(fd, index, mac);
	err = err ? err : set_up(fd, index);
	if (err) {
		close(fd);
		return err;
	}
	memcpy(out_mac, mac, sizeof(mac));
	*out_fd = fd;
	return 0;
}

int cdp_send(int fd, struct slice frame)
{
	return send(fd, frame.p, frame.n, MSG_DONTWAIT) < 0 ? -errno : 0;
}

bool cdp_heard(int fd)
{
	char byte;
	int n = 0;

	while (n < CDP_HEARD_MAX && recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
		n++;
	return n > 0;
}
