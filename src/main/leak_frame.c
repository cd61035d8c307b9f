/* A frame, taken apart: tags, announcements, who answers DHCP, who has an address where. */
#include "main/leak.h"

#include "base/cursor.h"
#include "io/packet.h"
#include "proto/link/dhcp.h"

#define PORT_DHCP_SERVER  67
#define PORT_DHCP6_SERVER 547
#define PROTO_ICMPV6	  58
#define ROUTER_ADVERT	  134 /* RFC 4861 4.2 */

static void keep(char *to, struct slice text)
{
	if (text.n)
		(void)slice_to_z(slice_trim(text), to, LEAK_TEXT_BYTES);
}

/* ---- announcements ---- */

static void inventory(const struct leak_at *at, const struct link_speaker *s, uint8_t source)
{
	struct leak_device *d = leaks_device(at->leaks, at->frame->from, at->now_ms);

	if (!d)
		return;
	d->sources |= source;
	d->class = link_speaker_is_phone(s)	? LEAK_CLASS_PHONE
		   : link_speaker_is_network(s) ? LEAK_CLASS_NETWORK
						: d->class;
	keep(d->name, s->name);
	keep(d->maker, s->maker);
	keep(d->model, s->model);
	keep(d->firmware, s->firmware);
	keep(d->serial, s->serial);
}

static void judge_switch(const struct leak_at *at, const struct link_speaker *s, const char *how)
{
	struct leaks *l = at->leaks;
	bool known = l->has_switch && at->now_ms < l->switch_ms + LEAK_SWITCH_MS;
	struct r5_switch who = {.from = at->frame->from,
				.chassis = s->chassis,
				.network = link_speaker_is_network(s),
				.has_policy = s->has_policy,
				.policy_tagged = s->policy_tagged,
				.policy_vlan = s->policy_vlan,
				.known = known ? l->switch_mac : NULL};
	enum reason why = r5_leak_of_switch(&l->link, &who);
	char text[LEAK_EVIDENCE_BYTES];
	struct out o = out_to(text, sizeof(text));

	out_fmt(&o, "%s", how);
	if (who.network)
		out_z(&o, " as a switch");
	if (who.has_policy)
		out_fmt(&o, ", voice VLAN %u", who.policy_vlan);
	if (s->name.n)
		out_z(&o, ", named ");
	out_bytes(&o, slice_first(s->name, LEAK_TEXT_BYTES));
	leaks_note(at, why, out_slice(&o));
	if (why == REASON_NONE && who.network) {
		l->has_switch = true;
		l->switch_ms = at->now_ms;
		memcpy(l->switch_mac, at->frame->from, sizeof(l->switch_mac));
	}
}

static void on_announcement(const struct leak_at *at, bool cdp)
{
	struct link_speaker s;

	if (cdp ? link_cdp_parse(at->frame->payload, &s) : link_lldp_parse(at->frame->payload, &s))
		return;
	inventory(at, &s, cdp ? LEAK_BY_CDP : LEAK_BY_LLDP);
	judge_switch(at, &s, cdp ? "CDP" : "LLDP");
}

/* ---- addresses ---- */

/* A device that is known, with an address in this zone. */
static void on_address(const struct leak_at *at, const struct ip_addr *a)
{
	const struct config *c = at->leaks->link.config;
	struct leak_device *d = leaks_device_find(at->leaks, at->frame->from);
	char text[LEAK_EVIDENCE_BYTES], shown[IP_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));

	if (!d || at->zone == CONFIG_NONE || ip_is_unspecified(a) || ip_is_multicast(a))
		return;
	d->zone = at->zone;
	d->addr = *a;
	if (d->class != LEAK_CLASS_PHONE)
		return;
	out_fmt(&o, "%s %s has the address %s", d->maker, d->model[0] ? d->model : "a voice device",
		ip_text(a, shown));
	leaks_note(at, r5_leak_of_device(&c->zones[at->zone]), slice_trim(out_slice(&o)));
}

static void on_arp(struct leak_at *at)
{
	struct cursor c = cur_of(at->frame->payload);
	struct slice address;

	(void)cur_bytes(&c, 8 + LINK_MAC_BYTES);
	address = cur_bytes(&c, 4);
	if (c.err)
		return;
	at->src.addr.family = IP_V4;
	memcpy(at->src.addr.bytes, address.p, 4);
	on_address(at, &at->src.addr);
}

/* ---- DHCP and routers ---- */

static void on_dhcp_client(const struct leak_at *at, struct slice payload)
{
	struct leak_device *d;
	struct link_dhcp m;

	if (link_dhcp_parse(payload, &m) || m.reply || !link_dhcp_vendor_is_phone(m.vendor))
		return;
	d = leaks_device(at->leaks, at->frame->from, at->now_ms);
	if (!d)
		return;
	d->sources |= LEAK_BY_DHCP;
	d->class = LEAK_CLASS_PHONE;
	if (!d->name[0])
		keep(d->name, m.host);
	if (!d->model[0])
		keep(d->model, m.vendor);
}

static void on_server(const struct leak_at *at, const char *what)
{
	char text[LEAK_EVIDENCE_BYTES], shown[IP_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));

	if (at->zone == CONFIG_NONE)
		return;
	out_fmt(&o, "%s of %s", what, ip_text(&at->src.addr, shown));
	leaks_note(at, r5_leak_of_server(&at->leaks->link.config->zones[at->zone], &at->src.addr),
		   out_slice(&o));
}

static void on_ip(struct leak_at *at, struct slice frame)
{
	struct packet p;
	enum packet_kind kind = packet_decode(LINK_ETHERNET, frame, &p);

	if (kind == PACKET_BROKEN || p.src.addr.family == IP_NONE)
		return;
	at->src = p.src;
	at->dst = p.dst;
	if (kind == PACKET_UDP && p.src.port == PORT_DHCP_SERVER)
		on_server(at, "an answer of DHCP");
	else if (kind == PACKET_UDP && p.src.port == PORT_DHCP6_SERVER)
		on_server(at, "an answer of DHCPv6");
	else if (kind == PACKET_UDP && p.dst.port == PORT_DHCP_SERVER)
		on_dhcp_client(at, p.payload);
	else if (kind == PACKET_OTHER && p.protocol == PROTO_ICMPV6 && p.payload.n &&
		 (uint8_t)p.payload.p[0] == ROUTER_ADVERT)
		on_server(at, "a router advertisement");
	else if (kind == PACKET_UDP || kind == PACKET_TCP)
		leaks_on_payload(at, kind == PACKET_UDP, p.payload);
	on_address(at, &at->src.addr);
}

/* ---- tags ---- */

static void on_tags(const struct leak_at *at)
{
	const struct link_frame *f = at->frame;
	char text[LEAK_EVIDENCE_BYTES];
	struct out o = out_to(text, sizeof(text));

	out_z(&o, "tagged");
	for (size_t i = 0; i < f->tag_count; i++)
		out_fmt(&o, "%s %u", i ? "," : "", f->vlan[i]);
	out_fmt(&o, ", EtherType 0x%04x", f->type);
	leaks_note(at, r5_leak_of_tags(&at->leaks->link, f->vlan, f->tag_count), out_slice(&o));
}

void leaks_on_frame(struct leaks *l, struct slice frame, uint64_t now_ms)
{
	struct link_frame f;
	struct leak_at at = {.leaks = l, .frame = &f, .zone = CONFIG_NONE, .now_ms = now_ms};

	if (link_frame_parse(frame, &f) != 0)
		return;
	if (f.tag_count < 2)
		at.zone = r5_leak_zone(&l->link, f.tag_count && f.vlan[0], f.vlan[0]);
	on_tags(&at);
	if (f.type == LINK_ETHERTYPE_LLDP || link_is_cdp(&f))
		on_announcement(&at, f.type != LINK_ETHERTYPE_LLDP);
	else if (f.type == LINK_ETHERTYPE_ARP)
		on_arp(&at);
	else if (f.type == LINK_ETHERTYPE_IPV4 || f.type == LINK_ETHERTYPE_IPV6)
		on_ip(&at, frame);
}
