/* Phones are told of the voice VLAN: which interfaces, and a connection to lldpd for the process
 * that speaks with it. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "enforce/link.h"
#include "enforce/lldpd.h"
#include "main/voice_ports.h"
#include "main/warden.h"
#include "proc/identity.h"

#define LOOK_MS	   5000 /* links and lldpd come and go */
#define SOON_MS	   1000
#define ANSWER_S   1 /* of lldpd to one question */
#define LLDPD_USER "_lldpd"

struct warden_voice_vlan {
	struct link_socket *links;
	struct loop_timer *look;
	/* what was asked for last, those that are taken back at the end */
	struct proc_voice_vlan port[PROC_VOICE_PORTS_MAX];
	enum lldpd_outcome outcome[PROC_VOICE_PORTS_MAX];
	size_t count;
	bool asked;    /* the process has these and a connection */
	bool answered; /* outcome is of these */
	char said[WARDEN_NOTICE_BYTES];
};

/* What phones were told and is wanted no more. */
static void add_withdrawn(const struct warden_voice_vlan *v, struct voice_ports *p)
{
	for (size_t i = 0; v->asked && i < v->count && p->count < PROC_VOICE_PORTS_MAX; i++) {
		if (v->port[i].withdraw || voice_ports_has(p, v->port[i].interface))
			continue;
		p->port[p->count] = v->port[i];
		p->port[p->count++].withdraw = 1;
	}
}

/* Nothing differs but what was taken back already. */
static bool is_told(const struct warden_voice_vlan *v, const struct voice_ports *p)
{
	size_t live = 0;

	for (size_t i = 0; i < v->count; i++) {
		if (v->port[i].withdraw)
			continue;
		if (live >= p->count ||
		    memcmp(&v->port[i], &p->port[live], sizeof(v->port[i])) != 0)
			return false;
		live++;
	}
	return live == p->count;
}

/* ---- telling ---- */

__attribute__((format(printf, 4, 5))) static void say(struct warden *w, const char *name,
						      enum severity severity, const char *fmt, ...)
{
	struct warden_voice_vlan *v = w->voice_vlan;
	char text[WARDEN_NOTICE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (strcmp(text, v->said) == 0) /* each once */
		return;
	memcpy(v->said, text, sizeof(text));
	warden_tell(w, "config", name, severity, "%s", text);
}

/* A connection that never blocks for longer than ANSWER_S. -errno. */
static int connect_to(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = ANSWER_S};
	int fd, err = 0;

	if (!slice_to_z(slice_z(path), at.sun_path, sizeof(at.sun_path)))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) || fcntl(fd, F_SETFL, 0) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		err = -errno;
	if (err)
		close(fd);
	return err ? err : fd;
}

static void ask(struct warden *w, struct voice_ports *want)
{
	struct warden_voice_vlan *v = w->voice_vlan;
	const char *path = w->now.config->voice_vlan.lldpd;
	struct child *c = &w->child[CHILD_ANNOUNCE];
	int fd;

	add_withdrawn(v, want);
	v->asked = v->answered = false;
	if (want->count == 0 || !c->warden || !proc_channel_open(&c->channel)) {
		v->count = 0;
		return;
	}
	fd = connect_to(path);
	if (fd < 0) {
		say(w, "voice_vlan_not_told", SEV_WARNING,
		    "phones are not told of the voice VLAN: %s: %s; %s", path, err_text(fd),
		    fd == -EACCES ? "start the gateway again, so that it joins lldpd's group"
				  : "start lldpd -M 4, or take voice-vlan away");
		return;
	}
	memcpy(v->port, want->port, sizeof(v->port));
	v->count = want->count;
	v->asked = true;
	warden_child_send(c, PROC_VOICE_VLAN, v->port, v->count * sizeof(v->port[0]), &fd, 1);
	close(fd);
}

static void look(struct warden *w)
{
	struct warden_voice_vlan *v = w->voice_vlan;
	struct voice_ports want = {0};

	loop_timer_start(v->look, LOOK_MS);
	if (voice_ports_by_lldp(w->now.config) &&
	    voice_ports_wanted(w->now.config, v->links, &want) != 0)
		return;
	if (v->asked && is_told(v, &want))
		return;
	ask(w, &want);
}

static void on_look(void *ctx)
{
	struct warden *w = ctx;

	if (!w->stopping)
		look(w);
}

static const char *outcome_text(enum lldpd_outcome o)
{
	static const char *const words[LLDPD_OUTCOMES] = {
		"told", "lldpd does not speak on this interface", "lldpd was not started with -M 4",
		"lldpd did not take it"};

	return words[o];
}

int warden_on_voice_vlan_told(struct warden *w, const struct proc_msg *msg)
{
	struct warden_voice_vlan *v = w->voice_vlan;
	size_t count = msg->bytes / sizeof(struct proc_voice_vlan_told), bad = 0, first = 0;

	if (!v || !v->asked || count != v->count)
		return v && !v->asked ? 0 : ERR_PEER; /* it may have been overtaken */
	for (size_t i = count; i-- > 0;) {
		struct proc_voice_vlan_told m;

		memcpy(&m, msg->payload + i * sizeof(m), sizeof(m));
		if (m.outcome >= LLDPD_OUTCOMES)
			return ERR_PEER;
		v->outcome[i] = (enum lldpd_outcome)m.outcome;
		if (v->outcome[i] == LLDPD_TOLD || v->port[i].withdraw)
			continue;
		bad++;
		first = i;
	}
	v->answered = true;
	if (bad)
		say(w, "voice_vlan_not_told", SEV_WARNING,
		    "phones on %s are not told of the voice VLAN: %s", v->port[first].interface,
		    outcome_text(v->outcome[first]));
	else
		say(w, "voice_vlan_told", SEV_INFO,
		    "phones on %zu interface%s are told of the voice VLAN by LLDP-MED", count,
		    count == 1 ? "" : "s");
	v->asked = !bad; /* else it is tried again */
	return 0;
}

void warden_on_lldpd_gone(struct warden *w)
{
	if (!w->voice_vlan)
		return;
	w->voice_vlan->asked = w->voice_vlan->answered = false;
	say(w, "voice_vlan_not_told", SEV_NOTICE,
	    "lldpd is gone: phones are told of the voice VLAN again when it is back");
	loop_timer_start(w->voice_vlan->look, SOON_MS);
}

/* ---- life ---- */

static int voice_vlan_new(struct warden *w)
{
	struct warden_voice_vlan *v = mem_zalloc(1, sizeof(*v));
	int err = v ? link_socket_new(&v->links) : ERR_NOMEM;

	if (!err)
		err = loop_timer_new(w->loop, on_look, w, &v->look);
	if (err && v)
		link_socket_free(v->links);
	if (err)
		mem_free(v);
	else
		w->voice_vlan = v;
	/* its socket is for its group; a host without that group has none, or another way */
	if (!err && proc_identity_can_change())
		(void)!proc_group_join(LLDPD_USER);
	return err;
}

void warden_voice_vlan_apply(struct warden *w)
{
	if (!w->voice_vlan && !voice_ports_by_lldp(w->now.config))
		return;
	if (!w->voice_vlan && voice_vlan_new(w) != 0)
		warden_notice(w, "phones are not told of the voice VLAN: memory ran out");
	else if (w->child[CHILD_ANNOUNCE].warden)
		look(w);
}

void warden_voice_vlan_hand(struct warden *w)
{
	if (!w->voice_vlan)
		return;
	w->voice_vlan->asked = w->voice_vlan->answered = false;
	look(w);
}

void warden_voice_vlan_done(struct warden *w)
{
	if (!w->voice_vlan)
		return;
	loop_timer_free(w->voice_vlan->look);
	link_socket_free(w->voice_vlan->links);
	mem_free(w->voice_vlan);
	w->voice_vlan = NULL;
}

/* ---- views ---- */

void warden_voice_vlan_status(const struct warden *w, struct json *j)
{
	const struct warden_voice_vlan *v = w->voice_vlan;

	if (!v)
		return;
	json_member_open(j, "voice_vlan", '{');
	json_member_bool(j, "told", v->asked && v->answered);
	json_member_z(j, "explain", v->said);
	json_member_open(j, "ports", '[');
	for (size_t i = 0; v->answered && i < v->count; i++) {
		if (v->port[i].withdraw)
			continue;
		json_open(j, '{');
		json_member_z(j, "interface", v->port[i].interface);
		json_member_u64(j, "vlan", v->port[i].vlan);
		json_member_u64(j, "priority", v->port[i].priority);
		json_member_u64(j, "dscp", v->port[i].dscp);
		json_member_z(j, "outcome", outcome_text(v->outcome[i]));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

void warden_voice_vlan_metrics(const struct warden *w, struct out *o)
{
	const struct warden_voice_vlan *v = w->voice_vlan;

	if (!v)
		return;
	out_fmt(o, "# TYPE hornwork_voice_vlan_told gauge\nhornwork_voice_vlan_told %d\n",
		v->asked && v->answered);
}
