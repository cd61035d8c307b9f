#include "unit/relay/rig.h"
#include "unit/relay/way.h"

const struct way way = {.outside = "127.0.0.2",
			.inside = "127.0.0.3",
			.caller = "127.0.0.4",
			.callee = "127.0.0.5",
			.stranger = "127.0.0.6",
			.outside6 = "::1",
			.caller6 = "::1"};

int way_begin(void)
{
	return 0;
}

int way_tables(struct flow_table **out_owner, struct flow_table **out_path)
{
	int err = flow_table_create(4, out_owner);

	if (!err)
		*out_path = rig_path_view(*out_owner);
	return err;
}

void way_tables_free(struct flow_table *owner, struct flow_table *path)
{
	flow_table_free(path);
	flow_table_free(owner);
}

int way_address(struct flow_table *owner, const struct ip_addr *a)
{
	return flow_table_address_add(owner, a);
}

int way_publish(struct flow_table *owner, const struct flow_spec *spec, uint32_t *out_index)
{
	return flow_table_publish(owner, spec, rig_now_ns(), out_index);
}

int way_relay(struct relay *r, struct flow_table *path)
{
	return 0;
}

int way_peer(struct ip_endpoint *e)
{
	return rig_socket(e);
}

size_t way_taken(void)
{
	return SIZE_MAX;
}
