/* Without memory a watch keeps less and says so; it neither leaks nor falls. */
#include "unit/check.h"
#include "unit/failing_alloc.h"

#include "main/watch_attack.h"

static const char invite[] =
	"INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
	"Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
	"Call-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n"
	"Content-Type: application/sdp\r\nContent-Length: 80\r\n\r\n"
	"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP "
	"0\r\n";
static const char rtp[] = "\x80\x00\x00\x01\0\0\0\0\0\0\0\1payload";
static const struct hash_key key = {1, 2};

static struct watch_at at(uint16_t from, uint16_t to)
{
	return (struct watch_at){.time_ns = 1000,
				 .src = {{IP_V4, {192, 0, 2, 2}}, from},
				 .dst = {{IP_V4, {192, 0, 2, 1}}, to}};
}

/* A scanner gives a row, a ban and its entry. */
static const char scan[] =
	"OPTIONS sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\r\n"
	"Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
	"Call-ID: 2\r\nCSeq: 1 OPTIONS\r\nUser-Agent: friendly-scanner\r\n"
	"Content-Length: 0\r\n\r\n";

static int run_attacks(void *context)
{
	struct watch_at from = at(5071, 5060);
	struct watch_attacks a = {0};
	struct watch w;
	size_t rows = 0;
	int err = watch_init(&w, &key);

	(void)context;
	if (err)
		return err;
	err = watch_attacks_init(&a, &w, NULL, NULL);
	if (!err) {
		watch_on_datagram(&w, &from, slice_of(scan, sizeof(scan) - 1));
		list_for_each (n, &a.rows)
			rows++;
		err = w.counts.not_kept ? ERR_NOMEM : 0;
	}
	if (!err)
		assert_int_equal(rows, 2);
	watch_attacks_done(&a);
	watch_done(&w);
	return err;
}

static int run(void *context)
{
	struct watch_at sip = at(5060, 5060), media = at(6000, 4000);
	struct watch w;
	int err = watch_init(&w, &key);

	(void)context;
	if (err)
		return err;
	watch_on_datagram(&w, &sip, slice_of(invite, sizeof(invite) - 1));
	watch_on_datagram(&w, &media, slice_of(rtp, sizeof(rtp) - 1));
	watch_finish(&w);
	err = w.counts.not_kept ? ERR_NOMEM : 0;
	if (!err) {
		assert_false(list_empty(&w.calls));
		assert_true(list_empty(&w.refusals));
		assert_int_equal(w.counts.rtp_packets, 1);
	}
	watch_done(&w);
	return err;
}

static void each_request_fails(void **state)
{
	(void)state;
	assert_in_range(failing_alloc_each(run, NULL), 6, 100);
}

static void each_request_of_the_judgement_fails(void **state)
{
	(void)state;
	assert_in_range(failing_alloc_each(run_attacks, NULL), 10, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_request_fails),
					   cmocka_unit_test(each_request_of_the_judgement_fails)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
