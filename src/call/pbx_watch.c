#include "call/pbx_watch.h"

#include "base/mem.h"
#include "call/side.h"
#include "proto/sip/sip_write.h"

#define PING_BYTES_MAX 2048 /* an OPTIONS of ours has some 400 */
#define PING_PATIENCE_MS                                                                           \
	4000 /* three repetitions unanswered: long before timer F, it is silent                    \
	      */

static void report(struct pbx_watch *p, enum reason why, const char *words)
{
	const struct core_env *env = p->all->env;
	struct config_owner owner = {.kind = OWNER_PBX, .index = p->pbx};
	struct action a = {.kind = ACT_REPORT, .type = REPORT_SIP, .reason = why};
	char text[CONFIG_NAME_MAX + 64];
	struct out o = out_to(text, sizeof(text));
	struct side s;

	if (side_to_peer(p->all->config, owner, &s) == 0)
		a.path = s.path;
	owner_write(&o, p->all->config, owner);
	out_char(&o, ' ');
	out_z(&o, words);
	a.bytes = out_slice(&o);
	env->act(env->ctx, &a);
}

static void heard(struct pbx_watch *p)
{
	p->heard_ms = p->all->wheel->now_ms;
	if (p->down) {
		registrar_pbx_was_away(p->all->registrar, p->pbx);
		report(p, REASON_NONE, "answers again");
	}
	p->down = false;
}

static void on_response(struct txn *t, uint64_t now_ms, const struct sip_msg *response)
{
	(void)now_ms;
	/* Whatever it says, it is there. */
	if (response->status >= 200)
		heard(txn_owner(t));
}

static void silent(struct pbx_watch *p, enum reason why)
{
	if (!p->down)
		report(p, why, "does not answer");
	p->down = true;
}

static void on_failed(struct txn *t, uint64_t now_ms, enum reason why)
{
	(void)now_ms;
	silent(txn_owner(t), why);
}

static void on_gone(struct txn *t, uint64_t now_ms)
{
	struct pbx_watch *p = txn_owner(t);

	(void)now_ms;
	p->asked = NULL;
}

static const struct txn_user ping_user = {
	.on_response = on_response, .on_failed = on_failed, .on_gone = on_gone};

static void write_ping(struct pbx_watch *p, const struct side *s, struct slice branch,
		       struct out *o)
{
	const struct core_env *env = p->all->env;
	struct slice none = {0};
	uint8_t random[16];

	env->random(env->ctx, random, sizeof(random));
	out_z(o, "OPTIONS sip:");
	side_write_host(o, s);
	out_z(o, " SIP/2.0\r\n");
	side_write_via(o, s, branch);
	out_z(o, "Max-Forwards: 70\r\nFrom: <sip:");
	ip_write_host(o, &s->us.addr);
	out_z(o, ">;tag=");
	out_hex(o, random, 8);
	out_z(o, "\r\nTo: <sip:");
	side_write_host(o, s);
	out_z(o, ">\r\nCall-ID: ");
	out_hex(o, random + 8, 8);
	out_fmt(o, "\r\nCSeq: %u OPTIONS\r\nContact: ", ++p->cseq);
	side_write_contact(o, s, none);
	out_z(o, "\r\n");
	sip_write_body(o, none, none);
}

static void ask(struct pbx_watch *p, uint64_t now_ms)
{
	struct config_owner owner = {.kind = OWNER_PBX, .index = p->pbx};
	char bytes[PING_BYTES_MAX], branch[TXN_BRANCH_MAX];
	struct out o = out_to(bytes, sizeof(bytes));
	enum reason why;
	struct side s;

	if (side_to_peer(p->all->config, owner, &s))
		return;
	txn_branch_new(p->all->txns, branch);
	write_ping(p, &s, slice_z(branch), &o);
	if (o.err)
		return;
	/* Failing to ask is no failure: the next turn comes. */
	p->asked_ms = now_ms;
	p->asked = txn_client_new(p->all->txns, now_ms, &s.path, SIP_OPTIONS, slice_z(branch),
				  out_slice(&o), &ping_user, p, &why);
}

static void turn(struct timer *t, uint64_t now_ms)
{
	struct pbx_watch *p = container_of(t, struct pbx_watch, timer);
	uint64_t every_ms = p->all->config->pbxs[p->pbx].options_ping_ms;
	uint64_t silent_ms = now_ms - p->heard_ms;

	if (silent_ms < every_ms) {
		timer_start(p->all->wheel, t, every_ms - silent_ms);
		return;
	}
	if (!p->asked)
		ask(p, now_ms);
	else if (now_ms - p->asked_ms >= PING_PATIENCE_MS)
		silent(p, REASON_peer_timeout);
	timer_start(p->all->wheel, t, every_ms);
}

int pbx_watches_init(struct pbx_watches *w, const struct core_env *env, const struct config *config,
		     struct wheel *wheel, struct txn_layer *txns, struct registrar *registrar)
{
	*w = (struct pbx_watches){
		.env = env, .config = config, .wheel = wheel, .txns = txns, .registrar = registrar};
	w->watch = mem_zalloc(config->pbx_count ? config->pbx_count : 1, sizeof(*w->watch));
	if (!w->watch)
		return ERR_NOMEM;
	w->count = config->pbx_count;
	for (size_t i = 0; i < w->count; i++) {
		struct pbx_watch *p = &w->watch[i];

		p->all = w;
		p->pbx = (uint16_t)i;
		p->heard_ms = wheel->now_ms;
		timer_init(&p->timer, turn);
		if (config->pbxs[i].options_ping_ms)
			timer_start(wheel, &p->timer, config->pbxs[i].options_ping_ms);
	}
	return 0;
}

void pbx_watches_done(struct pbx_watches *w)
{
	for (size_t i = 0; i < w->count; i++) {
		timer_stop(&w->watch[i].timer);
		if (w->watch[i].asked)
			txn_release(w->watch[i].asked);
	}
	mem_free(w->watch);
	w->watch = NULL;
	w->count = 0;
}

void pbx_watch_heard(struct pbx_watches *w, uint16_t pbx)
{
	if (pbx < w->count)
		heard(&w->watch[pbx]);
}

bool pbx_watch_up(const struct pbx_watches *w, uint16_t pbx)
{
	return pbx >= w->count || !w->watch[pbx].down;
}
