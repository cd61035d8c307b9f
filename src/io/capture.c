#include "io/capture.h"

#include <pcap/pcap.h>

#include "base/mem.h"

_Static_assert(CAPTURE_ERROR_MAX == PCAP_ERRBUF_SIZE, "libpcap's messages fit");

struct capture {
	pcap_t *pcap;
};

int capture_open(const char *path, struct capture **out, char why[static CAPTURE_ERROR_MAX])
{
	struct capture *c = mem_zalloc(1, sizeof(*c));

	why[0] = '\0';
	if (!c)
		return ERR_NOMEM;
	c->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!c->pcap) {
		mem_free(c);
		return ERR_SYNTAX;
	}
	*out = c;
	return 0;
}

int capture_next(struct capture *c, struct capture_packet *out, char why[static CAPTURE_ERROR_MAX])
{
	struct pcap_pkthdr *head;
	const u_char *bytes;
	int got = pcap_next_ex(c->pcap, &head, &bytes);

	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got != 1) {
		slice_to_z(slice_z(pcap_geterr(c->pcap)), why, CAPTURE_ERROR_MAX);
		return ERR_SYNTAX;
	}
	/* With nanosecond precision tv_usec counts nanoseconds. */
	out->time_ns = (uint64_t)head->ts.tv_sec * 1000000000u + (uint64_t)head->ts.tv_usec;
	out->bytes = slice_of((const char *)bytes, head->caplen);
	out->cut = head->caplen < head->len;
	return 1;
}

int capture_link_type(const struct capture *c)
{
	return pcap_datalink(c->pcap);
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	pcap_close(c->pcap);
	mem_free(c);
}
