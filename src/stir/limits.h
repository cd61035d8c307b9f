/* Limits of signing callers' identities. */
#ifndef HW_STIR_LIMITS_H
#define HW_STIR_LIMITS_H

#define STIR_URL_MAX	256   /* bytes of a certificate's URL with its NUL */
#define STIR_CLAIMS_MAX 1024  /* bytes of a PASSporT's header or claims; usual are 300 */
#define STIR_FILE_MAX	65536 /* bytes of one file; usual are 4,000 */

#endif
