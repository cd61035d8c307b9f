/* hornwork patches: the virtual patches in force and what they stopped. */
#include <stdio.h>

#include "main/client.h"
#include "main/command.h"

static const char help[] =
	"usage: hornwork patches [--json] [--run-dir DIR]\n"
	"\nThe rules that stop attacks on known flaws of the PBX and of phones, and how many "
	"messages\neach has stopped (or, with mode observe, seen). hornwork-rules(5) describes "
	"their files.\n";

static void print_names(const json_t *list, int width)
{
	char text[128];
	size_t i, n = 0;
	const json_t *one;

	text[0] = '\0';
	json_array_foreach(list, i, one)
	{
		int more = snprintf(text + n, sizeof(text) - n, "%s%s", i ? ", " : "",
				    json_string_value(one));

		if (more < 0 || n + (size_t)more >= sizeof(text))
			break;
		n += (size_t)more;
	}
	printf(" %-*s", width, text);
}

static void print_patches(const json_t *list)
{
	size_t i;
	const json_t *p;

	if (json_array_size(list) == 0) {
		printf("no virtual patches are loaded\n");
		return;
	}
	printf("%-32s %-32s %-24s %-8s %8s\n", "RULE", "CVE", "PRODUCT", "MODE", "HITS");
	json_array_foreach(list, i, p)
	{
		printf("%-32s", client_text(p, "rule"));
		print_names(json_object_get(p, "cve"), 32);
		print_names(json_object_get(p, "product"), 24);
		printf(" %-8s %8lld%s\n", client_text(p, "mode"), client_number(p, "hits"),
		       json_is_true(json_object_get(p, "shield")) ? "  (shield)" : "");
	}
}

int cmd_patches(int argc, char **argv)
{
	struct client_options o;
	struct client_answer a = {0};
	int code = client_options_parse(argc, argv, help, NULL, &o);

	if (code >= 0)
		return code;
	code = EXIT_USAGE;
	if (client_ask(&o, "GET", "/v1/patches", NULL, &a) == 0) {
		code = a.status == 200 ? EXIT_GOOD : client_print_error(&a);
		if (a.status == 200 && o.json)
			client_print_json(&a);
		else if (a.status == 200)
			print_patches(a.json);
	}
	client_answer_done(&a);
	return code;
}
