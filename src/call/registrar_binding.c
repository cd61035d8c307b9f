#include "base/mem.h"
#include "call/kept.h"
#include "call/registrar_impl.h"

/* ---- indexes ---- */

static uint64_t hash_of_address(const struct registrar *r, const struct ip_addr *a)
{
	return hash_bytes(&r->key, slice_of((const char *)a->bytes, sizeof(a->bytes)));
}

static uint64_t hash_of_source(const struct registrar *r, const struct path *p)
{
	return hash_of_address(r, &p->remote.addr) + p->remote.port;
}

static void unindex_source(struct binding *b)
{
	hash_remove(&b->registrar->by_source, &b->by_source);
	hash_remove(&b->registrar->by_address, &b->by_address);
}

static int index_source(struct binding *b)
{
	struct registrar *r = b->registrar;
	int err = hash_add(&r->by_source, &b->by_source, hash_of_source(r, &b->source));

	return err ? err
		   : hash_add(&r->by_address, &b->by_address,
			      hash_of_address(r, &b->source.remote.addr));
}

static int index_names(struct binding *b)
{
	struct registrar *r = b->registrar;
	int err = hash_add(&r->by_token, &b->by_token, hash_bytes(&r->key, slice_z(b->token)));

	return err ? err : hash_add(&r->by_aor, &b->by_aor, hash_bytes(&r->key, slice_z(b->aor)));
}

void reg_binding_free(struct binding *b)
{
	struct registrar *r = b->registrar;

	kept_binding_forget(b);
	hash_remove(&r->by_token, &b->by_token);
	hash_remove(&r->by_aor, &b->by_aor);
	unindex_source(b);
	list_remove(&b->node);
	timer_stop(&b->expiry);
	timer_stop(&b->keep_alive);
	mem_free(b);
	r->stats->registrations = r->by_token.count;
}

/* ---- reports ---- */

static void report(const struct binding *b, enum reason why, const char *what)
{
	const struct core_env *env = b->registrar->env;
	char text[CALL_TEXT_MAX * 2], source[IP_ENDPOINT_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));
	struct action a = {
		.kind = ACT_REPORT, .type = REPORT_REGISTRATION, .reason = why, .path = b->source};

	out_fmt(&o, "%s %s, %s %s", b->aor, what,
		transport_text((enum transport)b->source.transport),
		ip_endpoint_text(&b->source.remote, source));
	a.bytes = out_slice(&o);
	env->act(env->ctx, &a);
}

/* ---- timers ---- */

static void on_expiry(struct timer *t, uint64_t now_ms)
{
	reg_binding_remove(container_of(t, struct binding, expiry), REASON_registration_expired);
}

/* Two empty lines, which a phone drops (RFC 3261 7.5), keep its router's mapping. */
static void on_keep_alive(struct timer *t, uint64_t now_ms)
{
	struct binding *b = container_of(t, struct binding, keep_alive);
	const struct core_env *env = b->registrar->env;
	struct action a = {.kind = ACT_SEND, .path = b->path, .bytes = SL("\r\n\r\n")};

	timer_start(b->registrar->wheel, t, REG_KEEP_ALIVE_MS);
	env->act(env->ctx, &a);
}

void reg_binding_renew(struct binding *b, uint64_t now_ms, uint32_t wanted_s)
{
	uint32_t told_s = b->registrar->config->phones[b->phones].register_expires_s;
	uint64_t left_ms = b->pbx_expires_ms > now_ms ? b->pbx_expires_ms - now_ms : 0;

	if (left_ms > (uint64_t)wanted_s * 1000)
		left_ms = (uint64_t)wanted_s * 1000;
	if (b->natted && told_s && left_ms > (uint64_t)told_s * 1000)
		left_ms = (uint64_t)told_s * 1000;
	b->expires_ms = now_ms + left_ms;
	reg_binding_watch(b);
	kept_binding_write(b);
}

void reg_binding_watch(struct binding *b)
{
	struct wheel *wheel = b->registrar->wheel;

	timer_start(wheel, &b->expiry,
		    b->expires_ms > wheel->now_ms ? b->expires_ms - wheel->now_ms : 0);
	if (b->natted && !transport_reliable((enum transport)b->path.transport))
		timer_start(wheel, &b->keep_alive, REG_KEEP_ALIVE_MS);
	else
		timer_stop(&b->keep_alive);
}

/* ---- one binding ---- */

static uint16_t port_of(const struct sip_uri *uri, enum transport transport)
{
	if (uri->port)
		return uri->port;
	return transport == TRANSPORT_TLS || transport == TRANSPORT_WSS ? 5061 : 5060;
}

/* Where nat = no the phone listens where its Contact says - at the address that it registers from,
 * or its registration could aim calls at others. */
static struct path path_of(const struct registrar *r, const struct reg_request *q,
			   const struct reg_contact *c)
{
	const struct path *source = &q->phone.path;
	enum transport transport = (enum transport)source->transport;
	struct path path = *source;
	struct ip_addr said;
	struct slice word;

	if (r->config->phones[q->phone.owner.index].nat || transport > TRANSPORT_TLS ||
	    ip_parse(c->na.uri.host, &said) || !ip_eq(&said, &source->remote.addr))
		return *source;
	if (sip_param_get(c->na.uri.params, SL("transport"), &word) &&
	    transport_parse(word, &transport))
		return *source;
	if (transport == (enum transport)source->transport) {
		if (transport_reliable(transport))
			return *source;
	} else {
		path.listener = config_listener_find(r->config, q->phone.zone, transport,
						     (enum ip_family)said.family);
	}
	if (path.listener == CONFIG_NONE)
		return *source;
	path.transport = (uint8_t)transport;
	path.conn = 0;
	path.remote.port = port_of(&c->na.uri, transport);
	return path;
}

struct binding *reg_binding_bare(struct registrar *r)
{
	struct binding *b = mem_zalloc(1, sizeof(*b));

	if (!b)
		return NULL;
	list_init(&b->node);
	timer_init(&b->expiry, on_expiry);
	timer_init(&b->keep_alive, on_keep_alive);
	b->registrar = r;
	return b;
}

int reg_binding_enter(struct binding *b)
{
	struct registrar *r = b->registrar;
	int err = index_names(b);

	err = err ? err : index_source(b);
	if (err)
		return err;
	list_append(&r->bindings, &b->node);
	r->stats->registrations = r->by_token.count;
	return 0;
}

static struct binding *binding_new(struct registrar *r, uint64_t now_ms,
				   const struct reg_request *q, const struct reg_contact *c)
{
	struct binding *b = reg_binding_bare(r);

	if (!b)
		return NULL;
	b->phones = q->phone.owner.index;
	b->pbx = q->pbx.owner.index;
	b->registered_ms = now_ms;
	b->source = q->phone.path;
	memcpy(b->aor, q->aor, sizeof(b->aor));
	memcpy(b->user, q->user, sizeof(b->user));
	memcpy(b->token, c->token, sizeof(b->token));
	if (reg_binding_enter(b)) {
		reg_binding_free(b);
		return NULL;
	}
	b->number = r->next_number++;
	if (r->next_number == 0)
		r->next_number = 1;
	return b;
}

static void write_facts(struct binding *b, const struct reg_request *q, const struct reg_contact *c)
{
	const struct sip_header *ua = sip_header_first(q->msg, SIP_H_USER_AGENT);

	(void)slice_to_z(c->na.uri_text, b->contact, sizeof(b->contact));
	(void)slice_to_z(ua ? ua->value : slice_of("", 0), b->user_agent, sizeof(b->user_agent));
	(void)slice_to_z(q->msg->call_id, b->call_id, sizeof(b->call_id));
	memcpy(b->instance, c->instance, sizeof(b->instance));
	b->cseq = q->msg->cseq.number;
	b->path = path_of(b->registrar, q, c);
	b->natted = reg_natted(b->registrar, q, c);
	b->credentials = reg_credentials_of(b->registrar, q->msg);
}

static bool same_way(const struct path *a, const struct path *b)
{
	return path_same_source(a, b) && a->conn == b->conn;
}

int reg_binding_put(struct registrar *r, uint64_t now_ms, const struct reg_request *q,
		    const struct reg_contact *c, uint32_t granted_s)
{
	struct binding *b = reg_binding_find(r, q, c);
	const char *what = NULL;

	if (!b) {
		b = binding_new(r, now_ms, q, c);
		what = "registered";
		if (!b)
			return r->by_token.count >= r->by_token.max ? ERR_LIMIT : ERR_NOMEM;
	} else if (!same_way(&b->source, &q->phone.path)) {
		what = "moved";
		unindex_source(b);
		b->source = q->phone.path;
		if (index_source(b)) {
			reg_binding_free(b);
			return ERR_LIMIT;
		}
	}
	write_facts(b, q, c);
	b->ask_anew = b->flow_closed = false;
	b->pbx_granted_ms = (uint64_t)granted_s * 1000;
	b->pbx_expires_ms = now_ms + b->pbx_granted_ms;
	reg_binding_renew(b, now_ms, granted_s);
	if (what)
		report(b, REASON_NONE, what);
	return 0;
}

void reg_binding_remove(struct binding *b, enum reason why)
{
	report(b, why, why == REASON_NONE ? "unregistered" : reason_row(why)->sentence);
	reg_binding_free(b);
}

/* Nobody can connect to a browser, to a phone that proved nothing of itself, or through a NAT. */
static bool only_by_its_connection(const struct binding *b)
{
	return b->path.conn && (b->natted || transport_secure((enum transport)b->path.transport));
}

void registrar_on_closed(struct registrar *r, const struct path *at)
{
	struct hash_node *n = hash_first(&r->by_source, hash_of_source(r, at));

	for (; n; n = hash_next(n)) {
		struct binding *b = container_of(n, struct binding, by_source);

		if (b->path.conn == at->conn && path_same_source(&b->path, at) &&
		    only_by_its_connection(b))
			b->flow_closed = true;
	}
}

void registrar_pbx_was_away(struct registrar *r, uint16_t pbx)
{
	list_for_each (node, &r->bindings) {
		struct binding *b = container_of(node, struct binding, node);

		if (b->pbx == pbx)
			b->ask_anew = true;
	}
}

void reg_bindings_remove_all(struct registrar *r, const char *aor, uint16_t pbx)
{
	list_for_each_safe (node, &r->bindings) {
		struct binding *b = container_of(node, struct binding, node);

		if (b->pbx == pbx && strcmp(b->aor, aor) == 0)
			reg_binding_remove(b, REASON_NONE);
	}
}

/* ---- lookups ---- */

bool registrar_is_token(struct slice user)
{
	return user.n == BINDING_TOKEN_MAX - 1 && slice_starts(user, SL(REG_TOKEN_PREFIX));
}

struct binding *registrar_by_aor(const struct registrar *r, uint16_t pbx, struct slice aor)
{
	struct hash_node *n = hash_first(&r->by_aor, hash_bytes(&r->key, aor));
	struct binding *newest = NULL;

	for (; n; n = hash_next(n)) {
		struct binding *b = container_of(n, struct binding, by_aor);

		if (b->pbx == pbx && slice_eq(slice_z(b->aor), aor) &&
		    (!newest || b->registered_ms >= newest->registered_ms))
			newest = b;
	}
	return newest;
}

struct binding *registrar_by_token(const struct registrar *r, struct slice token)
{
	struct hash_node *n = hash_first(&r->by_token, hash_bytes(&r->key, token));

	for (; n; n = hash_next(n)) {
		struct binding *b = container_of(n, struct binding, by_token);

		if (slice_eq(slice_z(b->token), token))
			return b;
	}
	return NULL;
}

static bool is_user(const struct binding *b, struct slice user)
{
	return user.n && sip_user_eq(slice_z(b->user), user);
}

static struct binding *by_address(const struct registrar *r, const struct path *from,
				  struct slice user)
{
	struct hash_node *n = hash_first(&r->by_address, hash_of_address(r, &from->remote.addr));

	for (; n; n = hash_next(n)) {
		struct binding *b = container_of(n, struct binding, by_address);
		uint16_t zone = r->config->listeners[from->listener].zone;

		if (!r->config->phones[b->phones].nat && is_user(b, user) &&
		    r->config->listeners[b->source.listener].zone == zone &&
		    ip_eq(&b->source.remote.addr, &from->remote.addr))
			return b;
	}
	return NULL;
}

struct binding *registrar_by_source(const struct registrar *r, const struct path *from,
				    struct slice user)
{
	struct hash_node *n = hash_first(&r->by_source, hash_of_source(r, from));
	struct binding *any = NULL;

	for (; n; n = hash_next(n)) {
		struct binding *b = container_of(n, struct binding, by_source);

		if (!path_same_source(&b->source, from))
			continue;
		if (is_user(b, user))
			return b;
		any = any ? any : b;
	}
	return any ? any : by_address(r, from, user);
}

static bool same_address(const struct registrar *r, const struct binding *b,
			 const struct path *from)
{
	return ip_eq(&b->source.remote.addr, &from->remote.addr) &&
	       r->config->listeners[b->source.listener].zone ==
		       r->config->listeners[from->listener].zone;
}

bool registrar_has_address(const struct registrar *r, const struct path *from)
{
	struct hash_node *n = hash_first(&r->by_address, hash_of_address(r, &from->remote.addr));

	for (; n; n = hash_next(n))
		if (same_address(r, container_of(n, struct binding, by_address), from))
			return true;
	return false;
}

bool registrar_has_aor_at(const struct registrar *r, struct slice aor, const struct path *from)
{
	struct hash_node *n = hash_first(&r->by_aor, hash_bytes(&r->key, aor));

	for (; n; n = hash_next(n)) {
		const struct binding *b = container_of(n, struct binding, by_aor);

		if (slice_eq(slice_z(b->aor), aor) && same_address(r, b, from))
			return true;
	}
	return false;
}

void registrar_walk(struct registrar *r, void (*each)(void *ctx, const struct binding_info *info),
		    void *ctx)
{
	list_for_each (node, &r->bindings) {
		const struct binding *b = container_of(node, struct binding, node);
		struct binding_info info = {
			.phones = b->phones,
			.pbx = b->pbx,
			.path = b->path,
			.flow_closed = b->flow_closed,
			.registered_ms = b->registered_ms,
			.expires_ms = b->expires_ms,
		};

		memcpy(info.aor, b->aor, sizeof(info.aor));
		memcpy(info.user_agent, b->user_agent, sizeof(info.user_agent));
		(void)slice_to_z(slice_z(b->contact), info.contact, sizeof(info.contact));
		each(ctx, &info);
	}
}

/* ---- reload ---- */

/* False when the section, its PBX or a listener is no more. */
static bool follow(struct binding *b, const struct config *old, const struct config *config,
		   const uint16_t *listener_map)
{
	uint16_t phones = config_phones_find(config, slice_z(old->phones[b->phones].name));
	uint16_t pbx = config_pbx_find(config, slice_z(old->pbxs[b->pbx].name));

	b->path.listener = listener_map[b->path.listener];
	b->source.listener = listener_map[b->source.listener];
	if (phones == CONFIG_NONE || pbx == CONFIG_NONE || config->phones[phones].to != pbx ||
	    b->path.listener == CONFIG_NONE || b->source.listener == CONFIG_NONE)
		return false;
	b->phones = phones;
	b->pbx = pbx;
	return true;
}

void registrar_reload(struct registrar *r, const struct config *old, const struct config *config,
		      const uint16_t *listener_map)
{
	r->config = config;
	memset(r->pbx_silent, 0, sizeof(r->pbx_silent));
	r->by_token.max = r->by_aor.max = config->limits.registrations;
	r->by_source.max = r->by_address.max = config->limits.registrations;
	list_for_each_safe (node, &r->bindings) {
		struct binding *b = container_of(node, struct binding, node);

		if (!follow(b, old, config, listener_map))
			reg_binding_remove(b, REASON_registration_expired);
		else
			kept_binding_write(b);
	}
	list_for_each_safe (node, &r->pending) {
		struct reg_pending *p = container_of(node, struct reg_pending, node);

		p->phones = config_phones_find(config, slice_z(old->phones[p->phones].name));
		if (p->phones == CONFIG_NONE)
			reg_pending_fail(p, r->wheel->now_ms, REASON_peer_unreachable);
	}
}
