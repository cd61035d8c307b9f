/* The flows of a call's media: for media_session.c alone. */
#ifndef HW_CALL_MEDIA_FLOWS_H
#define HW_CALL_MEDIA_FLOWS_H

#include "call/media_session.h"

/* Makes the open flows equal to those that the streams call for. ERR_NOMEM: as they were. */
int media_flows_update(struct media_session *m, const struct media_tools *t) must_check;
/* They are open already: a predecessor asked for them. ERR_NOMEM: none is ours. */
int media_flows_adopt(struct media_session *m, const struct media_tools *t) must_check;
/* All of them, with this reason. */
void media_flows_close(struct media_session *m, const struct media_tools *t, enum reason why);

#endif
