/* Limits of virtual patches: name, value, unit, reason. Tested at N and at N+1. */
#ifndef HW_PATCH_LIMITS_H
#define HW_PATCH_LIMITS_H

#define PATCH_TEXT_MAX	   (1024 * 1024) /* bytes of all rule files together */
#define PATCH_RULES_MAX	   512		 /* rules; each message is held against all of them */
#define PATCH_MATCHES_MAX  8		 /* match lines of one rule */
#define PATCH_NAMES_MAX	   4		 /* headers of one match line: From|To */
#define PATCH_CVES_MAX	   8		 /* CVEs, and products, of one rule */
#define PATCH_NAME_MAX	   63		 /* bytes of a rule's name */
#define PATCH_WORD_MAX	   255		 /* bytes of any other value but a pattern */
#define PATCH_PATTERN_MAX  512		 /* bytes of a pattern */
#define PATCH_TESTS_MAX	   16		 /* messages that prove one rule */
#define PATCH_MESSAGE_MAX  65535	 /* bytes of one of them; a datagram's ceiling */
#define PATCH_FIELDS_MAX   512		 /* header lines of a message that rules look at */
#define PATCH_STEPS_MAX	   20000	 /* of PCRE2 for one pattern and value: about 1 ms */
#define PATCH_DEPTH_MAX	   250		 /* nesting of PCRE2's backtracking */
#define PATCH_HEAP_KIB_MAX 256		 /* that one match may take; PCRE2 begins with 20 */
#define PATCH_PARENTS_MAX  32		 /* nesting of parentheses in a pattern */
#define PATCH_MEMORY_MAX   (8 << 20)	 /* bytes of all rules without their patterns */
#define PATCH_CHUNK_BYTES  8192
#define PATCH_SAID_MAX	   400 /* bytes of an error with its NUL */

#endif
