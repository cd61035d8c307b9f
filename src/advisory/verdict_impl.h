/* Inside the fused verdict. */
#ifndef HW_ADVISORY_VERDICT_IMPL_H
#define HW_ADVISORY_VERDICT_IMPL_H

#include "advisory/verdict.h"

/* What a distribution says of one CVE in one installed package. */
enum distro_answer {
	DISTRO_FIXED,
	DISTRO_NOT_AFFECTED,
	DISTRO_OPEN,
	DISTRO_IGNORED,
	DISTRO_UNDECIDED
};

struct distro_row {
	char cve[ADV_CVE_BYTES_MAX];
	const struct package *package;
	enum distro_answer answer;
	struct slice fixed_version;
	const char *severity;
	uint8_t cvss_tenths;
	struct slice summary;
};

struct distro_list {
	struct arena *arena;
	struct distro_row *rows; /* ordered by CVE, then package */
	size_t count, allocated;
	bool covers; /* some row was about this host's distribution */
};

int distro_read(const struct fuse_request *r, struct arena *a, struct distro_list *out,
		struct fault *f) must_check;
void distro_done(struct distro_list *l);
/* NULL: the distribution says nothing of it. */
const struct distro_row *distro_find(const struct distro_list *l, const char *cve,
				     const struct package *p);

#endif
