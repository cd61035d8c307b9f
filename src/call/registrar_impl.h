/* Inside the registrar: what a REGISTER says, and one that waits for the PBX. Only for
 * registrar*.c. */
#ifndef HW_CALL_REGISTRAR_IMPL_H
#define HW_CALL_REGISTRAR_IMPL_H

#include "call/cross.h"
#include "call/registrar.h"
#include "call/side.h"

#define REG_CONTACTS_MAX  4 /* Contacts of one REGISTER; phones send one, or two when they move */
#define REG_KEEP_ALIVE_MS 25000	 /* home routers forget a quiet UDP mapping after 30 s */
#define REG_CACHE_MS	  300000 /* a PBX that restarts unnoticed is asked again within 5 minutes */
#define REG_TOKEN_PREFIX  "hw-"	 /* then hexadecimal digits up to BINDING_TOKEN_MAX */
#define REG_EXPIRES_MAX_S 86400	 /* a day; nobody asks for more in earnest */
#define REG_EXPIRES_S	  3600	 /* where nothing is said (RFC 3261 10.2) */

/* One Contact of a REGISTER; slices lie in the message. */
struct reg_contact {
	struct sip_name_addr na;
	uint32_t expires_s;
	char instance[BINDING_INSTANCE_MAX];
	char token[BINDING_TOKEN_MAX];
};

/* What a REGISTER says. */
struct reg_request {
	const struct sip_msg *msg;
	struct side phone, pbx;
	char aor[CALL_TEXT_MAX];
	char user[CALL_TEXT_MAX / 2];
	bool wildcard;
	size_t contact_count;
	struct reg_contact contact[REG_CONTACTS_MAX];
	struct r2_try attempt;
};

/* A REGISTER that went on to the PBX. */
struct reg_pending {
	struct list node;
	struct registrar *registrar;
	struct txn *server, *client; /* either may be gone */
	uint16_t phones;
	char token[REG_CONTACTS_MAX][BINDING_TOKEN_MAX]; /* as sent */
	struct r2_try attempt;
};

/* Reads a REGISTER from listener path `from`. REASON_NONE, or why it is refused. */
enum reason reg_request_read(const struct registrar *r, const struct path *from, uint16_t phones,
			     const struct sip_msg *msg, struct reg_request *out) must_check;
/* The binding that a contact means: the same instance; the same Call-ID and URI; or the same URI
 * from the same address. */
struct binding *reg_binding_find(const struct registrar *r, const struct reg_request *q,
				 const struct reg_contact *c);
/* What must stay the same for an answer from the cache; 0 = no credentials. */
uint64_t reg_credentials_of(const struct registrar *r, const struct sip_msg *msg);
/* Our stable names towards the PBX, derived from the phone's by a keyed hash: 32 and 16 hex digits.
 */
void reg_call_id_write(const struct registrar *r, const struct reg_request *q, struct out *o);
void reg_tag_write(const struct registrar *r, const struct reg_request *q, struct out *o);
/* Header parameters but for those named `expires`; quotes kept. */
void reg_write_params(struct out *o, struct slice params);
/* True when a NAT stands between: the phone does not know the address that we see. */
bool reg_natted(const struct registrar *r, const struct reg_request *q,
		const struct reg_contact *c);

/* Sends REGISTER to the PBX. REASON_NONE, or why it could not. */
enum reason reg_forward(struct registrar *r, uint64_t now_ms, struct txn *server, uint16_t phones,
			struct reg_request *q) must_check;
/* 200 with the contacts that live, each with what is left for it. `response` is the PBX's, or NULL
 * when the cache answers. */
void reg_answer_ok(struct registrar *r, uint64_t now_ms, struct txn *server,
		   const struct reg_request *q, const struct sip_msg *response);
/* Refuses with the reason's status, counts and reports. */
void reg_refuse(struct registrar *r, uint64_t now_ms, struct txn *server, enum reason why);
void reg_report_refused(struct registrar *r, const struct path *from, enum reason why);
void reg_pending_free(struct reg_pending *p);
/* Refuses the phone's REGISTER, then frees. */
void reg_pending_fail(struct reg_pending *p, uint64_t now_ms, enum reason why);

/* Enters or renews the binding of an accepted contact. ERR_NOMEM, ERR_LIMIT. */
int reg_binding_put(struct registrar *r, uint64_t now_ms, const struct reg_request *q,
		    const struct reg_contact *c, uint32_t granted_s) must_check;
/* One that is in no table yet, or NULL. */
struct binding *reg_binding_bare(struct registrar *r) must_check;
/* Into the tables, by its names and its source. ERR_LIMIT, ERR_NOMEM. */
int reg_binding_enter(struct binding *b) must_check;
/* Its timers run, by when it expires. */
void reg_binding_watch(struct binding *b);
/* Lives on for at most `wanted_s`, until the PBX's grant ends, and for a NATed phone
 * register-expires. */
void reg_binding_renew(struct binding *b, uint64_t now_ms, uint32_t wanted_s);
/* Without a word. */
void reg_binding_free(struct binding *b);
/* Reports it and frees it. REASON_NONE: the phone asked for it. */
void reg_binding_remove(struct binding *b, enum reason why);
/* Every binding of the address of record, of all phones sections with this PBX. */
void reg_bindings_remove_all(struct registrar *r, const char *aor, uint16_t pbx);

#endif
