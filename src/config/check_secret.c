#include "config/check_secret.h"

#include "config/schema.h"

/* A section that speaks with somebody, whatever its kind. */
struct speaker {
	const char *kind, *name;
	unsigned line;
	uint16_t zone;
	uint8_t srtp;
	bool sdes_cleartext;
	uint8_t key_exchange;
	const struct config_listen *listen;
	size_t listen_count;
	const struct config_peer *peer; /* NULL = none */
};

struct check {
	const struct config *c;
	const struct doc *doc;
	struct config_report *report;
};

static unsigned line_of(const struct check *k, unsigned section_line, const char *key)
{
	for (const struct doc_section *d = k->doc->sections; d; d = d->next)
		for (const struct doc_entry *e = d->entries; d->line == section_line && e;
		     e = e->next)
			if (strcmp(e->row->key, key) == 0)
				return e->line;
	return section_line;
}

static bool is_clear(uint8_t transport)
{
	return transport != TRANSPORT_TLS && transport != TRANSPORT_WSS;
}

/* The first transport that is not encrypted; NULL when all are. */
static const char *clear_transport(const struct speaker *s)
{
	for (size_t i = 0; i < s->listen_count; i++)
		if (is_clear(s->listen[i].transport))
			return transport_text(s->listen[i].transport);
	return s->peer && is_clear(s->peer->transport) ? transport_text(s->peer->transport) : NULL;
}

/* A handshake leaves no way back into the clear that an offer could show. */
static void check_handshake(const struct check *k, const struct speaker *s, bool deny)
{
	if (s->key_exchange == CONFIG_KEYS_DTLS && s->srtp != SRTP_REQUIRED && !deny)
		config_error(k->report, line_of(k, s->line, "key-exchange"),
			     "key-exchange = dtls of %s %s needs srtp = required: an offer of DTLS "
			     "leaves no choice",
			     s->kind, s->name);
}

static void check_speaker(const struct check *k, const struct speaker *s)
{
	const struct config_zone *z = s->zone < k->c->zone_count ? &k->c->zones[s->zone] : NULL;
	bool deny = z && z->cleartext_deny;
	const char *clear = clear_transport(s);

	check_handshake(k, s, deny);
	if (!clear)
		return;
	if (deny)
		config_error(k->report, line_of(k, z->line, "cleartext"),
			     "zone %s has cleartext = deny, but %s %s speaks %s; write tls in its "
			     "place",
			     z->name, s->kind, s->name, clear);
	else if (s->sdes_cleartext)
		config_warning(k->report, line_of(k, s->line, "sdes-cleartext"),
			       "keys of SRTP are told to %s %s over %s: whoever reads the "
			       "signalling can decrypt the media",
			       s->kind, s->name, clear);
	else if (s->srtp != SRTP_OFF && s->key_exchange == CONFIG_KEYS_SDES)
		config_warning(k->report, line_of(k, s->line, "srtp"),
			       "no keys of SRTP are told over %s: %s; speak tls, or write "
			       "sdes-cleartext = allow",
			       clear,
			       s->srtp == SRTP_REQUIRED ? "such calls are refused"
							: "such calls stay in the clear");
}

/* A page can open a WebSocket and nothing else. */
static void check_browsers(const struct check *k, const struct config_phones *p)
{
	for (size_t i = 0; p->webrtc && i < p->listen_count; i++)
		if (p->listen[i].transport != TRANSPORT_WSS)
			config_error(
				k->report, line_of(k, p->line, "listen"),
				"phones %s are browsers (webrtc = yes), which speak wss alone; "
				"give other phones a section of their own, without %s here",
				p->name, transport_text((enum transport)p->listen[i].transport));
}

void config_check_secret(const struct config *c, const struct doc *doc,
			 struct config_report *report)
{
	const struct check k = {.c = c, .doc = doc, .report = report};

	for (size_t i = 0; i < c->pbx_count; i++) {
		const struct config_pbx *p = &c->pbxs[i];

		check_speaker(&k, &(struct speaker){"pbx", p->name, p->line, p->zone, p->srtp,
						    p->sdes_cleartext, p->key_exchange, p->listen,
						    p->listen_count, &p->peer});
	}
	for (size_t i = 0; i < c->phones_count; i++) {
		const struct config_phones *p = &c->phones[i];

		check_speaker(&k, &(struct speaker){"phones", p->name, p->line, p->zone, p->srtp,
						    p->sdes_cleartext, p->key_exchange, p->listen,
						    p->listen_count, NULL});
		check_browsers(&k, p);
	}
	for (size_t i = 0; i < c->trunk_count; i++) {
		const struct config_trunk *t = &c->trunks[i];

		check_speaker(&k, &(struct speaker){"trunk", t->name, t->line, t->zone, t->srtp,
						    t->sdes_cleartext, t->key_exchange, NULL, 0,
						    &t->peer});
	}
}
