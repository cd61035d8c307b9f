#include "assess/run_impl.h"

#include <errno.h>
#include <sys/random.h>

#include "assess/scope.h"
#include "base/mem.h"
#include "io/clock.h"

#define RUN_ARENA_BYTES (256u << 20)
#define RUN_CHUNK_BYTES (64u << 10)

/* ---- which checks ---- */

const struct check_row *check_find(const struct check_table *t, struct slice id)
{
	for (size_t i = 0; i < t->count; i++)
		if (slice_eq_nocase(id, slice_z(t->rows[i].id)))
			return &t->rows[i];
	return NULL;
}

/* "r3", "DV", "DV-04". */
static bool names(const char *word, const struct check_row *row)
{
	struct slice w = slice_z(word), id = slice_z(row->id);

	return slice_eq_nocase(w, slice_z(row->tag)) || slice_eq_nocase(w, id) ||
	       slice_eq_nocase(w, slice_first(id, slice_find(id, '-')));
}

static bool is_wanted(const struct run_wish *w, const struct check_row *row)
{
	for (size_t i = 0; i < w->only_count; i++)
		if (names(w->only[i], row))
			return row->class != CHECK_INTRUSIVE || w->intrusive;
	return w->only_count == 0 && (row->class != CHECK_INTRUSIVE || w->intrusive);
}

static int check_words(const struct run_wish *w, char why[static 256])
{
	for (size_t i = 0; i < w->only_count; i++) {
		const struct check_row *named = NULL;

		for (size_t k = 0; k < w->checks.count && !named; k++)
			if (names(w->only[i], &w->checks.rows[k]))
				named = &w->checks.rows[k];
		if (!named) {
			snprintf(why, 256,
				 "no check or recommendation is called \"%s\"; `hornwork assess "
				 "checks` lists them",
				 w->only[i]);
			return ERR_ABSENT;
		}
	}
	return 0;
}

/* By class, the gentlest first; within a class as in the table. */
static int select_rows(struct run *r, char why[static 256])
{
	const struct run_wish *w = &r->wish;
	int err = check_words(w, why);

	if (err)
		return err;
	r->rows = mem_zalloc(w->checks.count + 1, sizeof(struct check_row *));
	if (!r->rows)
		return ERR_NOMEM;
	for (unsigned class = CHECK_PASSIVE; class <= CHECK_INTRUSIVE; class ++)
		for (size_t i = 0; i < w->checks.count; i++)
			if (w->checks.rows[i].class == class && is_wanted(w, &w->checks.rows[i]))
				r->rows[r->row_count++] = &w->checks.rows[i];
	if (r->row_count == 0) {
		snprintf(why, 256, "what --only names is intrusive; add --intrusive");
		return ERR_ABSENT;
	}
	return 0;
}

bool run_applies(const struct run *r, const struct check_row *row, const struct target *t)
{
	return (row->kinds & 1u << t->asset->kind) != 0;
}

const char *run_why_not(const struct check_row *row, const struct target *t)
{
	struct packet_plan plan;

	if (packet_plan_parse(slice_z(row->packets), &plan))
		return "its row of the table cannot be read";
	if (!t->asset->allow_default_login &&
	    (plan.most[PACKET_HTTP_LOGIN] || plan.most[PACKET_SSH_LOGIN]))
		return "the asset has no allow-default-login = yes";
	return NULL;
}

/* ---- which targets ---- */

static bool is_target(const struct run_wish *w, const struct config_asset *a,
		      const struct ip_addr *address)
{
	struct ip_addr at;
	char full[FINDING_ASSET_MAX], z[IP_TEXT_MAX];

	if (!w->target || strcmp(w->target, a->name) == 0)
		return true;
	if (ip_parse(slice_z(w->target), &at) == 0)
		return ip_eq(&at, address);
	snprintf(full, sizeof(full), "%s/%s", a->name, ip_text(address, z));
	return strcmp(w->target, full) == 0;
}

static int add_target(struct run *r, const struct config_asset *a, const struct ip_addr *address,
		      char why[static 256])
{
	struct target *grown;

	if (!is_target(&r->wish, a, address))
		return 0;
	if (r->target_count == RUN_TARGETS_MAX) {
		snprintf(why, 256, "there are more than %d addresses; name fewer with --target",
			 RUN_TARGETS_MAX);
		return ERR_LIMIT;
	}
	grown = mem_grow(r->targets, (r->target_count + 1) * sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	r->targets = grown;
	target_init(&grown[r->target_count++], r->wish.config, a, address, &r->cancel);
	return 0;
}

static struct ip_addr nth_address(const struct ip_prefix *p, uint32_t n)
{
	struct ip_addr a = p->addr;
	unsigned last = a.family == IP_V4 ? 3 : 15;

	for (unsigned i = 0; i < 4 && n; i++, n >>= 8)
		a.bytes[last - i] = (uint8_t)(a.bytes[last - i] | (n & 0xff));
	return a;
}

/* All but the network's own and the broadcast address, and what another asset declares singly. */
static int add_subnet(struct run *r, const struct config_asset *a, const struct ip_prefix *p,
		      char why[static 256])
{
	uint32_t bits = (p->addr.family == IP_V4 ? 32u : 128u) - p->bits, size, skip;
	int err = 0;

	if (bits > 12) /* config_check refuses such a file */
		return ERR_LIMIT;
	size = 1u << bits;
	skip = bits > 1;
	for (uint32_t n = skip; n < size - (p->addr.family == IP_V4 ? skip : 0) && !err; n++) {
		struct ip_addr at = nth_address(p, n);

		if (scope_asset_of(r->wish.config, &at) == a)
			err = add_target(r, a, &at, why);
	}
	return err;
}

static int add_asset(struct run *r, const struct config_asset *a, char why[static 256])
{
	int err = 0;

	for (size_t i = 0; i < a->address_count && !err; i++)
		err = add_target(r, a, &a->addresses[i].addr, why);
	for (size_t i = 0; i < a->subnet_count && !err; i++)
		err = add_subnet(r, a, &a->subnets[i], why);
	return err;
}

/* An address that was named but is nobody's is refused before anything is sent. */
static int refuse_target(const struct run *r, char why[static 256])
{
	struct ip_addr at;
	char text[SCOPE_WHY_MAX];

	if (ip_parse(slice_z(r->wish.target), &at) == 0 && scope_admit(r->wish.config, &at, text)) {
		snprintf(why, 256, "%s", text);
		return ERR_DENIED;
	}
	snprintf(why, 256, "no asset is called \"%s\"; `hornwork assess --plan` lists them",
		 r->wish.target);
	return ERR_ABSENT;
}

static int select_targets(struct run *r, char why[static 256])
{
	const struct config *c = r->wish.config;
	int err = 0;

	if (c->asset_count == 0) {
		snprintf(why, 256,
			 "%s declares no asset; add asset NAME { address = ...  kind = ... }",
			 r->wish.config_file);
		return ERR_ABSENT;
	}
	for (size_t i = 0; i < c->asset_count && !err; i++)
		err = add_asset(r, &c->assets[i], why);
	if (!err && r->target_count == 0)
		err = refuse_target(r, why);
	return err;
}

/* Fisher and Yates; the order is no secret, only mixed. */
static int mix(struct run *r)
{
	uint32_t seed = 1;

	r->order = mem_zalloc(r->target_count, sizeof(*r->order));
	if (!r->order)
		return ERR_NOMEM;
	(void)!getrandom(&seed, sizeof(seed), 0);
	for (size_t i = 0; i < r->target_count; i++) {
		size_t other;

		seed = seed * 1664525u + 1013904223u;
		other = (seed >> 8) % (i + 1);
		r->order[i] = r->order[other];
		r->order[other] = i;
	}
	return 0;
}

/* ---- life ---- */

int run_new(const struct run_wish *wish, char why[static 256], struct run **out)
{
	struct run *r = mem_zalloc(1, sizeof(*r));
	int err;

	snprintf(why, 256, "%s", err_text(ERR_NOMEM));
	if (!r)
		return ERR_NOMEM;
	r->wish = *wish;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->model_done, NULL);
	arena_init(&r->arena, RUN_CHUNK_BYTES, RUN_ARENA_BYTES);
	err = select_rows(r, why);
	if (!err)
		err = select_targets(r, why);
	if (!err)
		err = mix(r);
	if (err) {
		run_free(r);
		return err;
	}
	*out = r;
	return 0;
}

void run_free(struct run *r)
{
	struct model *next;

	if (!r)
		return;
	for (size_t i = 0; i < r->target_count; i++)
		target_done(&r->targets[i]);
	for (struct model *m = r->models; m; m = next) {
		next = m->next;
		mem_free(m);
	}
	mem_free(r->harvest.findings);
	mem_free(r->harvest.results);
	mem_free(r->harvest.assets);
	mem_free(r->targets);
	mem_free(r->order);
	mem_free(r->rows);
	arena_done(&r->arena);
	pthread_cond_destroy(&r->model_done);
	pthread_mutex_destroy(&r->lock);
	mem_free(r);
}

void run_cancel(struct run *r)
{
	atomic_store(&r->cancel, true);
}

uint64_t run_number(const struct run *r)
{
	return r->number;
}

int run_all(struct run *r, struct store *s)
{
	int err = ledger_begin(s, r->wish.config_file, r->wish.intrusive, clock_wall_ms(),
			       &r->number);

	if (err)
		return err;
	r->store = s;
	err = ledger_follow(s, r->wish.config, clock_wall_ms());
	if (!err)
		err = run_work(r);
	if (!err && r->nomem)
		err = ERR_NOMEM;
	if (err)
		return err;
	return ledger_finish(s, r->number, &r->harvest, clock_wall_ms(),
			     !r->incomplete && !atomic_load(&r->cancel),
			     *r->stopped_why ? r->stopped_why : NULL);
}
