/* Packet sockets that see what comes in on a link, for who reads them without rights: with a filter
 * that lets pass only what leak detection looks at, and that nobody can take off again. */
#ifndef HW_ENFORCE_TAP_H
#define HW_ENFORCE_TAP_H

#include <linux/filter.h>

#include "base/err.h"
#include "base/ip.h"

#define TAP_OWN_MAX	    8	 /* addresses that the filter knows */
#define TAP_SNAP_BYTES	    512	 /* of a frame that may be voice */
#define TAP_WHOLE_BYTES	    1600 /* of an announcement or of DHCP */
#define TAP_RECEIVE_BYTES   (1u << 20)
#define TAP_FILTER_ROWS_MAX 256

struct tap_wish {
	int index;	   /* of the interface */
	bool carries_vlan; /* tagged frames are nothing strange there */
	/* Addresses of the gateway: RTP to them is none of the filter's business. */
	struct ip_addr own[TAP_OWN_MAX];
	size_t own_count;
};

/* The filter's rows, for tests too: at most TAP_FILTER_ROWS_MAX. Returns how many. */
size_t tap_filter(const struct tap_wish *wish, struct sock_filter rows[static TAP_FILTER_ROWS_MAX]);
/* A socket bound to the interface, not blocking, without what this machine sends itself; tags come
 * beside the frame (PACKET_AUXDATA). ERR_ABSENT: the interface carries no Ethernet frames; -errno.
 */
int tap_open(const struct tap_wish *wish, int *out_fd) must_check;

#endif
