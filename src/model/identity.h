/* What is asked about who calls, and what is answered (RFC 8224): between the core, which knows
 * calls, and the process that keeps keys. */
#ifndef HW_MODEL_IDENTITY_H
#define HW_MODEL_IDENTITY_H

#include <stdint.h>

#define IDENTITY_HEADER_MAX 2048 /* bytes of an Identity header with a NUL; ours have some 800 */
#define IDENTITY_USER_MAX   64	 /* bytes of a URI's user that could be a number, with a NUL */
#define IDENTITY_TN_MAX	    16	 /* ITU-T E.164: 15 digits, and a NUL */
#define IDENTITY_ORIGID_MAX 40	 /* a UUID (RFC 8588 5) and a NUL */
#define IDENTITY_DETAIL_MAX 128	 /* bytes of what went wrong, with a NUL */

/* A call that is to be signed. The users of its URIs as they came. */
struct identity_ask {
	uint32_t call;
	uint32_t trunk; /* index: with its certificate */
	char from[IDENTITY_USER_MAX], asserted[IDENTITY_USER_MAX], to[IDENTITY_USER_MAX];
};

struct identity_answer {
	uint32_t call;
	uint32_t reason;		  /* REASON_identity_signed or REASON_identity_unsigned */
	uint32_t attest;		  /* 'A', 'B', 'C' */
	char tn[IDENTITY_TN_MAX];	  /* the caller's number as signed */
	char origid[IDENTITY_ORIGID_MAX]; /* the name that we give ourselves as an origin */
	char detail[IDENTITY_DETAIL_MAX];
	char header[IDENTITY_HEADER_MAX]; /* the value of the Identity header */
};

/* What became of a call's identity. */
enum identity_state {
	IDENTITY_NOT_ASKED,
	IDENTITY_WAITING,
	IDENTITY_SIGNED, /* by us */
	IDENTITY_UNSIGNED,
};

struct identity_view {
	uint8_t state;	/* enum identity_state */
	uint8_t attest; /* 'A', 'B', 'C'; 0 = none */
	char tn[IDENTITY_TN_MAX];
	char origid[IDENTITY_ORIGID_MAX];
};

/* How a number as dialled becomes one of E.164 (RFC 8224 8.3). */
#define NUMBER_PREFIX_MAX 8
struct number_plan {
	char country[NUMBER_PREFIX_MAX];       /* "49"; empty = numbers are taken as they come */
	char international[NUMBER_PREFIX_MAX]; /* "00" */
	char national[NUMBER_PREFIX_MAX];      /* "0" */
};

#endif
