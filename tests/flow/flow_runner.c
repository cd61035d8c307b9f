/* Plays stories: as written, then with the n-th heap request failing, then with each message to the
 * core lost or doubled, or another core going on behind it. As written everything is checked;
 * otherwise only that nothing crashes, leaks or is left standing. Usage: flow_runner [--once]
 * FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/lib/player.h"

#define ALLOCATION_RUNS_MAX 600 /* of a long story only every k-th request fails */

static bool judge(const char *file, const char *how, unsigned long n,
		  const struct player_result *result)
{
	if (!result->good)
		fprintf(stderr, "%s, %s %lu:\n%s\n", file, how, n, result->failure);
	return result->good;
}

static bool play_with_mishaps(const char *file, const struct script *s,
			      const struct player_result *whole)
{
	unsigned long step = whole->allocations / ALLOCATION_RUNS_MAX + 1;
	struct player_result r;

	for (unsigned long n = 1; n <= whole->allocations; n += step) {
		r = player_play(s, (struct player_mishap){.fail_alloc = n});
		if (!judge(file, "failing heap request", n, &r))
			return false;
	}
	for (unsigned n = 1; n <= whole->events; n++) {
		r = player_play(s, (struct player_mishap){.lose_event = n});
		if (!judge(file, "losing message", n, &r))
			return false;
		r = player_play(s, (struct player_mishap){.double_event = n});
		if (!judge(file, "doubling message", n, &r))
			return false;
		r = player_play(s, (struct player_mishap){.die_event = n});
		if (!judge(file, "another core behind message", n, &r))
			return false;
	}
	return true;
}

static bool play_file(const char *file, bool once)
{
	struct script *s = script_load(file);
	struct player_result whole;
	bool good = false;

	if (!s)
		return false;
	whole = player_play(s, (struct player_mishap){0});
	if (judge(file, "as written", 0, &whole))
		good = once || play_with_mishaps(file, s, &whole);
	if (good)
		printf("%s: good (%u messages, %lu heap requests)\n", file, whole.events,
		       whole.allocations);
	script_free(s);
	return good;
}

int main(int argc, char **argv)
{
	bool once = argc > 1 && strcmp(argv[1], "--once") == 0;
	int failures = 0;

	for (int i = once ? 2 : 1; i < argc; i++)
		failures += !play_file(argv[i], once);
	return failures ? 1 : 0;
}
