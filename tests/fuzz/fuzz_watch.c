/* A capture in memory: records of a link type's byte, two bytes of length (big-endian), a frame.
 * What `watch` makes of them, packet by packet, as the command does. */
#include <stdlib.h>

#include "io/fragments.h"
#include "main/watch.h"

#define STEP_NS 20000000u /* between two packets */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct watch *w, struct reassembly *tcp, struct fragments *f, int link,
		 struct slice frame, uint64_t now_ns)
{
	struct packet p;
	enum packet_kind kind = packet_decode(link, frame, &p);
	struct watch_at at = {.time_ns = now_ns};
	struct tcp_flow *flow;

	if (kind == PACKET_FRAGMENT)
		kind = fragments_add(f, now_ns, &p);
	at.src = p.src;
	at.dst = p.dst;
	if (kind == PACKET_UDP) {
		watch_on_datagram(w, &at, p.payload);
	} else if (kind == PACKET_TCP) {
		at.transport = TRANSPORT_TCP;
		flow = reassembly_add(tcp, &p);
		if (flow)
			watch_on_stream(w, &at, flow);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of((const char *)data, size);
	struct hash_key key = {1, 2};
	uint64_t now_ns = STEP_NS;
	struct reassembly tcp;
	struct fragments *f;
	struct watch w;

	if (watch_init(&w, &key) || reassembly_init(&tcp, &key) || fragments_new(&f))
		abort();
	w.first_ns = now_ns;
	while (rest.n >= 3) {
		const uint8_t *head = (const uint8_t *)rest.p;
		struct slice frame =
			slice_first(slice_from(rest, 3), (size_t)head[1] << 8 | head[2]);

		feed(&w, &tcp, f, head[0], frame, now_ns);
		rest = slice_from(rest, 3 + frame.n);
		now_ns += STEP_NS;
	}
	watch_finish(&w);
	fragments_free(f);
	reassembly_done(&tcp);
	watch_done(&w);
	return 0;
}
