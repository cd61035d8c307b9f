/* The sockets that the configuration's listeners ask for: bound by the warden, which alone may take
 * ports below 1024 and addresses that are not up yet. */
#ifndef HW_MAIN_LISTENERS_H
#define HW_MAIN_LISTENERS_H

#include "model/config.h"

/* One bound, non-blocking socket (TCP ones listen), marked CS3 (RFC 4594 2.3); -errno, or
 * ERR_ABSENT for a transport that this build does not carry. */
int listener_bind(const struct config_listener *l) must_check;

struct listeners {
	int *fds;	     /* as config->listeners; -1 = not open */
	uint16_t *old_index; /* as config->listeners; CONFIG_NONE = freshly bound */
	size_t count;
};

/* Binds what `config` asks for; what `old_config`/`old` (may be NULL) has already is shared, not
 * bound again. On failure nothing stays open of what was new, and *out_failed is the index.
 * ERR_NOMEM, -errno. */
int listeners_open(const struct config *config, const struct config *old_config,
		   const struct listeners *old, struct listeners *out,
		   size_t *out_failed) must_check;
/* Closes all but those that `heir` (may be NULL) shares. */
void listeners_close(struct listeners *l, const struct listeners *heir);

#endif
