/* What the warden tells of the kernel path. */
#include <net/if.h>

#include "main/warden_lanes.h"
#include "main/warden_path.h"

const char *warden_path_refused(const struct warden *w)
{
	return w->path ? w->path->refused : "";
}

void warden_path_counts(const struct warden *w, uint16_t zone, struct hw_slot_counts *out)
{
	const struct config_zone *z = &w->now.config->zones[zone];
	const struct ip_endpoint at[] = {{z->address4, 1}, {z->address6, 1}};

	*out = (struct hw_slot_counts){0};
	for (size_t i = 0; i < 2 && w->path; i++) {
		uint32_t index = flow_table_index(w->flows, &at[i]);

		if (index != HW_FLOW_NONE)
			xdp_counts_add(w->path->xdp, index / HW_TABLE_PORTS_MAX, out);
	}
}

void warden_path_metrics(const struct warden *w, struct out *o)
{
	uint32_t count[HW_USER_COUNT] = {0};

	for (uint32_t i = flow_table_next(w->flows, 0); i != HW_FLOW_NONE;
	     i = flow_table_next(w->flows, i + 1)) {
		struct hw_flow f;

		if (flow_table_read(w->flows, i, &f) && f.user_why < HW_USER_COUNT)
			count[f.user_why]++;
	}
	out_z(o, "# TYPE hornwork_flows_open_by_path gauge\n");
	for (unsigned why = 0; why < HW_USER_COUNT; why++)
		if (count[why] || why == HW_USER_NOT)
			out_fmt(o, "hornwork_flows_open_by_path{path=\"%s\",why=\"%s\"} %u\n",
				why ? "user" : "kernel", why ? xdp_why_name(why) : "", count[why]);
	warden_shield_metrics(w, o);
}

void warden_path_status(const struct warden *w, struct json *j)
{
	const struct warden_path *p = w->path;
	bool user = !p || w->now.config->media.path == MEDIA_USER;

	json_member_open(j, "media_path", '{');
	json_member_z(j, "path", user ? "user" : "kernel");
	json_member_z(j, "why",
		      !p     ? "no kernel path on this system"
		      : user ? "media { path = user }"
			     : p->refused);
	json_member_open(j, "interfaces", '[');
	for (uint16_t i = 0; p && i < HW_INTERFACES_MAX; i++) {
		uint32_t ifindex = xdp_interface_at(p->xdp, i);
		char name[IF_NAMESIZE];

		if (ifindex == 0 || !if_indextoname(ifindex, name))
			continue;
		json_open(j, '{');
		json_member_z(j, "interface", name);
		json_member_z(j, "mode", xdp_mode_name(xdp_mode_of(p->xdp, ifindex)));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
	warden_lanes_status(w, j);
	warden_shield_status(w, j);
}
