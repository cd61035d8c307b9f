/* How a configuration gets from the warden to signal: the text as it stands in the file, and beside
 * it what only the warden may find out (addresses, secrets, sockets). */
#ifndef HW_MAIN_CONFIG_WIRE_H
#define HW_MAIN_CONFIG_WIRE_H

#include "proc/channel.h"

struct config_parcel {
	const char *file;
	struct slice text;
	const struct config *config; /* of that text, resolved, listeners derived */
	struct slice rules;	     /* of virtual patches; empty = none travel */
	uint64_t generation;
	const int *listener_fds;   /* as config->listeners; -1 = not open, or not for this child;
				      NULL = no sockets travel */
	bool secrets;		   /* passwords travel */
	const uint16_t *old_index; /* as config->listeners: CONFIG_NONE = its socket travels along;
				      NULL = all do */
};

/* Sends the whole parcel. As proc_send. */
int config_wire_send(struct proc_channel *ch, const struct config_parcel *parcel) must_check;

/* What has come so far; one at a time. */
struct config_intake {
	bool open; /* a parcel has begun */
	struct proc_config_begin begin;
	uint32_t zones, pbxs_trunks, listeners, secrets; /* came so far */
	struct config *config;
	char *rules;	     /* begin.rules_bytes of virtual patches, or NULL */
	int *fds;	     /* as config->listeners; -1 = none came; the intake's until taken */
	uint16_t *old_index; /* as config->listeners */
	struct proc_config_listener *claims;
};

/* Takes one message of a parcel. 1: the parcel is whole: take `config`, `fds`, `old_index` and
 * what `rules` say, then
 * call config_intake_done. 0: more is to come. ERR_PEER (out of order, or it does not fit the
 * text), ERR_NOMEM. */
int config_intake_on_message(struct config_intake *in, struct proc_msg *msg) must_check;
/* Frees and closes what was not taken; ready for the next parcel. */
void config_intake_done(struct config_intake *in);

#endif
