/* Limits of verifying and signing callers' identities. */
#ifndef HW_STIR_LIMITS_H
#define HW_STIR_LIMITS_H

#define STIR_URL_MAX	   512	   /* bytes of a certificate's URL with its NUL */
#define STIR_HOST_MAX	   254	   /* RFC 1035 2.3.4 and a NUL */
#define STIR_HOSTS_MAX	   32	   /* hosts that certificates may be fetched from */
#define STIR_CLAIMS_MAX	   2048	   /* bytes of a PASSporT's header or claims; usual are 300 */
#define STIR_DESTS_MAX	   16	   /* called numbers in one PASSporT; a call has one */
#define STIR_CHAIN_MAX	   6	   /* certificates of one file; SHAKEN has three */
#define STIR_BODY_MAX	   65536   /* bytes of one file of certificates; usual are 4,000 */
#define STIR_FILE_MAX	   65536   /* bytes of one file of ours; usual are 4,000 */
#define STIR_ANCHORS_MAX   4194304 /* bytes of one file of authorities; the system's has 220,000 */
#define STIR_INSIDE_MAX	   32	   /* networks that may be fetched from though they are private */
#define STIR_FORBIDDEN_MAX 1024	   /* addresses of ours and of PBXs */
#define STIR_FETCH_MS	   2500 /* from a call to its certificate; the core waits a little longer */
#define STIR_CONNECT_MS	   1500
#define STIR_FETCHERS	   4   /* threads: so many certificates at a time */
#define STIR_PER_HOST	   2   /* of them for one host: a dead one does not hold up the others */
#define STIR_QUEUE_MAX	   64  /* fetches that wait for a thread */
#define STIR_PENDING_MAX   512 /* calls that wait for certificates */
#define STIR_CACHE_MAX	   256 /* certificates; a country has some hundred signers */
#define STIR_KEEP_MIN_S	   60  /* a certificate that may not be kept at all is kept so long */
#define STIR_KEEP_MAX_S	   86400
#define STIR_KEEP_FAILED_S 30	 /* before one that could not be had is asked for again */
#define STIR_FRESH_S	   60	 /* RFC 8224 6.2.4: iat and the clock differ by no more */
#define STIR_SEEN_MAX	   16384 /* PASSporTs remembered against replay: 130 calls a second */
#define STIR_SEEN_S	   (2 * STIR_FRESH_S + 1) /* to the end of the last second */

#endif
