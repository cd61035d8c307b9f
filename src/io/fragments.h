/* Puts the pieces of IP datagrams together again (RFC 791 3.2, RFC 8200 4.5), within bounds. Pure.
 */
#ifndef HW_IO_FRAGMENTS_H
#define HW_IO_FRAGMENTS_H

#include "io/packet.h"

#define FRAGMENTS_DATAGRAMS_MAX 64    /* being put together at a time; the oldest gives way */
#define FRAGMENTS_BYTES_MAX	65535 /* of one datagram: IP's own ceiling */
#define FRAGMENTS_HOLD_NS	30000000000u /* then the rest will not come (RFC 1122 3.3.2) */

struct fragments;

/* ERR_NOMEM. */
int fragments_new(struct fragments **out) must_check;
/* Accepts NULL. */
void fragments_free(struct fragments *f);
/* Takes a PACKET_FRAGMENT. When it completes its datagram, *p becomes the whole packet, its payload
 * borrowed until the next call, and its kind is returned; PACKET_FRAGMENT while pieces are missing;
 * PACKET_BROKEN for pieces that overlap differently or reach too far (RFC 5722: they are dropped).
 */
enum packet_kind fragments_add(struct fragments *f, uint64_t now_ns, struct packet *p);

#endif
