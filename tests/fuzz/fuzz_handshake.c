/* Two ends of a secured media port whose datagrams are changed, lost, doubled, cut and mixed with
 * strangers' on their way: media passes only behind keys and from the peer, both ends' keys are the
 * same, and nothing is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/association.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUE_MAX 64
#define BYTES_MAX 1500
#define STEPS_MAX 200

static const struct ip_endpoint at[2] = {{{IP_V4, {192, 0, 2, 1}}, 4000},
					 {{IP_V4, {192, 0, 2, 2}}, 5000}};
static const struct ip_endpoint stranger = {{IP_V4, {192, 0, 2, 66}}, 6000};

struct packet {
	size_t n;
	char bytes[BYTES_MAX];
};

struct end {
	struct association_spec spec;
	struct association *a;
	struct packet sent[QUEUE_MAX];
	unsigned count;
};

struct play {
	struct end end[2];
	const uint8_t *data;
	size_t left;
	uint64_t now_ms;
};

#define expect(truth) ((truth) ? (void)0 : expect_failed(#truth, __LINE__))

static void expect_failed(const char *what, int line)
{
	fprintf(stderr, "line %d: not true: %s\n", line, what);
	abort();
}

static unsigned take(struct play *p, unsigned below)
{
	unsigned v = p->left ? *p->data : 0;

	p->data += p->left != 0;
	p->left -= p->left != 0;
	return v % below;
}

static void on_send(void *ctx, const struct ip_endpoint *to, struct slice datagram)
{
	struct end *e = ctx;

	(void)to;
	expect(datagram.n <= BYTES_MAX);
	if (e->count == QUEUE_MAX)
		return; /* lost */
	e->sent[e->count].n = datagram.n;
	memcpy(e->sent[e->count++].bytes, datagram.p, datagram.n);
}

static struct dtls_identity *identity(unsigned i)
{
	static struct dtls_identity *made[2];

	if (!made[i])
		expect(dtls_identity_new(&made[i]) == 0);
	return made[i];
}

static void begin(struct play *p, unsigned how)
{
	for (unsigned i = 0; i < 2; i++) {
		struct end *e = &p->end[i];
		struct association_tools tools = {identity(i), on_send, e};
		static const struct ip_endpoint nowhere;

		e->spec.role = (i == 0) != (how & 1) ? DTLS_ACTIVE : DTLS_PASSIVE;
		if (how & 4) { /* who comes has to prove himself by ICE */
			static const struct ice_credentials own = {"ufra",
								   "a password of 22 chars"};

			e->spec.ice = true;
			e->spec.local = own;
			memcpy(e->spec.remote_ufrag, "peer", 5);
		}
		e->spec.fingerprint_count = 1;
		e->spec.fingerprint[0] = *dtls_identity_fingerprint(identity(!i));
		expect(association_new(&e->spec, &tools, how & 2 ? &nowhere : &at[!i], NULL,
				       p->now_ms, &e->a) == 0);
	}
}

static void check(const struct play *p, const struct end *to, const struct ip_endpoint *from,
		  enum association_verdict v)
{
	struct vault_kept kept;
	struct ip_endpoint target;

	if (v != ASSOCIATION_MEDIA)
		return;
	expect(association_keep(to->a, &kept));
	expect(!association_target(to->a, p->now_ms, &target) || ip_endpoint_eq(from, &target));
}

static void give(struct play *p, unsigned to, const struct ip_endpoint *from, const void *bytes,
		 size_t n)
{
	char *exact = malloc(n ? n : 1); /* the sanitizer sees one byte too far */

	expect(exact != NULL);
	memcpy(exact, bytes, n);
	check(p, &p->end[to], from,
	      association_on_datagram(p->end[to].a, from, slice_of(exact, n), p->now_ms));
	free(exact);
}

/* The oldest datagram of an end, on its way. */
static void deliver(struct play *p, unsigned from)
{
	struct end *e = &p->end[from];
	unsigned how = take(p, 32);
	struct packet d;

	if (e->count == 0)
		return;
	d = e->sent[0];
	memmove(&e->sent[0], &e->sent[1], --e->count * sizeof(e->sent[0]));
	if (how == 1)
		return; /* lost */
	if (how == 2 && d.n)
		d.n = take(p, 256) * 6 % d.n;
	if (how >= 3 && how <= 6 && d.n)
		for (unsigned i = take(p, 6) + 1; i; i--)
			d.bytes[(take(p, 256) * 7 + take(p, 8)) % d.n] ^= (char)take(p, 256);
	give(p, !from, how == 7 ? &stranger : &at[from], d.bytes, d.n);
	if (how == 8)
		give(p, !from, &at[from], d.bytes, d.n);
}

/* Bytes of the script, behind a first byte of each protocol that shares the port. */
static void make_up(struct play *p)
{
	static const uint8_t heads[] = {0, 1, 20, 21, 22, 23, 63, 64, 79, 128, 191, 192, 255};
	uint8_t bytes[BYTES_MAX];
	size_t n = 1 + take(p, 200);

	bytes[0] = heads[take(p, sizeof(heads))];
	for (size_t i = 1; i < n; i++)
		bytes[i] = (uint8_t)take(p, 256);
	give(p, take(p, 2), take(p, 4) ? &at[take(p, 2)] : &stranger, bytes, n);
}

static void step(struct play *p)
{
	unsigned what = take(p, 16);

	if (what < 12) {
		deliver(p, what % 2);
	} else if (what < 14) {
		make_up(p);
	} else {
		p->now_ms += 1u + 20u * take(p, 256);
		association_on_tick(p->end[what % 2].a, p->now_ms);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play p;
	struct vault_kept kept[2];
	long live;

	identity(0);
	identity(1);
	live = mem_test_live();
	p = (struct play){.data = data, .left = size, .now_ms = 1000};
	begin(&p, take(&p, 8));
	for (unsigned i = 0; i < STEPS_MAX && p.left; i++)
		step(&p);
	if (association_keep(p.end[0].a, &kept[0]) && association_keep(p.end[1].a, &kept[1]))
		expect(srtp_key_eq(&kept[0].ours, &kept[1].theirs) &&
		       srtp_key_eq(&kept[1].ours, &kept[0].theirs));
	for (unsigned i = 0; i < 2; i++)
		association_free(p.end[i].a);
	expect(mem_test_live() == live);
	return 0;
}
