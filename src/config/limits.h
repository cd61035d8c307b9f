/* Every limit of the configuration reader, besides the sizes in model/config.h. */
#ifndef HW_CONFIG_LIMITS_H
#define HW_CONFIG_LIMITS_H

#define CONFIG_TEXT_MAX	      (256 * 1024) /* bytes of a file: 256 sections of each kind fit */
#define CONFIG_DEPTH_MAX      2		   /* open braces: a list within a section */
#define CONFIG_WORD_MAX	      512	   /* bytes of a key, a name or a value */
#define CONFIG_ISSUES_MAX     100	   /* errors and warnings told in one run */
#define CONFIG_ISSUE_TEXT_MAX 400	   /* bytes of one of them with its NUL */
#define CONFIG_UNKNOWN_MAX    32	   /* unknown names told in one run; each costs a reading */
#define CONFIG_MEMORY_MAX     (16 * 1024 * 1024) /* bytes of a configuration's lists */
#define CONFIG_CHUNK_BYTES    (16 * 1024)
#define CONFIG_PSK_MIN	      20 /* characters of an IKE secret: 120 bits in base 64 */
#define CONFIG_LINE_MAX	      72 /* columns of generated text */

#endif
