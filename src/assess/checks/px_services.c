/* PX: what else of a PBX can be reached from where we are. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/http.h"
#include "assess/scan.h"

struct service {
	uint16_t port;
	const char *what;
};

/* Whether we are at a host that may reach management ports. */
static bool we_are_admins(struct visit *v)
{
	const struct config *c = v->config;
	struct dgram u;
	bool yes = false;

	if (c->assess.admin_count == 0 || visit_udp(v, 9, &u))
		return false;
	for (size_t i = 0; i < c->assess.admin_count; i++)
		yes |= ip_in_prefix(&u.local.addr, &c->assess.admins[i]);
	dgram_close(&u);
	return yes;
}

static enum verdict open_ones(struct visit *v, const struct service *services, size_t count,
			      const char *fmt_tail)
{
	uint16_t ports[16];
	enum port_state states[16];
	enum verdict verdict = VERDICT_CLEAN;
	int err;

	for (size_t i = 0; i < count; i++)
		ports[i] = services[i].port;
	err = visit_scan(v, ports, count, states);
	if (err)
		return visit_failed(v, "the scan", err);
	for (size_t i = 0; i < count; i++)
		if (states[i] == PORT_OPEN)
			verdict = visit_found(v, &(struct found){.port = services[i].port},
					      "TCP port %u (%s) %s", services[i].port,
					      services[i].what, fmt_tail);
	return verdict;
}

/* ---- PX-23: management interfaces ---- */

enum verdict px23_management(struct visit *v)
{
	static const struct service services[] = {
		{5038, "Asterisk's manager interface"},
		{8088, "Asterisk's HTTP interface, ARI"},
		{8089, "Asterisk's HTTPS interface, ARI"},
		{8021, "FreeSWITCH's event socket"},
		{8080, "an XML-RPC or MI interface"},
		{8000, "OpenSIPS' MI"},
		{2049, "rtpengine's or NFS' control port"},
		{22222, "rtpengine's control port"},
	};

	if (we_are_admins(v))
		return visit_not_asked(
			v, "we are at a host of assess { admins }, who may reach them; look "
			   "from another segment");
	return open_ones(v, services, sizeof(services) / sizeof(services[0]),
			 "can be reached from here; here is no host of assess { admins }");
}

/* ---- PX-26: protocols that nobody uses ---- */

/* A POKE (RFC 5456 6.7.1): whoever speaks IAX2 answers PONG. */
static enum verdict iax2(struct visit *v)
{
	static const char poke[] = {(char)0x80, 1, 0, 0, 0, 0, 0, 3, 0, 0, 6, 30};
	char answer[256];
	int n = visit_ask(v, PACKET_UDP_PROBE, 4569, slice_of(poke, sizeof(poke)), answer,
			  sizeof(answer));

	if (n < 12 || !((unsigned char)answer[0] & 0x80) || answer[10] != 6)
		return VERDICT_CLEAN;
	return visit_found(v, &(struct found){.port = 4569}, "UDP port 4569 speaks IAX2");
}

enum verdict px26_unused_protocols(struct visit *v)
{
	static const struct service services[] = {{1720, "H.323"}, {2000, "SCCP"}};
	enum verdict verdict = open_ones(v, services, 2, "accepts connections");
	enum verdict other = verdict == VERDICT_UNTESTED ? verdict : iax2(v);

	return verdict == VERDICT_FOUND ? verdict : other;
}

/* ---- PX-32: administration in a browser ---- */

static const char *const panels[] = {"FreePBX",	  "3CX",
				     "Issabel",	  "Elastix",
				     "FusionPBX", "VitalPBX",
				     "UCM",	  "Wazo",
				     "MyPBX",	  "Yeastar",
				     "Sangoma",	  "PBX in a Flash",
				     "Switchvox", "Kerio Operator",
				     "Vodia",	  "Grandstream"};

static const char *panel_of(const struct http_answer *a)
{
	struct slice title = http_title(a);

	for (size_t i = 0; i < sizeof(panels) / sizeof(panels[0]); i++) {
		struct slice name = slice_z(panels[i]);

		for (size_t at = 0; at + name.n <= title.n; at++)
			if (slice_eq_nocase(slice_of(title.p + at, name.n), name))
				return panels[i];
	}
	return NULL;
}

static enum verdict panel_at(struct visit *v, uint16_t port, bool tls, const char *path)
{
	struct http_answer a;
	enum verdict verdict = VERDICT_CLEAN;
	const char *panel;
	int err = visit_http(
		v, &(struct http_ask){.class = PACKET_HTTP, .port = port, .tls = tls, .path = path},
		&a);

	if (err)
		return err == ERR_PEER ? VERDICT_CLEAN : visit_closed(v, err);
	panel = panel_of(&a);
	if (panel)
		verdict = visit_found(v, &(struct found){.port = port},
				      "%s://...:%u%s shows the administration of %s",
				      tls ? "https" : "http", port, path, panel);
	http_answer_done(&a);
	return verdict;
}

enum verdict px32_admin_panel(struct visit *v)
{
	static const struct {
		uint16_t port;
		bool tls;
		const char *path;
	} places[] = {{80, false, "/"},	 {80, false, "/admin/config.php"},
		      {443, true, "/"},	 {443, true, "/admin/config.php"},
		      {5001, true, "/"}, {8089, true, "/"}};
	enum verdict worst = VERDICT_CLEAN, one;

	if (we_are_admins(v))
		return visit_not_asked(
			v, "we are at a host of assess { admins }, who may reach it; look "
			   "from another segment");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		one = panel_at(v, places[i].port, places[i].tls, places[i].path);
		if (one == VERDICT_FOUND || (one == VERDICT_UNTESTED && worst == VERDICT_CLEAN))
			worst = one;
	}
	return worst;
}
