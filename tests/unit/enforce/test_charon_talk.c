/* The conversation with charon: what is asked for when, and what is told of the answers. */
#include "unit/check.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "enforce/charon.h"
#include "unit/enforce/charon_house.h"

static char news[512];

static int load(void *ctx, struct out *o)
{
	struct charon_files none = {0};

	(void)ctx;
	return charon_load_write(o, &config, &tunnels[0], &none);
}

static void on_news(void *ctx, enum reason what, struct slice detail)
{
	struct out o = out_to(news, sizeof(news) - 1);

	(void)ctx;
	o.n = strlen(news);
	out_fmt(&o, "%s(%.*s) ", reason_row(what)->name, SLICE_ARGS(detail));
	news[o.n] = '\0';
}

/* The next request at charon's end: its name. */
static const char *request(int peer)
{
	static char name[64];
	static char buf[65536];
	struct vici_packet p;
	size_t n = 0;

	while (vici_packet_read(slice_of(buf, n), &p) == 0) {
		ssize_t got = recv(peer, buf + n, 1, MSG_DONTWAIT);

		if (got <= 0)
			return "";
		n += (size_t)got;
	}
	(void)slice_to_z(p.name, name, sizeof(name));
	return name;
}

static void answer(int peer, enum vici_type type, const char *good, const char *why)
{
	char buf[4096];
	struct out o = out_to(buf, sizeof(buf));

	out_bytes(&o, slice_of("\0\0\0\0", 4));
	out_char(&o, (char)type);
	if (good)
		vici_pair(&o, "success", slice_z(good));
	if (why)
		vici_pair(&o, "errmsg", slice_z(why));
	vici_end(&o, 0);
	assert_int_equal(send(peer, buf, o.n, 0), (ssize_t)o.n);
}

static void list_with(int peer, const char *child)
{
	char buf[4096];
	struct out o = out_to(buf, sizeof(buf));
	size_t start = vici_begin(&o, VICI_EVENT, SL("list-sa"));

	if (child)
		sa(&o, "hornwork-branch", "ESTABLISHED", child);
	vici_end(&o, start);
	assert_int_equal(send(peer, buf, o.n, 0), (ssize_t)o.n);
	answer(peer, VICI_RESPONSE, NULL, NULL);
}

static void log_line(int peer, const char *words)
{
	char buf[4096];
	struct out o = out_to(buf, sizeof(buf));
	size_t start = vici_begin(&o, VICI_EVENT, SL("log"));

	vici_pair(&o, "ikesa-name", SL("hornwork-branch"));
	vici_pair(&o, "msg", slice_z(words));
	vici_end(&o, start);
	assert_int_equal(send(peer, buf, o.n, 0), (ssize_t)o.n);
}

static void step(struct charon *c, int peer, uint64_t now_ms, const char *want)
{
	charon_tick(c, now_ms);
	charon_ready(c, now_ms);
	assert_string_equal(request(peer), want);
}

static struct charon *connected_as(const struct charon_setup *setup, int listener, int *peer,
				   const char *first)
{
	struct charon *c;

	news[0] = '\0';
	assert_int_equal(charon_new(setup, 1000, &c), 0);
	charon_tick(c, 1000);
	*peer = accept(listener, NULL, NULL);
	assert_true(*peer >= 0);
	for (int i = 0; i < 4; i++) {
		static const char *const events[] = {"list-sa", "log", "ike-updown",
						     "child-updown"};

		assert_string_equal(request(*peer), events[i]);
		answer(*peer, VICI_CONFIRM, NULL, NULL);
		charon_ready(c, 1000);
	}
	assert_string_equal(request(*peer), first);
	return c;
}

static struct charon *connected(const char *path, int listener, int *peer)
{
	struct charon_setup setup = {.name = "branch", .load = load, .news = on_news};

	(void)snprintf(setup.socket, sizeof(setup.socket), "%s", path);
	setup.remote4 = tunnels[0].remote4;
	return connected_as(&setup, listener, peer, "load-shared");
}

static int listen_at(char path[static 64])
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(path, 64, "/tmp/hw-charon-%d", (int)getpid());
	(void)unlink(path);
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void it_begins_until_it_is_up_and_again(void **state)
{
	char path[64];
	int listener, peer;
	struct charon *c;

	(void)state;
	set_up("");
	listener = listen_at(path);
	c = connected(path, listener, &peer);
	answer(peer, VICI_RESPONSE, "yes", NULL);
	step(c, peer, 1000, "load-conn");
	answer(peer, VICI_RESPONSE, "yes", NULL);
	step(c, peer, 1000, "list-sas");
	list_with(peer, NULL);
	step(c, peer, 1000, "initiate");
	answer(peer, VICI_RESPONSE, "yes", NULL);
	step(c, peer, 4500, "list-sas");
	list_with(peer, NULL);
	step(c, peer, 4600, ""); /* the attempt has its time */
	step(c, peer, 7900, "list-sas");
	list_with(peer, NULL);
	step(c, peer, 7900, "initiate");
	answer(peer, VICI_RESPONSE, "yes", NULL);
	step(c, peer, 11000, "list-sas");
	list_with(peer, "INSTALLED");
	charon_ready(c, 11000);
	assert_int_equal(charon_view(c)->state, CHARON_UP);
	assert_string_equal(news, "tunnel_up(IKE AES_GCM_16-256/CURVE_25519, ESP AES_GCM_16) ");
	assert_int_equal(charon_view(c)->bytes_in, 840);
	/* it asks whether the peer lives, again and again: it does not */
	for (uint64_t t = 14100; t <= 20300; t += 3100) {
		step(c, peer, t, "list-sas");
		list_with(peer, "INSTALLED");
		charon_ready(c, t);
	}
	assert_string_equal(request(peer), "terminate");
	assert_non_null(strstr(news, "tunnel_silent"));
	assert_int_equal(charon_view(c)->bytes_in, 840);
	close(peer);
	charon_ready(c, 20300);
	assert_int_equal(charon_view(c)->state, CHARON_ABSENT);
	assert_non_null(strstr(news, "tunnel_no_charon"));
	charon_free(c);
	close(listener);
	(void)unlink(path);
	charon_leave((c = connected(path, listener = listen_at(path), &peer)));
	charon_free(c);
	close(peer);
	close(listener);
	(void)unlink(path);
}

/* From the requests' confirmation to an installed pair of SAs. */
static void up(struct charon *c, int peer, uint64_t now_ms, bool secret_is_stale)
{
	answer(peer, VICI_RESPONSE, "yes", NULL);
	step(c, peer, now_ms, secret_is_stale ? "unload-shared" : "list-sas");
	if (secret_is_stale) {
		answer(peer, VICI_RESPONSE, "no", "not found");
		step(c, peer, now_ms, "list-sas");
	}
	list_with(peer, "INSTALLED");
	charon_ready(c, now_ms);
	assert_int_equal(charon_view(c)->state, CHARON_UP);
	news[0] = '\0';
}

static void another_attempt_that_fails_is_no_matter(void **state)
{
	static const bool falls[] = {false, true};

	(void)state;
	set_up("");
	for (size_t i = 0; i < ROWS(falls); i++) {
		char path[64];
		int listener = listen_at(path), peer;
		struct charon *c = connected(path, listener, &peer);

		answer(peer, VICI_RESPONSE, "yes", NULL);
		step(c, peer, 1000, "load-conn");
		up(c, peer, 1000, false);
		log_line(peer, "giving up after 5 retransmits");
		step(c, peer, 2000, "list-sas");
		list_with(peer, falls[i] ? NULL : "INSTALLED");
		charon_ready(c, 2000);
		assert_string_equal(news, falls[i] ? "tunnel_silent(giving up after 5 retransmits) "
						   : "");
		check_int("why", charon_view(c)->why,
			  falls[i] ? REASON_tunnel_silent : REASON_NONE);
		charon_free(c);
		close(peer);
		close(listener);
		(void)unlink(path);
	}
}

static bool is_shared;

static bool key_shared(void *ctx, const char *key_id)
{
	(void)ctx;
	assert_string_equal(key_id, "aa11");
	return is_shared;
}

static char gone[64];

static void key_gone(void *ctx, const char *key_id)
{
	(void)ctx;
	(void)snprintf(gone, sizeof(gone), "%s", key_id);
}

static void with_key(int peer, const char *id)
{
	char buf[256];
	struct out o = out_to(buf, sizeof(buf));

	out_bytes(&o, slice_of("\0\0\0\0", 4));
	out_char(&o, (char)VICI_RESPONSE);
	vici_pair(&o, "success", SL("yes"));
	vici_pair(&o, "id", slice_z(id));
	vici_end(&o, 0);
	assert_int_equal(send(peer, buf, o.n, 0), (ssize_t)o.n);
}

static int load_key(void *ctx, struct out *o)
{
	struct charon_files files = {SL("CERT"), SL("KEY"), SL("CA")};

	(void)ctx;
	return charon_load_write(o, &config, &tunnels[0], &files);
}

/* A key that other terms replace is taken out, but not from under another tunnel. */
static void what_is_replaced_is_taken_out(void **state)
{
	(void)state;
	set_up("");
	memcpy(tunnels[0].remote_id, "site.test", 10);
	for (int shared = 0; shared < 2; shared++) {
		char path[64];
		int listener = listen_at(path), peer;
		struct charon_setup setup = {.name = "branch",
					     .load = load_key,
					     .news = on_news,
					     .key_shared = key_shared,
					     .key_gone = key_gone};
		struct charon *c;

		*gone = '\0';

		is_shared = shared != 0;
		(void)snprintf(setup.socket, sizeof(setup.socket), "%s", path);
		c = connected_as(&setup, listener, &peer, "load-key");
		with_key(peer, "aa11");
		step(c, peer, 1000, "load-conn");
		up(c, peer, 1000, true);
		assert_string_equal(charon_key_id(c), "aa11");
		charon_reload(c, false, 1100);
		assert_string_equal(request(peer), "load-key");
		with_key(peer, "bb22");
		step(c, peer, 1100, "load-conn");
		answer(peer, VICI_RESPONSE, "yes", NULL);
		step(c, peer, 1100, "unload-shared");
		answer(peer, VICI_RESPONSE, "no", "not found");
		step(c, peer, 1100, shared ? "list-sas" : "unload-key");
		assert_string_equal(charon_key_id(c), "bb22");
		assert_string_equal(gone, ""); /* charon has not answered yet */
		answer(peer, VICI_RESPONSE, "yes", NULL);
		charon_ready(c, 1100);
		assert_string_equal(gone, shared ? "" : "aa11");
		charon_free(c);
		close(peer);
		close(listener);
		(void)unlink(path);
	}
}

static void loads(struct charon *c, int peer, const char *id)
{
	with_key(peer, id);
	step(c, peer, 1000, "load-conn");
	up(c, peer, 1000, true);
}

/* Another tunnel has a key taken out while this one has told charon of the same: it tells again,
 * whether that had been answered or not. */
static void a_key_that_another_took_along_is_told_again(void **state)
{
	char path[64];
	int listener = listen_at(path), peer;
	struct charon_setup setup = {.name = "branch", .load = load_key, .news = on_news};
	struct charon *c;

	(void)state;
	set_up("");
	memcpy(tunnels[0].remote_id, "site.test", 10);
	(void)snprintf(setup.socket, sizeof(setup.socket), "%s", path);
	c = connected_as(&setup, listener, &peer, "load-key");
	charon_key_gone(c, "aa11"); /* before charon has said which key it is */
	with_key(peer, "aa11");
	step(c, peer, 1000, "load-conn");
	answer(peer, VICI_RESPONSE, "yes", NULL);
	step(c, peer, 1000, "unload-shared");
	answer(peer, VICI_RESPONSE, "no", "not found");
	step(c, peer, 1000, "load-key");
	loads(c, peer, "aa11");
	charon_key_gone(c, "cc33"); /* nobody's here */
	step(c, peer, 1000, "");
	charon_key_gone(c, "aa11");
	step(c, peer, 1000, "load-key");
	loads(c, peer, "aa11");
	charon_free(c);
	close(peer);
	close(listener);
	(void)unlink(path);
}

static void what_it_does_not_take_is_told(void **state)
{
	char path[64];
	int listener, peer;
	struct charon *c;

	(void)state;
	set_up("");
	listener = listen_at(path);
	c = connected(path, listener, &peer);
	answer(peer, VICI_RESPONSE, "no", "parsing failed");
	step(c, peer, 2000, "");
	assert_int_equal(charon_view(c)->state, CHARON_REFUSED);
	assert_string_equal(news, "tunnel_not_taken(parsing failed) ");
	charon_reload(c, false, 3000);
	assert_string_equal(request(peer), "load-shared");
	assert_int_equal(send(peer, "\377\377\377\377", 4, 0), 4);
	charon_ready(c, 3000);
	assert_int_equal(charon_view(c)->state, CHARON_ABSENT);
	charon_free(c);
	close(peer);
	close(listener);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_begins_until_it_is_up_and_again),
		cmocka_unit_test(another_attempt_that_fails_is_no_matter),
		cmocka_unit_test(what_is_replaced_is_taken_out),
		cmocka_unit_test(a_key_that_another_took_along_is_told_again),
		cmocka_unit_test(what_it_does_not_take_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
