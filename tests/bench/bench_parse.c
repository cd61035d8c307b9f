/* Measures one parser over INVITEs of our own making: CPU time and heap allocations per message,
 * printed as one JSON object. */
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench_parse.h"
#include "bench/invites.h"

#define ROUNDS	   25	    /* the fastest counts: other work on the machine only adds */
#define ROUND_NS   40000000 /* about; a round is whole passes over the messages */
#define CPU_WANTED 1

/* glibc's own entries, so that each call can be counted. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t n);

static unsigned long heap_requests;

void *malloc(size_t n)
{
	heap_requests++;
	return __libc_malloc(n);
}

void *calloc(size_t count, size_t size)
{
	heap_requests++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t n)
{
	heap_requests++;
	return __libc_realloc(old, n);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void pass(const struct invites *all)
{
	for (unsigned i = 0; i < INVITES; i++) {
		if (bench_parser_run(all->text[i], all->bytes[i]))
			continue;
		fprintf(stderr, "%s refuses message %u:\n%s\n", bench_parser_name, i, all->text[i]);
		exit(1);
	}
}

/* Nanoseconds per message of one round. */
static double round_ns(const struct invites *all)
{
	double start = cpu_ns(), spent;
	unsigned passes = 0;

	do {
		pass(all);
		passes++;
		spent = cpu_ns() - start;
	} while (spent < ROUND_NS);
	return spent / passes / INVITES;
}

int main(void)
{
	static struct invites all;
	double ns = 1e18;
	unsigned long before;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(CPU_WANTED, &cpus);
	(void)sched_setaffinity(0, sizeof(cpus), &cpus); /* one CPU is as good, then */
	invites_make(&all);
	bench_parser_start();
	pass(&all);
	before = heap_requests;
	pass(&all);
	before = heap_requests - before;
	for (unsigned i = 0; i < ROUNDS; i++) {
		double one = round_ns(&all);

		ns = one < ns ? one : ns;
	}
	printf("{\"parser\": \"%s\", \"ns_per_message\": %.0f, \"heap_allocations\": %.2f, "
	       "\"messages\": %d, \"mean_bytes\": %.0f}\n",
	       bench_parser_name, ns, (double)before / INVITES, INVITES,
	       (double)all.total_bytes / INVITES);
	return 0;
}
