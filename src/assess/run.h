/* A run: every check that was asked for at every target, each target in a thread of its own, at its
 * own pace; canaries first, health between groups. */
#ifndef HW_ASSESS_RUN_H
#define HW_ASSESS_RUN_H

#include <stdio.h>

#include "assess/check_row.h"
#include "assess/ledger.h"

#define RUN_TARGETS_MAX 16384
#define RUN_ONLY_MAX	128 /* checks and recommendations named by --only */

/* What was asked for. */
struct run_wish {
	const struct config *config;
	const char *config_file;
	struct check_table checks;
	const char *const *only; /* "r3", "DV", "DV-04"; none = all */
	size_t only_count;
	const char *target; /* an asset, ASSET/ADDRESS or an address; NULL = all */
	bool intrusive;
	const char *data_dir; /* the shipped facts; NULL: they are not there */
	/* Whether the gateway has a virtual patch for a CVE; NULL = nobody can be asked. Called by
	 * several threads at a time. */
	bool (*is_patchable)(const void *patches, const char *cve);
	const void *patches;
	/* 1: the gateway knows this address to be in a call; 0: it is not, or no gateway runs here;
	 * negative: it runs and does not say. NULL = nobody can be asked. Called by one thread at a
	 * time. */
	int (*in_call)(void *ctx, const struct ip_addr *a);
	/* The gateway's API; NULL = none. One thread at a time. As visit_ask_gateway. */
	int (*ask_gateway)(void *ctx, const char *path, char **out_text);
	/* For each target that is done; NULL = nobody wants to know. One thread at a time. */
	void (*on_target)(void *ctx, const struct asset_result *a, size_t done, size_t all);
	void *ctx;
};

struct run;

/* ERR_ABSENT: --only or --target names nothing; ERR_DENIED: --target is outside of the scope;
 * ERR_LIMIT: too many targets; ERR_NOMEM. `why` says it. */
int run_new(const struct run_wish *wish, char why[static 256], struct run **out) must_check;
/* Accepts NULL. */
void run_free(struct run *r);
/* What would be sent to whom at most, in words or as JSON. */
void run_print_plan(const struct run *r, bool json, FILE *to);
/* Does it. ERR_PEER, -errno: the store fails. */
int run_all(struct run *r, struct store *s) must_check;
/* From a signal handler or another thread: nothing more is sent, what was found is kept. */
void run_cancel(struct run *r);
/* The number of the run in the book, once it has begun. */
uint64_t run_number(const struct run *r);
#endif
