/* What assessed devices, links and a place's agent answer: whatever comes, what is read of it is a
 * text of its bounds, and frames are whole or not there. */
#include <stdlib.h>
#include <string.h>

#include "assess/agent.h"
#include "assess/checks/link_tells.h"
#include "assess/http.h"
#include "assess/snmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TELLS_MAX 400

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static void try_snmp(struct slice d)
{
	char text[SNMP_TEXT_MAX];
	uint32_t id = d.n ? (unsigned char)d.p[d.n - 1] : 0;
	int err = snmp_read_response(d, id, text);

	expect(err == 0 || err == ERR_SYNTAX || err == ERR_DENIED);
	expect(err || memchr(text, 0, sizeof(text)));
}

static void try_agent(struct slice d)
{
	struct agent_frame f;
	size_t used = 0;
	int got;

	while ((got = agent_frame_read(d, &f, &used)) == 1) {
		char again[AGENT_FRAME_BYTES_MAX + AGENT_HEAD_BYTES];
		struct out o = out_to(again, sizeof(again));
		struct cursor c = cur_of(f.body);
		struct ip_endpoint e = agent_endpoint(&c);

		(void)agent_u64(&c);
		expect(used >= AGENT_HEAD_BYTES && used <= d.n);
		expect(c.err || e.addr.family <= IP_V6);
		expect(agent_frame_write(&o, f.op, f.socket, f.body) == 0);
		expect(o.n == used && memcmp(again, d.p, used) == 0);
		d = slice_from(d, used);
	}
	expect(got == 0 || got == ERR_LIMIT);
}

static void try_link(struct slice d)
{
	char text[TELLS_MAX];
	struct out o = out_to(text, sizeof(text));

	link_tells(d, &o);
	expect(o.n <= sizeof(text));
}

static void try_page(struct slice d)
{
	char *body = calloc(1, d.n + 1);
	struct http_answer a = {.body = body, .n = d.n};
	struct slice title;

	expect(body != NULL);
	if (d.n)
		memcpy(body, d.p, d.n);
	title = http_title(&a);
	expect(title.n == 0 || (title.p >= body && title.p + title.n <= body + d.n));
	(void)http_has(&a, "asterisk");
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct slice d) = {try_snmp, try_agent, try_link, try_page};

	if (size)
		tries[data[0] % 4](slice_of((const char *)data + 1, size - 1));
	return 0;
}
