#include "advisory/recog.h"

#include <expat.h>
#include <stdlib.h>

#include "advisory/limits.h"

#define RECOG_ATTRIBUTES_MAX 32
#define RECOG_PARAMS_MAX     64

struct recog {
	struct import_sink *sink;
	XML_Parser parser;
	json_t *row;	   /* the fingerprint that is read, or NULL */
	json_t *params;	   /* borrowed from it */
	const char *match; /* what this file's patterns are for; NULL: nothing that we look at */
	unsigned depth;
	uint64_t taken;
	int err;
};

/* What recog calls the text that a file is about, and what we call it. */
static const char *match_of(const char *matches)
{
	static const struct {
		const char *recog, *ours;
	} kinds[] = {
		{"sip_header.user_agent", "sip"},
		{"sip_header.server", "sip"},
		{"ssh.banner", "ssh"},
		{"http_header.server", "http-server"},
		{"html_title", "http-title"},
		{"snmp.sys_description", "snmp"},
		{"telnet.banner", "telnet"},
		{"ftp.banner", "ftp"},
	};

	for (size_t i = 0; matches && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(matches, kinds[i].recog) == 0)
			return kinds[i].ours;
	return NULL;
}

static const char *attribute(const char **attributes, const char *name)
{
	for (size_t i = 0; i < 2 * RECOG_ATTRIBUTES_MAX && attributes[i]; i += 2)
		if (strcmp(attributes[i], name) == 0)
			return attributes[i + 1];
	return NULL;
}

static void stop(struct recog *r, int err, const char *what)
{
	if (!r->err)
		r->err = fault_say(r->sink->fault, err, "%s:%lu: %s", r->sink->where,
				   XML_GetCurrentLineNumber(r->parser), what);
	XML_StopParser(r->parser, XML_FALSE);
}

static void fingerprint_begin(struct recog *r, const char **attributes)
{
	const char *pattern = attribute(attributes, "pattern");
	const char *flags = attribute(attributes, "flags");
	bool nocase = flags && strstr(flags, "REG_ICASE");

	if (!r->match || !pattern || strlen(pattern) > ADV_STRING_BYTES_MAX)
		return;
	r->params = json_array();
	r->row = json_pack("{ss s[s] ss+ so}", "recog", "1", "match", r->match, "pattern",
			   nocase ? "(?i)" : "", pattern, "params", r->params);
	if (!r->row)
		stop(r, ERR_NOMEM, "no memory");
}

static void param_take(struct recog *r, const char **attributes)
{
	const char *pos = attribute(attributes, "pos"), *name = attribute(attributes, "name");
	const char *value = attribute(attributes, "value");
	json_t *param;
	uint32_t group;

	if (!r->row || !pos || !name || slice_u32(slice_z(pos), 99, &group) ||
	    json_array_size(r->params) == RECOG_PARAMS_MAX)
		return;
	param = json_pack("{si ss ss*}", "pos", (int)group, "name", name, "value", value);
	if (!param || json_array_append_new(r->params, param))
		stop(r, ERR_NOMEM, "no memory");
}

static void on_begin(void *ctx, const char *name, const char **attributes)
{
	struct recog *r = ctx;

	if (++r->depth > ADV_DEPTH_MAX)
		stop(r, ERR_LIMIT, "it is nested too deeply");
	else if (strcmp(name, "fingerprints") == 0)
		r->match = match_of(attribute(attributes, "matches"));
	else if (strcmp(name, "fingerprint") == 0 && !r->row)
		fingerprint_begin(r, attributes);
	else if (strcmp(name, "param") == 0)
		param_take(r, attributes);
}

static void on_end(void *ctx, const char *name)
{
	struct recog *r = ctx;
	json_t *row = r->row;

	r->depth--;
	if (strcmp(name, "fingerprint") != 0 || !row)
		return;
	r->row = NULL;
	r->params = NULL;
	if (++r->taken > ADV_FINGERPRINTS_MAX)
		stop(r, ERR_LIMIT, "it holds too many fingerprints");
	else if (r->sink->to &&
		 (json_dumpf(row, r->sink->to, JSON_COMPACT) || putc('\n', r->sink->to) == EOF))
		stop(r, ERR_SPACE, "the rows cannot be written");
	else
		r->sink->rows++;
	json_decref(row);
}

/* A file of facts needs no document type; entities are how XML is made to explode. */
static void on_doctype(void *ctx, const char *name, const char *system, const char *public,
		       int has_subset)
{
	stop(ctx, ERR_SYNTAX, "it has a document type of its own");
}

int recog_import(struct import_sink *s, struct slice xml)
{
	struct recog r = {.sink = s, .parser = XML_ParserCreate(NULL)};
	int err = sink_format(s, "recog");

	if (!r.parser)
		return fault_say(s->fault, ERR_NOMEM, "%s: no memory", s->where);
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_begin, on_end);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	if (!err && XML_Parse(r.parser, xml.p, (int)xml.n, 1) == XML_STATUS_ERROR && !r.err)
		err = fault_say(s->fault, ERR_SYNTAX, "%s:%lu: this is no XML: %s", s->where,
				XML_GetCurrentLineNumber(r.parser),
				XML_ErrorString(XML_GetErrorCode(r.parser)));
	json_decref(r.row);
	XML_ParserFree(r.parser);
	return r.err ? r.err : err;
}
