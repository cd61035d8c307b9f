/* The test account's credentials (RFC 7616): its password is read when a call needs it, and goes
 * nowhere but into a digest. */
#ifndef HW_ASSESS_CREDENTIALS_H
#define HW_ASSESS_CREDENTIALS_H

#include "base/out.h"
#include "base/slice.h"

#define CREDENTIALS_PASSWORD_MAX 128 /* bytes with the NUL */

/* The first line of a file that nobody but its owner and group can read. -errno; ERR_DENIED: others
 * may read it; ERR_SYNTAX: it is empty or too long. Wipe it after use. */
int credentials_read(const char *path, char password[static CREDENTIALS_PASSWORD_MAX]) must_check;
/* The header line that answers a response's challenge (401 or 407), with its CRLF. MD5 and SHA-256,
 * the first that the response names. ERR_ABSENT: it asks for something else. */
int credentials_write(struct out *o, struct slice response, const char *user, const char *password,
		      const char *method, const char *uri) must_check;

#endif
