/* The media process in its sandbox, started by the test's own program, and a call on loopback. */
#ifndef HW_TESTS_UNIT_MAIN_MEDIA_RIG_H
#define HW_TESTS_UNIT_MAIN_MEDIA_RIG_H

#include "unit/relay/rig.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "main/media.h"
#include "media/vault.h"
#include "proc/spawner.h"

#define WAIT_MS 5000
#define BYTES	172

struct media_rig {
	struct flow_table *table;
	struct vault_fds vault;
	struct proc_channel media;
	struct proc_msg msg;
	pid_t pid;
	struct ip_endpoint caller, callee, outside, inside;
	int caller_fd, callee_fd;
	struct flow_spec spec[2];
	uint32_t index[2];
	struct fingerprint own; /* of the certificate that media made */
};

/* A sanitizer asks the kernel for things of its own, and its search for leaks opens files. */
static inline void media_rig_sanitizers(void)
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
	assert_int_equal(setenv("HORNWORK_SECCOMP", "log", 1), 0);
	assert_int_equal(setenv("ASAN_OPTIONS", "detect_leaks=0", 1), 0);
#endif
#endif
}

static inline void media_rig_start(struct media_rig *r)
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
	assert_int_equal(proc_send(&r->media, PROC_VAULT, NULL, 0,
				   (int[]){vault.keys, vault.peers, vault.counters, vault.kept}, 4),
			 0);
	vault_fds_close(&vault);
	assert_int_equal(proc_send(&r->media, PROC_FLOW_TABLE, NULL, 0, fds, 2), 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(proc_receive_wait(&r->media, &r->msg, WAIT_MS), 1);
	assert_int_equal(r->msg.type, PROC_DTLS_MADE);
	memcpy(&r->own, r->msg.payload, sizeof(r->own));
	assert_int_equal(proc_receive_wait(&r->media, &r->msg, WAIT_MS), 1);
	assert_int_equal(r->msg.type, PROC_CONFIG_DONE);
}

static inline int media_rig_end(struct media_rig *r)
{
	int status = -1;

	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	proc_channel_done(&r->media);
	return status;
}

static inline void media_rig_publish(struct media_rig *r)
{
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			flow_table_publish(r->table, &r->spec[i], rig_now_ns(), &r->index[i]), 0);
}

static inline void media_rig_kick(struct media_rig *r)
{
	assert_int_equal(proc_send(&r->media, PROC_MEDIA_KICK, r->index, sizeof(r->index), NULL, 0),
			 0);
}

static inline int media_rig_set_up(void **state)
{
	static struct media_rig r;

	media_rig_sanitizers();
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
	media_rig_start(&r);
	*state = &r;
	return 0;
}

static inline int media_rig_tear_down(void **state)
{
	struct media_rig *r = *state;

	proc_msg_done(&r->msg);
	flow_table_free(r->table);
	vault_fds_close(&r->vault);
	close(r->caller_fd);
	close(r->callee_fd);
	return 0;
}

#endif
