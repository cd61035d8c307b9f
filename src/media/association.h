/* The secured association behind one media port: ICE says who the peer is, DTLS gives the keys
 * (RFC 5764, 8842). Without ICE the peer is who the flow permits, and its port is learned when the
 * handshake succeeds. Datagrams in, datagrams out by a callback; nothing of it knows a socket. */
#ifndef HW_MEDIA_ASSOCIATION_H
#define HW_MEDIA_ASSOCIATION_H

#include "media/dtls.h"
#include "media/ice.h"
#include "media/vault.h"

struct association_tools {
	struct dtls_identity *identity; /* for a handshake, which references it; may be NULL */
	/* Sends from our port to the peer. */
	void (*send)(void *ctx, const struct ip_endpoint *to, struct slice datagram);
	void *ctx;
};

enum association_verdict {
	ASSOCIATION_TAKEN,    /* STUN or DTLS: dealt with */
	ASSOCIATION_MEDIA,    /* RTP or RTCP of the peer: open it with the keys */
	ASSOCIATION_STRANGER, /* from an address that did not prove itself */
	ASSOCIATION_NOT_YET,  /* media before there are keys */
	ASSOCIATION_REFUSED,  /* STUN that is no right check, or nothing known */
};

struct association;

/* `kept`: what a predecessor left of it (its serial must be the spec's), or NULL. `to`: where the
 * flow's signalling says the peer is (family IP_NONE: not known), for a handshake that we begin
 * without ICE. ERR_NOMEM, ERR_LIMIT. */
int association_new(const struct association_spec *spec, const struct association_tools *tools,
		    const struct ip_endpoint *to, const struct vault_kept *kept, uint64_t now_ms,
		    struct association **out) must_check;
/* Wipes and frees. Accepts NULL. */
void association_free(struct association *a);
/* A new description of the peer: credentials, serial and `to` may have changed. Keys and agreed
 * addresses stay as long as the serial does; `identity` is for a new handshake. ERR_NOMEM,
 * ERR_LIMIT, ERR_ABSENT (no identity for a handshake): nothing has changed. */
int association_update(struct association *a, const struct association_spec *spec,
		       struct dtls_identity *identity, const struct ip_endpoint *to,
		       uint64_t now_ms) must_check;
/* One datagram that came in at the port, from a source that the flow admits. */
enum association_verdict association_on_datagram(struct association *a,
						 const struct ip_endpoint *source,
						 struct slice datagram, uint64_t now_ms);
/* Retransmissions and timeouts; every DTLS_TICK_MS while association_busy. */
void association_on_tick(struct association *a, uint64_t now_ms);
/* A handshake is under way or due. */
bool association_busy(const struct association *a);
/* Where media towards the peer goes; false: nowhere (yet, or consent has ended). */
bool association_target(const struct association *a, uint64_t now_ms, struct ip_endpoint *out);
/* False before the handshake is done. The keys, where the peer is, and the serial; the other fields
 * of *out are the caller's. */
bool association_keep(const struct association *a, struct vault_kept *out) must_check;
enum dtls_state association_dtls(const struct association *a);
/* NULL without ICE. */
const struct ice_agent *association_ice(const struct association *a);

#endif
