/* The sentences of a match. */
#include "advisory/match.h"
#include "advisory/version.h"
#include "base/out.h"

static void finish(struct out *o, char *buf, size_t size)
{
	buf[o->n < size ? o->n : size - 1] = '\0';
}

static void say_branch(struct out *o, const struct adv_range *r)
{
	if (!r->branch.n)
		return;
	out_z(o, r->certified ? " in the certified releases of " : " in branch ");
	out_bytes(o, r->branch);
}

static void say_bounds(struct out *o, const struct adv_range *r)
{
	if (r->all) {
		out_z(o, "affected as every version is");
		say_branch(o, r);
		out_z(o, ": no fix is known");
	} else if (r->fixed.n) {
		out_z(o, "older than ");
		out_bytes(o, r->fixed);
		out_z(o, ", which has the fix");
		say_branch(o, r);
	} else if (r->last.n) {
		out_z(o, "not newer than ");
		out_bytes(o, r->last);
		out_z(o, ", the last one known to be affected");
		say_branch(o, r);
	} else if (r->version_count) {
		out_z(o, "listed as affected");
	} else {
		out_z(o, "as new as ");
		out_bytes(o, r->introduced);
		out_z(o, " or newer, and no fix is known");
	}
}

static void say_open(struct out *o, const struct match_result *m, const struct adv_range *r)
{
	if (!r || !r->decidable) {
		out_z(o, "the public record names no range of versions; read the advisory");
	} else if (r->unit.n && !m->query.unit.n) {
		out_z(o, m->query.product && m->query.product->device ? "it is about the models "
								      : "it is about the module ");
		out_bytes(o, r->unit);
		out_z(o, ": name yours to decide it");
	} else if (r->unit.n && m->query.product && m->query.product->device) {
		out_z(o, "it is about one firmware of ");
		out_bytes(o, r->unit);
	} else if (!version_upstream_known(m->query.version)) {
		out_z(o, "the version holds no number that can be compared");
	} else {
		out_z(o, "the record's versions cannot be compared with ");
		out_bytes(o, m->query.version);
	}
}

void match_why(const struct match_result *m, const struct match_hit *h, char *buf, size_t size)
{
	struct out o = out_to(buf, size);

	if (h->excluded) {
		out_z(&o, h->row.status == ROW_FIXED ? "the supplier says that it is fixed"
						     : "the supplier says that it is not affected");
		if (h->row.justification.n) {
			out_z(&o, ": ");
			out_bytes(&o, h->row.justification);
		}
	} else if (h->answer == RANGE_MAYBE) {
		say_open(&o, m, h->range);
	} else {
		out_bytes(&o, m->query.version);
		out_z(&o, h->answer == RANGE_FIXED ? " has the fix: it is not " : " is ");
		if (h->range)
			say_bounds(&o, h->range);
		if (h->disputed)
			out_z(&o, "; another feed says otherwise");
		if (h->answer == RANGE_YES && version_is_packaged(m->query.version))
			out_z(&o, "; a distribution may have mended its package: import its "
				  "advisories");
	}
	finish(&o, buf, size);
}

void match_eol_why(const struct match_result *m, char *buf, size_t size)
{
	const struct eol_row *r = m->eol.row;
	struct out o = out_to(buf, size);

	if (m->eol.state == EOL_ENDED) {
		if (m->eol.older)
			out_z(&o, "older than branch ");
		else if (slice_eq(r->branch, SL("*")))
			out_z(&o, "the product");
		else
			out_z(&o, "branch ");
		if (!slice_eq(r->branch, SL("*")))
			out_bytes(&o, r->branch);
		out_z(&o, ", which gets no more fixes");
		if (r->end.n) {
			out_z(&o, " since ");
			out_bytes(&o, r->end);
		}
		out_z(&o, "; that no CVE is listed says nothing here");
	} else if (m->eol.state == EOL_SECURITY_ONLY) {
		out_z(&o, "branch ");
		out_bytes(&o, r->branch);
		out_z(&o, " gets security fixes only, until ");
		out_bytes(&o, r->end);
	} else if (m->eol.state == EOL_SUPPORTED) {
		out_z(&o, "branch ");
		out_bytes(&o, r->branch);
		out_z(&o, " is maintained");
		if (r->end.n) {
			out_z(&o, " until ");
			out_bytes(&o, r->end);
		}
	}
	finish(&o, buf, size);
}
