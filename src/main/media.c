#include "main/media.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/bpf_ring.h"
#include "io/clock.h"
#include "io/log.h"
#include "main/child_main.h"
#include "main/command.h"
#include "media/report_watch.h"
#include "proc/identity.h"
#include "proc/sandbox.h"
#include "proc/spawner.h"
#include "relay/lane.h"
#include "relay/workers.h"

#define SETUP_MS 5000 /* patience with the warden before it is given up */
#define WATCH_MS 1000 /* how often the threads' health is looked at */
#define RENEW_MS                                                                                   \
	86400000ull	 /* a certificate's time; calls that were told of it may be as old again */
#define CONTROLS_MAX 256 /* copies of RTCP at a time; then the warden is listened to again */
#define DESCRIPTORS  262144 /* a socket for each flow of 50,000 streams, and some */

struct media {
	struct proc_channel warden;
	struct proc_msg msg;
	struct flow_table *table;
	struct vault *vault;
	struct dtls_identities *identities;
	uint64_t renew_ms;     /* when the next certificate is due */
	struct bpf_ring *ring; /* copies of RTCP from the kernel path; NULL = none */
	int ring_fd;	       /* -1 = none */
	struct workers *workers;
	struct hw_next_hop *hops; /* NULL = no lane yet */
	size_t unbound;		  /* at the last look */
	bool stopping;
};

/* One thread for each core that we may run on. */
static unsigned core_count(void)
{
	cpu_set_t cores;
	int count = sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;

	return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : (unsigned)count;
}

static int take_vault(struct media *m)
{
	struct vault_fds fds = {.keys = proc_msg_take_fd(&m->msg, 0),
				.peers = proc_msg_take_fd(&m->msg, 1),
				.counters = proc_msg_take_fd(&m->msg, 2),
				.kept = proc_msg_take_fd(&m->msg, 3)};
	int err = m->vault ? ERR_EXISTS : vault_map(&fds, VAULT_PATH, &m->vault);

	vault_fds_close(&fds);
	return err;
}

static int take_ring(struct media *m)
{
	if (m->ring)
		return ERR_EXISTS;
	m->ring_fd = proc_msg_take_fd(&m->msg, 0);
	return bpf_ring_open(m->ring_fd, HW_CONTROL_RING_BYTES, &m->ring);
}

static int wait_for_memory(struct media *m)
{
	int err = 0;

	while (!err && !(m->table && m->vault)) {
		int got = proc_receive_wait(&m->warden, &m->msg, SETUP_MS);

		if (got < 0)
			err = got;
		else if (m->msg.type == PROC_FLOW_TABLE)
			err = child_take_table(&m->msg, FLOW_TABLE_PATH, &m->table);
		else if (m->msg.type == PROC_FLOW_BLOCK)
			err = child_take_block(&m->msg, m->table);
		else if (m->msg.type == PROC_CONTROL_RING)
			err = take_ring(m);
		else if (m->msg.type == PROC_VAULT)
			err = take_vault(m);
	}
	return err;
}

/* OpenSSL reads files when a cipher is used first: that must be before the door is locked. */
static int warm_up(void)
{
	int err = 0;

	for (unsigned suite = SRTP_NONE + 1; suite < SRTP_SUITE_COUNT && !err; suite++) {
		struct srtp_key key = {.suite = (uint8_t)suite};
		struct srtp *s;

		err = srtp_new(&key, SRTP_SEAL, &s);
		if (!err)
			srtp_free(s);
	}
	return err;
}

static void to_nobody(void *ctx, struct slice datagram)
{
}

/* Likewise what a handshake needs. */
static int warm_up_dtls(struct media *m)
{
	struct fingerprint own = dtls_identities_present(m->identities);
	struct dtls_setup setup = {.identity = dtls_identities_find(m->identities, &own),
				   .role = DTLS_ACTIVE,
				   .fingerprints = &own,
				   .fingerprint_count = 1,
				   .send = to_nobody};
	struct dtls_session *s = NULL;
	int err = dtls_new(&setup, &s);

	if (!err)
		dtls_start(s, clock_ms());
	dtls_free(s);
	dtls_identity_unref(setup.identity);
	return err;
}

/* Peers are told of the present certificate by signal. */
static int tell_certificate(struct media *m)
{
	struct proc_dtls_present p = {dtls_identities_present(m->identities)};

	m->renew_ms = clock_ms() + RENEW_MS;
	return proc_send(&m->warden, PROC_DTLS_MADE, &p, sizeof(p), NULL, 0);
}

/* The table first, then the sandbox, then the threads: they inherit it. */
static int set_up(struct media *m)
{
	struct workers_setup setup = {.count = core_count(), .now_ns = clock_ns};
	struct proc_config_done done = {0};
	struct proc_sandbox_state sandbox;
	int err;

	(void)proc_descriptors_raise(DESCRIPTORS);
	err = proc_harden();
	err = err ? err : warm_up();
	err = err ? err : dtls_identities_new(&m->identities);
	err = err ? err : warm_up_dtls(m);
	err = err ? err : wait_for_memory(m);
	err = err ? err : proc_sandbox_enter(PROC_MEDIA, &sandbox);
	setup.table = m->table;
	setup.vault = m->vault;
	setup.identities = m->identities;
	err = err ? err : workers_start(&setup, &m->workers);
	err = err ? err : tell_certificate(m);
	return err ? err : proc_send(&m->warden, PROC_CONFIG_DONE, &done, sizeof(done), NULL, 0);
}

static void on_kicks(struct media *m)
{
	uint32_t indexes[PROC_KICKS_MAX];

	memcpy(indexes, m->msg.payload, m->msg.bytes);
	workers_kick_many(m->workers, indexes, m->msg.bytes / sizeof(indexes[0]));
}

/* What stands in it may be open already: flows of a warden before this one. */
static int on_block(struct media *m)
{
	int err = child_take_block(&m->msg, m->table);

	if (!err)
		workers_kick_all(m->workers);
	return err ? err : 1;
}

/* The next hops are one memory for all lanes, and stay. */
static int hops_map(struct media *m, int fd)
{
	size_t bytes = HW_NEXT_HOPS_MAX * sizeof(*m->hops);
	void *p = m->hops ? m->hops : mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	m->hops = p;
	return 0;
}

/* Without a lane packets come by ordinary sockets: a failure costs no call. */
static int lane_take(struct media *m, const struct proc_media_lane *want)
{
	struct lane_setup setup = {.count = want->count, .vault = m->vault, .next_hops = m->hops};
	struct proc_media_ready ready = {want->number};
	struct lane *lane = NULL;
	int err;

	setup.frames = proc_msg_take_fd(&m->msg, 1);
	for (size_t i = 0; i < setup.count; i++) {
		setup.ifindex[i] = want->ifindex[i];
		setup.socket[i] = proc_msg_take_fd(&m->msg, i + 2);
	}
	err = lane_new(&setup, m->table, &lane);
	close(setup.frames);
	if (err) {
		log_line(SEV_WARNING, "media: AF_XDP sockets cannot be used: %s", err_text(err));
		return 0;
	}
	workers_set_lane(m->workers, want->number, lane);
	return proc_send(&m->warden, PROC_MEDIA_READY, &ready, sizeof(ready), NULL, 0);
}

static int on_lane(struct media *m)
{
	struct proc_media_lane want;
	int err, fd;

	memcpy(&want, m->msg.payload, sizeof(want));
	if (want.count > PROC_LANE_SOCKETS_MAX || want.number >= core_count())
		return ERR_PEER;
	if (want.count == 0) {
		workers_set_lane(m->workers, want.number, NULL);
		return 1;
	}
	fd = proc_msg_take_fd(&m->msg, 0);
	err = hops_map(m, fd);
	close(fd);
	err = err ? err : lane_take(m, &want);
	return err ? err : 1;
}

static int on_ring(struct media *m)
{
	int err = take_ring(m);

	return err ? err : 1;
}

static int on_stop(struct media *m)
{
	workers_stop(m->workers);
	m->workers = NULL;
	m->stopping = true;
	return proc_send(&m->warden, PROC_STOPPED, NULL, 0, NULL, 0);
}

static int take_messages(struct media *m)
{
	int got = 0;

	while (!m->stopping && (got = proc_receive(&m->warden, &m->msg)) > 0) {
		if (m->msg.type == PROC_MEDIA_KICK)
			on_kicks(m);
		else if (m->msg.type == PROC_FLOW_BLOCK)
			got = on_block(m);
		else if (m->msg.type == PROC_MEDIA_LANE)
			got = on_lane(m);
		else if (m->msg.type == PROC_CONTROL_RING)
			got = on_ring(m);
		else if (m->msg.type == PROC_STOP)
			got = on_stop(m);
		else if (m->msg.type != PROC_HELLO)
			return ERR_PEER;
		if (got < 0)
			break;
	}
	return got < 0 ? got : 0;
}

/* A port that cannot be bound carries no media: the administrator should know. */
static void watch_ports(struct media *m)
{
	size_t unbound = workers_unbound(m->workers);

	if (unbound > m->unbound)
		log_line(SEV_WARNING, "media: %zu ports cannot be bound yet; they are tried again",
			 unbound);
	m->unbound = unbound;
}

static int renew_certificate(struct media *m)
{
	int err = dtls_identities_rotate(m->identities);

	if (err)
		log_line(SEV_WARNING, "media: no new certificate for DTLS: %s; the old one stays",
			 err_text(err));
	return tell_certificate(m);
}

static void on_control(void *ctx, struct slice record)
{
	const struct media *m = ctx;
	struct hw_control_copy c;

	if (record.n < sizeof(c))
		return;
	memcpy(&c, record.p, sizeof(c));
	if (c.bytes <= sizeof(c.packet) && c.index < flow_table_size(m->table) &&
	    flow_table_generation(m->table, c.index) == c.generation)
		report_watch(m->table, c.index, slice_of((const char *)c.packet, c.bytes),
			     c.now_ns);
}

static int serve(struct media *m)
{
	int err = 0;

	while (!err && !m->stopping) {
		struct pollfd p[2] = {{.fd = m->warden.fd, .events = POLLIN},
				      {.fd = m->ring_fd, .events = POLLIN}};

		if (proc_wants_write(&m->warden))
			p[0].events |= POLLOUT;
		if (poll(p, 2, WATCH_MS) < 0 && errno != EINTR)
			return -errno;
		if (m->ring)
			bpf_ring_read(m->ring, CONTROLS_MAX, on_control, m);
		err = proc_wants_write(&m->warden) ? proc_flush(&m->warden) : 0;
		err = err ? err : take_messages(m);
		if (!err && !m->stopping) {
			err = workers_failure(m->workers);
			watch_ports(m);
			if (!err && clock_ms() >= m->renew_ms)
				err = renew_certificate(m);
		}
	}
	return err;
}

int child_media(int argc, char **argv)
{
	struct media *m = mem_zalloc(1, sizeof(*m));
	int err = m ? proc_child_begin(PROC_MEDIA, &m->warden) : ERR_NOMEM;

	if (err) {
		log_line(SEV_CRITICAL, "media: %s", err_text(err));
		mem_free(m);
		return EXIT_USAGE;
	}
	proc_msg_init(&m->msg);
	m->ring_fd = -1;
	err = set_up(m);
	err = err ? err : serve(m);
	if (err && err != -EPIPE)
		log_line(SEV_CRITICAL, "media: %s", err_text(err));
	workers_stop(m->workers);
	bpf_ring_free(m->ring);
	if (m->ring_fd >= 0)
		close(m->ring_fd);
	flow_table_free(m->table);
	vault_free(m->vault);
	dtls_identities_free(m->identities);
	proc_msg_done(&m->msg);
	proc_channel_done(&m->warden);
	mem_free(m);
	return err ? EXIT_FOUND : EXIT_GOOD;
}
