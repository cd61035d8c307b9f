#include "assess/run_impl.h"

#include <stdio.h>
#include <time.h>

#include "assess/look.h"
#include "assess/place.h"
#include "assess/scope.h"
#include "assess/visit.h"
#include "base/mem.h"
#include "io/clock.h"

#define THREAD_STACK_BYTES (512 * 1024) /* libcurl, OpenSSL and a few buffers of 64 KiB */
#define GROUP_CHECKS	   4 /* checks of a gentle device between two looks at its health */
#define VISIT_ARENA_BYTES  (8u << 20)

/* One check's outcome, held back until the device was seen to be well afterwards. */
struct pending {
	const struct check_row *row;
	enum verdict verdict;
	char why[VISIT_WHY_MAX];
	bool not_asked;
	bool partial; /* see struct check_result */
};

struct worker {
	struct run *run;
	struct target *target;
	struct model *model;
	bool canary;
	struct pending pending[GROUP_CHECKS * 8];
	size_t pending_count;
	struct visit visit;
};

/* ---- the harvest; under the lock ---- */

static const char *keep(struct run *r, const char *z)
{
	struct slice copy;

	if (!z)
		return NULL;
	if (arena_copy(&r->arena, slice_z(z), &copy)) {
		r->nomem = true;
		return NULL;
	}
	return copy.p;
}

static void *room(struct run *r, void *array, size_t count, size_t *have, size_t size)
{
	void *grown;
	size_t want = *have ? *have * 2 : 64;

	if (count < *have)
		return array;
	grown = mem_grow(array, want * size);
	if (!grown) {
		r->nomem = true;
		return NULL;
	}
	*have = want;
	return grown;
}

static void keep_finding(struct run *r, const struct finding *f)
{
	void *grown = room(r, r->harvest.findings, r->harvest.finding_count, &r->finding_room,
			   sizeof(struct finding));
	struct finding *n;

	if (!grown)
		return;
	r->harvest.findings = grown;
	n = &r->harvest.findings[r->harvest.finding_count++];
	*n = *f;
	n->evidence = keep(r, f->evidence);
	n->remediation = keep(r, f->remediation);
	n->shield = keep(r, f->shield);
	n->pcap = keep(r, f->pcap);
}

static void keep_result(struct run *r, const struct target *t, const char *check,
			enum verdict verdict, const char *why, bool partial)
{
	void *grown = room(r, r->harvest.results, r->harvest.result_count, &r->result_room,
			   sizeof(struct check_result));
	struct check_result *n;

	if (!grown)
		return;
	r->harvest.results = grown;
	n = &r->harvest.results[r->harvest.result_count++];
	*n = (struct check_result){.check = check,
				   .verdict = (uint8_t)verdict,
				   .why = why && *why ? keep(r, why) : NULL,
				   .partial = partial};
	memcpy(n->asset, t->name, sizeof(n->asset));
}

/* ---- verdicts ---- */

/* `doubt`: why what was not found cannot be called good; NULL = the device is well. */
static void settle(struct worker *w, const char *doubt)
{
	struct run *r = w->run;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < w->pending_count; i++) {
		const struct pending *p = &w->pending[i];
		bool in_doubt = doubt && p->verdict != VERDICT_FOUND;

		if (in_doubt || (p->verdict == VERDICT_UNTESTED && !p->not_asked))
			r->incomplete = true;
		keep_result(r, w->target, p->row->id, in_doubt ? VERDICT_UNTESTED : p->verdict,
			    in_doubt ? doubt : p->why, p->partial || (doubt && !in_doubt));
	}
	pthread_mutex_unlock(&r->lock);
	w->pending_count = 0;
}

static void stop_target(struct worker *w, enum target_state state, const char *why)
{
	w->target->state = (uint8_t)state;
	snprintf(w->target->why, sizeof(w->target->why), "%s", why);
}

/* Every check that is still due is not tested. */
static void give_up(struct worker *w, size_t from, const char *why)
{
	struct run *r = w->run;

	pthread_mutex_lock(&r->lock);
	r->incomplete = true;
	for (size_t i = from; i < r->row_count; i++)
		if (run_applies(r, r->rows[i], w->target))
			keep_result(r, w->target, r->rows[i]->id, VERDICT_UNTESTED, why, false);
	pthread_mutex_unlock(&r->lock);
}

/* ---- models and canaries ---- */

static struct model *model_of(struct run *r, const char *name)
{
	struct model *m = r->models;

	while (m && strcmp(m->name, name) != 0)
		m = m->next;
	if (m)
		return m;
	m = mem_zalloc(1, sizeof(*m));
	if (!m)
		return NULL;
	(void)slice_to_z(slice_z(name), m->name, sizeof(m->name));
	m->next = r->models;
	r->models = m;
	return m;
}

/* Waits for the model's canary, or becomes it. False: the model is suspended, or the run ends. */
static bool enter_model(struct worker *w)
{
	struct run *r = w->run;
	bool good;

	if (!target_is_gentle(w->target))
		return true;
	pthread_mutex_lock(&r->lock);
	w->model = model_of(r, target_model(w->target));
	while (w->model && w->model->state == MODEL_CANARY && !atomic_load(&r->cancel)) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		(void)pthread_cond_timedwait(&r->model_done, &r->lock, &until);
	}
	if (w->model && w->model->state == MODEL_NEW) {
		w->model->state = MODEL_CANARY;
		w->canary = true;
		memcpy(w->model->canary, w->target->name, sizeof(w->model->canary));
	}
	good = w->model && w->model->state != MODEL_SUSPENDED && !atomic_load(&r->cancel);
	pthread_mutex_unlock(&r->lock);
	return good;
}

static void leave_model(struct worker *w, bool well)
{
	struct run *r = w->run;

	if (!w->model)
		return;
	pthread_mutex_lock(&r->lock);
	if (!well) {
		w->model->state = MODEL_SUSPENDED;
		snprintf(r->stopped_why, sizeof(r->stopped_why),
			 "%s no longer answered its health probe; devices of its model (%s) were "
			 "left alone from then on",
			 w->target->name, w->model->name);
	} else if (w->canary && w->model->state == MODEL_CANARY) {
		w->model->state = MODEL_GOOD;
	}
	pthread_cond_broadcast(&r->model_done);
	pthread_mutex_unlock(&r->lock);
}

static bool model_is_suspended(struct worker *w)
{
	bool suspended;

	if (!w->model)
		return false;
	pthread_mutex_lock(&w->run->lock);
	suspended = w->model->state == MODEL_SUSPENDED;
	pthread_mutex_unlock(&w->run->lock);
	return suspended;
}

/* ---- one device ---- */

static int may_guess(void *ctx, const struct target *t)
{
	struct run *r = ctx;
	int err;

	pthread_mutex_lock(&r->lock);
	err = ledger_guess(r->store, t->name, r->wish.config->assess.guesses_per_day,
			   clock_wall_ms());
	pthread_mutex_unlock(&r->lock);
	return err;
}

static int ask_gateway(void *ctx, const char *path, char **out_text)
{
	struct run *r = ctx;
	int err = ERR_ABSENT;

	pthread_mutex_lock(&r->lock);
	if (r->wish.ask_gateway)
		err = r->wish.ask_gateway(r->wish.ctx, path, out_text);
	pthread_mutex_unlock(&r->lock);
	return err;
}

/* Places forget what they received; where that has gaps, nothing seen is no evidence. */
static void settle_places(struct worker *w, struct pending *p)
{
	for (size_t i = 0; i < PLACES_MAX && w->target->places[i]; i++) {
		char why[PLACE_WHY_MAX];

		if (place_trouble(w->target->places[i], why) &&
		    (p->verdict == VERDICT_CLEAN || p->verdict == VERDICT_ABSENT))
			p->verdict = visit_untested(&w->visit, "%s", why);
		place_reset(w->target->places[i]);
	}
}

static bool in_call(void *ctx, const struct target *t)
{
	return run_in_call(ctx, t) != 0;
}

/* What was not finished is not good. */
static void doubt(struct worker *w, struct pending *p)
{
	if (p->verdict == VERDICT_FOUND)
		return;
	if (atomic_load(&w->run->cancel))
		p->verdict = visit_untested(&w->visit, "the run was ended");
	else if (w->visit.in_call)
		p->verdict = visit_untested(&w->visit, "it came into a call");
}

static void visit_one(struct worker *w, const struct check_row *row)
{
	struct visit_host host = {.ctx = w->run,
				  .may_guess = may_guess,
				  .ask_gateway = ask_gateway,
				  .in_call = in_call,
				  .state_dir = w->run->wish.config->assess.state,
				  .data_dir = w->run->wish.data_dir,
				  .is_patchable = w->run->wish.is_patchable,
				  .patches = w->run->wish.patches};
	struct pending *p = &w->pending[w->pending_count++];
	const char *why_not = run_why_not(row, w->target);
	struct arena arena;

	*p = (struct pending){
		.row = row, .verdict = VERDICT_UNTESTED, .not_asked = why_not != NULL};
	if (why_not) {
		snprintf(p->why, sizeof(p->why), "%s", why_not);
		return;
	}
	arena_init(&arena, 4096, VISIT_ARENA_BYTES);
	if (visit_begin(&w->visit, row, w->target, &host, &arena) == 0)
		p->verdict = row->run(&w->visit);
	settle_places(w, p);
	if (w->visit.finding_count) {
		p->partial = p->verdict == VERDICT_UNTESTED || w->visit.more || w->visit.in_call ||
			     atomic_load(&w->run->cancel);
		p->verdict = VERDICT_FOUND;
	}
	doubt(w, p);
	p->not_asked = w->visit.not_asked && !w->visit.in_call;
	if (p->verdict != VERDICT_CLEAN || w->visit.noted)
		memcpy(p->why, w->visit.why, sizeof(p->why));
	pthread_mutex_lock(&w->run->lock);
	for (size_t i = 0; i < w->visit.finding_count; i++)
		keep_finding(w->run, &w->visit.findings[i]);
	pthread_mutex_unlock(&w->run->lock);
	arena_done(&arena);
}

/* Health is asked for after each group: of a gentle device after every few checks, of any when the
 * class of checks changes. */
static bool group_ends(const struct worker *w, size_t i)
{
	const struct run *r = w->run;
	size_t most = target_is_gentle(w->target) ? GROUP_CHECKS : GROUP_CHECKS * 8;

	return w->pending_count >= most || w->visit.in_call || i + 1 == r->row_count ||
	       r->rows[i + 1]->class != r->rows[i]->class;
}

/* True: the device is as well as before. */
static bool visit_all(struct worker *w)
{
	struct run *r = w->run;
	const char *busy;

	for (size_t i = 0; i < r->row_count; i++) {
		if (run_applies(r, r->rows[i], w->target))
			visit_one(w, r->rows[i]);
		if (!w->pending_count || !group_ends(w, i))
			continue;
		if (atomic_load(&r->cancel)) {
			settle(w, NULL);
			stop_target(w, TARGET_STOPPED, "the run was ended");
			give_up(w, i + 1, "the run was ended");
			return true;
		}
		busy = run_wait_idle(r, w->target);
		if (!busy && !look_is_well(w->target)) {
			settle(w, "the device did not answer any more");
			stop_target(w, TARGET_STOPPED,
				    "it no longer answered its health probe, twice");
			give_up(w, i + 1, w->target->why);
			return false;
		}
		settle(w, busy);
		if (busy || (i + 1 < r->row_count && model_is_suspended(w))) {
			stop_target(w, busy ? TARGET_IN_CALL : TARGET_STOPPED,
				    busy ? busy : "another device of its model fell silent");
			give_up(w, i + 1, w->target->why);
			return true;
		}
	}
	return true;
}

/* What is not even begun, and why. False: it is begun. */
static bool is_left_alone(struct worker *w)
{
	struct target *t = w->target;
	char why[SCOPE_WHY_MAX];
	const char *busy;
	bool in_subnet = t->asset->subnet_count > 0;

	if (scope_admit(w->run->wish.config, &t->address, why)) {
		stop_target(w, TARGET_STOPPED, why);
		pthread_mutex_lock(&w->run->lock);
		snprintf(w->run->stopped_why, sizeof(w->run->stopped_why), "%s", why);
		pthread_mutex_unlock(&w->run->lock);
	} else if ((busy = run_wait_idle(w->run, t)) != NULL) {
		stop_target(w, TARGET_IN_CALL, busy);
	} else if (look_first(t)) {
		if (in_subnet && !atomic_load(&w->run->cancel)) {
			stop_target(w, TARGET_NOT_ANSWERED, "nothing answers at this address");
			return true; /* no device, no gap in the run */
		}
		stop_target(w, TARGET_UNREACHABLE, "nothing answers at this address");
	} else if (!enter_model(w)) {
		stop_target(w, TARGET_STOPPED,
			    atomic_load(&w->run->cancel)
				    ? "the run was ended"
				    : "its model was suspended: a device of it fell silent");
	} else {
		return false;
	}
	give_up(w, 0, t->why);
	return true;
}

static void note_asset(struct run *r, size_t index)
{
	struct target *t = &r->targets[index];
	struct asset_result *a;

	pthread_mutex_lock(&r->lock);
	a = &r->harvest.assets[r->harvest.asset_count++];
	*a = (struct asset_result){.address = t->address,
				   .kind = t->asset->kind,
				   .state = t->state,
				   .line = t->asset->line,
				   .packets = t->pace.packets,
				   .why = *t->why ? t->why : NULL,
				   .product = *t->product ? t->product : NULL,
				   .version = *t->version ? t->version : NULL,
				   .seen_by = *t->seen_by ? t->seen_by : NULL};
	memcpy(a->asset, t->name, sizeof(a->asset));
	r->done++;
	if (r->wish.on_target)
		r->wish.on_target(r->wish.ctx, a, r->done, r->target_count);
	pthread_mutex_unlock(&r->lock);
}

static void work_on(struct run *r, struct worker *w, size_t index)
{
	w->run = r;
	w->target = &r->targets[index];
	w->model = NULL;
	w->canary = false;
	w->pending_count = 0;
	w->target->state = TARGET_TESTED;
	if (!is_left_alone(w))
		leave_model(w, visit_all(w));
	note_asset(r, index);
}

/* The next one in the order; target_count: none is left. */
static size_t take_next(struct run *r)
{
	size_t i;

	pthread_mutex_lock(&r->lock);
	i = r->next < r->target_count ? r->next++ : r->target_count;
	pthread_mutex_unlock(&r->lock);
	return i;
}

static void *work(void *arg)
{
	struct run *r = arg;
	struct worker *w = mem_zalloc(1, sizeof(*w));
	size_t i;

	if (!w) {
		pthread_mutex_lock(&r->lock);
		r->nomem = true;
		pthread_mutex_unlock(&r->lock);
		return NULL;
	}
	while ((i = take_next(r)) < r->target_count)
		work_on(r, w, r->order[i]);
	mem_free(w);
	return NULL;
}

int run_work(struct run *r)
{
	size_t most = r->wish.config->assess.devices_at_once, started = 0;
	size_t wanted = r->target_count < most ? r->target_count : most;
	pthread_t *threads = mem_zalloc(wanted, sizeof(*threads));
	pthread_attr_t attr;

	r->harvest.assets = mem_zalloc(r->target_count, sizeof(*r->harvest.assets));
	if (!threads || !r->harvest.assets) {
		mem_free(threads);
		return ERR_NOMEM;
	}
	pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	while (started < wanted && pthread_create(&threads[started], &attr, work, r) == 0)
		started++;
	pthread_attr_destroy(&attr);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	mem_free(threads);
	return started ? 0 : ERR_LIMIT;
}
