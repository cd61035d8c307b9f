/* Datagrams of all UDP listeners: received and sent in batches. */
#ifndef HW_IO_UDP_H
#define HW_IO_UDP_H

#include "base/ip.h"
#include "io/loop.h"

struct udp;

struct udp_handler {
	void *ctx;
	/* One datagram; its bytes are borrowed for the time of the call. udp_waited_ms tells of it.
	 */
	void (*datagram)(void *ctx, uint16_t listener, const struct ip_endpoint *from,
			 struct slice bytes);
	/* It could not be sent (no route, refused by the firewall, queue full). Called from
	 * udp_flush, never from udp_send. */
	void (*unsent)(void *ctx, uint16_t listener, const struct ip_endpoint *to);
};

/* ERR_NOMEM, -errno. */
int udp_new(struct loop *loop, const struct udp_handler *handler, struct udp **out) must_check;
/* Closes all sockets. Accepts NULL. */
void udp_free(struct udp *u);
/* Takes over a bound, non-blocking socket under a listener's number. */
int udp_add(struct udp *u, uint16_t listener, int fd) must_check;
/* After a reload: map[old number] = new number, or UINT16_MAX: closed. */
void udp_renumber(struct udp *u, const uint16_t *map, size_t count);

/* Copies into the batch; it leaves with udp_flush. What cannot be kept counts as unsent. */
void udp_send(struct udp *u, uint16_t listener, const struct ip_endpoint *to, struct slice bytes);
/* Sends the batch; at the end of each turn of the loop. */
void udp_flush(struct udp *u);

/* How long the datagram that is being handed over lay in its socket: by the kernel's stamp. 0 when
 * there is none, 60 s at most. */
uint64_t udp_waited_ms(const struct udp *u);

struct udp_stats {
	uint64_t received, sent, unsent;
};
void udp_stats_get(const struct udp *u, struct udp_stats *out);

#endif
