/* Registrations through the gateway (RFC 3261 10, RFC 3327's purpose by other means): the REGISTER
 * goes on to the PBX with its digest untouched and with a Contact of ours that holds a token; the
 * binding says where the phone behind the token is really reached. */
#ifndef HW_CALL_REGISTRAR_H
#define HW_CALL_REGISTRAR_H

#include "base/hash.h"
#include "base/list.h"
#include "call/core.h"
#include "call/screen.h"
#include "call/txn.h"
#include "model/config.h"

#define BINDING_TOKEN_MAX    24 /* bytes with NUL: the user part of our Contact */
#define BINDING_URI_MAX	     512 /* bytes of the phone's Contact URI with its NUL; phones stay < 150 */
#define BINDING_CALL_ID_MAX  256 /* bytes with NUL; phones stay below 100 */
#define BINDING_INSTANCE_MAX 128 /* bytes with NUL of +sip.instance and reg-id; a URN has 46 */

struct binding {
	struct hash_node by_token, by_aor, by_source, by_address;
	struct list node; /* registrar->bindings */
	struct timer expiry, keep_alive;
	char token[BINDING_TOKEN_MAX];
	char aor[CALL_TEXT_MAX]; /* "alice@domain" as the PBX knows it, host in lower case */
	char user[CALL_TEXT_MAX / 2];
	char contact[BINDING_URI_MAX]; /* URI as registered by the phone */
	char user_agent[CALL_TEXT_MAX];
	char call_id[BINDING_CALL_ID_MAX];   /* of the phone's REGISTER */
	char instance[BINDING_INSTANCE_MAX]; /* empty = none */
	uint32_t cseq;
	uint64_t credentials; /* keyed hash of what must not change; 0 = none */
	struct path path;     /* source of the last accepted REGISTER; when nat = no, with the
				 port and transport of the Contact */
	struct path source;   /* of the last accepted REGISTER */
	uint16_t phones, pbx; /* indexes into the configuration */
	bool natted;
	bool flow_closed; /* the connection that leads to it is no more: RFC 5626 5.3 */
	bool ask_anew;	  /* the PBX may have forgotten it: no answer from the cache */
	uint64_t registered_ms;
	uint64_t expires_ms;	 /* towards the phone: the binding dies then */
	uint64_t pbx_granted_ms; /* how long the PBX granted last */
	uint64_t pbx_expires_ms; /* when that ends */
	uint32_t number;	 /* of its record; 0 = there is none */
	struct registrar *registrar;
};

struct registrar {
	struct screen *screen; /* borrowed */
	const struct core_env *env;
	const struct config *config;
	struct wheel *wheel;
	struct txn_layer *txns;
	struct hash_key key;
	struct hash_table by_token, by_aor, by_source, by_address;
	struct list bindings; /* oldest first */
	struct list pending;  /* REGISTERs that wait for the PBX */
	struct core_stats *stats;
	uint32_t next_number;
	bool leaving;			      /* what is kept stays kept */
	bool pbx_silent[CONFIG_SECTIONS_MAX]; /* a REGISTER to it failed since it last answered */
};

/* `screen` judges who may register; it may be set up later, but before the first REGISTER. */
int registrar_init(struct registrar *r, const struct core_env *env, const struct config *config,
		   struct wheel *wheel, struct txn_layer *txns, struct core_stats *stats,
		   struct screen *screen, struct hash_key key) must_check;
void registrar_done(struct registrar *r);
/* Bindings of sections that are gone go too; the others get their new indexes and listeners. After
 * txn_layer_remap. */
void registrar_reload(struct registrar *r, const struct config *old, const struct config *config,
		      const uint16_t *listener_map);
/* A REGISTER that is TXN_NEW, from a listener of phones section `phones`. Everything is answered.
 */
void registrar_on_register(struct registrar *r, uint64_t now_ms, const struct path *from,
			   uint16_t phones, const struct sip_msg *request);
/* The phone behind the user part of a Request-URI that the PBX sends to, or NULL. Borrowed. */
struct binding *registrar_by_token(const struct registrar *r, struct slice token);
/* The newest binding of an address-of-record ("user@host" as the PBX knows it, host in lower case)
 * at this PBX, or NULL: for a PBX that calls a phone by its name instead of by its Contact.
 * Borrowed. */
struct binding *registrar_by_aor(const struct registrar *r, uint16_t pbx, struct slice aor);
/* True for the user part of a Contact of ours, whether its phone is still known or not: such a one
 * is no number to dial. */
bool registrar_is_token(struct slice user);
/* A connection is no more: phones that only it leads to are unreachable until they register again.
 */
void registrar_on_closed(struct registrar *r, const struct path *at);
/* The PBX was away and may have lost its registrations: the next refresh of each phone asks it. */
void registrar_pbx_was_away(struct registrar *r, uint16_t pbx);
/* A binding of this source (same listener, same address and port): the phone that sends a request;
 * with `user` not empty, one whose user part equals it is preferred. Where nat = no, a binding of
 * the same address with this very user does too (phones call from another port over TCP). */
struct binding *registrar_by_source(const struct registrar *r, const struct path *from,
				    struct slice user);
/* True when a phone is registered from this address, in this zone. */
bool registrar_has_address(const struct registrar *r, const struct path *from);
/* The same for a phone of this address of record. */
bool registrar_has_aor_at(const struct registrar *r, struct slice aor, const struct path *from);
void registrar_walk(struct registrar *r, void (*each)(void *ctx, const struct binding_info *info),
		    void *ctx);

#endif
