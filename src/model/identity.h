/* What is asked about who calls, and what is answered (RFC 8224): between the core, which knows
 * calls, and the processes that know certificates. */
#ifndef HW_MODEL_IDENTITY_H
#define HW_MODEL_IDENTITY_H

#include <stdint.h>

#define IDENTITY_HEADER_MAX 4096 /* bytes of an Identity header with a NUL; usual are 800 */
#define IDENTITY_USER_MAX   64	 /* bytes of a URI's user that could be a number, with a NUL */
#define IDENTITY_TN_MAX	    16	 /* ITU-T E.164: 15 digits, and a NUL */
#define IDENTITY_ORIGID_MAX 40	 /* a UUID (RFC 8588 5) and a NUL */
#define IDENTITY_DETAIL_MAX 128	 /* bytes of what went wrong, with a NUL */

enum identity_work { IDENTITY_VERIFY, IDENTITY_SIGN };

struct identity_ask {
	uint32_t call;
	uint32_t work;	/* enum identity_work */
	uint32_t trunk; /* index: sign with its certificate; verify: it came from there */
	uint32_t unused;
	uint64_t dialog; /* verify: stands for the Call-ID; one PASSporT is good for one */
	char from[IDENTITY_USER_MAX], asserted[IDENTITY_USER_MAX], to[IDENTITY_USER_MAX];
	char asserted_too[IDENTITY_USER_MAX]; /* RFC 3325 9.1: a second one; empty = there is none
					       */
	char header[IDENTITY_HEADER_MAX];     /* verify: the value of the Identity header */
};

struct identity_answer {
	uint32_t call;
	uint32_t work;
	uint32_t reason; /* REASON_identity_verified, REASON_identity_signed, or what went wrong */
	uint32_t attest; /* 'A', 'B', 'C'; 0 = none was made out */
	char tn[IDENTITY_TN_MAX];	  /* the caller's number as signed */
	char origid[IDENTITY_ORIGID_MAX]; /* who signed gives each origin a name; may be empty */
	char detail[IDENTITY_DETAIL_MAX];
	char header[IDENTITY_HEADER_MAX]; /* sign: the value of the Identity header */
};

/* What is known of a call's origin. */
enum identity_state {
	IDENTITY_NOT_ASKED,
	IDENTITY_ABSENT, /* there was nothing to verify */
	IDENTITY_WAITING,
	IDENTITY_VERIFIED,
	IDENTITY_FAILED,
	IDENTITY_SIGNED, /* by us */
	IDENTITY_UNSIGNED,
};

struct identity_view {
	uint8_t state;	 /* enum identity_state */
	uint8_t attest;	 /* 'A', 'B', 'C' */
	uint16_t reason; /* enum reason */
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
