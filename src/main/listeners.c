#include "main/listeners.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/addr.h"
#include "io/limits.h"

#define CS3_TOS 0x60 /* RFC 4594 2.3: signalling */

static void set_int(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* Wishes: a kernel that refuses one of them still serves. */
static void set_wishes(int fd, bool v6, bool datagrams)
{
	int size = UDP_SOCKET_BYTES;

	if (v6) {
		set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, CS3_TOS);
	} else {
		set_int(fd, IPPROTO_IP, IP_TOS, CS3_TOS);
	}
	set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (!datagrams) {
		set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
		return;
	}
	set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1); /* how long they wait: overload control */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		set_int(fd, SOL_SOCKET, SO_RCVBUF, size);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		set_int(fd, SOL_SOCKET, SO_SNDBUF, size);
}

int listener_bind(const struct config_listener *l)
{
	bool v6 = l->local.addr.family == IP_V6, udp = l->transport == TRANSPORT_UDP;
	struct sockaddr_storage name;
	socklen_t size = addr_to_system(&l->local, &name);
	int fd, err = 0;

	if (l->transport == TRANSPORT_WS)
		return ERR_ABSENT;
	fd = socket(v6 ? AF_INET6 : AF_INET,
		    (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	set_wishes(fd, v6, udp);
	if (bind(fd, (struct sockaddr *)&name, size) < 0 || (!udp && listen(fd, TCP_BACKLOG) < 0))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static uint16_t find_old(const struct config *old_config, const struct config_listener *l)
{
	for (size_t i = 0; old_config && i < old_config->listener_count; i++)
		if (old_config->listeners[i].transport == l->transport &&
		    ip_endpoint_eq(&old_config->listeners[i].local, &l->local))
			return (uint16_t)i;
	return CONFIG_NONE;
}

static void close_new(struct listeners *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->old_index[i] == CONFIG_NONE && l->fds[i] >= 0)
			close(l->fds[i]);
	mem_free(l->fds);
	mem_free(l->old_index);
}

int listeners_open(const struct config *config, const struct config *old_config,
		   const struct listeners *old, struct listeners *out, size_t *out_failed)
{
	size_t n = config->listener_count;
	struct listeners l = {mem_zalloc(n + 1, sizeof(int)), mem_zalloc(n + 1, sizeof(uint16_t)),
			      0};
	int err = l.fds && l.old_index ? 0 : ERR_NOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		uint16_t before = find_old(old_config, &config->listeners[i]);
		int fd = before != CONFIG_NONE ? old->fds[before]
					       : listener_bind(&config->listeners[i]);

		*out_failed = i;
		if (fd < 0 && before == CONFIG_NONE && fd != ERR_ABSENT)
			err = fd;
		l.old_index[i] = before;
		l.fds[i] = fd < 0 ? -1 : fd;
		l.count = i + 1;
	}
	if (err) {
		close_new(&l);
		return err;
	}
	*out = l;
	return 0;
}

void listeners_close(struct listeners *l, const struct listeners *heir)
{
	for (size_t i = 0; i < l->count; i++) {
		bool shared = false;

		for (size_t k = 0; heir && k < heir->count; k++)
			shared = shared || heir->old_index[k] == i;
		if (!shared && l->fds[i] >= 0)
			close(l->fds[i]);
	}
	mem_free(l->fds);
	mem_free(l->old_index);
	*l = (struct listeners){0};
}
