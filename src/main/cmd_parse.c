/* `hornwork parse`: judges files as the gateway would judge what they hold; a JSON line each. */
#include "main/command.h"

#include <getopt.h>
#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "main/file_read.h"
#include "main/sdp_body.h"
#include "main/sdp_json.h"
#include "proto/sip/sip_check.h"

#define LINE_BYTES  (1024u * 1024) /* room for what one message or description is told in */
#define FLUSH_BYTES (512u * 1024)  /* written out before it is full */

enum parse_as { AS_DATAGRAM, AS_STREAM, AS_SDP };

struct parser {
	struct out o;
	struct json j;
	struct sdp *sdp;
	bool refused;
};

/* What is said about one message or description. */
struct judgement {
	enum sip_verdict verdict;
	enum reason reason;
	unsigned status; /* 0 = no answer is due */
};

static void usage(FILE *to)
{
	fputs("usage: hornwork parse [--stream | --sdp] FILE...\n"
	      "Judges each FILE as one SIP datagram, and prints a JSON line for it.\n"
	      "  --stream  as what one side sent over a TCP connection\n"
	      "  --sdp     as one session description\n"
	      "Exit code 1 when something was refused, 2 when a file cannot be read.\n",
	      to);
}

static void write_out(struct parser *p)
{
	fwrite(p->o.buf, 1, p->o.n, stdout);
	p->o.n = 0;
}

static void member_or_null(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	if (text)
		json_str(j, slice_z(text));
	else
		json_null(j);
}

static const char *verdict_text(enum sip_verdict v)
{
	static const char *const names[] = {
		[SIP_DONE] = "accept", [SIP_MORE] = "incomplete", [SIP_REFUSED] = "refuse"};

	return names[v];
}

static void judgement_write(struct parser *p, const struct judgement *judged)
{
	const struct reason_row *row = judged->reason ? reason_row(judged->reason) : NULL;

	p->refused |= judged->verdict == SIP_REFUSED;
	json_member_z(&p->j, "verdict", verdict_text(judged->verdict));
	member_or_null(&p->j, "reason", row ? row->name : NULL);
	member_or_null(&p->j, "why", row ? row->sentence : NULL);
	json_key(&p->j, "status");
	if (judged->status)
		json_u64(&p->j, judged->status);
	else
		json_null(&p->j);
}

/* Of a refused message nothing is sure: what begins as a description behind an empty line is shown
 * as one. */
static struct slice guessed_sdp(struct slice raw)
{
	size_t crlf = slice_find_slice(raw, SL("\r\n\r\nv=0"));
	size_t lf = slice_find_slice(raw, SL("\n\nv=0"));

	return crlf <= lf ? slice_from(raw, crlf + 4) : slice_from(raw, lf + 2);
}

/* A description that cannot be read is told of beside the message's own verdict. */
static void body_write(struct parser *p, struct slice text)
{
	enum reason reason;

	if (text.n == 0)
		return;
	if (sdp_parse(text, p->sdp, &reason))
		json_member_z(&p->j, "sdp_reason", reason_row(reason)->name);
	sdp_json_pinholes(&p->j, p->sdp);
}

static struct judgement judge(const struct sip_msg *msg, enum sip_verdict verdict,
			      enum reason reason)
{
	struct judgement judged = {.verdict = verdict, .reason = reason};

	if (verdict == SIP_MORE)
		judged.reason = REASON_NONE;
	else if (verdict == SIP_DONE)
		judged.reason = sip_msg_check(msg);
	if (judged.reason)
		judged.status = sip_refusal_status(msg, judged.reason);
	/* What is to be dropped without an answer is refused, well-formed or not. */
	if (judged.reason && reason_row(judged.reason)->status == 0)
		judged.verdict = SIP_REFUSED;
	return judged;
}

static void name_write(struct parser *p, const struct sip_msg *msg)
{
	if (msg->request && msg->method_text.n)
		json_member_str(&p->j, "method", msg->method_text);
	else if (msg->status)
		json_member_u64(&p->j, "code", msg->status);
}

static void message_write(struct parser *p, const struct sip_msg *msg, struct slice raw,
			  const struct judgement *judged)
{
	judgement_write(p, judged);
	name_write(p, msg);
	if (judged->verdict != SIP_MORE)
		body_write(p, judged->verdict == SIP_DONE ? sdp_of_body(msg) : guessed_sdp(raw));
}

static void datagram_write(struct parser *p, struct slice bytes)
{
	struct sip_msg msg = {0};
	enum reason reason = REASON_NONE;
	enum sip_verdict verdict = sip_msg_parse(bytes, SIP_MESSAGE_BYTES_MAX, &msg, &reason);
	struct judgement judged = judge(&msg, verdict, reason);

	message_write(p, &msg, bytes, &judged);
}

static void sdp_write(struct parser *p, struct slice bytes)
{
	struct judgement judged = {.verdict = SIP_DONE};

	if (sdp_parse(bytes, p->sdp, &judged.reason)) {
		judged.verdict = SIP_REFUSED;
		judged.status = reason_row(judged.reason)->status;
	}
	judgement_write(p, &judged);
	sdp_json_pinholes(&p->j, p->sdp);
}

/* Judges the first message of a stream and writes it down; *bytes is moved behind it. False when
 * keep-alives alone were left. */
static bool stream_step(struct parser *p, struct slice *bytes, struct sip_msg *msg,
			struct judgement *out)
{
	size_t used = 0;
	enum reason reason = REASON_NONE;
	enum sip_verdict verdict =
		sip_msg_parse_stream(*bytes, SIP_MESSAGE_BYTES_MAX, msg, &used, &reason);

	if (verdict == SIP_MORE && used == bytes->n)
		return false;
	*out = judge(msg, verdict, reason);
	json_open(&p->j, '{');
	message_write(p, msg, *bytes, out);
	json_close(&p->j, '}');
	*bytes = slice_from(*bytes, used);
	if (p->o.n > FLUSH_BYTES)
		write_out(p);
	return true;
}

/* The messages one by one, then what became of the whole stream: the first refusal closes it. Of
 * several reasons and names the first one is the stream's. */
static void stream_write(struct parser *p, struct slice bytes)
{
	struct judgement whole = {.verdict = SIP_DONE}, one;
	struct sip_msg first = {0}, msg = {0};
	unsigned count = 0;

	json_member_open(&p->j, "messages", '[');
	while (bytes.n && whole.verdict == SIP_DONE && stream_step(p, &bytes, &msg, &one)) {
		if (count++ == 0)
			first = msg;
		if (one.verdict != SIP_DONE || !whole.reason)
			whole = one;
		memset(&msg, 0, sizeof(msg));
	}
	json_close(&p->j, ']');
	judgement_write(p, &whole);
	name_write(p, &first);
}

static int file_judge(struct parser *p, const char *path, enum parse_as as)
{
	char *bytes;
	size_t n;
	int err = file_read(path, &bytes, &n);

	if (err) {
		fprintf(stderr, "hornwork parse: %s: %s\n", path, err_text(err));
		return EXIT_USAGE;
	}
	p->j = json_to(&p->o);
	json_open(&p->j, '{');
	json_member_z(&p->j, "file", path);
	if (as == AS_SDP)
		sdp_write(p, slice_of(bytes, n));
	else if (as == AS_STREAM)
		stream_write(p, slice_of(bytes, n));
	else
		datagram_write(p, slice_of(bytes, n));
	json_close(&p->j, '}');
	out_char(&p->o, '\n');
	mem_free(bytes);
	write_out(p);
	return p->o.err ? EXIT_USAGE : EXIT_GOOD;
}

static int files_judge(char **paths, int count, enum parse_as as)
{
	char *line = mem_zalloc(1, LINE_BYTES);
	struct parser p = {.o = out_to(line, LINE_BYTES), .sdp = mem_zalloc(1, sizeof(*p.sdp))};
	int code = EXIT_GOOD;

	if (!line || !p.sdp) {
		fputs("hornwork parse: memory ran out\n", stderr);
		code = EXIT_USAGE;
		count = 0;
	}
	for (int i = 0; i < count; i++)
		if (file_judge(&p, paths[i], as) != EXIT_GOOD)
			code = EXIT_USAGE;
	mem_free(line);
	mem_free(p.sdp);
	if (fflush(stdout) != 0 || ferror(stdout))
		code = EXIT_USAGE;
	return code == EXIT_GOOD && p.refused ? EXIT_FOUND : code;
}

int cmd_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{"stream", no_argument, NULL, 's'}, {"sdp", no_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'}, /* it is JSON anyway */
		{"help", no_argument, NULL, 'h'},   {NULL, 0, NULL, 0},
	};
	enum parse_as as = AS_DATAGRAM;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			return EXIT_GOOD;
		}
		if (c == '?') {
			usage(stderr);
			return EXIT_USAGE;
		}
		if (c == 's')
			as = AS_STREAM;
		else if (c == 'd')
			as = AS_SDP;
	}
	if (optind == argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return files_judge(argv + optind, argc - optind, as);
}
