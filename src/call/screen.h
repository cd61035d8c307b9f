/* Screening at the core's door: who is let in at all, which first requests of strangers are heard,
 * and what refusals add up to. The judgement is guard/r2_detect's; this feeds it with what the core
 * knows (which flow a phone registered from, what the PBX said to a password) and asks for bans. */
#ifndef HW_CALL_SCREEN_H
#define HW_CALL_SCREEN_H

#include "call/core.h"
#include "guard/r2_bans.h"
#include "guard/r2_detect.h"
#include "guard/r2_digest.h"
#include "guard/r2_password.h"
#include "guard/r2_swarm.h"

struct registrar;

struct screen {
	const struct core_env *env;
	const struct config *config;
	const struct registrar *registrar;
	struct r2_bans bans;
	struct r2_detect detect;
	struct r2_swarm swarm;
	struct r2_digests digests;
};

/* All is borrowed for the screen's life. ERR_NOMEM. */
int screen_init(struct screen *s, const struct core_env *env, const struct config *config,
		const struct registrar *registrar, const struct hash_key *key) must_check;
void screen_done(struct screen *s);

/* May this source speak at all? Asked before anything is parsed. */
bool screen_admits(struct screen *s, const struct path *from, uint64_t now_ms);
/* REASON_NONE, or why a request is not heard: it names a scanning tool, or it is a stranger's
 * OPTIONS for some user, by datagram in a zone that is not ours (an answer would tell scanners of
 * us). An OPTIONS for the gateway itself is answered: administrators ask so whether it is there.
 * REASON_distributed_flood: it is a stranger's and fits a flood that lasts. */
enum reason screen_on_request(struct screen *s, const struct path *from, struct config_owner owner,
			      const struct sip_msg *msg, uint64_t now_ms, struct slice *out_detail);
/* The same of the flood alone; counts what is no REGISTER towards one. */
bool screen_in_swarm(struct screen *s, const struct path *from, const struct sip_msg *msg,
		     uint64_t now_ms);
/* A REGISTER was answered, and not with success: it counts towards a flood, if the PBX denied it.
 */
void screen_on_unproven(struct screen *s, const struct path *from, const struct sip_msg *request,
			const struct sip_msg *response, uint64_t now_ms);
/* The configuration names this source: never-ban, a pbx, a trunk. */
bool screen_never_banned(const struct screen *s, const struct path *from);
/* Does what this flow has earned count now? Not while its offences are half a ban's. */
bool screen_trusts(struct screen *s, const struct path *from, uint64_t now_ms);
/* Something was refused; half of what makes a ban costs trust (ACT_DISTRUST), enough is a ban. */
void screen_on_refused(struct screen *s, const struct path *from, enum reason why, uint64_t now_ms);
/* May this REGISTER go on? REASON_NONE, REASON_account_guarded or REASON_digest_downgraded.
 * Replayed credentials are told of, and `out` says that they must not go on: the PBX then
 * challenges anew, which an honest phone that moved answers. */
enum reason screen_on_register(struct screen *s, const struct path *from, const char *aor,
			       const struct sip_msg *msg, uint64_t now_ms, struct r2_try *out);
/* What the PBX answered to it. REASON_NONE, or the offence that it shows. */
enum reason screen_on_register_answer(struct screen *s, const struct path *from, const char *aor,
				      const struct r2_try *attempt, const struct sip_msg *response,
				      uint64_t now_ms);

/* May a password be tried for this account from here? REASON_NONE or REASON_account_guarded. */
enum reason screen_may_try(const struct screen *s, const struct path *from, struct slice account,
			   uint64_t now_ms);
/* What the PBX answered to another request of the phone of address of record `aor`, that tried a
 * password of `account`, or (empty) none. REASON_NONE, or the offence that it shows. */
enum reason screen_on_answer(struct screen *s, const struct path *from, struct slice aor,
			     struct slice account, const struct sip_msg *response, uint64_t now_ms);
/* The wrong password that it found may have been this account's, too. */
void screen_on_guessed(struct screen *s, struct slice account, uint64_t now_ms);

/* Puts a ban into force and asks for it to be carried out. ERR_LIMIT, ERR_NOMEM. */
int screen_ban(struct screen *s, const struct ban *ban, const struct path *from,
	       uint64_t now_ms) must_check;
/* False: there is none like it. */
bool screen_lift(struct screen *s, const struct ban *ban);

#endif
