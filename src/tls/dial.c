/* Connections that the gateway makes. */
#include <errno.h>
#include <openssl/ssl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/addr.h"
#include "tls/server_impl.h"

#define CS3_TOS 0x60 /* RFC 4594 2.3: signalling */

static void dialled_free(struct tls_dialled *d)
{
	list_remove(&d->node);
	if (d->pair >= 0)
		close(d->pair);
	mem_free(d);
}

static void say_failed(struct tls_server *s, uint32_t id, const struct ip_endpoint *local,
		       const struct ip_endpoint *remote, enum reason why, const char *detail)
{
	struct tls_refused r = {.id = id,
				.transport = TRANSPORT_TLS,
				.reason = why,
				.local = *local,
				.remote = *remote};

	(void)slice_to_z(slice_z(detail), r.detail, sizeof(r.detail));
	server_refuse(s, &r);
}

/* From the listener's address, any port. */
static int connect_from(const struct tls_dial *d)
{
	bool v6 = d->remote.addr.family == IP_V6;
	struct ip_endpoint local = {.addr = d->local.addr};
	struct sockaddr_storage name;
	int one = 1, tos = CS3_TOS, err = 0;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	(void)setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &tos,
			 sizeof(tos));
	size = addr_to_system(&local, &name);
	if (bind(fd, (struct sockaddr *)&name, size) < 0)
		err = -errno;
	size = addr_to_system(&d->remote, &name);
	if (!err && connect(fd, (struct sockaddr *)&name, size) < 0 && errno != EINPROGRESS)
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int begin(struct tls_server *s, const struct tls_dial *d)
{
	int fd = s->ring ? connect_from(d) : ERR_ABSENT;
	struct tls_shake *h;

	if (fd < 0)
		return fd;
	h = server_shake_new(s, fd, TRANSPORT_TLS, &d->remote);
	if (!h)
		return ERR_NOMEM;
	h->ours = true;
	h->verify = d->verify;
	h->id = d->id;
	(void)slice_to_z(slice_z(d->host), h->host, sizeof(h->host));
	h->ssl = tls_keyring_connect(s->ring, h->host, h->verify);
	if (!h->ssl || SSL_set_fd(h->ssl, fd) != 1) {
		tls_shake_free(h);
		return ERR_NOMEM;
	}
	tls_pool_give(s->pool, h);
	return 0;
}

void tls_server_dial(struct tls_server *s, const struct tls_dial *d, int pair)
{
	struct tls_dialled *w = mem_zalloc(1, sizeof(*w));
	int err;

	if (!w) {
		close(pair);
		return;
	}
	*w = (struct tls_dialled){.id = d->id, .pair = pair, .local = d->local};
	list_append(&s->dialled, &w->node);
	err = begin(s, d);
	if (!err)
		return;
	say_failed(s, d->id, &d->local, &d->remote, REASON_peer_unreachable, err_text(err));
	dialled_free(w);
}

void dial_done(struct tls_server *s, struct tls_shake *h)
{
	struct tls_dialled *w = NULL;

	list_for_each (node, &s->dialled) {
		struct tls_dialled *d = container_of(node, struct tls_dialled, node);

		if (d->id == h->id)
			w = d;
	}
	if (!w) /* who asked is gone */
		return;
	if (h->why != REASON_NONE) {
		say_failed(s, h->id, &w->local, &h->remote, h->why, h->detail);
	} else {
		s->counts.dialled_total++;
		server_keep(s, h, &w->local, w->pair);
		w->pair = -1;
	}
	dialled_free(w);
}

void dial_drop(struct tls_server *s)
{
	while (!list_empty(&s->dialled))
		dialled_free(container_of(s->dialled.next, struct tls_dialled, node));
}
