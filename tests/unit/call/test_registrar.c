/* The registrar by itself: lookups, listings, keep-alives, expiry; its stories are in tests/flow.
 */
#include "unit/call/fake_env.h"
#include "unit/failing_alloc.h"

#include <stdlib.h>

#include "call/registrar.h"
#include "config/config_load.h"
#include "config/resolve.h"

static const char config_text[] =
	"zone internet { interface = eth0  address = \"198.51.100.1\" }\n"
	"zone voice { interface = eth1  address = \"192.168.50.1\"  trust = trusted }\n"
	"zone core { interface = eth2  address = \"10.10.0.1\"  trust = trusted }\n"
	"pbx main { zone = core  address = \"10.10.0.5:5060\"  domain = {\"example.com\"} }\n"
	"phones remote { zone = internet  listen = {\"udp:5060\"}  to = main }\n"
	"phones office { zone = voice  listen = {\"udp:5060\", \"tcp:5060\"}  to = main  "
	"nat = no }\n";

struct house {
	struct fake f;
	struct config *config;
	struct txn_layer txns;
	struct registrar r;
	struct screen screen;
	struct core_stats stats;
	struct sip_msg msg;
	char text[FAKE_BYTES_MAX];
};

static int house_init(struct house *x)
{
	struct hash_key key = {3, 4};
	int err;

	fake_init(&x->f, 1000000);
	memset(&x->stats, 0, sizeof(x->stats));
	memset(&x->r, 0, sizeof(x->r));
	memset(&x->txns, 0, sizeof(x->txns));
	memset(&x->screen, 0, sizeof(x->screen));
	err = txn_layer_init(&x->txns, &x->f.env, &x->f.wheel, key);
	if (!err)
		err = registrar_init(&x->r, &x->f.env, x->config, &x->f.wheel, &x->txns, &x->stats,
				     &x->screen, key);
	if (!err)
		err = screen_init(&x->screen, &x->f.env, x->config, &x->r, &key);
	return err;
}

static void house_done(struct house *x)
{
	screen_done(&x->screen);
	registrar_done(&x->r);
	txn_layer_done(&x->txns);
}

static void config_read(struct house *x)
{
	struct config_report report = config_report_empty();

	assert_int_equal(config_parse(slice_z(config_text), &report, &x->config), 0);
	assert_int_equal(config_resolve(x->config, NULL, &report), 0);
	config_report_done(&report);
}

static struct house *house_new(void **state)
{
	struct house *x = *state;

	config_read(x);
	assert_int_equal(house_init(x), 0);
	return x;
}

static void house_free(struct house *x)
{
	house_done(x);
	config_free(x->config);
	x->config = NULL;
}

static struct path path_to(const struct house *x, enum transport transport, const char *remote,
			   const char *local)
{
	struct path p = fake_path(transport, remote);
	struct ip_endpoint at;

	assert_int_equal(ip_endpoint_parse(slice_z(local), 5060, &at), 0);
	for (p.listener = 0; p.listener < x->config->listener_count; p.listener++)
		if (x->config->listeners[p.listener].transport == transport &&
		    ip_endpoint_eq(&x->config->listeners[p.listener].local, &at))
			return p;
	fail_msg("no listener %s", local);
	return p;
}

static void send_register(struct house *x, const struct path *from, const char *user,
			  const char *contact, unsigned cseq)
{
	uint16_t phones = config_phones_at(x->config, from->listener);

	(void)snprintf(x->text, sizeof(x->text),
		       "REGISTER sip:198.51.100.1 SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP h;branch=z9hG4bK%s%u;rport\r\n"
		       "From: <sip:%s@198.51.100.1>;tag=f\r\nTo: <sip:%s@198.51.100.1>\r\n"
		       "Call-ID: %s\r\nCSeq: %u REGISTER\r\nContact: <%s>\r\nExpires: 600\r\n"
		       "User-Agent: Unit/1\r\nContent-Length: 0\r\n\r\n",
		       user, cseq, user, user, user, cseq, contact);
	registrar_on_register(&x->r, x->f.wheel.now_ms, from, phones, fake_parse(&x->msg, x->text));
}

/* The PBX accepts what it was asked last, as it stands. */
static void accept_register(struct house *x)
{
	struct path from = path_to(x, TRANSPORT_UDP, "10.10.0.5:5060", "10.10.0.1:5060");
	struct sip_msg asked;
	char text[FAKE_BYTES_MAX], answer[FAKE_BYTES_MAX];
	struct out o = out_to(answer, sizeof(answer) - 1);

	(void)slice_to_z(slice_z(fake_last(&x->f)), text, sizeof(text));
	(void)fake_parse(&asked, text);
	out_z(&o, "SIP/2.0 200 OK\r\n");
	for (unsigned i = 0; i < asked.header_count; i++)
		if (asked.header[i].id != SIP_H_MAX_FORWARDS)
			out_fmt(&o, "%.*s: %.*s%s\r\n", SLICE_ARGS(asked.header[i].name),
				SLICE_ARGS(asked.header[i].value),
				asked.header[i].id == SIP_H_TO ? ";tag=p" : "");
	out_z(&o, "\r\n");
	answer[o.n] = '\0';
	assert_true(
		txn_on_response(&x->txns, x->f.wheel.now_ms, &from, fake_parse(&asked, answer)));
}

static void registered(struct house *x, const struct path *from, const char *user,
		       const char *contact)
{
	size_t before = x->stats.registrations;

	send_register(x, from, user, contact, 1);
	accept_register(x);
	assert_int_equal(x->stats.registrations, before + 1);
	check_has(fake_last(&x->f), "SIP/2.0 200 OK");
}

static void test_lookups(void **state)
{
	struct house *x = house_new(state);
	struct path a = path_to(x, TRANSPORT_UDP, "192.0.2.33:41000", "198.51.100.1:5060");
	struct path other_port = path_to(x, TRANSPORT_UDP, "192.0.2.33:41001", "198.51.100.1:5060");
	struct path bob = path_to(x, TRANSPORT_UDP, "192.168.50.22:5060", "192.168.50.1:5060");
	struct path bob_tcp = path_to(x, TRANSPORT_TCP, "192.168.50.22:33333", "192.168.50.1:5060");
	struct binding *b;

	/* Two lines of one phone. */
	registered(x, &a, "alice", "sip:alice@192.168.1.10");
	registered(x, &a, "alina", "sip:alina@192.168.1.10");
	registered(x, &bob, "bob", "sip:bob@192.168.50.22");
	b = registrar_by_source(&x->r, &a, SL("alina"));
	assert_non_null(b);
	assert_string_equal(b->aor, "alina@example.com");
	assert_ptr_equal(registrar_by_token(&x->r, slice_z(b->token)), b);
	assert_null(registrar_by_token(&x->r, SL("nobody")));
	assert_non_null(registrar_by_source(&x->r, &a, SL("")));
	assert_null(registrar_by_source(&x->r, &other_port, SL("alice")));
	/* Without NAT a phone may call from another port, as itself only. */
	assert_non_null(registrar_by_source(&x->r, &bob_tcp, SL("bob")));
	assert_null(registrar_by_source(&x->r, &bob_tcp, SL("alice")));
	assert_null(registrar_by_source(&x->r, &bob_tcp, SL("")));
	house_free(x);
}

static void keep_info(void *ctx, const struct binding_info *info)
{
	memcpy(ctx, info, sizeof(*info));
}

static void test_listing_and_path(void **state)
{
	struct house *x = house_new(state);
	struct path bob = path_to(x, TRANSPORT_UDP, "192.168.50.22:5060", "192.168.50.1:5060");
	struct binding_info info = {0};

	/* Where nat = no, the Contact says where. */
	registered(x, &bob, "bob", "sip:bob@192.168.50.22:5070");
	registrar_walk(&x->r, keep_info, &info);
	assert_string_equal(info.aor, "bob@example.com");
	assert_string_equal(info.contact, "sip:bob@192.168.50.22:5070");
	assert_string_equal(info.user_agent, "Unit/1");
	assert_int_equal(info.path.remote.port, 5070);
	assert_int_equal(info.path.listener, bob.listener);
	assert_int_equal(info.registered_ms, 1000000);
	assert_int_equal(info.expires_ms, 1600000);
	house_free(x);
}

/* A Contact elsewhere aims no call at anybody. */
static void test_contact_elsewhere(void **state)
{
	struct house *x = house_new(state);
	struct path bob = path_to(x, TRANSPORT_UDP, "192.168.50.22:5060", "192.168.50.1:5060");
	struct binding_info info = {0};

	registered(x, &bob, "bob", "sip:bob@192.168.50.99:5070");
	registrar_walk(&x->r, keep_info, &info);
	assert_true(path_same_source(&info.path, &bob));
	house_free(x);
}

static void test_contact_over_tcp(void **state)
{
	struct house *x = house_new(state);
	struct path bob = path_to(x, TRANSPORT_UDP, "192.168.50.22:5060", "192.168.50.1:5060");
	struct path tcp = path_to(x, TRANSPORT_TCP, "192.168.50.22:5060", "192.168.50.1:5060");
	struct binding_info info = {0};

	registered(x, &bob, "bob", "sip:bob@192.168.50.22:5060;transport=tcp");
	registrar_walk(&x->r, keep_info, &info);
	assert_int_equal(info.path.transport, TRANSPORT_TCP);
	assert_int_equal(info.path.conn, 0);
	assert_int_equal(info.path.listener, tcp.listener);
	house_free(x);
}

/* A NATed phone gets an empty line every 25 s, until its binding dies. */
static void test_keep_alive(void **state)
{
	struct house *x = house_new(state);
	struct path a = path_to(x, TRANSPORT_UDP, "192.0.2.33:41000", "198.51.100.1:5060");

	registered(x, &a, "alice", "sip:alice@192.168.1.10");
	fake_forget(&x->f);
	fake_pass(&x->f, 24999);
	assert_int_equal(x->f.sent_count, 0);
	fake_pass(&x->f, 1);
	assert_int_equal(x->f.sent_count, 1);
	assert_string_equal(fake_last(&x->f), "\r\n\r\n");
	assert_true(path_same_source(&x->f.sent[0].path, &a));
	fake_pass(&x->f, 34999);
	assert_int_equal(x->stats.registrations, 1);
	fake_pass(&x->f, 1);
	assert_int_equal(x->stats.registrations, 0);
	assert_int_equal(x->f.last_report, REASON_registration_expired);
	check_has(x->f.last_text, "alice@example.com");
	fake_forget(&x->f);
	fake_pass(&x->f, 100000);
	assert_int_equal(x->f.sent_count, 0);
	house_free(x);
}

static void test_limits_of_texts(void **state)
{
	struct house *x = house_new(state);
	struct path a = path_to(x, TRANSPORT_UDP, "192.0.2.33:41000", "198.51.100.1:5060");
	char contact[BINDING_URI_MAX + 64];

	memset(contact, 'u', sizeof(contact));
	memcpy(contact, "sip:", 4);
	memcpy(contact + BINDING_URI_MAX - 1 - 8, "@1.2.3.4", 9);
	registered(x, &a, "alice", contact);
	memset(contact, 'u', sizeof(contact));
	memcpy(contact, "sip:", 4);
	memcpy(contact + BINDING_URI_MAX - 8, "@1.2.3.4", 9);
	send_register(x, &a, "alice", contact, 2);
	check_has(fake_last(&x->f), "SIP/2.0 513 ");
	assert_int_equal(x->f.last_report, REASON_response_too_long);
	house_free(x);
}

/* A whole registration; what fails says 500, and nothing stays. */
static int whole_story(void *context)
{
	struct house *x = context;
	struct path a;
	int err = house_init(x);

	if (!err) {
		a = path_to(x, TRANSPORT_UDP, "192.0.2.33:41000", "198.51.100.1:5060");
		send_register(x, &a, "alice", "sip:alice@192.168.1.10", 1);
		if (strncmp(fake_last(&x->f), "REGISTER", 8) == 0)
			accept_register(x);
		err = strstr(fake_last(&x->f), " 200 OK") ? 0 : ERR_NOMEM;
		if (err)
			check_has(fake_last(&x->f), "SIP/2.0 500 ");
		assert_int_equal(x->stats.registrations, err ? 0 : 1);
	}
	house_done(x);
	return err;
}

static void test_out_of_memory(void **state)
{
	struct house *x = *state;

	config_read(x);
	assert_true(failing_alloc_each(whole_story, x) >= 8);
	config_free(x->config);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct house));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lookups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listing_and_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contact_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contact_over_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keep_alive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits_of_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
