#include "main/watch_attack.h"

#include "base/mem.h"
#include "guard/r2_tools.h"

/* ---- the tables ---- */

int watch_attacks_init(struct watch_attacks *a, struct watch *w, const struct config *config,
		       struct patch_set *patches)
{
	uint32_t per_s = config ? config->limits.per_source_pps : WATCH_PER_SOURCE_PPS;
	uint32_t ban_s = config ? config->limits.ban_time_s : WATCH_BAN_TIME_S;
	int err;

	*a = (struct watch_attacks){.w = w, .config = config, .patches = patches};
	list_init(&a->rows);
	a->ban_ms = (uint64_t)ban_s * 1000;
	err = r2_bans_init(&a->bans, &w->key);
	err = err ? err : r2_detect_init(&a->detect, &w->key);
	err = err ? err : source_limit_init(&a->sources, &w->key, per_s);
	err = err ? err : watch_swarm_init(a);
	err = err ? err : hash_init(&a->rows_by_source, WATCH_ATTACK_ROWS_MAX);
	err = err ? err : hash_init(&a->hosts_by_endpoint, WATCH_ATTACK_HOSTS_MAX);
	a->tries = mem_zalloc((size_t)WATCH_TRY_SETS * WATCH_TRY_WAYS, sizeof(*a->tries));
	err = err || a->tries ? err : ERR_NOMEM;
	if (err)
		watch_attacks_done(a);
	else
		w->attacks = a;
	return err;
}

void watch_attacks_done(struct watch_attacks *a)
{
	if (!a->w)
		return;
	r2_bans_done(&a->bans);
	r2_detect_done(&a->detect);
	source_limit_done(&a->sources);
	watch_swarm_done(a);
	hash_done(&a->rows_by_source);
	hash_done(&a->hosts_by_endpoint);
	mem_free(a->tries);
	patch_set_free(a->patches);
	*a = (struct watch_attacks){0};
}

/* ---- who is who ---- */

static uint64_t one_hash(const struct watch *w, const struct ip_endpoint *who)
{
	const struct ip_endpoint nobody = {0};

	return watch_endpoint_hash(w, who, &nobody, 0);
}

static bool host_known(const struct watch_attacks *a, const struct ip_endpoint *who)
{
	uint64_t hash = one_hash(a->w, who);

	for (struct hash_node *n = hash_first(&a->hosts_by_endpoint, hash); n; n = hash_next(n))
		if (ip_endpoint_eq(&container_of(n, struct watch_host, by_endpoint)->who, who))
			return true;
	return false;
}

static void host_note(struct watch_attacks *a, const struct ip_endpoint *who)
{
	struct watch_host *h;

	if (host_known(a, who))
		return;
	h = watch_alloc(a->w, sizeof(*h));
	if (!h)
		return;
	h->who = *who;
	if (hash_add(&a->hosts_by_endpoint, &h->by_endpoint, one_hash(a->w, who)))
		a->w->counts.not_kept++;
}

/* Phones are registered at this address. */
bool watch_attacks_has_phones(const struct watch_attacks *a, const struct ip_endpoint *who)
{
	const struct ip_endpoint whole = {.addr = who->addr};

	return host_known(a, &whole);
}

/* As the gateway's own: peers and never-ban are not punished. */
static bool never_banned(const struct watch_attacks *a, const struct ip_endpoint *who)
{
	const struct config *c = a->config;
	struct config_owner owner;

	for (size_t i = 0; c && i < c->limits.never_ban_count; i++)
		if (ip_in_prefix(&who->addr, &c->limits.never_ban[i]))
			return true;
	for (size_t i = 0; c && i < c->zone_count; i++)
		if (config_peer_at(c, (uint16_t)i, who, &owner))
			return true;
	return host_known(a, who);
}

/* ---- what is told ---- */

/* Named even when it does not add up to a ban. */
static bool tells_by_itself(enum reason why)
{
	return why == REASON_virtual_patch || why == REASON_virtual_patch_seen ||
	       why == REASON_scanner_tool || why == REASON_source_rate_limit ||
	       why == REASON_account_guarded || why == REASON_distributed_flood;
}

static struct hash_node *rows_of(const struct watch_attacks *a, const struct ip_addr *source)
{
	const struct ip_endpoint whole = {.addr = *source};

	return hash_first(&a->rows_by_source, one_hash(a->w, &whole));
}

static struct watch_attack *row_find(const struct watch_attacks *a, const struct watch_at *at,
				     enum reason why, struct slice detail)
{
	for (struct hash_node *n = rows_of(a, &at->src.addr); n; n = hash_next(n)) {
		struct watch_attack *r = container_of(n, struct watch_attack, by_source);

		if (r->reason == why && ip_eq(&r->at.src.addr, &at->src.addr) &&
		    slice_eq(r->detail, slice_first(detail, WATCH_LINE_MAX)))
			return r;
	}
	return NULL;
}

/* NULL: there is no room, which is counted. */
static struct watch_attack *row_add(struct watch_attacks *a, const struct watch_at *at,
				    enum reason why, struct slice detail)
{
	const struct ip_endpoint whole = {.addr = at->src.addr};
	struct watch_attack *r = row_find(a, at, why, detail);

	if (!r) {
		r = watch_alloc(a->w, sizeof(*r));
		if (!r)
			return NULL;
		r->at = *at;
		r->reason = why;
		r->detail = watch_keep(a->w, detail);
		r->attack = tells_by_itself(why);
		if (hash_add(&a->rows_by_source, &r->by_source, one_hash(a->w, &whole))) {
			a->w->counts.not_kept++;
			return NULL;
		}
		list_append(&a->rows, &r->node);
	}
	r->count++;
	r->last_ns = at->time_ns;
	return r;
}

static void on_ban(struct watch_attacks *a, const struct watch_at *at, const struct ban *ban)
{
	char text[BAN_NOTE_MAX + 96];
	struct out o = out_to(text, sizeof(text));
	struct watch_attack *row;

	ban_write_who(&o, ban);
	out_fmt(&o, " for %llu s", (unsigned long long)(ban->until_ms - ban->since_ms) / 1000);
	if (!ban->port && !ban->whole)
		out_z(&o, ", registered phones excepted");
	row = row_add(a, at, (enum reason)ban->reason, out_slice(&o));
	if (row)
		row->ban = true;
	for (struct hash_node *n = rows_of(a, &at->src.addr); n; n = hash_next(n)) {
		struct watch_attack *r = container_of(n, struct watch_attack, by_source);

		if (ip_eq(&r->at.src.addr, &at->src.addr))
			r->attack = true;
	}
	r2_bans_expire(&a->bans, a->now_ms);
	if (r2_bans_put(&a->bans, ban, a->now_ms))
		a->w->counts.not_kept++;
}

static void offence(struct watch_attacks *a, const struct watch_at *at, enum reason why,
		    struct slice detail)
{
	struct r2_culprit who = {.source = at->src,
				 .office = watch_attacks_has_phones(a, &at->src)};
	enum r2_offence kind;
	struct ban ban;

	if (r2_offence_points(why, &kind) == 0 || never_banned(a, &at->src))
		return;
	(void)row_add(a, at, why, detail);
	if (r2_detect_offence(&a->detect, &who, why, a->now_ms, a->ban_ms, &ban))
		on_ban(a, at, &ban);
}

void watch_attacks_tell(struct watch_attacks *a, const struct watch_at *at, enum reason why,
			struct slice detail)
{
	(void)row_add(a, at, why, detail);
}

/* The gateway would not have heard it. */
static bool kept_out(struct watch_attacks *a, const struct watch_at *at)
{
	const struct ban *ban =
		r2_bans_find(&a->bans, &at->src, watch_attacks_has_phones(a, &at->src), a->now_ms);

	if (!ban)
		return false;
	for (struct hash_node *n = rows_of(a, &at->src.addr); n; n = hash_next(n)) {
		struct watch_attack *r = container_of(n, struct watch_attack, by_source);

		if (r->ban && r->reason == (enum reason)ban->reason &&
		    ip_eq(&r->at.src.addr, &at->src.addr)) {
			r->after++;
			r->last_ns = at->time_ns;
			break;
		}
	}
	return true;
}

/* ---- virtual patches ---- */

static const struct patch *patch_for(struct watch_attacks *a, const struct watch_at *at,
				     struct slice raw)
{
	struct patch_target_of to = {.phones = host_known(a, &at->src)};
	const struct patch *p;

	if (a->config && a->config->pbx_count == 1)
		to.product = slice_z(a->config->pbxs[0].product);
	p = patch_set_find(a->patches, raw, &to);
	if (p || to.phones || host_known(a, &at->dst))
		return p;
	to.phones = true; /* who it goes to is not known: it may be a phone */
	return patch_set_find(a->patches, raw, &to);
}

static bool patched(struct watch_attacks *a, const struct watch_at *at, struct slice raw)
{
	const struct patch *p = a->patches ? patch_for(a, at, raw) : NULL;
	char text[256];
	struct out o = out_to(text, sizeof(text));
	bool observes;

	if (!p)
		return false;
	patch_write_name(&o, p);
	observes = p->action == PATCH_OBSERVE ||
		   (a->config && a->config->patches.mode == PATCHES_OBSERVE && !p->forced);
	if (observes || never_banned(a, &at->src))
		(void)row_add(a, at, observes ? REASON_virtual_patch_seen : REASON_virtual_patch,
			      out_slice(&o));
	else
		offence(a, at, REASON_virtual_patch, out_slice(&o));
	return !observes;
}

/* ---- requests and what is answered ---- */

static uint64_t try_id(const struct watch *w, const struct ip_addr *client,
		       const struct ip_addr *server)
{
	const struct sip_msg *m = w->msg;
	const struct ip_endpoint c = {.addr = *client}, s = {.addr = *server};
	const uint64_t parts[] = {hash_bytes(&w->key, m->call_id),
				  hash_bytes(&w->key, m->via.branch),
				  (uint64_t)m->cseq.number << 8 | (uint64_t)m->cseq.method,
				  watch_endpoint_hash(w, &c, &s, 0)};

	return hash_bytes(&w->key, slice_of((const char *)parts, sizeof(parts))) | 1;
}

/* The try of this id, or the oldest of its set, to be taken. */
static struct watch_try *try_of(const struct watch_attacks *a, uint64_t id)
{
	struct watch_try *set = &a->tries[id / 2 % WATCH_TRY_SETS * WATCH_TRY_WAYS], *oldest = set;

	for (size_t i = 0; i < WATCH_TRY_WAYS; i++) {
		if (set[i].id == id)
			return &set[i];
		if (set[i].at_ms < oldest->at_ms)
			oldest = &set[i];
	}
	return oldest;
}

static uint8_t lower_copy(char to[WATCH_TRY_NAME_MAX], struct slice from)
{
	from = slice_first(from, WATCH_TRY_NAME_MAX);
	for (size_t i = 0; i < from.n; i++)
		to[i] = ascii_lower(from.p[i]);
	return (uint8_t)from.n;
}

/* The account whose password is tried, at the domain of who asks (RFC 7616 3.4: username). */
static void account_copy(struct watch_try *t, const struct sip_msg *m)
{
	const struct sip_header *h = sip_header_first(m, SIP_H_PROXY_AUTHORIZATION);
	char text[WATCH_TRY_NAME_MAX];
	struct out o = out_to(text, sizeof(text));
	struct sip_auth auth;
	struct slice host;

	h = h ? h : sip_header_first(m, SIP_H_AUTHORIZATION);
	if (!h)
		return;
	(void)slice_split(m->from.uri_text, '@', &host);
	if (sip_auth_parse(h->value, &auth) == 0)
		out_bytes(&o, sip_auth_param(&auth, SL("username")));
	out_char(&o, '@');
	out_bytes(&o, host);
	t->account_n = lower_copy(t->account, o.err ? m->from.uri_text : out_slice(&o));
}

/* True when it was not seen before. */
static bool try_enter(struct watch_attacks *a, const struct watch_at *at, struct watch_try **out)
{
	const struct sip_msg *m = a->w->msg;
	uint64_t id = try_id(a->w, &at->src.addr, &at->dst.addr);
	struct watch_try *t = *out = try_of(a, id);
	struct slice name = m->from.uri_text;

	if (t->id == id)
		return false;
	*t = (struct watch_try){.id = id, .at_ms = a->now_ms, .at = *at};
	t->attempt.password = r2_has_password(m);
	if (m->method == SIP_REGISTER)
		name = m->to.uri_text;
	else if (m->method == SIP_OPTIONS)
		name = m->uri_text;
	t->name_n = lower_copy(t->name, name);
	if (m->method != SIP_REGISTER)
		account_copy(t, m);
	return true;
}

/* What a stranger's OPTIONS by datagram asks for adds up like names; see on_response. */
static bool walks(struct watch_attacks *a, const struct watch_at *at, const struct watch_try *t)
{
	const struct sip_msg *m = a->w->msg;

	return m->method == SIP_OPTIONS && m->uri.user.n && !transport_reliable(at->transport) &&
	       !watch_attacks_has_phones(a, &at->src) &&
	       r2_detect_challenged(&a->detect, &at->src, slice_of(t->name, t->name_n), a->now_ms);
}

static void on_request(struct watch_attacks *a, const struct watch_at *at)
{
	const struct sip_msg *m = a->w->msg;
	const char *tool = r2_tool_of(m);
	struct slice account;
	struct watch_try *t;

	if (tool) {
		offence(a, at, REASON_scanner_tool, slice_z(tool));
		return;
	}
	if (m->to.tag.n || m->method == SIP_ACK || m->method == SIP_CANCEL || !try_enter(a, at, &t))
		return;
	account = m->method == SIP_REGISTER ? slice_of(t->name, t->name_n)
					    : slice_of(t->account, t->account_n);
	if (!never_banned(a, &at->src))
		watch_swarm_on_request(a, t);
	if (m->method == SIP_REGISTER && t->attempt.password)
		t->attempt.fresh = r2_detect_tried(&a->detect, &at->src, account, a->now_ms);
	if (t->attempt.password && r2_account_guarded(&a->detect, account, a->now_ms) &&
	    !watch_attacks_has_phones(a, &at->src))
		offence(a, at, REASON_account_guarded, account);
	else if (walks(a, at, t))
		offence(a, at, REASON_name_walk, SL(""));
}

static enum reason judge(struct watch_attacks *a, const struct watch_try *t)
{
	const struct sip_msg *m = a->w->msg;
	const struct r2_asked asked = {t->at.src, slice_of(t->name, t->name_n),
				       slice_of(t->account, t->account_n), a->now_ms, a->ban_ms};
	enum reason why;

	if (m->method == SIP_REGISTER)
		return r2_on_register_answer(&a->detect, &asked, &t->attempt, m);
	if (m->method == SIP_OPTIONS) { /* who is answered may ask on: a PBX asks its phones so */
		if (m->status < 300)
			(void)r2_detect_tried(&a->detect, &asked.flow, asked.name, a->now_ms);
		return REASON_NONE;
	}
	why = r2_on_answer(&a->detect, &asked, m);
	if (!why && m->method == SIP_INVITE && m->status == 403 && host_known(a, &t->at.dst) &&
	    !watch_attacks_has_phones(a, &t->at.src))
		return REASON_caller_not_registered;
	return why;
}

/* A REGISTER's answer shows who is a phone system, and where phones are. */
static void learn(struct watch_attacks *a, const struct watch_try *t)
{
	const struct sip_msg *m = a->w->msg;
	const struct ip_endpoint whole = {.addr = t->at.src.addr};

	if (m->method != SIP_REGISTER)
		return;
	if (m->status < 300 || m->status == 401 || m->status == 407)
		host_note(a, &t->at.dst);
	if (m->status < 300) {
		host_note(a, &whole);
		source_limit_prove(&a->sources, &t->at.src, a->now_ms);
	}
}

static void on_response(struct watch_attacks *a, const struct watch_at *at)
{
	uint64_t id = try_id(a->w, &at->dst.addr, &at->src.addr);
	struct watch_try *t = try_of(a, id);
	struct watch_at asked;
	enum reason why;

	if (t->id != id || t->answered)
		return;
	if (!never_banned(a, &t->at.src))
		watch_swarm_on_response(a, t);
	if (a->w->msg->status < 200)
		return;
	t->answered = true; /* what comes again tells nothing new */
	learn(a, t);
	if (never_banned(a, &t->at.src))
		return;
	why = judge(a, t);
	asked = t->at;
	asked.time_ns = at->time_ns;
	if (why)
		offence(a, &asked, why, SL(""));
}

/* Too much at once, or a ban: the gateway would have looked no further. */
static bool held(struct watch_attacks *a, const struct watch_at *at)
{
	enum source_verdict v;

	if (kept_out(a, at))
		return true;
	v = source_limit_take(&a->sources, &at->src, a->now_ms);
	if (v == SOURCE_DROP_AND_TELL)
		offence(a, at, REASON_source_rate_limit, SL(""));
	return v != SOURCE_PASS;
}

void watch_attacks_on_message(struct watch_attacks *a, const struct watch_at *at, struct slice raw,
			      bool whole, enum reason reason)
{
	uint64_t now_ms = at->time_ns / 1000000;

	a->now_ms = now_ms > a->now_ms ? now_ms : a->now_ms;
	if ((!never_banned(a, &at->src) && held(a, at)) || patched(a, at, raw))
		return;
	if (reason)
		offence(a, at, reason, SL(""));
	else if (whole && a->w->msg->request)
		on_request(a, at);
	else if (whole)
		on_response(a, at);
}
