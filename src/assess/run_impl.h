/* What the files of a run share: run.c makes it, run_plan.c prints it, run_work.c does it. */
#ifndef HW_ASSESS_RUN_IMPL_H
#define HW_ASSESS_RUN_IMPL_H

#include "assess/run.h"
#include "assess/target.h"

/* The canary of a model goes first; the others wait for it. */
enum model_state { MODEL_NEW, MODEL_CANARY, MODEL_GOOD, MODEL_SUSPENDED };

struct model {
	char name[TARGET_TEXT_MAX];
	enum model_state state;
	char canary[FINDING_ASSET_MAX]; /* which device it was */
	struct model *next;
};

/* An asset's devices share nothing but their asset. */
struct run {
	struct run_wish wish;
	const struct check_row **rows; /* selected, in the order in which they are made */
	size_t row_count;
	struct target *targets;
	size_t target_count;
	size_t *order; /* targets, mixed: no switch is loaded alone */
	atomic_bool cancel;
	uint64_t number;

	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t model_done;
	struct arena arena; /* what the harvest points to */
	struct store *store;
	struct harvest harvest;
	size_t finding_room, result_room;
	struct model *models;
	size_t next, done;
	bool incomplete, nomem;
	char stopped_why[384]; /* "" = no guard stopped anything */
};

/* Whether the check is made at this target at all. */
bool run_applies(const struct run *r, const struct check_row *row, const struct target *t);
/* Intrusive logins need the asset's consent besides --intrusive. */
const char *run_why_not(const struct check_row *row, const struct target *t);
/* 1: a phone in a call; 0: not; negative: the gateway does not say. */
int run_in_call(struct run *r, const struct target *t);
/* NULL: the phone is in no call, perhaps after a while; else why it is left alone. */
const char *run_wait_idle(struct run *r, const struct target *t);
/* The devices of the run, each by its thread. */
int run_work(struct run *r) must_check;

#endif
