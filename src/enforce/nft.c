#include "enforce/nft_impl.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <nftables/libnftables.h>
#include <sys/random.h>

#include "base/mem.h"
#include "enforce/link.h"

int nft_new(struct nft **out)
{
	struct nft *n = mem_zalloc(1, sizeof(*n));
	int err;

	if (!n)
		return ERR_NOMEM;
	err = nft_netlink_new(&n->netlink);
	if (err)
		goto fail;
	err = ERR_NOMEM;
	n->ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!n->ctx || nft_ctx_buffer_error(n->ctx) || nft_ctx_buffer_output(n->ctx))
		goto fail;
	*out = n;
	return 0;
fail:
	nft_free(n);
	return err;
}

void nft_free(struct nft *n)
{
	if (!n)
		return;
	if (n->ctx)
		nft_ctx_free(n->ctx);
	nft_netlink_free(n->netlink);
	mem_free(n->zone_names);
	mem_free(n->quarantine);
	mem_free(n);
}

const char *nft_error(const struct nft *n)
{
	return n->error;
}

/* nft's own words, its first line. */
int nft_run(struct nft *n, const char *text)
{
	struct slice rest;

	n->error[0] = '\0';
	errno = 0;
	if (nft_run_cmd_from_buffer(n->ctx, text) == 0)
		return 0;
	(void)slice_to_z(slice_split(slice_z(nft_ctx_get_error_buffer(n->ctx)), '\n', &rest),
			 n->error, sizeof(n->error));
	if (errno == EPERM)
		return ERR_DENIED;
	return errno ? -errno : -EINVAL;
}

static size_t zone_index(const struct nft *n, const char *name)
{
	size_t i = 0;

	while (i < n->zone_count && strcmp(n->zone_names[i], name) != 0)
		i++;
	return i;
}

/* The figures to go on from: those of the zones with the same names, if the old tables had them. */
static void carry_figures(struct nft *n, const struct config *c, struct nft_figures *f)
{
	for (size_t i = 0; i < c->zone_count; i++) {
		size_t was = zone_index(n, c->zones[i].name);

		if (was == n->zone_count)
			continue;
		if (nft_zone_counters(n, (uint16_t)was, &f->zones[i]))
			f->zones[i] = (struct nft_zone_counters){0};
		for (size_t to = 0; to < c->zone_count; to++) {
			size_t was_to = zone_index(n, c->zones[to].name);
			struct nft_counter_value *v = &f->cells[i * c->zone_count + to];

			if (was_to < n->zone_count &&
			    nft_cell_counter(n, (uint16_t)was, (uint16_t)was_to, v))
				*v = (struct nft_counter_value){0};
		}
	}
}

/* As a list of quoted names; NULL when there is none, or it cannot be had. */
static const char *ports_of(void *ctx, const char *bridge)
{
	struct nft *n = ctx;
	struct out o = out_to(n->ports, sizeof(n->ports) - 1);
	struct link_socket *s;
	struct link *links = NULL;
	size_t count = 0;
	int index = 0;

	if (link_socket_new(&s))
		return NULL;
	if (link_list(s, &links, &count))
		count = 0;
	link_socket_free(s);
	for (size_t i = 0; i < count; i++)
		if (strcmp(links[i].name, bridge) == 0)
			index = links[i].index;
	for (size_t i = 0; i < count && index; i++)
		if (links[i].master == index)
			out_fmt(&o, "%s\"%s\"", o.n ? ", " : "", links[i].name);
	mem_free(links);
	n->ports[o.n] = '\0';
	return o.n && !o.err ? n->ports : NULL;
}

static void remember_zones(struct nft *n, const struct config *config,
			   char (*names)[CONFIG_NAME_MAX])
{
	for (size_t i = 0; i < config->zone_count; i++)
		memcpy(names[i], config->zones[i].name, sizeof(names[i]));
	mem_free(n->zone_names);
	n->zone_names = names;
	n->zone_count = config->zone_count;
}

static int write_and_run(struct nft *n, const struct nft_want *want, const struct nft_figures *f)
{
	size_t bytes = nft_rules_bytes(want);
	char *text = mem_zalloc(bytes + 1, 1);
	struct out o = out_to(text, bytes);
	int err = text ? nft_rules_write(&o, want, f) : ERR_NOMEM;

	if (!err)
		err = nft_run(n, text);
	mem_free(text);
	return err;
}

/* This kernel has not all that was asked for. */
static bool is_absent(int err)
{
	return err == -EOPNOTSUPP || err == -ENOENT || err == -EAFNOSUPPORT;
}

/* What a kernel has is found out by asking for it: all, then bridges by their ports, both without
 * what needs hashes, then nothing below IP. */
static int apply_what_can_be(struct nft *n, struct nft_want *want, const struct nft_figures *f)
{
	static const struct {
		bool frames, by_ports, bind;
	} ways[] = {{true, false, true},
		    {true, true, true},
		    {true, false, false},
		    {true, true, false},
		    {false, false, false}};
	int err = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		want->frames = ways[i].frames;
		want->bridges_by_ports = ways[i].by_ports;
		want->bind = ways[i].bind;
		err = write_and_run(n, want, f);
		if (!err) {
			n->frames = want->frames;
			n->bridges_by_ports = want->bridges_by_ports;
			return 0;
		}
		if (!is_absent(err))
			return err;
	}
	return err;
}

int nft_apply(struct nft *n, const struct config *config, const struct segment_policy *policy,
	      const struct nft_pinhole *pinholes, size_t count)
{
	size_t zones = config->zone_count;
	struct nft_want want = {.config = config,
				.policy = policy,
				.pinholes = pinholes,
				.pinhole_count = count,
				.quarantine = n->quarantine,
				.quarantine_count = n->quarantine_count,
				.shield = n->shield_wanted,
				.ports_of = ports_of,
				.ctx = n};
	struct nft_figures figures = {
		.zones = mem_zalloc(zones + 1, sizeof(*figures.zones)),
		.cells = mem_zalloc(zones * zones + 1, sizeof(*figures.cells))};
	char(*names)[CONFIG_NAME_MAX] = mem_zalloc(zones + 1, sizeof(*names));
	struct nft_own *own = mem_zalloc(1, sizeof(*own));
	int err = ERR_NOMEM;

	if (figures.zones && figures.cells && names && own) {
		nft_own_look(config, own);
		want.own = own;
		if (getrandom(&want.seed, sizeof(want.seed), 0) != sizeof(want.seed))
			want.seed = 0;
		carry_figures(n, config, &figures);
		err = apply_what_can_be(n, &want, &figures);
		if (is_absent(err) && want.shield) { /* a firewall without limits is one */
			want.shield = false;
			err = apply_what_can_be(n, &want, &figures);
		}
	}
	if (!err) {
		remember_zones(n, config, names);
		n->shield_stands = want.shield;
		names = NULL;
	}
	mem_free(names);
	mem_free(own);
	mem_free(figures.zones);
	mem_free(figures.cells);
	return err;
}

bool nft_guards_frames(const struct nft *n)
{
	return n->frames;
}

/* ---- quarantine ---- */

static void write_devices(struct out *o, const char *table, enum ip_family family,
			  const struct ip_addr *devices, size_t count)
{
	unsigned number = family == IP_V4 ? 4 : 6;
	bool any = false;

	out_fmt(o, "flush set %s " NFT_TABLE " quarantine%u\n", table, number);
	for (size_t i = 0; i < count; i++) {
		if (devices[i].family != family)
			continue;
		if (!any)
			out_fmt(o, "add element %s " NFT_TABLE " quarantine%u { ", table, number);
		out_z(o, any ? ", " : "");
		ip_write(o, &devices[i]);
		any = true;
	}
	out_z(o, any ? " }\n" : "");
}

static int change_quarantine(struct nft *n, const struct ip_addr *devices, size_t count)
{
	size_t bytes = 1024 + count * 2 * IP_TEXT_MAX;
	char *text = mem_zalloc(bytes + 1, 1);
	struct out o = out_to(text, bytes);
	uint64_t packets, counted;
	int err = text ? 0 : ERR_NOMEM;

	if (!err) {
		write_devices(&o, "inet", IP_V4, devices, count);
		write_devices(&o, "inet", IP_V6, devices, count);
		/* a bridge is guarded: its table is there, with a set of its own */
		for (size_t z = 0; z < n->zone_count; z++) {
			char name[NFT_NAME_MAX];

			nft_counter_name((uint16_t)z, NFT_COUNTER_BRIDGED, name);
			if (nft_netlink_counter(n->netlink, NFPROTO_BRIDGE, name, &packets,
						&counted))
				continue;
			write_devices(&o, "bridge", IP_V4, devices, count);
			write_devices(&o, "bridge", IP_V6, devices, count);
			break;
		}
		err = o.err ? o.err : nft_run(n, text);
	}
	mem_free(text);
	return err;
}

int nft_quarantine_set(struct nft *n, const struct ip_addr *devices, size_t count)
{
	struct ip_addr *copy = mem_zalloc(count + 1, sizeof(*copy));
	int err = copy ? 0 : ERR_NOMEM;

	if (!err && n->zone_names)
		err = change_quarantine(n, devices, count);
	if (err) {
		mem_free(copy);
		return err;
	}
	if (count)
		memcpy(copy, devices, count * sizeof(*copy));
	mem_free(n->quarantine);
	n->quarantine = copy;
	n->quarantine_count = count;
	return 0;
}

/* ---- the end ---- */

int nft_remove(struct nft *n)
{
	int err = nft_run(n, "add table inet " NFT_TABLE "\ndelete table inet " NFT_TABLE "\n");

	if (!err && n->frames)
		err = nft_run(
			n, "add table netdev " NFT_TABLE "\ndelete table netdev " NFT_TABLE "\n"
			   "add table bridge " NFT_TABLE "\ndelete table bridge " NFT_TABLE "\n");
	return err;
}

/* One by one, so that what is gone already hides nothing else. */
static int remove_each(struct nft *n, const struct nft_pinhole *remove, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int err = nft_netlink_change(n->netlink, NULL, 0, &remove[i], 1);

		if (err && err != -ENOENT)
			return err;
	}
	return 0;
}

static int change_batch(struct nft *n, const struct nft_pinhole *add, size_t add_count,
			const struct nft_pinhole *remove, size_t remove_count)
{
	int err = nft_netlink_change(n->netlink, add, add_count, remove, remove_count);

	if (err != -ENOENT || !remove_count)
		return err;
	err = remove_each(n, remove, remove_count);
	if (!err && add_count)
		err = nft_netlink_change(n->netlink, add, add_count, NULL, 0);
	return err;
}

static size_t at_most(size_t n, size_t max)
{
	return n < max ? n : max;
}

int nft_pinholes_change(struct nft *n, const struct nft_pinhole *add, size_t add_count,
			const struct nft_pinhole *remove, size_t remove_count)
{
	n->error[0] = '\0';
	while (add_count || remove_count) {
		/* Removals first: a pinhole may be closed and opened in one request. */
		size_t removed = at_most(remove_count, NFT_BATCH_MAX);
		size_t added = at_most(add_count, NFT_BATCH_MAX - removed);
		int err = change_batch(n, add, added, remove, removed);

		if (err) {
			(void)slice_to_z(slice_z(err_text(err)), n->error, sizeof(n->error));
			return err;
		}
		add = added ? add + added : add;
		add_count -= added;
		remove = removed ? remove + removed : remove;
		remove_count -= removed;
	}
	return 0;
}

/* A table that is not there has counted nothing. */
static int read_optional(struct nft *n, uint16_t family, const char *name, uint64_t *packets,
			 uint64_t *bytes)
{
	int err = nft_netlink_counter(n->netlink, family, name, packets, bytes);

	return err == ERR_ABSENT ? 0 : err;
}

static int read_frames(struct nft *n, uint16_t zone, struct nft_zone_counters *c)
{
	const struct {
		enum nft_counter which;
		uint64_t *packets, *bytes;
	} rows[] = {{NFT_COUNTER_TAGGED, &c->tagged_packets, &c->tagged_bytes},
		    {NFT_COUNTER_FORGED, &c->forged_packets, &c->forged_bytes}};
	static const uint16_t families[] = {NFPROTO_NETDEV, NFPROTO_BRIDGE};
	int err = 0;

	for (size_t i = 0; i < 4 && !err; i++) {
		struct nft_counter_value v = {0};
		char name[NFT_NAME_MAX];

		nft_counter_name(zone, rows[i / 2].which, name);
		err = read_optional(n, families[i % 2], name, &v.packets, &v.bytes);
		*rows[i / 2].packets += v.packets;
		*rows[i / 2].bytes += v.bytes;
	}
	return err;
}

int nft_zone_counters(struct nft *n, uint16_t zone, struct nft_zone_counters *out)
{
	struct nft_zone_counters c = {0};
	const struct {
		enum nft_counter which;
		uint64_t *packets, *bytes;
	} rows[] = {{NFT_COUNTER_CLOSED, &c.closed_port_packets, &c.closed_port_bytes},
		    {NFT_COUNTER_DROPPED, &c.dropped_packets, &c.dropped_bytes},
		    {NFT_COUNTER_SPOOFED, &c.spoofed_packets, &c.spoofed_bytes},
		    {NFT_COUNTER_REMARKED, &c.remarked_packets, &c.remarked_bytes}};
	int err = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !err; i++) {
		char name[NFT_NAME_MAX];

		nft_counter_name(zone, rows[i].which, name);
		err = nft_netlink_counter(n->netlink, NFPROTO_INET, name, rows[i].packets,
					  rows[i].bytes);
	}
	if (!err && n->frames)
		err = read_frames(n, zone, &c);
	if (err)
		return err;
	*out = c;
	return 0;
}

int nft_tunnel_counter(struct nft *n, uint16_t tunnel, bool in, struct nft_counter_value *out)
{
	struct nft_counter_value v;
	char name[NFT_NAME_MAX];
	int err;

	nft_tunnel_counter_name(tunnel, in, name);
	err = nft_netlink_counter(n->netlink, NFPROTO_INET, name, &v.packets, &v.bytes);
	if (!err)
		*out = v;
	return err;
}

int nft_cell_counter(struct nft *n, uint16_t from, uint16_t to, struct nft_counter_value *out)
{
	struct nft_counter_value v;
	char name[NFT_NAME_MAX];
	int err;

	nft_cell_name(from, to, name);
	err = nft_netlink_counter(n->netlink, NFPROTO_INET, name, &v.packets, &v.bytes);
	if (!err)
		*out = v;
	return err;
}
