/* Each shipped rule stops its attack and lets its harmless neighbour pass; nor does any rule stop
 * another one's neighbour. */
#include <dirent.h>
#include <stdlib.h>

#include "base/mem.h"
#include "patch/patch.h"
#include "unit/check.h"

#define CVES_PROMISED 25
#define PROOFS_MAX    512

struct proof {
	const struct patch *p;
	bool attack;
	struct slice message;
};

struct book {
	struct patch_set *s;
	struct proof proof[PROOFS_MAX];
	size_t count;
	unsigned files;
};

static struct book book;
static char reason_of_error[PATCH_SAID_MAX];

static void on_error(void *ctx, const char *file, unsigned line, const char *text)
{
	print_error("%s:%u: %s\n", file, line, text);
	snprintf(reason_of_error, sizeof(reason_of_error), "%s", text);
}

static void on_proof(void *ctx, const struct patch *p, bool attack, struct slice message)
{
	struct proof *to = &book.proof[book.count++];

	assert_true(book.count <= PROOFS_MAX);
	*to = (struct proof){p, attack, slice_of(mem_strndup(message.p, message.n), message.n)};
	assert_non_null(to->message.p);
}

static const struct patch_listener listener = {.error = on_error, .proof = on_proof};

static void read_file(const char *folder, const char *name)
{
	static char text[PATCH_TEXT_MAX];
	char path[1024];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_int_equal(patch_set_read(book.s, name, slice_of(text, n), &listener), 0);
	book.files++;
}

static int set_up(void **state)
{
	const char *folder = getenv("HORNWORK_RULES");
	DIR *d = folder ? opendir(folder) : NULL;
	struct dirent *e;

	assert_non_null(d);
	assert_int_equal(patch_set_new(&book.s), 0);
	while ((e = readdir(d)))
		if (slice_ends_nocase(slice_z(e->d_name), SL(".conf")))
			read_file(folder, e->d_name);
	closedir(d);
	return 0;
}

static int tear_down(void **state)
{
	for (size_t i = 0; i < book.count; i++)
		mem_free((void *)(uintptr_t)book.proof[i].message.p);
	patch_set_free(book.s);
	assert_int_equal(mem_test_live(), 0);
	return 0;
}

static const struct patch *find(struct slice message, struct slice product)
{
	const struct patch_target_of to = {.product = product};

	return patch_set_find(book.s, message, &to);
}

static void each_attack_is_stopped(void **state)
{
	unsigned attacks = 0;

	for (size_t i = 0; i < book.count; i++) {
		const struct proof *t = &book.proof[i];
		const struct patch *hit = find(t->message, t->p->product[0]);

		if (!t->attack)
			continue;
		attacks++;
		if (!hit)
			fail_msg("%.*s: its attack passes", SLICE_ARGS(t->p->name));
		assert_int_not_equal(hit->action, PATCH_OBSERVE);
	}
	assert_true(attacks >= patch_set_count(book.s));
}

static void each_neighbour_passes_all(void **state)
{
	unsigned neighbours = 0;

	for (size_t i = 0; i < book.count; i++) {
		const struct proof *t = &book.proof[i];
		const struct patch *hit = find(t->message, SL(""));

		if (t->attack)
			continue;
		neighbours++;
		if (!hit)
			hit = find(t->message, t->p->product[0]);
		if (hit)
			fail_msg("%.*s stops the neighbour of %.*s", SLICE_ARGS(hit->name),
				 SLICE_ARGS(t->p->name));
	}
	assert_true(neighbours >= patch_set_count(book.s));
}

/* A neighbour that the gateway would refuse anyway proves nothing. */
static void each_neighbour_is_sip(void **state)
{
	struct sip_msg msg;

	for (size_t i = 0; i < book.count; i++) {
		const struct proof *t = &book.proof[i];
		enum reason why = REASON_NONE;

		if (!t->attack && sip_msg_parse(t->message, 65535, &msg, &why) != SIP_DONE)
			fail_msg("%.*s: the parser refuses its neighbour: %s",
				 SLICE_ARGS(t->p->name), reason_row(why)->name);
	}
}

/* What may be right elsewhere is stopped only for who is known to be hurt by it, or by a shield. */
static void legal_messages_pass_the_unknown(void **state)
{
	unsigned legal = 0;

	for (size_t i = 0; i < book.count; i++) {
		const struct proof *t = &book.proof[i];
		const struct patch *hit = find(t->message, SL(""));

		if (!t->attack || !t->p->legal)
			continue;
		legal++;
		assert_ptr_not_equal(hit, t->p);
		assert_true(find(t->message, SL("no-product")) == NULL);
		assert_true(patch_set_force(book.s, t->p->name));
		assert_non_null(find(t->message, SL("no-product")));
		((struct patch *)(uintptr_t)t->p)->forced = false;
	}
	assert_true(legal >= 5);
}

static void enough_cves(void **state)
{
	struct slice seen[PATCH_RULES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < patch_set_count(book.s); i++) {
		const struct patch *p = patch_set_at(book.s, i);

		assert_true(p->cve_count > 0 && p->product_count > 0);
		for (size_t k = 0; k < p->cve_count; k++) {
			size_t at = 0;

			while (at < count && !slice_eq(seen[at], p->cve[k]))
				at++;
			assert_true(at < PATCH_RULES_MAX);
			seen[at] = p->cve[k];
			count += at == count;
		}
	}
	assert_true(book.files >= 5);
	assert_true(count >= CVES_PROMISED);
}

/* What the neighbours share with ordinary traffic, at its largest: no rule may run into its bound.
 */
static void a_long_description_passes(void **state)
{
	static char text[32768];
	struct out o = out_to(text, sizeof(text));

	out_z(&o, "INVITE sip:200@pbx.example SIP/2.0\r\nVia: SIP/2.0/WSS "
		  "df7jal23ls0d.invalid;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\nFrom: \"A\" "
		  "<sip:100@pbx.example>;tag=f\r\nTo: <sip:200@pbx.example>;tag=t\r\nCall-ID: "
		  "x@y\r\nCSeq: 2 INVITE\r\nContact: <sip:100@df7jal23ls0d.invalid;transport=ws;ob>"
		  "\r\nAuthorization: Digest username=\"100\", realm=\"pbx.example\", "
		  "nonce=\"0123456789abcdef0123456789abcdef\", uri=\"sip:200@pbx.example\", "
		  "response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5, "
		  "cnonce=\"0a4f113b\", qop=auth, nc=00000001\r\nContent-Type: "
		  "application/sdp\r\n\r\nv=0\r\no=- 4961 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
	for (unsigned m = 0; m < 4; m++) {
		out_fmt(&o, "m=%s 9 UDP/TLS/RTP/SAVPF", m % 2 ? "video" : "audio");
		for (unsigned i = 96; i < 127; i++)
			out_fmt(&o, " %u", i);
		out_z(&o, "\r\nc=IN IP4 192.0.2.1\r\n");
		for (unsigned i = 0; i < 12; i++)
			out_fmt(&o,
				"a=candidate:42%u 1 udp 2122260223 192.0.2.%u 49152 typ host "
				"generation 0 network-id 1\r\n",
				i, i);
		for (unsigned i = 96; i < 127; i++)
			out_fmt(&o,
				"a=rtpmap:%u %s%u/90000\r\na=rtcp-fb:%u nack\r\na=fmtp:%u "
				"level-asymmetry-allowed=1;packetization-mode=1;"
				"profile-level-id=42001f\r\n",
				i, i % 2 ? "rtx" : "H264", i, i, i);
		out_z(&o, "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
			  "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\n"
			  "a=rtpmap:126 telephone-event/8000\r\n");
	}
	assert_int_equal(o.err, 0);
	if (find(out_slice(&o), SL("")))
		fail_msg("%.*s stops it", SLICE_ARGS(find(out_slice(&o), SL(""))->name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_attack_is_stopped),
		cmocka_unit_test(each_neighbour_passes_all),
		cmocka_unit_test(each_neighbour_is_sip),
		cmocka_unit_test(legal_messages_pass_the_unknown),

		cmocka_unit_test(enough_cves),
		cmocka_unit_test(a_long_description_passes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
