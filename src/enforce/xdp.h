/* The kernel path's program and maps: loads, pins, attaches. Used by the warden, and by tests and
 * measurements that want the path without a gateway. Needs CAP_BPF and CAP_NET_ADMIN (and, where
 * older kernels ask for it, CAP_PERFMON); load before giving up root, so that the verifier does not
 * have to guard against speculation. */
#ifndef HW_ENFORCE_XDP_H
#define HW_ENFORCE_XDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bpf/abi.h"

struct xdp;

enum xdp_mode {
	XDP_DETACHED,
	XDP_NATIVE,  /* in the driver */
	XDP_GENERIC, /* behind the driver, on socket buffers: any driver, three times as slow */
};

enum xdp_map {
	XDP_MAP_HEAD,	   /* struct hw_table_head */
	XDP_MAP_NEXT_HOPS, /* struct hw_next_hop by number; number 0 is none */
	XDP_MAP_COUNTS,	   /* struct hw_slot_counts by slot, per CPU */
	XDP_MAP_SOCKETS,   /* AF_XDP sockets by xdp_socket_key() */
	XDP_MAP_CONTROL,   /* ring buffer of struct hw_control_copy */
	XDP_MAP_FLOWS,	   /* blocks of struct hw_flow */
	XDP_MAP_FIGURES,   /* blocks of struct hw_flow_stats */
	XDP_MAP_SHIELD,	   /* from here on bpf/shield_abi.h: the one struct hw_shield_setup */
	XDP_MAP_PORTS,	   /* struct hw_shield_port by struct hw_shield_port_key */
	XDP_MAP_BANS,	   /* struct hw_shield_ban by struct hw_shield_prefix */
	XDP_MAP_FRIENDS,   /* struct hw_shield_friend likewise */
	XDP_MAP_TRUSTED,   /* struct hw_shield_flow by struct hw_shield_flow_key */
	XDP_MAP_SEEN,	   /* struct hw_shield_seen by hash */
	XDP_MAP_SHIELDED,  /* the one struct hw_shield_counts, per CPU */
	XDP_MAP_COUNT
};

/* Loads the program. With `pin_dir` (a folder below a bpffs, made if it is missing) maps, program
 * and attachments outlive this process, and what an earlier one left there is taken over; NULL: all
 * ends with this process. On failure *out is there all the same, for xdp_error alone, or NULL
 * (ERR_NOMEM). ERR_VERSION: what was left is of another layout (xdp_clear and try again), -errno.
 */
int xdp_new(const char *pin_dir, struct xdp **out) must_check;
/* What went wrong last, for the administrator. */
const char *xdp_error(const struct xdp *x);
/* Closes. What is pinned stays; what is not pinned ends. Accepts NULL. */
void xdp_free(struct xdp *x);
/* Removes every pin in the folder, and with them programs and maps that nobody holds. */
void xdp_clear(const char *pin_dir);
/* Mounts a bpffs at `path` unless one is there. Needs CAP_SYS_ADMIN. -errno. */
int xdp_mount(const char *path) must_check;

/* A map's descriptor, with all rights; borrowed until xdp_free. */
int xdp_map_fd(const struct xdp *x, enum xdp_map which);
int xdp_program_fd(const struct xdp *x);
struct xdp_size {
	uint32_t instructions;	/* of the program as it is loaded */
	uint32_t verified;	/* that the verifier walked */
	uint32_t machine_bytes; /* 0 = it is interpreted */
};
/* -errno. */
int xdp_program_size(const struct xdp *x, struct xdp_size *out) must_check;

/* The two arrays of a block (number as in flow_table_block), made if they are missing. With all
 * rights, for no other could be mapped; the caller closes them. ERR_LIMIT, -errno (no memory: such
 * a block takes 1.3 MB). */
struct xdp_block {
	int flows, figures;
};
int xdp_block(struct xdp *x, unsigned block, struct xdp_block *out) must_check;

/* Whether the kernel has the block. */
bool xdp_has_block(const struct xdp *x, unsigned block);
/* Adds what all CPUs counted for a slot. */
void xdp_counts_add(const struct xdp *x, uint32_t slot, struct hw_slot_counts *sum);

/* Attaches to an interface, or goes on where it is attached already (in either mode, unless another
 * one is wanted): natively where the driver can, unless `generic`. -EBUSY: another program is
 * there, xdp_error names it. ERR_LIMIT, -errno. */
int xdp_attach(struct xdp *x, uint32_t ifindex, bool generic, enum xdp_mode *out) must_check;
void xdp_detach(struct xdp *x, uint32_t ifindex);
enum xdp_mode xdp_mode_of(const struct xdp *x, uint32_t ifindex);
/* Number of an attached interface among ours, for hw_table_address.interface; 0xffff = none. */
uint16_t xdp_interface_number(const struct xdp *x, uint32_t ifindex);
/* The attached interface of that number; 0 = none. */
uint32_t xdp_interface_at(const struct xdp *x, uint16_t number);
/* Can the interface send what another one's native program redirects to it? True also when the
 * kernel cannot say. */
bool xdp_can_transmit(uint32_t ifindex);

/* Where an AF_XDP socket of this interface's receive queue stands in XDP_MAP_SOCKETS. Packets of
 * open flows with a `user_why` go to it; where none stands, to the stack. */
uint32_t xdp_socket_key(uint16_t interface, uint32_t queue);
const char *xdp_mode_name(enum xdp_mode mode);
/* "no-route", ... of an enum hw_user_why; "kernel" for HW_USER_NOT. Borrowed for ever. */
const char *xdp_why_name(unsigned user_why);

#endif
