/* What struct xdp is inside: for xdp.c (program, maps) and xdp_link.c (interfaces). */
#ifndef HW_ENFORCE_XDP_IMPL_H
#define HW_ENFORCE_XDP_IMPL_H

#include "enforce/xdp.h"

#define XDP_PATH_MAX  256
#define XDP_ERROR_MAX 256

struct bpf_object;

struct xdp_link {
	uint32_t ifindex; /* 0 = free */
	enum xdp_mode mode;
	int fd;
};

struct xdp {
	struct bpf_object *object;
	int program;
	int map[XDP_MAP_COUNT];
	const char *pin_dir; /* `dir`, or NULL */
	bool adopted;	     /* maps of an earlier process */
	struct xdp_link link[HW_INTERFACES_MAX];
	char dir[XDP_PATH_MAX];
	char error[XDP_ERROR_MAX];
};

__attribute__((format(printf, 3, 4))) int xdp_fail(struct xdp *x, int err, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) bool
xdp_pin_path(const struct xdp *x, char out[static XDP_PATH_MAX], const char *fmt, ...);
/* Takes over the attachments that an earlier process pinned; they run our program from then on. */
int xdp_links_adopt(struct xdp *x) must_check;
void xdp_links_close(struct xdp *x);

#endif
