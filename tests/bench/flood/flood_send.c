/* Sends SIP from forged sources, as fast as it can or at a rate: `flood_send TARGET PORT --seconds
 * S
 * [--sources N] [--rate R] [--cpu N]`; a third each INVITE, REGISTER and garbage. Prints a JSON
 * object. For namespaces of a test alone. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH	     64u
#define PACKET_BYTES 640u
#define SECONDS_MAX  600
#define SOURCE_FIRST 0x10000000u /* 16.0.0.0: none of these is a lab's */
#define SOURCE_ROOM  0x6e000000u /* up to 125.255.255.255 */
#define SPREAD	     2654435761u /* Knuth's multiplicative hash */
#define NS_PER_S     1000000000ull
#define BACK_OFF_NS  20000 /* when the queue is full */

struct options {
	struct sockaddr_in target;
	double seconds;
	uint32_t sources;
	uint64_t rate_per_s; /* 0 = as fast as possible */
	int cpu;	     /* -1 = any */
};

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	char text[PACKET_BYTES];
} __attribute__((packed));

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t cpu_ns(void)
{
	unsigned long long ran = 0;
	FILE *f = fopen("/proc/self/schedstat", "r");

	if (f && fscanf(f, "%llu", &ran) != 1)
		ran = 0;
	if (f)
		fclose(f);
	return ran;
}

static size_t write_text(char *text, uint64_t number, const char *source)
{
	static const char *const methods[] = {"INVITE", "REGISTER"};
	const char *method = methods[number & 1];

	if (number % 3 == 2) {
		memset(text, (int)(number & 0x7f) | 0x80, 200);
		return 200;
	}
	return (size_t)snprintf(
		text, PACKET_BYTES,
		"%s sip:%u@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP "
		"%s:5060;branch=z9hG4bK%llx;rport\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:%u@pbx.test>;tag=f%llx\r\nTo: <sip:%u@pbx.test>\r\n"
		"Call-ID: %llx@%s\r\nCSeq: 1 %s\r\nContact: <sip:x@%s:5060>\r\n"
		"Content-Length: 0\r\n\r\n",
		method, (unsigned)(number % 9000), source, (unsigned long long)number,
		(unsigned)(number % 9000), (unsigned long long)number, (unsigned)(number % 9000),
		(unsigned long long)number, source, method, source);
}

static size_t write_packet(struct packet *p, const struct options *o, uint64_t number)
{
	uint32_t source = SOURCE_FIRST + (uint32_t)(number % o->sources) * SPREAD % SOURCE_ROOM;
	struct in_addr from = {htonl(source)};
	char shown[INET_ADDRSTRLEN];
	size_t n;

	inet_ntop(AF_INET, &from, shown, sizeof(shown));
	n = write_text(p->text, number, shown) + sizeof(p->udp);
	p->ip = (struct iphdr){.version = 4,
			       .ihl = 5,
			       .ttl = 64,
			       .protocol = IPPROTO_UDP,
			       .tot_len = htons((uint16_t)(n + sizeof(p->ip))),
			       .saddr = from.s_addr,
			       .daddr = o->target.sin_addr.s_addr};
	p->udp = (struct udphdr){.source = htons((uint16_t)(1024 + number % 60000)),
				 .dest = o->target.sin_port,
				 .len = htons((uint16_t)n)};
	return n + sizeof(p->ip);
}

static void sleep_until(uint64_t at_ns)
{
	struct timespec t = {(time_t)(at_ns / NS_PER_S), (long)(at_ns % NS_PER_S)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* What was sent, or a negative error. */
static int64_t flood(int fd, const struct options *o)
{
	static struct packet packets[BATCH];
	static struct mmsghdr heads[BATCH];
	static struct iovec parts[BATCH];
	struct sockaddr_in to = o->target;
	uint64_t began = now_ns(), until = began + (uint64_t)(o->seconds * 1e9), sent = 0, at;

	while ((at = now_ns()) < until) {
		int n;

		for (unsigned i = 0; i < BATCH; i++) {
			parts[i] =
				(struct iovec){&packets[i], write_packet(&packets[i], o, sent + i)};
			heads[i].msg_hdr = (struct msghdr){.msg_name = &to,
							   .msg_namelen = sizeof(to),
							   .msg_iov = &parts[i],
							   .msg_iovlen = 1};
		}
		n = sendmmsg(fd, heads, BATCH, 0);
		if (n < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n < 0)
			sleep_until(now_ns() + BACK_OFF_NS);
		sent += n > 0 ? (uint64_t)n : 0;
		if (o->rate_per_s && began + sent * NS_PER_S / o->rate_per_s > now_ns())
			sleep_until(began + sent * NS_PER_S / o->rate_per_s);
	}
	return (int64_t)sent;
}

static int options_read(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {{"seconds", required_argument, NULL, 's'},
					      {"sources", required_argument, NULL, 'n'},
					      {"rate", required_argument, NULL, 'r'},
					      {"cpu", required_argument, NULL, 'c'},
					      {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.seconds = 1, .sources = 200000, .cpu = -1};
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			o->seconds = strtod(optarg, NULL);
		else if (c == 'n')
			o->sources = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'r')
			o->rate_per_s = strtoul(optarg, NULL, 10);
		else if (c == 'c')
			o->cpu = (int)strtol(optarg, NULL, 10);
		else
			return -EINVAL;
	}
	o->target.sin_family = AF_INET;
	if (argc - optind != 2 || inet_pton(AF_INET, argv[optind], &o->target.sin_addr) != 1 ||
	    o->sources == 0 || o->seconds <= 0 || o->seconds > SECONDS_MAX)
		return -EINVAL;
	o->target.sin_port = htons((uint16_t)strtoul(argv[optind + 1], NULL, 10));
	return 0;
}

int main(int argc, char **argv)
{
	struct options o;
	uint64_t cpu, began;
	int64_t sent;
	cpu_set_t set;
	int fd;

	if (options_read(&o, argc, argv)) {
		fputs("usage: flood_send ADDRESS PORT --seconds S [--sources N] [--rate R] [--cpu "
		      "N]\n",
		      stderr);
		return 2;
	}
	CPU_ZERO(&set);
	if (o.cpu >= 0) {
		CPU_SET((size_t)o.cpu, &set);
		(void)sched_setaffinity(0, sizeof(set), &set);
	}
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0) {
		perror("flood_send: socket");
		return 2;
	}
	cpu = cpu_ns();
	began = now_ns();
	sent = flood(fd, &o);
	if (sent < 0) {
		fprintf(stderr, "flood_send: %s\n", strerror((int)-sent));
		return 1;
	}
	printf("{\"sent\": %lld, \"seconds\": %.3f, \"cpu_ns\": %llu}\n", (long long)sent,
	       (double)(now_ns() - began) / 1e9, (unsigned long long)(cpu_ns() - cpu));
	return 0;
}
