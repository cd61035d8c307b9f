/* Is the PBX there? Each one that says nothing for `options-ping` is asked by an OPTIONS; silence
 * and its end are reported. A PBX that talks to us anyway is never asked. */
#ifndef HW_CALL_PBX_WATCH_H
#define HW_CALL_PBX_WATCH_H

#include "base/wheel.h"
#include "call/registrar.h"
#include "call/txn.h"
#include "model/config.h"

struct pbx_watch {
	struct pbx_watches *all;
	struct timer timer;
	struct txn *asked; /* the OPTIONS under way */
	uint16_t pbx;	   /* index into the configuration */
	bool down;
	uint64_t heard_ms, asked_ms;
	uint32_t cseq;
};

struct pbx_watches {
	const struct core_env *env;
	const struct config *config;
	struct wheel *wheel;
	struct txn_layer *txns;
	struct registrar *registrar; /* told when a pbx is back */
	struct pbx_watch *watch;     /* one for each pbx of the configuration */
	size_t count;
};

/* Everything is borrowed. ERR_NOMEM: nobody is watched. */
int pbx_watches_init(struct pbx_watches *w, const struct core_env *env, const struct config *config,
		     struct wheel *wheel, struct txn_layer *txns,
		     struct registrar *registrar) must_check;
void pbx_watches_done(struct pbx_watches *w);
/* A message came from this pbx. */
void pbx_watch_heard(struct pbx_watches *w, uint16_t pbx);
/* False while it does not answer. */
bool pbx_watch_up(const struct pbx_watches *w, uint16_t pbx);

#endif
