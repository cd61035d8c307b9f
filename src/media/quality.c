#include "media/quality.h"

#define R_DEFAULT	 93.2 /* Ro - Is with G.107's defaults */
#define PACKETISATION_MS 20.0 /* a usual packet: it must be whole before it is sent */
#define DELAY_KNEE_MS	 177.3

/* Ie and Bpl of ITU-T G.113 Appendix I (narrowband scale, random loss, concealment on). Where the
 * appendix has no narrowband figure for a codec, the nearest relative's stands and is marked. */
static const struct {
	struct slice name;
	double ie, bpl;
} codecs[] = {
	{SLICE("PCMU"), 0, 25.1},
	{SLICE("PCMA"), 0, 25.1},
	{SLICE("G722"), 0, 25.1}, /* as G.711: its narrowband half is waveform coding too */
	{SLICE("G729"), 11, 19.0},
	{SLICE("G723"), 15, 16.1},
	{SLICE("GSM"), 20, 10.0}, /* Bpl as GSM-EFR */
	{SLICE("GSM-EFR"), 5, 10.0},
	{SLICE("AMR"), 5, 10.0},    /* 12.2 kbit/s is GSM-EFR */
	{SLICE("AMR-WB"), 5, 10.0}, /* as AMR */
	{SLICE("iLBC"), 11, 32.0},  /* RFC 3951's concealment; between G.729 and G.711 */
	{SLICE("G726-32"), 7, 25.1},
	{SLICE("G726-24"), 25, 25.1},
	{SLICE("G726-16"), 50, 25.1},
	{SLICE("opus"), 0, 25.1}, /* as G.711: in-band FEC and concealment */
	{SLICE("speex"), 11, 19.0},
};

/* An unknown codec is judged as G.711: by its loss and delay alone. */
static void equipment_of(struct slice codec, double *ie, double *bpl)
{
	struct slice rest, name = slice_split(codec, '/', &rest);

	*ie = 0;
	*bpl = 25.1;
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		if (slice_eq_nocase(name, codecs[i].name)) {
			*ie = codecs[i].ie;
			*bpl = codecs[i].bpl;
			return;
		}
	}
}

/* The simplification of G.107's Id that is exact to about one point below 400 ms. */
static double delay_impairment(double delay_ms)
{
	double id = 0.024 * delay_ms;

	return delay_ms > DELAY_KNEE_MS ? id + 0.11 * (delay_ms - DELAY_KNEE_MS) : id;
}

double quality_mos(double r_factor)
{
	if (r_factor <= 0)
		return 1;
	if (r_factor >= 100)
		return 4.5;
	return 1 + 0.035 * r_factor + r_factor * (r_factor - 60) * (100 - r_factor) * 7e-6;
}

struct quality quality_of(const struct quality_input *in)
{
	struct quality q = {.r_factor = -1};
	double ie, bpl, delay_ms;

	if (in->expected == 0)
		return q;
	q.loss_percent = 100.0 * (double)in->lost / (double)in->expected;
	if (q.loss_percent > 100)
		q.loss_percent = 100;
	equipment_of(in->codec, &ie, &bpl);
	delay_ms = PACKETISATION_MS + in->one_way_ms + 2.0 * in->jitter_us / 1000.0;
	q.r_factor = R_DEFAULT - delay_impairment(delay_ms) - ie -
		     (95 - ie) * q.loss_percent / (q.loss_percent + bpl);
	if (q.r_factor < 0)
		q.r_factor = 0;
	q.mos = quality_mos(q.r_factor);
	if (q.mos < 1) /* Annex B's cubic dips a little below one near zero */
		q.mos = 1;
	return q;
}
