/* The self-test of the sandboxes: a process like signal tries to get out, the warden judges. */
#ifndef HW_MAIN_WARDEN_PROBE_H
#define HW_MAIN_WARDEN_PROBE_H

#include "main/warden.h"

enum probe_attempt {
	PROBE_RAW_SOCKET,
	PROBE_PACKET_SOCKET,
	PROBE_NETLINK_SOCKET,
	PROBE_FILE_READ,
	PROBE_FILE_WRITE,
	PROBE_EXEC,
	PROBE_FORK,
	PROBE_PTRACE,
	PROBE_ROOT,
	PROBE_EXECUTABLE_MEMORY,
	PROBE_PINHOLE_OUTSIDE_RANGE,
	PROBE_PINHOLE_UNJUSTIFIED,
	PROBE_UNKNOWN_MESSAGE,
	PROBE_SHORT_MESSAGE,
	PROBE_WRONG_VERSION,
	PROBE_ATTEMPT_COUNT
};

/* Starts the first attempt; when all are judged, a JSON array of the verdicts stands on standard
 * output and the gateway stops, with an error if anything succeeded that must not. */
void warden_self_test(struct warden *w);
void warden_on_verdict(struct child *c, const struct proc_msg *msg);
/* The warden refused the probe's pinhole. */
void warden_probe_on_refused(struct warden *w, enum reason why);
/* The probe ended with this wait status; `condemned`: because the warden put it down. */
void warden_probe_on_exited(struct warden *w, int status, bool condemned);

#endif
