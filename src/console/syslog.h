/* Events to the system's log: a datagram each, to the socket where a syslog daemon listens
 * (RFC 3164's header, as local daemons read it). Nothing waits: what it does not take is lost and
 * counted. A daemon that was started again gets the next one. */
#ifndef HW_CONSOLE_SYSLOG_H
#define HW_CONSOLE_SYSLOG_H

#include <stdint.h>

#include "base/slice.h"

#define SYSLOG_PATH_MAX 108 /* sun_path of unix(7), with its NUL */

struct syslog_sink {
	int fd; /* a datagram socket, not bound; -1 = none */
	char path[SYSLOG_PATH_MAX];
	uint64_t lost;
};

/* Takes the descriptor over in place of the one before (-1: none from now on). */
void syslog_sink_set(struct syslog_sink *s, int fd, const char *path);
/* A line without its end. */
void syslog_sink_add(struct syslog_sink *s, struct slice line);

#endif
