/* How a stream sounds: loss and jitter to R-factor and MOS. Pure; for `calls` and `watch`. */
#ifndef HW_MEDIA_QUALITY_H
#define HW_MEDIA_QUALITY_H

#include "base/slice.h"

struct quality_input {
	struct slice codec; /* as in a=rtpmap: "PCMU/8000"; case and what follows '/' are ignored */
	uint64_t expected;  /* packets; 0 = nothing came: no figure */
	uint64_t lost;	    /* of them */
	uint32_t jitter_us; /* RFC 3550 A.8 */
	uint32_t one_way_ms; /* network delay where it is known (half the round trip), else 0 */
};

struct quality {
	double loss_percent;
	double r_factor; /* 0..93.2; negative = no figure */
	double mos;	 /* 1..4.5; 0 = no figure */
};

/* ITU-T G.107's E-model with every parameter at its default but delay, equipment impairment and
 * loss (taken as random): R = 93.2 - Id - Ie,eff. The jitter buffer of the listener is taken to be
 * twice the jitter. */
struct quality quality_of(const struct quality_input *in);
/* MOS of an R-factor (G.107 Annex B). */
double quality_mos(double r_factor);

#endif
