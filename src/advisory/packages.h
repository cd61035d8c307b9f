/* The packages of a host, out of the texts that its tools print or keep. */
#ifndef HW_ADVISORY_PACKAGES_H
#define HW_ADVISORY_PACKAGES_H

#include "advisory/row.h"

struct package {
	struct slice name;
	struct slice source;  /* the source package; advisories of dpkg's distributions name it */
	struct slice version; /* of the source package, with epoch and revision */
};

struct package_list {
	struct arena arena;
	struct package *items; /* ordered by source */
	size_t count, allocated;
	enum row_order order;
	struct slice distribution, release, codename; /* "debian", "12", "bookworm"; or empty */
};

void package_list_init(struct package_list *l);
void package_list_done(struct package_list *l);

/* /etc/os-release */
int package_list_os(struct package_list *l, struct slice text) must_check;
/* One of: /var/lib/dpkg/status; lines of dpkg-query ("name\tversion\tsource\tsource version") or of
 * `dpkg -l`; lines of rpm -qa, plain or "name\tepoch:version-release\tsource rpm". ERR_SYNTAX: none
 * of these; ERR_LIMIT, ERR_NOMEM. */
int package_list_read(struct package_list *l, struct slice text) must_check;
/* By source package (else by name), NULL when it is not installed. */
const struct package *package_find(const struct package_list *l, struct slice name);

#endif
