/* DV: ports of a device that are open and should not be, or were not before. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assess/checks/table.h"
#include "assess/http.h"
#include "assess/scan.h"
#include "base/hash.h"

/* ---- DV-05: FTP ---- */

#define FTP_WAIT_MS 4000

/* One anonymous login (RFC 1635), where the owner lets factory logins be tried. */
static bool takes_anonymous(struct visit *v, struct wire *c)
{
	char text[256];

	if (!v->target->asset->allow_default_login || visit_spend(v, PACKET_FTP_LOGIN) ||
	    wire_send(c, SL("USER anonymous\r\n")) ||
	    wire_read_until(c, "\n", text, sizeof(text), FTP_WAIT_MS) <= 0)
		return false;
	if (text[0] == '2')
		return true;
	return text[0] == '3' && wire_send(c, SL("PASS assess@hornwork\r\n")) == 0 &&
	       wire_read_until(c, "\n", text, sizeof(text), FTP_WAIT_MS) > 0 && text[0] == '2';
}

enum verdict dv05_ftp(struct visit *v)
{
	char banner[128];
	struct slice line, rest;
	struct wire *c;
	enum verdict verdict = VERDICT_CLEAN;
	int n, err = visit_connect(v, PACKET_TCP_CONNECT, 21, &c);

	if (err)
		return visit_closed(v, err);
	n = wire_read_until(c, "\n", banner, sizeof(banner) - 1, FTP_WAIT_MS);
	line = slice_trim(slice_split(slice_of(banner, n > 0 ? (size_t)n : 0), '\n', &rest));
	if (slice_starts(line, SL("220")))
		verdict =
			takes_anonymous(v, c)
				? visit_found(v,
					      &(struct found){.port = 21,
							      .severity = VISIT_LEVEL(ASSESS_HIGH)},
					      "FTP lets anybody in as anonymous; it says \"%.*s\"",
					      SLICE_ARGS(line))
				: visit_found(v, &(struct found){.port = 21},
					      "FTP answers: \"%.*s\"", SLICE_ARGS(line));
	wire_close(c);
	return verdict;
}

/* ---- DV-13: the web interface, where nobody needs it ---- */

enum verdict dv13_web_admin(struct visit *v)
{
	static const uint16_t ports[] = {80, 443};
	enum port_state states[2];
	enum verdict verdict = VERDICT_CLEAN;
	int err;

	if (v->target->asset->web_admin)
		return visit_not_asked(v,
				       "its asset section says that its web interface may be open "
				       "(web-admin)");
	err = visit_scan(v, ports, 2, states);
	if (err)
		return visit_failed(v, "the scan", err);
	for (size_t i = 0; i < 2; i++)
		if (states[i] == PORT_OPEN)
			verdict = visit_found(v, &(struct found){.port = ports[i]},
					      "TCP port %u is open although web-admin = no",
					      ports[i]);
	return verdict;
}

/* ---- DV-18: remote management and debugging ---- */

struct debug_port {
	uint16_t port;
	const char *what;
};

static const struct debug_port debug_ports[] = {
	{7547, "TR-069 connection requests"}, {5555, "Android's or the maker's debugger"},
	{8080, "a second web interface"},     {2323, "a second Telnet"},
	{17185, "the VxWorks debug agent"},
};

#define DEBUG_PORTS (sizeof(debug_ports) / sizeof(debug_ports[0]))

enum verdict dv18_debug_ports(struct visit *v)
{
	uint16_t ports[DEBUG_PORTS];
	enum port_state states[DEBUG_PORTS];
	enum verdict verdict = VERDICT_CLEAN;
	int err;

	for (size_t i = 0; i < DEBUG_PORTS; i++)
		ports[i] = debug_ports[i].port;
	err = visit_scan(v, ports, DEBUG_PORTS, states);
	if (err)
		return visit_failed(v, "the scan", err);
	for (size_t i = 0; i < DEBUG_PORTS; i++)
		if (states[i] == PORT_OPEN)
			verdict = visit_found(v, &(struct found){.port = ports[i]},
					      "TCP port %u is open, where usually %s listens",
					      ports[i], debug_ports[i].what);
	return verdict;
}

/* ---- DV-19: other ports than the model's first one had ---- */

static const uint16_t baseline_ports[] = {21,	22,   23,   80,	  443,	554,  1720,
					  2000, 5060, 5061, 5222, 8443, 9090, 10000};

#define BASELINE_PORTS (sizeof(baseline_ports) / sizeof(baseline_ports[0]))
#define PATH_BYTES_MAX 512
#define TEXT_BYTES_MAX 4096

static int path_of(struct visit *v, char out[static PATH_BYTES_MAX])
{
	static const struct hash_key key = {0x686f726e, 0x776f726b}; /* names of files, no secret */
	uint64_t hash = hash_bytes(&key, slice_z(target_model(v->target)));
	int n = snprintf(out, PATH_BYTES_MAX, "%s/ports-%016llx.json", v->host->state_dir,
			 (unsigned long long)hash);

	return n > 0 && n < PATH_BYTES_MAX ? 0 : ERR_SPACE;
}

/* The first device of a model makes the file; 1: it was made now. */
static int keep_baseline(struct visit *v, const char *path, const enum port_state *states)
{
	json_t *root = json_pack("{s:s, s:s, s:[]}", "model", target_model(v->target), "first",
				 v->target->name, "ports");
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), err = 0;
	char *text;

	if (fd < 0) {
		json_decref(root);
		return errno == EEXIST ? 0 : -errno;
	}
	for (size_t i = 0; i < BASELINE_PORTS; i++)
		if (states[i] == PORT_OPEN)
			(void)json_array_append_new(json_object_get(root, "ports"),
						    json_integer(baseline_ports[i]));
	text = json_dumps(root, 0);
	if (!text || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = -EIO;
	close(fd);
	free(text);
	json_decref(root);
	return err ? err : 1;
}

static bool has_port(const json_t *ports, uint16_t port)
{
	const json_t *p;
	size_t i;

	json_array_foreach(ports, i, p) if (json_integer_value(p) == port) return true;
	return false;
}

static enum verdict compare(struct visit *v, const char *path, const enum port_state *states)
{
	json_t *root = json_load_file(path, 0, NULL);
	const json_t *ports = json_object_get(root, "ports");
	const char *first = json_string_value(json_object_get(root, "first"));
	enum verdict verdict = VERDICT_CLEAN;

	if (!json_is_array(ports) || !first)
		verdict = visit_untested(v, "%s cannot be read; remove it", path);
	for (size_t i = 0; verdict != VERDICT_UNTESTED && i < BASELINE_PORTS; i++)
		if (states[i] == PORT_OPEN && !has_port(ports, baseline_ports[i]))
			verdict = visit_found(
				v, &(struct found){.port = baseline_ports[i]},
				"TCP port %u is open; at %s, the first %s, it was not (%s)",
				baseline_ports[i], first, target_model(v->target), path);
	json_decref(root);
	return verdict;
}

enum verdict dv19_other_ports(struct visit *v)
{
	enum port_state states[BASELINE_PORTS];
	char path[PATH_BYTES_MAX];
	int err;

	if (!*v->target->product)
		return visit_absent(v,
				    "its model is not known, so there is nothing to compare with");
	err = path_of(v, path);
	err = err ? err : visit_scan(v, baseline_ports, BASELINE_PORTS, states);
	if (err)
		return visit_failed(v, "the scan", err);
	err = keep_baseline(v, path, states);
	if (err < 0)
		return visit_failed(v, path, err);
	return err == 1 ? VERDICT_CLEAN : compare(v, path, states);
}
