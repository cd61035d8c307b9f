/* How SIP messages travel, and which way one message came or goes. */
#ifndef HW_MODEL_TRANSPORT_H
#define HW_MODEL_TRANSPORT_H

#include "base/ip.h"

enum transport {
	TRANSPORT_UDP,
	TRANSPORT_TCP,
	TRANSPORT_TLS,
	TRANSPORT_WS,
	TRANSPORT_WSS,
	TRANSPORT_COUNT
};

/* "udp", "tcp", "tls", "ws", "wss". */
const char *transport_text(enum transport t);
/* ERR_SYNTAX for an unknown word (case ignored). */
int transport_parse(struct slice word, enum transport *out) must_check;
/* Retransmissions and 18.1.1 size rules are for unreliable transports only. */
static inline bool transport_reliable(enum transport t)
{
	return t != TRANSPORT_UDP;
}

/* Nobody on the way reads it. */
static inline bool transport_secure(enum transport t)
{
	return t == TRANSPORT_TLS || t == TRANSPORT_WSS;
}

/* A way between one of our listeners and a peer. */
struct path {
	uint16_t listener; /* index into the configuration's listeners */
	uint8_t transport; /* enum transport */
	uint32_t conn;	   /* a connection, named by io; 0 = any to `remote`, or datagrams */
	struct ip_endpoint remote;
	uint16_t certified; /* the number of the peer that the connection's verified certificate
			       names (config_peer_number); 0 = none */
};

static inline bool path_same_source(const struct path *a, const struct path *b)
{
	return a->listener == b->listener && a->transport == b->transport &&
	       ip_endpoint_eq(&a->remote, &b->remote);
}

#endif
