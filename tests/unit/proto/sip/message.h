/* Builds the messages of the SIP tests: a sound request whose lines a row may replace. */
#ifndef HW_TESTS_UNIT_PROTO_SIP_MESSAGE_H
#define HW_TESTS_UNIT_PROTO_SIP_MESSAGE_H

#include "base/out.h"
#include "base/reason.h"
#include "proto/sip/sip_msg.h"
#include "unit/check.h"

struct message {
	char bytes[SIP_MESSAGE_BYTES_MAX + 4096];
	size_t n;
	struct sip_msg msg;
	enum reason reason;
};

/* One letter each, as in a row's `without`. */
static const struct {
	char letter;
	const char *line;
} message_lines[] = {
	{'V', "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa1\r\n"},
	{'F', "From: <sip:alice@example.com>;tag=a\r\n"},
	{'T', "To: <sip:bob@example.com>\r\n"},
	{'I', "Call-ID: c1@192.0.2.1\r\n"},
	{'C', "CSeq: 1 OPTIONS\r\n"},
	{'M', "Max-Forwards: 70\r\n"},
	{'L', "Content-Length: 0\r\n"},
};

/* "OPTIONS sip:bob@example.com SIP/2.0", the row's lines, then the sound ones that `without` does
 * not name, an empty line. */
static inline struct slice message_build(struct message *m, const char *start, struct slice lines,
					 const char *without)
{
	struct out o = out_to(m->bytes, sizeof(m->bytes));

	out_z(&o, start ? start : "OPTIONS sip:bob@example.com SIP/2.0\r\n");
	out_bytes(&o, lines);
	for (size_t i = 0; i < ROWS(message_lines); i++)
		if (!strchr(without, message_lines[i].letter))
			out_z(&o, message_lines[i].line);
	out_z(&o, "\r\n");
	assert_int_equal(o.err, 0);
	m->n = o.n;
	return out_slice(&o);
}

static inline enum sip_verdict message_parse(struct message *m, struct slice text)
{
	return sip_msg_parse(text, SIP_MESSAGE_BYTES_MAX, &m->msg, &m->reason);
}

/* Fails unless the text is taken (want "none") or refused for the reason of that name. */
static inline void message_check(struct message *m, const char *name, struct slice text,
				 const char *want)
{
	enum sip_verdict verdict = message_parse(m, text);
	const char *got = reason_row(m->reason)->name;

	if (strcmp(got, want) != 0)
		fail_msg("%s: got %s, want %s", name, got, want);
	check_int(name, verdict, strcmp(want, "none") == 0 ? SIP_DONE : SIP_REFUSED);
}

#endif
