/* `hornwork watch`: what a capture tells of calls, their media, and what the gateway would refuse.
 */
#include "main/command.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/random.h>

#include "io/capture.h"
#include "io/fragments.h"
#include "main/watch.h"

struct feed {
	struct watch watch;
	struct reassembly tcp;
	struct fragments *fragments;
	int link;
};

static void usage(FILE *to)
{
	fputs("usage: hornwork watch -r FILE [--json]\n"
	      "Reads a capture (pcap or pcapng; Ethernet, VLAN, Linux cooked, loopback, raw IP) "
	      "and\n"
	      "shows its calls, their messages, their streams with loss, jitter and R-factor, and "
	      "what\n"
	      "the gateway would have refused and why.\n"
	      "Exit code 2 when FILE is no capture.\n",
	      to);
}

static void feed_transport(struct feed *f, uint64_t time_ns, enum packet_kind kind,
			   const struct packet *p)
{
	struct watch_at at = {.time_ns = time_ns, .src = p->src, .dst = p->dst};
	struct tcp_flow *flow;

	if (kind == PACKET_UDP) {
		f->watch.counts.udp++;
		at.transport = TRANSPORT_UDP;
		watch_on_datagram(&f->watch, &at, p->payload);
	} else if (kind == PACKET_TCP) {
		f->watch.counts.tcp++;
		at.transport = TRANSPORT_TCP;
		flow = reassembly_add(&f->tcp, p);
		if (flow)
			watch_on_stream(&f->watch, &at, flow);
	}
}

static void feed_packet(struct feed *f, const struct capture_packet *raw)
{
	struct watch_counts *counts = &f->watch.counts;
	struct packet p;
	enum packet_kind kind = packet_decode(f->link, raw->bytes, &p);

	if (counts->packets++ == 0)
		f->watch.first_ns = raw->time_ns;
	f->watch.last_ns = raw->time_ns;
	counts->bytes += raw->bytes.n;
	counts->cut += raw->cut || p.cut;
	if (kind == PACKET_FRAGMENT) {
		counts->fragments++;
		kind = fragments_add(f->fragments, raw->time_ns, &p);
	}
	counts->other += kind == PACKET_OTHER;
	counts->broken += kind == PACKET_BROKEN;
	feed_transport(f, raw->time_ns, kind, &p);
}

/* 0 when the capture was read to its end, or to where it breaks off, which is told. */
static int feed_all(struct feed *f, const char *file)
{
	char why[CAPTURE_ERROR_MAX];
	struct capture_packet raw;
	struct capture *c;
	int more, err = capture_open(file, &c, why);

	if (err) {
		fprintf(stderr, "hornwork watch: %s: %s\n", file, why[0] ? why : err_text(err));
		return err;
	}
	f->link = capture_link_type(c);
	if (!packet_link_known(f->link))
		fprintf(stderr,
			"hornwork watch: %s: link type %d is not known; nothing can be seen\n",
			file, f->link);
	while ((more = capture_next(c, &raw, why)) == 1)
		feed_packet(f, &raw);
	if (more < 0)
		fprintf(stderr, "hornwork watch: %s: the rest cannot be read: %s\n", file, why);
	capture_close(c);
	watch_finish(&f->watch);
	return 0;
}

static int feed_init(struct feed *f)
{
	struct hash_key key;
	int err;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return ERR_ABSENT;
	*f = (struct feed){0};
	err = watch_init(&f->watch, &key);
	if (err)
		return err;
	err = reassembly_init(&f->tcp, &key);
	if (!err)
		err = fragments_new(&f->fragments);
	if (err) {
		reassembly_done(&f->tcp);
		watch_done(&f->watch);
	}
	return err;
}

static int watch_file(const char *file, bool json)
{
	struct feed f;
	int err = feed_init(&f);

	if (err) {
		fprintf(stderr, "hornwork watch: %s\n", err_text(err));
		return EXIT_USAGE;
	}
	err = feed_all(&f, file);
	if (!err) {
		f.watch.counts.not_kept += f.tcp.dropped;
		err = json ? watch_write_json(&f.watch, file) : watch_write_text(&f.watch, file);
		if (err)
			fprintf(stderr, "hornwork watch: the report: %s\n", err_text(err));
	}
	fragments_free(f.fragments);
	reassembly_done(&f.tcp);
	watch_done(&f.watch);
	return err ? EXIT_USAGE : EXIT_GOOD;
}

int cmd_watch(int argc, char **argv)
{
	static const struct option options[] = {
		{"read", required_argument, NULL, 'r'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *file = NULL;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "r:h", options, NULL)) != -1) {
		if (c == 'r') {
			file = optarg;
		} else if (c == 'j') {
			json = true;
		} else {
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_GOOD : EXIT_USAGE;
		}
	}
	if (!file || optind != argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return watch_file(file, json);
}
