/* Reading a file by TFTP (RFC 1350), as far as it matters: whether it is handed out. */
#ifndef HW_ASSESS_TFTP_H
#define HW_ASSESS_TFTP_H

#include "assess/visit.h"

/* Up to `size` bytes of the file, in blocks of 512; stops politely behind them. The bytes read;
 * ERR_ABSENT: there is no such file, or it is refused; -ETIMEDOUT, -ECONNREFUSED: no server. A
 * read request is one tftp-read, and so is each acknowledged block. */
int visit_tftp(struct visit *v, const char *name, char *buf, size_t size) must_check;

#endif
