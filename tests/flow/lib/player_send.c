#include <stdio.h>
#include <stdlib.h>

#include "flow/lib/player.h"

#define MESSAGE_BYTES_MAX 65000

/* ---- the wire's form ---- */

/* Head and body with CRLF, and Content-Length when the text gives none. */
static struct slice wire_form(const char *text, char *buf)
{
	const char *gap = strstr(text, "\n\n");
	size_t head = gap ? (size_t)(gap - text) + 1 : strlen(text);
	const char *body = gap ? gap + 2 : "";
	struct out o = out_to(buf, MESSAGE_BYTES_MAX);
	size_t body_n = strlen(body);

	for (const char *c = body; *c; c++)
		body_n += *c == '\n';
	for (size_t i = 0; i < head; i++)
		out_z(&o, text[i] == '\n' ? "\r\n" : (char[]){text[i], '\0'});
	if (head && text[head - 1] != '\n')
		out_z(&o, "\r\n");
	if (!strstr(text, "Content-Length:") && !strstr(text, "\nl:"))
		out_fmt(&o, "Content-Length: %zu\r\n", body_n);
	out_z(&o, "\r\n");
	for (const char *c = body; *c; c++)
		out_z(&o, *c == '\n' ? "\r\n" : (char[]){*c, '\0'});
	return out_slice(&o);
}

static void feed(struct player *p, const struct player_path *path, struct slice bytes)
{
	p->events++;
	if (p->events == p->mishap.lose_event)
		return;
	harness_feed(&p->h, &path->path, bytes.p, bytes.n);
	if (p->events == p->mishap.double_event)
		harness_feed(&p->h, &path->path, bytes.p, bytes.n);
	if (p->events == p->mishap.die_event)
		harness_restart(&p->h);
}

void player_feed_text(struct player *p, const struct player_path *path, const char *text)
{
	char *buf = malloc(MESSAGE_BYTES_MAX);

	player_settle(p);
	feed(p, path, wire_form(text, buf));
	free(buf);
}

/* in PATH TEMPLATE [name=value ...] | in PATH <<< */
void player_in(struct player *p)
{
	const struct player_path *path = player_path_find(p, p->at->word[1]);
	const char *text = p->at->block;
	char us[IP_TEXT_MAX], *expanded;

	for (size_t i = 0; !text && p->at->word_count > 2 && i < p->var_count; i++)
		if (strcmp(p->var[i].name, p->at->word[2]) == 0)
			text = p->var[i].value;
	if (!text)
		player_fault(p, "no such message");
	player_set(p, "us", ip_text(&p->h.config->listeners[path->path.listener].local.addr, us));
	player_set(p, "transport",
		   transport_text((enum transport)path->path.transport)[0] == 'u' ? "UDP" : "TCP");
	expanded = player_expand(p, text);
	player_feed_text(p, path, expanded);
	free(expanded);
}

/* ---- answers ---- */

static void write_block(struct player *p, struct out *o)
{
	char *text = p->at->block ? player_expand(p, p->at->block) : NULL;

	if (text)
		out_z(o, text);
	free(text);
}

static void write_vias(const struct sip_msg *m, struct out *o)
{
	struct sip_values v = sip_values_of(m, SIP_H_VIA);
	struct slice one;

	while (sip_values_next(&v, &one))
		out_fmt(o, "Via: %.*s\n", SLICE_ARGS(one));
}

static void write_field(struct player *p, const struct player_message *m, const char *name,
			const char *field, struct out *o)
{
	char *value = player_field(p, m, field);

	out_fmt(o, "%s: %s", name, value ? value : "absent");
	free(value);
}

/* reply MESSAGE STATUS [tag=TAG] [<<< headers and body] */
void player_reply(struct player *p)
{
	struct player_message *m = player_message_find(p, p->at->word[1]);
	const char *tag = player_option(p->at, "tag");
	char *buf, *method;
	struct out o;

	if (!m)
		player_fault(p, "no message %s", p->at->word[1] ? p->at->word[1] : "");
	if (!m->bytes || p->at->word_count < 3)
		return;
	if (tag) {
		free(m->reply_tag);
		m->reply_tag = player_expand(p, tag);
	}
	buf = malloc(MESSAGE_BYTES_MAX);
	o = out_to(buf, MESSAGE_BYTES_MAX - 1);
	out_fmt(&o, "SIP/2.0 %s %s\n", p->at->word[2],
		sip_status_phrase((unsigned)strtoul(p->at->word[2], NULL, 10)));
	method = player_field(p, m, "method");
	write_vias(&p->parsed, &o);
	write_field(p, m, "From", "from", &o);
	write_field(p, m, "\nTo", "to", &o);
	if (m->reply_tag && !p->parsed.to.tag.n && strcmp(p->at->word[2], "100") != 0)
		out_fmt(&o, ";tag=%s", m->reply_tag);
	write_field(p, m, "\nCall-ID", "call-id", &o);
	write_field(p, m, "\nCSeq", "cseq", &o);
	out_fmt(&o, " %s\n", method ? method : "INVITE");
	write_block(p, &o);
	buf[o.n] = '\0';
	player_feed_text(p, m->path, buf);
	free(method);
	free(buf);
}

/* ---- requests within dialogs ---- */

/* From and To as the peer that got MESSAGE would write them. */
static void write_ends(struct player *p, const struct player_message *m, bool got_request,
		       struct out *o)
{
	char *from = player_field(p, m, got_request ? "to" : "from");
	char *to = player_field(p, m, got_request ? "from" : "to");

	out_fmt(o, "From: %s", from ? from : "<sip:absent@absent>");
	if (got_request && from && !strstr(from, ";tag="))
		out_fmt(o, ";tag=%s", m->reply_tag ? m->reply_tag : "absent");
	out_fmt(o, "\nTo: %s\n", to ? to : "<sip:absent@absent>");
	free(from);
	free(to);
}

static unsigned next_cseq(struct player *p, struct player_message *m, bool got_request)
{
	const char *given = player_option(p->at, "cseq");
	char *cseq = got_request ? NULL : player_field(p, m, "cseq");
	unsigned own = cseq ? (unsigned)strtoul(cseq, NULL, 10) : 0;

	free(cseq);
	if (given)
		return (unsigned)strtoul(given, NULL, 10);
	if (m->next_cseq <= own)
		m->next_cseq = own + 1;
	return m->next_cseq++;
}

static void ask(struct player *p, struct player_message *m, const char *method, unsigned cseq,
		bool got_request)
{
	char *contact = player_field(p, m, "contact"), *call_id = player_field(p, m, "call-id");
	const char *branch = player_option(p->at, "branch");
	char *buf = malloc(MESSAGE_BYTES_MAX);
	struct out o = out_to(buf, MESSAGE_BYTES_MAX - 1);

	out_fmt(&o, "%s %s SIP/2.0\n", method, contact ? contact : "sip:absent@absent");
	out_fmt(&o, "Via: SIP/2.0/%s %s;branch=z9hG4bK-asked-",
		m->path->path.transport == TRANSPORT_UDP ? "UDP" : "TCP", m->path->remote);
	if (branch)
		out_fmt(&o, "%s;rport\n", branch);
	else
		out_fmt(&o, "%ux;rport\n", ++p->fresh);
	out_z(&o, "Max-Forwards: 70\n");
	write_ends(p, m, got_request, &o);
	out_fmt(&o, "Call-ID: %s\nCSeq: %u %s\n", call_id ? call_id : "absent", cseq, method);
	write_block(p, &o);
	buf[o.n] = '\0';
	player_feed_text(p, m->path, buf);
	free(buf);
	free(contact);
	free(call_id);
}

/* ask MESSAGE METHOD [cseq=N] [branch=TEXT] [<<< headers and body] */
void player_ask(struct player *p)
{
	struct player_message *m = player_message_find(p, p->at->word[1]);
	bool got_request;

	if (!m || p->at->word_count < 3)
		player_fault(p, "ask whom for what?");
	if (!m->bytes)
		return;
	got_request = strncmp(m->bytes, "SIP/2.0", 7) != 0;
	ask(p, m, p->at->word[2], next_cseq(p, m, got_request), got_request);
}

/* ack MESSAGE [<<< headers and body]: MESSAGE is the 2xx */
void player_ack(struct player *p)
{
	struct player_message *m = player_message_find(p, p->at->word[1]);
	char *cseq;

	if (!m)
		player_fault(p, "acknowledge what?");
	cseq = player_field(p, m, "cseq");
	if (cseq)
		ask(p, m, "ACK", (unsigned)strtoul(cseq, NULL, 10), false);
	free(cseq);
}
