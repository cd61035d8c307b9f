/* What is known of a connection over TLS once its handshake is done; and which host names it
 * proves. */
#ifndef HW_MODEL_TLS_FACTS_H
#define HW_MODEL_TLS_FACTS_H

#include "model/config.h"

#define TLS_NAMES_MAX	 8   /* names of one certificate that are kept; carriers have one to four */
#define TLS_PROTOCOL_MAX 8   /* "TLSv1.3" and a NUL */
#define TLS_CIPHER_MAX	 40  /* "ECDHE-ECDSA-CHACHA20-POLY1305" and some */
#define TLS_SUBJECT_MAX	 128 /* bytes shown of a certificate's subject, with a NUL */
#define TLS_DETAIL_MAX	 160 /* bytes of what went wrong, with a NUL */

struct tls_facts {
	char protocol[TLS_PROTOCOL_MAX];
	char cipher[TLS_CIPHER_MAX];
	char sni[CONFIG_HOST_MAX];     /* that the client asked for; empty = none */
	char subject[TLS_SUBJECT_MAX]; /* of the peer's certificate; empty = it showed none */
	char distrust[TLS_DETAIL_MAX]; /* why its certificate is not believed; empty = it is */
	uint32_t name_count;	       /* of a certificate that is believed */
	char names[TLS_NAMES_MAX][CONFIG_HOST_MAX]; /* SIP domain identities (RFC 5922 7.1), or
						       addresses */
};

/* What hw-tls and signal tell each other of connections; a descriptor travels with an accepted one
 * (the plain end of it) and with a dial. Over a WebSocket's plain end each message stands behind
 * its length in four bytes, most significant first. */
struct tls_opened {
	uint32_t id; /* of the dial; 0 = a peer connected to us */
	uint32_t transport;
	struct ip_endpoint local; /* the listener's */
	struct ip_endpoint remote;
	struct tls_facts facts;
};

struct tls_refused {
	uint32_t id; /* of the dial; 0 = a peer connected to us */
	uint32_t transport;
	uint32_t reason;
	uint32_t more; /* such refusals that are not told one by one */
	struct ip_endpoint local, remote;
	char detail[TLS_DETAIL_MAX];
};

/* What hw-tls did so far. */
struct tls_counts {
	uint64_t connections, shaking; /* now */
	uint64_t accepted_total, dialled_total, resumed_total, failed_total, limited_total;
};

/* signal asks for a connection. */
struct tls_dial {
	uint32_t id; /* signal's; not 0 */
	uint32_t verify;
	struct ip_endpoint local, remote; /* the listener's address and port; where to */
	char host[CONFIG_HOST_MAX + 2];	  /* that the certificate must name */
};

#define TLS_WS_PREFIX_BYTES 4

/* True if a believed certificate names this host (RFC 5922 7.2: the whole name, case ignored). */
bool tls_facts_name(const struct tls_facts *f, struct slice host);
/* The pbx or trunk of the zone, reached by TLS, that the certificate names, as
 * config_peer_number has it; of several the one at `remote`, else the first; 0 = none. */
uint16_t tls_facts_peer(const struct tls_facts *f, const struct config *c, uint16_t zone,
			const struct ip_endpoint *remote);

#endif
