/* The media process in its sandbox: this program starts itself again, as the spawner would. */
#include "unit/relay/rig.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "main/media.h"
#include "media/vault.h"
#include "proc/spawner.h"

#define WAIT_MS 5000
#define BYTES	172

struct rig {
	struct flow_table *table;
	struct vault_fds vault;
	struct proc_channel media;
	struct proc_msg msg;
	pid_t pid;
	struct ip_endpoint caller, callee, outside, inside;
	int caller_fd, callee_fd;
	struct flow_spec spec[2];
	uint32_t index[2];
};

/* A sanitizer asks the kernel for things of its own, and its search for leaks opens files. */
static void let_sanitizers_work(void)
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
	assert_int_equal(setenv("HORNWORK_SECCOMP", "log", 1), 0);
	assert_int_equal(setenv("ASAN_OPTIONS", "detect_leaks=0", 1), 0);
#endif
#endif
}

static void media_start(struct rig *r)
{
	struct proc_hello hello = {.kind = PROC_MEDIA};
	struct flow_table_fds shared;
	struct vault_fds vault;
	int ends[2], fds[2];

	assert_int_equal(proc_pair(ends), 0);
	proc_channel_init(&r->media, ends[0], PROC_WARDEN, PROC_MEDIA);
	r->pid = proc_exec_self("media", ends[1]);
	close(ends[1]);
	assert_true(r->pid > 0);
	assert_int_equal(vault_share(&r->vault, VAULT_PATH, &vault), 0);
	assert_int_equal(flow_table_share(r->table, FLOW_TABLE_PATH, &shared), 0);
	fds[0] = shared.flows;
	fds[1] = shared.stats;
	assert_int_equal(proc_send(&r->media, PROC_HELLO, &hello, sizeof(hello), NULL, 0), 0);
	assert_int_equal(
		proc_send(&r->media, PROC_VAULT, NULL, 0, (int[]){vault.keys, vault.counters}, 2),
		0);
	vault_fds_close(&vault);
	assert_int_equal(proc_send(&r->media, PROC_FLOW_TABLE, NULL, 0, fds, 2), 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(proc_receive_wait(&r->media, &r->msg, WAIT_MS), 1);
	assert_int_equal(r->msg.type, PROC_CONFIG_DONE);
}

static int media_end(struct rig *r)
{
	int status = -1;

	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	proc_channel_done(&r->media);
	return status;
}

static void publish(struct rig *r)
{
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			flow_table_publish(r->table, &r->spec[i], rig_now_ns(), &r->index[i]), 0);
}

static void kick(struct rig *r)
{
	assert_int_equal(proc_send(&r->media, PROC_MEDIA_KICK, r->index, sizeof(r->index), NULL, 0),
			 0);
}

static int set_up(void **state)
{
	static struct rig r;

	let_sanitizers_work();
	memset(&r, 0, sizeof(r));
	proc_msg_init(&r.msg);
	r.caller = rig_at(CALLER, 0);
	r.callee = rig_at(CALLEE, 0);
	r.caller_fd = rig_socket(&r.caller);
	r.callee_fd = rig_socket(&r.callee);
	r.outside = rig_at(OUTSIDE, rig_free_port(OUTSIDE));
	r.inside = rig_at(INSIDE, rig_free_port(INSIDE));
	rig_specs(1, &r.caller, &r.callee, &r.outside, &r.inside, r.spec);
	if (vault_create(2, &r.vault) || flow_table_create(2, &r.table) ||
	    flow_table_address_add(r.table, &r.outside.addr) ||
	    flow_table_address_add(r.table, &r.inside.addr))
		return -1;
	media_start(&r);
	*state = &r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	proc_msg_done(&r->msg);
	flow_table_free(r->table);
	vault_fds_close(&r->vault);
	close(r->caller_fd);
	close(r->callee_fd);
	return 0;
}

/* Sends until it comes through: a socket opens a moment after the kick. */
static bool talks(struct rig *r, unsigned tries)
{
	char buf[BYTES];

	for (uint16_t i = 0; i < tries; i++) {
		rig_send(r->caller_fd, &r->outside, rig_rtp(buf, BYTES, 0, i));
		if (rig_readable(r->callee_fd, 5)) {
			while (recv(r->callee_fd, buf, BYTES, 0) > 0)
				continue;
			return true;
		}
	}
	return false;
}

static void r1_relays_in_its_sandbox_and_stops(void **state)
{
	struct rig *r = *state;
	struct proc_stop stop = {0};
	struct flow_stats s;

	publish(r);
	kick(r);
	assert_true(talks(r, 400));
	assert_true(flow_table_stats(r->table, r->index[0], &s));
	assert_true(s.packets > 0);
	assert_int_equal(flow_table_withdraw(r->table, r->index[0]), 0);
	kick(r);
	assert_false(talks(r, 5));
	assert_int_equal(proc_send(&r->media, PROC_STOP, &stop, sizeof(stop), NULL, 0), 0);
	assert_int_equal(proc_receive_wait(&r->media, &r->msg, WAIT_MS), 1);
	assert_int_equal(r->msg.type, PROC_STOPPED);
	assert_int_equal(media_end(r), 0);
}

/* Killed in a call, started again: the call goes on with what the table says. */
static void r1_killed_and_restarted_carries_on(void **state)
{
	struct rig *r = *state;

	publish(r);
	kick(r);
	assert_true(talks(r, 400));
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	assert_true(WIFSIGNALED(media_end(r)));
	media_start(r);
	assert_true(talks(r, 400));
	proc_channel_done(&r->media); /* a dead warden ends it too */
	assert_int_not_equal(media_end(r), 0);
}

/* ---- SRTP ---- */

#define KEY_NUMBER 77

static struct vault_keys keys_put(struct rig *r)
{
	struct vault_keys keys = {.open_number = KEY_NUMBER,
				  .open = {.suite = SRTP_AES_128_CM_SHA1_80}};
	struct vault_fds fds;
	struct vault *v;

	memset(keys.open.master, 0x5a, srtp_master_bytes(keys.open.suite));
	assert_int_equal(vault_share(&r->vault, VAULT_WRITER, &fds), 0);
	assert_int_equal(vault_map(&fds, VAULT_WRITER, &v), 0);
	vault_put(v, flow_table_index(r->table, &r->spec[0].local), &keys);
	vault_free(v);
	vault_fds_close(&fds);
	r->spec[0].secret_in =
		(struct flow_secret){KEYS_SDES, SRTP_AES_128_CM_SHA1_80, true, true, KEY_NUMBER};
	return keys;
}

/* What the callee gets is what the caller sealed: tried until it comes through. */
static bool opened(struct rig *r, struct srtp *s, struct srtp_streams *sent, uint32_t *seq,
		   unsigned tries)
{
	char buf[BYTES + SRTP_TRAILER_MAX], plain[BYTES];

	for (unsigned i = 0; i < tries; i++) {
		struct slice packet = rig_rtp(buf, BYTES, 0, (uint16_t)(*seq)++);
		size_t n = BYTES;

		memcpy(plain, packet.p, BYTES);
		assert_int_equal(srtp_seal(s, sent, (uint8_t *)buf, &n, sizeof(buf)), SRTP_DONE);
		rig_send(r->caller_fd, &r->outside, slice_of(buf, n));
		if (!rig_readable(r->callee_fd, 5))
			continue;
		assert_int_equal(recv(r->callee_fd, buf, sizeof(buf), 0), BYTES);
		return memcmp(buf, plain, BYTES) == 0;
	}
	return false;
}

/* Killed behind the sequence's wrap: keys and roll-over counter stand outside of it. */
static void r4_killed_and_restarted_keeps_keys_and_counters(void **state)
{
	struct rig *r = *state;
	struct vault_keys keys = keys_put(r);
	struct srtp_streams sent = {0};
	uint32_t seq = 65300;
	struct flow_stats f;
	struct srtp *s;

	assert_int_equal(srtp_new(&keys.open, SRTP_SEAL, &s), 0);
	publish(r);
	kick(r);
	assert_true(opened(r, s, &sent, &seq, 200));
	while (seq < 65600)
		assert_true(opened(r, s, &sent, &seq, 20));
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	assert_true(WIFSIGNALED(media_end(r)));
	media_start(r);
	assert_true(opened(r, s, &sent, &seq, 400));
	assert_true(flow_table_stats(r->table, r->index[0], &f));
	assert_int_equal(f.refused_total, 0);
	assert_false(talks(r, 5)); /* not in the clear */
	srtp_free(s);
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	(void)media_end(r);
}

static void strange_message_ends_it(void **state)
{
	struct rig *r = *state;
	struct proc_head head = {PROC_VERSION, PROC_TYPE_COUNT, 0};

	assert_int_equal(send(r->media.fd, &head, sizeof(head), 0), sizeof(head));
	assert_true(WIFEXITED(media_end(r)));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(r1_relays_in_its_sandbox_and_stops, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(r1_killed_and_restarted_carries_on, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(r4_killed_and_restarted_keeps_keys_and_counters,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(strange_message_ends_it, set_up, tear_down),
	};

	if (argc > 1 && strcmp(argv[1], "@media") == 0)
		return child_media(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
