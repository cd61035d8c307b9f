/* Limits of the call core: name, value, unit, reason. */
#ifndef HW_CALL_LIMITS_H
#define HW_CALL_LIMITS_H

#define TXN_MAX		 65536 /* open transactions; some six per call under way */
#define CALL_STREAMS_MAX 8     /* m= lines relayed per call; more are refused with port 0 */
#define CALL_FORKS_MAX	 12    /* early dialogs of one INVITE */
#define CALL_ARENA_CHUNK 2048  /* bytes; an ordinary call fits three */
#define CALL_ARENA_MAX	 32768 /* bytes of one call, with all its routes and identifiers */
#define CALL_ROUTES_MAX	 16    /* entries of one route set */
/* RFC 5630 7.2.1: of a 480 for a sips: address that TLS does not lead to. */
#define SIPS_NOT_ALLOWED "Warning: 380 hornwork \"SIPS Not Allowed\"\r\n"

#define CORE_MESSAGE_MAX 65535	/* bytes of one message that we write */
#define CALL_RING_MS	 180000 /* an INVITE without final answer ends (RFC 3261 16.6: timer C) */
#define CALL_IDENTITY_MS                                                                           \
	4000 /* a call waits so long to be verified; 2.5 s are for its certificate */
#define CALL_SIGN_MS	      1000  /* and so long to be signed, which takes less than 1 ms */
#define CALL_ENDED_LINGER_MS  32000 /* a dialog's identifiers are kept for late BYEs: 64 * T1 */
#define SESSION_EXPIRES_MIN_S 90    /* RFC 4028 5 */
#define CALL_PROBE_AGAIN_MS   20000 /* after a probe met an error: a PBX restarts in less */
#define CALL_TOKEN_BYTES      10    /* random bytes in a Call-ID, tag or Contact token of ours */

/* RFC 3261 17, table 4 */
#define TXN_T1_MS      500
#define TXN_T2_MS      4000
#define TXN_T4_MS      5000
#define TXN_TIMEOUT_MS (64 * TXN_T1_MS) /* timers B, F, H, J, L, M */
#define TXN_D_MS       32000		/* timer D: more than 32 s over UDP */
#define TXN_TRYING_MS  200		/* an INVITE unanswered for so long gets a 100 (17.2.1) */
/* A request that nobody answers is forgotten; its client gave up (timer F) long before. */
#define TXN_ANSWER_MS (TXN_TIMEOUT_MS + TXN_T4_MS)

#endif
