/* Events as JSON lines, one by one and in batches. */
#include "unit/check.h"

#include <jansson.h>

#include "base/mem.h"
#include "main/event_batch.h"

static json_t *written(const struct event *e)
{
	static char line[PROC_EVENT_MAX];
	struct out o = out_to(line, sizeof(line));
	json_error_t why;
	json_t *j;

	assert_int_equal(event_write(&o, e), 0);
	assert_true(slice_find(out_slice(&o), '\n') == o.n); /* one line */
	j = json_loadb(line, o.n, JSON_ALLOW_NUL, &why);
	if (!j)
		fail_msg("%s: %.*s", why.text, SLICE_ARGS(out_slice(&o)));
	return j;
}

static void check_text(const json_t *j, const char *key, const char *want)
{
	const char *got = json_string_value(json_object_get(j, key));

	if (want ? !got || strcmp(got, want) != 0 : json_object_get(j, key) != NULL)
		fail_msg("%s: got %s, want %s", key, got ? got : "(none)", want ? want : "(none)");
}

static struct ip_endpoint endpoint(const char *text)
{
	struct ip_endpoint e;

	assert_int_equal(ip_endpoint_parse(slice_z(text), 0, &e), 0);
	return e;
}

static void a_refusal(void **state)
{
	struct event e = {.type = "refused",
			  .reason = REASON_sip_start_line,
			  .wall_ms = 1000,
			  .from = endpoint("192.0.2.7:5062"),
			  .to = endpoint("[2001:db8::1]:5060"),
			  .proto = "udp",
			  .zone = "internet",
			  .call = 0x1a2b,
			  .detail = SL("GET / HTTP/1.1")};
	json_t *j = written(&e);

	(void)state;
	check_text(j, "timestamp", "1970-01-01T00:00:01.000Z");
	check_text(j, "event_type", "refused");
	check_text(j, "reason", "sip_start_line");
	check_text(j, "tag", "r2");
	check_text(j, "src_ip", "192.0.2.7");
	check_text(j, "dest_ip", "2001:db8::1");
	assert_int_equal(json_integer_value(json_object_get(j, "src_port")), 5062);
	check_text(j, "proto", "udp");
	check_text(j, "zone", "internet");
	check_text(j, "call", "c-1a2b");
	check_text(j, "action", NULL);
	check_text(j, "message",
		   "the start line is neither a request line nor a status line: GET / HTTP/1.1");
	json_decref(j);
}

static void a_pinhole(void **state)
{
	struct ip_endpoint local = endpoint("192.0.2.1:16384"), source = endpoint("192.0.2.7:4000");
	struct event e = {.type = "flow",
			  .reason = REASON_offer_answered,
			  .action = "open",
			  .local = &local,
			  .source = &source,
			  .call = 1};
	json_t *j = written(&e);

	(void)state;
	check_text(j, "action", "open");
	check_text(j, "local", "192.0.2.1:16384");
	check_text(j, "source", "192.0.2.7:4000");
	check_text(j, "why", "offer_answered");
	check_text(j, "src_ip", NULL);
	json_decref(j);
}

static void what_has_no_row(void **state)
{
	struct event e = {.type = "process",
			  .name = "process_ended",
			  .severity = SEV_CRITICAL,
			  .detail = SL("signal ended")};
	json_t *j = written(&e);

	(void)state;
	check_text(j, "reason", "process_ended");
	check_text(j, "severity", "critical");
	check_text(j, "message", "signal ended");
	json_decref(j);
}

/* The longest and worst that a stranger can make of it still is one line of JSON. */
static void strangers_bytes(void **state)
{
	static char bytes[5000];
	static const char fills[] = {'\0', '\n', '"', '\\', (char)0xff, (char)0xe2, 'x'};

	(void)state;
	for (size_t i = 0; i < sizeof(fills); i++) {
		struct event e = {.type = "refused", .reason = REASON_sip_via};

		memset(bytes, fills[i], sizeof(bytes));
		e.detail = slice_of(bytes, sizeof(bytes));
		json_decref(written(&e));
	}
}

static void each_type_has_a_word(void **state)
{
	(void)state;
	for (unsigned t = REPORT_SIP; t <= REPORT_ALERT; t++)
		assert_true(strlen(event_type_text((enum report_type)t)) > 2);
}

static void a_batch_is_sent_when_full_and_lost_without_a_console(void **state)
{
	struct event_batch *b = mem_zalloc(1, sizeof(*b));
	struct proc_msg *msg = mem_zalloc(1, sizeof(*msg));
	struct proc_channel near, far;
	struct event e = {.type = "process", .name = "x", .detail = SL("something happened")};
	size_t lines = 0;
	int fds[2];

	(void)state;
	assert_true(b && msg);
	proc_msg_init(msg);
	assert_int_equal(proc_pair(fds), 0);
	proc_channel_init(&near, fds[0], PROC_SIGNAL, PROC_CONSOLE);
	proc_channel_init(&far, fds[1], PROC_CONSOLE, PROC_SIGNAL);
	for (int i = 0; i < 500; i++)
		event_batch_add(b, &near, &e);
	assert_int_equal(event_batch_flush(b, &near), 0);
	while (proc_receive(&far, msg) == 1) {
		struct slice rest = slice_of((const char *)msg->payload, msg->bytes);

		assert_int_equal(rest.p[rest.n - 1], '\n');
		while (rest.n) {
			(void)slice_split(rest, '\n', &rest);
			lines++;
		}
	}
	assert_int_equal(lines, 500);
	assert_int_equal(b->lost, 0);
	proc_channel_done(&near);
	event_batch_add(b, &near, &e);
	assert_int_equal(event_batch_flush(b, &near), 0);
	assert_int_equal(b->n, 0);
	proc_channel_done(&far);
	mem_free(b);
	mem_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal),
		cmocka_unit_test(a_pinhole),
		cmocka_unit_test(what_has_no_row),
		cmocka_unit_test(strangers_bytes),
		cmocka_unit_test(each_type_has_a_word),
		cmocka_unit_test(a_batch_is_sent_when_full_and_lost_without_a_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
