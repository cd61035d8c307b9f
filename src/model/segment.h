/* What may pass between zones, as plain data: guard/r5_segment decides it from the configuration,
 * enforce/ makes the kernel obey it, `hornwork policy` says it in words. */
#ifndef HW_MODEL_SEGMENT_H
#define HW_MODEL_SEGMENT_H

#include "base/arena.h"
#include "base/ip.h"

enum segment_ports {
	SEGMENT_EVERY_PORT,
	SEGMENT_ONE_PORT,
	SEGMENT_MANAGEMENT, /* the ports by which devices are administered */
};

/* One line of the matrix. Of those for a pair of zones the first that fits decides; where none
 * fits the packet is dropped. */
struct segment_rule {
	uint16_t from, to; /* indexes of zones */
	bool pass;
	bool admins_only;  /* fits sources in `admins` alone */
	uint8_t ports;	   /* enum segment_ports */
	uint8_t transport; /* SEGMENT_ONE_PORT: TRANSPORT_UDP or TRANSPORT_TCP */
	uint16_t port;
	unsigned line; /* in the configuration; 0 = it follows from no line of its own */
};

/* Which sources belong to an interface's zones. */
struct segment_sources {
	bool listed; /* what is not `here` does not belong; else only what is `elsewhere` does not
		      */
	bool answers_pass; /* a network behind which are all others: answers come from anywhere */
	const struct ip_prefix *here, *elsewhere;
	size_t here_count, elsewhere_count;
};

struct segment_port {
	uint8_t transport; /* TRANSPORT_UDP or TRANSPORT_TCP */
	uint16_t port;
};

struct segment_policy {
	struct arena arena; /* holds all lists */
	const struct segment_rule *rules;
	size_t rule_count;
	const struct segment_sources *sources; /* one for each zone: of its whole interface */
	const struct segment_port *management;
	size_t management_count;
	const struct ip_prefix *admins; /* borrowed from the configuration */
	size_t admin_count;
};

#endif
