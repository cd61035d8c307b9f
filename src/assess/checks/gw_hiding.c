/* GW-11: addresses of the inside in messages that went outside. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "assess/checks/table.h"
#include "assess/place_sip.h"
#include "assess/sip.h"
#include "base/mem.h"

#define KNOWN_MAX 64  /* addresses that came from outside themselves */
#define CALLS_MAX 100 /* of the gateway's listing */

struct known {
	struct ip_addr list[KNOWN_MAX];
	size_t count;
};

static void know(struct known *k, const struct ip_addr *a)
{
	if (k->count < KNOWN_MAX)
		k->list[k->count++] = *a;
}

static bool is_known(const struct known *k, const struct ip_addr *a)
{
	for (size_t i = 0; i < k->count; i++)
		if (ip_eq(&k->list[i], a))
			return true;
	return false;
}

static bool is_address_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
	       c == '.' || c == ':';
}

/* The next address in a line, with or without a port; what was read is taken off. */
static bool next_address(struct slice *line, struct ip_addr *out)
{
	while (line->n) {
		struct ip_endpoint e;
		struct slice word;
		size_t n = 0;

		while (n < line->n && is_address_char(line->p[n]))
			n++;
		word = slice_first(*line, n);
		*line = slice_from(*line, n ? n : 1);
		if (n && (ip_parse(word, &e.addr) == 0 || ip_endpoint_parse(word, 0, &e) == 0)) {
			*out = e.addr;
			return true;
		}
	}
	return false;
}

/* What names the sender's side: of To and the Request-URI the other one is the author. */
static bool is_told(struct slice line, struct slice *out_name)
{
	static const char *const headers[] = {"Via",	 "v", "Contact", "m",	    "Record-Route",
					      "Call-ID", "i", "Warning", "Reply-To"};
	static const char *const lines[] = {"o=", "c=", "a=candidate:", "a=rtcp:"};
	struct slice rest;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (slice_starts(line, slice_z(lines[i]))) {
			*out_name = slice_z(lines[i]);
			return true;
		}
	*out_name = slice_trim(slice_split(line, ':', &rest));
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (slice_eq_nocase(*out_name, slice_z(headers[i])))
			return true;
	return false;
}

/* Every private address that the message tells and that did not come from outside. */
static enum verdict search(struct visit *v, struct slice message, const struct known *known,
			   const char *where)
{
	enum verdict verdict = VERDICT_CLEAN;

	while (message.n) {
		struct slice line = slice_trim(slice_split(message, '\n', &message)), name;
		char text[IP_TEXT_MAX];
		struct ip_addr a;

		if (!is_told(line, &name))
			continue;
		while (next_address(&line, &a))
			if (ip_is_private(&a) && !is_known(known, &a))
				verdict =
					visit_found(v, &(struct found){0}, "%s: %.*s tells %s",
						    where, (int)name.n, name.p, ip_text(&a, text));
	}
	return verdict;
}

/* ---- what the outside place is answered ---- */

/* *looked counts the answers. */
static enum verdict answers(struct visit *v, struct place *p, unsigned *looked)
{
	struct ip_endpoint to = {v->target->address, v->target->asset->sip_port};
	struct known known = {{*place_address(p), to.addr}, 2};
	struct place_datagram got;
	int err = place_sip_options(v, p, &got);

	if (err == -ETIMEDOUT || err == -ECONNREFUSED)
		return VERDICT_CLEAN;
	if (err)
		return visit_failed(v, "OPTIONS from outside", err);
	*looked += 1;
	return search(v, slice_of(got.bytes, got.n), &known, "the answer to an OPTIONS of outside");
}

/* ---- what the gateway kept of its calls ---- */

static bool is_outside(const json_t *step, const char *end)
{
	struct ip_endpoint e;
	const char *text = json_string_value(json_object_get(step, end));

	return text && ip_endpoint_parse(slice_z(text), 0, &e) == 0 && !ip_is_private(&e.addr);
}

static bool is_way(const json_t *step, const char *direction)
{
	const char *text = json_string_value(json_object_get(step, "direction"));

	return text && strcmp(text, direction) == 0;
}

static struct slice text_of(const json_t *step)
{
	const char *text = json_string_value(json_object_get(step, "text"));

	return slice_z(text ? text : "");
}

/* A phone behind a NAT names its own private address, and answers repeat it: no leak of ours. */
static void know_outsiders(struct known *k, const json_t *steps)
{
	const json_t *step;
	struct ip_addr a;
	size_t i;

	json_array_foreach(steps, i, step)
	{
		struct slice text = text_of(step);

		if (is_way(step, "in") && is_outside(step, "source"))
			while (next_address(&text, &a))
				if (ip_is_private(&a) && !is_known(k, &a))
					know(k, &a);
	}
}

static enum verdict one_call(struct visit *v, const char *call, unsigned *looked)
{
	struct known known = {.list = {v->target->address}, .count = 1};
	enum verdict verdict = VERDICT_CLEAN;
	const json_t *step;
	char path[160], where[128], *text;
	json_t *steps;
	size_t i;

	snprintf(path, sizeof(path), "/v1/trace?call=%s", call);
	if (visit_ask_gateway(v, path, &text) != 0)
		return VERDICT_CLEAN; /* forgotten meanwhile: the listing is older */
	steps = json_loads(text, 0, NULL);
	mem_free(text);
	know_outsiders(&known, steps);
	snprintf(where, sizeof(where), "call %.100s", call);
	json_array_foreach(steps, i, step)
	{
		if (!is_way(step, "out") || !is_outside(step, "destination"))
			continue;
		*looked += 1;
		if (search(v, text_of(step), &known, where) == VERDICT_FOUND)
			verdict = VERDICT_FOUND;
	}
	json_decref(steps);
	return verdict;
}

static enum verdict calls(struct visit *v, unsigned *looked)
{
	enum verdict verdict = VERDICT_CLEAN;
	const json_t *call;
	json_t *list;
	char *text;
	size_t i;
	int err = visit_ask_gateway(v, "/v1/calls?all=1", &text);

	if (err == ERR_ABSENT)
		return VERDICT_CLEAN;
	if (err)
		return visit_failed(v, "the gateway", err);
	list = json_loads(text, 0, NULL);
	mem_free(text);
	json_array_foreach(list, i, call)
	{
		const char *id = json_string_value(json_object_get(call, "call"));

		if (i < CALLS_MAX && id && one_call(v, id, looked) == VERDICT_FOUND)
			verdict = VERDICT_FOUND;
	}
	json_decref(list);
	return verdict;
}

enum verdict gw11_private_addresses(struct visit *v)
{
	enum verdict seen = VERDICT_CLEAN, kept = VERDICT_CLEAN;
	unsigned looked = 0;
	struct place *p;
	int err = visit_place(v, "outside", &p);

	if (!err)
		seen = answers(v, p, &looked);
	else if (err != ERR_ABSENT)
		return visit_no_place(v, "outside", err);
	if (v->target->asset->kind == ASSET_GATEWAY)
		kept = calls(v, &looked);
	if (v->finding_count)
		return VERDICT_FOUND;
	if (seen == VERDICT_UNTESTED || kept == VERDICT_UNTESTED)
		return VERDICT_UNTESTED;
	if (looked)
		return VERDICT_CLEAN;
	if (err)
		return visit_no_place(v, "outside", err);
	return visit_untested(v,
			      "it answers no OPTIONS of outside, and no call's messages are kept");
}
