#include "assess/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAGIC_NS     0xa1b23c4du /* times in nanoseconds, our byte order */
#define LINKTYPE_RAW 101	 /* packets start with their IP header */
#define UDP_BYTES    8
#define PROTOCOL_UDP 17
#define HEAD_MAX     (40 + UDP_BYTES)

FILE *pcap_file_create(const char *path)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snap, link;
	} head = {MAGIC_NS, 2, 4, 0, 0, 65535, LINKTYPE_RAW};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (fwrite(&head, sizeof(head), 1, f) == 1)
		return f;
	fclose(f);
	errno = ENOSPC;
	return NULL;
}

static void put16(unsigned char *p, size_t value)
{
	p[0] = (unsigned char)(value >> 8);
	p[1] = (unsigned char)value;
}

static uint32_t sum16(const unsigned char *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n % 2)
		sum += (uint32_t)p[n - 1] << 8;
	return sum;
}

static size_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* The IP header (RFC 791 3.1, RFC 8200 3); where the addresses stand, and its length. */
static size_t put_ip(unsigned char *head, const struct ip_endpoint *from,
		     const struct ip_endpoint *to, size_t udp, size_t *addresses)
{
	bool v4 = from->addr.family == IP_V4;
	size_t each = v4 ? 4 : 16, n = v4 ? 20 : 40;

	*addresses = n - 2 * each;
	head[0] = v4 ? 0x45 : 0x60;
	put16(head + (v4 ? 2 : 4), v4 ? n + udp : udp);
	head[v4 ? 9 : 6] = PROTOCOL_UDP;
	head[v4 ? 8 : 7] = 64;
	memcpy(head + *addresses, from->addr.bytes, each);
	memcpy(head + *addresses + each, to->addr.bytes, each);
	if (v4)
		put16(head + 10, fold(sum16(head, n)));
	return n;
}

void pcap_file_udp(FILE *f, uint64_t at_ns, const struct ip_endpoint *from,
		   const struct ip_endpoint *to, struct slice payload)
{
	unsigned char head[HEAD_MAX] = {0};
	size_t addresses, udp = UDP_BYTES + payload.n;
	size_t n = put_ip(head, from, to, udp, &addresses);
	uint32_t sum = sum16(head + addresses, n - addresses) + PROTOCOL_UDP + (uint32_t)udp;
	uint32_t row[4] = {(uint32_t)(at_ns / 1000000000), (uint32_t)(at_ns % 1000000000),
			   (uint32_t)(n + udp), (uint32_t)(n + udp)};

	put16(head + n, from->port);
	put16(head + n + 2, to->port);
	put16(head + n + 4, udp);
	sum += sum16(head + n, UDP_BYTES) + sum16((const unsigned char *)payload.p, payload.n);
	put16(head + n + 6, fold(sum) ? fold(sum) : 0xffff);
	fwrite(row, sizeof(row), 1, f);
	fwrite(head, n + UDP_BYTES, 1, f);
	if (payload.n)
		fwrite(payload.p, payload.n, 1, f);
}
