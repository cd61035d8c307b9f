/* A configuration with one tunnel, and what charon lists of it, for the tests of charon. */
#ifndef HW_TESTS_CHARON_HOUSE_H
#define HW_TESTS_CHARON_HOUSE_H

#include "unit/check.h"

#include "base/ip.h"
#include "model/config.h"
#include "proto/vici/vici.h"

static struct ip_prefix far_end[2], near_end[1];
static struct config_zone zones[2];
static struct config_tunnel tunnels[1];
static struct config config;

static inline struct ip_addr addr(const char *z)
{
	struct ip_addr a = {0};

	assert_int_equal(ip_parse(slice_z(z), &a), 0);
	return a;
}

static inline void set_up(const char *device)
{
	far_end[0] = (struct ip_prefix){.addr = addr("10.2.0.0"), .bits = 24};
	far_end[1] = (struct ip_prefix){.addr = addr("fd00:2::"), .bits = 64};
	near_end[0] = (struct ip_prefix){.addr = addr("10.1.9.0"), .bits = 24};
	zones[0] = (struct config_zone){.name = "internet",
					.interface = "eth0",
					.address4 = addr("192.0.2.1"),
					.tunnel = CONFIG_NONE};
	zones[1] = (struct config_zone){.name = "branch",
					.interface = "eth0",
					.address4 = addr("10.1.9.1"),
					.subnets = far_end,
					.subnet_count = 1};
	tunnels[0] = (struct config_tunnel){.name = "branch",
					    .remote4 = addr("192.0.2.2"),
					    .local_subnets = near_end,
					    .local_subnet_count = 1,
					    .remote_subnets = far_end,
					    .remote_subnet_count = 2,
					    .psk = "a secret of twenty bytes"};
	(void)snprintf(tunnels[0].device, sizeof(tunnels[0].device), "%s", device);
	if (*device)
		(void)snprintf(zones[1].interface, sizeof(zones[1].interface), "%s", device);
	config = (struct config){.zones = zones,
				 .zone_count = 2,
				 .tunnels = tunnels,
				 .tunnel_count = 1,
				 .media = {.port_first = 16384, .port_last = 32767}};
}

/* A list-sa message about one pair of SAs. */
static inline void sa(struct out *o, const char *name, const char *ike, const char *child)
{
	vici_section(o, slice_z(name));
	vici_pair(o, "state", slice_z(ike));
	vici_pair(o, "remote-id", SL("site"));
	vici_pair(o, "encr-alg", SL("AES_GCM_16"));
	vici_pair(o, "encr-keysize", SL("256"));
	vici_pair(o, "dh-group", SL("CURVE_25519"));
	vici_list(o, "tasks-active");
	vici_item(o, SL("IKE_DPD"));
	vici_list_end(o);
	vici_section(o, SL("child-sas"));
	vici_section(o, SL("hornwork-branch-7"));
	vici_pair(o, "uniqueid", SL("7"));
	vici_pair(o, "state", slice_z(child));
	vici_pair(o, "encr-alg", SL("AES_GCM_16"));
	vici_pair(o, "bytes-in", SL("840"));
	vici_pair(o, "packets-out", SL("12"));
	for (int i = 0; i < 3; i++)
		vici_section_end(o);
}

#endif
