/* SRTP on the way of one flow's packets: what comes is opened with the sender's key before anything
 * is learned from it, what goes out is sealed with ours. One of them belongs to one thread. */
#ifndef HW_MEDIA_CRYPT_H
#define HW_MEDIA_CRYPT_H

#include "media/judge.h"
#include "media/vault.h"

struct crypt;

/* True for a flow that needs one: it has keys, or policy wants nothing in the clear. */
bool crypt_wanted(const struct hw_flow *flow);
/* For the flow of entry `index`; counters go on where a predecessor left them. `v` is borrowed
 * until crypt_free; NULL: keys come by crypt_key alone and counters die with it. ERR_NOMEM. */
int crypt_new(struct vault *v, uint32_t index, struct crypt **out) must_check;
/* Wipes. Accepts NULL. */
void crypt_free(struct crypt *c);

/* The flow was published (again): keys whose numbers are new are taken from the vault, the others
 * go on untouched. The sender's former key is good for CRYPT_GRACE_NS more, as packets under it are
 * still on their way. What cannot be had is refused packet by packet. */
void crypt_sync(struct crypt *c, const struct hw_flow *flow, uint64_t now_ns);
/* A key from elsewhere (a handshake); `number` as in the vault. ERR_NOMEM, ERR_SYNTAX. */
int crypt_key(struct crypt *c, enum srtp_way way, uint32_t number, const struct srtp_key *key,
	      uint64_t now_ns) must_check;

/* One packet of the flow, in and out: as judge_packet, but what is encrypted is opened in place
 * first, and what passed is sealed in place if the flow wants it; *bytes shrinks or grows within
 * `room`. DTLS and STUN go past it as they are. `c` may be NULL: then nothing passes that needs a
 * key. What passes from end to end without our keys must at least look encrypted where policy wants
 * it so. What is refused is counted. */
enum hw_refused crypt_pass(struct crypt *c, struct hw_flow_stats *stats, const struct hw_flow *flow,
			   const struct ip_endpoint *source, uint8_t *packet, size_t *bytes,
			   size_t room, uint64_t now_ns);

#endif
