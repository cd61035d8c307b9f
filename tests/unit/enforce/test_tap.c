/* What the filter of a watched link lets pass, judged by the kernel on a socket pair. */
#include "enforce/tap.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/identity.h"
#include "proc/sandbox.h"
#include "unit/enforce/net.h"

#define FRAME_MAX 2000

struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t n;
};

static void add(struct frame *f, const char *bytes, size_t n)
{
	memcpy(f->bytes + f->n, bytes, n);
	f->n += n;
}

#define ADD(f, text) add(f, text, sizeof(text) - 1)

static struct frame head(const char *type)
{
	struct frame f = {0};

	ADD(&f, "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01");
	add(&f, type, 2);
	return f;
}

static struct frame ip4(char next, unsigned words, const char *to)
{
	struct frame f = head("\x08\0");
	uint8_t *ip = f.bytes + f.n;

	f.n += (size_t)4 * words;
	ip[0] = (uint8_t)(0x40 | words);
	ip[9] = (uint8_t)next;
	memcpy(ip + 16, to, 4);
	return f;
}

static struct frame ip6(char next, const char *to)
{
	struct frame f = head("\x86\xdd");
	uint8_t *ip = f.bytes + f.n;

	f.n += 40;
	ip[0] = 0x60;
	ip[6] = (uint8_t)next;
	memcpy(ip + 24, to, 16);
	return f;
}

static void udp(struct frame *f, uint16_t from, uint16_t to, const char *data, size_t n)
{
	char ports[8] = {(char)(from >> 8), (char)from, (char)(to >> 8), (char)to};

	add(f, ports, sizeof(ports));
	add(f, data, n);
	f->n += 1000; /* longer than what is kept of voice */
}

static void tcp(struct frame *f, unsigned words, const char *data, size_t n)
{
	uint8_t *p = f->bytes + f->n;

	f->n += (size_t)4 * words;
	p[12] = (uint8_t)(words << 4);
	add(f, data, n);
	f->n += 1000;
}

/* How many bytes of it pass; 0 = none. */
static size_t passes(const struct tap_wish *wish, const struct frame *f)
{
	struct sock_filter rows[TAP_FILTER_ROWS_MAX];
	struct sock_fprog program = {.filter = rows};
	size_t count = tap_filter(wish, rows);
	uint8_t got[FRAME_MAX + 1];
	int pair[2], one = 1;
	ssize_t n;

	assert_in_range(count, 1, TAP_FILTER_ROWS_MAX);
	program.len = (unsigned short)count;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_int_equal(
		setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_DETACH_FILTER, &one, sizeof(one)), -1);
	assert_int_equal(errno, EPERM);
	(void)!send(pair[0], f->bytes, f->n, MSG_DONTWAIT);
	n = recv(pair[1], got, sizeof(got), MSG_DONTWAIT);
	close(pair[0]);
	close(pair[1]);
	return n < 0 ? 0 : (size_t)n;
}

static const char own4[] = "\x0a\x14\0\x01", other4[] = "\x0a\x14\0\x02";
static const char own6[] = "\xfd\0\0\x20\0\0\0\0\0\0\0\0\0\0\0\x01",
		  other6[] = "\xfd\0\0\x20\0\0\0\0\0\0\0\0\0\0\0\x02";
static const char rtp[] = "\x80\0\0\x01\0\0\0\0\0\0\0\x07voice",
		  quic[] = "\x40\0\0\x01\0\0\0\0\0\0\0\x07voice";
static const char invite[] = "INVITE sip:x SIP/2.0\r\n", get[] = "GET / HTTP/1.1\r\n";

static struct tap_wish usual(void)
{
	struct tap_wish w = {.carries_vlan = true, .own_count = 3};

	w.own[0].family = w.own[2].family = IP_V4;
	memcpy(w.own[0].bytes, own4, 4);
	memcpy(w.own[2].bytes, "\xc0\0\x02\x01", 4);
	w.own[1].family = IP_V6;
	memcpy(w.own[1].bytes, own6, 16);
	return w;
}

static void types(void **state)
{
	static const struct {
		const char *type;
		size_t want;
	} rows[] = {{"\x88\xcc", 1214}, {"\x08\x06", 512}, {"\x81\0", 512}, {"\x88\xa8", 512},
		    {"\x91\0", 512},	{"\x88\x8e", 0},   {"\x05\xdc", 0}, {"\0\x26", 0}};
	struct tap_wish w = usual();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame f = head(rows[i].type);

		f.n += 1200;
		assert_int_equal(passes(&w, &f), rows[i].want);
	}
}

static void cdp(void **state)
{
	struct tap_wish w = usual();
	struct frame f = head("\0\x80");

	f.n += 128;
	assert_int_equal(passes(&w, &f), 0);
	memcpy(f.bytes, "\x01\0\x0c\xcc\xcc\xcc", 6);
	assert_int_equal(passes(&w, &f), f.n);
	f.bytes[5] = 0xcd;
	assert_int_equal(passes(&w, &f), 0);
	f.bytes[3] = 0xcd;
	assert_int_equal(passes(&w, &f), 0);
}

static void datagrams(void **state)
{
	static const struct {
		uint16_t from, to;
		const char *data;
		bool own;
		bool want;
	} rows[] = {{9000, 9002, rtp, false, true},   {9000, 9002, rtp, true, false},
		    {9000, 9002, quic, false, false}, {9000, 9002, invite, true, true},
		    {9000, 9002, get, false, false},  {67, 68, get, true, true},
		    {68, 67, get, false, true},	      {547, 546, get, false, true},
		    {68, 69, get, false, false}};
	struct tap_wish w = usual();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned words = 5; words <= 15; words += 5) {
			struct frame four = ip4(17, words, rows[i].own ? own4 : other4);
			struct frame six = ip6(17, rows[i].own ? own6 : other6);

			udp(&four, rows[i].from, rows[i].to, rows[i].data, sizeof(rtp) - 1);
			udp(&six, rows[i].from, rows[i].to, rows[i].data, sizeof(rtp) - 1);
			assert_int_equal(passes(&w, &four) > 0, rows[i].want);
			assert_int_equal(passes(&w, &six) > 0, rows[i].want);
		}
	w.own_count = 0;
	{
		struct frame f = ip4(17, 5, own4);

		udp(&f, 9000, 9002, rtp, sizeof(rtp) - 1);
		assert_int_equal(passes(&w, &f), TAP_SNAP_BYTES);
		f.bytes[20] = 0x20; /* the first of several pieces */
		assert_int_equal(passes(&w, &f), TAP_SNAP_BYTES);
		f.bytes[21] = 0x01; /* a later one */
		assert_int_equal(passes(&w, &f), 0);
	}
}

static void streams(void **state)
{
	struct tap_wish w = usual();

	for (unsigned words = 5; words <= 15; words += 5) {
		struct frame f[4] = {ip4(6, words, own4), ip6(6, other6), ip4(6, words, own4),
				     ip6(6, own6)};

		tcp(&f[0], words, invite, sizeof(invite) - 1);
		tcp(&f[1], words, "SIP/2.0 200 OK\r\n", 16);
		tcp(&f[2], words, get, sizeof(get) - 1);
		tcp(&f[3], words, rtp, sizeof(rtp) - 1);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(passes(&w, &f[i]), i < 2 ? TAP_SNAP_BYTES : 0);
	}
}

/* On SIP's port whatever a segment carries, and nothing when it carries nothing. */
static void streams_on_sips_port(void **state)
{
	static const struct {
		uint16_t from, to;
		bool want;
	} rows[] = {{5060, 9, true}, {9, 5060, true}, {5060, 5060, true}, {9, 5061, false}};
	struct tap_wish w = usual();

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame f = i % 2 ? ip4(6, 7, own4) : ip6(6, other6);
		size_t ports = f.n;

		f.n += 20;
		f.bytes[ports + 12] = 5 << 4;
		for (unsigned k = 0; k < 2; k++) {
			uint16_t port = k ? rows[i / 2].to : rows[i / 2].from;

			f.bytes[ports + 2 * k] = (uint8_t)(port >> 8);
			f.bytes[ports + 2 * k + 1] = (uint8_t)port;
		}
		assert_int_equal(passes(&w, &f), 0);
		ADD(&f, "v=0\r\nINVITE sip:x SIP/2.0\r\n");
		f.n += 1000;
		assert_int_equal(passes(&w, &f), rows[i / 2].want ? f.n : 0);
	}
}

static void neighbours_and_heads(void **state)
{
	static const struct {
		char next;
		uint8_t first;
		bool want;
	} rows[] = {{58, 132, false}, {58, 133, true},	{58, 134, true}, {58, 136, true},
		    {58, 137, false}, {58, 128, false}, {0, 0, true},	 {43, 0, true},
		    {44, 0, true},    {60, 0, true},	{50, 0, false},	 {89, 0, false}};
	struct tap_wish w = usual();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame f = ip6(rows[i].next, other6);

		f.bytes[f.n] = rows[i].first;
		f.n += 40;
		assert_int_equal(passes(&w, &f) > 0, rows[i].want);
	}
}

/* Cut anywhere: nothing is read beyond, and no frame without a payload passes as voice. */
static void cut_frames(void **state)
{
	struct tap_wish w = usual();
	struct frame f = ip4(17, 5, other4);
	size_t whole;

	udp(&f, 9000, 9002, rtp, sizeof(rtp) - 1);
	whole = f.n;
	for (f.n = 0; f.n <= 42; f.n++)
		assert_int_equal(passes(&w, &f), 0);
	f.n = whole;
	assert_int_equal(passes(&w, &f), TAP_SNAP_BYTES);
}

static void the_most_addresses(void **state)
{
	struct tap_wish w = {.own_count = TAP_OWN_MAX};
	struct frame f = ip6(17, own6);

	for (size_t i = 0; i < TAP_OWN_MAX; i++) {
		w.own[i].family = IP_V6;
		memcpy(w.own[i].bytes, own6, 16);
		w.own[i].bytes[15] = (uint8_t)(TAP_OWN_MAX - i);
	}
	udp(&f, 9000, 9002, rtp, sizeof(rtp) - 1);
	assert_int_equal(passes(&w, &f), 0);
	f.bytes[14 + 39] = TAP_OWN_MAX;
	assert_int_equal(passes(&w, &f), 0);
	f.bytes[14 + 39] = TAP_OWN_MAX + 1;
	assert_int_equal(passes(&w, &f), TAP_SNAP_BYTES);
}

/* ---- who holds it can receive and do nothing else ---- */

static const char lldp[] =
	"\x01\x80\xc2\0\0\x0e\x02\0\0\0\0\x01\x88\xcc\x02\x07\x04watched for us only, "
	"and of the least length that there is";
static int tap_fd, other_index;

static int try_send(void)
{
	return send(tap_fd, lldp, sizeof(lldp), MSG_DONTWAIT) < 0 ? 1 : 0;
}

static int try_write(void)
{
	return write(tap_fd, lldp, sizeof(lldp)) < 0 ? 1 : 0;
}

/* By another interface than its own. */
static int try_send_elsewhere(void)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = other_index};
	struct iovec iov = {(void *)(uintptr_t)lldp, sizeof(lldp)};
	struct msghdr m = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1};

	return sendmsg(tap_fd, &m, MSG_DONTWAIT) < 0 ? 1 : 0;
}

static int try_map_to_write(void)
{
	return mmap(NULL, (size_t)getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, tap_fd, 0) ==
	       MAP_FAILED;
}

static int try_map_and_change(void)
{
	return mmap(NULL, (size_t)getpagesize(), PROT_READ, MAP_SHARED, tap_fd, 0) == MAP_FAILED;
}

/* What is written to a private mapping stays there. */
static int try_map_a_copy(void)
{
	struct tpacket_hdr *h =
		mmap(NULL, (size_t)getpagesize(), PROT_READ | PROT_WRITE, MAP_PRIVATE, tap_fd, 0);

	if (h == MAP_FAILED)
		return 1;
	h->tp_len = sizeof(lldp);
	memcpy((char *)h + TPACKET_ALIGN((int)sizeof(*h)), lldp, sizeof(lldp));
	h->tp_status = TP_STATUS_SEND_REQUEST;
	return send(tap_fd, NULL, 0, MSG_DONTWAIT) < 0 ? 1 : 0;
}

static int try_take_the_ring_away(void)
{
	struct tpacket_req none = {0};

	return setsockopt(tap_fd, SOL_PACKET, PACKET_TX_RING, &none, sizeof(none)) ? 1 : 0;
}

#define KILLED 1000

static int in_the_sandbox(int (*attempt)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct proc_sandbox_state state;

		_exit(proc_harden() || proc_sandbox_enter(PROC_WATCH, &state) ? 99 : attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? KILLED : WEXITSTATUS(status);
}

static int listener_at(int ns, const char *interface)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd;

	enter(ns);
	at.sll_ifindex = (int)if_nametoindex(interface);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0 && at.sll_ifindex > 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* True if the frame comes; others (the kernel's own) are passed over. */
static bool frame_comes(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t got[FRAME_MAX];

	while (poll(&p, 1, wait_ms) == 1) {
		ssize_t n = recv(fd, got, sizeof(got), 0);

		if (n >= (ssize_t)sizeof(lldp) && !memcmp(got, lldp, 24))
			return true;
	}
	return false;
}

static void it_only_receives(void **state)
{
	static const struct {
		const char *name;
		int (*attempt)(void);
		bool killed;
	} rows[] = {{"send", try_send, false},
		    {"write", try_write, false},
		    {"sendmsg elsewhere", try_send_elsewhere, false},
		    {"a shared map", try_map_to_write, true},
		    {"a shared map to read", try_map_and_change, true},
		    {"a private map", try_map_a_copy, false},
		    {"setsockopt", try_take_the_ring_away, true}};
	struct tap_wish w = {.carries_vlan = true};
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), here, there, far[2];
	char peer[32];

	(void)state;
	there = new_namespace();
	here = there < 0 ? -1 : new_namespace();
	if (here < 0) {
		print_message("network namespaces need root: not tested\n");
		skip();
	}
	(void)snprintf(peer, sizeof(peer), "/proc/%d/fd/%d", getpid(), there);
	RUN("ip", "link", "add", "tap0", "type", "veth", "peer", "name", "far0", "netns", peer);
	RUN("ip", "link", "add", "tap1", "type", "veth", "peer", "name", "far1", "netns", peer);
	RUN("ip", "link", "set", "tap0", "up");
	RUN("ip", "link", "set", "tap1", "up");
	w.index = (int)if_nametoindex("tap0");
	other_index = (int)if_nametoindex("tap1");
	assert_int_equal(tap_open(&w, &tap_fd), 0);
	enter(there);
	RUN("ip", "link", "set", "far0", "up");
	RUN("ip", "link", "set", "far1", "up");
	far[0] = listener_at(there, "far0");
	far[1] = listener_at(there, "far1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int got = in_the_sandbox(rows[i].attempt);

		check_int(rows[i].name, got == KILLED, rows[i].killed);
		check_int(rows[i].name, got == 99, 0);
		check_int(rows[i].name, frame_comes(far[0], ABSENT_MS), 0);
		check_int(rows[i].name, frame_comes(far[1], ABSENT_MS), 0);
	}
	assert_int_equal(send(far[0], lldp, sizeof(lldp), 0), sizeof(lldp));
	assert_true(frame_comes(tap_fd, ARRIVES_MS));
	assert_int_equal(send(far[0], lldp, sizeof(lldp), 0), sizeof(lldp));
	close(tap_fd);
	close(far[0]);
	close(far[1]);
	enter(home);
	close(home);
	close(here);
	close(there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(cdp),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(streams),
		cmocka_unit_test(streams_on_sips_port),
		cmocka_unit_test(neighbours_and_heads),
		cmocka_unit_test(cut_frames),
		cmocka_unit_test(the_most_addresses),
		cmocka_unit_test(it_only_receives),
	};

	return cmocka_run_group_tests_name("enforce/tap", tests, NULL, NULL);
}
