/* A configuration on its way from the warden to signal. */
#include "unit/failing_alloc.h"

#include <fcntl.h>
#include <unistd.h>

#include "config/config_load.h"
#include "config/resolve.h"
#include "main/config_wire.h"
#include "io/digest.h"

static const char text[] =
	"zone out { interface = a  address = \"192.0.2.1\" }\n"
	"zone in { interface = b  address = \"10.0.0.1\"  trust = trusted }\n"
	"pbx p { zone = in  address = \"10.0.0.5:5060\" }\n"
	"phones r { zone = out  to = p  listen = {\"udp:5060\", \"tcp:5060\"} }\n"
	"trunk t { zone = out  to = p  peer = \"198.51.100.9:5060\"\n"
	"  username = u  password-file = \"/nowhere\" }\n";

struct rig {
	struct proc_channel near, far;
	struct proc_msg msg;
	struct config *config;
	int fds[8];
};

static int up(void **state)
{
	struct rig *r = mem_zalloc(1, sizeof(*r));
	struct config_report report = config_report_empty();
	int pair[2], err;

	assert_non_null(r);
	proc_msg_init(&r->msg);
	assert_int_equal(proc_pair(pair), 0);
	proc_channel_init(&r->near, pair[0], PROC_WARDEN, PROC_SIGNAL);
	proc_channel_init(&r->far, pair[1], PROC_SIGNAL, PROC_WARDEN);
	err = config_parse(slice_z(text), &report, &r->config);
	if (!err)
		err = config_resolve(r->config, NULL, &report);
	for (size_t i = 0; i < report.count; i++)
		print_message("%u: %s\n", report.issues[i].line, report.issues[i].text);
	config_report_done(&report);
	assert_int_equal(err, 0);
	(void)slice_to_z(SL("s3cret"), r->config->trunks[0].password, CONFIG_SECRET_MAX);
	assert_true(r->config->listener_count >= 3 && r->config->listener_count <= 8);
	for (size_t i = 0; i < r->config->listener_count; i++)
		r->fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	*state = r;
	return 0;
}

static int down(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < r->config->listener_count; i++)
		close(r->fds[i]);
	proc_channel_done(&r->near);
	proc_channel_done(&r->far);
	proc_msg_done(&r->msg);
	config_free(r->config);
	mem_free(r);
	return 0;
}

static void send_it(struct rig *r, const uint16_t *old_index)
{
	struct config_parcel p = {.file = "hornwork.conf",
				  .text = slice_z(text),
				  .config = r->config,
				  .generation = 4,
				  .listener_fds = r->fds,
				  .secrets = true,
				  .old_index = old_index};

	assert_int_equal(config_wire_send(&r->near, &p), 0);
}

static int take(struct rig *r, struct config_intake *in)
{
	int done = 0;

	while (done == 0 && proc_receive(&r->far, &r->msg) == 1)
		done = config_intake_on_message(in, &r->msg);
	return done;
}

static void it_arrives_as_it_was(void **state)
{
	struct rig *r = *state;
	struct config_intake in = {0};

	send_it(r, NULL);
	assert_int_equal(take(r, &in), 1);
	assert_int_equal(in.begin.generation, 4);
	assert_true(ip_eq(&in.config->zones[0].address4, &r->config->zones[0].address4));
	assert_true(ip_endpoint_eq(&in.config->trunks[0].peer.at, &r->config->trunks[0].peer.at));
	assert_string_equal(in.config->trunks[0].password, "s3cret");
	assert_int_equal(in.config->listener_count, r->config->listener_count);
	for (size_t i = 0; i < in.config->listener_count; i++) {
		assert_true(in.fds[i] >= 0);
		assert_int_equal(in.old_index[i], CONFIG_NONE);
		assert_true(ip_endpoint_eq(&in.config->listeners[i].local,
					   &r->config->listeners[i].local));
	}
	config_intake_done(&in);
}

static void sockets_that_are_there_do_not_travel(void **state)
{
	struct rig *r = *state;
	struct config_intake in = {0};
	uint16_t old_index[8] = {2, CONFIG_NONE, 0, 1, 4, 5, 6, 7};

	send_it(r, old_index);
	assert_int_equal(take(r, &in), 1);
	assert_int_equal(in.fds[0], -1);
	assert_true(in.fds[1] >= 0);
	assert_int_equal(in.old_index[0], 2);
	config_intake_done(&in);
}

/* Any one message of it left out, doubled or early is a failure, not a guess. */
static void out_of_order(void **state)
{
	struct rig *r = *state;

	for (unsigned broken = 0; broken < 40; broken++) {
		struct config_intake in = {0};
		unsigned count = 0;
		int done = 0;

		send_it(r, NULL);
		while (proc_receive(&r->far, &r->msg) == 1)
			if (done == 0 && count++ != broken)
				done = config_intake_on_message(&in, &r->msg);
		if (broken < count)
			assert_int_not_equal(done, 1);
		else
			assert_int_equal(done, 1);
		config_intake_done(&in);
	}
}

static void another_socket_than_derived(void **state)
{
	struct rig *r = *state;
	struct config_intake in = {0};

	r->config->listeners[0].local.port++;
	send_it(r, NULL);
	assert_int_equal(take(r, &in), ERR_PEER);
	config_intake_done(&in);
}

static int receive_all(void *context)
{
	struct rig *r = context;
	struct config_intake in = {0};
	int done;

	send_it(r, NULL);
	done = take(r, &in);
	while (proc_receive(&r->far, &r->msg) == 1)
		;
	config_intake_done(&in);
	return done == 1 ? 0 : done;
}

static void without_memory(void **state)
{
	assert_true(failing_alloc_each(receive_all, *state) > 3);
}

static void digests(void **state)
{
	static const struct {
		const char *algorithm;
		int want;
		const char *hex;
	} rows[] = {
		/* RFC 1321 A.5, FIPS 180-2 B.1 */
		{"MD5", 0, "900150983cd24fb0d6963f7d28e17f72"},
		{"", 0, "900150983cd24fb0d6963f7d28e17f72"},
		{"md5-sess", 0, "900150983cd24fb0d6963f7d28e17f72"},
		{"SHA-256", 0, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"SHA-512-256", ERR_ABSENT, ""},
	};
	const struct slice parts[] = {SLICE("a"), SLICE(""), SLICE("bc")};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char out[65] = "";

		check_int(rows[i].algorithm,
			  digest_hex(NULL, slice_z(rows[i].algorithm), parts, 3, out),
			  rows[i].want);
		check_slice(rows[i].algorithm, slice_z(out), rows[i].hex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_arrives_as_it_was, up, down),
		cmocka_unit_test_setup_teardown(sockets_that_are_there_do_not_travel, up, down),
		cmocka_unit_test_setup_teardown(out_of_order, up, down),
		cmocka_unit_test_setup_teardown(another_socket_than_derived, up, down),
		cmocka_unit_test_setup_teardown(without_memory, up, down),
		cmocka_unit_test(digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
