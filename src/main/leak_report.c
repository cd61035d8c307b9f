/* What was found on a link, for people and for programs. */
#include "main/leak.h"

#include "io/clock.h"
#include "main/watch_report.h"

#include <stdio.h>

const char *leak_mac_text(const uint8_t mac[static LINK_MAC_BYTES],
			  char buf[static LEAK_MAC_TEXT_MAX])
{
	snprintf(buf, LEAK_MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return buf;
}

bool leak_mac_is(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = ascii_lower(text.p[i]);

		if (i % 3 == 2 ? c != ':' : !ascii_is_digit(c) && (c < 'a' || c > 'f'))
			return false;
	}
	return text.n == LEAK_MAC_TEXT_MAX - 1;
}

const char *leak_zone_text(const struct leaks *l, uint16_t zone)
{
	return zone < l->link.config->zone_count ? l->link.config->zones[zone].name : "";
}

static const char *class_text(enum leak_class class)
{
	static const char *const words[] = {"other", "phone", "network"};

	return words[class];
}

static void member_time(struct json *j, bool last, uint64_t at_ms, uint64_t first_ms)
{
	char when[CLOCK_TEXT_MAX];

	if (first_ms == LEAK_SINCE_1970)
		json_member_z(j, last ? "last_seen" : "first_seen", clock_text(at_ms, when));
	else
		json_member_real(j, last ? "last_s" : "time_s",
				 at_ms > first_ms ? (double)(at_ms - first_ms) / 1000 : 0, 3);
}

static void member_end(struct json *j, const char *key, const struct ip_endpoint *e)
{
	if (e->addr.family != IP_NONE)
		json_member_endpoint(j, key, e);
}

void leak_write_json(const struct leaks *l, const struct leak *k, uint64_t first_ms, struct json *j)
{
	const struct reason_row *row = reason_row(k->reason);
	char mac[LEAK_MAC_TEXT_MAX];

	json_open(j, '{');
	json_member_z(j, "type", "leak");
	json_member_z(j, "reason", row->name);
	json_member_z(j, "why", row->sentence);
	json_member_z(j, "tag", row->tag);
	json_member_z(j, "severity", severity_text(row->severity));
	json_member_z(j, "link", l->link.of);
	json_member_z(j, "zone", leak_zone_text(l, k->zone));
	member_time(j, false, k->first_ms, first_ms);
	member_time(j, true, k->last_ms, first_ms);
	json_member_u64(j, "count", k->count);
	json_member_z(j, "src_mac", leak_mac_text(k->mac, mac));
	json_member_open(j, "vlans", '[');
	for (size_t i = 0; i < k->vlan_count; i++)
		json_u64(j, k->vlan[i]);
	json_close(j, ']');
	member_end(j, "source", &k->src);
	member_end(j, "destination", &k->dst);
	json_member_z(j, "evidence", k->evidence);
	json_close(j, '}');
}

void leak_device_write_json(const struct leaks *l, const struct leak_device *d, uint64_t first_ms,
			    struct json *j)
{
	static const char *const sources[] = {"lldp", "cdp", "dhcp", "voice"};
	char text[IP_TEXT_MAX];

	json_open(j, '{');
	json_member_z(j, "type", "device");
	json_member_z(j, "mac", leak_mac_text(d->mac, text));
	json_member_z(j, "class", class_text(d->class));
	json_member_open(j, "known_by", '[');
	for (size_t i = 0; i < 4; i++)
		if (d->sources >> i & 1)
			json_str(j, slice_z(sources[i]));
	json_close(j, ']');
	json_member_z(j, "name", d->name);
	json_member_z(j, "maker", d->maker);
	json_member_z(j, "model", d->model);
	json_member_z(j, "firmware", d->firmware);
	json_member_z(j, "serial", d->serial);
	json_member_z(j, "link", l->link.of);
	json_member_z(j, "zone", leak_zone_text(l, d->zone));
	if (d->addr.family != IP_NONE)
		json_member_z(j, "address", ip_text(&d->addr, text));
	member_time(j, false, d->first_ms, first_ms);
	member_time(j, true, d->last_ms, first_ms);
	json_close(j, '}');
}

void leaks_write_json(const struct leaks *l, uint64_t first_ms, struct json *j)
{
	for (size_t i = 0; i < LEAKS_MAX; i++) {
		if (l->found[i].count)
			leak_write_json(l, &l->found[i], first_ms, j);
		watch_flush(j->o, false);
	}
	list_for_each (n, &l->by_age) {
		const struct leak_device *d = container_of(n, struct leak_device, node);

		if (d->used)
			leak_device_write_json(l, d, first_ms, j);
		watch_flush(j->o, false);
	}
}

static void write_safe(struct out *o, const char *text)
{
	for (; *text; text++)
		out_char(o, *text >= ' ' && *text <= '~' ? *text : '.');
}

static void leak_text(const struct leaks *l, const struct leak *k, uint64_t first_ms, struct out *o)
{
	const struct reason_row *row = reason_row(k->reason);
	const char *zone = leak_zone_text(l, k->zone);
	char mac[LEAK_MAC_TEXT_MAX];

	out_fmt(o, "%11.3f  %s%s%s, %llu frame%s: %s [%s]\n             ",
		k->first_ms > first_ms ? (double)(k->first_ms - first_ms) / 1000 : 0.0,
		leak_mac_text(k->mac, mac), *zone ? " in zone " : "", zone,
		(unsigned long long)k->count, k->count == 1 ? "" : "s", row->sentence, row->name);
	write_safe(o, k->evidence);
	out_char(o, '\n');
}

static void device_text(const struct leaks *l, const struct leak_device *d, struct out *o)
{
	const char *said[] = {d->name, d->maker, d->model, d->firmware, d->serial};
	const char *zone = leak_zone_text(l, d->zone);
	char text[IP_TEXT_MAX];

	out_fmt(o, "  %s  %-7s  %s", leak_mac_text(d->mac, text), class_text(d->class),
		d->addr.family != IP_NONE ? ip_text(&d->addr, text) : "-");
	out_fmt(o, "%s%s", *zone ? " in zone " : "", zone);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		if (!*said[i])
			continue;
		out_z(o, "  ");
		write_safe(o, said[i]);
	}
	out_char(o, '\n');
}

void leaks_write_text(const struct leaks *l, uint64_t first_ms, struct out *o)
{
	bool any = false;

	out_fmt(o, "\nleaks on %s\n", l->link.of);
	for (size_t i = 0; i < LEAKS_MAX; i++) {
		any = any || l->found[i].count;
		if (l->found[i].count)
			leak_text(l, &l->found[i], first_ms, o);
		watch_flush(o, false);
	}
	if (!any)
		out_z(o, "  none\n");
	if (l->not_kept)
		out_fmt(o, "  and %llu frames of which no more was kept\n",
			(unsigned long long)l->not_kept);
	out_z(o, "\ndevices that announced themselves or spoke in a voice zone\n");
	list_for_each (n, &l->by_age) {
		const struct leak_device *d = container_of(n, struct leak_device, node);

		if (d->used)
			device_text(l, d, o);
		watch_flush(o, false);
	}
}
