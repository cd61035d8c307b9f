/* Values that name addresses, ports and peers, and lists of words; for value.c. */
#ifndef HW_CONFIG_VALUE_NET_H
#define HW_CONFIG_VALUE_NET_H

#include "base/arena.h"
#include "config/schema.h"

/* As value_read, for peers, endpoints, port ranges, addresses, listeners and subnets. */
int value_net_read(const struct schema_row *row, struct slice text, void *out,
		   struct out *why) must_check;
/* As value_read, for domains, methods and beginnings of numbers. */
int value_word_read(const struct schema_row *row, struct slice text, struct arena *arena, void *out,
		    struct out *why) must_check;

#endif
