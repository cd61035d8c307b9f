/* One side of a request that crosses the gateway: where the peer is, who it is by configuration,
 * and how we show ourselves to it. */
#ifndef HW_CALL_SIDE_H
#define HW_CALL_SIDE_H

#include "base/out.h"
#include "proto/sip/sip_msg.h"
#include "model/config.h"
#include "model/transport.h"

struct side {
	struct config_owner owner;
	uint16_t zone;
	struct path path;	  /* to the peer */
	bool sips;		  /* what is said here is for TLS alone: our URIs say so */
	struct ip_endpoint local; /* the listener's own address */
	struct ip_endpoint
		us; /* as told to peers: the zone's public address, the listener's port */
	struct slice peer_host; /* the peer's domain or configured host; empty for phones */
	uint16_t peer_port;	/* that goes with peer_host when it is an address; 0 = none */
};

/* ERR_ABSENT when the path's listener or the owner is not in the configuration. The slices are
 * borrowed from the configuration. */
int side_make(const struct config *config, const struct path *path, struct config_owner owner,
	      struct side *out) must_check;
/* A side towards a configured peer: picks the zone's listener for the transport and family. */
int side_to_peer(const struct config *config, struct config_owner owner,
		 struct side *out) must_check;

/* Who sends along this path (RFC 3261 knows no such thing; hornwork.conf(5) does): a pbx or trunk
 * by its certificate or its address, else the phones section of the listener, else nobody. */
struct config_owner owner_of_path(const struct config *config, const struct path *path);
/* "phones remote", "pbx main", "trunk carrier". */
void owner_write(struct out *o, const struct config *config, struct config_owner owner);

/* "<sip:USER@us:port;transport=...>", or sips: (RFC 5630 3.1.3: the scheme says TLS already); the
 * user may be empty. */
void side_write_contact(struct out *o, const struct side *s, struct slice user);
/* Our Via header line on this side; a peer by TLS may use the connection for its own requests (RFC
 * 5923 4). */
void side_write_via(struct out *o, const struct side *s, struct slice branch);
/* How far a request may still go that came as `in` (NULL: it is ours): one hop less, and never
 * farther than a new one, whatever it says of itself (RFC 3261 8.1.1.6; RFC 7332 3). */
uint32_t side_hops_left(const struct sip_msg *in);
/* The topmost Via names the listener that it came to: we sent it, and somebody sends it back (RFC
 * 3261 16.3). */
bool side_is_own_via(const struct config *config, const struct path *from,
		     const struct sip_via *via);
/* True if the host is one of ours on this side: the listener's address or the public one. */
bool side_is_us(const struct side *s, struct slice host);
/* The host that stands for the peer's realm in To and Request-URIs: its domain or address, or ours
 * for phones. */
void side_write_host(struct out *o, const struct side *s);

#endif
