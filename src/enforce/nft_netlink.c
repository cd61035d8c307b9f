#include "enforce/nft_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "base/mem.h"

#define NETLINK_BUFFER_BYTES 65536 /* NFT_BATCH_MAX elements of at most 72 bytes, with room */
#define WORD_BYTES	     4	   /* each part of a concatenated key is padded to this */
#define KEY_BYTES_MAX	     36	   /* two IPv6 addresses and a port */

struct nft_netlink {
	struct mnl_socket *socket;
	uint32_t seq;
	char buffer[NETLINK_BUFFER_BYTES];
};

void nft_netlink_free(struct nft_netlink *nl)
{
	if (!nl)
		return;
	if (nl->socket)
		mnl_socket_close(nl->socket);
	mem_free(nl);
}

/* Answers lie ready once a request was sent: netlink serves it at once. */
static int answers(struct nft_netlink *nl, mnl_cb_t each, void *ctx)
{
	uint32_t port = mnl_socket_get_portid(nl->socket);
	int err = 0;

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(nl->socket, nl->buffer, sizeof(nl->buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? err : -errno;
		if (mnl_cb_run(nl->buffer, (size_t)n, 0, port, each, ctx) < 0 && !err)
			err = -errno;
	}
}

/* A request that changes nothing tells what this kernel and our rights allow. */
static int probe(struct nft_netlink *nl)
{
	struct nlmsghdr *h =
		nftnl_nlmsg_build_hdr(nl->buffer, NFT_MSG_GETGEN, AF_UNSPEC, NLM_F_ACK, ++nl->seq);
	int err;

	if (mnl_socket_sendto(nl->socket, h, h->nlmsg_len) < 0)
		return -errno;
	err = answers(nl, NULL, NULL);
	if (err == -EPERM)
		return ERR_DENIED;
	return err == -EOPNOTSUPP || err == -EINVAL ? ERR_ABSENT : err;
}

int nft_netlink_new(struct nft_netlink **out)
{
	struct nft_netlink *nl = mem_zalloc(1, sizeof(*nl));
	int err;

	if (!nl)
		return ERR_NOMEM;
	nl->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!nl->socket)
		err = errno == EPROTONOSUPPORT ? ERR_ABSENT : -errno;
	else if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		err = -errno;
	else
		err = probe(nl);
	if (err) {
		nft_netlink_free(nl);
		return err;
	}
	*out = nl;
	return 0;
}

/* daddr . dport . saddr (or without the last), each part padded to a word. */
static uint32_t write_key(const struct nft_pinhole *p, uint8_t out[static KEY_BYTES_MAX])
{
	size_t addr_bytes = p->local.addr.family == IP_V4 ? 4 : 16;
	uint16_t port_be = htons(p->local.port);

	memset(out, 0, KEY_BYTES_MAX);
	memcpy(out, p->local.addr.bytes, addr_bytes);
	memcpy(out + addr_bytes, &port_be, sizeof(port_be));
	if (p->any_source)
		return (uint32_t)(addr_bytes + WORD_BYTES);
	memcpy(out + addr_bytes + WORD_BYTES, p->source.bytes, addr_bytes);
	return (uint32_t)(2 * addr_bytes + WORD_BYTES);
}

static int add_element(struct nftnl_set *set, const struct nft_pinhole *p)
{
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();
	uint8_t key[KEY_BYTES_MAX];
	uint32_t key_bytes = write_key(p, key);

	if (!e)
		return ERR_NOMEM;
	if (nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, key_bytes) < 0) {
		nftnl_set_elem_free(e);
		return ERR_NOMEM;
	}
	nftnl_set_elem_add(set, e);
	return 0;
}

/* The pinholes of one kind as elements of their set; *out NULL when there is none. */
static int set_of(const struct nft_pinhole *pins, size_t count, enum ip_family family,
		  bool any_source, struct nftnl_set **out)
{
	struct nftnl_set *set = NULL;

	*out = NULL;
	for (size_t i = 0; i < count; i++) {
		if (pins[i].local.addr.family != family || pins[i].any_source != any_source)
			continue;
		if (!set) {
			set = nftnl_set_alloc();
			if (!set)
				return ERR_NOMEM;
			if (nftnl_set_set_str(set, NFTNL_SET_TABLE, NFT_TABLE) < 0 ||
			    nftnl_set_set_str(set, NFTNL_SET_NAME,
					      nft_pinhole_set(family, any_source)) < 0)
				goto fail;
		}
		if (add_element(set, &pins[i]))
			goto fail;
	}
	*out = set;
	return 0;
fail:
	nftnl_set_free(set);
	return ERR_NOMEM;
}

static int put_elements(struct nft_netlink *nl, struct mnl_nlmsg_batch *batch, uint16_t type,
			const struct nft_pinhole *pins, size_t count)
{
	for (unsigned kind = 0; kind < 4; kind++) {
		enum ip_family family = kind < 2 ? IP_V4 : IP_V6;
		uint16_t flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_ACK : NLM_F_ACK;
		struct nftnl_set *set;
		struct nlmsghdr *h;
		int err = set_of(pins, count, family, kind % 2, &set);

		if (err)
			return err;
		if (!set)
			continue;
		h = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch), type, NFPROTO_INET, flags,
					  ++nl->seq);
		nftnl_set_elems_nlmsg_build_payload(h, set);
		nftnl_set_free(set);
		if (!mnl_nlmsg_batch_next(batch))
			return ERR_SPACE;
	}
	return 0;
}

int nft_netlink_change(struct nft_netlink *nl, const struct nft_pinhole *add, size_t add_count,
		       const struct nft_pinhole *remove, size_t remove_count)
{
	/* libmnl keeps half of what it is given for a message that does not fit. */
	struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(nl->buffer, sizeof(nl->buffer) / 2);
	int err;

	if (!batch)
		return ERR_NOMEM;
	nftnl_batch_begin(mnl_nlmsg_batch_current(batch), ++nl->seq);
	mnl_nlmsg_batch_next(batch);
	err = put_elements(nl, batch, NFT_MSG_DELSETELEM, remove, remove_count);
	if (!err)
		err = put_elements(nl, batch, NFT_MSG_NEWSETELEM, add, add_count);
	if (!err) {
		nftnl_batch_end(mnl_nlmsg_batch_current(batch), ++nl->seq);
		mnl_nlmsg_batch_next(batch);
		if (mnl_socket_sendto(nl->socket, mnl_nlmsg_batch_head(batch),
				      mnl_nlmsg_batch_size(batch)) < 0)
			err = -errno;
	}
	mnl_nlmsg_batch_stop(batch);
	return err ? err : answers(nl, NULL, NULL);
}

struct counter_answer {
	bool there;
	uint64_t packets, bytes;
};

static int on_counter(const struct nlmsghdr *h, void *ctx)
{
	struct counter_answer *answer = ctx;
	struct nftnl_obj *obj = nftnl_obj_alloc();

	if (!obj)
		return MNL_CB_ERROR;
	if (nftnl_obj_nlmsg_parse(h, obj) == 0) {
		answer->there = true;
		answer->packets = nftnl_obj_get_u64(obj, NFTNL_OBJ_CTR_PKTS);
		answer->bytes = nftnl_obj_get_u64(obj, NFTNL_OBJ_CTR_BYTES);
	}
	nftnl_obj_free(obj);
	return MNL_CB_OK;
}

int nft_netlink_counter(struct nft_netlink *nl, uint16_t family, const char *name,
			uint64_t *out_packets, uint64_t *out_bytes)
{
	struct counter_answer answer = {0};
	struct nftnl_obj *obj = nftnl_obj_alloc();
	struct nlmsghdr *h;
	int err;

	if (!obj)
		return ERR_NOMEM;
	h = nftnl_nlmsg_build_hdr(nl->buffer, NFT_MSG_GETOBJ, family, NLM_F_ACK, ++nl->seq);
	nftnl_obj_set_str(obj, NFTNL_OBJ_TABLE, NFT_TABLE);
	nftnl_obj_set_str(obj, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(obj, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	nftnl_obj_nlmsg_build_payload(h, obj);
	nftnl_obj_free(obj);
	if (mnl_socket_sendto(nl->socket, h, h->nlmsg_len) < 0)
		return -errno;
	err = answers(nl, on_counter, &answer);
	if (err == -ENOENT || (!err && !answer.there))
		return ERR_ABSENT;
	if (err)
		return err;
	*out_packets = answer.packets;
	*out_bytes = answer.bytes;
	return 0;
}
