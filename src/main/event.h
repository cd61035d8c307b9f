/* One event as a JSON line (names as in Suricata's EVE where one fits): for the events file, the
 * API and `hornwork explain`. */
#ifndef HW_MAIN_EVENT_H
#define HW_MAIN_EVENT_H

#include "base/ip.h"
#include "base/out.h"
#include "base/reason.h"
#include "model/action.h"

struct json;

struct event {
	const char *type;   /* "sip", "call", "flow", "registration", "refused", "ban", "alert",
			   "process",
			   "config" */
	enum reason reason; /* gives name, tag, severity and sentence */
	const char *name;   /* instead of a reason's name, with `severity`, where no row fits */
	enum severity severity;
	uint64_t wall_ms;
	struct ip_endpoint from, to; /* family IP_NONE = left out */
	const char *proto;	     /* NULL = left out; likewise below */
	const char *zone;
	uint32_t call;			  /* 0 = left out */
	const char *action;		  /* pinholes: "open" or "close" */
	const struct ip_endpoint *local;  /* pinholes */
	const struct ip_endpoint *source; /* pinholes */
	struct slice detail; /* in words behind the reason's sentence; may hold strangers' bytes */
};

/* "call", "flow", ... */
const char *event_type_text(enum report_type type);
/* Its members alone, within an object that the caller opens and closes. */
void event_members(struct json *j, const struct event *e);
/* Without a line end. ERR_SPACE. */
int event_write(struct out *o, const struct event *e) must_check;

#endif
