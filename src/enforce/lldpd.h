/* The voice VLAN, told to phones by LLDP-MED (ANSI/TIA-1057 10.2.3) through a running lldpd. The
 * only file that knows liblldpctl is lldpd.c. It asks for no right but the connection. */
#ifndef HW_ENFORCE_LLDPD_H
#define HW_ENFORCE_LLDPD_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LLDPD_IFNAME_MAX 16
#define LLDPD_PORTS_MAX	 32

/* What phones on one port are told. */
struct lldpd_policy {
	char interface[LLDPD_IFNAME_MAX];
	uint16_t vlan;
	uint8_t tagged;	  /* 1: the frames of voice carry the tag */
	uint8_t withdraw; /* 1: it is not known any more; lldpd forgets nothing that it was told */
	uint8_t priority; /* IEEE 802.1p */
	uint8_t dscp;
};

enum lldpd_outcome {
	LLDPD_TOLD,
	LLDPD_NO_PORT, /* lldpd does not speak on this interface */
	LLDPD_NO_MED,  /* it was not started as a network device of LLDP-MED (-M 4) */
	LLDPD_FAILED,  /* it did not answer, or not take it */
	LLDPD_OUTCOMES
};

/* Blocks on `fd`, a connection to its control socket, for as long as its own time limits allow, for
 * each question. `out` has a place for each policy. */
void lldpd_tell(int fd, const struct lldpd_policy *policies, size_t count, enum lldpd_outcome *out);

#endif
