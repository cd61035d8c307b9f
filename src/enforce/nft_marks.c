/* Marks: who may use the priorities of voice, and which queue a packet goes into. */
#include "enforce/nft_rules_impl.h"
#include "enforce/shape.h"

/* EF, VOICE-ADMIT, CS5 and CS3 (RFC 4594): what voice and its signalling are marked with. */
#define VOICE_MARKS "{ ef, 0x2c, cs5, cs3 }"

/* Media is the gateway's own: what a zone that is not for voice sends through it as a router keeps
 * no such mark. */
static bool steals(const struct config_zone *z)
{
	return z->role != ZONE_VOICE && z->role != ZONE_CORE;
}

static bool has_queues(const struct config_zone *z)
{
	return z->uplink_bps || z->vlan;
}

static void write_remarking(struct out *o, const struct config *c)
{
	out_z(o, " chain remark {\n  type filter hook forward priority mangle; policy accept;\n");
	nft_write_dispatch(o, c, "iifname", "goto", "remark");
	out_z(o, " }\n");
	for (size_t i = 0; i < c->zone_count; i++) {
		if (!nft_is_first(c, i))
			continue;
		out_fmt(o, " chain i%zu_remark {\n", i);
		if (steals(&c->zones[i]))
			out_fmt(o,
				"  ip dscp " VOICE_MARKS
				" counter name z%zu_remarked ip dscp set cs0\n"
				"  ip6 dscp " VOICE_MARKS
				" counter name z%zu_remarked ip6 dscp set cs0\n",
				i, i);
		out_z(o, " }\n");
	}
}

static void write_class(struct out *o, const char *interface, const char *dscp, unsigned minor)
{
	out_fmt(o,
		"  oifname \"%s\" ip dscp %s meta priority set %x:%x\n"
		"  oifname \"%s\" ip6 dscp %s meta priority set %x:%x\n",
		interface, dscp, SHAPE_HANDLE, minor, interface, dscp, SHAPE_HANDLE, minor);
}

void nft_marks_write(struct out *o, const struct nft_want *want)
{
	const struct config *c = want->config;

	write_remarking(o, c);
	out_z(o,
	      " chain classes {\n  type filter hook postrouting priority mangle; policy accept;\n");
	for (size_t i = 0; i < c->zone_count; i++) {
		if (!nft_is_first(c, i) || !has_queues(&c->zones[i]))
			continue;
		write_class(o, c->zones[i].interface, "ef", SHAPE_CLASS_MEDIA);
		write_class(o, c->zones[i].interface, "cs3", SHAPE_CLASS_SIGNALING);
	}
	out_z(o, " }\n");
}
