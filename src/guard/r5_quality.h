/* Does a stream sound as its zone wants it? Thresholds of quality, one-way audio, silence. */
#ifndef HW_GUARD_R5_QUALITY_H
#define HW_GUARD_R5_QUALITY_H

#include "base/reason.h"
#include "model/config.h"

/* One direction of a call's audio as it came in, and its opposite; in milliseconds. */
struct r5_stream {
	uint64_t open_ms;			  /* so long both have been open */
	uint64_t silent_ms, other_silent_ms;	  /* since the last packet, or since the opening */
	uint64_t expected;			  /* packets */
	double loss_percent, jitter_ms, r_factor; /* r_factor negative: no figure */
};

/* Fewer packets say nothing about a path: five seconds at 20 ms. */
#define R5_QUALITY_PACKETS_MIN 250u

/* What is wrong, as bits by enum r5_alarm; those of `raised` are not looked at again. */
enum r5_alarm {
	R5_ALARM_LOSS,
	R5_ALARM_JITTER,
	R5_ALARM_R_FACTOR,
	R5_ALARM_ONE_WAY,
	R5_ALARM_SILENCE,
	R5_ALARM_COUNT
};
unsigned r5_quality_alarms(const struct config_zone *z, const struct r5_stream *s, unsigned raised);
/* The row of an alarm. */
enum reason r5_quality_reason(enum r5_alarm alarm);

#endif
