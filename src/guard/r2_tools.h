/* Scanners and attack tools that name themselves. */
#ifndef HW_GUARD_R2_TOOLS_H
#define HW_GUARD_R2_TOOLS_H

#include "proto/sip/sip_msg.h"

/* The tool that the message's User-Agent, Server, From or To gives away, or NULL. Borrowed for
 * ever. What is not known by name is known by what it does: see r2_detect. */
const char *r2_tool_of(const struct sip_msg *msg);

#endif
