/* The process that speaks with lldpd (hw-announce): what lldpd answers holds what strangers told
 * it, so that it is read here, without any right. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "enforce/lldpd.h"
#include "io/log.h"
#include "io/loop.h"
#include "main/child_link.h"
#include "main/child_main.h"
#include "main/command.h"
#include "proc/identity.h"
#include "proc/sandbox.h"
#include "proc/spawner.h"

static_assert(PROC_VOICE_PORTS_MAX == LLDPD_PORTS_MAX, "both know as many ports");
static_assert(CONFIG_IFNAME_MAX == LLDPD_IFNAME_MAX, "both know the same names");

struct announcer {
	struct loop *loop;
	struct child_link warden;
	struct loop_fd *lldpd_watch;
	struct proc_msg msg;
	int lldpd; /* -1 = no connection */
	struct lldpd_policy told[LLDPD_PORTS_MAX];
	size_t told_count;
};

static void lldpd_close(struct announcer *a)
{
	loop_fd_remove(a->lldpd_watch);
	a->lldpd_watch = NULL;
	if (a->lldpd >= 0)
		close(a->lldpd);
	a->lldpd = -1;
}

/* It says nothing unasked: it is gone. */
static void on_lldpd(void *ctx, unsigned events)
{
	struct announcer *a = ctx;

	lldpd_close(a);
	a->told_count = 0;
	if (proc_send(&a->warden.channel, PROC_LLDPD_GONE, NULL, 0, NULL, 0) != 0)
		loop_stop(a->loop);
	else
		child_link_rewatch(&a->warden);
}

static void take_policies(struct announcer *a)
{
	size_t count = a->msg.bytes / sizeof(struct proc_voice_vlan);

	a->told_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct proc_voice_vlan m;
		struct lldpd_policy *p = &a->told[a->told_count++];

		memcpy(&m, a->msg.payload + i * sizeof(m), sizeof(m));
		*p = (struct lldpd_policy){.vlan = m.vlan,
					   .tagged = m.tagged,
					   .withdraw = m.withdraw,
					   .priority = m.priority,
					   .dscp = m.dscp};
		m.interface[sizeof(m.interface) - 1] = '\0';
		memcpy(p->interface, m.interface, sizeof(p->interface));
	}
}

static int on_voice_vlan(struct announcer *a)
{
	struct proc_voice_vlan_told told[LLDPD_PORTS_MAX];
	enum lldpd_outcome outcome[LLDPD_PORTS_MAX];
	int err;

	lldpd_close(a);
	a->lldpd = proc_msg_take_fd(&a->msg, 0);
	take_policies(a);
	lldpd_tell(a->lldpd, a->told, a->told_count, outcome);
	for (size_t i = 0; i < a->told_count; i++)
		told[i].outcome = outcome[i];
	err = proc_send(&a->warden.channel, PROC_VOICE_VLAN_TOLD, told,
			a->told_count * sizeof(told[0]), NULL, 0);
	return err ? err : loop_fd_add(a->loop, a->lldpd, LOOP_READ, on_lldpd, a, &a->lldpd_watch);
}

/* What phones were told no longer holds. */
static void take_back(struct announcer *a)
{
	enum lldpd_outcome outcome[LLDPD_PORTS_MAX];

	for (size_t i = 0; i < a->told_count; i++)
		a->told[i].withdraw = 1;
	if (a->lldpd >= 0 && a->told_count)
		lldpd_tell(a->lldpd, a->told, a->told_count, outcome);
	lldpd_close(a);
}

static int on_hello(struct announcer *a)
{
	struct proc_sandbox_state state;
	int err = proc_harden();

	err = err ? err : proc_sandbox_enter(PROC_ANNOUNCE, &state);
	return err ? err : child_config_done(&a->warden.channel, 0, 0);
}

static int on_warden_message(void *ctx)
{
	struct announcer *a = ctx;

	switch ((int)a->msg.type) {
	case PROC_HELLO:
		return on_hello(a);
	case PROC_VOICE_VLAN:
		return on_voice_vlan(a);
	case PROC_STOP:
		take_back(a);
		if (proc_send(&a->warden.channel, PROC_STOPPED, NULL, 0, NULL, 0) != 0)
			return -EPIPE;
		loop_stop(a->loop);
		return 0;
	default:
		return ERR_PEER;
	}
}

static void on_warden(void *ctx, unsigned events)
{
	struct announcer *a = ctx;
	int err = child_link_turn(&a->warden, events, &a->msg, on_warden_message, a);

	if (err)
		child_give_up(a->loop, "announce", err);
}

int child_announce(int argc, char **argv)
{
	struct announcer *a = mem_zalloc(1, sizeof(*a));
	int err;

	if (!a)
		return EXIT_USAGE;
	proc_msg_init(&a->msg);
	a->lldpd = -1;
	if (proc_child_begin(PROC_ANNOUNCE, &a->warden.channel) != 0) {
		fputs("hornwork: this is started by 'hornwork run' alone\n", stderr);
		mem_free(a);
		return EXIT_USAGE;
	}
	err = loop_new(&a->loop);
	if (!err)
		err = child_link_watch(&a->warden, a->loop, on_warden, a);
	if (!err)
		loop_run(a->loop);
	lldpd_close(a);
	child_link_done(&a->warden);
	loop_free(a->loop);
	proc_msg_done(&a->msg);
	mem_free(a);
	return err ? EXIT_USAGE : EXIT_GOOD;
}
