#include "enforce/charon.h"
#include "proto/vici/vici.h"

enum { DEPTH_SA = 1, DEPTH_CHILD = 3 }; /* of pairs: in the SA's section; in a child's */

/* ---- SAs ---- */

struct walk {
	struct charon_sas *sas;
	bool ours, established;
	bool tasks; /* in the list of what it waits for */
	struct out ike, esp;
	struct charon_child child;
	bool installed;
};

static void join(struct out *o, struct slice word, char between)
{
	if (o->n)
		out_char(o, between);
	out_bytes(o, word);
}

static void on_sa_pair(struct walk *w, const struct vici_element *e)
{
	if (slice_eq(e->name, SL("state")))
		w->established = slice_eq(e->value, SL("ESTABLISHED")) ||
				 slice_eq(e->value, SL("REKEYING")) ||
				 slice_eq(e->value, SL("REKEYED"));
	else if (slice_eq(e->name, SL("remote-id")))
		(void)slice_to_z(e->value, w->sas->remote_id, sizeof(w->sas->remote_id));
	else if (slice_eq(e->name, SL("encr-keysize")))
		join(&w->ike, e->value, '-');
	else if (slice_eq(e->name, SL("encr-alg")) || slice_eq(e->name, SL("dh-group")))
		join(&w->ike, e->value, '/');
}

static void on_child_pair(struct walk *w, const struct vici_element *e)
{
	static const char *const figures[] = {"bytes-in", "bytes-out", "packets-in", "packets-out"};
	uint64_t *const at[] = {&w->child.bytes_in, &w->child.bytes_out, &w->child.packets_in,
				&w->child.packets_out};

	if (slice_eq(e->name, SL("state")))
		w->installed =
			slice_eq(e->value, SL("INSTALLED")) || slice_eq(e->value, SL("REKEYING"));
	else if (slice_eq(e->name, SL("encr-alg")))
		join(&w->esp, e->value, '/');
	else if (slice_eq(e->name, SL("encr-keysize")))
		join(&w->esp, e->value, '-');
	else if (slice_eq(e->name, SL("uniqueid")))
		(void)!slice_u32(e->value, UINT32_MAX, &w->child.id);
	for (size_t i = 0; i < 4; i++)
		if (slice_eq(e->name, slice_z(figures[i])))
			(void)!slice_u64(e->value, UINT64_MAX, at[i]);
}

static void on_child_end(struct walk *w)
{
	struct charon_sas *s = w->sas;

	if (w->installed && w->established)
		s->installed = true;
	if (w->installed && s->child_count < sizeof(s->child) / sizeof(s->child[0]))
		s->child[s->child_count++] = w->child;
	if (w->installed)
		(void)slice_to_z(out_slice(&w->esp), s->esp, sizeof(s->esp));
	w->child = (struct charon_child){0};
	w->esp.n = 0;
	w->installed = false;
}

static void on_element(struct walk *w, const struct vici_element *e)
{
	if (e->kind == VICI_LIST_START)
		w->tasks = e->depth == DEPTH_SA && slice_eq(e->name, SL("tasks-active"));
	else if (e->kind == VICI_LIST_ITEM)
		w->sas->asks |= w->tasks && slice_eq(e->value, SL("IKE_DPD"));
	else if (e->kind == VICI_KEY_VALUE && e->depth == DEPTH_SA)
		on_sa_pair(w, e);
	else if (e->kind == VICI_KEY_VALUE && e->depth == DEPTH_CHILD)
		on_child_pair(w, e);
	else if (e->kind == VICI_SECTION_END && e->depth == DEPTH_CHILD - 1)
		on_child_end(w);
}

/* Some keys come behind the children that they are about, but the state does not. */
int charon_sas_add(struct charon_sas *sas, struct slice message, const char *name)
{
	struct charon_sas s = *sas;
	char ike[CHARON_WORD_MAX], esp[CHARON_WORD_MAX];
	struct walk w = {
		.sas = &s, .ike = out_to(ike, sizeof(ike)), .esp = out_to(esp, sizeof(esp))};
	struct vici_reader r = vici_reader_of(message);
	struct vici_element e;

	while (vici_next(&r, &e)) {
		if (e.kind == VICI_SECTION_START && e.depth == 0) {
			w.ours = slice_eq(e.name, slice_z(name));
			w.established = false;
			s.any |= w.ours;
		} else if (w.ours) {
			on_element(&w, &e);
			s.established |= w.established;
		}
	}
	if (r.c.err)
		return r.c.err;
	if (w.ike.n)
		(void)slice_to_z(out_slice(&w.ike), s.ike, sizeof(s.ike));
	*sas = s;
	return 0;
}

/* ---- log ---- */

int charon_log_read(struct slice message, struct charon_log *out)
{
	struct vici_reader r = vici_reader_of(message);
	struct charon_log l = {0};
	struct vici_element e;

	while (vici_next(&r, &e)) {
		if (e.kind != VICI_KEY_VALUE || e.depth != 0)
			continue;
		if (slice_eq(e.name, SL("ikesa-name")))
			l.ike = e.value;
		else if (slice_eq(e.name, SL("ikesa-uniqueid")))
			l.id = e.value;
		else if (slice_eq(e.name, SL("msg")))
			l.text = e.value;
	}
	if (r.c.err)
		return r.c.err;
	*out = l;
	return 0;
}

enum reason charon_log_reason(struct slice text)
{
	static const struct {
		const char *words;
		enum reason why;
	} rows[] = {
		{"MAC mismatched", REASON_tunnel_secret},
		{"no shared key found", REASON_tunnel_secret},
		{"no issuer certificate found", REASON_tunnel_certificate},
		{"no trusted ", REASON_tunnel_certificate},
		{"subject certificate invalid", REASON_tunnel_certificate},
		{"signature validation failed", REASON_tunnel_certificate},
		{"constraint check failed", REASON_tunnel_identity},
		{"no matching peer config found", REASON_tunnel_identity},
		{"received AUTHENTICATION_FAILED", REASON_tunnel_rejected},
		{"NO_PROPOSAL_CHOSEN", REASON_tunnel_proposal},
		{"no acceptable proposal", REASON_tunnel_proposal},
		{"proposals unacceptable", REASON_tunnel_proposal},
		{"proposals inacceptable", REASON_tunnel_proposal},
		{"no acceptable traffic selectors", REASON_tunnel_subnets},
		{"TS_UNACCEPTABLE", REASON_tunnel_subnets},
		{"peer not responding", REASON_tunnel_silent},
		{"giving up after", REASON_tunnel_silent},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slice_find_slice(text, slice_z(rows[i].words)) < text.n)
			return rows[i].why;
	return REASON_NONE;
}
