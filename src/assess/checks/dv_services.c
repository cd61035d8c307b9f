/* DV: services of a device that should not be there. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/snmp.h"

#define BANNER_WAIT_MS 3000

/* Telnet servers speak first: options (RFC 854) or a prompt. */
static bool looks_like_telnet(const char *banner, size_t n)
{
	struct slice s = slice_of(banner, n);

	return n > 0 && !slice_starts(s, SL("SSH-")) && !slice_starts(s, SL("HTTP/"));
}

/* What a person would see of it: without option bytes, one line. */
static void readable(char *banner, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)banner[i];

		if (c == 255 && i + 2 < n)
			i += 2;
		else if (c >= 0x20 && c < 0x7f)
			banner[kept++] = (char)c;
	}
	banner[kept] = '\0';
}

/* Its greeting, for which telnetd may first ask for options (RFC 854): at least a letter of text,
 * or what came in time. */
static int read_greeting(struct wire *c, char *banner, size_t size)
{
	int n = wire_read(c, banner, size, BANNER_WAIT_MS), more = n;

	while (more > 0 && (size_t)n < size) {
		char text[256];

		memcpy(text, banner, (size_t)n);
		readable(text, (size_t)n);
		if (*text)
			break;
		more = wire_read(c, banner + n, size - (size_t)n, BANNER_WAIT_MS);
		n += more > 0 ? more : 0;
	}
	return n;
}

/* 23, and 650 where some phones keep a second one. */
static enum verdict telnet_at(struct visit *v, uint16_t port)
{
	char banner[256];
	struct wire *c;
	int n, err = visit_connect(v, PACKET_TCP_CONNECT, port, &c);

	if (err)
		return visit_closed(v, err);
	n = read_greeting(c, banner, sizeof(banner) - 1);
	wire_close(c);
	if (n <= 0 && port != 23)
		return VERDICT_CLEAN; /* something else listens there: DV-18, DV-19 */
	if (n > 0 && !looks_like_telnet(banner, (size_t)n))
		return VERDICT_CLEAN;
	readable(banner, n > 0 ? (size_t)n : 0);
	return visit_found(v, &(struct found){.port = port, .shield = visit_quarantine(v)},
			   "TCP port %u is open; it says \"%s\"", port, banner);
}

enum verdict dv04_telnet(struct visit *v)
{
	enum verdict first = telnet_at(v, 23), second;

	if (first == VERDICT_UNTESTED)
		return first;
	second = telnet_at(v, 650);
	return first == VERDICT_FOUND ? first : second;
}

enum verdict dv06_snmp_community(struct visit *v)
{
	static const char *const communities[] = {"public", "private"};
	char descr[SNMP_TEXT_MAX];
	bool found = false;

	for (size_t i = 0; i < sizeof(communities) / sizeof(communities[0]); i++) {
		int err = visit_snmp(v, SNMP_V2C, communities[i], descr);

		if (err == -ECONNREFUSED)
			return VERDICT_CLEAN;
		if (err && err != -ETIMEDOUT && err != ERR_DENIED && err != ERR_SYNTAX)
			return visit_failed(v, "SNMP", err);
		if (err)
			continue;
		found = true;
		(void)visit_found(v, &(struct found){.port = 161},
				  "community \"%s\" reads sysDescr: %s", communities[i], descr);
	}
	return found ? VERDICT_FOUND : VERDICT_CLEAN;
}
