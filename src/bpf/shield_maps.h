/* Kernel side: the shield's maps. Those of fixed size are arrays that are indexed by a keyed hash:
 * nothing is ever entered or pushed out, so a flood from ever new sources costs no more than one.
 */
#ifndef HW_BPF_SHIELD_MAPS_H
#define HW_BPF_SHIELD_MAPS_H

#include "bpf/packet.h"
#include "bpf/shield_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hw_shield_setup);
} hw_shield SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HW_SHIELD_PORTS_MAX);
	__type(key, struct hw_shield_port_key);
	__type(value, struct hw_shield_port);
} hw_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HW_SHIELD_BANS_MAX);
	__type(key, struct hw_shield_prefix);
	__type(value, struct hw_shield_ban);
} hw_bans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HW_SHIELD_FRIENDS_MAX);
	__type(key, struct hw_shield_prefix);
	__type(value, struct hw_shield_friend);
} hw_friends SEC(".maps");

/* Entered by user space alone: no stranger pushes anybody out. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HW_SHIELD_FLOWS_MAX);
	__type(key, struct hw_shield_flow_key);
	__type(value, struct hw_shield_flow);
} hw_trusted SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HW_SHIELD_BUCKETS);
	__type(key, __u32);
	__type(value, __u64);
} hw_buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HW_BUDGET_COUNT);
	__type(key, __u32);
	__type(value, struct hw_shield_total);
} hw_totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HW_SHIELD_FRAGMENTS);
	__type(key, __u32);
	__type(value, struct hw_shield_fragment);
} hw_fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HW_SHIELD_SEEN);
	__type(key, __u32);
	__type(value, struct hw_shield_seen);
} hw_seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hw_shield_counts);
} hw_shielded SEC(".maps");

#endif
