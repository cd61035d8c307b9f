#include "assess/trial.h"

#include <errno.h>
#include <sys/stat.h>

#include "assess/credentials.h"
#include "assess/dial.h"
#include "assess/place_sip.h"
#include "assess/sip.h"
#include "io/clock.h"

#define LISTEN_STEP_MS 2
#define REACH_TRIES    3 /* what a row with trial_reaches admits: sip-options=6 for two of them */
#define REACH_MS       1000

/* ---- the wire ---- */

static struct ip_endpoint local_of(const struct place *p, unsigned socket)
{
	return (struct ip_endpoint){*place_address(p), place_port(p, socket)};
}

int trial_send(struct trial *c, struct place *p, unsigned socket, enum packet_class class,
	       const struct ip_endpoint *to, struct slice bytes)
{
	struct ip_endpoint from = local_of(p, socket);
	int err = place_send(c->v, p, socket, class, to, bytes);

	if (!err && c->pcap)
		pcap_file_udp(c->pcap, clock_wall_ms() * 1000000, &from, to, bytes);
	return err;
}

static bool answers_reach(const struct trial *c, const struct place_datagram *d)
{
	return *c->asked && ip_eq(&d->from.addr, &c->v->target->address) &&
	       slice_eq(sip_text_header(slice_of(d->bytes, d->n), "Call-ID", 0), slice_z(c->asked));
}

static void take(struct trial *c, struct place *p, const struct place_datagram *d)
{
	struct ip_endpoint to = local_of(p, d->socket);
	struct slice bytes = slice_of(d->bytes, d->n);

	if (c->pcap)
		pcap_file_udp(c->pcap, clock_wall_ms() * 1000000, &d->from, &to, bytes);
	if (answers_reach(c, d)) {
		c->asked_answered = true;
		return;
	}
	for (enum trial_at at = 0; at < TRIAL_ENDS; at++) {
		const struct trial_end *e = &c->ends[at];

		if (e->place != p)
			continue;
		if (at != TRIAL_STRANGER && (d->socket == e->sip || d->socket == e->rtp))
			c->marks[at][d->socket == e->sip ? TRIAL_SIP : TRIAL_RTP] |=
				1ull << (d->tos >> 2);
		if (d->socket == e->rtp || d->socket == e->rtcp)
			trial_heard(c, at, d);
		if (d->socket == e->sip && at != TRIAL_STRANGER && !c->has_message) {
			c->last.at = at;
			c->last.from = d->from;
			c->last.n = d->n;
			memcpy(c->last.bytes, d->bytes, d->n);
			c->last.bytes[d->n] = '\0';
			c->has_message = true;
		}
	}
}

void trial_pump(struct trial *c, uint32_t ms)
{
	struct place_datagram d;

	if (c->meanwhile)
		c->meanwhile(c);
	for (enum trial_at at = 0; at < TRIAL_ENDS && !c->has_message; at++) {
		struct place *p = c->ends[at].place;
		bool again = at == TRIAL_STRANGER && p == c->ends[TRIAL_OUT].place;

		if (!again && place_recv(p, &d, ms) == 0)
			take(c, p, &d);
	}
}

void trial_listen(struct trial *c, uint32_t ms)
{
	uint64_t until = clock_ms() + ms;

	do {
		c->has_message = false;
		trial_pump(c, LISTEN_STEP_MS);
	} while (clock_ms() < until);
}

/* ---- does it get there? ---- */

bool trial_reaches(struct trial *c, enum trial_at from)
{
	const struct trial_end *e = &c->ends[from];
	struct ip_endpoint to = {c->v->target->address, c->v->target->asset->sip_port};
	char text[1024];
	struct out o = out_to(text, sizeof(text));

	place_sip_write(&o, e->place, e->sip, &to, NULL, (struct slice){0});
	if (o.err ||
	    !slice_to_z(sip_text_header(out_slice(&o), "Call-ID", 0), c->asked, sizeof(c->asked)))
		return false;
	c->asked_answered = false;
	for (unsigned i = 0; i < REACH_TRIES && !c->asked_answered; i++) {
		uint64_t until = clock_ms() + REACH_MS;

		if (trial_send(c, e->place, e->sip, PACKET_SIP_OPTIONS, &to, out_slice(&o)))
			break;
		while (!c->asked_answered && clock_ms() < until)
			trial_listen(c, LISTEN_STEP_MS);
	}
	*c->asked = '\0';
	return c->asked_answered;
}

enum verdict trial_unreached(struct trial *c, enum trial_at from, bool before)
{
	static const char *const names[] = {"outside", "inside", "stranger"};
	bool same = c->ends[from].place == c->ends[TRIAL_OUT].place;

	return visit_untested(c->v,
			      "nothing passed, but OPTIONS from place %s %s are not answered "
			      "either: it is shut out (see hornwork bans), or has no way there",
			      names[same ? TRIAL_OUT : from], before ? "beforehand" : "afterwards");
}

enum verdict trial_from(struct trial *c, enum trial_at from,
			enum verdict (*attack)(struct trial *c))
{
	bool before = trial_reaches(c, from);
	enum verdict verdict = attack(c);

	if (verdict != VERDICT_CLEAN || (before && trial_reaches(c, from)))
		return verdict;
	return trial_unreached(c, from, !before);
}

/* ---- opening ---- */

static int open_end(struct trial *c, enum trial_at at, uint16_t sip_port)
{
	struct trial_end *e = &c->ends[at];
	char text[17];
	uint32_t number = 0;
	int err = place_udp(e->place, sip_port, &e->sip);

	/* RTP at an even port with RTCP above it (RFC 3550 11): a few are tried. */
	for (unsigned attempt = 0; !err && attempt < 6; attempt++) {
		uint16_t port = (uint16_t)(30000 + 20 * at + 2 * attempt);

		err = place_udp(e->place, port, &e->rtp);
		if (!err)
			err = place_udp(e->place, port + 1, &e->rtcp);
		if (err != -EADDRINUSE)
			break;
		err = 0;
	}
	visit_token(e->tag);
	visit_token(text);
	for (unsigned i = 0; i < 7; i++)
		number = number << 4 | (uint32_t)(text[i] & 15);
	e->ssrc = number;
	e->seq = (uint16_t)(number >> 3);
	e->timestamp = number;
	return err;
}

static void choose_domain(struct trial *c)
{
	const struct visit *v = c->v;
	struct out o = out_to(c->domain, sizeof(c->domain) - 1);

	if (v->target->asset->domain_count)
		out_bytes(&o, v->target->asset->domains[0]);
	else if (v->config->pbx_count && v->config->pbxs[0].domain_count)
		out_bytes(&o, v->config->pbxs[0].domains[0]);
	else
		ip_write_host(&o, &v->target->address);
	c->domain[o.n] = '\0';
}

static void open_capture(struct trial *c)
{
	char z[IP_TEXT_MAX];

	snprintf(c->pcap_path, sizeof(c->pcap_path), "%s/pcap", c->v->host->state_dir);
	(void)mkdir(c->pcap_path, 0700);
	snprintf(c->pcap_path, sizeof(c->pcap_path), "%s/pcap/%s-%s.pcap", c->v->host->state_dir,
		 c->v->row->id, ip_text(&c->v->target->address, z));
	c->pcap = pcap_file_create(c->pcap_path);
}

static enum verdict place_for(struct visit *v, const char *name, struct place **out)
{
	int err = visit_place(v, name, out);

	return err ? visit_no_place(v, name, err) : VERDICT_CLEAN;
}

static enum verdict open_places(struct visit *v, struct trial *c)
{
	enum verdict verdict = place_for(v, "outside", &c->ends[TRIAL_OUT].place);
	int err;

	if (verdict == VERDICT_CLEAN)
		verdict = place_for(v, "inside", &c->ends[TRIAL_IN].place);
	if (verdict != VERDICT_CLEAN)
		return verdict;
	err = visit_place(v, "stranger", &c->ends[TRIAL_STRANGER].place);
	if (err == ERR_ABSENT)
		c->ends[TRIAL_STRANGER].place = c->ends[TRIAL_OUT].place;
	else if (err)
		return visit_no_place(v, "stranger", err);
	return VERDICT_CLEAN;
}

static uint16_t inside_port(const struct config *c)
{
	for (size_t i = 0; i < c->place_count; i++)
		if (strcmp(c->places[i].name, "inside") == 0)
			return c->places[i].sip_port;
	return 5060;
}

static enum verdict may_call(struct visit *v, struct trial *c)
{
	const struct config_asset *a = v->target->asset;
	int err = 0;

	if (!*a->test_number)
		return visit_not_asked(v,
				       "asset %s has no test-number that the PBX sends to place "
				       "inside",
				       a->name);
	if (dial_is_forbidden(v->config, slice_z(a->test_number)))
		return visit_untested(v, "test-number %s is never dialled", a->test_number);
	if (a->address_count && !ip_eq(&a->addresses[0].addr, &v->target->address))
		return visit_absent(v,
				    "test calls come from outside, to the asset's first address");
	if (*a->test_password_file)
		err = credentials_read(a->test_password_file, c->password);
	if (err)
		return visit_untested(v, "test-password-file %s: %s", a->test_password_file,
				      err == ERR_DENIED ? "others may read it; run chmod 600"
							: err_text(err));
	return VERDICT_CLEAN;
}

enum verdict trial_open(struct visit *v, struct trial *c)
{
	enum verdict verdict;
	int err;

	memset(c, 0, sizeof(*c));
	c->v = v;
	visit_token(c->mark);
	verdict = may_call(v, c);
	if (verdict == VERDICT_CLEAN)
		verdict = open_places(v, c);
	if (verdict != VERDICT_CLEAN)
		return verdict;
	choose_domain(c);
	open_capture(c);
	c->ends[TRIAL_OUT].peer =
		(struct ip_endpoint){v->target->address, v->target->asset->sip_port};
	err = open_end(c, TRIAL_OUT, 0);
	if (!err)
		err = open_end(c, TRIAL_IN, inside_port(v->config));
	if (!err)
		err = open_end(c, TRIAL_STRANGER, 0);
	if (err)
		return visit_failed(v, "a place's sockets", err);
	err = *c->password ? trial_register(c, 300) : 0;
	if (err)
		return visit_failed(v, "the test user's registration", err);
	c->registered = *c->password != '\0';
	return VERDICT_CLEAN;
}

enum verdict trial_connect(struct trial *c)
{
	enum verdict verdict = trial_invite(c);

	return verdict == VERDICT_CLEAN ? trial_answer(c) : verdict;
}

static bool both_heard(const struct trial *c)
{
	return c->heard[TRIAL_IN][TRIAL_OUT] && c->heard[TRIAL_OUT][TRIAL_IN];
}

enum verdict trial_talking(struct visit *v, struct trial *c)
{
	enum verdict verdict = trial_open(v, c);
	int err;

	if (verdict == VERDICT_CLEAN)
		verdict = trial_connect(c);
	if (verdict != VERDICT_CLEAN)
		return verdict;
	err = trial_talk(c, 400);
	if (err)
		return visit_failed(v, "the test call's media", err);
	if (!both_heard(c))
		return visit_untested(v, "the test call's own media does not arrive at both ends");
	trial_forget(c);
	return VERDICT_CLEAN;
}

void trial_done(struct trial *c)
{
	if (c->up)
		(void)!trial_hang_up(c);
	if (c->registered)
		(void)!trial_register(c, 0);
	explicit_bzero(c->password, sizeof(c->password));
	for (unsigned i = 0; i < TRIAL_ENDS; i++)
		if (c->ends[i].place)
			place_reset(c->ends[i].place); /* the next call may want the same ports */
	if (!c->pcap)
		return;
	fclose(c->pcap);
	if (c->v->finding_count == 0)
		(void)remove(c->pcap_path);
}
