/* The least that a drop costs: a program that looks at nothing. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int drop_all(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_DROP;
}

char hw_license[] SEC("license") = "GPL";
