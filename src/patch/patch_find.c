#include "base/mem.h"
#include "base/suggest.h"
#include "patch/patch_impl.h"

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

/* ---- one match line ---- */

static bool compares(const struct patch_match *m, uint64_t n)
{
	switch (m->comparison) {
	case '<':
		return n < m->number;
	case '>':
		return n > m->number;
	default:
		return n == m->number;
	}
}

static bool is_named(const struct patch_match *m, const struct patch_field *f)
{
	for (size_t i = 0; i < m->header_count; i++)
		if (m->id[i] == f->id &&
		    (f->id != SIP_H_OTHER || slice_eq_nocase(m->header[i], f->name)))
			return true;
	return false;
}

static uint64_t values_in(struct slice text)
{
	struct sip_values v = sip_values_in(text);
	struct slice one;
	uint64_t n = 0;

	while (sip_values_next(&v, &one))
		n++;
	return n;
}

/* Of the digits that it begins with; false: there are none. More than fit are UINT64_MAX. */
static bool number_of(struct slice text, uint64_t *out)
{
	size_t n = 0;

	while (n < text.n && ascii_is_digit(text.p[n]))
		n++;
	if (n && slice_u64(slice_first(text, n), UINT64_MAX, out))
		*out = UINT64_MAX;
	return n > 0;
}

/* What holds for one value at a time. */
static bool value_holds(struct patch_set *s, const struct patch_match *m, struct slice value)
{
	uint64_t n;

	if (m->measure == MEASURE_PATTERN)
		return patch_pattern_fits(s, m->code, value);
	return m->measure == MEASURE_NUMBER && number_of(value, &n) && compares(m, n);
}

static bool header_holds(struct patch_set *s, const struct patch_match *m)
{
	const struct patch_view *v = &s->view;
	uint64_t lines = 0, values = 0, longest = 0;
	bool holds = false;

	for (size_t i = 0; i < v->field_count; i++) {
		const struct patch_field *f = &v->field[i];

		if (!is_named(m, f) || (s->identity_kept && f->id == SIP_H_IDENTITY))
			continue;
		lines++;
		if (m->measure == MEASURE_VALUES)
			values += values_in(f->value);
		if (f->value.n > longest)
			longest = f->value.n;
		holds = holds || value_holds(s, m, f->value);
	}
	if (m->measure == MEASURE_LINES)
		return compares(m, lines);
	if (m->measure == MEASURE_VALUES)
		return compares(m, values);
	if (m->measure == MEASURE_BYTES)
		return compares(m, longest);
	return holds != m->negated;
}

static struct slice part_of(const struct patch_view *v, enum patch_part part)
{
	switch (part) {
	case PART_URI:
		return v->uri;
	case PART_HEAD:
		return v->head;
	case PART_BODY:
		return v->body;
	case PART_HEADER:
	case PART_MESSAGE:
		break;
	}
	return v->message;
}

static bool match_holds(struct patch_set *s, const struct patch_match *m)
{
	struct slice part;

	if (m->part == PART_HEADER)
		return header_holds(s, m);
	part = part_of(&s->view, m->part);
	if (m->measure == MEASURE_BYTES)
		return compares(m, part.n);
	return value_holds(s, m, part) != m->negated;
}

/* ---- a rule ---- */

static bool is_of_kind(const struct patch *p, const struct patch_view *v)
{
	if (v->request ? !p->requests : !p->responses)
		return false;
	if (p->methods && !(p->methods & 1u << v->method))
		return false;
	return v->request || !p->status_first ||
	       (v->status >= p->status_first && v->status <= p->status_last);
}

bool patch_fits(struct patch_set *s, const struct patch *p)
{
	if (!is_of_kind(p, &s->view))
		return false;
	for (size_t i = 0; i < p->match_count; i++)
		if (!match_holds(s, p->match[i]))
			return false;
	return true;
}

/* Products that are another one with a panel around it: what hurts that one hurts them. */
static const struct {
	struct slice outer, inner;
} around[] = {{SLICE("freepbx"), SLICE("asterisk")},
	      {SLICE("issabel"), SLICE("asterisk")},
	      {SLICE("vitalpbx"), SLICE("asterisk")},
	      {SLICE("fusionpbx"), SLICE("freeswitch")}};

/* A rule for `named` is one for the product. */
static bool is_for(struct slice named, struct slice product)
{
	if (slice_eq_nocase(named, product))
		return true;
	for (size_t i = 0; i < COUNT_OF(around); i++)
		if (slice_eq_nocase(around[i].outer, product))
			return slice_eq_nocase(named, around[i].inner);
	return false;
}

static bool protects(const struct patch *p, const struct patch_target_of *to)
{
	if (p->target == PATCH_PHONES)
		return true; /* also on the way to the PBX, which may hand it on */
	if (p->target == PATCH_PBX && to->phones)
		return false;
	if (p->forced)
		return true;
	for (size_t i = 0; i < p->product_count; i++)
		if (is_for(p->product[i], to->product))
			return true;
	return (to->product.n == 0 && !p->legal) || p->target == PATCH_ANY;
}

const struct patch *patch_set_find(struct patch_set *s, struct slice message,
				   const struct patch_target_of *to)
{
	struct patch *seen = NULL;

	if (s->count == 0 || !patch_view_of(message, &s->view))
		return NULL;
	s->identity_kept = to->identity_kept;
	for (size_t i = 0; i < s->count; i++) {
		struct patch *p = s->rules[i];

		if (p->off || (seen && p->action == PATCH_OBSERVE) || !protects(p, to) ||
		    !patch_fits(s, p))
			continue;
		seen = p;
		if (p->action != PATCH_OBSERVE)
			break;
	}
	if (seen)
		seen->hits++;
	return seen;
}

/* ---- the set ---- */

int patch_set_new(struct patch_set **out)
{
	struct patch_set *s = mem_zalloc(1, sizeof(*s));

	if (!s)
		return ERR_NOMEM;
	arena_init(&s->arena, PATCH_CHUNK_BYTES, PATCH_MEMORY_MAX);
	if (patch_patterns_init(s)) {
		patch_set_free(s);
		return ERR_NOMEM;
	}
	*out = s;
	return 0;
}

void patch_set_free(struct patch_set *s)
{
	if (!s)
		return;
	patch_patterns_done(s);
	arena_done(&s->arena);
	mem_free(s->message);
	mem_free(s);
}

size_t patch_set_count(const struct patch_set *s)
{
	return s->count;
}

const struct patch *patch_set_at(const struct patch_set *s, size_t i)
{
	return s->rules[i];
}

static bool is_called(const struct patch *p, struct slice what)
{
	for (size_t i = 0; i < p->cve_count; i++)
		if (slice_eq_nocase(p->cve[i], what))
			return true;
	return slice_eq(p->name, what);
}

bool patch_set_covers(const struct patch_set *s, struct slice cve)
{
	for (size_t i = 0; i < s->count; i++)
		if (is_called(s->rules[i], cve))
			return true;
	return false;
}

bool patch_set_off(struct patch_set *s, struct slice what)
{
	bool found = false;

	for (size_t i = 0; i < s->count; i++) {
		if (!is_called(s->rules[i], what))
			continue;
		s->rules[i]->off = true;
		found = true;
	}
	return found;
}

bool patch_set_force(struct patch_set *s, struct slice what)
{
	bool found = false;

	for (size_t i = 0; i < s->count; i++) {
		if (!is_called(s->rules[i], what))
			continue;
		s->rules[i]->off = false;
		s->rules[i]->forced = found = true;
	}
	return found;
}

void patch_set_inherit(struct patch_set *s, const struct patch_set *before)
{
	for (size_t i = 0; before && i < before->count; i++)
		for (size_t k = 0; k < s->count; k++)
			if (slice_eq(s->rules[k]->name, before->rules[i]->name))
				s->rules[k]->hits = before->rules[i]->hits;
}

struct slice patch_set_nearest(const struct patch_set *s, struct slice what)
{
	struct suggest near = suggest_for(what);

	for (size_t i = 0; i < s->count; i++) {
		suggest_offer(&near, s->rules[i]->name);
		for (size_t k = 0; k < s->rules[i]->cve_count; k++)
			suggest_offer(&near, s->rules[i]->cve[k]);
	}
	return near.best;
}

struct slice patch_set_product_meant(const struct patch_set *s, struct slice product)
{
	struct suggest near = suggest_for(product);

	for (size_t i = 0; i < s->count; i++)
		for (size_t k = 0; k < s->rules[i]->product_count; k++) {
			if (is_for(s->rules[i]->product[k], product))
				return slice_of(NULL, 0);
			suggest_offer(&near, s->rules[i]->product[k]);
			for (size_t n = 0; n < COUNT_OF(around); n++)
				if (slice_eq_nocase(s->rules[i]->product[k], around[n].inner))
					suggest_offer(&near, around[n].outer);
		}
	return near.best;
}

void patch_write_name(struct out *o, const struct patch *p)
{
	out_bytes(o, p->name);
	for (size_t i = 0; i < p->cve_count; i++) {
		out_z(o, i ? ", " : " (");
		out_bytes(o, p->cve[i]);
	}
	if (p->cve_count)
		out_char(o, ')');
}

const char *patch_action_text(enum patch_action a)
{
	switch (a) {
	case PATCH_REJECT:
		return "reject";
	case PATCH_DROP:
		return "drop";
	case PATCH_OBSERVE:
		break;
	}
	return "observe";
}
