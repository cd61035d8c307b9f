/* A configuration on its way to a child: as the warden sends it, it arrives whole or its text is
 * refused as it was; with messages lost, doubled, changed or without their descriptors it is
 * refused or arrives, and neither memory nor descriptors are lost. A second parcel, as a reload
 * brings it, may follow a first one that broke off. */
#include <stdint.h>

#include "base/mem.h"
#include "config/config_load.h"
#include "config/resolve.h"
#include "messages.h"
#include "main/config_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARCELS_MAX 4
#define CHANGES_MAX 8

static const char usual[] =
	"zone out { interface = a  address = \"192.0.2.1\" }\n"
	"zone in { interface = b  address = \"10.0.0.1\"  trust = trusted }\n"
	"pbx p { zone = in  address = \"10.0.0.5:5060\" }\n"
	"phones r { zone = out  to = p  listen = {\"udp:5060\", \"tcp:5060\"} }\n"
	"trunk t { zone = out  to = p  peer = \"198.51.100.9:5060\"\n"
	"  username = u  password-file = \"/nowhere\" }\n";

/* What the script changes in a message on its way. */
enum { KEEP, DROP, DOUBLE, BYTES, NO_FDS, OTHER_SIZE, CHANGE_KINDS };

static struct config *read_text(struct slice text)
{
	struct config_report report = config_report_empty();
	struct config *c = NULL;
	int err = config_parse(text, &report, &c);

	err = err ? err : config_resolve(c, NULL, &report);
	err = err ? err : config_listeners_derive(c);
	config_report_done(&report);
	if (err) {
		config_free(c);
		return NULL;
	}
	for (size_t i = 0; i < c->trunk_count; i++)
		(void)slice_to_z(SL("s3cret"), c->trunks[i].password, CONFIG_SECRET_MAX);
	return c;
}

/* A message between the two, with its descriptors. */
struct passing {
	uint8_t *bytes;
	size_t n, fd_count;
	int fds[PROC_FDS_MAX];
};

static bool pick_up(int from, struct passing *p)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(p->fds))];
	struct iovec iov = {p->bytes, sizeof(struct proc_head) + PROC_PAYLOAD_MAX};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(from, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	p->n = n > 0 ? (size_t)n : 0;
	p->fd_count = c ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	for (size_t i = 0; i < p->fd_count; i++)
		memcpy(&p->fds[i], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	return n > 0;
}

static void put_down(int to, const struct passing *p, bool with_fds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(p->fds))] = {0};
	struct iovec iov = {p->bytes, p->n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (with_fds && p->fd_count) {
		struct cmsghdr *c = (struct cmsghdr *)(void *)control;

		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * p->fd_count);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * p->fd_count);
		memcpy(CMSG_DATA(c), p->fds, sizeof(int) * p->fd_count);
	}
	(void)!sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void change(struct script *s, unsigned how, struct passing *p)
{
	if (how == BYTES)
		for (unsigned i = take(s, 8) + 1; i; i--)
			p->bytes[(take(s, 256) * 256 + take(s, 256)) % p->n] ^=
				(uint8_t)(take(s, 255) + 1);
	if (how == OTHER_SIZE)
		p->n = take(s, 256) % p->n;
}

static void forward(struct script *s, int from, int to, size_t *left)
{
	static _Alignas(8) uint8_t bytes[sizeof(struct proc_head) + PROC_PAYLOAD_MAX];
	struct passing p = {.bytes = bytes};

	while (pick_up(from, &p)) {
		unsigned how = *left && s->n ? take(s, 64) : KEEP;

		if (how > KEEP && how < CHANGE_KINDS)
			(*left)--;
		change(s, how, &p);
		for (unsigned i = how == DROP ? 0 : how == DOUBLE ? 2 : 1; i; i--)
			put_down(to, &p, how != NO_FDS);
		for (size_t i = 0; i < p.fd_count; i++)
			close(p.fds[i]);
	}
}

/* The rest of the script, or the usual one. */
static struct slice text_of(struct script *s)
{
	struct slice text = slice_z(usual);

	if (take(s, 2))
		return text;
	text = slice_of((const char *)s->p, s->n);
	s->n = 0;
	return text;
}

struct way {
	struct proc_channel near, far; /* of the warden; of the child */
	int middle[2];		       /* the other ends of both */
};

static void way_open(struct way *w)
{
	int a[2], b[2];

	expect(proc_pair(a) == 0 && proc_pair(b) == 0);
	proc_channel_init(&w->near, a[0], PROC_WARDEN, PROC_SIGNAL);
	proc_channel_init(&w->far, b[1], PROC_SIGNAL, PROC_WARDEN);
	w->middle[0] = a[1];
	w->middle[1] = b[0];
}

/* The child's side, for a parcel of `c` that came `whole` or changed. False: it gives up. */
static bool arrives(struct way *w, struct config_intake *in, struct proc_msg *msg,
		    const struct config *c, bool whole)
{
	int done = 0, got = 1;

	while (done == 0 && (got = proc_receive(&w->far, msg)) == 1)
		done = config_intake_on_message(in, msg);
	expect(done == 0 || done == 1 || done == ERR_PEER);
	expect(done == 1 || !whole);
	if (done != 1)
		return done == 0 && got == 0;
	expect(!whole || in->config->zone_count == c->zone_count);
	expect(!in->rules == !in->begin.rules_bytes);
	config_intake_done(in);
	/* Something doubled: the next message would be out of order. */
	return proc_receive(&w->far, msg) == 0;
}

/* One parcel; false: the child gives up. */
static bool one(struct script *s, struct way *w, struct config_intake *in, struct proc_msg *msg,
		const int *fds)
{
	unsigned flags = take(s, 16);
	bool whole = !(flags & 1), goes_on;
	size_t left = whole ? 0 : CHANGES_MAX;
	struct slice text = text_of(s);
	struct config *c = read_text(text);
	struct config_parcel parcel = {.file = "hornwork.conf",
				       .text = text,
				       .config = c,
				       .rules = flags & 2 ? SL("a rule") : slice_of(NULL, 0),
				       .generation = 7,
				       .secrets = flags & 4};

	if (!c)
		return true;
	if (c->listener_count <= PROC_FDS_MAX)
		parcel.listener_fds = fds;
	expect(config_wire_send(&w->near, &parcel) == 0);
	forward(s, w->middle[0], w->middle[1], &left);
	while (proc_wants_write(&w->near)) {
		expect(proc_flush(&w->near) == 0);
		forward(s, w->middle[0], w->middle[1], &left);
	}
	goes_on = arrives(w, in, msg, c, whole);
	config_free(c);
	return goes_on;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct proc_msg msg;
	struct script s = {data, size};
	struct config_intake in = {0};
	struct way w;
	struct fds fds;
	int before = next_fd();
	long live = mem_test_live();

	proc_msg_init(&msg);
	fds_open(&fds);
	way_open(&w);
	for (size_t i = 0; i < PARCELS_MAX && s.n; i++)
		if (!one(&s, &w, &in, &msg, fds.near))
			break;
	config_intake_done(&in);
	proc_msg_done(&msg);
	proc_channel_done(&w.near);
	proc_channel_done(&w.far);
	close(w.middle[0]);
	close(w.middle[1]);
	fds_close(&fds);
	expect(next_fd() == before);
	expect(mem_test_live() == live);
	return 0;
}
