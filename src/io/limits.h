/* Limits of the transports: name, value, unit, reason. */
#ifndef HW_IO_LIMITS_H
#define HW_IO_LIMITS_H

#define UDP_BATCH_MAX	     64	       /* datagrams in one recvmmsg or sendmmsg */
#define UDP_BATCHES_PER_TURN 8	       /* then other sockets get their turn */
#define UDP_DATAGRAM_MAX     65535     /* bytes; a datagram's own ceiling */
#define UDP_SEND_BYTES_MAX   (1 << 20) /* bytes of datagrams waiting to be sent, all sockets */
#define UDP_SEND_MAX	     1024      /* such datagrams */
#define UDP_TELL_ROUNDS                                                                            \
	4 /* what a failure makes the handler send may fail too; the rest: next turn */
#define UDP_SOCKET_BYTES (4 << 20) /* asked of the kernel, each way: a burst of 3,000 INVITEs */

#define TCP_CONNECTIONS_MAX  16384	 /* a memory bound; over 10,000 phones on TCP */
#define TCP_PER_SOURCE_MAX   256	 /* connections of one address: an office behind a NAT */
#define TCP_READ_BYTES	     65536	 /* per read */
#define TCP_READS_PER_TURN   4		 /* then other connections get their turn */
#define TCP_SEND_BYTES_MAX   (256 << 10) /* waiting for one peer that does not read */
#define TCP_CONNECT_MS	     4000	 /* below timer B, so that a failover still helps */
#define TCP_FIRST_MESSAGE_MS 15000	 /* a fresh connection says something whole by then */
#define TCP_INCOMPLETE_MS    10000	 /* from a message's first byte to its last */
#define TCP_IDLE_MS	     900000	 /* silence; RFC 5626 keep-alives come every 95 to 120 s */
#define TCP_SWEEP_MS	     500	 /* how often the three above are looked at */
#define TCP_BACKLOG	     512

#endif
