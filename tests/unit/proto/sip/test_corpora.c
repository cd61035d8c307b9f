/* Third-party messages judged as their manifests say, where they are there ($HORNWORK_DATA/voip);
 * without them only our own rows run. */
#include <stdlib.h>

#include "proto/sip/sip_check.h"
#include "unit/proto/sip/message.h"

#define LINE_BYTES_MAX 8192
#define COLUMNS_MAX    32

/* Where we decide otherwise, on purpose. */
static const struct {
	const char *id, *reason, *why;
} exceptions[] = {
	{"osip/sip77", "sip_version", "RFC 4475 3.1.2.16: SIP/7.0 is answered 505"},
	{"osip/sip79", "sip_call_id", "RFC 3261 20.8: a Call-ID of two words"},
	{"osip/sip91", "sip_control_byte", "no SIP message: nothing mandatory is there"},
	{"osip/sip92", "sip_control_byte", "no SIP message: nothing mandatory is there"},
	{"osip/sip93", "sip_line_end", "no SIP message: bare CRs in the head"},
	{"osip/sip94", "sip_control_byte", "no SIP message: nothing mandatory is there"},
	{"osip/sip95", "sip_control_byte", "no SIP message: nothing mandatory is there"},
	{"jain/024", "none", "RFC 3261 8.2.1: an unknown method is well-formed"},
	{"vendor/0048", "sip_header_syntax", "the capture cut it within a header name"},
	{"vendor/0244", "sip_request_uri", "RFC 3261 19.1.1: a Request-URI without host"},
};

static const char *data_folder(void)
{
	const char *named = getenv("HORNWORK_DATA");

	return named && *named ? named : "../shared/data";
}

struct corpus {
	const char *folder;
	char column[COLUMNS_MAX][32];
	unsigned columns;
	unsigned judged, excused;
};

/* The field of this name in a tab-separated line, or an empty slice. */
static struct slice field(const struct corpus *c, struct slice line, const char *name)
{
	for (unsigned i = 0; i < c->columns; i++) {
		struct slice value = slice_split(line, '\t', &line);

		if (strcmp(c->column[i], name) == 0)
			return value;
	}
	return slice_of(NULL, 0);
}

static void header_read(struct corpus *c, struct slice line)
{
	while (line.n && c->columns < COLUMNS_MAX) {
		struct slice name = slice_split(line, '\t', &line);

		slice_to_z(name, c->column[c->columns++], sizeof(c->column[0]));
	}
}

static bool file_read(const char *folder, struct slice name, struct message *m)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/voip/%s/%.*s", data_folder(), folder, SLICE_ARGS(name));
	f = fopen(path, "rb");
	if (!f)
		return false;
	m->n = fread(m->bytes, 1, sizeof(m->bytes), f);
	fclose(f);
	return true;
}

static const char *excused_reason(struct slice id)
{
	for (size_t i = 0; i < ROWS(exceptions); i++)
		if (slice_eq(id, slice_z(exceptions[i].id)))
			return exceptions[i].reason;
	return NULL;
}

/* "400|404" names the status; an empty list names any. */
static bool status_listed(struct slice codes, unsigned status)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", status);
	if (codes.n == 0)
		return true;
	while (codes.n)
		if (slice_eq(slice_split(codes, '|', &codes), slice_z(text)))
			return true;
	return false;
}

/* NULL, or what is wrong with our verdict. */
static const char *fault(struct slice want, struct slice codes, const struct message *m)
{
	bool taken = m->reason == REASON_NONE;
	unsigned status = sip_refusal_status(&m->msg, m->reason);
	enum reason finding = taken ? sip_msg_check(&m->msg) : m->reason;

	if (want.n == 0 || slice_eq(want, SL("accept")))
		return taken ? NULL : "is refused";
	if (slice_eq(want, SL("reject")))
		return taken			      ? "is taken"
		       : status_listed(codes, status) ? NULL
						      : "is refused with another status";
	if (slice_eq(want, SL("drop")))
		return finding && reason_row(finding)->status * m->msg.request == 0 ? NULL
										    : "is taken";
	if (!slice_eq(want, SL("accept-parse")))
		return NULL;
	if (!taken)
		return "is refused";
	return finding == REASON_NONE || status_listed(codes, reason_row(finding)->status)
		       ? NULL
		       : "is answered otherwise";
}

static void judge(struct corpus *c, struct slice line)
{
	static struct message m;
	struct slice id = field(c, line, "id"), file = field(c, line, "file");
	struct slice want = field(c, line, "verdict");
	const char *excused, *wrong;

	if (id.n == 0)
		id = file;
	if (slice_eq(field(c, line, "kind"), SL("header-list")) || !file_read(c->folder, file, &m))
		return;
	message_parse(&m, slice_of(m.bytes, m.n));
	excused = excused_reason(id);
	if (excused && strcmp(excused, reason_row(m.reason)->name) != 0)
		fail_msg("%.*s: %s, excused as %s", SLICE_ARGS(id), reason_row(m.reason)->name,
			 excused);
	wrong = excused ? NULL : fault(want, field(c, line, "sip_code"), &m);
	if (wrong)
		fail_msg("%s/%.*s %s: %s", c->folder, SLICE_ARGS(file), wrong,
			 reason_row(m.reason)->name);
	c->judged++;
	c->excused += excused != NULL;
}

static void manifest(const char *folder)
{
	struct corpus c = {.folder = folder};
	char path[512], line[LINE_BYTES_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/voip/%s/manifest.tsv", data_folder(), folder);
	f = fopen(path, "rb");
	if (!f) {
		skip_because("no third-party messages here");
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		struct slice text = slice_z(line);

		while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
			text.n--;
		if (c.columns == 0)
			header_read(&c, text);
		else
			judge(&c, text);
	}
	fclose(f);
	assert_int_not_equal(c.judged, 0);
	print_message("%s: %u judged, %u of them excused\n", folder, c.judged, c.excused);
}

static void rfc4475(void **state)
{
	manifest("sip-torture/rfc4475");
}

static void rfc5118(void **state)
{
	manifest("sip-torture/rfc5118");
}

static void libosip2(void **state)
{
	manifest("sip-torture/libosip2");
}

static void sofia_sip(void **state)
{
	manifest("sip-torture/sofia-sip");
}

static void jain_sip(void **state)
{
	manifest("sip-torture/jain-sip");
}

static void call_flows(void **state)
{
	manifest("sip-callflows-rfc");
}

static void vendors(void **state)
{
	manifest("sip-vendor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc4475),  cmocka_unit_test(rfc5118),
		cmocka_unit_test(libosip2), cmocka_unit_test(sofia_sip),
		cmocka_unit_test(jain_sip), cmocka_unit_test(call_flows),
		cmocka_unit_test(vendors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
