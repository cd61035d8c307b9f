/* `hornwork watch`: what a capture tells of calls, their media, and what the gateway would refuse.
 */
#include "main/command.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/mem.h"
#include "io/capture.h"
#include "io/fragments.h"
#include "main/assess.h"
#include "main/leak.h"
#include "main/patch_files.h"
#include "main/watch_attack.h"

#define RULES_MAX 32 /* --rules */

struct feed {
	struct watch watch;
	struct reassembly tcp;
	struct fragments *fragments;
	int link;
	struct config *config; /* NULL = leaks are not looked for */
	struct leaks leaks;
	struct watch_attacks attacks;
};

enum form { FORM_TEXT, FORM_JSON, FORM_EVENTS };

struct wish {
	const char *file, *config, *link;
	struct slice rules[RULES_MAX];
	size_t rule_count;
	enum form form;
};

static void usage(FILE *to)
{
	fputs("usage: hornwork watch -r FILE [-c CONFIG --link INTERFACE] [--rules FILE]...\n"
	      "                      [--json | --events]\n"
	      "Reads a capture (pcap or pcapng; Ethernet, VLAN, Linux cooked, loopback, raw IP) "
	      "and\n"
	      "shows its calls, their messages, their streams with loss, jitter and R-factor, and "
	      "what\n"
	      "the gateway would have refused and why. Attacks are named by the gateway's own\n"
	      "judgement: scanners, guessed passwords, floods, attacks on known flaws (the "
	      "shipped\n"
	      "rules and those of --rules). --events prints them alone, as the gateway's events:\n"
	      "one JSON object a line.\n"
	      "With -c and --link the capture is one of that interface in that configuration: what "
	      "does\n"
	      "not belong there is listed (VLAN tags, voice in a data zone or in the clear, who "
	      "answers\n"
	      "DHCP or speaks as a switch and may not), and the devices that announced "
	      "themselves.\n"
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
	if (f->config)
		leaks_on_frame(&f->leaks, raw->bytes, raw->time_ns / 1000000);
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
	if (f->config && f->link != LINK_ETHERNET) {
		fprintf(stderr,
			"hornwork watch: %s: holds no Ethernet frames: take it on one "
			"interface, not on 'any', to look for leaks\n",
			file);
		capture_close(c);
		return ERR_SYNTAX;
	}
	while ((more = capture_next(c, &raw, why)) == 1)
		feed_packet(f, &raw);
	if (more < 0)
		fprintf(stderr, "hornwork watch: %s: the rest cannot be read: %s\n", file, why);
	capture_close(c);
	watch_finish(&f->watch);
	return 0;
}

/* The link by the name that the zones call it. ERR_ABSENT, ERR_SYNTAX, ERR_NOMEM; it is told. */
static int leaks_begin(struct feed *f, const struct wish *wish, const struct hash_key *key)
{
	struct r5_link link = {.of = wish->link};
	int err = ERR_ABSENT;

	if (!wish->config)
		return 0;
	f->config = assess_load_config(wish->config);
	if (!f->config)
		return ERR_SYNTAX;
	link.config = f->config;
	for (size_t i = 0; err && i < f->config->zone_count; i++) {
		const struct config_zone *z = &f->config->zones[i];

		if (strcmp(z->interface, wish->link) == 0 || strcmp(z->parent, wish->link) == 0)
			err = 0;
	}
	if (err)
		fprintf(stderr, "hornwork watch: no zone of %s is on interface %s\n", wish->config,
			wish->link);
	err = err ? err : leaks_init(&f->leaks, &link, key);
	f->watch.leaks = &f->leaks;
	return err;
}

static void on_rules_error(void *ctx, const char *file, unsigned line, const char *text)
{
	(void)ctx;
	if (file)
		fprintf(stderr, "%s:%u: %s\n", file, line, text);
	else
		fprintf(stderr, "hornwork watch: %s\n", text);
}

/* The rules that the configuration wants, or the shipped ones, and those of --rules. ERR_SYNTAX (it
 * was told), ERR_NOMEM. */
static int rules_read(const struct feed *f, const struct wish *wish, struct patch_set **out)
{
	struct config *c = f->config ? f->config : mem_zalloc(1, sizeof(*c));
	struct patch_files files = {0};
	const struct config_patches kept = c ? c->patches : (struct config_patches){0};
	struct slice all[RULES_MAX];
	size_t n = 0;
	int err = c ? 0 : ERR_NOMEM;

	if (err)
		return err;
	for (size_t i = 0; i < wish->rule_count; i++)
		all[n++] = wish->rules[i];
	for (size_t i = 0; i < kept.file_count && n < RULES_MAX; i++)
		all[n++] = kept.files[i];
	c->patches.files = all;
	c->patches.file_count = n;
	c->patches.shipped = f->config ? kept.shipped : true;
	if (n < wish->rule_count + kept.file_count) {
		fprintf(stderr, "hornwork watch: more than %d files of rules\n", RULES_MAX);
		err = ERR_SYNTAX;
	}
	err = err ? err : patch_files_open(c, &files, on_rules_error, NULL);
	err = err ? err
		  : patch_files_set(c, slice_of(files.text, files.n), out, on_rules_error, NULL);
	patch_files_close(&files);
	if (f->config)
		c->patches = kept;
	else
		mem_free(c);
	return err;
}

static int attacks_begin(struct feed *f, const struct wish *wish)
{
	struct patch_set *patches = NULL;
	int err = rules_read(f, wish, &patches);

	return err ? err : watch_attacks_init(&f->attacks, &f->watch, f->config, patches);
}

static void feed_done(struct feed *f)
{
	watch_attacks_done(&f->attacks);
	fragments_free(f->fragments);
	reassembly_done(&f->tcp);
	watch_done(&f->watch);
	leaks_done(&f->leaks);
	config_free(f->config);
}

static int feed_init(struct feed *f, const struct wish *wish)
{
	struct hash_key key;
	int err;

	*f = (struct feed){0};
	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return ERR_ABSENT;
	err = watch_init(&f->watch, &key);
	if (err)
		return err;
	err = reassembly_init(&f->tcp, &key);
	err = err ? err : fragments_new(&f->fragments);
	err = err ? err : leaks_begin(f, wish, &key);
	err = err ? err : attacks_begin(f, wish);
	if (err)
		feed_done(f);
	return err;
}

static int report(const struct feed *f, const struct wish *wish)
{
	if (wish->form == FORM_EVENTS)
		return watch_attacks_write_events(&f->attacks);
	return wish->form == FORM_JSON ? watch_write_json(&f->watch, wish->file)
				       : watch_write_text(&f->watch, wish->file);
}

static int watch_file(const struct wish *wish)
{
	struct feed f;
	int err = feed_init(&f, wish);

	if (err) {
		fprintf(stderr, "hornwork watch: %s\n", err_text(err));
		return EXIT_USAGE;
	}
	err = feed_all(&f, wish->file);
	if (!err) {
		f.watch.counts.not_kept += f.tcp.dropped;
		err = report(&f, wish);
		if (err)
			fprintf(stderr, "hornwork watch: the report: %s\n", err_text(err));
	}
	feed_done(&f);
	return err ? EXIT_USAGE : EXIT_GOOD;
}

int cmd_watch(int argc, char **argv)
{
	static const struct option options[] = {
		{"read", required_argument, NULL, 'r'}, {"config", required_argument, NULL, 'c'},
		{"link", required_argument, NULL, 'l'}, {"json", no_argument, NULL, 'j'},
		{"events", no_argument, NULL, 'e'},	{"rules", required_argument, NULL, 'R'},
		{"help", no_argument, NULL, 'h'},	{NULL, 0, NULL, 0},
	};
	struct wish wish = {0};
	int c;

	while ((c = getopt_long(argc, argv, "r:c:h", options, NULL)) != -1) {
		if (c == 'r') {
			wish.file = optarg;
		} else if (c == 'c') {
			wish.config = optarg;
		} else if (c == 'l') {
			wish.link = optarg;
		} else if (c == 'j') {
			wish.form = FORM_JSON;
		} else if (c == 'e') {
			wish.form = FORM_EVENTS;
		} else if (c == 'R' && wish.rule_count < RULES_MAX) {
			wish.rules[wish.rule_count++] = slice_z(optarg);
		} else {
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_GOOD : EXIT_USAGE;
		}
	}
	if (!wish.file || optind != argc || !wish.config != !wish.link) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return watch_file(&wish);
}
