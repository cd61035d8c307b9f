/* The program on interfaces. */
#include "enforce/xdp_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINK_PREFIX "link_"

static struct xdp_link *link_find(const struct xdp *x, uint32_t ifindex)
{
	for (size_t i = 0; i < HW_INTERFACES_MAX; i++)
		if (x->link[i].ifindex == ifindex)
			return (struct xdp_link *)(uintptr_t)&x->link[i];
	return NULL;
}

enum xdp_mode xdp_mode_of(const struct xdp *x, uint32_t ifindex)
{
	const struct xdp_link *link = ifindex ? link_find(x, ifindex) : NULL;

	return link ? link->mode : XDP_DETACHED;
}

uint16_t xdp_interface_number(const struct xdp *x, uint32_t ifindex)
{
	const struct xdp_link *link = ifindex ? link_find(x, ifindex) : NULL;

	return link ? (uint16_t)(link - x->link) : 0xffff;
}

uint32_t xdp_interface_at(const struct xdp *x, uint16_t number)
{
	return number < HW_INTERFACES_MAX ? x->link[number].ifindex : 0;
}

uint32_t xdp_socket_key(uint16_t interface, uint32_t queue)
{
	return interface * HW_XSK_QUEUES + queue;
}

const char *xdp_mode_name(enum xdp_mode mode)
{
	return mode == XDP_NATIVE ? "native" : mode == XDP_GENERIC ? "generic" : "none";
}

/* The mode in which the kernel has a program on it, and which. */
static enum xdp_mode mode_now(uint32_t ifindex, uint32_t *out_program)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);

	*out_program = 0;
	if (bpf_xdp_query((int)ifindex, 0, &q) != 0)
		return XDP_DETACHED;
	*out_program = q.prog_id;
	if (q.attach_mode == XDP_ATTACHED_DRV || q.attach_mode == XDP_ATTACHED_HW)
		return XDP_NATIVE;
	return q.attach_mode == XDP_ATTACHED_SKB ? XDP_GENERIC : XDP_DETACHED;
}

/* The interface may have gone and come back under another number: such a link is dead. */
static bool link_alive(int fd, uint32_t ifindex)
{
	struct bpf_link_info info = {0};
	__u32 bytes = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0 && info.xdp.ifindex == ifindex;
}

static void link_adopt(struct xdp *x, const char *name)
{
	struct xdp_link *free = link_find(x, 0);
	uint32_t ifindex = (uint32_t)strtoul(name + strlen(LINK_PREFIX), NULL, 10), program;
	char path[XDP_PATH_MAX];
	int fd;

	if (!free || !xdp_pin_path(x, path, "%s", name))
		return;
	fd = bpf_obj_get(path);
	if (fd >= 0 && link_alive(fd, ifindex) && bpf_link_update(fd, x->program, NULL) == 0) {
		*free = (struct xdp_link){ifindex, mode_now(ifindex, &program), fd};
		return;
	}
	if (fd >= 0)
		close(fd);
	(void)unlink(path);
}

int xdp_links_adopt(struct xdp *x)
{
	DIR *dir = x->pin_dir ? opendir(x->pin_dir) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, LINK_PREFIX, strlen(LINK_PREFIX)) == 0)
			link_adopt(x, entry->d_name);
	if (dir)
		closedir(dir);
	return 0;
}

void xdp_links_close(struct xdp *x)
{
	for (size_t i = 0; i < HW_INTERFACES_MAX; i++) {
		if (x->link[i].ifindex)
			close(x->link[i].fd);
		x->link[i].ifindex = 0;
	}
}

void xdp_detach(struct xdp *x, uint32_t ifindex)
{
	struct xdp_link *link = ifindex ? link_find(x, ifindex) : NULL;
	char path[XDP_PATH_MAX];

	if (!link)
		return;
	if (x->pin_dir && xdp_pin_path(x, path, LINK_PREFIX "%u", ifindex))
		(void)unlink(path);
	(void)bpf_link_detach(link->fd);
	close(link->fd);
	link->ifindex = 0;
}

static int link_create(const struct xdp *x, uint32_t ifindex, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int fd = bpf_link_create(x->program, (int)ifindex, BPF_XDP, &opts);

	return fd < 0 ? -errno : fd;
}

static const char *interface_name(uint32_t ifindex, char name[static IF_NAMESIZE])
{
	if (!if_indextoname(ifindex, name))
		snprintf(name, IF_NAMESIZE, "%u", ifindex);
	return name;
}

static void program_name(uint32_t id, char out[static BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = {0};
	__u32 bytes = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &bytes) != 0)
		info.name[0] = '\0';
	snprintf(out, BPF_OBJ_NAME_LEN, "%s", info.name);
	if (fd >= 0)
		close(fd);
}

static int refuse_foreign(struct xdp *x, uint32_t ifindex, uint32_t program)
{
	char name[IF_NAMESIZE], what[BPF_OBJ_NAME_LEN];

	program_name(program, what);
	/* Its name is root's to know: not that of a warden who gave its rights up. */
	return xdp_fail(x, -EBUSY,
			"%s has an XDP program already (%s%snumber %u): remove it (ip link set %s "
			"xdp off), or set media { path = user }",
			interface_name(ifindex, name), what, what[0] ? ", " : "", program, name);
}

/* So that it outlives us. */
static int link_pin(struct xdp *x, uint32_t ifindex, int fd)
{
	char path[XDP_PATH_MAX];

	if (!x->pin_dir || !xdp_pin_path(x, path, LINK_PREFIX "%u", ifindex))
		return 0;
	(void)unlink(path);
	return bpf_obj_pin(fd, path) == 0 ? 0
					  : xdp_fail(x, -errno, "%s: %s", path, strerror(errno));
}

static bool goes_on(const struct xdp_link *link, bool generic)
{
	return link && link_alive(link->fd, link->ifindex) &&
	       (!generic || link->mode == XDP_GENERIC);
}

int xdp_attach(struct xdp *x, uint32_t ifindex, bool generic, enum xdp_mode *out)
{
	struct xdp_link *link = ifindex ? link_find(x, ifindex) : NULL;
	enum xdp_mode mode = generic ? XDP_GENERIC : XDP_NATIVE;
	char name[IF_NAMESIZE];
	uint32_t program;
	int fd, err;

	if (goes_on(link, generic)) {
		*out = link->mode;
		return 0;
	}
	xdp_detach(x, ifindex);
	link = link_find(x, 0);
	if (!link || ifindex == 0)
		return xdp_fail(x, ERR_LIMIT, "more than %u interfaces", HW_INTERFACES_MAX);
	if (mode_now(ifindex, &program) != XDP_DETACHED)
		return refuse_foreign(x, ifindex, program);
	fd = generic ? -EOPNOTSUPP : link_create(x, ifindex, XDP_FLAGS_DRV_MODE);
	if (fd < 0) {
		mode = XDP_GENERIC;
		fd = link_create(x, ifindex, XDP_FLAGS_SKB_MODE);
	}
	if (fd < 0)
		return xdp_fail(x, fd, "%s takes no program: %s", interface_name(ifindex, name),
				strerror(-fd));
	err = link_pin(x, ifindex, fd);
	if (err) {
		close(fd);
		return err;
	}
	*link = (struct xdp_link){ifindex, mode, fd};
	*out = mode;
	return 0;
}
