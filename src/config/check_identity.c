#include "config/check_identity.h"

static void check_signing(struct config_report *report, const struct config_trunk *t)
{
	bool certificate = t->identity_certificate[0], key = t->identity_key[0],
	     url = t->identity_url[0];

	if (url && !slice_starts_nocase(slice_z(t->identity_url), SL("https://")))
		config_error(report, t->line, "identity-url = \"%s\": write a URL of https://",
			     t->identity_url);
	else if (certificate != key || key != url)
		config_error(report, t->line,
			     "trunk %s: identity-certificate, identity-key and identity-url go "
			     "together; write all of them or none",
			     t->name);
}

static void check_plan(struct config_report *report, const struct config_trunk *t)
{
	const struct {
		const char *key, *value;
	} prefixes[] = {{"country-code", t->plan.country},
			{"national-prefix", t->plan.national},
			{"international-prefix", t->plan.international}};

	for (size_t n = 0; n < sizeof(prefixes) / sizeof(prefixes[0]); n++)
		if (prefixes[n].value[0] && !slice_is_digits(slice_z(prefixes[n].value)))
			config_error(report, t->line, "%s = %s: write digits alone",
				     prefixes[n].key, prefixes[n].value);
	if (!t->plan.country[0] && (t->plan.national[0] || t->plan.international[0]))
		config_error(report, t->line,
			     "trunk %s: national-prefix and international-prefix need a "
			     "country-code",
			     t->name);
}

static void check_section(const struct config *c, struct config_report *report)
{
	const struct config_identity *i = &c->identity;

	if (i->host_count > CONFIG_IDENTITY_HOSTS_MAX)
		config_error(report, i->line, "hosts has %zu entries; at most %d can be",
			     i->host_count, CONFIG_IDENTITY_HOSTS_MAX);
	if (i->inside_count > CONFIG_IDENTITY_HOSTS_MAX)
		config_error(report, i->line, "inside has %zu entries; at most %d can be",
			     i->inside_count, CONFIG_IDENTITY_HOSTS_MAX);
}

static void check_policy(const struct config *c, const struct config_trunk *t,
			 struct config_report *report)
{
	if (t->identity != IDENTITY_POLICY_OFF && !c->identity.line)
		config_error(report, t->line,
			     "trunk %s: identity needs somebody who is believed; add identity { "
			     "anchors = \"/etc/hornwork/sti-ca.pem\"  hosts = \"cert.example\" }",
			     t->name);
}

void config_check_identity(const struct config *c, struct config_report *report)
{
	size_t signers = 0;

	if (c->identity.line)
		check_section(c, report);
	for (size_t i = 0; i < c->trunk_count; i++) {
		check_signing(report, &c->trunks[i]);
		check_plan(report, &c->trunks[i]);
		check_policy(c, &c->trunks[i], report);
		signers += c->trunks[i].identity_certificate[0] != '\0';
		if (signers == CONFIG_SIGNERS_MAX + 1 && c->trunks[i].identity_certificate[0])
			config_error(report, c->trunks[i].line,
				     "trunk %s: at most %d trunks can have an identity-certificate",
				     c->trunks[i].name, CONFIG_SIGNERS_MAX);
	}
}
