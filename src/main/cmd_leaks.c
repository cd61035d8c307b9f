/* hornwork leaks, hornwork devices: what the gateway saw on its zones' links. */
#include <stdio.h>

#include "main/client.h"
#include "main/command.h"

static const char leaks_help[] =
	"usage: hornwork leaks [--json] [--run-dir DIR]\n"
	"\nWhat was seen on the zones' links and does not belong there: who sent it, where, how "
	"often,\n"
	"when last, and the evidence. What was not seen for an hour gives way to newer ones.\n";
static const char devices_help[] =
	"usage: hornwork devices [--json] [--run-dir DIR]\n"
	"\nWho announced himself on the zones' links by LLDP, CDP or DHCP, or spoke in a voice\n"
	"zone, with maker, model and firmware as he says them.\n";

static void print_safe(const char *text)
{
	for (; *text; text++)
		putchar(*text >= ' ' && *text != 0x7f ? *text : '.');
}

static void print_leak(const json_t *k)
{
	const char *zone = client_text(k, "zone");
	long long count = client_number(k, "count");

	printf("%s  %s on %s%s%s, %lld frame%s: %s [%s]\n    ", client_text(k, "last_seen"),
	       client_text(k, "src_mac"), client_text(k, "link"), *zone ? ", zone " : "", zone,
	       count, count == 1 ? "" : "s", client_text(k, "why"), client_text(k, "reason"));
	print_safe(client_text(k, "evidence"));
	putchar('\n');
}

static void print_device(const json_t *d)
{
	static const char *const said[] = {"name", "maker", "model", "firmware", "serial"};
	const char *zone = client_text(d, "zone"), *address = client_text(d, "address");

	printf("%s  %-7s  %-15s on %s%s%s", client_text(d, "mac"), client_text(d, "class"),
	       *address ? address : "-", client_text(d, "link"), *zone ? ", zone " : "", zone);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		const char *text = client_text(d, said[i]);

		if (!*text)
			continue;
		printf("  %s ", said[i]);
		print_safe(text);
	}
	putchar('\n');
}

static int list(int argc, char **argv, const char *help, const char *path, const char *none,
		void (*print)(const json_t *row))
{
	struct client_options o;
	struct client_answer a = {0};
	int code = client_options_parse(argc, argv, help, NULL, &o);
	const json_t *row;
	size_t i;

	if (code >= 0)
		return code;
	code = EXIT_USAGE;
	if (client_ask(&o, "GET", path, NULL, &a) == 0) {
		code = a.status == 200 ? EXIT_GOOD : client_print_error(&a);
		if (a.status == 200 && o.json)
			client_print_json(&a);
		else if (a.status == 200 && json_array_size(a.json) == 0)
			printf("%s\n", none);
		else if (a.status == 200)
			json_array_foreach(a.json, i, row) print(row);
	}
	client_answer_done(&a);
	return code;
}

int cmd_leaks(int argc, char **argv)
{
	return list(argc, argv, leaks_help, "/v1/leaks", "nothing leaks on the links watched",
		    print_leak);
}

int cmd_devices(int argc, char **argv)
{
	return list(argc, argv, devices_help, "/v1/devices", "nobody announced himself",
		    print_device);
}
