/* Where the shipped data and the imported feeds lie, for the assessor's commands. */
#ifndef HW_MAIN_ASSESS_DATA_H
#define HW_MAIN_ASSESS_DATA_H

#include <stdint.h>

#include "advisory/base.h"
#include "assess/finding.h"
#include "assess/run.h"
#include "main/patch_files.h"

#define ASSESS_FEEDS_DIR_DEFAULT "/var/lib/hornwork/feeds"

/* The folder of the shipped data: the installed one of this binary, or the source tree's when the
 * binary lies in its build folder. ERR_ABSENT with words when neither is there. */
int assess_data_dir(char *out, size_t size, struct fault *f) must_check;

/* Opens the base over the shipped data and `feeds_dir` (NULL: the default). The words of a failure
 * have gone to stderr, after "hornwork COMMAND: ". */
int assess_base_open(struct adv_base *b, const char *command, const char *feeds_dir) must_check;

/* What root's run has left in the assessor's folder and in the folders of it is given to the
 * folder's owner: ordinary files of one name alone. Nothing is done for others than root, or when
 * the folder is root's. */
void assess_give_back(const char *state);

/* Names the feeds at hand in a report: the shipped ones and those below `state`, the assessor's
 * folder. What cannot be read is left out, and said on stderr. */
void assess_report_feeds(struct assess_report *r, const char *state);

/* The virtual patches that the gateway could put before a finding: those of the shipped rules.
 * Without them the wish is as it was. Free with assess_patches_close, after the run. */
struct assess_patches {
	struct patch_files files;
	struct patch_set *set;
};
void assess_patches_open(struct assess_patches *p, struct run_wish *wish);
void assess_patches_close(struct assess_patches *p);

#endif
