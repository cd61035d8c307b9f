/* hornwork bans: who is kept out; add, lift. */
#include <stdio.h>
#include <string.h>

#include "main/client.h"
#include "main/command.h"

#define WHAT_MAX 256

static const char bans_help[] =
	"usage: hornwork bans [--json] [--run-dir DIR]\n"
	"       hornwork bans add WHO [--for TIME] [--note TEXT] [--json] [--run-dir DIR]\n"
	"       hornwork bans lift WHO [--json] [--run-dir DIR]\n"
	"\nWho is kept out of signalling, until when and why. WHO: an address, ADDRESS/BITS, or\n"
	"ADDRESS:PORT for one flow. TIME: 90s, 10m, 2h or 7d; without it the ban stands until it "
	"is\n"
	"lifted or the gateway stops. Whom the configuration names (a pbx, a trunk, never-ban) is\n"
	"never kept out. Calls that stand keep their media.\n";

static void print_bans(const json_t *list)
{
	const json_t *b;
	size_t i;

	if (json_array_size(list) == 0) {
		printf("nobody is kept out\n");
		return;
	}
	printf("%-40s %10s  %s\n", "WHO", "EXPIRES", "WHY");
	json_array_foreach(list, i, b)
	{
		const char *note = client_text(b, "note");
		bool spares = !json_is_true(json_object_get(b, "registered_phones_too"));

		printf("%-40s ", client_text(b, "who"));
		if (json_is_null(json_object_get(b, "expires_s")))
			printf("%10s", "never");
		else
			printf("%8lld s", client_number(b, "expires_s"));
		printf("  %s%s%s%s\n", client_text(b, "sentence"),
		       spares ? " (its registered phones excepted)" : "", *note ? ": " : "", note);
	}
}

static int list(int argc, char **argv)
{
	struct client_options o;
	struct client_answer a = {0};
	int code = client_options_parse(argc, argv, bans_help, NULL, &o);

	if (code >= 0)
		return code;
	code = EXIT_USAGE;
	if (client_ask(&o, "GET", "/v1/bans", NULL, &a) == 0) {
		code = a.status == 200 ? EXIT_GOOD : client_print_error(&a);
		if (a.status == 200 && o.json)
			client_print_json(&a);
		else if (a.status == 200)
			print_bans(a.json);
	}
	client_answer_done(&a);
	return code;
}

/* Takes `name VALUE` or `name=VALUE` out of the arguments; NULL: it is not there. */
static const char *take_option(int *argc, char **argv, const char *name)
{
	size_t n = strlen(name);

	for (int i = 1; i < *argc && argv[i]; i++) {
		const char *value = NULL;
		int used = 0;

		if (strcmp(argv[i], name) == 0 && i + 1 < *argc) {
			value = argv[i + 1];
			used = 2;
		} else if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') {
			value = argv[i] + n + 1;
			used = 1;
		}
		if (!value)
			continue;
		memmove(&argv[i], &argv[i + used], (size_t)(*argc - i - used + 1) * sizeof(*argv));
		*argc -= used;
		return value;
	}
	return NULL;
}

/* "90s", "10m", "2h", "7d" or plain seconds. ERR_SYNTAX. */
static int read_time(const char *text, uint64_t *out_s)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	struct slice s = slice_z(text);
	uint64_t n, factor = 1;

	for (size_t i = 0; s.n && i < sizeof(units) / sizeof(units[0]); i++)
		if (s.p[s.n - 1] == units[i].unit) {
			factor = units[i].seconds;
			s.n--;
			break;
		}
	if (slice_u64(s, 30 * 86400, &n) || n == 0)
		return ERR_SYNTAX;
	*out_s = n * factor;
	return 0;
}

static int change(int argc, char **argv, const char *path, const char *what, const char *done)
{
	struct client_options o;
	struct client_answer a = {0};
	int code = client_options_parse(argc, argv, bans_help, "WHO", &o);
	char text[WHAT_MAX];

	if (code >= 0)
		return code;
	if (snprintf(text, sizeof(text), "%s%s", o.what, what) >= (int)sizeof(text)) {
		fprintf(stderr, "hornwork bans: that is too long\n");
		return EXIT_USAGE;
	}
	code = EXIT_USAGE;
	if (client_ask(&o, "POST", path, text, &a) == 0) {
		code = a.status == 200 ? EXIT_GOOD : client_print_error(&a);
		if (a.status == 200 && o.json)
			client_print_json(&a);
		else if (a.status == 200)
			printf("%s %s\n", client_text(json_array_get(a.json, 0), "who"), done);
	}
	client_answer_done(&a);
	return code;
}

/* Takes the word "add" or "lift" out of the arguments, if it is the first that is no option. */
static const char *take_verb(int *argc, char **argv)
{
	int i = 1;
	const char *verb;

	while (i < *argc && strncmp(argv[i], "--", 2) == 0)
		i += strcmp(argv[i], "--run-dir") == 0 ? 2 : 1;
	if (i >= *argc || (strcmp(argv[i], "add") != 0 && strcmp(argv[i], "lift") != 0))
		return NULL;
	verb = argv[i];
	memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof(*argv));
	(*argc)--;
	return verb;
}

int cmd_bans(int argc, char **argv)
{
	const char *verb = take_verb(&argc, argv), *duration, *note;
	char tail[WHAT_MAX];
	uint64_t seconds = 0;

	if (!verb)
		return list(argc, argv);
	if (strcmp(verb, "lift") == 0)
		return change(argc, argv, "/v1/bans/lift?what=", "", "is let in again");
	duration = take_option(&argc, argv, "--for");
	note = take_option(&argc, argv, "--note");
	if (duration && read_time(duration, &seconds)) {
		fprintf(stderr, "hornwork bans: '%s' is no time; write it as 90s, 10m, 2h or 7d\n",
			duration);
		return EXIT_USAGE;
	}
	snprintf(tail, sizeof(tail), " %llu %s", (unsigned long long)seconds, note ? note : "");
	return change(argc, argv, "/v1/bans/add?what=", tail, "is kept out");
}
