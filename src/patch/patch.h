/* Virtual patches: rules that know an attack on a product behind the gateway by its message, and
 * stop it there until the product is mended. Rules come from text files; each carries the messages
 * that prove it, which are played when it is read. Pure but for the heap; no match is without a
 * bound. */
#ifndef HW_PATCH_H
#define HW_PATCH_H

#include "base/out.h"
#include "patch/patch_view.h"

enum patch_action { PATCH_REJECT, PATCH_DROP, PATCH_OBSERVE };
enum patch_target { PATCH_PBX, PATCH_PHONES, PATCH_ANY }; /* whom a rule protects */

struct patch {
	struct slice name, about, reference;
	struct slice file; /* where it stands */
	unsigned line;
	struct slice cve[PATCH_CVES_MAX];
	size_t cve_count;
	struct slice product[PATCH_CVES_MAX];
	size_t product_count;
	uint32_t methods; /* bits by enum sip_method; 0 = all */
	bool requests, responses;
	uint16_t status_first, status_last; /* of responses; 0 = all */
	enum patch_target target;
	enum patch_action action;
	uint16_t answer; /* status of PATCH_REJECT */
	bool legal;	 /* what it stops may be right elsewhere: only where its product is told */
	bool off;
	bool forced;				      /* acts whatever the product and the mode */
	uint64_t hits;				      /* messages that it fitted */
	struct patch_match *match[PATCH_MATCHES_MAX]; /* all of them must hold */
	size_t match_count;
	size_t attacks, neighbours; /* messages that prove it */
};

struct patch_set;

/* Hears what is wrong with a rule, and the messages that prove the good ones. */
struct patch_listener {
	void *ctx;
	void (*error)(void *ctx, const char *file, unsigned line, const char *text);
	/* May be NULL. `message` is borrowed. */
	void (*proof)(void *ctx, const struct patch *p, bool attack, struct slice message);
};

/* ERR_NOMEM. */
int patch_set_new(struct patch_set **out) must_check;
/* Accepts NULL. */
void patch_set_free(struct patch_set *s);
/* Reads rules: `name` of the file is for errors; a line `file PATH` within the text begins another
 * file. 0, ERR_SYNTAX (each error was told), ERR_NOMEM. After an error the set is only good to be
 * freed. */
int patch_set_read(struct patch_set *s, const char *name, struct slice text,
		   const struct patch_listener *l) must_check;

size_t patch_set_count(const struct patch_set *s);
/* In the order of the files; valid below patch_set_count. */
const struct patch *patch_set_at(const struct patch_set *s, size_t i);
/* A rule's name or a CVE switches off what it names. False: there is no such rule. */
bool patch_set_off(struct patch_set *s, struct slice what);
/* Whether some rule is for that CVE. */
bool patch_set_covers(const struct patch_set *s, struct slice cve);
/* As patch_set_off: it acts whatever the product and the mode, and although it was switched off. */
bool patch_set_force(struct patch_set *s, struct slice what);
/* Rules of the same name count on from where they were in `before` (may be NULL). */
void patch_set_inherit(struct patch_set *s, const struct patch_set *before);
/* The nearest name or CVE to one that there is not; empty when none is near. */
struct slice patch_set_nearest(const struct patch_set *s, struct slice what);

/* The product of some rule that is nearest to one that no rule is for; empty: some is, or none is
 * near. */
struct slice patch_set_product_meant(const struct patch_set *s, struct slice product);

/* What a message is held against. */
struct patch_target_of {
	bool phones;	      /* it goes to phones: it comes from the PBX */
	struct slice product; /* the PBX behind the gateway; empty = not known: all products' */
	bool identity_kept;   /* the gateway judges Identity headers, and passes none on */
};

/* The first rule that is on and fits, which counts it; one that only observes gives way to one that
 * acts. NULL: none fits. A pattern that runs into its bound fits: what cannot be judged does not
 * pass. */
const struct patch *patch_set_find(struct patch_set *s, struct slice message,
				   const struct patch_target_of *to);
/* "NAME (CVE, CVE)". */
void patch_write_name(struct out *o, const struct patch *p);
const char *patch_action_text(enum patch_action a);

#endif
