#include "guard/r5_leak.h"

#include <string.h>

#define MAC_BYTES 6

static bool of_link(const struct r5_link *l, const struct config_zone *z)
{
	const char *carrier = z->parent[0] ? z->parent : z->interface;

	return strcmp(carrier, l->of) == 0;
}

uint16_t r5_leak_zone(const struct r5_link *l, bool tagged, uint16_t vlan)
{
	const struct config *c = l->config;

	for (size_t i = 0; i < c->zone_count; i++)
		if (of_link(l, &c->zones[i]) && c->zones[i].vlan == (tagged ? vlan : 0))
			return (uint16_t)i;
	return CONFIG_NONE;
}

static bool carries_vlans(const struct r5_link *l)
{
	const struct config *c = l->config;

	for (size_t i = 0; i < c->zone_count; i++)
		if (of_link(l, &c->zones[i]) && c->zones[i].vlan)
			return true;
	return false;
}

enum reason r5_leak_of_tags(const struct r5_link *l, const uint16_t *vlan, size_t count)
{
	if (count > 1)
		return REASON_leak_double_tag;
	if (count == 1 && vlan[0] && !carries_vlans(l))
		return REASON_leak_tag;
	return REASON_NONE;
}

enum reason r5_leak_of_speech(const struct config_zone *z, enum r5_speech what, bool past_gateway)
{
	if (z->role == ZONE_DATA && past_gateway)
		return what == R5_SIP ? REASON_leak_sip : REASON_leak_rtp;
	if (z->cleartext_deny && what != R5_RTP)
		return REASON_leak_cleartext;
	return REASON_NONE;
}

enum reason r5_leak_of_device(const struct config_zone *z)
{
	return z->role == ZONE_DATA ? REASON_leak_voice_device : REASON_NONE;
}

enum reason r5_leak_of_server(const struct config_zone *z, const struct ip_addr *who)
{
	if (z->dhcp_server_count == 0 || ip_eq(who, &z->address4) || ip_eq(who, &z->address6))
		return REASON_NONE;
	for (size_t i = 0; i < z->dhcp_server_count; i++)
		if (ip_in_prefix(who, &z->dhcp_servers[i]))
			return REASON_NONE;
	return REASON_leak_server;
}

/* ---- switches ---- */

static int digit(char c)
{
	c = ascii_lower(c);
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "00:11:22:aa:bb:cc", with colons or dashes as the configuration admits them. */
static bool is_mac(struct slice text, const uint8_t mac[static MAC_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		int d = digit(text.p[i]);

		if (d < 0)
			continue;
		if (n >= (size_t)2 * MAC_BYTES || (mac[n / 2] >> (n % 2 ? 0 : 4) & 0xf) != d)
			return false;
		n++;
	}
	return n == (size_t)2 * MAC_BYTES;
}

enum named { NAMED_NOBODY, NAMED_OTHERS, NAMED };

/* By `switches` of the link's zones. */
static enum named who_is_named(const struct r5_link *l, const struct r5_switch *s)
{
	const struct config *c = l->config;
	enum named answer = NAMED_NOBODY;

	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *z = &c->zones[i];

		for (size_t k = 0; of_link(l, z) && k < z->switch_count; k++) {
			if (is_mac(z->switches[k], s->from) || is_mac(z->switches[k], s->chassis))
				return NAMED;
			answer = NAMED_OTHERS;
		}
	}
	return answer;
}

/* A policy says another voice VLAN than the zones of the link have. */
static bool misleads(const struct r5_link *l, const struct r5_switch *s)
{
	const struct config *c = l->config;
	bool any = false;

	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *z = &c->zones[i];

		if (!of_link(l, z) || z->role != ZONE_VOICE)
			continue;
		if (z->vlan == (s->policy_tagged ? s->policy_vlan : 0))
			return false;
		any = true;
	}
	return any;
}

enum reason r5_leak_of_switch(const struct r5_link *l, const struct r5_switch *s)
{
	enum named by_name = who_is_named(l, s);

	if (s->has_policy && by_name != NAMED && misleads(l, s))
		return REASON_leak_switch;
	if (!s->network || by_name == NAMED)
		return REASON_NONE;
	if (by_name == NAMED_OTHERS || (s->known && memcmp(s->known, s->from, MAC_BYTES) != 0))
		return REASON_leak_switch;
	return REASON_NONE;
}
