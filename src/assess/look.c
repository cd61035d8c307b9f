#include "assess/look.h"

#include <errno.h>

#include "assess/wire.h"
#include "assess/sip.h"

static const uint16_t health_ports[] = {80, 443, 22};

static bool has_digit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= '0' && s.p[i] <= '9')
			return true;
	return false;
}

/* "66.84.0.15", "v2.3", "18.9-cert12", "5.9.0.SS67": digits first, or behind a v; and a dot, or
 * nothing but digits. */
static bool is_version(struct slice word)
{
	struct slice rest = word;

	if (rest.n > 1 && (rest.p[0] == 'v' || rest.p[0] == 'V'))
		rest = slice_from(rest, 1);
	return rest.n && rest.p[0] >= '0' && rest.p[0] <= '9' && slice_find(rest, '.') < rest.n;
}

/* Where the version begins: behind the last separator before a word that looks like one. */
void look_read_product(struct target *t, struct slice text, const char *seen_by)
{
	size_t at = 0;

	text = slice_trim(slice_first(text, TARGET_TEXT_MAX - 1));
	for (size_t i = 0; i < text.n && !at; i++) {
		struct slice word = slice_from(text, i);

		if (i && (text.p[i - 1] == ' ' || text.p[i - 1] == '/' || text.p[i - 1] == '-') &&
		    is_version(slice_first(word, slice_find(word, ' '))))
			at = i;
	}
	if (!text.n)
		return;
	if (at) {
		struct slice version = slice_from(text, at);

		(void)slice_to_z(slice_first(version, slice_find(version, ' ')), t->version,
				 sizeof(t->version));
		(void)slice_to_z(slice_first(text, at - 1), t->product, sizeof(t->product));
	} else {
		(void)slice_to_z(text, t->product, sizeof(t->product));
	}
	(void)slice_to_z(slice_z(seen_by), t->seen_by, sizeof(t->seen_by));
	if (!has_digit(slice_z(t->version)))
		t->version[0] = '\0';
}

static int ask_sip(struct target *t, bool read)
{
	struct sip_reply r;
	struct slice agent;
	int err = sip_options(t, &r);

	t->sent.most[PACKET_HEALTH]++;
	if (err || !read)
		return err;
	agent = sip_reply_header(&r, "User-Agent", 0);
	if (agent.n)
		look_read_product(t, agent, "SIP User-Agent");
	else
		look_read_product(t, sip_reply_header(&r, "Server", 0), "SIP Server");
	return 0;
}

/* Open or refused: somebody is there. */
static int ask_tcp(struct target *t, uint16_t port)
{
	struct wire *c;
	int err = wire_open(t, port, WIRE_TIMEOUT_MS, &c);

	t->sent.most[PACKET_HEALTH]++;
	if (!err)
		wire_close(c);
	return err == -ECONNREFUSED ? 0 : err;
}

int look_first(struct target *t)
{
	int err = ask_sip(t, true);

	if (!err) {
		t->speaks_sip = true;
		return 0;
	}
	if (err == ERR_DENIED)
		return err;
	if (err == -ECONNREFUSED) {
		t->health_port = health_ports[0];
		return 0;
	}
	for (size_t i = 0; err != -EHOSTUNREACH && i < 3; i++) {
		err = ask_tcp(t, health_ports[i]);
		if (err == ERR_DENIED)
			return err;
		if (!err) {
			t->health_port = health_ports[i];
			return 0;
		}
	}
	return ERR_ABSENT;
}

bool look_is_well(struct target *t)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		int err = t->speaks_sip ? ask_sip(t, false) : ask_tcp(t, t->health_port);

		if (!err)
			return true;
	}
	return false;
}
