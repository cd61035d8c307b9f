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

/* A wish for all checks that are safe, which asks the gateway at `run_dir`. */
struct run_wish assess_wish(const struct config *c, const char *config_file, const char *run_dir);
extern const char assess_help[]; /* of an assessment's options */
/* Subcommands of `hornwork assess`. */
int cmd_assess_run(int argc, char **argv);
int cmd_assess_diff(int argc, char **argv);
int assess_checks(int argc, char **argv);

#endif
