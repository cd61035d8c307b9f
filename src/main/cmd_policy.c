/* hornwork policy: what may pass between the zones, in words; of a file, or as the gateway runs. */
#include <getopt.h>
#include <stdio.h>

#include "base/err.h"
#include "main/client.h"
#include "main/command.h"
#include "main/policy_file.h"

#define QUESTION_MAX 200 /* bytes of FROM TO PORT with their NUL */

static const char help[] =
	"usage: hornwork policy [-c FILE] [--json] [--run-dir DIR]\n"
	"       hornwork policy [-c FILE] [--json] [--run-dir DIR] --explain FROM TO PORT\n"
	"\n"
	"What may pass from zone to zone and to the gateway itself. Without -c the running gateway "
	"is\n"
	"asked, which also tells how many packets it dropped.\n"
	"\n"
	"  -c FILE              the policy that this configuration would make\n"
	"  --explain FROM TO PORT\n"
	"                       whether it passes, and which line of the configuration decides.\n"
	"                       FROM and TO: a zone, an address, or \"gateway\"; PORT: tcp:22, "
	"udp:5060, 22\n"
	"\n"
	"Exit: 0 (--explain: it passes), 1 (it is dropped), 2 usage, or there is no gateway.\n";

struct policy_options {
	struct client_options client;
	const char *file; /* NULL: the running gateway */
	char question[QUESTION_MAX];
};

static int usage(FILE *to, int code)
{
	fputs(help, to);
	return code;
}

static int read_question(struct policy_options *o, int argc, char **argv, bool explain)
{
	int n;

	if (!explain)
		return optind == argc ? -1 : usage(stderr, EXIT_USAGE);
	if (argc - optind != 3) {
		fputs("hornwork policy: --explain takes FROM, TO and PORT\n", stderr);
		return usage(stderr, EXIT_USAGE);
	}
	n = snprintf(o->question, sizeof(o->question), "%s %s %s", argv[optind], argv[optind + 1],
		     argv[optind + 2]);
	return n < QUESTION_MAX ? -1 : usage(stderr, EXIT_USAGE);
}

static int parse_options(int argc, char **argv, struct policy_options *o)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'},
		{"run-dir", required_argument, NULL, 'r'},
		{"explain", no_argument, NULL, 'e'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool explain = false;
	int c;

	*o = (struct policy_options){.client.run_dir = run_dir_default()};
	while ((c = getopt_long(argc, argv, "hc:", longs, NULL)) != -1) {
		if (c == 'j')
			o->client.json = true;
		else if (c == 'r')
			o->client.run_dir = optarg;
		else if (c == 'c')
			o->file = optarg;
		else if (c == 'e')
			explain = true;
		else
			return usage(c == 'h' ? stdout : stderr, c == 'h' ? EXIT_GOOD : EXIT_USAGE);
	}
	return read_question(o, argc, argv, explain);
}

static int answer_of_file(const struct policy_options *o, struct client_answer *a)
{
	int err = policy_of_file(o->file, slice_z(o->question), &a->text, &a->bytes);

	if (err)
		return err;
	a->status = 200;
	a->json = json_loads(a->text, 0, NULL);
	return a->json ? 0 : ERR_NOMEM;
}

/* ---- in words ---- */

static void print_list(const json_t *list, const char *none)
{
	const json_t *v;
	size_t i;

	if (json_array_size(list) == 0)
		printf("%s", none);
	json_array_foreach(list, i, v) printf("%s%s", i ? "; " : "", json_string_value(v));
}

static void print_zones(const json_t *zones)
{
	const json_t *z;
	size_t i;

	json_array_foreach(zones, i, z)
	{
		printf("zone %s (%s, %s", client_text(z, "name"), client_text(z, "role"),
		       client_text(z, "interface"));
		if (client_number(z, "vlan"))
			printf(", VLAN %lld", client_number(z, "vlan"));
		printf(", line %lld)\n  sources: ", client_number(z, "line"));
		print_list(json_object_get(z, "subnets"), "all that belong to no other zone");
		printf("\n  reaches the gateway with: ");
		print_list(json_object_get(z, "gateway"), "nothing");
		printf("\n");
		if (json_object_get(z, "dropped_packets"))
			printf("  dropped at its edge: %lld, and %lld with a source of elsewhere, "
			       "%lld with a tag, %lld in another's name\n",
			       client_number(z, "dropped_packets"),
			       client_number(z, "spoofed_packets"),
			       client_number(z, "tagged_packets"),
			       client_number(z, "forged_packets"));
	}
}

static void print_matrix(const json_t *m)
{
	const json_t *pair;
	size_t i;

	print_zones(json_object_get(m, "zones"));
	printf("\n%-16s %-16s %9s  %s\n", "FROM", "TO", "DROPPED", "WHAT PASSES");
	json_array_foreach(json_object_get(m, "pairs"), i, pair)
	{
		printf("%-16s %-16s ", client_text(pair, "from"), client_text(pair, "to"));
		if (json_object_get(pair, "denied_packets"))
			printf("%9lld  ", client_number(pair, "denied_packets"));
		else
			printf("%9s  ", "-");
		print_list(json_object_get(pair, "passes"),
			   "nothing but calls through the gateway");
		printf("\n");
	}
}

/* 1 when something of it is dropped. */
static int explained(const json_t *list, const char *file, bool quiet)
{
	const json_t *e;
	int code = EXIT_GOOD;
	size_t i;

	json_array_foreach(list, i, e)
	{
		if (strcmp(client_text(e, "verdict"), "pass") != 0)
			code = EXIT_FOUND;
		if (quiet)
			continue;
		printf("%s", client_text(e, "sentence"));
		if (client_number(e, "line"))
			printf(" (line %lld%s%s)", client_number(e, "line"), file ? " of " : "",
			       file ? file : "");
		printf("\n");
	}
	return code;
}

static int print_answer(const struct policy_options *o, const struct client_answer *a)
{
	if (a->status != 200)
		return client_print_error(a);
	if (o->client.json)
		client_print_json(a);
	if (o->question[0])
		return explained(a->json, o->file, o->client.json);
	if (!o->client.json)
		print_matrix(json_array_get(a->json, 0));
	return EXIT_GOOD;
}

int cmd_policy(int argc, char **argv)
{
	struct policy_options o;
	struct client_answer a = {0};
	int code = parse_options(argc, argv, &o), err;

	if (code >= 0)
		return code;
	if (o.file)
		err = answer_of_file(&o, &a);
	else
		err = client_ask(&o.client, "GET",
				 o.question[0] ? "/v1/policy?explain=" : "/v1/policy",
				 o.question[0] ? o.question : NULL, &a);
	code = !err ? print_answer(&o, &a) : err == ERR_SYNTAX && o.file ? EXIT_FOUND : EXIT_USAGE;
	client_answer_done(&a);
	return code;
}
