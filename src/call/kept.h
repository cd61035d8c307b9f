/* What of the core's objects outlives the process, as records: established calls, subscriptions and
 * registrations. One description of each object writes and reads its record (base/pack.h). What is
 * under way - transactions, unanswered calls - is not kept: peers repeat it, or begin anew. */
#ifndef HW_CALL_KEPT_H
#define HW_CALL_KEPT_H

#include "base/pack.h"
#include "call/call.h"

/* Asks for the record of the call to be kept, if it is one that a successor can go on with. */
void kept_call_write(struct call *k);
/* The call is over. Nothing happens while the core itself goes. */
void kept_call_forget(struct call *k);
/* ERR_SYNTAX, ERR_EXISTS, ERR_LIMIT, ERR_NOMEM. */
int kept_call_take(struct core *c, struct slice record) must_check;

/* Likewise registrations. */
void kept_binding_write(struct binding *b);
void kept_binding_forget(struct binding *b);
int kept_binding_take(struct registrar *r, struct slice record) must_check;

/* ---- parts of records, kept_parts.c and kept_media.c ---- */

void pack_endpoint(struct pack *p, struct ip_endpoint *e);
/* When read, the listener is one of the configuration's, and a connection any to the peer. */
void pack_path(struct pack *p, struct path *path, const struct config *config);
/* Likewise the owner, where there is one. */
void pack_owner(struct pack *p, struct config_owner *owner, const struct config *config);
/* What was agreed on; an offer under way is left out. */
void pack_media(struct pack *p, struct media_session *m);

#endif
