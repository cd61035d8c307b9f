/* DV: files from which devices take their configuration, and who gets them. */
#include <errno.h>
#include <stdio.h>

#include "assess/checks/table.h"
#include "assess/http.h"
#include "assess/tftp.h"
#include "base/mem.h"

#define MACS_MAX       4 /* devices whose files are asked for: one readable file proves the flaw */
#define FILE_BYTES_MAX 16384
#define NAME_MAX_BYTES 300
#define KEYS_MAX       12

/* How makers name the file of one device: %m in lower case, %M in upper case (their provisioning
 * guides: Yealink, Polycom, Grandstream, Cisco, Linksys, Mitel, Fanvil, Panasonic, Snom). */
static const char *const patterns[] = {"%m.cfg",    "%M.cfg",	    "%m.xml",
				       "cfg%m.xml", "cfg%m",	    "SEP%M.cnf.xml",
				       "spa%m.cfg", "Config%M.cfg", "snom-%M.htm"};
#define PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

static void name_of(const char *pattern, struct slice mac, char out[static NAME_MAX_BYTES])
{
	struct out o = out_to(out, NAME_MAX_BYTES - 1);

	for (; *pattern; pattern++) {
		if (pattern[0] != '%') {
			out_char(&o, *pattern);
			continue;
		}
		pattern++;
		for (size_t i = 0; i < mac.n; i++) {
			char c = ascii_lower(mac.p[i]);

			if (strchr(":-.", c))
				continue;
			out_char(&o, *pattern == 'M' && c >= 'a' ? (char)(c - 32) : c);
		}
	}
	out[o.n] = '\0';
}

/* The devices' hardware addresses that the configuration declares, up to MACS_MAX. */
static size_t declared_macs(const struct config *c, struct slice out[static MACS_MAX])
{
	size_t n = 0;

	for (size_t a = 0; a < c->asset_count; a++)
		for (size_t i = 0; i < c->assets[a].mac_count && n < MACS_MAX; i++)
			out[n++] = c->assets[a].macs[i];
	return n;
}

static enum verdict no_macs(struct visit *v)
{
	return visit_not_asked(v, "no asset declares a mac, so no provisioning file can be named");
}

/* ---- fetching ---- */

struct fetched {
	char name[NAME_MAX_BYTES]; /* with its path */
	uint16_t port;
	char text[FILE_BYTES_MAX + 1];
	size_t n;
};

/* The first file that TFTP hands out: 1; 0 none; or an error that ends the asking. */
static int fetch_tftp(struct visit *v, const struct slice *macs, size_t mac_count,
		      struct fetched *f)
{
	f->port = 69;
	for (size_t m = 0; m < mac_count; m++)
		for (size_t i = 0; i < PATTERNS; i++) {
			int n;

			name_of(patterns[i], macs[m], f->name);
			n = visit_tftp(v, f->name, f->text, FILE_BYTES_MAX);
			if (n > 0) {
				f->n = (size_t)n;
				f->text[n] = '\0';
				return 1;
			}
			if (n < 0 && n != ERR_ABSENT)
				return n;
		}
	return 0;
}

/* A page that every name gets is no file. */
static bool is_file(const struct http_answer *a)
{
	return a->status == 200 && a->n > 0 && !http_has(a, "<html");
}

static int fetch_one(struct visit *v, const char *path, bool tls, struct fetched *f)
{
	struct http_answer a;
	int err = visit_http(v, &(struct http_ask){.class = PACKET_HTTP, .path = path, .tls = tls},
			     &a);
	int got = 0;

	if (err)
		return err;
	if (is_file(&a)) {
		f->n = a.n < FILE_BYTES_MAX ? a.n : FILE_BYTES_MAX;
		memcpy(f->text, a.body, f->n);
		f->text[f->n] = '\0';
		got = 1;
	}
	http_answer_done(&a);
	return got;
}

static int fetch_under(struct visit *v, struct slice folder, struct slice mac, bool tls,
		       struct fetched *f)
{
	char file[NAME_MAX_BYTES];
	int n, got = 0;

	for (size_t i = 0; i < PATTERNS && got == 0; i++) {
		name_of(patterns[i], mac, file);
		n = snprintf(f->name, sizeof(f->name), "%.*s%s", SLICE_ARGS(folder), file);
		if (n < 0 || (size_t)n >= sizeof(f->name))
			continue; /* cut, it would be the name of something else */
		got = fetch_one(v, f->name, tls, f);
	}
	return got;
}

static int fetch_http(struct visit *v, const struct slice *macs, size_t mac_count, bool tls,
		      struct fetched *f)
{
	const struct config_asset *a = v->target->asset;
	static const struct slice root = SLICE("/");
	size_t folders = a->provisioning_count ? a->provisioning_count : 1;
	int got = 0;

	f->port = tls ? 443 : 80;
	for (size_t p = 0; p < folders && got == 0; p++)
		for (size_t m = 0; m < mac_count && got == 0; m++)
			got = fetch_under(v, a->provisioning_count ? a->provisioning[p] : root,
					  macs[m], tls, f);
	return got;
}

static bool nobody(int err)
{
	return err == -ECONNREFUSED || err == -ETIMEDOUT || err == ERR_PEER;
}

/* ---- the checks ---- */

enum verdict dv07_tftp_files(struct visit *v)
{
	struct slice macs[MACS_MAX];
	size_t count = declared_macs(v->config, macs);
	struct fetched *f;
	enum verdict verdict;
	int got;

	if (count == 0)
		return no_macs(v);
	f = mem_zalloc(1, sizeof(*f));
	got = f ? fetch_tftp(v, macs, count, f) : ERR_NOMEM;
	if (got == 1)
		verdict = visit_found(v, &(struct found){.port = 69},
				      "TFTP hands out %s to anybody (%zu bytes were read)", f->name,
				      f->n);
	else if (got == 0 || got == -ECONNREFUSED || got == -ETIMEDOUT)
		verdict = VERDICT_CLEAN;
	else
		verdict = visit_failed(v, "TFTP", got);
	mem_wipe_free(f, sizeof(*f));
	return verdict;
}

enum verdict dv08_http_files(struct visit *v)
{
	struct slice macs[MACS_MAX];
	size_t count = declared_macs(v->config, macs);
	struct fetched *f;
	enum verdict verdict = VERDICT_CLEAN;

	if (count == 0)
		return no_macs(v);
	f = mem_zalloc(1, sizeof(*f));
	for (unsigned tls = 0; tls < 2; tls++) {
		int got = f ? fetch_http(v, macs, count, tls, f) : ERR_NOMEM;

		if (got == 1)
			verdict =
				visit_found(v, &(struct found){.port = f->port},
					    "%s is handed out by %s without a login or a client's "
					    "certificate",
					    f->name, tls ? "HTTPS" : "HTTP");
		else if (got < 0 && !nobody(got) && verdict == VERDICT_CLEAN)
			verdict = visit_failed(v, "HTTP", got);
	}
	mem_wipe_free(f, sizeof(*f));
	return verdict;
}

/* ---- secrets in them ---- */

static bool key_byte(char c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

/* Numbered parameters of Grandstream that hold passwords (its configuration template): the
 * administrator's, the user's, SIP accounts' 1 to 3. */
static bool numbered_secret(struct slice key)
{
	static const char *const keys[] = {"P2", "P196", "P34", "P406", "P506"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (slice_eq(key, slice_z(keys[i])))
			return true;
	return false;
}

static bool holds(struct slice key, const char *word)
{
	struct slice w = slice_z(word);

	for (size_t i = 0; i + w.n <= key.n; i++)
		if (slice_eq_nocase(slice_of(key.p + i, w.n), w))
			return true;
	return false;
}

static bool secret_key(struct slice key)
{
	return holds(key, "password") || holds(key, "passwd") || holds(key, "pswd") ||
	       holds(key, "secret") || holds(key, "passphrase") || holds(key, "_pass") ||
	       holds(key, "auth_pin") || numbered_secret(key);
}

/* The value behind a key: after =, :, or > (as in <key>value<). Empty, masked or encrypted values
 * are no secret in clear. */
static bool clear_value(struct slice rest)
{
	struct slice value;
	size_t i = 0, stars = 0;

	while (i < rest.n && (rest.p[i] == ' ' || rest.p[i] == '\t'))
		i++;
	if (i == rest.n || !strchr("=:>", rest.p[i]))
		return false;
	value = slice_trim(slice_from(rest, i + 1));
	if (value.n && (value.p[0] == '"' || value.p[0] == '\''))
		value = slice_first(slice_from(value, 1),
				    slice_find(slice_from(value, 1), value.p[0]));
	value = slice_trim(slice_first(value, slice_find(value, '<')));
	for (size_t k = 0; k < value.n; k++)
		stars += value.p[k] == '*' || value.p[k] == '%';
	return value.n && stars < value.n && !slice_starts_nocase(value, SL("enc")) &&
	       !slice_starts(value, SL("$"));
}

/* The names of keys with a secret in clear, one after the other; never a value. */
static size_t secret_keys(struct slice text, struct out *names)
{
	size_t count = 0;

	while (text.n) {
		struct slice line = slice_split(text, '\n', &text);

		for (size_t at = 0; at < line.n;) {
			size_t n = 0;
			struct slice key;

			while (at + n < line.n && key_byte(line.p[at + n]))
				n++;
			key = slice_of(line.p + at, n);
			at += n ? n : 1;
			if (n == 0 || !secret_key(key) || !clear_value(slice_from(line, at)))
				continue;
			if (count++ < KEYS_MAX) {
				out_z(names, count > 1 ? ", " : "");
				out_bytes(names, slice_first(key, 64));
			}
		}
	}
	return count;
}

static enum verdict judge_secrets(struct visit *v, const struct fetched *f)
{
	char text[KEYS_MAX * 68];
	struct out o = out_to(text, sizeof(text));
	size_t count = secret_keys(slice_of(f->text, f->n), &o);

	if (count == 0)
		return VERDICT_CLEAN;
	return visit_found(v, &(struct found){.port = f->port},
			   "%s holds %zu secrets in clear, in: %.*s%s", f->name, count, (int)o.n,
			   text, count > KEYS_MAX ? ", ..." : "");
}

enum verdict dv09_clear_secrets(struct visit *v)
{
	struct slice macs[MACS_MAX];
	size_t count = declared_macs(v->config, macs);
	struct fetched *f;
	enum verdict verdict;
	int got;

	if (count == 0)
		return no_macs(v);
	f = mem_zalloc(1, sizeof(*f));
	got = f ? fetch_tftp(v, macs, count, f) : ERR_NOMEM;
	for (unsigned tls = 0; f && tls < 2 && got != 1; tls++)
		got = fetch_http(v, macs, count, tls, f);
	if (got == 1)
		verdict = judge_secrets(v, f);
	else if (got == 0 || nobody(got))
		verdict = visit_absent(v, "it hands out no provisioning file to us");
	else
		verdict = visit_failed(v, "fetching", got);
	mem_wipe_free(f, sizeof(*f));
	return verdict;
}
