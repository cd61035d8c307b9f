/* What a check sent and received elsewhere, as a capture file (pcap 2.4, raw IP packets) that
 * tshark and Wireshark read. The network's headers are made from the endpoints. */
#ifndef HW_ASSESS_PCAP_H
#define HW_ASSESS_PCAP_H

#include <stdio.h>

#include "base/ip.h"
#include "base/slice.h"

/* A new file with its header, readable by its owner alone; NULL with errno. fclose ends it. */
FILE *pcap_file_create(const char *path);
/* One UDP datagram at a time of CLOCK_REALTIME in ns. IPv4 and IPv6, both ends alike. */
void pcap_file_udp(FILE *f, uint64_t at_ns, const struct ip_endpoint *from,
		   const struct ip_endpoint *to, struct slice payload);

#endif
