#include "unit/check.h"

#include <stdio.h>

#include "base/mem.h"
#include "guard/r2_digest.h"
#include "unit/failing_alloc.h"

static const struct hash_key key = {3, 4};
static const struct ip_addr home = {IP_V4, {192, 0, 2, 1}}, away = {IP_V4, {198, 18, 0, 9}};

#define AUTH(nonce, response, more)                                                                \
	"Authorization: Digest username=\"a\", realm=\"r\", nonce=\"" nonce                        \
	"\", uri=\"sip:h\", response=\"" response "\"" more "\r\n"
#define RESPONSE_1 "00112233445566778899aabbccddeeff"
#define RESPONSE_2 "ffeeddccbbaa99887766554433221100"
#define QOP	   ", qop=auth, nc=00000001, cnonce=\"c\""

static const struct sip_msg *message(const char *first, const char *header)
{
	static struct sip_msg msg;
	static char text[2048];
	enum reason why;
	int n = snprintf(text, sizeof(text),
			 "%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
			 "From: <sip:a@h>;tag=1\r\nTo: <sip:a@h>\r\nCall-ID: 1\r\n"
			 "CSeq: 1 REGISTER\r\n%s\r\n",
			 first, header);

	assert_int_equal(sip_msg_parse(slice_of(text, (size_t)n), 8192, &msg, &why), SIP_DONE);
	return &msg;
}

static bool comes(struct r2_digests *d, const char *header, const struct ip_addr *from,
		  uint64_t now_ms)
{
	return r2_digest_replayed(d, message("REGISTER sip:h SIP/2.0", header), from, now_ms);
}

static bool downgrades(struct r2_digests *d, const char *header, uint64_t now_ms)
{
	return r2_digest_downgraded(d, message("REGISTER sip:h SIP/2.0", header), now_ms);
}

static void challenge(struct r2_digests *d, const char *header, uint64_t now_ms)
{
	r2_digest_challenged(d, message("SIP/2.0 401 Unauthorized", header), now_ms);
}

static void credentials_belong_to_who_used_them_first(void **state)
{
	struct r2_digests d;

	(void)state;
	assert_int_equal(r2_digests_init(&d, &key), 0);
	assert_false(comes(&d, AUTH("n", RESPONSE_1, ""), &home, 1000));
	/* A refresh without qop is the same again. */
	assert_false(comes(&d, AUTH("n", RESPONSE_1, ""), &home, 2000));
	assert_true(comes(&d, AUTH("n", RESPONSE_1, ""), &away, 3000));
	assert_true(comes(&d, AUTH("n", RESPONSE_1, ""), &away, 3001));
	assert_false(comes(&d, AUTH("n", RESPONSE_2, ""), &away, 3000));
	assert_false(comes(&d, AUTH("m", RESPONSE_1, ""), &away, 3000));
	assert_false(comes(&d, "", &away, 3000));
	/* Also the second one of a message, and a proxy's. */
	assert_true(comes(&d, AUTH("o", RESPONSE_1, "") AUTH("n", RESPONSE_1, ""), &away, 3000));
	assert_true(comes(&d, "Proxy-" AUTH("n", RESPONSE_1, ""), &away, 3000));
	/* Nobody's nonce lives so long. */
	assert_true(comes(&d, AUTH("n", RESPONSE_1, ""), &away, 1999 + R2_DIGEST_MS));
	assert_false(comes(&d, AUTH("n", RESPONSE_1, ""), &away, 2000 + R2_DIGEST_MS));
	r2_digests_done(&d);
}

static void qop_that_was_offered_is_used(void **state)
{
	struct r2_digests d;

	(void)state;
	assert_int_equal(r2_digests_init(&d, &key), 0);
	challenge(&d, "WWW-Authenticate: Digest realm=\"r\", nonce=\"q\", qop=\"auth\"\r\n", 1000);
	challenge(&d, "WWW-Authenticate: Digest realm=\"r\", nonce=\"p\"\r\n", 1000);
	challenge(&d, "Proxy-Authenticate: Digest realm=\"r\", nonce=\"x\", qop=\"auth\"\r\n",
		  1000);
	assert_true(downgrades(&d, AUTH("q", RESPONSE_1, ""), 2000));
	assert_true(downgrades(&d, "Proxy-" AUTH("x", RESPONSE_1, ""), 2000));
	assert_false(downgrades(&d, AUTH("q", RESPONSE_1, QOP), 2000));
	assert_false(downgrades(&d, AUTH("p", RESPONSE_1, ""), 2000));
	assert_false(downgrades(&d, AUTH("unheard", RESPONSE_1, ""), 2000));
	assert_false(downgrades(&d, AUTH("q", RESPONSE_1, ""), 1000 + R2_DIGEST_MS));
	r2_digests_done(&d);
}

static void the_table_is_bounded(void **state)
{
	struct r2_digests d;
	long live = mem_test_live();
	char header[256];
	unsigned known = 0;

	(void)state;
	assert_int_equal(r2_digests_init(&d, &key), 0);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 3 * R2_DIGEST_SETS * R2_DIGEST_WAYS; i++) {
			snprintf(header, sizeof(header),
				 "Authorization: Digest username=\"a\", nonce=\"n%u\", "
				 "response=\"" RESPONSE_1 "\"\r\n",
				 i);
			known += comes(&d, header, round ? &away : &home, 1000 + i + round);
		}
	/* The newest of the first round are remembered until the second one pushes them out. */
	assert_in_range(known, 0, R2_DIGEST_SETS * R2_DIGEST_WAYS);
	r2_digests_done(&d);
	assert_int_equal(mem_test_live(), live);
}

static int try_init(void *context)
{
	struct r2_digests d;
	int err = r2_digests_init(&d, &key);

	(void)context;
	r2_digests_done(&d);
	return err;
}

static void no_memory(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(try_init, NULL), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials_belong_to_who_used_them_first),
		cmocka_unit_test(qop_that_was_offered_is_used),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
