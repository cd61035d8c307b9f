/* Documented factory accounts, for devices whose model is known. */
#ifndef HW_ASSESS_CHECKS_FACTORY_H
#define HW_ASSESS_CHECKS_FACTORY_H

#include "base/slice.h"

#define FACTORY_ACCOUNTS_MAX 4 /* of one device; guesses per day are fewer */
#define FACTORY_TEXT_MAX     48
#define FACTORY_SOURCE_MAX   160

enum { FACTORY_WEB = 1, FACTORY_SSH = 2 };

struct factory_account {
	char user[FACTORY_TEXT_MAX], password[FACTORY_TEXT_MAX];
	char reference[FACTORY_SOURCE_MAX];
};

struct factory_list {
	struct factory_account account[FACTORY_ACCOUNTS_MAX];
	size_t count;
};

/* Those of `doors` that the shipped facts have for this product ("Yealink SIP-T20P"): vendor and
 * family must both fit; what stands on a sticker or is not set is left out. ERR_ABSENT: there are
 * no facts; ERR_SYNTAX, -errno. */
int factory_load(const char *data_dir, const char *product, unsigned doors,
		 struct factory_list *out) must_check;
/* Whether a word of a family ("SIP-T2x", "VVX") names this product; 'x' is any digit. Letters' case
 * is ignored. For tests. */
bool factory_family_fits(struct slice family, struct slice product);

#endif
