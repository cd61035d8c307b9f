/* What the console is given: its sockets, the file and the sockets of events, its token. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "main/warden.h"

void warden_hand_console(struct warden *w, bool keeps_tcp)
{
	struct proc_console_setup m = {0};
	const char *syslog = w->now.config->console.syslog;
	int fds[5] = {w->control_fd, w->feed_fd}, syslog_fd = -1;
	size_t count = 2;

	if (keeps_tcp) {
		m.flags |= CONSOLE_KEEPS_TCP;
	} else if (w->console_fd >= 0) {
		m.flags |= CONSOLE_HAS_TCP;
		fds[count++] = w->console_fd;
	}
	if (w->events_fd >= 0) {
		m.flags |= CONSOLE_HAS_EVENTS;
		fds[count++] = w->events_fd;
	}
	if (syslog[0] && slice_to_z(slice_z(syslog), m.syslog, sizeof(m.syslog)))
		syslog_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (syslog_fd >= 0) {
		m.flags |= CONSOLE_HAS_SYSLOG;
		fds[count++] = syslog_fd;
	}
	if (w->token[0]) {
		m.flags |= CONSOLE_HAS_TOKEN;
		memcpy(m.token, w->token, sizeof(m.token));
	}
	warden_child_send(&w->child[CHILD_CONSOLE], PROC_CONSOLE_SETUP, &m, sizeof(m), fds, count);
	if (syslog_fd >= 0)
		close(syslog_fd); /* what waits has its own */
	explicit_bzero(&m, sizeof(m));
}
