#include "bench/media/cpu.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 96

int cpu_settle(void)
{
	const struct sched_param none = {0};
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(CPU_NUMBER, &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		return -errno;
	return sched_setscheduler(0, SCHED_IDLE, &none) == 0 ? 0 : -errno;
}

static pid_t number_of(const char *name)
{
	return (pid_t)strtol(name, NULL, 10);
}

void cpu_find_softirq(struct cpu_watch *w)
{
	char want[32], path[PATH_BYTES], name[32];
	DIR *proc = opendir("/proc");

	snprintf(want, sizeof(want), "ksoftirqd/%d\n", CPU_NUMBER);
	for (struct dirent *e = proc ? readdir(proc) : NULL; e; e = readdir(proc)) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%.16s/comm", e->d_name);
		f = number_of(e->d_name) > 0 ? fopen(path, "r") : NULL;
		if (f && fgets(name, sizeof(name), f) && strcmp(name, want) == 0)
			w->softirq = number_of(e->d_name);
		if (f)
			fclose(f);
	}
	if (proc)
		closedir(proc);
}

/* The first word of a schedstat file: time on a core, softirqs that ran there meanwhile included.
 */
static uint64_t spent_ns(const char *path)
{
	uint64_t ns = 0;
	FILE *f = fopen(path, "r");

	if (f && fscanf(f, "%" SCNu64, &ns) != 1)
		ns = 0;
	if (f)
		fclose(f);
	return ns;
}

static uint64_t process_ns(pid_t pid)
{
	char path[PATH_BYTES];
	uint64_t sum = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	for (struct dirent *e = tasks ? readdir(tasks) : NULL; e; e = readdir(tasks)) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", pid, e->d_name);
		sum += number_of(e->d_name) > 0 ? spent_ns(path) : 0;
	}
	if (tasks)
		closedir(tasks);
	return sum;
}

uint64_t cpu_ns(const struct cpu_watch *w)
{
	char path[PATH_BYTES];
	uint64_t sum = spent_ns("/proc/thread-self/schedstat");

	if (w->softirq) {
		snprintf(path, sizeof(path), "/proc/%d/schedstat", w->softirq);
		sum += spent_ns(path);
	}
	for (size_t i = 0; i < w->count; i++)
		sum += process_ns(w->pids[i]);
	return sum;
}
