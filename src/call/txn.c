#include "call/txn.h"

#include "base/mem.h"
#include "call/txn_impl.h"
#include "model/config.h"

/* ---- the machine ---- */

void txn_send(const struct txn *t, const struct path *to, struct slice bytes)
{
	const struct core_env *env = t->layer->env;
	struct action a = {.kind = ACT_SEND, .call = t->call, .path = *to, .bytes = bytes};

	if (bytes.n && to->listener != CONFIG_NONE)
		env->act(env->ctx, &a);
}

void txn_trace(const struct txn *t, const struct path *path, bool outgoing, struct slice bytes)
{
	const struct core_env *env = t->layer->env;
	struct action a = {.kind = ACT_TRACE,
			   .call = t->call,
			   .path = *path,
			   .outgoing = outgoing,
			   .bytes = bytes};

	if (t->call && bytes.n)
		env->act(env->ctx, &a);
}

void txn_send_itself(const struct txn *t, const struct path *to, struct slice bytes)
{
	txn_trace(t, to, true, bytes);
	txn_send(t, to, bytes);
}

static bool is_server(const struct txn *t)
{
	return t->kind == TXN_INVITE_SERVER || t->kind == TXN_SERVER;
}

static struct slice request_of(const struct txn *t)
{
	return slice_of(t->request, t->request_bytes);
}

static void arm_repeat(struct txn *t, uint32_t delay_ms)
{
	t->repeat_ms = delay_ms;
	timer_start(t->layer->wheel, &t->repeat, delay_ms);
}

/* Over a reliable transport the time is zero: it ends with the next tick. */
static void arm_end_unreliable(struct txn *t, uint32_t delay_ms)
{
	bool reliable = transport_reliable((enum transport)t->path.transport);

	timer_start(t->layer->wheel, &t->end, reliable ? 0 : delay_ms);
}

static void tell_failed(struct txn *t, uint64_t now_ms, enum reason why)
{
	if (t->user && t->user->on_failed)
		t->user->on_failed(t, now_ms, why);
}

static void step_messages(struct txn *t, uint32_t todo, struct txn_input *in)
{
	if (todo & TXN_DO_KEEP)
		in->err = txn_server_keep(t, in->bytes);
	if (todo & TXN_DO_SEND)
		txn_send(t, &t->reply, in->bytes);
	if (todo & TXN_DO_RESEND)
		txn_send_itself(t, &t->reply, is_server(t) ? t->response : request_of(t));
	if (todo & TXN_DO_TRYING)
		txn_server_trying(t);
	if (todo & TXN_DO_ACK)
		txn_client_ack(t, in->msg);
	if (todo & TXN_DO_ACKED)
		t->acked = true;
}

static void step_cancel(struct txn *t, uint32_t todo, struct txn_input *in)
{
	if (todo & TXN_DO_CANCEL)
		txn_client_cancel(t, in->now_ms, in->bytes);
	if (todo & TXN_DO_CANCEL_NOTE && !t->cancel_noted) {
		t->cancel_noted = true;
		t->cancel_headers.p = mem_strndup(in->bytes.p, in->bytes.n);
		t->cancel_headers.n = t->cancel_headers.p ? in->bytes.n : 0;
	}
	if (todo & TXN_DO_CANCEL_NOTED && t->cancel_noted)
		txn_client_cancel(t, in->now_ms, t->cancel_headers);
}

static void step_repeat_timer(struct txn *t, uint32_t todo)
{
	bool reliable = transport_reliable((enum transport)t->path.transport);
	uint32_t twice_ms = t->repeat_ms * 2;

	if (todo & TXN_DO_REPEAT_STOP)
		timer_stop(&t->repeat);
	if (todo & TXN_DO_REPEAT_ALWAYS || (todo & TXN_DO_REPEAT_START && !reliable))
		arm_repeat(t, TXN_T1_MS);
	if (todo & TXN_DO_REPEAT_DOUBLE)
		arm_repeat(t, twice_ms);
	if (todo & TXN_DO_REPEAT_TO_T2)
		arm_repeat(t, twice_ms < TXN_T2_MS ? twice_ms : TXN_T2_MS);
	if (todo & TXN_DO_REPEAT_T2)
		arm_repeat(t, TXN_T2_MS);
}

static void step_end_timer(struct txn *t, uint32_t todo)
{
	if (todo & TXN_DO_END_STOP && !t->cancel_sent)
		timer_stop(&t->end);
	if (todo & TXN_DO_END_64T1)
		timer_start(t->layer->wheel, &t->end, TXN_TIMEOUT_MS);
	if (todo & TXN_DO_END_D)
		arm_end_unreliable(t, TXN_D_MS);
	if (todo & TXN_DO_END_T4)
		arm_end_unreliable(t, TXN_T4_MS);
	if (todo & TXN_DO_END_J)
		arm_end_unreliable(t, TXN_TIMEOUT_MS);
}

/* Last: the user may do anything to this and other transactions. */
static void step_user(struct txn *t, uint32_t todo, struct txn_input *in)
{
	if (todo & TXN_DO_TELL && t->user && t->user->on_response)
		t->user->on_response(t, in->now_ms, in->msg);
	if (todo & TXN_DO_FAIL_TIMEOUT)
		tell_failed(t, in->now_ms, REASON_peer_timeout);
	if (todo & TXN_DO_FAIL_BROKEN && !t->acked)
		tell_failed(t, in->now_ms, in->why ? in->why : REASON_peer_unreachable);
	if (todo & TXN_DO_FAIL_UNACKED && !t->acked)
		tell_failed(t, in->now_ms, REASON_ack_timeout);
}

static void gone(struct txn *t, uint64_t now_ms)
{
	if (t->user && t->user->on_gone)
		t->user->on_gone(t, now_ms);
	hash_remove(&t->layer->by_id, &t->by_id);
	txn_discard(t);
}

void txn_step(struct txn *t, enum txn_event event, struct txn_input *in)
{
	const struct txn_row *row =
		txn_row_of((enum txn_kind)t->kind, (enum txn_state)t->state, event);

	t->depth++;
	t->state = row->next;
	step_messages(t, row->todo, in);
	step_repeat_timer(t, row->todo);
	step_end_timer(t, row->todo);
	step_cancel(t, row->todo, in);
	step_user(t, row->todo, in);
	t->depth--;
	if (t->depth == 0 && t->state == TXN_TERMINATED)
		gone(t, in->now_ms);
}

static void on_repeat_timer(struct timer *timer, uint64_t now_ms)
{
	struct txn_input in = {.now_ms = now_ms};

	txn_step(container_of(timer, struct txn, repeat), TXN_EV_REPEAT, &in);
}

static void on_end_timer(struct timer *timer, uint64_t now_ms)
{
	struct txn_input in = {.now_ms = now_ms};

	txn_step(container_of(timer, struct txn, end), TXN_EV_TIMEOUT, &in);
}

/* ---- birth and death ---- */

struct txn *txn_alloc(struct txn_layer *l, enum txn_kind kind, const struct path *path,
		      struct slice request, struct slice branch)
{
	struct txn *t;

	if (request.n > CORE_MESSAGE_MAX || branch.n > CORE_MESSAGE_MAX)
		return NULL;
	t = mem_zalloc(1, sizeof(*t) + request.n + branch.n);
	if (!t)
		return NULL;
	list_init(&t->node);
	timer_init(&t->repeat, on_repeat_timer);
	timer_init(&t->end, on_end_timer);
	t->layer = l;
	t->kind = (uint8_t)kind;
	t->path = t->reply = *path;
	t->request_bytes = request.n;
	memcpy(t->request, request.p, request.n);
	if (branch.n)
		memcpy(t->request + request.n, branch.p, branch.n);
	t->key.branch = slice_of(t->request + request.n, branch.n);
	return t;
}

int txn_adopt(struct txn_layer *l, struct txn *t)
{
	int err = l->by_id.count >= l->max
			  ? ERR_LIMIT
			  : hash_add(&l->by_id, &t->by_id, txn_key_hash(l, &t->key));

	if (!err)
		list_append(&l->all, &t->node);
	return err;
}

void txn_discard(struct txn *t)
{
	timer_stop(&t->repeat);
	timer_stop(&t->end);
	list_remove(&t->node);
	mem_free((char *)(uintptr_t)t->cancel_headers.p);
	mem_free((char *)(uintptr_t)t->response.p);
	mem_free(t);
}

int txn_layer_init(struct txn_layer *l, const struct core_env *env, struct wheel *wheel,
		   struct hash_key key)
{
	char *scratch = mem_zalloc(1, CORE_MESSAGE_MAX);
	int err = scratch ? hash_init(&l->by_id, TXN_MAX) : ERR_NOMEM;

	if (err) {
		mem_free(scratch);
		return err;
	}
	l->env = env;
	l->max = TXN_MAX;
	l->wheel = wheel;
	l->key = key;
	l->scratch = scratch;
	list_init(&l->all);
	return 0;
}

void txn_layer_done(struct txn_layer *l)
{
	/* Never set up, or done already. */
	if (!l->scratch)
		return;
	list_for_each_safe (node, &l->all)
		txn_discard(container_of(node, struct txn, node));
	hash_done(&l->by_id);
	mem_free(l->scratch);
	l->scratch = NULL;
}

static bool remap(struct path *path, const uint16_t *listener_map)
{
	if (path->listener != CONFIG_NONE)
		path->listener = listener_map[path->listener];
	return path->listener != CONFIG_NONE;
}

/* Calls `each` for every transaction; any may go, and new ones may come, meanwhile. */
static void for_all(struct txn_layer *l, void (*each)(struct txn *t, void *ctx), void *ctx)
{
	struct list seen, *node;

	list_init(&seen);
	while (!list_empty(&l->all)) {
		node = l->all.next;
		list_remove(node);
		list_append(&seen, node);
	}
	while (!list_empty(&seen)) {
		node = seen.next;
		list_remove(node);
		list_append(&l->all, node);
		each(container_of(node, struct txn, node), ctx);
	}
}

struct remapping {
	const uint16_t *listener_map;
	uint64_t now_ms;
};

static void remap_one(struct txn *t, void *ctx)
{
	const struct remapping *r = ctx;
	struct txn_input in = {.now_ms = r->now_ms};
	bool alive = remap(&t->path, r->listener_map);

	if (!remap(&t->reply, r->listener_map) || !alive)
		txn_step(t, TXN_EV_BROKEN, &in);
}

void txn_layer_remap(struct txn_layer *l, const uint16_t *listener_map)
{
	struct remapping r = {.listener_map = listener_map, .now_ms = l->wheel->now_ms};

	for_all(l, remap_one, &r);
}

/* ---- transport failures ---- */

struct breakage {
	uint64_t now_ms;
	const struct path *at;
	enum reason why;
};

static bool path_broke(const struct path *p, const struct path *at)
{
	if (p->listener != at->listener || p->transport != at->transport)
		return false;
	if (at->conn && p->conn)
		return p->conn == at->conn;
	return p->conn == 0 && ip_endpoint_eq(&p->remote, &at->remote);
}

/* An answer whose connection broke goes to the sender's own port over a new one (18.2.2); a
 * browser cannot be reached so. */
static bool reply_anew(struct txn *t)
{
	bool possible = t->reply.transport == TRANSPORT_TCP || t->reply.transport == TRANSPORT_TLS;

	if (!is_server(t) || !possible || t->reply.conn == 0)
		return false;
	t->reply.conn = 0;
	t->reply.remote.port = t->key.sent_by_port		     ? t->key.sent_by_port
			       : t->reply.transport == TRANSPORT_TLS ? 5061
								     : 5060;
	return true;
}

static void break_one(struct txn *t, void *ctx)
{
	const struct breakage *b = ctx;
	struct txn_input in = {.now_ms = b->now_ms, .why = b->why};

	if (path_broke(&t->reply, b->at) && !reply_anew(t))
		txn_step(t, TXN_EV_BROKEN, &in);
}

void txn_on_transport_error(struct txn_layer *l, uint64_t now_ms, const struct path *to,
			    enum reason why)
{
	struct breakage b = {.now_ms = now_ms, .at = to, .why = why};

	for_all(l, break_one, &b);
}

/* ---- what users ask ---- */

void txn_branch_new(struct txn_layer *l, char out[static TXN_BRANCH_MAX])
{
	struct out o = out_to(out, TXN_BRANCH_MAX - 1);
	uint8_t bytes[CALL_TOKEN_BYTES];

	l->env->random(l->env->ctx, bytes, sizeof(bytes));
	out_z(&o, "z9hG4bK");
	out_hex(&o, bytes, sizeof(bytes));
	out[o.n] = '\0';
}

void *txn_owner(const struct txn *t)
{
	return t->owner;
}

void txn_user_set(struct txn *t, const struct txn_user *user, void *owner)
{
	t->user = user;
	t->owner = owner;
}

void txn_release(struct txn *t)
{
	bool unanswered = is_server(t) && (t->state == TXN_TRYING || t->state == TXN_PROCEEDING);

	t->user = NULL;
	t->owner = NULL;
	if (unanswered)
		timer_start(t->layer->wheel, &t->end, TXN_ANSWER_MS);
}

void txn_call_set(struct txn *t, uint32_t call)
{
	t->call = call;
}

enum txn_state txn_state_of(const struct txn *t)
{
	return (enum txn_state)t->state;
}

const struct path *txn_path(const struct txn *t)
{
	return &t->path;
}

int txn_request(const struct txn *t, struct sip_msg *out)
{
	enum reason why;
	bool whole = sip_msg_parse(request_of(t), CORE_MESSAGE_MAX, out, &why) == SIP_DONE;

	return whole ? 0 : ERR_SYNTAX;
}

size_t txn_count(const struct txn_layer *l)
{
	return l->by_id.count;
}
