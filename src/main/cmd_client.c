/* The commands that ask the running gateway: status, registrations, reload, explain. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "main/client.h"
#include "main/command.h"

static const char status_help[] = "usage: hornwork status [--json] [--run-dir DIR]\n"
				  "\nWhether the gateway runs, how, and with what.\n";
static const char registrations_help[] = "usage: hornwork registrations [--json] [--run-dir DIR]\n"
					 "\nThe phones that are registered through the gateway.\n";
static const char reload_help[] =
	"usage: hornwork reload [--json] [--run-dir DIR]\n"
	"\nReads the configuration again. A wrong one is refused with FILE:LINE: message; the old\n"
	"one then stays in force. No call is lost.\n";
static const char explain_help[] =
	"usage: hornwork explain CALL|IP|MAC|TUNNEL|ACCOUNT|NUMBER [--json] [--run-dir DIR]\n"
	"\nSays in one sentence what became of a call (c-1a2b, or a "
	"Call-ID), or of what an address\n"
	"(with or without a port) sent, what was seen on a link of a hardware address, how a "
	"tunnel\n"
	"stands, or what the rules of section fraud say of an account (alice@pbx.example; "
	"USER@TRUNK\n"
	"for who calls through a trunk) or a number.\n";

/* The part that all share: ask, and deal with failure and --json. -1: print the table. */
static int ask(const struct client_options *o, const char *method, const char *path,
	       const char *argument, struct client_answer *a)
{
	int err = client_ask(o, method, path, argument, a);

	if (err)
		return EXIT_USAGE;
	if (a->status != 200)
		return client_print_error(a);
	if (!o->json)
		return -1;
	client_print_json(a);
	return EXIT_GOOD;
}

static void print_duration(long long seconds)
{
	if (seconds >= 86400)
		printf("%lld days ", seconds / 86400);
	printf("%02lld:%02lld:%02lld", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
}

/* What is put off and why; nothing when there is no load. */
static void print_overload(const json_t *o)
{
	if (json_is_true(json_object_get(o, "active")))
		printf("  note: SIP waits %lld ms: new requests are put off (%lld so far)\n",
		       client_number(o, "delay_ms"), client_number(o, "put_off_total"));
}

static void print_status(const json_t *s)
{
	const json_t *p;
	size_t i;

	printf("hornwork %s runs in %s mode since ", client_text(s, "version"),
	       client_text(s, "mode"));
	print_duration(client_number(s, "uptime_s"));
	printf("\n  configuration  %s (read %lld time%s)\n", client_text(s, "config"),
	       client_number(s, "config_generation"),
	       client_number(s, "config_generation") == 1 ? "" : "s");
	printf("  calls          %lld now, %lld in all\n", client_number(s, "calls"),
	       client_number(s, "calls_total"));
	printf("  registrations  %lld\n", client_number(s, "registrations"));
	if (client_number(s, "calls_went_on") + client_number(s, "registrations_went_on"))
		printf("  went on        %lld calls and %lld registrations since signal was "
		       "started "
		       "again\n",
		       client_number(s, "calls_went_on"),
		       client_number(s, "registrations_went_on"));
	printf("  pinholes       %lld open, %lld opened, %lld closed in all\n",
	       client_number(s, "pinholes_open"), client_number(s, "pinholes_opened_total"),
	       client_number(s, "pinholes_closed_total"));
	printf("  refused        %lld messages\n", client_number(s, "refused_total"));
	json_array_foreach(json_object_get(s, "processes"), i, p)
	{
		printf("  %-14s pid %lld, uid %lld", client_text(p, "name"),
		       client_number(p, "pid"), client_number(p, "uid"));
		if (client_number(p, "restarts"))
			printf(", restarted %lld times", client_number(p, "restarts"));
		printf("\n");
	}
	json_array_foreach(json_object_get(s, "certificates"), i, p)
		printf("  certificate    %s, ends %s (in %lld days)\n", client_text(p, "subject"),
		       client_text(p, "expires_at"), client_number(p, "days_left"));
	json_array_foreach(json_object_get(s, "tunnels"), i, p)
		printf("  %s\n", client_text(p, "explain"));
	p = json_object_get(s, "voice_vlan");
	if (*client_text(p, "explain"))
		printf("  voice VLAN     %s\n", client_text(p, "explain"));
	json_array_foreach(json_object_get(s, "voice_vlan_cdp"), i, p) printf(
		"  voice VLAN     phones on %s are %stold by CDP\n", client_text(p, "interface"),
		json_is_true(json_object_get(p, "told")) ? "" : "not ");
	json_array_foreach(json_object_get(s, "bandwidth"), i, p)
		printf("  zone %-9s media may take %.1f Mbit/s and takes up to %.1f\n",
		       client_text(p, "zone"), (double)client_number(p, "limit_bps") / 1e6,
		       (double)client_number(p, "used_bps") / 1e6);
	print_overload(json_object_get(s, "overload"));
	json_array_foreach(json_object_get(s, "pbxs_silent"), i, p)
		printf("  note: pbx %s does not answer\n", json_string_value(p));
	json_array_foreach(json_object_get(s, "notices"), i, p)
		printf("  note: %s\n", json_string_value(p));
}

int cmd_status(int argc, char **argv)
{
	struct client_options o;
	struct client_answer a = {0};
	int code = client_options_parse(argc, argv, status_help, NULL, &o);

	if (code < 0)
		code = ask(&o, "GET", "/v1/status", NULL, &a);
	if (code < 0) {
		print_status(json_array_get(a.json, 0));
		code = EXIT_GOOD;
	}
	client_answer_done(&a);
	return code;
}

static void print_registrations(const json_t *list)
{
	const json_t *r;
	size_t i;

	if (json_array_size(list) == 0) {
		printf("no phone is registered\n");
		return;
	}
	printf("%-32s %-10s %-10s %-26s %-4s %7s  %s\n", "ADDRESS", "PHONES", "PBX", "SOURCE",
	       "VIA", "EXPIRES", "DEVICE");
	json_array_foreach(list, i, r) printf(
		"%-32s %-10s %-10s %-26s %-4s %5lld s  %s%s\n", client_text(r, "aor"),
		client_text(r, "phones"), client_text(r, "pbx"), client_text(r, "source"),
		client_text(r, "transport"), client_number(r, "expires_s"),
		client_text(r, "user_agent"),
		json_is_false(json_object_get(r, "connected")) ? " (its connection is closed)"
							       : "");
}

int cmd_registrations(int argc, char **argv)
{
	struct client_options o;
	struct client_answer a = {0};
	int code = client_options_parse(argc, argv, registrations_help, NULL, &o);

	if (code < 0)
		code = ask(&o, "GET", "/v1/registrations", NULL, &a);
	if (code < 0) {
		print_registrations(a.json);
		code = EXIT_GOOD;
	}
	client_answer_done(&a);
	return code;
}

static int print_reload(const struct client_options *o, const struct client_answer *a)
{
	const json_t *result = json_array_get(a->json, 0), *line;
	bool good = json_is_true(json_object_get(result, "reloaded"));
	size_t i;

	if (!result)
		return client_print_error(a);
	if (o->json) {
		client_print_json(a);
		return good ? EXIT_GOOD : EXIT_FOUND;
	}
	json_array_foreach(json_object_get(result, "messages"), i, line)
		fprintf(good ? stdout : stderr, "%s\n", json_string_value(line));
	if (!good)
		fprintf(stderr, "hornwork: not reloaded; the configuration in force stays\n");
	return good ? EXIT_GOOD : EXIT_FOUND;
}

int cmd_reload(int argc, char **argv)
{
	struct client_options o;
	struct client_answer a = {0};
	int code = client_options_parse(argc, argv, reload_help, NULL, &o);

	if (code < 0)
		code = client_ask(&o, "POST", "/v1/reload", NULL, &a) ? EXIT_USAGE
								      : print_reload(&o, &a);
	client_answer_done(&a);
	return code;
}

/* A further one is told only where it has something to tell. */
static void print_explain(const json_t *e, bool further)
{
	const json_t *fact;
	size_t i;

	if (further && json_array_size(json_object_get(e, "facts")) == 0 &&
	    !json_is_true(json_object_get(e, "known")))
		return;
	printf("%s.\n", client_text(e, "sentence"));
	json_array_foreach(json_object_get(e, "facts"), i, fact)
		printf("  - %s\n", json_string_value(fact));
}

/* The sentence of the tunnel of this name, from status; -1: there is none. */
static int explain_tunnel(const struct client_options *o)
{
	struct client_answer a = {0};
	int code = -1;
	const json_t *t;
	size_t i;

	if (client_ask(o, "GET", "/v1/status", NULL, &a))
		return EXIT_USAGE;
	json_array_foreach(json_object_get(json_array_get(a.json, 0), "tunnels"), i, t)
	{
		char *text = NULL;

		if (strcmp(client_text(t, "name"), o->what) != 0)
			continue;
		text = o->json ? json_dumps(t, JSON_COMPACT) : NULL;
		if (text)
			printf("[%s]\n", text);
		else
			printf("%s.\n", client_text(t, "explain"));
		free(text);
		code = EXIT_GOOD;
	}
	client_answer_done(&a);
	return code;
}

int cmd_explain(int argc, char **argv)
{
	struct client_options o;
	struct client_answer a = {0};
	const json_t *about;
	size_t i;
	int code = client_options_parse(argc, argv, explain_help, "CALL or IP", &o);

	if (code < 0)
		code = explain_tunnel(&o);
	if (code < 0)
		code = ask(&o, "GET", "/v1/explain?what=", o.what, &a);
	if (code < 0) {
		json_array_foreach(a.json, i, about) print_explain(about, i > 0);
		code = EXIT_GOOD;
	}
	client_answer_done(&a);
	return code;
}
