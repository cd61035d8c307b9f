/* The orders of version numbers: Debian's, RPM's, and those of the products themselves. All compare
 * as strcmp does: negative, 0 or positive. No text is too odd to be compared. */
#ifndef HW_ADVISORY_VERSION_H
#define HW_ADVISORY_VERSION_H

#include "base/slice.h"

/* [epoch:]upstream[-revision], as dpkg orders them (deb-version(7)). */
int version_cmp_dpkg(struct slice a, struct slice b);

/* One part (a version or a release) in RPM's order: '~' is older, '^' newer than the end. */
int version_cmp_rpm_part(struct slice a, struct slice b);
/* [epoch:]version[-release]; releases count only where both have one. */
int version_cmp_rpm(struct slice a, struct slice b);

/* As the makers of the products count: numbers by value, missing ones as zero, pre-releases (rc,
 * beta...) before the release, service packs (SP, SR, HF, Update...) as a further number, build
 * words (release, GA...) end the version. A leading letter mark (V10, R200) is no part of it. */
int version_cmp_upstream(struct slice a, struct slice b);
/* Whether there is a number in it that can be compared: "GIT-master-1a2b" has none. */
bool version_upstream_known(struct slice v);
/* A calendar date, 2022-03-17: it orders against dates alone. */
bool version_is_date(struct slice v);
/* Whether the version's leading numbers are those of `branch`: 18.24.2 is in 18 and in 18.24. */
bool version_in_branch(struct slice v, struct slice branch);

/* The base of a certified release: "18.9" of 18.9-cert12 and of certified/18.9-cert12; else empty.
 */
struct slice version_certified_base(struct slice v);
/* What the product's makers call it, out of a Debian or RPM version: no epoch, no revision, no
 * mark of repacking. */
struct slice version_upstream_of_package(struct slice v);
/* Whether the text carries marks of a distribution's package: an epoch, +dfsg, ~bpo, +deb12u1,
 * .el9. */
bool version_is_packaged(struct slice v);

#endif
