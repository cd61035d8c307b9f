/* One SNMP question: sysDescr by community. A codec of our own (docs/decisions): the library opens
 * sockets of its own, which the scope guard could not see. */
#ifndef HW_ASSESS_SNMP_H
#define HW_ASSESS_SNMP_H

#include "assess/visit.h"

#define SNMP_TEXT_MAX 256

enum snmp_version { SNMP_V1 = 0, SNMP_V2C = 1 };

/* Builds a GetRequest of sysDescr.0 (RFC 1157, RFC 3416). */
void snmp_write_get(struct out *o, enum snmp_version version, const char *community, uint32_t id);
/* Reads the response to it: its octet string. ERR_SYNTAX: it is none, or has another id;
 * ERR_DENIED: the agent answers with an error. */
int snmp_read_response(struct slice bytes, uint32_t id, char out[static SNMP_TEXT_MAX]) must_check;
/* Asks the target. 0, -ETIMEDOUT, -ECONNREFUSED, or as above. */
int visit_snmp(struct visit *v, enum snmp_version version, const char *community,
	       char out[static SNMP_TEXT_MAX]) must_check;

#endif
