/* The media process in its sandbox: this program starts itself again, as the spawner would. */
#include "unit/main/media_rig.h"

/* Sends until it comes through: a socket opens a moment after the kick. */
static bool talks(struct media_rig *r, unsigned tries)
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
	struct media_rig *r = *state;
	struct proc_stop stop = {0};
	struct flow_stats s;

	media_rig_publish(r);
	media_rig_kick(r);
	assert_true(talks(r, 400));
	assert_true(flow_table_stats(r->table, r->index[0], &s));
	assert_true(s.packets > 0);
	assert_int_equal(flow_table_withdraw(r->table, r->index[0]), 0);
	media_rig_kick(r);
	assert_false(talks(r, 5));
	assert_int_equal(proc_send(&r->media, PROC_STOP, &stop, sizeof(stop), NULL, 0), 0);
	assert_int_equal(proc_receive_wait(&r->media, &r->msg, WAIT_MS), 1);
	assert_int_equal(r->msg.type, PROC_STOPPED);
	assert_int_equal(media_rig_end(r), 0);
}

/* Killed in a call, started again: the call goes on with what the table says. */
static void r1_killed_and_restarted_carries_on(void **state)
{
	struct media_rig *r = *state;

	media_rig_publish(r);
	media_rig_kick(r);
	assert_true(talks(r, 400));
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	assert_true(WIFSIGNALED(media_rig_end(r)));
	media_rig_start(r);
	assert_true(talks(r, 400));
	proc_channel_done(&r->media); /* a dead warden ends it too */
	assert_int_not_equal(media_rig_end(r), 0);
}

/* ---- SRTP ---- */

#define KEY_NUMBER 77

static struct vault_keys keys_put(struct media_rig *r)
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

/* What the callee gets is what the caller sealed: tried until it comes through. On a busy machine
 * an earlier try may come late. */
static bool opened(struct media_rig *r, struct srtp *s, struct srtp_streams *sent, uint32_t *seq,
		   unsigned tries)
{
	char buf[BYTES + SRTP_TRAILER_MAX], plain[BYTES];

	for (unsigned i = 0; i < tries; i++) {
		struct slice packet = rig_rtp(buf, BYTES, 0, (uint16_t)(*seq)++);
		size_t n = BYTES;

		memcpy(plain, packet.p, BYTES);
		assert_int_equal(srtp_seal(s, sent, (uint8_t *)buf, &n, sizeof(buf)), SRTP_DONE);
		rig_send(r->caller_fd, &r->outside, slice_of(buf, n));
		while (rig_readable(r->callee_fd, 5)) {
			assert_int_equal(recv(r->callee_fd, buf, sizeof(buf), 0), BYTES);
			if (memcmp(buf, plain, BYTES) == 0)
				return true;
		}
	}
	return false;
}

/* Killed behind the sequence's wrap: keys and roll-over counter stand outside of it. */
static void r4_killed_and_restarted_keeps_keys_and_counters(void **state)
{
	struct media_rig *r = *state;
	struct vault_keys keys = keys_put(r);
	struct srtp_streams sent = {0};
	uint32_t seq = 65300;
	struct flow_stats f;
	struct srtp *s;

	assert_int_equal(srtp_new(&keys.open, SRTP_SEAL, &s), 0);
	media_rig_publish(r);
	media_rig_kick(r);
	assert_true(opened(r, s, &sent, &seq, 1000));
	while (seq < 65600)
		assert_true(opened(r, s, &sent, &seq, 200));
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	assert_true(WIFSIGNALED(media_rig_end(r)));
	media_rig_start(r);
	assert_true(opened(r, s, &sent, &seq, 1000));
	assert_true(flow_table_stats(r->table, r->index[0], &f));
	assert_int_equal(f.refused_total, 0);
	assert_false(talks(r, 5)); /* not in the clear */
	srtp_free(s);
	assert_int_equal(kill(r->pid, SIGKILL), 0);
	(void)media_rig_end(r);
}

static void strange_message_ends_it(void **state)
{
	struct media_rig *r = *state;
	struct proc_head head = {PROC_VERSION, PROC_TYPE_COUNT, 0};

	assert_int_equal(send(r->media.fd, &head, sizeof(head), 0), sizeof(head));
	assert_true(WIFEXITED(media_rig_end(r)));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(r1_relays_in_its_sandbox_and_stops,
						media_rig_set_up, media_rig_tear_down),
		cmocka_unit_test_setup_teardown(r1_killed_and_restarted_carries_on,
						media_rig_set_up, media_rig_tear_down),
		cmocka_unit_test_setup_teardown(r4_killed_and_restarted_keeps_keys_and_counters,
						media_rig_set_up, media_rig_tear_down),
		cmocka_unit_test_setup_teardown(strange_message_ends_it, media_rig_set_up,
						media_rig_tear_down),
	};

	if (argc > 1 && strcmp(argv[1], "@media") == 0)
		return child_media(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
