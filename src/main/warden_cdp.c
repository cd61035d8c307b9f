/* Phones are told of the voice VLAN by CDP. What is sent comes of the configuration alone, and of
 * what neighbours send nothing but that they spoke is known: so it is done here. */
#include <errno.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "enforce/cdp.h"
#include "main/voice_ports.h"
#include "main/warden.h"
#include "proto/link/cdp_write.h"

#define TICK_MS	   1000
#define LOOK_TICKS 5  /* links come and go */
#define EVERY_S	   60 /* CDP's usual interval, and thrice that its time to live */
#define TTL_S	   180
#define LAST_TTL_S 1
/* A neighbour gets an answer at most this often: two gateways that answer each other within a tick
 * each fall silent. */
#define ANSWER_S 4

static_assert(CDP_MAC_BYTES == LINK_MAC_BYTES, "the same addresses");

struct cdp_port {
	int fd; /* -1 = it could not be opened */
	int index;
	bool used, wanted, refused; /* refused: it was told, and is tried again in silence */
	bool sent;		    /* phones were told, and are told when it ends */
	unsigned since_s;	    /* the last frame */
	struct proc_voice_vlan is;
	uint8_t mac[LINK_MAC_BYTES];
};

struct warden_cdp {
	struct link_socket *links;
	struct loop_timer *tick;
	unsigned ticks;
	uint64_t frames;
	char host[LINK_CDP_NAME_MAX + 1];
	struct cdp_port port[PROC_VOICE_PORTS_MAX];
};

/* ---- one port ---- */

static int send_frame(struct warden_cdp *s, struct cdp_port *p, uint8_t ttl_s, bool voice)
{
	char bytes[LINK_CDP_FRAME_MAX];
	struct out o = out_to(bytes, sizeof(bytes));
	struct link_cdp_say say = {.device = slice_z(s->host),
				   .port = slice_z(p->is.interface),
				   .ttl_s = ttl_s,
				   .has_voice_vlan = voice,
				   .voice_vlan = p->is.vlan};
	int err;

	memcpy(say.from, p->mac, sizeof(say.from));
	err = link_cdp_write(&say, &o);
	err = err ? err : cdp_send(p->fd, out_slice(&o));
	if (!err)
		s->frames++;
	return err;
}

static void tell(struct warden_cdp *s, struct cdp_port *p)
{
	if (send_frame(s, p, TTL_S, true) != 0)
		return; /* the link is down: at the next tick again */
	p->sent = true;
	p->since_s = 0;
}

/* There are receivers that do not take a time to live of nothing (lldpd is one): those forget the
 * frame before it. */
static void close_port(struct warden_cdp *s, struct cdp_port *p)
{
	if (p->fd >= 0 && p->sent) {
		(void)!send_frame(s, p, LAST_TTL_S, false);
		(void)!send_frame(s, p, 0, false);
	}
	if (p->fd >= 0)
		close(p->fd);
	*p = (struct cdp_port){.fd = -1};
}

static void open_port(struct warden *w, struct cdp_port *p)
{
	int err = cdp_open(p->index, &p->fd, p->mac);

	if (!err) {
		p->refused = false;
		tell(w->cdp, p);
	} else if (!p->refused) {
		p->refused = true;
		if (err == ERR_ABSENT)
			warden_notice(w,
				      "phones on %s are not told of the voice VLAN by CDP: it "
				      "carries no Ethernet frames",
				      p->is.interface);
		else
			warden_notice(w, "phones on %s are not told of the voice VLAN by CDP: %s",
				      p->is.interface, err_text(err));
	}
}

static void on_second(struct warden_cdp *s, struct cdp_port *p)
{
	bool heard = cdp_heard(p->fd);

	p->since_s++;
	if (!p->sent || p->since_s >= EVERY_S || (heard && p->since_s >= ANSWER_S))
		tell(s, p);
}

/* ---- which ports ---- */

static int index_of(const struct link *links, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(links[i].name, name) == 0)
			return links[i].index;
	return 0;
}

static void want(struct warden *w, const struct proc_voice_vlan *is, int index)
{
	struct warden_cdp *s = w->cdp;
	struct cdp_port *free_port = NULL;

	for (size_t i = 0; i < PROC_VOICE_PORTS_MAX; i++) {
		struct cdp_port *p = &s->port[i];

		if (p->used && p->index == index && strcmp(p->is.interface, is->interface) == 0) {
			p->wanted = true;
			if (p->fd < 0) {
				p->is = *is;
				open_port(w, p);
			} else if (p->is.vlan != is->vlan) {
				p->is = *is;
				tell(s, p);
			}
			return;
		}
		if (!p->used && !free_port)
			free_port = p;
	}
	if (!free_port || !index)
		return; /* the links that there were make room within a look */
	*free_port = (struct cdp_port){
		.used = true, .wanted = true, .fd = -1, .index = index, .is = *is};
	open_port(w, free_port);
}

static void look(struct warden *w)
{
	struct warden_cdp *s = w->cdp;
	struct voice_ports ports = {0};
	struct link *links = NULL;
	size_t count = 0;

	if (voice_ports_by_cdp(w->now.config) &&
	    (voice_ports_wanted(w->now.config, s->links, &ports) ||
	     link_list(s->links, &links, &count)))
		return;
	for (size_t i = 0; i < PROC_VOICE_PORTS_MAX; i++)
		s->port[i].wanted = false;
	for (size_t i = 0; i < ports.count; i++)
		want(w, &ports.port[i], index_of(links, count, ports.port[i].interface));
	for (size_t i = 0; i < PROC_VOICE_PORTS_MAX; i++)
		if (s->port[i].used && !s->port[i].wanted)
			close_port(s, &s->port[i]);
	mem_free(links);
}

static void on_tick(void *ctx)
{
	struct warden *w = ctx;
	struct warden_cdp *s = w->cdp;

	if (w->stopping)
		return;
	if (voice_ports_by_cdp(w->now.config))
		loop_timer_start(s->tick, TICK_MS);
	if (++s->ticks % LOOK_TICKS == 0)
		look(w);
	for (size_t i = 0; i < PROC_VOICE_PORTS_MAX; i++)
		if (s->port[i].fd >= 0)
			on_second(s, &s->port[i]);
}

/* ---- life ---- */

static int cdp_new(struct warden *w)
{
	struct warden_cdp *s = mem_zalloc(1, sizeof(*s));
	int err = s ? link_socket_new(&s->links) : ERR_NOMEM;

	if (!err)
		err = loop_timer_new(w->loop, on_tick, w, &s->tick);
	if (err && s)
		link_socket_free(s->links);
	if (err) {
		mem_free(s);
		return err;
	}
	if (gethostname(s->host, sizeof(s->host)) != 0 || !*s->host)
		memcpy(s->host, "hornwork", sizeof("hornwork"));
	s->host[sizeof(s->host) - 1] = '\0';
	for (size_t i = 0; i < PROC_VOICE_PORTS_MAX; i++)
		s->port[i].fd = -1;
	w->cdp = s;
	return 0;
}

void warden_cdp_apply(struct warden *w)
{
	if (!w->cdp && !voice_ports_by_cdp(w->now.config))
		return;
	if (!w->cdp && cdp_new(w) != 0) {
		warden_notice(w, "phones are not told of the voice VLAN by CDP: memory ran out");
		return;
	}
	look(w);
	loop_timer_start(w->cdp->tick, TICK_MS);
}

void warden_cdp_done(struct warden *w)
{
	if (!w->cdp)
		return;
	for (size_t i = 0; i < PROC_VOICE_PORTS_MAX; i++)
		close_port(w->cdp, &w->cdp->port[i]);
	loop_timer_free(w->cdp->tick);
	link_socket_free(w->cdp->links);
	mem_free(w->cdp);
	w->cdp = NULL;
}

/* ---- views ---- */

void warden_cdp_status(const struct warden *w, struct json *j)
{
	json_member_open(j, "voice_vlan_cdp", '[');
	for (size_t i = 0; w->cdp && i < PROC_VOICE_PORTS_MAX; i++) {
		const struct cdp_port *p = &w->cdp->port[i];

		if (!p->used)
			continue;
		json_open(j, '{');
		json_member_z(j, "interface", p->is.interface);
		json_member_u64(j, "vlan", p->is.vlan);
		json_member_bool(j, "told", p->sent);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void warden_cdp_metrics(const struct warden *w, struct out *o)
{
	if (w->cdp)
		out_fmt(o,
			"# TYPE hornwork_cdp_frames_sent_total counter\n"
			"hornwork_cdp_frames_sent_total %llu\n",
			(unsigned long long)w->cdp->frames);
}
