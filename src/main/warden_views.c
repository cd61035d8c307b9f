/* What the warden itself knows, for status and metrics: fragments that the console puts together
 * with signal's. */
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "io/clock.h"
#include "main/warden_path.h"
#include "main/warden_tunnels.h"

/* Members of one object, without its braces. */
/* Pinholes whose calls nobody can list any more, because signal was started again. */
static void orphans_notice(const struct warden *w, struct json *j)
{
	size_t n = warden_flows_orphans(w);
	char text[WARDEN_NOTICE_BYTES];

	if (n == 0)
		return;
	(void)snprintf(
		text, sizeof(text),
		"signal was started again: %zu pinholes of earlier calls carry on until they "
		"fall silent",
		n);
	json_str(j, slice_z(text));
}

/* Must stay zero: it is an alarm, not a statistic. */
static void clear_bytes_status(const struct warden *w, struct json *j)
{
	json_member_open(j, "clear_bytes", '{');
	for (size_t i = 0; i < w->now.config->zone_count; i++)
		json_member_u64(j, w->now.config->zones[i].name,
				vault_gauge_clear_bytes(w->gauge, (unsigned)i));
	json_close(j, '}');
}

void warden_status(struct warden *w, struct out *o)
{
	struct json j = json_to(o);

	json_member_z(&j, "version", HORNWORK_VERSION);
	json_member_z(&j, "mode", w->nft ? "full" : "user");
	json_member_u64(&j, "uptime_s", (clock_ms() - w->started_ms) / 1000);
	json_member_z(&j, "config", w->config_path);
	json_member_u64(&j, "config_generation", w->now.generation);
	json_member_u64(&j, "pinholes_open", flow_table_open_count(w->flows));
	json_member_u64(&j, "pinholes_opened_total", w->pinholes.opened);
	json_member_u64(&j, "pinholes_closed_total", w->pinholes.closed);
	json_member_u64(&j, "pinholes_refused_total", w->pinholes.refused);
	warden_path_status(w, &j);
	clear_bytes_status(w, &j);
	json_member_open(&j, "processes", '[');
	json_open(&j, '{');
	json_member_z(&j, "name", "warden");
	json_member_u64(&j, "pid", (uint64_t)getpid());
	json_member_u64(&j, "uid", getuid());
	json_member_u64(&j, "restarts", 0);
	json_close(&j, '}');
	for (size_t i = 0; i < CHILD_COUNT; i++) {
		if (!warden_child_wanted(&w->child[i]))
			continue;
		json_open(&j, '{');
		json_member_z(&j, "name", proc_kind_name(w->child[i].kind));
		json_member_u64(&j, "pid", (uint64_t)w->child[i].pid);
		json_member_u64(&j, "uid", w->child[i].uid);
		json_member_u64(&j, "restarts", w->child[i].supervise.restarts);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	warden_expiry_status(w, &j);
	warden_tunnels_status(w, &j);
	warden_voice_vlan_status(w, &j);
	warden_cdp_status(w, &j);
	json_member_open(&j, "notices", '[');
	for (size_t i = 0; i < w->notice_count; i++)
		json_str(&j, slice_z(w->notices[i]));
	orphans_notice(w, &j);
	json_close(&j, ']');
}

static void write_clear_bytes(const struct warden *w, struct out *o)
{
	out_z(o, "# TYPE hornwork_clear_bytes_total counter\n");
	for (size_t i = 0; i < w->now.config->zone_count; i++)
		out_fmt(o, "hornwork_clear_bytes_total{zone=\"%s\"} %llu\n",
			w->now.config->zones[i].name,
			(unsigned long long)vault_gauge_clear_bytes(w->gauge, (unsigned)i));
}

static void write_zone_counters(struct warden *w, struct out *o)
{
	for (size_t i = 0; w->nft && i < w->now.config->zone_count; i++) {
		const char *name = w->now.config->zones[i].name;
		struct nft_zone_counters n;

		struct hw_slot_counts kernel;

		if (nft_zone_counters(w->nft, (uint16_t)i, &n) != 0)
			continue;
		warden_path_counts(w, (uint16_t)i, &kernel);
		out_fmt(o, "hornwork_closed_port_packets_total{zone=\"%s\"} %llu\n", name,
			(unsigned long long)(n.closed_port_packets + kernel.closed_packets));
		out_fmt(o, "hornwork_dropped_packets_total{zone=\"%s\"} %llu\n", name,
			(unsigned long long)n.dropped_packets);
		out_fmt(o, "hornwork_spoofed_packets_total{zone=\"%s\"} %llu\n", name,
			(unsigned long long)n.spoofed_packets);
		out_fmt(o, "hornwork_tagged_packets_total{zone=\"%s\"} %llu\n", name,
			(unsigned long long)n.tagged_packets);
		out_fmt(o, "hornwork_remarked_packets_total{zone=\"%s\"} %llu\n", name,
			(unsigned long long)n.remarked_packets);
		out_fmt(o, "hornwork_forged_packets_total{zone=\"%s\"} %llu\n", name,
			(unsigned long long)n.forged_packets);
	}
}

void warden_metrics(struct warden *w, struct out *o)
{
	out_fmt(o, "# TYPE hornwork_uptime_seconds gauge\nhornwork_uptime_seconds %llu\n",
		(unsigned long long)((clock_ms() - w->started_ms) / 1000));
	out_fmt(o, "# TYPE hornwork_pinholes_open gauge\nhornwork_pinholes_open %zu\n",
		flow_table_open_count(w->flows));
	out_fmt(o,
		"# TYPE hornwork_pinholes_opened_total counter\n"
		"hornwork_pinholes_opened_total %llu\n",
		(unsigned long long)w->pinholes.opened);
	out_fmt(o,
		"# TYPE hornwork_pinholes_closed_total counter\n"
		"hornwork_pinholes_closed_total %llu\n",
		(unsigned long long)w->pinholes.closed);
	out_fmt(o,
		"# TYPE hornwork_pinholes_refused_total counter\n"
		"hornwork_pinholes_refused_total %llu\n",
		(unsigned long long)w->pinholes.refused);
	warden_expiry_metrics(w, o);
	warden_tunnels_metrics(w, o);
	warden_voice_vlan_metrics(w, o);
	warden_cdp_metrics(w, o);
	warden_path_metrics(w, o);
	out_z(o, "# TYPE hornwork_process_restarts_total counter\n");
	for (size_t i = 0; i < CHILD_COUNT; i++)
		out_fmt(o, "hornwork_process_restarts_total{process=\"%s\"} %u\n",
			proc_kind_name(w->child[i].kind), w->child[i].supervise.restarts);
	out_z(o, "# TYPE hornwork_closed_port_packets_total counter\n"
		 "# TYPE hornwork_dropped_packets_total counter\n"
		 "# TYPE hornwork_spoofed_packets_total counter\n"
		 "# TYPE hornwork_tagged_packets_total counter\n"
		 "# TYPE hornwork_remarked_packets_total counter\n"
		 "# TYPE hornwork_forged_packets_total counter\n");
	write_zone_counters(w, o);
	write_clear_bytes(w, o);
}
