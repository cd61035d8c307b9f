/* What the assessor may send: every packet that leaves belongs to one of these classes, --plan
 * prints them beforehand, and a check that goes beyond what its row declares is refused. */
#ifndef HW_ASSESS_PACKET_H
#define HW_ASSESS_PACKET_H

#include "base/slice.h"

#define PACKET_CLASS_ROWS(X)                                                                       \
	X(TCP_CONNECT, "tcp-connect",                                                              \
	  "a TCP connection, opened and closed; at most a line is sent")                           \
	X(TLS, "tls-handshake", "a TLS handshake")                                                 \
	X(HTTP, "http-get", "an HTTP or HTTPS request without credentials")                        \
	X(HTTP_LOGIN, "http-login", "an HTTP request with a documented factory password")          \
	X(FTP_LOGIN, "ftp-login", "an anonymous FTP login")                                        \
	X(SSH_READ, "ssh-read", "an SSH session with the owner's key, read-only commands")         \
	X(SSH_LOGIN, "ssh-login", "an SSH login with a documented factory password")               \
	X(SNMP, "snmp-get", "an SNMP GET of sysDescr")                                             \
	X(TFTP, "tftp-read", "a TFTP read request")                                                \
	X(SIP_OPTIONS, "sip-options", "a SIP OPTIONS")                                             \
	X(SIP_REGISTER, "sip-register", "a SIP REGISTER of the reserved test user")                \
	X(SIP_INVITE, "sip-invite", "a SIP INVITE, cancelled or ended at once")                    \
	X(SIP_OTHER, "sip-other", "another SIP request without credentials")                       \
	X(RTP, "rtp", "an RTP or RTCP packet of a marked test call")                               \
	X(UDP_PROBE, "udp-probe", "a well-formed request of another UDP protocol")                 \
	X(ICMP, "icmp-echo", "a ping")                                                             \
	X(HEALTH, "health", "a SIP OPTIONS or TCP connection that asks whether it is well")

enum packet_class {
#define X(name, word, help) PACKET_##name,
	PACKET_CLASS_ROWS(X)
#undef X
		PACKET_CLASSES
};

/* How many of each class. */
struct packet_plan {
	uint32_t most[PACKET_CLASSES];
};

const char *packet_class_word(enum packet_class c); /* "tcp-connect" */
const char *packet_class_help(enum packet_class c); /* what it is, in words */
/* Reads "tcp-connect=2 sip-options=1". ERR_SYNTAX. */
int packet_plan_parse(struct slice text, struct packet_plan *out) must_check;
void packet_plan_add(struct packet_plan *to, const struct packet_plan *more);

#endif
