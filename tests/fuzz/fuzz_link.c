/* Frames below IP: what is read of them lies in their bytes, and a policy is within its ranges. The
 * first byte says which of the codecs. */
#include <stdlib.h>

#include "proto/link/dhcp.h"
#include "proto/link/speaker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void must_lie_in(struct slice part, struct slice whole)
{
	must(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void check_speaker(int err, const struct link_speaker *s, struct slice all)
{
	const struct slice parts[] = {s->name,	   s->description, s->model,
				      s->firmware, s->maker,	   s->serial};

	for (size_t i = 0; !err && i < sizeof(parts) / sizeof(parts[0]); i++)
		must_lie_in(parts[i], all);
	if (err)
		return;
	must(s->med_class <= LINK_MED_NETWORK && s->policy_vlan <= 0xfff);
	must(s->policy_priority <= 7 && s->policy_dscp <= 63);
	must(!link_speaker_is_phone(s) || !link_speaker_is_network(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = slice_of((const char *)data, size);
	struct link_speaker s = {0};
	struct link_frame f;
	struct link_dhcp d;
	struct slice rest = slice_from(all, 1);

	if (size == 0)
		return 0;
	if (data[0] == 'd') {
		if (link_dhcp_parse(rest, &d) == 0) {
			must_lie_in(d.vendor, rest);
			must_lie_in(d.host, rest);
			(void)link_dhcp_vendor_is_phone(d.vendor);
		}
		return 0;
	}
	if (link_frame_parse(rest, &f))
		return 0;
	must(f.tag_count <= LINK_TAGS_MAX);
	must_lie_in(f.payload, rest);
	if (link_is_cdp(&f))
		check_speaker(link_cdp_parse(f.payload, &s), &s, rest);
	else
		check_speaker(link_lldp_parse(f.payload, &s), &s, rest);
	return 0;
}
