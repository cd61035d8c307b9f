/* Passwords that come with calls and other requests of phones: guessed there they count as those of
 * REGISTER do, per flow and per account. */
#ifndef HW_CALL_PASSWORD_H
#define HW_CALL_PASSWORD_H

#include "call/core.h"

struct exchange;

/* May a request of the phone behind `binding` try the password that it holds? REASON_NONE or
 * REASON_account_guarded. */
enum reason password_on_request(const struct core *c, uint64_t now_ms, const struct path *from,
				const char *aor, const struct sip_msg *msg);
/* What the PBX said to a first request of a phone: a wrong password is reported and counted. A
 * challenge is no failure, and a 403 or 404 of a call says nothing of its password. */
void password_on_response(struct exchange *x, uint64_t now_ms, const struct sip_msg *r);

#endif
