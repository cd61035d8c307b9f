#include "console/syslog.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/out.h"

#define LINE_BYTES_MAX 4096
#define FACILITY       10 /* authpriv: RFC 5424 6.2.1, security messages */

void syslog_sink_set(struct syslog_sink *s, int fd, const char *path)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = fd;
	if (!slice_to_z(slice_z(path), s->path, sizeof(s->path)))
		s->path[0] = '\0';
}

/* RFC 5424 6.2.1: critical 2, warning 4, notice 5, informational 6. The key stands before any word
 * of a stranger. */
static unsigned level_of(struct slice line)
{
	static const struct slice key = SLICE("\"severity\"");
	static const struct {
		struct slice word;
		unsigned level;
	} rows[] = {{SLICE("critical"), 2}, {SLICE("warning"), 4}, {SLICE("notice"), 5}};
	const char *at = memmem(line.p, line.n, key.p, key.n);
	struct slice rest;

	if (!at)
		return 6;
	rest = slice_from(line, (size_t)(at - line.p) + key.n);
	while (rest.n && (rest.p[0] == ':' || rest.p[0] == ' ' || rest.p[0] == '"'))
		rest = slice_from(rest, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slice_starts(rest, rows[i].word))
			return rows[i].level;
	return 6;
}

void syslog_sink_add(struct syslog_sink *s, struct slice line)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char text[LINE_BYTES_MAX];
	struct out o = out_to(text, sizeof(text));

	if (s->fd < 0)
		return;
	memcpy(to.sun_path, s->path, sizeof(s->path));
	out_fmt(&o, "<%u>hornwork[%d]: ", FACILITY * 8 + level_of(line), (int)getpid());
	out_bytes(&o, line);
	if (o.err || sendto(s->fd, text, o.n, MSG_NOSIGNAL | MSG_DONTWAIT,
			    (const struct sockaddr *)(const void *)&to, sizeof(to)) < 0)
		s->lost++;
}
