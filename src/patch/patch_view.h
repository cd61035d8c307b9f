/* A message as rules see it: split by a reader that forgives everything, so that a rule fits also
 * what the parser refuses. Slices point into the message. */
#ifndef HW_PATCH_VIEW_H
#define HW_PATCH_VIEW_H

#include "patch/limits.h"
#include "proto/sip/sip_msg.h"

struct patch_field {
	struct slice name;  /* without the white space around it */
	struct slice value; /* trimmed; with its folds */
	enum sip_header_id id;
};

struct patch_view {
	bool request;		/* else a response */
	enum sip_method method; /* of the request, or of a response's CSeq */
	uint16_t status;	/* response */
	struct slice uri;	/* request */
	struct slice head;	/* start line and headers */
	struct slice body;	/* all that follows the first empty line */
	struct slice message;
	size_t field_count;
	struct patch_field field[PATCH_FIELDS_MAX];
};

/* False: it does not even begin like SIP. Header lines beyond PATCH_FIELDS_MAX are in `head` alone.
 */
bool patch_view_of(struct slice message, struct patch_view *out);

#endif
