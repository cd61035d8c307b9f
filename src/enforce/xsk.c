#include "enforce/xsk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int set(int fd, int option, const void *value, socklen_t bytes)
{
	return setsockopt(fd, SOL_XDP, option, value, bytes) == 0 ? 0 : -errno;
}

static int rings_size(int fd)
{
	const int size = HW_XSK_RING;
	int err = set(fd, XDP_UMEM_FILL_RING, &size, sizeof(size));

	err = err ? err : set(fd, XDP_UMEM_COMPLETION_RING, &size, sizeof(size));
	err = err ? err : set(fd, XDP_RX_RING, &size, sizeof(size));
	return err ? err : set(fd, XDP_TX_RING, &size, sizeof(size));
}

/* The kernel pins the pages; they need not stay mapped here. */
static int frames_register(int fd, int frames, size_t bytes)
{
	struct xdp_umem_reg reg = {.len = bytes, .chunk_size = HW_XSK_FRAME_BYTES};
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, frames, 0);
	int err;

	if (p == MAP_FAILED)
		return -errno;
	reg.addr = (uint64_t)(uintptr_t)p;
	err = set(fd, XDP_UMEM_REG, &reg, sizeof(reg));
	munmap(p, bytes);
	return err == -ENOBUFS ? ERR_LIMIT : err;
}

/* The first socket brings the memory, the others share it. */
static int socket_open(struct xsk_lane_fds *lane, size_t number, uint32_t ifindex, uint32_t queue,
		       size_t bytes)
{
	struct sockaddr_xdp at = {.sxdp_family = AF_XDP,
				  .sxdp_flags = XDP_USE_NEED_WAKEUP,
				  .sxdp_ifindex = ifindex,
				  .sxdp_queue_id = queue};
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	lane->socket[number] = fd;
	lane->count = number + 1;
	err = number == 0 ? frames_register(fd, lane->frames, bytes) : 0;
	err = err ? err : rings_size(fd);
	if (number > 0) {
		at.sxdp_flags = XDP_SHARED_UMEM;
		at.sxdp_shared_umem_fd = (uint32_t)lane->socket[0];
	}
	if (!err && bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		err = -errno;
	return err;
}

static int memory_file(const char *name, size_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int xsk_lane_open(const uint32_t *ifindex, size_t count, uint32_t queue, struct xsk_lane_fds *out)
{
	size_t bytes = count * HW_XSK_SOCKET_FRAMES * HW_XSK_FRAME_BYTES;
	struct xsk_lane_fds lane = {.frames = -1};
	int err = 0;

	if (count == 0 || count > HW_XSK_SOCKETS_MAX)
		return ERR_LIMIT;
	lane.frames = memory_file("hornwork-frames", bytes);
	if (lane.frames < 0)
		return lane.frames;
	for (size_t i = 0; i < count && !err; i++)
		err = socket_open(&lane, i, ifindex[i], queue, bytes);
	if (err) {
		xsk_lane_close(&lane);
		return err;
	}
	*out = lane;
	return 0;
}

void xsk_lane_close(struct xsk_lane_fds *lane)
{
	for (size_t i = 0; i < lane->count; i++)
		close(lane->socket[i]);
	if (lane->frames >= 0)
		close(lane->frames);
	*lane = (struct xsk_lane_fds){.frames = -1};
}

int xsk_hops_new(struct xsk_hops *out)
{
	size_t bytes = HW_NEXT_HOPS_MAX * sizeof(struct hw_next_hop);
	struct xsk_hops h = {.fd = memory_file("hornwork-hops", bytes)};
	int err = 0;

	if (h.fd < 0)
		return h.fd;
	h.at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, h.fd, 0);
	if (h.at == MAP_FAILED || fcntl(h.fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)
		err = -errno;
	if (err) {
		if (h.at != MAP_FAILED)
			munmap(h.at, bytes);
		close(h.fd);
		return err;
	}
	*out = h;
	return 0;
}

void xsk_hops_copy(struct xsk_hops *h, const struct hw_next_hop *from, uint16_t number)
{
	struct hw_next_hop *to = &h->at[number];

	if (number >= HW_NEXT_HOPS_MAX || memcmp(to, from, sizeof(*to)) == 0)
		return;
	__atomic_store_n(&to->generation, 0, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy((char *)to + sizeof(to->generation), (const char *)from + sizeof(from->generation),
	       sizeof(*to) - sizeof(to->generation));
	__atomic_store_n(&to->generation, from->generation, __ATOMIC_RELEASE);
}

void xsk_hops_done(struct xsk_hops *h)
{
	if (!h->at)
		return;
	munmap(h->at, HW_NEXT_HOPS_MAX * sizeof(struct hw_next_hop));
	close(h->fd);
	*h = (struct xsk_hops){0};
}

int xsk_queue_count(const char *interface)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&channels};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (ioctl(fd, SIOCETHTOOL, &request) != 0)
		err = -errno;
	close(fd);
	if (err == -EOPNOTSUPP)
		return 1;
	if (err)
		return err;
	return (int)(channels.combined_count + channels.rx_count);
}
