/* The service that verifies callers: what is verified was signed with OpenSSL itself. */
#include <stdlib.h>

#include "base/reason.h"
#include "stir/service.h"
#include "unit/stir/made.h"

static const struct number_plan plan = {.country = "49", .national = "0", .international = "00"};

struct bench {
	struct stir_service *service;
	struct party ca, signer;
	struct text pem;
	unsigned fetches, answers;
	int fetch_err;
	char url[STIR_URL_MAX];
	struct identity_answer last;
};

static int on_fetch(void *ctx, const char *url)
{
	struct bench *b = ctx;

	b->fetches++;
	snprintf(b->url, sizeof(b->url), "%s", url);
	return b->fetch_err;
}

static void on_answer(void *ctx, const struct identity_answer *a)
{
	struct bench *b = ctx;

	b->answers++;
	b->last = *a;
}

static struct bench *bench_new(const char *list)
{
	static const struct hash_key key = {1, 2};
	struct bench *b = calloc(1, sizeof(*b));
	struct stir_service_env env = {.ctx = b, .fetch = on_fetch, .answer = on_answer};
	struct stir_trust trust = {.hosts = {1, {"cert.example"}}};

	b->ca = party_make(NULL, "ca", "P-256", NULL, 1000000);
	b->signer = party_make(&b->ca, "signer", "P-256", list, 100000);
	pem_add(&b->pem, &b->signer);
	assert_int_equal(stir_service_new(&env, &key, &b->service), 0);
	trust.anchors = store_of(&b->ca);
	stir_service_trust(b->service, &trust);
	X509_STORE_free(trust.anchors);
	return b;
}

static void bench_free(struct bench *b)
{
	stir_service_free(b->service);
	party_done(&b->ca);
	party_done(&b->signer);
	free(b);
}

static struct identity_ask ask_for(const struct bench *b, const char *from, const char *asserted,
				   const char *to)
{
	struct identity_ask a = {.call = 7, .work = IDENTITY_VERIFY, .dialog = 1};
	struct text t;

	header_make(b->signer.key, HEAD, CLAIMS, INFO, &t);
	(void)slice_to_z(slice_z(from), a.from, sizeof(a.from));
	(void)slice_to_z(slice_z(asserted), a.asserted, sizeof(a.asserted));
	(void)slice_to_z(slice_z(to), a.to, sizeof(a.to));
	(void)slice_to_z(slice_text(&t), a.header, sizeof(a.header));
	return a;
}

static void fetched(struct bench *b, uint64_t now_s, const char *why, int64_t keep_s)
{
	struct stir_fetched f = {
		.url = URL, .why = why, .body = slice_text(&b->pem), .keep_s = keep_s};

	stir_service_on_fetched(b->service, now_s, &f);
}

static void one_certificate_serves_all_who_wait(void **state)
{
	struct bench *b = bench_new(SPC);
	struct identity_ask ask = ask_for(b, "030555", "", "030123");

	stir_service_ask(b->service, NOW_S, &plan, &ask);
	stir_service_ask(b->service, NOW_S, &plan, &ask);
	assert_int_equal(b->fetches, 1);
	assert_string_equal(b->url, URL);
	assert_int_equal(b->answers, 0);
	fetched(b, NOW_S, NULL, 600);
	assert_int_equal(b->answers, 2);
	assert_int_equal(b->last.reason, REASON_identity_verified);
	assert_int_equal(b->last.call, 7);
	assert_int_equal(b->last.attest, 'A');
	assert_string_equal(b->last.tn, "4930555");
	assert_string_equal(b->last.origid, ORIGID);
	/* It is kept as long as the server says, and then fetched again. */
	stir_service_ask(b->service, NOW_S + 30, &plan, &ask);
	assert_int_equal(b->answers, 3);
	assert_int_equal(b->fetches, 1);
	ask.dialog = 2; /* the same words for another call */
	stir_service_ask(b->service, NOW_S + 30, &plan, &ask);
	assert_int_equal(b->last.reason, REASON_identity_replayed);
	bench_free(b);
}

/* A PASSporT is remembered as long as it is fresh, to its last second, whatever others come. */
static void remembered_as_long_as_fresh(void **state)
{
	struct bench *b = bench_new(SPC);
	struct identity_ask ask = ask_for(b, "+4930555", "", "+4930123"), later = ask;
	struct text t;

	header_make(b->signer.key, HEAD,
		    "{\"attest\":\"A\",\"dest\":{\"tn\":[\"4930123\"]},\"iat\":1700000060,"
		    "\"orig\":{\"tn\":\"4930555\"},\"origid\":\"" ORIGID "\"}",
		    INFO, &t);
	(void)slice_to_z(slice_text(&t), later.header, sizeof(later.header));
	later.dialog = 3;
	fetched(b, NOW_S - 60, NULL, -1);
	stir_service_ask(b->service, NOW_S - 60, &plan, &ask);
	assert_int_equal(b->last.reason, REASON_identity_verified);
	stir_service_ask(b->service, NOW_S + 60, &plan, &later);
	assert_int_equal(b->last.reason, REASON_identity_verified);
	ask.dialog = 2;
	stir_service_ask(b->service, NOW_S + 60, &plan, &ask);
	assert_int_equal(b->last.reason, REASON_identity_replayed);
	bench_free(b);
}

/* RFC 3325 9.1: P-Asserted-Identity may have two, and each is shown to who is called. */
static void both_that_are_asserted(void **state)
{
	static const struct {
		const char *name, *first, *second;
		enum reason why;
	} row[] = {
		{"the same twice", "030555", "+4930555", REASON_identity_verified},
		{"the second is another", "030555", "030556", REASON_identity_number},
		{"the second is no number", "030555", "alice", REASON_identity_number},
	};

	for (size_t i = 0; i < ROWS(row); i++) {
		struct bench *b = bench_new(SPC);
		struct identity_ask ask = ask_for(b, "030555", row[i].first, "030123");

		(void)slice_to_z(slice_z(row[i].second), ask.asserted_too,
				 sizeof(ask.asserted_too));
		fetched(b, NOW_S, NULL, -1);
		stir_service_ask(b->service, NOW_S, &plan, &ask);
		check_int(row[i].name, b->last.reason, row[i].why);
		bench_free(b);
	}
}

static void what_it_says(void **state)
{
	static const struct {
		const char *name, *from, *asserted, *to;
		int64_t late_s;
		enum reason why;
	} row[] = {
		{"as signed", "+4930555", "", "+4930123", 0, REASON_identity_verified},
		{"asserted too", "030555", "004930555", "4930123", 60, REASON_identity_verified},
		{"withheld", "anonymous", "030555", "030123", -60, REASON_identity_verified},
		{"withheld, not asserted", "anonymous", "", "030123", 0, REASON_identity_number},
		{"asserts another", "030555", "030556", "030123", 0, REASON_identity_number},
		{"shows another", "030556", "030555", "030123", 0, REASON_identity_number},
		{"calls another", "030555", "", "030124", 0, REASON_identity_number},
		{"no number", "alice", "", "030123", 0, REASON_identity_number},
		{"too late", "030555", "", "030123", 61, REASON_identity_stale},
		{"too early", "030555", "", "030123", -61, REASON_identity_stale},
	};

	for (size_t i = 0; i < ROWS(row); i++) {
		struct bench *b = bench_new(SPC);
		uint64_t now_s = (uint64_t)((int64_t)NOW_S + row[i].late_s);
		struct identity_ask ask = ask_for(b, row[i].from, row[i].asserted, row[i].to);

		fetched(b, now_s, NULL, -1);
		stir_service_ask(b->service, now_s, &plan, &ask);
		check_int(row[i].name, b->answers, 1);
		check_int(row[i].name, b->last.reason, row[i].why);
		check_int(row[i].name, b->last.attest,
			  row[i].why == REASON_identity_verified ? 'A' : 0);
		check_int(row[i].name, b->fetches, 0);
		bench_free(b);
	}
}

static void what_is_wrong_with_a_certificate(void **state)
{
	struct bench *b = bench_new(ONE);
	struct identity_ask ask = ask_for(b, "030555", "", "030123");
	struct stir_trust nobody = {.hosts = {1, {"cert.example"}}};
	char *dot;

	fetched(b, NOW_S, "the server is away", -1);
	stir_service_ask(b->service, NOW_S, &plan, &ask);
	assert_int_equal(b->last.reason, REASON_identity_certificate_away);
	assert_string_equal(b->last.detail, "the server is away");
	/* It is asked for again only later. */
	assert_int_equal(b->fetches, 0);
	stir_service_ask(b->service, NOW_S + STIR_KEEP_FAILED_S, &plan, &ask);
	assert_int_equal(b->fetches, 1);
	fetched(b, NOW_S + STIR_KEEP_FAILED_S, NULL, -1);
	assert_int_equal(b->last.reason, REASON_identity_authority);
	dot = strrchr(ask.header, '.');
	dot = strchr(ask.header, '.') + 1 < dot ? strchr(strchr(ask.header, '.') + 1, '.') : dot;
	dot[5] = dot[5] == 'A' ? 'B' : 'A';
	stir_service_ask(b->service, NOW_S, &plan, &ask);
	assert_int_equal(b->last.reason, REASON_identity_signature);
	/* Another configuration believes nobody. */
	stir_service_trust(b->service, &nobody);
	fetched(b, NOW_S, NULL, -1);
	stir_service_ask(b->service, NOW_S, &plan, &ask);
	assert_int_equal(b->last.reason, REASON_identity_certificate);
	nobody.hosts.count = 0;
	stir_service_trust(b->service, &nobody);
	stir_service_ask(b->service, NOW_S, &plan, &ask);
	assert_int_equal(b->last.reason, REASON_identity_url);
	bench_free(b);
}

static void limits(void **state)
{
	struct bench *b = bench_new(SPC);
	struct identity_ask ask = ask_for(b, "030555", "", "030123");

	b->fetch_err = ERR_LIMIT;
	stir_service_ask(b->service, NOW_S, &plan, &ask);
	assert_int_equal(b->last.reason, REASON_identity_certificate_away);
	b->fetch_err = 0;
	b->answers = 0;
	for (int i = 0; i < STIR_PENDING_MAX; i++)
		stir_service_ask(b->service, NOW_S, &plan, &ask);
	assert_int_equal(b->answers, 0);
	stir_service_ask(b->service, NOW_S, &plan, &ask);
	assert_int_equal(b->answers, 1);
	assert_int_equal(b->last.reason, REASON_identity_certificate_away);
	fetched(b, NOW_S, NULL, -1);
	assert_int_equal(b->answers, 1 + STIR_PENDING_MAX);
	assert_int_equal(b->last.reason, REASON_identity_verified);
	/* More certificates than are kept: the oldest go. */
	for (int i = 0; i < STIR_CACHE_MAX; i++) {
		char url[64];
		struct stir_fetched f = {.url = url, .why = "away", .keep_s = -1};

		snprintf(url, sizeof(url), "https://cert.example/%d", i);
		stir_service_on_fetched(b->service, NOW_S, &f);
	}
	b->fetches = 0;
	stir_service_ask(b->service, NOW_S, &plan, &ask);
	assert_int_equal(b->fetches, 1);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_certificate_serves_all_who_wait),
		cmocka_unit_test(remembered_as_long_as_fresh),
		cmocka_unit_test(both_that_are_asserted),
		cmocka_unit_test(what_it_says),
		cmocka_unit_test(what_is_wrong_with_a_certificate),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
