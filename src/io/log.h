/* One line to standard error, where systemd and administrators look. Strangers' bytes are escaped.
 */
#ifndef HW_IO_LOG_H
#define HW_IO_LOG_H

#include "base/reason.h"

#define LOG_LINE_MAX 1024 /* bytes; what is longer is cut */

/* "hornwork: text"; from SEV_WARNING on with the severity's word in front of the text. */
__attribute__((format(printf, 2, 3))) void log_line(enum severity severity, const char *fmt, ...);

#endif
