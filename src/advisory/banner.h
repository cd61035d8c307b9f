/* What a banner says of the program behind it: our own patterns, and recog's where the user
 * imported them. */
#ifndef HW_ADVISORY_BANNER_H
#define HW_ADVISORY_BANNER_H

#include "advisory/base.h"

#define BANNER_TEXT_MAX 128

struct banner_pattern;

struct banner_set {
	struct banner_pattern *patterns;
	size_t count;
};

struct banner_found {
	const struct product *product; /* NULL: not one that advisories are about */
	char vendor[BANNER_TEXT_MAX], name[BANNER_TEXT_MAX], version[BANNER_TEXT_MAX];
	char unit[BANNER_TEXT_MAX];	       /* model, or empty */
	char package[BANNER_TEXT_MAX];	       /* source package that the banner names, or empty */
	char package_version[BANNER_TEXT_MAX]; /* as its distribution counts */
	const struct product *inner; /* what runs inside it (Asterisk in FreePBX), or NULL */
	char inner_version[BANNER_TEXT_MAX];
	bool of_recog;
};

/* Reads fingerprints.jsonl of `data_dir` and the recog feeds of the base. */
int banner_set_load(struct banner_set *s, const char *data_dir, const struct adv_base *b,
		    struct fault *f) must_check;
void banner_set_done(struct banner_set *s);

/* `kind` is "sip" (User-Agent, Server), "http-server", "http-title", "ssh", "snmp" (sysDescr),
 * "telnet" or "ftp". Ours first, then recog's; false: no pattern fits. A text of more than
 * ADV_BANNER_BYTES_MAX is cut; a pattern that takes too many steps does not fit. */
bool banner_match(const struct banner_set *s, const struct adv_base *b, const char *kind,
		  struct slice text, struct banner_found *out) must_check;

#endif
