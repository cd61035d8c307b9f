#include "guard/r5_quality.h"

static unsigned bit(enum r5_alarm alarm, bool on)
{
	return on ? 1u << alarm : 0;
}

/* Silence in one direction while the other one speaks is one-way audio; in both it is silence. */
static unsigned silences(const struct config_zone *z, const struct r5_stream *s)
{
	bool silent = z->quality_silence_ms && s->open_ms >= z->quality_silence_ms &&
		      s->silent_ms >= z->quality_silence_ms;
	bool other = s->other_silent_ms >= z->quality_silence_ms;

	return bit(R5_ALARM_ONE_WAY, silent && !other) | bit(R5_ALARM_SILENCE, silent && other);
}

unsigned r5_quality_alarms(const struct config_zone *z, const struct r5_stream *s, unsigned raised)
{
	unsigned alarms = silences(z, s);

	if (s->expected >= R5_QUALITY_PACKETS_MIN)
		alarms |=
			bit(R5_ALARM_LOSS, z->quality_loss && s->loss_percent >= z->quality_loss) |
			bit(R5_ALARM_JITTER,
			    z->quality_jitter_ms && s->jitter_ms >= z->quality_jitter_ms) |
			bit(R5_ALARM_R_FACTOR, z->quality_r_factor && s->r_factor >= 0 &&
						       s->r_factor < z->quality_r_factor);
	return alarms & ~raised;
}

enum reason r5_quality_reason(enum r5_alarm alarm)
{
	static const enum reason rows[R5_ALARM_COUNT] = {
		[R5_ALARM_LOSS] = REASON_quality_loss,
		[R5_ALARM_JITTER] = REASON_quality_jitter,
		[R5_ALARM_R_FACTOR] = REASON_quality_r_factor,
		[R5_ALARM_ONE_WAY] = REASON_one_way_audio,
		[R5_ALARM_SILENCE] = REASON_media_silent,
	};

	return alarm < R5_ALARM_COUNT ? rows[alarm] : REASON_NONE;
}
