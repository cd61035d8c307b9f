/* What the knowledge of advisories may grow to; feeds come from outside and are taken as hostile.
 */
#ifndef HW_ADVISORY_LIMITS_H
#define HW_ADVISORY_LIMITS_H

#define ADV_LINE_BYTES_MAX (1u << 20) /* of a JSON line; the longest known is 40 kB */
#define ADV_DOC_BYTES_MAX                                                                          \
	(32u << 20) /* of a document read as a whole; the KEV catalogue has 1.5 MB */
#define ADV_FEED_BYTES_MAX    (256u << 20) /* of a streamed feed; Debian's tracker has 70 MB */
#define ADV_DEPTH_MAX	      48	   /* of nesting; CSAF, the deepest, has 20 */
#define ADV_VALUES_MAX	      400000u	   /* in one document: some 60 MB of memory */
#define ADV_STRING_BYTES_MAX  65536u	   /* of one name or text that is kept */
#define ADV_ROWS_MAX	      2000000u	   /* in one feed */
#define ADV_RANGES_MAX	      512	   /* in one row */
#define ADV_VERSIONS_MAX      4096	   /* listed in one range */
#define ADV_PRODUCTS_MAX      1024
#define ADV_EOL_ROWS_MAX      4096
#define ADV_KEV_MAX	      65536
#define ADV_FEEDS_MAX	      256   /* files in the folder of feeds */
#define ADV_IMPORT_FILES_MAX  20000 /* in one folder that is imported */
#define ADV_VERSION_BYTES_MAX 128
#define ADV_PRODUCT_BYTES_MAX 128
#define ADV_CVE_BYTES_MAX     24	 /* "CVE-2025-12345678" and a NUL */
#define ADV_ROW_ARENA_BYTES   (4u << 20) /* what one row may take while it is looked at */
#define ADV_TABLE_ARENA_BYTES (8u << 20) /* products, ends of life, fingerprints */
#define ADV_FEED_STALE_DAYS   14	 /* from here on each report warns */
#define ADV_FUTURE_DAYS_MAX   1		 /* a feed's date may lie ahead of our clock by this */
#define ADV_PACKAGES_MAX      20000	 /* installed on one host */
#define ADV_PATTERN_STEPS_MAX 200000u	 /* of a fingerprint on one banner (PCRE2 match limit) */
#define ADV_BANNER_BYTES_MAX  1024
#define ADV_FINGERPRINTS_MAX  8192

#endif
