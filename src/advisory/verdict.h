/* One verdict for each CVE out of all that is known of a host: what its programs say of themselves,
 * the packages that are installed, the makers' ranges, the distribution's fixes, and the suppliers'
 * statements (VEX). */
#ifndef HW_ADVISORY_VERDICT_H
#define HW_ADVISORY_VERDICT_H

#include "advisory/match.h"
#include "advisory/packages.h"

enum fused_status {
	FUSED_VULNERABLE,
	FUSED_UNKNOWN,	    /* cannot be decided: never counts as good */
	FUSED_FIXED,	    /* the installed package has the fix, whatever its version looks like */
	FUSED_NOT_AFFECTED, /* the supplier or the distribution says so */
};

/* What a program says of itself. */
struct sighting {
	const struct product *product;
	struct slice unit;    /* model or module, or empty */
	struct slice version; /* empty = it does not say */
	const char *seen_by;  /* "SIP User-Agent" */
};

struct fused {
	char cve[ADV_CVE_BYTES_MAX];
	enum fused_status status;
	enum adv_confidence confidence;
	const struct product *product; /* or NULL: a package of the system */
	struct slice package;	       /* or empty */
	struct slice fixed_version;    /* of the package, or empty */
	const char *severity;
	uint8_t cvss_tenths;
	struct slice summary;	 /* or empty */
	char kev[16];		 /* since when it is exploited, or "" */
	struct slice remedy;	 /* "Update to 18.24.3"; or empty */
	char why[MATCH_WHY_MAX]; /* a sentence */
};

/* How a product's branch, or the distribution's release, stands. */
struct fused_life {
	struct slice what, version; /* "Asterisk", "16.28.0" */
	struct eol_answer eol;
	char why[MATCH_WHY_MAX];
};

struct fused_list {
	struct arena arena;
	struct fused *items; /* vulnerable ones first, the worst before the others */
	size_t count, allocated;
	struct fused_life *lives;
	size_t life_count;
	bool covers; /* the feeds speak of this host's packages: without, silence says nothing */
};

struct fuse_request {
	const struct adv_base *base;
	const struct sighting *sightings;
	size_t sighting_count;
	const struct package_list *packages; /* NULL: the host was not read */
	uint64_t now_ms;
};

/* ERR_NOMEM, ERR_LIMIT and what reading the feeds gives, with words. */
int verdict_fuse(const struct fuse_request *r, struct fused_list *out, struct fault *f) must_check;
void fused_list_done(struct fused_list *l);

#endif
