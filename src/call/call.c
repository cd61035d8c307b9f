#include "call/call.h"

#include "base/mem.h"
#include "call/kept.h"
#include "proto/sip/sip_write.h"

#define WARNING_MAX 256 /* bytes of a Warning header: the longest sentence and its frame */

static uint64_t hash_of_id(const struct core *c, uint32_t id)
{
	return hash_bytes(&c->key, slice_of((const char *)&id, sizeof(id)));
}

struct call *call_by_id(const struct core *c, uint32_t id)
{
	struct hash_node *n = hash_first(&c->by_id, hash_of_id(c, id));

	for (; n; n = hash_next(n)) {
		struct call *k = container_of(n, struct call, by_id);

		if (k->id == id)
			return k;
	}
	return NULL;
}

struct call *call_new(struct core *c, enum call_kind kind, uint64_t now_ms)
{
	struct call *k = mem_zalloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->id = c->next_call++;
	if (c->next_call == 0)
		c->next_call = 1;
	if (hash_add(&c->by_id, &k->by_id, hash_of_id(c, k->id))) {
		mem_free(k);
		return NULL;
	}
	k->core = c;
	k->kind = kind;
	k->started_ms = now_ms;
	arena_init(&k->arena, CALL_ARENA_CHUNK, CALL_ARENA_MAX);
	list_init(&k->exchanges);
	list_init(&k->dirty);
	list_append(&c->calls, &k->node);
	media_init(&k->media, k->id);
	call_timers_init(k);
	for (unsigned i = 0; i < 2; i++) {
		k->leg[i].call = k;
		k->leg[i].index = (uint8_t)i;
	}
	return k;
}

void call_free(struct call *k)
{
	struct media_tools tools = call_media_tools(k);

	kept_call_forget(k);
	call_timers_stop(k);
	fraud_done(k, k->core->wheel.now_ms);
	while (!list_empty(&k->exchanges))
		exchange_free(container_of(k->exchanges.next, struct exchange, node));
	if (k->core->leaving)
		k->media.flow_count = 0; /* they stay for who comes */
	media_done(&k->media, &tools, k->end_reason);
	for (struct dialog *d = k->dialogs; d; d = d->next)
		for (unsigned i = 0; i < 2; i++)
			mem_free(d->end[i].target);
	mem_free(k->caller_end.target);
	for (unsigned i = 0; i < 2; i++)
		if (k->leg[i].call_id.n)
			hash_remove(&k->core->by_call_id, &k->leg[i].by_call_id);
	hash_remove(&k->core->by_id, &k->by_id);
	list_remove(&k->node);
	list_remove(&k->dirty);
	arena_done(&k->arena);
	mem_free(k);
}

void call_touch(struct call *k)
{
	list_remove(&k->dirty);
	list_append(&k->core->dirty, &k->dirty);
}

void call_change(struct call *k)
{
	k->changed = true;
	call_touch(k);
}

int call_token(struct call *k, struct slice *out)
{
	uint8_t bytes[CALL_TOKEN_BYTES];
	char text[TAG_MAX];
	struct out o = out_to(text, sizeof(text));

	k->core->env->random(k->core->env->ctx, bytes, sizeof(bytes));
	out_hex(&o, bytes, sizeof(bytes));
	return arena_copy(&k->arena, out_slice(&o), out);
}

/* ---- dialogs ---- */

struct dialog *dialog_new(struct call *k, struct slice callee_tag)
{
	struct dialog *d;

	if (k->dialog_count == CALL_FORKS_MAX)
		return NULL;
	d = arena_alloc(&k->arena, sizeof(*d));
	if (!d || arena_copy(&k->arena, callee_tag, &d->end[CALLEE].remote_tag))
		return NULL;
	d->end[CALLEE].local_tag = k->leg[CALLEE].our_tag;
	d->end[CALLER] = k->caller_end;
	d->end[CALLER].target = NULL;
	d->end[CALLER].remote_tag = k->leg[CALLER].peer_tag;
	d->end[CALLER].local_tag = k->leg[CALLER].our_tag;
	if (k->dialogs && call_token(k, &d->end[CALLER].local_tag))
		return NULL;
	d->end[CALLER].target = mem_strndup(k->caller_end.target, k->caller_end.target_n);
	if (!d->end[CALLER].target)
		return NULL;
	d->next = k->dialogs;
	k->dialogs = d;
	k->dialog_count++;
	return d;
}

struct dialog *dialog_find(const struct call *k, unsigned leg, struct slice local_tag,
			   struct slice remote_tag)
{
	for (struct dialog *d = k->dialogs; d; d = d->next)
		if (slice_eq(d->end[leg].local_tag, local_tag) &&
		    slice_eq(d->end[leg].remote_tag, remote_tag))
			return d;
	return NULL;
}

struct dialog *dialog_confirmed(const struct call *k)
{
	for (struct dialog *d = k->dialogs; d; d = d->next)
		if (d->confirmed)
			return d;
	return NULL;
}

static int target_learn(struct dialog_end *e, const struct sip_msg *msg)
{
	const struct sip_header *h = sip_header_first(msg, SIP_H_CONTACT);
	struct sip_values v = h ? sip_values_of(msg, SIP_H_CONTACT) : (struct sip_values){0};
	struct sip_name_addr na;
	struct slice one;
	char *copy;

	if (!h || !sip_values_next(&v, &one) || sip_name_addr_parse(one, &na) || na.wildcard)
		return 0;
	if (slice_eq(na.uri_text, slice_of(e->target, e->target_n)))
		return 0;
	copy = mem_strndup(na.uri_text.p, na.uri_text.n);
	if (!copy)
		return ERR_NOMEM;
	mem_free(e->target);
	e->target = copy;
	e->target_n = na.uri_text.n;
	return 0;
}

int dialog_end_learn(struct call *k, struct dialog_end *e, const struct sip_msg *msg, bool routes,
		     bool reversed)
{
	struct sip_values v = sip_values_of(msg, SIP_H_RECORD_ROUTE);
	struct slice one, kept[CALL_ROUTES_MAX];
	unsigned n = 0;

	if (target_learn(e, msg))
		return ERR_NOMEM;
	if (!routes)
		return 0;
	while (n < CALL_ROUTES_MAX && sip_values_next(&v, &one))
		kept[n++] = one;
	e->route_count = 0;
	if (n == 0)
		return 0;
	if (!e->routes)
		e->routes = arena_alloc(&k->arena, CALL_ROUTES_MAX * sizeof(*e->routes));
	if (!e->routes)
		return ERR_NOMEM;
	for (unsigned i = 0; i < n; i++)
		if (arena_copy(&k->arena, kept[reversed ? n - 1 - i : i], &e->routes[i]))
			return ERR_NOMEM;
	e->route_count = n;
	return 0;
}

int leg_index(struct leg *l)
{
	struct core *c = l->call->core;
	int err = hash_add(&c->by_call_id, &l->by_call_id, hash_bytes(&c->key, l->call_id));

	if (err)
		l->call_id.n = 0;
	return err;
}

bool leg_known(const struct core *c, struct slice call_id)
{
	struct hash_node *n = hash_first(&c->by_call_id, hash_bytes(&c->key, call_id));

	while (n && !slice_eq(container_of(n, struct leg, by_call_id)->call_id, call_id))
		n = hash_next(n);
	return n != NULL;
}

struct leg *leg_find(const struct core *c, const struct sip_msg *msg, struct slice local_tag,
		     struct slice remote_tag, struct dialog **out_dialog)
{
	struct leg *half = NULL;

	*out_dialog = NULL;
	for (struct hash_node *n = hash_first(&c->by_call_id, hash_bytes(&c->key, msg->call_id)); n;
	     n = hash_next(n)) {
		struct leg *l = container_of(n, struct leg, by_call_id);

		if (!slice_eq(l->call_id, msg->call_id))
			continue;
		*out_dialog = dialog_find(l->call, l->index, local_tag, remote_tag);
		if (*out_dialog)
			return l;
		if (slice_eq(l->our_tag, local_tag))
			half = l;
	}
	return half;
}

/* ---- media ---- */

struct media_tools call_media_tools(struct call *k)
{
	struct core *c = k->core;

	return (struct media_tools){
		.env = c->env,
		.ports = &c->ports,
		.config = c->config,
		.zone_bps = c->admit->zone_bps,
		.key = c->key,
		.own = &c->own,
		.opened_total = &c->stats.flows_opened_total,
		.closed_total = &c->stats.flows_closed_total,
		.open = &c->stats.flows_open,
	};
}

/* What its section and its zone say of encryption. */
static struct r4_policy policy_of(const struct config *c, const struct side *s)
{
	struct r4_policy p = {.signalling_clear = s->path.transport != TRANSPORT_TLS &&
						  s->path.transport != TRANSPORT_WSS};

	switch ((enum owner_kind)s->owner.kind) {
	case OWNER_PHONES:
		if (s->owner.index < c->phones_count) {
			p.srtp = c->phones[s->owner.index].srtp;
			p.keys_in_clear = c->phones[s->owner.index].sdes_cleartext;
			p.dtls = c->phones[s->owner.index].key_exchange == CONFIG_KEYS_DTLS;
			p.browser = c->phones[s->owner.index].webrtc;
		}
		break;
	case OWNER_PBX:
		if (s->owner.index < c->pbx_count) {
			p.srtp = c->pbxs[s->owner.index].srtp;
			p.keys_in_clear = c->pbxs[s->owner.index].sdes_cleartext;
			p.dtls = c->pbxs[s->owner.index].key_exchange == CONFIG_KEYS_DTLS;
		}
		break;
	case OWNER_TRUNK:
		if (s->owner.index < c->trunk_count) {
			p.srtp = c->trunks[s->owner.index].srtp;
			p.keys_in_clear = c->trunks[s->owner.index].sdes_cleartext;
			p.dtls = c->trunks[s->owner.index].key_exchange == CONFIG_KEYS_DTLS;
		}
		break;
	}
	if (s->zone < c->zone_count && c->zones[s->zone].cleartext_deny)
		p.srtp = SRTP_REQUIRED;
	if (p.browser)
		p.srtp = SRTP_REQUIRED;
	return p;
}

static bool peer_behind_nat(const struct core *c, struct config_owner owner)
{
	return owner.kind == OWNER_PHONES && owner.index < c->config->phones_count &&
	       c->config->phones[owner.index].nat;
}

void call_media_peers(struct call *k)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct side *s = &k->leg[i].side;

		/* A reload changes nothing for a call that runs. */
		if (!k->media.secret.policy_known)
			k->media.secret.policy[i] = policy_of(k->core->config, s);
		k->media.peer[i] = (struct r1_peer){
			.signalling = s->path.remote.addr,
			.nat = peer_behind_nat(k->core, s->owner),
			.ice = k->media.secret.policy[i].browser,
			.any_media_host = s->owner.kind != OWNER_PHONES,
			.zone = s->zone,
			.local = s->local.addr,
			.told = s->us.addr,
		};
	}
	k->media.secret.policy_known = true;
}

/* ---- telling ---- */

void call_trace(struct call *k, const struct path *path, bool outgoing, struct slice bytes)
{
	struct action a = {.kind = ACT_TRACE,
			   .call = k->id,
			   .path = *path,
			   .outgoing = outgoing,
			   .bytes = bytes};

	k->core->env->act(k->core->env->ctx, &a);
}

/* RFC 3261 20.43: what the status does not tell. */
static void warning_write(struct out *o, enum reason why, unsigned status)
{
	const struct reason_row *row = reason_row(why);

	if (why == REASON_NONE || status != 488 || strcmp(row->tag, "r4") != 0)
		return;
	out_fmt(o, "Warning: 399 hornwork \"%s\"\r\n", row->sentence);
}

/* RFC 8224 6.2.2 has a phrase of its own for a 403. */
static struct slice phrase_of(enum reason why)
{
	return why == REASON_identity_stale ? SL("Stale Date") : SL("");
}

void call_answer(struct call *k, struct txn *server, uint64_t now_ms, unsigned status,
		 struct slice to_tag, enum reason why)
{
	char line[WARNING_MAX];
	struct out warning = out_to(line, sizeof(line));
	struct out o = out_to(k->core->message, CORE_MESSAGE_MAX);
	const struct path *path = txn_path(server);
	struct sip_msg request;

	warning_write(&warning, why, status);
	if (txn_request(server, &request) ||
	    sip_write_response(&o, &request, status, phrase_of(why), &path->remote, to_tag,
			       out_slice(&warning))) {
		(void)txn_respond_simple(server, now_ms, status, to_tag, SL(""));
		return;
	}
	call_trace(k, path, true, out_slice(&o));
	(void)txn_respond(server, now_ms, status, out_slice(&o));
}

void call_report(struct call *k, enum report_type type, enum reason why, const struct path *path,
		 struct slice detail)
{
	struct action a = {.kind = ACT_REPORT,
			   .type = type,
			   .reason = why,
			   .call = k->id,
			   .path = path ? *path : k->leg[CALLER].side.path,
			   .bytes = detail};

	k->core->env->act(k->core->env->ctx, &a);
}
