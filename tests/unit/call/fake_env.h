/* What the core is given, faked: sends and reports are kept for inspection, chance is a counter. */
#ifndef HW_TESTS_UNIT_CALL_FAKE_ENV_H
#define HW_TESTS_UNIT_CALL_FAKE_ENV_H

#include "unit/check.h"

#include "base/wheel.h"
#include "model/action.h"
#include "proto/sip/sip_msg.h"

#define FAKE_SENT_MAX  64
#define FAKE_BYTES_MAX 4096

struct fake_send {
	struct path path;
	uint32_t call;
	char bytes[FAKE_BYTES_MAX];
};

struct fake {
	struct core_env env;
	struct wheel wheel;
	uint8_t chance;
	size_t sent_count; /* since the last fake_forget */
	struct fake_send sent[FAKE_SENT_MAX];
	size_t report_count;
	enum reason last_report;
	enum report_type last_type;
	char last_text[512];
};

static inline void fake_act(void *ctx, const struct action *a)
{
	struct fake *f = ctx;

	if (a->kind == ACT_REPORT) {
		f->report_count++;
		f->last_report = a->reason;
		f->last_type = a->type;
		(void)slice_to_z(a->bytes, f->last_text, sizeof(f->last_text));
	}
	if (a->kind != ACT_SEND)
		return;
	assert_true(f->sent_count < FAKE_SENT_MAX);
	assert_true(a->bytes.n < FAKE_BYTES_MAX);
	f->sent[f->sent_count].path = a->path;
	f->sent[f->sent_count].call = a->call;
	(void)slice_to_z(a->bytes, f->sent[f->sent_count].bytes, FAKE_BYTES_MAX);
	f->sent_count++;
}

static inline void fake_random(void *ctx, uint8_t *out, size_t n)
{
	struct fake *f = ctx;

	for (size_t i = 0; i < n; i++)
		out[i] = f->chance++;
}

static inline void fake_init(struct fake *f, uint64_t now_ms)
{
	memset(f, 0, sizeof(*f));
	f->env = (struct core_env){.ctx = f, .act = fake_act, .random = fake_random};
	wheel_init(&f->wheel, now_ms);
}

static inline void fake_forget(struct fake *f)
{
	f->sent_count = 0;
	f->report_count = 0;
}

static inline uint64_t fake_pass(struct fake *f, uint64_t ms)
{
	wheel_advance(&f->wheel, f->wheel.now_ms + ms);
	return f->wheel.now_ms;
}

/* The last thing sent. */
static inline const char *fake_last(const struct fake *f)
{
	assert_true(f->sent_count > 0);
	return f->sent[f->sent_count - 1].bytes;
}

static inline void check_has(const char *text, const char *want)
{
	if (!strstr(text, want))
		fail_msg("no \"%s\" in:\n%s", want, text);
}

static inline void check_has_not(const char *text, const char *want)
{
	if (strstr(text, want))
		fail_msg("\"%s\" stands in:\n%s", want, text);
}

/* Parses a text that must be a good message; the text must live as long as the message. */
static inline struct sip_msg *fake_parse(struct sip_msg *m, const char *text)
{
	enum reason why = REASON_NONE;

	if (sip_msg_parse(slice_z(text), 65535, m, &why) != SIP_DONE)
		fail_msg("refused (%s):\n%s", reason_row(why)->name, text);
	return m;
}

static inline struct path fake_path(enum transport transport, const char *remote)
{
	struct path p = {.transport = (uint8_t)transport};

	assert_int_equal(ip_endpoint_parse(slice_z(remote), 5060, &p.remote), 0);
	p.conn = transport_reliable(transport) ? 7 : 0;
	return p;
}

#endif
