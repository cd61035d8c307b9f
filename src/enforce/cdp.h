/* Packet sockets by which CDP goes out on a link, and by which it is known that a neighbour spoke:
 * what he said is never read. */
#ifndef HW_ENFORCE_CDP_H
#define HW_ENFORCE_CDP_H

#include "base/err.h"
#include "base/slice.h"

#define CDP_MAC_BYTES	6
#define CDP_HEARD_MAX	16   /* frames that are thrown away at a time */
#define CDP_QUEUE_BYTES 4096 /* of frames that wait to be counted */

/* A socket bound to the interface, not blocking, for frames to CDP's address that others send
 * alone; and the interface's own address. ERR_ABSENT: it carries no Ethernet frames; -errno. */
int cdp_open(int index, int *out_fd, uint8_t out_mac[static CDP_MAC_BYTES]) must_check;
/* Sends a whole frame. -errno: -ENETDOWN while the link is not up. */
int cdp_send(int fd, struct slice frame) must_check;
/* Whether anybody spoke since the last time. */
bool cdp_heard(int fd);

#endif
