#include "enforce/xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "enforce/xdp_impl.h"
#include <relay_object.h> /* made by src/bpf/meson.build */

static const char *const map_names[XDP_MAP_COUNT] = {
	[XDP_MAP_HEAD] = "hw_head",	  [XDP_MAP_NEXT_HOPS] = "hw_next_hops",
	[XDP_MAP_COUNTS] = "hw_counts",	  [XDP_MAP_SOCKETS] = "hw_sockets",
	[XDP_MAP_CONTROL] = "hw_control", [XDP_MAP_FLOWS] = "hw_flows",
	[XDP_MAP_FIGURES] = "hw_figures", [XDP_MAP_SHIELD] = "hw_shield",
	[XDP_MAP_PORTS] = "hw_ports",	  [XDP_MAP_BANS] = "hw_bans",
	[XDP_MAP_FRIENDS] = "hw_friends", [XDP_MAP_TRUSTED] = "hw_trusted",
	[XDP_MAP_SEEN] = "hw_seen",	  [XDP_MAP_SHIELDED] = "hw_shielded",
};

int xdp_fail(struct xdp *x, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(x->error, sizeof(x->error), fmt, ap);
	va_end(ap);
	return err ? err : -EIO;
}

const char *xdp_error(const struct xdp *x)
{
	return x->error;
}

/* False: the name is too long for a path. */
bool xdp_pin_path(const struct xdp *x, char out[static XDP_PATH_MAX], const char *fmt, ...)
{
	int n = snprintf(out, XDP_PATH_MAX, "%s/", x->pin_dir);
	va_list ap;

	if (n < 0 || n >= XDP_PATH_MAX)
		return false;
	va_start(ap, fmt);
	vsnprintf(out + n, (size_t)(XDP_PATH_MAX - n), fmt, ap);
	va_end(ap);
	return true;
}

int xdp_mount(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) != 0)
		return -errno;
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	return mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") == 0
		       ? 0
		       : -errno;
}

void xdp_clear(const char *pin_dir)
{
	DIR *dir = opendir(pin_dir);
	struct dirent *entry;

	/* Removed while they are listed: again from the start, until a pass finds nothing. */
	for (bool again = dir != NULL; again; rewinddir(dir)) {
		again = false;
		while ((entry = readdir(dir)))
			if (entry->d_name[0] != '.' && unlinkat(dirfd(dir), entry->d_name, 0) == 0)
				again = true;
	}
	if (dir)
		closedir(dir);
	(void)rmdir(pin_dir);
}

/* The verifier's and libbpf's words are kept for the one error line. */
static int keep_last_line(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* Maps that an earlier process pinned are used again: they hold its flows. */
static int reuse_pinned(struct xdp *x, struct bpf_map *map)
{
	char path[XDP_PATH_MAX];
	int fd, err;

	if (!x->pin_dir || !xdp_pin_path(x, path, "%s", bpf_map__name(map)))
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = bpf_map__reuse_fd(map, fd);
	close(fd);
	x->adopted = true;
	return err;
}

static int pin_map(struct xdp *x, struct bpf_map *map)
{
	char path[XDP_PATH_MAX];

	if (!x->pin_dir || !xdp_pin_path(x, path, "%s", bpf_map__name(map)))
		return 0;
	if (access(path, F_OK) == 0)
		return 0;
	return bpf_obj_pin(bpf_map__fd(map), path) == 0 ? 0 : -errno;
}

static int load(struct xdp *x)
{
	struct bpf_map *map;
	int err;

	x->object = bpf_object__open_mem(relay_object, sizeof(relay_object), NULL);
	if (!x->object)
		return xdp_fail(x, -errno, "the program cannot be read: %s", strerror(errno));
	bpf_object__for_each_map(map, x->object)
	{
		err = reuse_pinned(x, map);
		if (err)
			return xdp_fail(x, ERR_VERSION, "%s was left in another shape",
					bpf_map__name(map));
	}
	err = bpf_object__load(x->object);
	if (err)
		return xdp_fail(x, err == -EINVAL && x->adopted ? ERR_VERSION : err,
				"the kernel does not load the program: %s", strerror(-err));
	for (int i = 0; i < XDP_MAP_COUNT; i++) {
		map = bpf_object__find_map_by_name(x->object, map_names[i]);
		if (!map)
			return xdp_fail(x, -ENOENT, "the program has no map %s", map_names[i]);
		x->map[i] = bpf_map__fd(map);
		err = pin_map(x, map);
		if (err)
			return xdp_fail(x, err, "%s cannot be pinned in %s: %s", map_names[i],
					x->pin_dir, strerror(-err));
	}
	x->program = bpf_program__fd(bpf_object__find_program_by_name(x->object, "hw_gateway"));
	return 0;
}

int xdp_new(const char *pin_dir, struct xdp **out)
{
	struct xdp *x = mem_zalloc(1, sizeof(*x));
	int err = 0;

	*out = x;
	if (!x)
		return ERR_NOMEM;
	libbpf_set_print(keep_last_line);
	if (pin_dir) {
		snprintf(x->dir, sizeof(x->dir), "%s", pin_dir);
		x->pin_dir = x->dir;
		if (mkdir(pin_dir, 0700) != 0 && errno != EEXIST)
			return xdp_fail(x, -errno, "%s cannot be made: %s", pin_dir,
					strerror(errno));
	}
	err = load(x);
	return err ? err : xdp_links_adopt(x);
}

void xdp_free(struct xdp *x)
{
	if (!x)
		return;
	xdp_links_close(x);
	bpf_object__close(x->object);
	mem_free(x);
}

int xdp_map_fd(const struct xdp *x, enum xdp_map which)
{
	return x->map[which];
}

int xdp_program_size(const struct xdp *x, struct xdp_size *out)
{
	struct bpf_prog_info info = {0};
	__u32 bytes = sizeof(info);

	if (bpf_obj_get_info_by_fd(x->program, &info, &bytes) != 0)
		return -errno;
	*out = (struct xdp_size){.instructions = info.xlated_prog_len / 8, /* bytes of each */
				 .verified = info.verified_insns,
				 .machine_bytes = info.jited_prog_len};
	return 0;
}

int xdp_program_fd(const struct xdp *x)
{
	return x->program;
}

/* ---- blocks ---- */

static int block_new(struct xdp *x, enum xdp_map outer, unsigned block, size_t entry_bytes,
		     const char *path)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	const char *name = outer == XDP_MAP_FLOWS ? "hw_flow_block" : "hw_figure_block";
	int err, fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), (__u32)entry_bytes,
				     HW_BLOCK_PORTS, &opts);
	__u32 key = block;

	if (fd < 0)
		return -errno;
	if (path)
		(void)unlink(path);
	if (path && bpf_obj_pin(fd, path) != 0)
		err = -errno;
	else
		err = bpf_map_update_elem(x->map[outer], &key, &fd, BPF_ANY) == 0 ? 0 : -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* From its pin (its number would do too, but not without CAP_SYS_ADMIN), or new. */
static int block_map(struct xdp *x, enum xdp_map outer, unsigned block, size_t entry_bytes)
{
	char text[XDP_PATH_MAX];
	const char *path = NULL;
	__u32 key = block, id;
	int fd;

	if (x->pin_dir && xdp_pin_path(x, text, "%s_%u", map_names[outer], block))
		path = text;
	if (bpf_map_lookup_elem(x->map[outer], &key, &id) != 0) {
		fd = block_new(x, outer, block, entry_bytes, path);
	} else {
		fd = path ? bpf_obj_get(path) : bpf_map_get_fd_by_id(id);
		fd = fd < 0 ? -errno : fd;
	}
	return fd < 0 ? xdp_fail(x, fd, "no room for the ports from %u on: %s",
				 block % HW_SLOT_BLOCKS * HW_BLOCK_PORTS, strerror(-fd))
		      : fd;
}

int xdp_block(struct xdp *x, unsigned block, struct xdp_block *out)
{
	struct xdp_block b;

	if (block >= HW_BLOCKS_MAX)
		return ERR_LIMIT;
	/* The figures first: once its flows are there the block is in use. */
	b.figures = block_map(x, XDP_MAP_FIGURES, block, sizeof(struct hw_flow_stats));
	if (b.figures < 0)
		return b.figures;
	b.flows = block_map(x, XDP_MAP_FLOWS, block, sizeof(struct hw_flow));
	if (b.flows < 0) {
		close(b.figures);
		return b.flows;
	}
	*out = b;
	return 0;
}

bool xdp_has_block(const struct xdp *x, unsigned block)
{
	__u32 key = block, id;

	return bpf_map_lookup_elem(x->map[XDP_MAP_FLOWS], &key, &id) == 0;
}

void xdp_counts_add(const struct xdp *x, uint32_t slot, struct hw_slot_counts *sum)
{
	int cpus = libbpf_num_possible_cpus();
	struct hw_slot_counts *all = cpus > 0 ? mem_zalloc((size_t)cpus, sizeof(*all)) : NULL;

	if (all && bpf_map_lookup_elem(x->map[XDP_MAP_COUNTS], &slot, all) == 0) {
		for (int i = 0; i < cpus; i++) {
			sum->closed_packets += all[i].closed_packets;
			sum->closed_bytes += all[i].closed_bytes;
			sum->to_stack += all[i].to_stack;
			sum->relayed += all[i].relayed;
		}
	}
	mem_free(all);
}

const char *xdp_why_name(unsigned user_why)
{
	static const char *const names[HW_USER_COUNT] = {
		[HW_USER_NOT] = "kernel",
		[HW_USER_CONFIGURED] = "configured",
		[HW_USER_NO_PROGRAM] = "no-program",
		[HW_USER_TABLE] = "table-full",
		[HW_USER_FAMILY] = "ipv4-ipv6",
		[HW_USER_OWN_ADDRESS] = "own-address",
		[HW_USER_TRANSFORM] = "transform",
		[HW_USER_NO_ROUTE] = "no-route",
		[HW_USER_NO_NEIGHBOUR] = "no-neighbour",
		[HW_USER_LINK_DOWN] = "link-down",
		[HW_USER_NO_TRANSMIT] = "no-transmit",
		[HW_USER_MTU] = "mtu",
		[HW_USER_SHAPED] = "shaped",
		[HW_USER_CHANGING] = "changing",
		[HW_USER_CHECKED] = "checked",
		[HW_USER_RTCP] = "rtcp",
		[HW_USER_TUNNEL] = "tunnel",
	};

	return user_why < HW_USER_COUNT ? names[user_why] : "unknown";
}
