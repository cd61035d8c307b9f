#include "config/checks_assess.h"

static unsigned host_bits(const struct ip_prefix *p)
{
	return (p->addr.family == IP_V4 ? 32u : 128u) - p->bits;
}

static void check_subnet(const struct config_asset *a, const struct ip_prefix *p,
			 struct config_report *report)
{
	char z[IP_TEXT_MAX];

	if (host_bits(p) > 12 || 1u << host_bits(p) > CONFIG_ASSET_SUBNET_MAX)
		config_error(report, a->line,
			     "asset %s: subnet %s/%u has more than %d addresses; name the networks "
			     "in which devices are",
			     a->name, ip_text(&p->addr, z), p->bits, CONFIG_ASSET_SUBNET_MAX);
	if (!ip_is_private(&p->addr) && !a->owner_confirmed)
		config_warning(report, a->line,
			       "asset %s: %s is a public address: it is not assessed; if it is "
			       "your own, write owner-confirmed = yes",
			       a->name, ip_text(&p->addr, z));
}

/* A single address may lie in another asset's subnet: it is taken out of it. */
static void check_pair(const struct config_asset *a, const struct config_asset *b,
		       struct config_report *report)
{
	char z[IP_TEXT_MAX];

	for (size_t i = 0; i < b->address_count; i++)
		for (size_t k = 0; k < a->address_count; k++)
			if (ip_eq(&a->addresses[k].addr, &b->addresses[i].addr))
				config_error(report, b->line,
					     "asset %s: %s belongs to asset %s already; declare it "
					     "once",
					     b->name, ip_text(&b->addresses[i].addr, z), a->name);
	for (size_t i = 0; i < b->subnet_count; i++)
		for (size_t k = 0; k < a->subnet_count; k++)
			if (ip_prefixes_overlap(&a->subnets[k], &b->subnets[i]))
				config_error(
					report, b->line,
					"asset %s: subnet %s/%u overlaps with one of asset %s; "
					"let each device belong to one",
					b->name, ip_text(&b->subnets[i].addr, z),
					b->subnets[i].bits, a->name);
}

static void check_asset(const struct config_asset *a, struct config_report *report)
{
	for (size_t i = 0; i < a->address_count; i++)
		check_subnet(a, &a->addresses[i], report);
	for (size_t i = 0; i < a->subnet_count; i++)
		check_subnet(a, &a->subnets[i], report);
	if (a->address_count + a->subnet_count == 0 && !report->error_count)
		config_error(report, a->line,
			     "asset %s has neither address nor subnet; add address = ...", a->name);
	if (*a->ssh_user && !*a->ssh_key_file)
		config_error(report, a->line,
			     "asset %s has ssh-user but no ssh-key-file; add the file with its "
			     "private key",
			     a->name);
	if (!*a->ssh_user && *a->ssh_key_file)
		config_error(report, a->line,
			     "asset %s has ssh-key-file but no ssh-user; add ssh-user = ...",
			     a->name);
}

static void check_place(const struct config_place *p, struct config_report *report)
{
	if (*p->ssh_user && !*p->ssh_key_file)
		config_error(report, p->line,
			     "place %s has ssh-user but no ssh-key-file; add the file with its "
			     "private key",
			     p->name);
	if (!*p->ssh_user && *p->ssh_key_file)
		config_error(report, p->line,
			     "place %s has ssh-key-file but no ssh-user; add ssh-user = ...",
			     p->name);
}

static void check_shield(const struct config *c, const struct config_shield *s,
			 struct config_report *report)
{
	if (s->quarantine_count == 0 && !*s->encrypt && s->patch_count == 0 && !report->error_count)
		config_error(report, s->line,
			     "shield %s does nothing; write quarantine = {ADDRESS}, encrypt = "
			     "SECTION or patch = {CVE}, or remove it",
			     s->name);
	if (*s->encrypt && config_phones_find(c, slice_z(s->encrypt)) == CONFIG_NONE &&
	    config_trunk_find(c, slice_z(s->encrypt)) == CONFIG_NONE)
		config_error(report, s->line,
			     "shield %s: there is no phones or trunk section %s; name one", s->name,
			     s->encrypt);
	if (s->quarantine_count && c->assess.admin_count == 0 && !report->error_count)
		config_warning(report, s->line,
			       "shield %s: nobody may reach the devices in quarantine; name "
			       "administrators by assess { admins = ... }",
			       s->name);
}

static void require_encryption(struct config *c, struct slice name)
{
	uint16_t phones = config_phones_find(c, name), trunk = config_trunk_find(c, name);

	if (phones != CONFIG_NONE)
		c->phones[phones].srtp = SRTP_REQUIRED;
	if (trunk != CONFIG_NONE)
		c->trunks[trunk].srtp = SRTP_REQUIRED;
}

int config_apply_shields(struct config *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->shield_count; i++)
		n += c->shields[i].quarantine_count;
	c->quarantine = arena_alloc(&c->arena, (n + 1) * sizeof(*c->quarantine));
	if (!c->quarantine)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->shield_count; i++) {
		const struct config_shield *s = &c->shields[i];

		for (size_t k = 0; k < s->quarantine_count; k++)
			c->quarantine[c->quarantine_count++] = s->quarantine[k].addr;
		if (*s->encrypt)
			require_encryption(c, slice_z(s->encrypt));
	}
	return 0;
}

void config_check_assess(const struct config *c, struct config_report *report)
{
	for (size_t i = 0; i < c->asset_count; i++) {
		check_asset(&c->assets[i], report);
		for (size_t k = 0; k < i; k++)
			check_pair(&c->assets[k], &c->assets[i], report);
	}
	for (size_t i = 0; i < c->place_count; i++)
		check_place(&c->places[i], report);
	for (size_t i = 0; i < c->shield_count; i++)
		check_shield(c, &c->shields[i], report);
	if (c->assess.every_s && c->asset_count == 0)
		config_warning(report, 0, "assess { every } is set, but no asset is declared");
}
