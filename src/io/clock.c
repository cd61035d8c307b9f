#include "io/clock.h"

#include <stdio.h>
#include <time.h>

void clock_pause_us(unsigned us)
{
	struct timespec t = {.tv_nsec = (long)us * 1000};

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_ms(void)
{
	return clock_ns() / 1000000u;
}

uint64_t clock_wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_wall_ms(void)
{
	return clock_wall_ns() / 1000000u;
}

uint64_t clock_wall_of(uint64_t monotonic_ms)
{
	uint64_t now = clock_ms(), wall = clock_wall_ms();
	uint64_t ago = now > monotonic_ms ? now - monotonic_ms : 0;

	return wall > ago ? wall - ago : 0;
}

/* Days since 1970 to year, month, day (Hinnant, chrono-compatible date algorithms). */
static void civil_of(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153;

	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = (unsigned)(yoe + era * 400 + (*month <= 2));
}

const char *clock_text(uint64_t wall_ms, char buf[static CLOCK_TEXT_MAX])
{
	unsigned year, month, day, in_day = (unsigned)(wall_ms / 1000 % 86400);

	civil_of(wall_ms / 86400000, &year, &month, &day);
	snprintf(buf, CLOCK_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year % 10000,
		 month % 13, day % 32, in_day / 3600 % 24, in_day / 60 % 60, in_day % 60,
		 (unsigned)(wall_ms % 1000));
	return buf;
}
