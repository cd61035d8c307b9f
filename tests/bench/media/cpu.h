/* CPU time in ns, of this thread, of its core's softirq thread and of other processes. */
#ifndef HW_BENCH_MEDIA_CPU_H
#define HW_BENCH_MEDIA_CPU_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CPU_PIDS_MAX 8
#define CPU_NUMBER   0 /* the core that everything runs on */

struct cpu_watch {
	pid_t pids[CPU_PIDS_MAX]; /* with all their threads */
	size_t count;
	pid_t softirq; /* of CPU_NUMBER; 0 = not found */
};

/* Pins the calling thread to CPU_NUMBER and lets everything else go first. -errno. */
int cpu_settle(void);
void cpu_find_softirq(struct cpu_watch *w);
/* Sum until now of what is watched and of the calling thread. */
uint64_t cpu_ns(const struct cpu_watch *w);

#endif
