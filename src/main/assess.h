/* The assessor's subcommands, and what they share. */
#ifndef HW_MAIN_ASSESS_H
#define HW_MAIN_ASSESS_H

#include "assess/run.h"
#include "model/config.h"
#include "store/store.h"

/* Reads a configuration for an assessment: says what is wrong with it and returns NULL, or a
 * configuration that is the caller's (config_free). */
struct config *assess_load_config(const char *file);
/* Opens the store in assess { state }; says why it cannot. */
int assess_open_store(const struct config *c, struct store **out) must_check;

/* The running gateway, and which calls it spoke of last. One thread at a time. */
struct assess_gateway {
	const char *run_dir;  /* borrowed */
	struct json_t *calls; /* jansson's */
	uint64_t asked_ms;    /* 0 = never yet */
	int err;
};

void assess_gateway_done(struct assess_gateway *g);
/* A wish for all checks that are safe, which asks `gateway` (borrowed). */
struct run_wish assess_wish(const struct config *c, const char *config_file,
			    struct assess_gateway *gateway);
extern const char assess_help[]; /* of an assessment's options */
/* Subcommands of `hornwork assess`. */
int cmd_assess_run(int argc, char **argv);
int cmd_assess_diff(int argc, char **argv);
int assess_checks(int argc, char **argv);

#endif
