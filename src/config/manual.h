/* The manual pages that are made from tables: hornwork.conf(5) from the schema, hornwork-reasons(7)
 * from the reasons. Both in mdoc(7). */
#ifndef HW_CONFIG_MANUAL_H
#define HW_CONFIG_MANUAL_H

#include "base/out.h"

#define MANUAL_BYTES_MAX (256 * 1024) /* room for either page */

/* `o->err` tells whether the page fitted. */
void manual_write_conf(struct out *o);
void manual_write_reasons(struct out *o);

#endif
