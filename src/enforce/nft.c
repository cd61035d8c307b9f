#include "enforce/nft_impl.h"

#include <errno.h>
#include <nftables/libnftables.h>

#include "base/mem.h"

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
	mem_free(n);
}

const char *nft_error(const struct nft *n)
{
	return n->error;
}

/* nft's own words, its first line. */
static int run(struct nft *n, const char *text)
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

/* The figure to go on from: that of the zone with the same name, if the old table had it. */
static void carry_counters(struct nft *n, const struct config *config,
			   struct nft_zone_counters *out)
{
	for (size_t i = 0; i < config->zone_count; i++)
		for (size_t old = 0; old < n->zone_count; old++)
			if (strcmp(n->zone_names[old], config->zones[i].name) == 0 &&
			    nft_zone_counters(n, (uint16_t)old, &out[i]))
				out[i] = (struct nft_zone_counters){0};
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

int nft_apply(struct nft *n, const struct config *config, const struct nft_pinhole *pinholes,
	      size_t count)
{
	size_t bytes = nft_rules_bytes(config, count), zones = config->zone_count;
	char *text = mem_zalloc(bytes + 1, 1);
	struct nft_zone_counters *counters = mem_zalloc(zones + 1, sizeof(*counters));
	char(*names)[CONFIG_NAME_MAX] = mem_zalloc(zones + 1, sizeof(*names));
	struct out o = out_to(text, bytes);
	int err = ERR_NOMEM;

	if (!text || !counters || !names)
		goto done;
	carry_counters(n, config, counters);
	err = nft_rules_write(&o, config, pinholes, count, counters);
	if (!err)
		err = run(n, text);
	if (!err) {
		remember_zones(n, config, names);
		names = NULL;
	}
done:
	mem_free(names);
	mem_free(counters);
	mem_free(text);
	return err;
}

int nft_remove(struct nft *n)
{
	return run(n, "add table inet " NFT_TABLE "\ndelete table inet " NFT_TABLE "\n");
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

int nft_zone_counters(struct nft *n, uint16_t zone, struct nft_zone_counters *out)
{
	struct nft_zone_counters c;
	char name[NFT_NAME_MAX];
	int err;

	nft_counter_name(zone, NFT_COUNTER_CLOSED, name);
	err = nft_netlink_counter(n->netlink, name, &c.closed_port_packets, &c.closed_port_bytes);
	if (err)
		return err;
	nft_counter_name(zone, NFT_COUNTER_DROPPED, name);
	err = nft_netlink_counter(n->netlink, name, &c.dropped_packets, &c.dropped_bytes);
	if (err)
		return err;
	*out = c;
	return 0;
}
