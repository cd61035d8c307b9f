/* Configurations: whatever comes, the report is printable and in the order of lines, the verdict
 * agrees with it, and what is accepted can be resolved, listened on and freed. */
#include <stdlib.h>

#include "base/mem.h"
#include "config/config_load.h"
#include "config/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static void check_report(const struct config_report *r, int err)
{
	expect(r->count <= CONFIG_ISSUES_MAX && r->count <= r->error_count + r->warning_count);
	expect((err == 0) == (r->error_count == 0));
	for (size_t i = 0; i < r->count; i++) {
		const char *z = r->issues[i].text;

		expect(*z && strlen(z) < CONFIG_ISSUE_TEXT_MAX);
		expect(i == 0 || r->issues[i - 1].line <= r->issues[i].line);
		for (; *z; z++)
			expect(*z >= ' ' && *z <= '~');
	}
}

/* Every reference of an accepted configuration names something. */
static void check_config(const struct config *c)
{
	expect(c->zone_count > 0 && c->pbx_count > 0);
	for (size_t i = 0; i < c->pbx_count; i++)
		expect(c->pbxs[i].zone < c->zone_count && c->pbxs[i].listen_count > 0 &&
		       (c->pbxs[i].outbound == CONFIG_NONE ||
			c->pbxs[i].outbound < c->trunk_count));
	for (size_t i = 0; i < c->phones_count; i++)
		expect(c->phones[i].zone < c->zone_count && c->phones[i].to < c->pbx_count &&
		       c->phones[i].srtp == SRTP_OFF && !c->phones[i].webrtc);
	for (size_t i = 0; i < c->trunk_count; i++)
		expect(c->trunks[i].zone < c->zone_count && c->trunks[i].to < c->pbx_count &&
		       c->trunks[i].peer.transport <= TRANSPORT_TCP);
	expect(c->media.port_first % 2 == 0 && c->media.port_last % 2 == 1 &&
	       c->media.port_first < c->media.port_last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_report report = config_report_empty();
	struct config *c = NULL;
	long live = mem_test_live();
	int err = config_parse(slice_of((const char *)data, size), &report, &c);

	expect(err == 0 || err == ERR_SYNTAX);
	check_report(&report, err);
	if (c) {
		check_config(c);
		err = config_resolve(c, NULL, &report);
		expect(err == 0 || err == ERR_SYNTAX);
		for (uint16_t i = 0; !err && i < c->listener_count; i++)
			expect(c->listeners[i].zone < c->zone_count);
	}
	config_free(c);
	config_report_done(&report);
	expect(mem_test_live() == live);
	return 0;
}
