/* What a check does with a connection: its end of the pair. */
#include "assess/wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "io/clock.h"

int wire_send(struct wire *c, struct slice bytes)
{
	while (bytes.n) {
		ssize_t done = send(wire_fd(c), bytes.p, bytes.n, MSG_NOSIGNAL);

		if (done <= 0)
			return -EPIPE;
		bytes = slice_from(bytes, (size_t)done);
	}
	return 0;
}

int wire_read(struct wire *c, char *buf, size_t size, uint32_t timeout_ms)
{
	struct pollfd p = {.fd = wire_fd(c), .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, (int)timeout_ms) <= 0)
		return -ETIMEDOUT;
	n = recv(wire_fd(c), buf, size, 0);
	return n < 0 ? -errno : (int)n;
}

int wire_read_until(struct wire *c, const char *stop, char *buf, size_t size, uint32_t timeout_ms)
{
	uint64_t until = clock_ms() + timeout_ms;
	size_t have = 0;

	while (have < size) {
		uint64_t now = clock_ms();
		int n;

		if (now >= until)
			break;
		n = wire_read(c, buf + have, size - have, (uint32_t)(until - now));
		if (n < 0 && have == 0 && n != -ETIMEDOUT)
			return n;
		if (n <= 0)
			break;
		have += (size_t)n;
		if (slice_find_slice(slice_of(buf, have), slice_z(stop)) < have)
			break;
	}
	return (int)have;
}
