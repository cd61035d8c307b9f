/* GW: what the gateway shows to those outside. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/scan.h"
#include "assess/sip.h"
#include "assess/snmp.h"

/* What management, files, databases and telephony usually listen on. */
static const uint16_t tcp_ports[] = {21,   22,	 23,   25,   53,   80,	 111,  139,  161,
				     389,  443,	 445,  514,  873,  1720, 2000, 2049, 2222,
				     3306, 3389, 4569, 5038, 5060, 5061, 5432, 5900, 6379,
				     8000, 8021, 8080, 8088, 8089, 8443, 8888, 9090, 10000};

static bool lists(const struct config_listen *l, size_t n, enum transport t, uint16_t port)
{
	for (size_t i = 0; i < n; i++)
		if (l[i].transport == t && l[i].port == port)
			return true;
	return false;
}

/* The zone that owns the address, or CONFIG_NONE when no zone names it. */
static uint16_t zone_of(const struct config *c, const struct ip_addr *a)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (ip_eq(&c->zones[i].address4, a) || ip_eq(&c->zones[i].address6, a) ||
		    ip_eq(&c->zones[i].public4, a) || ip_eq(&c->zones[i].public6, a))
			return (uint16_t)i;
	return CONFIG_NONE;
}

static bool in_zone(uint16_t zone, uint16_t section)
{
	return zone == CONFIG_NONE || zone == section;
}

/* Whether some section of this zone asks for the port. (The console's stands open to a zone only
 * where `services` names it.) Where no zone names the address, any
 * section's will do. */
static bool is_declared(const struct visit *v, enum transport t, uint16_t port)
{
	const struct config *c = v->config;
	uint16_t zone = zone_of(c, &v->target->address);

	for (size_t i = 0; i < c->zone_count; i++)
		if (in_zone(zone, (uint16_t)i) &&
		    lists(c->zones[i].services, c->zones[i].service_count, t, port))
			return true;
	for (size_t i = 0; i < c->phones_count; i++)
		if (in_zone(zone, c->phones[i].zone) &&
		    lists(c->phones[i].listen, c->phones[i].listen_count, t, port))
			return true;
	for (size_t i = 0; i < c->pbx_count; i++)
		if (in_zone(zone, c->pbxs[i].zone) &&
		    lists(c->pbxs[i].listen, c->pbxs[i].listen_count, t, port))
			return true;
	for (size_t i = 0; i < c->trunk_count; i++)
		if (in_zone(zone, c->trunks[i].zone) && c->trunks[i].peer.transport == t &&
		    (port == 5060 || port == 5061))
			return true;
	return false;
}

static bool is_declared_tcp(const struct visit *v, uint16_t port)
{
	for (unsigned t = 0; t < TRANSPORT_COUNT; t++)
		if (t != TRANSPORT_UDP && is_declared(v, (enum transport)t, port))
			return true;
	return false;
}

#define TCP_PORTS (sizeof(tcp_ports) / sizeof(tcp_ports[0]))

static int tcp_ports_of(struct visit *v)
{
	enum port_state states[TCP_PORTS];
	int err = visit_scan(v, tcp_ports, TCP_PORTS, states);

	if (err)
		return err;
	for (size_t i = 0; i < TCP_PORTS; i++)
		if (states[i] == PORT_OPEN && !is_declared_tcp(v, tcp_ports[i]))
			(void)visit_found(v, &(struct found){.port = tcp_ports[i]},
					  "TCP port %u accepts connections; no section of the "
					  "configuration asks for it",
					  tcp_ports[i]);
	return 0;
}

/* Whether a protocol-correct question is answered at a UDP port. */
static enum verdict udp_port(struct visit *v, uint16_t port, const char *what,
			     struct slice question)
{
	char answer[2048];
	int n;

	if (is_declared(v, TRANSPORT_UDP, port))
		return VERDICT_CLEAN;
	n = visit_ask(v, PACKET_UDP_PROBE, port, question, answer, sizeof(answer));
	if (n < 0)
		return visit_closed(v, n);
	return visit_found(v, &(struct found){.port = port},
			   "UDP port %u answers a %s with %d bytes; no section of the "
			   "configuration asks for it",
			   port, what, n);
}

static enum verdict udp_ports(struct visit *v)
{
	static const char stun[] = "\0\1\0\0\x21\x12\xa4\x42hornwork-asm";
	static const char tftp[] = "\0\1hornwork-assess\0octet\0";
	char snmp[128];
	struct out o = out_to(snmp, sizeof(snmp));
	enum verdict worst = VERDICT_CLEAN, one;
	struct {
		uint16_t port;
		const char *what;
		struct slice question;
	} asks[3] = {{3478, "STUN binding request", slice_of(stun, 20)},
		     {69, "TFTP read request", slice_of(tftp, sizeof(tftp) - 1)}};

	snmp_write_get(&o, SNMP_V2C, "public", 4711);
	asks[2].port = 161;
	asks[2].what = "SNMP request";
	asks[2].question = out_slice(&o);
	for (size_t i = 0; i < 3; i++) {
		one = udp_port(v, asks[i].port, asks[i].what, asks[i].question);
		worst = one > worst ? one : worst;
	}
	return worst;
}

enum verdict gw01_undeclared_ports(struct visit *v)
{
	enum verdict udp;
	int err;

	if (config_is_assets_only(v->config))
		return visit_not_asked(v, "the configuration has no gateway's sections to compare "
					  "with");
	err = tcp_ports_of(v);
	if (err)
		return visit_failed(v, "the scan", err);
	udp = udp_ports(v);
	return v->finding_count ? VERDICT_FOUND : udp;
}
