/* Is a payload encrypted? By what it looks like, without a key: ciphertext is uniform, no codec's
 * output is. */
#ifndef HW_MEDIA_EVIDENCE_H
#define HW_MEDIA_EVIDENCE_H

#include "base/slice.h"

#define EVIDENCE_PACKET_MIN 48	 /* bytes of one payload that are needed to say something of it */
#define EVIDENCE_STREAM_MIN 4096 /* bytes of many payloads */

/* One payload that ciphertext would not give once in 10^9 packets: fewer different byte values than
 * chance. False also when nothing can be said. */
bool evidence_packet_clear(struct slice payload);

/* Byte values of a stream's payloads. All zero at first. */
struct evidence {
	uint16_t seen[256];
	uint32_t total;
};

enum evidence_verdict { EVIDENCE_UNKNOWN, EVIDENCE_CLEAR, EVIDENCE_ENCRYPTED };

/* Takes a payload; beyond some 60,000 bytes nothing more is taken. */
void evidence_add(struct evidence *e, struct slice payload);
/* A chi-squared test of the byte values against a uniform distribution. */
enum evidence_verdict evidence_verdict(const struct evidence *e);
const char *evidence_text(enum evidence_verdict v);

#endif
