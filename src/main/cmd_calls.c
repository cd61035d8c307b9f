/* The commands that show calls: calls and trace. */
#include <stdio.h>
#include <string.h>

#include "main/client.h"
#include "main/command.h"

#define ENDPOINT_COLUMNS 24

static const char calls_help[] =
	"usage: hornwork calls [--all] [--json] [--run-dir DIR]\n"
	"\nThe calls that stand, with their streams; with --all the recently ended ones too.\n";
static const char trace_help[] =
	"usage: hornwork trace CALL [--json] [--run-dir DIR]\n"
	"\nThe ladder of a call's messages on both sides. CALL: c-1a2b, or a Call-ID.\n";

/* A handshake that is not done is no lock. */
static void print_lock(const json_t *lock)
{
	const char *handshake = client_text(lock, "handshake");

	if (!json_is_object(lock)) {
		printf(", open");
		return;
	}
	if (handshake[0] && strcmp(handshake, "up") != 0)
		printf(", not locked yet (dtls %s", handshake);
	else
		printf(", locked %s (%s%s", client_text(lock, "suite"), client_text(lock, "keys"),
		       json_is_true(json_object_get(lock, "end_to_end")) ? ", end to end" : "");
	if (client_text(lock, "ice")[0])
		printf(", ice %s", client_text(lock, "ice"));
	printf(")");
}

static void print_stream(const json_t *s)
{
	const json_t *r = json_object_get(s, "r_factor");
	const json_t *lock = json_object_get(s, "encryption");

	printf("    %-5s %-11s %-9s %s -> %s  %s  %lld packets, %lld lost, jitter %.1f ms",
	       client_text(s, "media"),
	       strcmp(client_text(s, "direction"), "from_caller") == 0 ? "from caller"
								       : "from callee",
	       client_text(s, "zone"), client_text(s, "source"), client_text(s, "to"),
	       client_text(s, "codec"), client_number(s, "packets"), client_number(s, "lost"),
	       json_number_value(json_object_get(s, "jitter_ms")));
	print_lock(lock);
	if (json_is_number(r))
		printf(", R %.0f, MOS %.1f", json_number_value(r),
		       json_number_value(json_object_get(s, "mos")));
	printf(", %s path", client_text(s, "path"));
	if (client_text(s, "why")[0])
		printf(" (%s)", client_text(s, "why"));
	if (client_number(s, "refused"))
		printf(", %lld refused", client_number(s, "refused"));
	printf("\n");
}

static void print_pinhole(const json_t *p)
{
	const char *closed = client_text(p, "closed_at");

	printf("    pinhole %-9s %-4s %s from %s: opened %s (%s)", client_text(p, "zone"),
	       client_text(p, "kind"), client_text(p, "local"), client_text(p, "source"),
	       client_text(p, "opened_at"), client_text(p, "why_opened"));
	if (closed[0])
		printf(", closed %s (%s)", closed, client_text(p, "why_closed"));
	printf("\n");
}

/* "caller by tls, TLSv1.3 TLS_AES_256_GCM_SHA384, certificate of sip.carrier.example" */
static void print_signalling(const json_t *s)
{
	const json_t *tls = json_object_get(s, "tls");
	const char *name = json_is_object(tls) ? client_text(tls, "certificate") : "";

	printf("    %s by %s%s", client_text(s, "side"), client_text(s, "transport"),
	       json_is_true(json_object_get(s, "secure")) ? " [locked]" : "");
	if (json_is_object(tls))
		printf(", %s %s", client_text(tls, "version"), client_text(tls, "cipher"));
	if (*name)
		printf(", certificate of %s (%s)", name,
		       json_is_true(json_object_get(tls, "verified")) ? "verified"
								      : "not verified");
	printf("\n");
}

/* "caller verified: 4930555, attestation A, origin ..." */
static void print_identity(const json_t *i)
{
	const char *why = client_text(i, "reason"), *number = client_text(i, "number");

	printf("    caller's identity %s", client_text(i, "state"));
	if (*number)
		printf(": %s, attestation %s, origin %s", number, client_text(i, "attest"),
		       client_text(i, "origid"));
	printf("%s%s\n", *why ? ": " : "", why);
}

static void print_call(const json_t *c)
{
	const char *end = client_text(c, "end_reason");
	const json_t *part;
	size_t i;

	printf("%-8s %-11s %s (%s) -> %s (%s)  %.1f s", client_text(c, "call"),
	       client_text(c, "state"), client_text(c, "caller"), client_text(c, "from"),
	       client_text(c, "callee"), client_text(c, "to"),
	       json_number_value(json_object_get(c, "duration_s")));
	printf("%s%s\n", end[0] ? ", " : "", end);
	if (json_is_object(json_object_get(c, "identity")))
		print_identity(json_object_get(c, "identity"));
	json_array_foreach(json_object_get(c, "signalling"), i, part) print_signalling(part);
	json_array_foreach(json_object_get(c, "streams"), i, part) print_stream(part);
	json_array_foreach(json_object_get(c, "pinholes"), i, part) print_pinhole(part);
}

/* Asks and prints; the exit code. */
static int show(const struct client_options *o, const char *path, void (*print)(const json_t *list))
{
	struct client_answer a = {0};
	int code = EXIT_GOOD;

	if (client_ask(o, "GET", path, o->what, &a) != 0)
		return EXIT_USAGE;
	if (a.status != 200)
		code = client_print_error(&a);
	else if (o->json)
		client_print_json(&a);
	else
		print(a.json);
	client_answer_done(&a);
	return code;
}

static void print_calls(const json_t *list)
{
	const json_t *c;
	size_t i;

	if (json_array_size(list) == 0)
		printf("no calls\n");
	json_array_foreach(list, i, c) print_call(c);
}

int cmd_calls(int argc, char **argv)
{
	struct client_options o;
	int code = client_options_parse(argc, argv, calls_help, NULL, &o);

	if (code >= 0)
		return code;
	return show(&o, o.all ? "/v1/calls?all=1" : "/v1/calls", print_calls);
}

static void print_trace(const json_t *list)
{
	const json_t *s;
	size_t i;

	if (json_array_size(list) == 0)
		printf("no message of this call was kept\n");
	json_array_foreach(list, i, s)
		printf("%8.3f s  %-*s -> %-*s %-3s  %s\n",
		       (double)client_number(s, "offset_ms") / 1000, ENDPOINT_COLUMNS,
		       client_text(s, "source"), ENDPOINT_COLUMNS, client_text(s, "destination"),
		       client_text(s, "transport"), client_text(s, "first_line"));
}

int cmd_trace(int argc, char **argv)
{
	struct client_options o;
	int code = client_options_parse(argc, argv, trace_help, "CALL", &o);

	return code >= 0 ? code : show(&o, "/v1/trace?call=", print_trace);
}
