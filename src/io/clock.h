/* The clocks of the machine; everything below takes its time from here as a parameter. */
#ifndef HW_IO_CLOCK_H
#define HW_IO_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT_MAX 25 /* "2026-01-02T03:04:05.678Z" and a NUL */

/* Monotonic; never goes back, starts anywhere. */
uint64_t clock_ms(void);
uint64_t clock_ns(void);
/* Sleeps, about so long. */
void clock_pause_us(unsigned us);
/* Milliseconds since 1970, as the machine believes. */
uint64_t clock_wall_ms(void);
/* The same in nanoseconds. */
uint64_t clock_wall_ns(void);
/* The wall time of a monotonic moment that lies in the past or present. */
uint64_t clock_wall_of(uint64_t monotonic_ms);
/* RFC 3339 in UTC with milliseconds; returned for convenience. */
const char *clock_text(uint64_t wall_ms, char buf[static CLOCK_TEXT_MAX]);

#endif
