/* Limits of TLS: name, value, unit, reason. */
#ifndef HW_TLS_LIMITS_H
#define HW_TLS_LIMITS_H

#define TLS_CONNECTIONS_MAX   16384 /* established; as many streams as signal takes */
#define TLS_PER_SOURCE_MAX    256   /* of one address; an office behind a NAT */
#define TLS_HANDSHAKES_MAX    1024  /* under way at a time, in all */
#define TLS_PER_SOURCE_SHAKES 64    /* under way at a time, of one address */
#define TLS_SOURCE_BURST      128 /* handshakes of one address at once: an office after an outage */
#define TLS_SOURCE_PER_S      16  /* and from then on per second */
#define TLS_SOURCES_MAX	      4096 /* addresses kept in mind; beyond, strangers share one budget */
#define TLS_HANDSHAKE_MS      8000 /* from the connection to the last flight: three lost packets */
#define TLS_UPGRADE_MS	      5000 /* until a WebSocket's opening request has come */
#define TLS_CLOSE_MS	      2000 /* for a peer to take what is left for it */
#define TLS_PING_MS	      25000 /* silence of a WebSocket after which it is asked; as keep-alives */
#define TLS_SILENT_MS	      60000 /* and after which it is given up */
#define TLS_SWEEP_MS	      500   /* how often times are looked at */
#define TLS_THREADS_MAX	      16
#define TLS_RECORD_BYTES      16384 /* RFC 8446 5.1: plain text of one record */
#define TLS_MESSAGE_MAX	      65535 /* bytes of a SIP message in a WebSocket; configuration lowers it */
#define TLS_TICKET_MS	      3600000	/* a ticket key seals for an hour, and opens for one more */
#define TLS_FILE_BYTES_MAX    (1 << 18) /* a certificate with its chain, a key, a response */
#define TLS_CA_BYTES_MAX      (4 << 20) /* a system's bundle has a quarter of a megabyte */
#define TLS_CHAIN_DEPTH	      8

#define TLS_SECRET_BYTES (1 << 20) /* locked memory for keys: 16 of RSA 4096 take 100 KiB */

#endif
