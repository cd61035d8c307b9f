#include "config/check_tls.h"

static void need(const struct config *c, struct config_report *report, unsigned line,
		 enum transport t)
{
	if (c->tls.certificate_count == 0)
		config_error(report, line,
			     "%s needs a certificate; add tls { certificate = "
			     "\"/etc/hornwork/sip.pem\"  key = \"/etc/hornwork/sip.key\" }",
			     transport_text(t));
}

/* The first of the list that needs a certificate. */
static void check_listens(const struct config *c, struct config_report *report, unsigned line,
			  const struct config_listen *listen, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (transport_secure((enum transport)listen[i].transport)) {
			need(c, report, line, (enum transport)listen[i].transport);
			return;
		}
}

static void check_peer(const struct config *c, struct config_report *report, const char *kind,
		       const char *name, unsigned line, const struct config_peer *peer, bool verify)
{
	if (peer->transport != TRANSPORT_TLS)
		return;
	need(c, report, line, TRANSPORT_TLS);
	if (!verify)
		config_warning(report, line,
			       "%s %s: with verify = no anybody between here and there may pass "
			       "himself off as %s",
			       kind, name, peer->host);
}

static void check_pairs(const struct config *c, struct config_report *report)
{
	const struct config_tls *t = &c->tls;

	if (t->certificate_count > CONFIG_CERTIFICATES_MAX)
		config_error(report, t->line, "certificate has %zu files; at most %d can be",
			     t->certificate_count, CONFIG_CERTIFICATES_MAX);
	if (t->key_count && t->key_count != t->certificate_count)
		config_error(report, t->line,
			     "there are %zu certificates and %zu keys; write a key for each, in "
			     "the same order",
			     t->certificate_count, t->key_count);
	if (t->ocsp_count && t->ocsp_count != t->certificate_count)
		config_error(report, t->line,
			     "there are %zu certificates and %zu OCSP responses; write one for "
			     "each, in the same order",
			     t->certificate_count, t->ocsp_count);
}

void config_check_tls(const struct config *c, struct config_report *report)
{
	for (size_t i = 0; i < c->phones_count; i++)
		check_listens(c, report, c->phones[i].line, c->phones[i].listen,
			      c->phones[i].listen_count);
	for (size_t i = 0; i < c->pbx_count; i++) {
		const struct config_pbx *p = &c->pbxs[i];

		check_listens(c, report, p->line, p->listen, p->listen_count);
		check_peer(c, report, "pbx", p->name, p->line, &p->peer, p->verify);
	}
	for (size_t i = 0; i < c->trunk_count; i++) {
		const struct config_trunk *t = &c->trunks[i];

		check_peer(c, report, "trunk", t->name, t->line, &t->peer, t->verify);
	}
	check_pairs(c, report);
}
