/* The world of a story as its configuration gives it, and ways that break in it. */
#include <stdio.h>
#include <stdlib.h>

#include "config/config_load.h"
#include "config/resolve.h"
#include "flow/lib/harness.h"

static int config_try(const char *text, struct config_report *report, struct config **out)
{
	int err = config_parse(slice_z(text), report, out);

	if (!err) {
		err = config_resolve(*out, NULL, report);
		if (err)
			config_free(*out);
	}
	return err;
}

/* A heap request that fails within the configuration is none of the core's: once more. */
struct config *harness_config_read(const char *text)
{
	struct config_report report = config_report_empty();
	struct config *config = NULL;
	char line[512];
	int err = config_try(text, &report, &config);

	if (err == ERR_NOMEM) {
		config_report_done(&report);
		report = config_report_empty();
		err = config_try(text, &report, &config);
	}
	for (size_t i = 0; err && i < report.count; i++) {
		struct out o = out_to(line, sizeof(line));

		config_issue_write(&o, "config", &report.issues[i]);
		fprintf(stderr, "%.*s\n", SLICE_ARGS(out_slice(&o)));
	}
	if (err)
		exit(2);
	config_report_done(&report);
	/* No file is read: the password of every trunk that has one is this. */
	for (size_t i = 0; i < config->trunk_count; i++)
		if (*config->trunks[i].username)
			(void)snprintf(config->trunks[i].password,
				       sizeof(config->trunks[i].password), "open sesame");
	return config;
}

struct path harness_path(const struct harness *h, const char *transport, const char *remote,
			 const char *local, uint32_t conn)
{
	struct path p = {.conn = conn};
	struct ip_endpoint at;
	enum transport t;

	if (transport_parse(slice_z(transport), &t) ||
	    ip_endpoint_parse(slice_z(remote), 5060, &p.remote) ||
	    ip_endpoint_parse(slice_z(local), 5060, &at)) {
		fprintf(stderr, "no path: %s %s %s\n", transport, remote, local);
		exit(2);
	}
	p.transport = (uint8_t)t;
	for (size_t i = 0; i < h->config->listener_count; i++) {
		p.listener = (uint16_t)i;
		if (h->config->listeners[i].transport == t &&
		    ip_endpoint_eq(&h->config->listeners[i].local, &at))
			return p;
	}
	fprintf(stderr, "no listener %s %s in the configuration\n", transport, local);
	exit(2);
}

void harness_break(struct harness *h, const struct path *path, enum reason why)
{
	if (h->core)
		core_on_transport_error(h->core, h->now_ms, path, why);
	harness_check_always(h);
}
