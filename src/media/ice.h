/* An ICE-lite agent for one media port (RFC 8445 2.5, 8839, 7675): who may send media here and
 * where ours goes is learned from authenticated connectivity checks alone. It sends nothing but
 * answers to them, each no longer than its check, so that it amplifies nothing. Pure. */
#ifndef HW_MEDIA_ICE_H
#define HW_MEDIA_ICE_H

#include "base/ip.h"
#include "media/limits.h"
#include "model/association.h"

/* An address whose check was right. */
struct ice_peer {
	struct ip_endpoint at;
	uint64_t seen_ms; /* its last right check */
	uint32_t priority;
};

struct ice_agent {
	struct ice_credentials local;
	char remote_ufrag[ICE_TEXT_MAX + 1]; /* empty = not known yet */
	struct ice_peer peer[ICE_PEERS_MAX]; /* of this generation */
	unsigned peer_count;
	struct ice_peer selected; /* nominated, perhaps in the generation before; IP_NONE = none */
	uint64_t budget_ms;	  /* a token bucket over answers: when it would be full again */
};

/* What came of a datagram. From ICE_VALID on the check was right. */
enum ice_verdict {
	ICE_MALFORMED, /* no STUN message, or one that no check is */
	ICE_UNPROVEN,  /* a check with wrong credentials or none: no answer */
	ICE_FLOOD,     /* more checks than any agent sends */
	ICE_KEEPALIVE, /* a Binding indication: nothing follows from it (RFC 8445 11) */
	ICE_ERROR,     /* proven, and answered with an error: 487, 420 or 400 */
	ICE_VALID,     /* answered */
	ICE_SELECTED,  /* and media goes there from now on */
	ICE_VERDICT_COUNT
};

enum ice_state {
	ICE_NEW,	  /* no right check yet */
	ICE_CHECKING,	  /* some, and nothing nominated */
	ICE_CONNECTED,	  /* nominated, and consent is fresh */
	ICE_DISCONNECTED, /* consent has ended */
};

/* `remote_ufrag` may be empty while the peer's description is not known. */
void ice_init(struct ice_agent *a, const struct ice_credentials *local, struct slice remote_ufrag);
/* The peer's description came, or changed without a restart. */
void ice_remote(struct ice_agent *a, struct slice remote_ufrag);
/* New credentials on both sides (RFC 8445 9): media goes on where it went until an address is
 * nominated anew or consent ends. */
void ice_restart(struct ice_agent *a, const struct ice_credentials *local,
		 struct slice remote_ufrag);
/* One STUN datagram. The answer, if any, is written to `answer`, to be sent back to `source`. */
enum ice_verdict ice_on_datagram(struct ice_agent *a, const struct ip_endpoint *source,
				 struct slice datagram, uint64_t now_ms, struct out *answer);
/* Did this address prove itself, with consent that is still fresh (RFC 7675 5.1)? */
bool ice_source_valid(const struct ice_agent *a, const struct ip_endpoint *source, uint64_t now_ms);
/* Where media and DTLS go: the nominated address, else the last one that proved itself. False:
 * nowhere, or consent has ended. */
bool ice_target(const struct ice_agent *a, uint64_t now_ms, struct ip_endpoint *out);
enum ice_state ice_state(const struct ice_agent *a, uint64_t now_ms);

#endif
