/* Plays sequences of messages, times and failures into the core. Each input byte chooses: who says
 * what to whom, with which identifiers and which description, or what else happens. Then all runs
 * out, and nothing may be left. What must always hold is checked by the harness of the stories. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "flow/lib/harness.h"
#include "fuzz/fuzz_core_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX   200
#define KEPT_MAX    16
#define MESSAGE_MAX 8192

struct kept {
	unsigned party;
	char *bytes;
	size_t n;
};

struct play {
	struct harness *h;
	const uint8_t *data;
	size_t left;
	bool mutate;
	unsigned fresh;
	struct path path[PARTIES];
	struct kept kept[KEPT_MAX];
	unsigned kept_next;
	char phone_uri[2][256]; /* tokens of ours that the PBX knows */
};

static unsigned take(struct play *p, unsigned limit)
{
	if (p->left == 0)
		return 0;
	p->left--;
	return *p->data++ % limit;
}

/* ---- what the core sent ---- */

static void keep_sent(struct play *p)
{
	struct harness_sent sent;

	for (unsigned i = 0; i < PARTIES; i++) {
		while (harness_take(p->h, &p->path[i], NULL, &sent)) {
			struct kept *k = &p->kept[p->kept_next++ % KEPT_MAX];

			free(k->bytes);
			*k = (struct kept){.party = i, .bytes = sent.bytes, .n = sent.n};
		}
	}
	harness_forget(p->h);
	if (p->h->failed) {
		fprintf(stderr, "%s\n", p->h->failure);
		abort();
	}
}

static struct kept *choose_kept(struct play *p, struct sip_msg *msg)
{
	unsigned back = take(p, KEPT_MAX);
	struct kept *k = &p->kept[(p->kept_next + KEPT_MAX - 1 - back) % KEPT_MAX];
	enum reason why;

	if (!k->bytes ||
	    sip_msg_parse(slice_of(k->bytes, k->n), CORE_MESSAGE_MAX, msg, &why) != SIP_DONE)
		return NULL;
	return k;
}

/* ---- what comes in ---- */

static void feed(struct play *p, unsigned party, struct out *o)
{
	if (o->err)
		return;
	if (p->mutate && take(p, 4) == 0) {
		unsigned at = take(p, 256) * 256 + take(p, 256);

		/* Changed names may carry identifiers across rightly. */
		p->h->hiding_off = true;
		o->buf[at % o->n] = (char)take(p, 256);
	}
	harness_feed(p->h, &p->path[party], o->buf, o->n);
	keep_sent(p);
}

/* Tags as the core gives them too, so that some answers fit. */
#define CRYPTO_1                                                                                   \
	"a=crypto:1 AEAD_AES_256_GCM "                                                             \
	"inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis\r\n"
#define CRYPTO_2                                                                                   \
	"a=crypto:4 AES_CM_128_HMAC_SHA1_80 "                                                      \
	"inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd|2^20|1:4\r\n"
#define CRYPTO_3                                                                                   \
	"a=crypto:5 AES_CM_128_HMAC_SHA1_32 "                                                      \
	"inline:HRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA\r\n"

static void write_sdp(struct out *o, const struct party *who, unsigned kind)
{
	static const char *const media[] = {
		"m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n",
		"m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n",
		"m=audio 4002 RTP/AVP 8\r\na=inactive\r\n",
		"m=audio 4000 RTP/AVP 0\r\nm=video 4010 RTP/AVP 96\r\n",
		"m=audio 0 RTP/AVP 0\r\nm=video 4010 RTP/AVP 96\r\na=rtcp-mux\r\n",
		"m=audio 4000 RTP/AVP 9\r\na=rtcp-mux\r\na=rtcp:4000\r\n",
		"m=image 4004 udptl t38\r\n",
		"m=audio 5 RTP/AVP 0\r\n",
		"m=audio\r\n",
		"m=audio 4000 RTP/SAVP 0\r\n" CRYPTO_1 CRYPTO_2,
		"m=audio 4000 RTP/AVP 0\r\n" CRYPTO_2,
		"m=audio 4000 RTP/SAVPF 0\r\na=rtcp-mux\r\n" CRYPTO_3 "m=image 4004 udptl t38\r\n",
		"m=audio 4000 RTP/SAVP 0\r\na=crypto:1 UNKNOWN inline:x\r\n",
	};

	out_fmt(o, "v=0\r\no=x 1 %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n%s", kind,
		who->media, kind == 13 ? "0.0.0.0" : who->media,
		media[kind % (sizeof(media) / sizeof(media[0]))]);
}

/* The rest of a message: chosen headers, a description or none, and the end. */
static void write_rest(struct play *p, struct out *o, const struct party *who)
{
	static const char *const extras[] = {
		"",
		"",
		"Require: 100rel\r\nRSeq: 7\r\n",
		"Session-Expires: 90;refresher=uac\r\n",
		"Record-Route: <sip:p1.example.net;lr>, <sip:p2.example.net;lr>\r\n",
		"Expires: 0\r\n",
		"Expires: 300\r\nEvent: dialog\r\n",
		"Subscription-State: terminated\r\nEvent: dialog\r\n",
		"Subscription-State: active;expires=9\r\nEvent: dialog\r\n",
		"RAck: 7 1 INVITE\r\n",
		"Refer-To: <sip:bob@example.com?Replaces=x%3Bto-tag%3Dy%3Bfrom-tag%3Dz>\r\n",
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
		"Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n",
		"Supported: timer, 100rel\r\nAllow: INVITE, BYE\r\n",
	};
	char sdp[1024];
	struct out body = out_to(sdp, sizeof(sdp));
	unsigned kind = take(p, 16);

	out_z(o, extras[take(p, sizeof(extras) / sizeof(extras[0]))]);
	if (take(p, 8))
		out_fmt(o, "Contact: <sip:%s@%s>\r\n", who->name,
			take(p, 2) ? who->remote : who->media);
	if (kind < 14) {
		write_sdp(&body, who, kind);
		out_z(o, "Content-Type: application/sdp\r\n");
	}
	out_fmt(o, "Content-Length: %zu\r\n\r\n", body.n);
	out_bytes(o, out_slice(&body));
}

static const char *method_of(unsigned n)
{
	static const char *const methods[] = {"INVITE",	 "INVITE",    "BYE",	  "CANCEL",
					      "ACK",	 "UPDATE",    "PRACK",	  "INFO",
					      "MESSAGE", "OPTIONS",   "REGISTER", "REFER",
					      "NOTIFY",	 "SUBSCRIBE", "PUBLISH",  "STRANGE"};

	return methods[n % 16];
}

/* A request outside dialogs, with identifiers out of a few, so that some come again. */
static void new_request(struct play *p)
{
	char buf[MESSAGE_MAX];
	struct out o = out_to(buf, sizeof(buf));
	unsigned party = take(p, PARTIES), id = take(p, 4), cseq = take(p, 3) + 1;
	const struct party *who = &parties[party];
	const char *method = method_of(take(p, 16));
	unsigned target = take(p, 4);

	if (party == PBX && target < 2)
		out_fmt(&o, "%s %s SIP/2.0\r\n", method, p->phone_uri[target]);
	else
		out_fmt(&o, "%s sip:%s@%s SIP/2.0\r\n", method, target == 3 ? "" : "4930123",
			who->us);
	if (target == 3 && party != PBX) {
		o = out_to(buf, sizeof(buf));
		out_fmt(&o, "%s sip:%s SIP/2.0\r\n", method, who->us);
	}
	out_fmt(&o, "Via: SIP/2.0/%s %s;branch=z9hG4bK-%s-%u-%u;rport\r\n",
		who->conn ? "TCP" : "UDP", who->remote, who->name, id, cseq);
	out_fmt(&o, "Max-Forwards: %u\r\nFrom: <sip:%s@%s>;tag=%s-from-%u\r\n", 70 - id * 23,
		who->name, who->us, who->name, id);
	out_fmt(&o, "To: <sip:%s@%s>\r\nCall-ID: %s-call-%u\r\nCSeq: %u %s\r\n",
		strcmp(method, "REGISTER") ? "other" : who->name, who->us, who->name, id, cseq,
		method);
	if (party == TRUNK && (id & 1))
		out_z(&o, "Identity: a.b.c;info=<https://cert.example/a>;ppt=shaken\r\n");
	write_rest(p, &o, who);
	feed(p, party, &o);
}

static void copy_header(struct out *o, const struct sip_msg *m, enum sip_header_id id)
{
	for (const struct sip_header *h = sip_header_first(m, id); h; h = sip_header_next(m, h))
		out_fmt(o, "%.*s: %.*s\r\n", SLICE_ARGS(h->name), SLICE_ARGS(h->value));
}

/* An answer to something that the core asked, perhaps a second one. */
static void reply(struct play *p)
{
	static const unsigned statuses[] = {100, 180, 183, 200, 200, 202, 302, 401,
					    407, 404, 408, 422, 481, 486, 487, 503};
	char buf[MESSAGE_MAX];
	struct out o = out_to(buf, sizeof(buf));
	struct sip_msg *m = calloc(1, sizeof(*m));
	struct kept *k = choose_kept(p, m);
	unsigned tag = take(p, 3);

	if (k && m->request && m->method != SIP_ACK) {
		out_fmt(&o, "SIP/2.0 %u Whatever\r\n", statuses[take(p, 16)]);
		copy_header(&o, m, SIP_H_VIA);
		out_fmt(&o, "From: %.*s\r\n", SLICE_ARGS(sip_header_first(m, SIP_H_FROM)->value));
		out_fmt(&o, "To: %.*s", SLICE_ARGS(sip_header_first(m, SIP_H_TO)->value));
		if (m->to.tag.n == 0 && tag < 2)
			out_fmt(&o, ";tag=%s-to-%u", parties[k->party].name, tag);
		out_z(&o, "\r\n");
		copy_header(&o, m, SIP_H_CALL_ID);
		copy_header(&o, m, SIP_H_CSEQ);
		write_rest(p, &o, &parties[k->party]);
		feed(p, k->party, &o);
	}
	free(m);
}

/* A request within a dialog that a kept message speaks of. */
static void ask(struct play *p)
{
	char buf[MESSAGE_MAX];
	struct out o = out_to(buf, sizeof(buf));
	struct sip_msg *m = calloc(1, sizeof(*m));
	struct kept *k = choose_kept(p, m);
	const char *method = method_of(take(p, 16));
	unsigned cseq = take(p, 8), tag = take(p, 2);
	const struct sip_header *from = k ? sip_header_first(m, SIP_H_FROM) : NULL;
	const struct sip_header *to = k ? sip_header_first(m, SIP_H_TO) : NULL;

	if (k && from && to) {
		const struct party *who = &parties[k->party];

		out_fmt(&o, "%s sip:c-1@%s SIP/2.0\r\n", method, who->us);
		out_fmt(&o, "Via: SIP/2.0/%s %s;branch=z9hG4bK-%s-ask-%ux;rport\r\n",
			who->conn ? "TCP" : "UDP", who->remote, who->name,
			take(p, 4) ? ++p->fresh : p->fresh);
		out_fmt(&o, "From: %.*s", SLICE_ARGS(m->request ? to->value : from->value));
		if (m->request && m->to.tag.n == 0)
			out_fmt(&o, ";tag=%s-to-%u", who->name, tag);
		out_fmt(&o, "\r\nTo: %.*s\r\n", SLICE_ARGS(m->request ? from->value : to->value));
		copy_header(&o, m, SIP_H_CALL_ID);
		out_fmt(&o, "CSeq: %u %s\r\n", m->request ? cseq : m->cseq.number + cseq, method);
		write_rest(p, &o, who);
		feed(p, k->party, &o);
	}
	free(m);
}

/* ---- what else happens ---- */

static void find_paths(struct play *p)
{
	for (unsigned i = 0; i < PARTIES; i++)
		p->path[i] = harness_path(p->h, parties[i].transport, parties[i].remote,
					  parties[i].local, parties[i].conn);
}

/* What was asked of a caller's identity is answered, rightly or not, once or again. */
static void judge(struct play *p)
{
	static const enum reason reasons[] = {REASON_identity_verified,	 REASON_identity_signed,
					      REASON_identity_signature, REASON_identity_stale,
					      REASON_identity_unsigned,	 REASON_identity_url};
	struct identity_answer a = {.call = p->h->asked.call,
				    .work = p->h->asked.work ^ (take(p, 8) == 7)};

	a.reason = reasons[take(p, sizeof(reasons) / sizeof(reasons[0]))];
	if (a.reason == REASON_identity_verified || a.reason == REASON_identity_signed) {
		a.attest = 'B';
		(void)slice_to_z(SL("4930555"), a.tn, sizeof(a.tn));
		(void)slice_to_z(SL("of-the-signer"), a.origid, sizeof(a.origid));
		(void)slice_to_z(SL("x.y.z;info=<https://cert.example/b>"), a.header,
				 sizeof(a.header));
	}
	core_on_identity(p->h->core, p->h->now_ms, &a);
}

/* The core dies, and what it kept is not what it wrote any more. */
static void spoil_records(struct play *p)
{
	for (unsigned n = take(p, 4) + 1; n && p->h->kept_count; n--) {
		struct harness_kept *k = &p->h->kept[take(p, 256) % p->h->kept_count];
		unsigned at = take(p, 256) * 256 + take(p, 256), byte = take(p, 256);

		k->bytes[at % k->n] = (char)byte;
		if (take(p, 8) == 0)
			k->n = k->n * byte / 256 + 1;
	}
	mem_test_fail_nth(0);
	p->h->rubbish = p->h->lenient = p->h->hiding_off = true;
	harness_restart(p->h);
}

static void happen(struct play *p)
{
	unsigned what = take(p, 8);

	switch (what) {
	case 0:
		harness_break(p->h, &p->path[take(p, PARTIES)], REASON_NONE);
		break;
	case 1:
		core_on_media_idle(p->h->core, p->h->now_ms, take(p, 8) + 1);
		break;
	case 2:
		harness_reload(p->h, take(p, 2) ? other_config_text : config_text);
		find_paths(p);
		break;
	case 3:
		if (take(p, 8) == 0)
			core_stop(p->h->core, p->h->now_ms);
		break;
	case 4:
		core_on_flow_refused(p->h->core, p->h->now_ms, take(p, 8) + 1, &p->h->flow[0].local,
				     REASON_warden_refused);
		break;
	case 5:
		judge(p);
		break;
	case 6:
		mem_test_fail_nth(0);
		harness_restart(p->h);
		break;
	case 7:
		spoil_records(p);
		break;
	default:
		break;
	}
	keep_sent(p);
}

static void pass(struct play *p)
{
	static const uint64_t delays_ms[] = {1, 200, 500, 4000, 32000, 60000, 181000, 400000};

	harness_pass_to(p->h, p->h->now_ms + delays_ms[take(p, 8)]);
	keep_sent(p);
}

/* ---- a play ---- */

static void write_register(struct out *o, const struct party *who)
{
	out_fmt(o, "REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%s-b;rport\r\n",
		who->us, who->remote, who->name);
	out_fmt(o, "From: <sip:%s@%s>;tag=%s-begin\r\nTo: <sip:%s@%s>\r\n", who->name, who->us,
		who->name, who->name, who->us);
	out_fmt(o, "Call-ID: %s-begin-call\r\nCSeq: 1 REGISTER\r\n", who->name);
	out_fmt(o, "Contact: <sip:%s@%s>;expires=3600\r\nContent-Length: 0\r\n\r\n", who->name,
		who->remote);
}

/* The PBX accepts what it was just asked; our token for the phone is in the Contact. */
static void accept_register(struct play *p, char *uri, size_t uri_bytes)
{
	struct kept *k = &p->kept[(p->kept_next + KEPT_MAX - 1) % KEPT_MAX];
	struct sip_msg *m = calloc(1, sizeof(*m));
	struct sip_name_addr na;
	char buf[MESSAGE_MAX];
	struct out o = out_to(buf, sizeof(buf));
	enum reason why;

	if (!k->bytes ||
	    sip_msg_parse(slice_of(k->bytes, k->n), CORE_MESSAGE_MAX, m, &why) != SIP_DONE ||
	    sip_name_addr_parse(sip_header_first(m, SIP_H_CONTACT)->value, &na))
		abort();
	(void)slice_to_z(na.uri_text, uri, uri_bytes);
	out_z(&o, "SIP/2.0 200 OK\r\n");
	copy_header(&o, m, SIP_H_VIA);
	copy_header(&o, m, SIP_H_FROM);
	copy_header(&o, m, SIP_H_TO);
	copy_header(&o, m, SIP_H_CALL_ID);
	copy_header(&o, m, SIP_H_CSEQ);
	copy_header(&o, m, SIP_H_CONTACT);
	out_z(&o, "Content-Length: 0\r\n\r\n");
	feed(p, PBX, &o);
	free(m);
}

/* alice and bobby are registered, so that there is somebody to call. */
static void begin(struct play *p)
{
	for (unsigned i = 0; i < 2; i++) {
		char buf[MESSAGE_MAX];
		struct out o = out_to(buf, sizeof(buf));

		write_register(&o, &parties[i]);
		feed(p, i, &o);
		accept_register(p, p->phone_uri[i], sizeof(p->phone_uri[i]));
	}
}

static void (*const steps[])(struct play *p) = {new_request, reply, reply,  ask,
						ask,	     pass,  happen, new_request};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play p = {.h = calloc(1, sizeof(*p.h)), .data = data, .left = size};
	unsigned first = take(&p, 256);

	harness_init(p.h,
		     (first & 6) == 2	? verify_config_text
		     : (first & 6) == 6 ? require_config_text
					: config_text,
		     false);
	harness_start(p.h);
	find_paths(&p);
	begin(&p);
	p.mutate = first & 1;
	/* In some plays a heap request fails. */
	if (first >= 0xc0)
		mem_test_fail_nth(1 + (first & 0x3e) * 4 + take(&p, 256));
	for (unsigned i = 0; i < STEPS_MAX && p.left; i++)
		steps[take(&p, 8)](&p);
	mem_test_fail_nth(0);
	p.h->lenient = true;
	harness_reload(p.h, quiet_config_text);
	/* A time out of a spoilt record may be far away. */
	if (p.h->rubbish)
		core_stop(p.h->core, p.h->now_ms);
	harness_finish(p.h);
	if (p.h->failed) {
		fprintf(stderr, "%s\n", p.h->failure);
		abort();
	}
	for (unsigned i = 0; i < KEPT_MAX; i++)
		free(p.kept[i].bytes);
	free(p.h);
	return 0;
}
