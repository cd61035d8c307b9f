#include "call/kept.h"

#include "base/mem.h"

#define PROBE_FIRST_MS 20000  /* a successor asks whether the peers are still there after that */
#define PROBE_SPREAD   280000 /* or so much later: not every call's at once */

/* A timer of a call: the longest session and subscription that can be asked for. */
#define TIMER_MAX_MS ((UINT64_C(1) << 32) * 1000 + 64000)

/* ---- the parts of a call ---- */

static void pack_heap_text(struct pack *p, char **text, size_t *n)
{
	struct slice s = slice_of(*text, *n);

	pack_slice(p, &s);
	if (!p->reading || p->in.err)
		return;
	*text = mem_strndup(s.p, s.n);
	*n = *text ? s.n : 0;
	if (!*text)
		pack_fail(p, ERR_NOMEM);
}

static void pack_routes(struct pack *p, struct dialog_end *e)
{
	uint8_t count = (uint8_t)e->route_count;

	pack_u8(p, &count, CALL_ROUTES_MAX);
	if (p->reading && count) {
		e->routes = arena_alloc(p->arena, CALL_ROUTES_MAX * sizeof(*e->routes));
		if (!e->routes) {
			pack_fail(p, ERR_NOMEM);
			return;
		}
	}
	e->route_count = count;
	for (unsigned i = 0; i < count; i++)
		pack_slice(p, &e->routes[i]);
}

static void pack_dialog_end(struct pack *p, struct dialog_end *e)
{
	pack_slice(p, &e->local_tag);
	pack_slice(p, &e->remote_tag);
	pack_heap_text(p, &e->target, &e->target_n);
	pack_routes(p, e);
	pack_u32(p, &e->remote_cseq);
}

/* The number before that of a request of this side that is still to be answered: it comes again. */
static uint32_t settled_cseq(const struct call *k, const struct dialog *d, unsigned leg)
{
	uint32_t cseq = d->end[leg].remote_cseq;

	list_for_each (n, &k->exchanges) {
		const struct exchange *x = container_of(n, struct exchange, node);

		if (x->dialog == d && x->from == leg && !x->ours && !x->answered &&
		    x->server_cseq <= cseq)
			cseq = x->server_cseq - 1;
	}
	return cseq;
}

static void pack_dialog(struct pack *p, struct call *k, struct dialog *d)
{
	pack_bool(p, &d->confirmed);
	for (unsigned leg = 0; leg < 2; leg++) {
		uint32_t seen = d->end[leg].remote_cseq;

		if (!p->reading)
			d->end[leg].remote_cseq = settled_cseq(k, d, leg);
		pack_dialog_end(p, &d->end[leg]);
		if (!p->reading)
			d->end[leg].remote_cseq = seen;
	}
}

static void pack_dialogs(struct pack *p, struct call *k)
{
	struct dialog **at = &k->dialogs;
	uint8_t count = (uint8_t)k->dialog_count;

	pack_u8(p, &count, CALL_FORKS_MAX);
	k->dialog_count = count;
	for (; count && !pack_error(p); count--) {
		if (p->reading)
			*at = arena_alloc(&k->arena, sizeof(**at));
		if (!*at) {
			pack_fail(p, ERR_NOMEM);
			return;
		}
		pack_dialog(p, k, *at);
		at = &(*at)->next;
	}
}

static void pack_side(struct pack *p, struct side *s, const struct config *config)
{
	pack_owner(p, &s->owner, config);
	pack_u16(p, &s->zone);
	pack_path(p, &s->path, config);
	pack_bool(p, &s->sips);
	pack_endpoint(p, &s->local);
	pack_endpoint(p, &s->us);
	pack_slice(p, &s->peer_host);
	pack_u16(p, &s->peer_port);
	if (p->reading && s->zone >= config->zone_count)
		pack_fail(p, ERR_SYNTAX);
}

static void pack_leg(struct pack *p, struct leg *l)
{
	pack_side(p, &l->side, l->call->core->config);
	pack_slice(p, &l->call_id);
	pack_slice(p, &l->our_uri);
	pack_slice(p, &l->peer_uri);
	pack_slice(p, &l->our_tag);
	pack_slice(p, &l->peer_tag);
	pack_slice(p, &l->first_uri);
	pack_u32(p, &l->cseq);
	if (!p->reading)
		return;
	if (!p->in.err && (l->call_id.n == 0 || leg_index(l))) {
		l->call_id.n = 0;
		pack_fail(p, ERR_LIMIT);
	} else if (p->in.err) {
		l->call_id.n = 0; /* it is not in the table */
	}
}

/* When it fires; 0 = it does not. */
static void pack_timer(struct pack *p, struct core *c, struct timer *t)
{
	uint64_t due_ms = timer_armed(t) ? t->due_ms : 0;

	pack_u64(p, &due_ms);
	if (p->reading && due_ms > c->wheel.now_ms + TIMER_MAX_MS)
		pack_fail(p, ERR_SYNTAX);
	else if (p->reading && due_ms)
		timer_start(&c->wheel, t, due_ms > c->wheel.now_ms ? due_ms - c->wheel.now_ms : 0);
}

static void pack_call(struct pack *p, struct call *k)
{
	pack_u64(p, &k->started_ms);
	pack_u64(p, &k->answered_ms);
	pack_z(p, k->caller, sizeof(k->caller));
	pack_z(p, k->callee, sizeof(k->callee));
	pack_z(p, k->from, sizeof(k->from));
	pack_z(p, k->to, sizeof(k->to));
	pack_bool(p, &k->admitted);
	for (unsigned i = 0; i < 2; i++)
		pack_leg(p, &k->leg[i]);
	pack_dialog_end(p, &k->caller_end);
	pack_dialogs(p, k);
	pack_timer(p, k->core, &k->life);
	pack_timer(p, k->core, &k->session);
	fraud_pack(p, &k->fraud);
	pack_media(p, &k->media);
}

/* ---- writing ---- */

static bool worth_keeping(const struct call *k)
{
	return k->state == CALL_ESTABLISHED && k->kind != CALL_SINGLE && dialog_confirmed(k);
}

void kept_call_write(struct call *k)
{
	struct core *c = k->core;
	struct pack p = pack_to(c->message, CORE_MESSAGE_MAX);
	struct action a = {.kind = ACT_KEEP, .kept = KEPT_CALL, .number = k->id};
	uint8_t kind = (uint8_t)k->kind;

	k->changed = false;
	if (!worth_keeping(k))
		return;
	pack_u32(&p, &k->id);
	pack_u8(&p, &kind, CALL_SUBSCRIPTION);
	pack_call(&p, k);
	if (p.out.err) {
		kept_call_forget(k);
		return;
	}
	a.bytes = out_slice(&p.out);
	k->kept = true;
	c->env->act(c->env->ctx, &a);
	explicit_bzero(c->message, p.out.n); /* there are keys in it */
}

void kept_call_forget(struct call *k)
{
	const struct core_env *env = k->core->env;
	struct action a = {.kind = ACT_FORGET, .kept = KEPT_CALL, .number = k->id};

	if (k->kept && !k->core->leaving)
		env->act(env->ctx, &a);
	k->kept = false;
}

/* ---- reading ---- */

static struct call *call_of_number(struct core *c, uint32_t id, enum call_kind kind)
{
	uint32_t next = c->next_call;
	struct call *k;

	c->next_call = id;
	k = call_new(c, kind, c->wheel.now_ms);
	c->next_call = next;
	core_number_from(c, id + 1);
	return k;
}

/* What a call that runs counts for. */
static int take_up(struct call *k)
{
	const uint8_t kind[2] = {k->leg[0].side.owner.kind, k->leg[1].side.owner.kind};
	const uint16_t index[2] = {k->leg[0].side.owner.index, k->leg[1].side.owner.index};
	struct media_tools tools = call_media_tools(k);
	int err = fraud_take_over(k, k->core->wheel.now_ms);

	if (!err && k->kind == CALL_INVITE) {
		if (k->media.secret.policy_known) /* else nobody has described any yet */
			call_media_peers(k);
		call_watch(k, PROBE_FIRST_MS + (uint64_t)k->id * 997 % PROBE_SPREAD);
		err = media_take_over(&k->media, &tools);
	}
	k->admitted = k->admitted && !err;
	if (k->admitted)
		r1_admit_count(k->core->admit, kind, index);
	k->core->stats.calls_total += k->admitted;
	return err;
}

/* What was read can run: an established call, or a subscription, which has no media. A call with
 * media knows what its sides may do. */
static bool is_whole(const struct call *k)
{
	return k->kind != CALL_SINGLE && dialog_confirmed(k) &&
	       (k->media.stream_count == 0 ||
		(k->kind == CALL_INVITE && k->media.secret.policy_known));
}

int kept_call_take(struct core *c, struct slice record)
{
	struct pack p = pack_of(record, NULL);
	struct call *k;
	uint8_t kind;
	uint32_t id;
	int err;

	pack_u32(&p, &id);
	pack_u8(&p, &kind, CALL_SUBSCRIPTION);
	if (p.in.err || id == 0 || id == UINT32_MAX)
		return ERR_SYNTAX;
	if (call_by_id(c, id))
		return ERR_EXISTS;
	k = call_of_number(c, id, (enum call_kind)kind);
	if (!k)
		return ERR_NOMEM;
	p.arena = &k->arena;
	pack_call(&p, k);
	err = p.in.err;
	if (!err && (cur_left(&p.in) || !is_whole(k)))
		err = ERR_SYNTAX;
	if (err) /* nothing of it is counted or open yet */
		memset(k->media.stream, 0, sizeof(k->media.stream));
	k->admitted = k->admitted && !err;
	err = err ? err : take_up(k);
	k->state = CALL_ESTABLISHED;
	k->kept = !err;
	if (err)
		call_free(k);
	else
		call_change(k);
	core_sweep(c);
	return err;
}
