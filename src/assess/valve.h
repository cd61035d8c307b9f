/* What the kernel acknowledges, and when: a TCP connection whose valve is shut takes no bytes and
 * no FIN, as if the network had lost them, and so sends no acknowledgement; the device sends them
 * again (RFC 9293, 3.8.1) when the valve is open. For devices that are sent two packets a second.
 */
#ifndef HW_ASSESS_VALVE_H
#define HW_ASSESS_VALVE_H

#include <stdint.h>

#include "base/err.h"

/* SYN, RST and acknowledgements of ours still come in. 0 or -errno. Before connect() too. */
int valve_shut(int fd) must_check;
/* 0 or -errno. */
int valve_open(int fd) must_check;
/* The kernel delays an acknowledgement (at least 40 ms) in the hope of data to send with it. */
void valve_delay_ack(int fd);
/* One that is delayed goes now; later ones are delayed again. */
void valve_ack_now(int fd);
/* Segments that the connection has sent: SYN, acknowledgements, repetitions and all. 0: not known.
 */
uint32_t valve_segments(int fd);

#endif
