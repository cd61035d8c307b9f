/* Another place in the network from which a check looks: the outside, the data VLAN, behind the
 * gateway. `place NAME { }` in the configuration says how it is reached: this machine itself, from
 * one of its addresses, or another one by SSH, on which hornwork is installed and started as an
 * agent. A place opens sockets and tells what they receive; it decides nothing.
 *
 *	struct place *out, *in;
 *	int err = visit_place(v, "outside", &out);
 *	if (err)
 *		return visit_no_place(v, "outside", err);
 *	err = place_udp(out, 0, &a);                      // a socket there
 *	err = place_send(out, a, &gateway, request);      // from there, if the scope guard admits
 *it err = place_recv(out, &got, 2000);                // what any of its sockets received
 *
 * Places are kept for the target's later checks; their sockets are closed at the visit's end.
 */
#ifndef HW_ASSESS_PLACE_H
#define HW_ASSESS_PLACE_H

#include "assess/visit.h"

#define PLACE_BYTES_MAX	  2048 /* of a datagram */
#define PLACE_SOCKETS_MAX 32
#define PLACE_WHY_MAX	  128

struct place;

/* A datagram that a place's socket received. */
struct place_datagram {
	unsigned socket;
	struct ip_endpoint from;
	uint8_t tos;	/* as it arrived: DSCP << 2, and ECN */
	uint64_t at_ns; /* since 1970 by the place's clock, as its kernel received it */
	size_t n;
	char bytes[PLACE_BYTES_MAX];
};

/* RTP that the place's agent paces and stamps itself (agent_stream.h). */
struct place_stream {
	struct ip_endpoint to;
	uint16_t packets, seq;
	uint8_t interval_ms, payload_type;
	uint32_t timestamp, ssrc;
	struct slice mark; /* 1 to 64 bytes */
};

/* The place of that name. ERR_ABSENT: no section declares it; ERR_DENIED, -ECONNREFUSED,
 * -ETIMEDOUT, ERR_PEER: it cannot be reached, or hornwork does not run there; ERR_VERSION: another
 * version. */
int visit_place(struct visit *v, const char *name, struct place **out) must_check;
/* The verdict when a place cannot be had: not asked for when it is not declared, else untested. */
enum verdict visit_no_place(struct visit *v, const char *name, int err);

/* Its address, as its section says. */
const struct ip_addr *place_address(const struct place *p);
/* A UDP socket at a port of the place's address (0 = any): its number; place_port tells the port.
 * -EADDRINUSE, ERR_LIMIT. */
int place_udp(struct place *p, uint16_t port, unsigned *out) must_check;
/* The same at any port, of the family of `to`. -EAFNOSUPPORT: the place has no such address. */
int place_udp_towards(struct place *p, const struct ip_addr *to, unsigned *out) must_check;
/* A socket's own address and port. */
const struct ip_endpoint *place_socket(const struct place *p, unsigned socket);
uint16_t place_port(const struct place *p, unsigned socket);
/* The TOS byte of what it sends from now on (DSCP << 2). */
int place_tos(struct place *p, unsigned socket, uint8_t tos) must_check;
/* Sends a datagram; counted against the row's class as visit_send does. ERR_DENIED: `to` is neither
 * a declared asset nor another place. */
int place_send(struct visit *v, struct place *p, unsigned socket, enum packet_class class,
	       const struct ip_endpoint *to, struct slice bytes) must_check;
/* Begins a stream from a socket; one at a time. Counted as RTP beforehand. ERR_DENIED as
 * place_send; ERR_LIMIT: more than the row or the asset's packets-per-second admits. */
int place_stream(struct visit *v, struct place *p, unsigned socket,
		 const struct place_stream *s) must_check;
/* Ends it; *out_sent packets left. */
int place_stream_end(struct place *p, unsigned socket, uint16_t *out_sent) must_check;
/* The next datagram of any of its sockets. -ETIMEDOUT; ERR_PEER: its agent ended. */
int place_recv(struct place *p, struct place_datagram *out, uint32_t timeout_ms) must_check;
/* Whether a TCP connection from there succeeds: 0, -ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH, ...;
 * ERR_DENIED as place_send. It is closed at once. */
int place_connect(struct visit *v, struct place *p, const struct ip_endpoint *to,
		  uint32_t timeout_ms) must_check;
/* Whether a ping from there is answered: 0, -ETIMEDOUT, -EHOSTUNREACH; -EPERM: it may not ping. */
int place_ping(struct visit *v, struct place *p, const struct ip_addr *to,
	       uint32_t timeout_ms) must_check;
/* The next frame of LLDP or CDP that the link of the place's address brings: its length, at most
 * PLACE_BYTES_MAX. -ETIMEDOUT; -EPERM: the place may not listen (CAP_NET_RAW). Longer waits than
 * 70 s: -EINVAL. Nothing is sent. */
int place_listen(struct place *p, char frame[static PLACE_BYTES_MAX],
		 uint32_t timeout_ms) must_check;
/* Whether what it told since the last such question has gaps: its agent ended, or more datagrams
 * came than wait. The runner asks after each visit: silence is no evidence then. */
bool place_trouble(struct place *p, char why[static PLACE_WHY_MAX]);
/* Closes all its sockets and forgets what they received; the runner does so after each visit. */
void place_reset(struct place *p);
/* For target_done. Accepts NULL. */
void place_close(struct place *p);

#endif
