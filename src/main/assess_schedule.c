#include "main/assess_schedule.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "assess/checks/table.h"
#include "assess/run.h"
#include "config/config_load.h"
#include "config/resolve.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/assess.h"
#include "main/assess_data.h"
#include "main/command.h"
#include "proc/identity.h"
#include "proc/sandbox.h"
#include "proc/spawner.h"

#define LOOK_MS	     20000 /* between two looks at clock and configuration */
#define STEP_MS	     500   /* while an assessment is under way */
#define MEMORY_OWNER "@schedule"

/* ---- when ---- */

bool schedule_in_window(const struct config_assess *a, unsigned minute)
{
	if (a->window_first == a->window_last)
		return true;
	if (a->window_first < a->window_last)
		return minute >= a->window_first && minute < a->window_last;
	return minute >= a->window_first || minute < a->window_last;
}

bool schedule_is_due(const struct config_assess *a, uint64_t last_ms, uint64_t now_ms,
		     unsigned minute)
{
	return a->every_s && schedule_in_window(a, minute) &&
	       (last_ms > now_ms || now_ms - last_ms >= (uint64_t)a->every_s * 1000);
}

static unsigned minute_of_day(void)
{
	time_t now = time(NULL);
	struct tm local = {0};

	localtime_r(&now, &local);
	return (unsigned)(local.tm_hour * 60 + local.tm_min);
}

/* ---- the process ---- */

struct watch {
	struct run *run;
	const struct config_assess *assess;
	atomic_bool over;
};

static bool gateway_is_gone(int wait_ms)
{
	struct pollfd p = {.fd = PROC_CHILD_FD, .events = POLLIN};

	return poll(&p, 1, wait_ms) > 0;
}

/* Ends the run with the gateway, and with the window. */
static void *watch_over(void *arg)
{
	struct watch *w = arg;

	while (!atomic_load(&w->over)) {
		if (gateway_is_gone(STEP_MS) || !schedule_in_window(w->assess, minute_of_day())) {
			run_cancel(w->run);
			break;
		}
	}
	return NULL;
}

static void tell_result(struct store *s, const struct run *r)
{
	struct check_table checks = checks_table();
	struct assess_report report;
	size_t fresh = 0, fixed = 0, open = 0;

	if (ledger_report(s, run_number(r), clock_wall_ms(), &checks, &report))
		return;
	for (size_t i = 0; i < report.finding_count; i++) {
		const struct finding *f = &report.findings[i];

		open += f->state == FINDING_OPEN && !f->suppressed;
		fresh += f->change == CHANGE_NEW || f->change == CHANGE_BACK;
		fixed += f->change == CHANGE_FIXED;
	}
	log_line(fresh ? SEV_WARNING : SEV_INFO,
		 "assess: %s: %zu open, %zu new, %zu fixed%s%s; hornwork findings lists them",
		 report.run, open, fresh, fixed, report.complete ? "" : ", incomplete",
		 report.stopped ? ", stopped by a safety guard" : "");
	report_done(&report);
}

static void assess_now(const struct config *c, const char *config_path, const char *run_dir,
		       struct store *s)
{
	struct assess_gateway gateway = {.run_dir = run_dir};
	struct run_wish wish = assess_wish(c, config_path, &gateway);
	struct watch watch = {.assess = &c->assess};
	struct assess_patches patches;
	pthread_t thread;
	struct fault fault;
	char why[256], data_dir[CONFIG_PATH_MAX];
	int err;

	if (assess_data_dir(data_dir, sizeof(data_dir), &fault) == 0)
		wish.data_dir = data_dir;
	assess_patches_open(&patches, &wish);
	err = run_new(&wish, why, &watch.run);
	if (err) {
		log_line(SEV_WARNING, "assess: %s", why);
		assess_patches_close(&patches);
		assess_gateway_done(&gateway);
		return;
	}
	if (pthread_create(&thread, NULL, watch_over, &watch) == 0) {
		err = run_all(watch.run, s);
		atomic_store(&watch.over, true);
		pthread_join(thread, NULL);
		if (err)
			log_line(SEV_WARNING, "assess: %s (%s)", err_text(err), store_why(s));
		else
			tell_result(s, watch.run);
	}
	run_free(watch.run);
	assess_patches_close(&patches);
	assess_gateway_done(&gateway);
}

static uint64_t last_start(struct store *s)
{
	char text[32];
	uint64_t last = 0;

	if (ledger_recall(s, MEMORY_OWNER, "started", text, sizeof(text)) == 0)
		(void)!slice_u64(slice_z(text), UINT64_MAX / 2, &last);
	return last;
}

/* A wrong file is the gateway's to complain about: the next look reads it again. */
static void look(const char *config_path, const char *run_dir)
{
	struct config_report report = config_report_empty();
	struct config *c = NULL;
	struct store *s = NULL;
	uint64_t now = clock_wall_ms();
	struct config_world world;
	char text[32];

	if (config_load(config_path, &report, &c) == 0 && c->assess.every_s && c->asset_count &&
	    assess_open_store(c, &s) == 0 &&
	    schedule_is_due(&c->assess, last_start(s), now, minute_of_day())) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)now);
		world = config_world_system();
		config_resolve_pbxs(c, &world);
		if (ledger_remember(s, MEMORY_OWNER, "started", text, now) == 0)
			assess_now(c, config_path, run_dir, s);
	}
	store_close(s);
	config_report_done(&report);
	config_free(c);
}

int child_assess(int argc, char **argv)
{
	struct stat st;

	if (argc != 3 || fstat(PROC_CHILD_FD, &st) || !S_ISSOCK(st.st_mode) || proc_harden() ||
	    proc_sandbox_assess())
		return EXIT_USAGE;
	(void)fcntl(PROC_CHILD_FD, F_SETFD, FD_CLOEXEC);
	(void)prctl(PR_SET_NAME, "hw-assess", 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	do
		look(argv[1], argv[2]);
	while (!gateway_is_gone(LOOK_MS));
	curl_global_cleanup();
	return EXIT_GOOD;
}
