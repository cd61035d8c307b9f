#include "assess/credentials.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assess/sip.h"
#include "proto/sip/sip_msg.h"

#define HEX_MAX 65

int credentials_read(const char *path, char password[static CREDENTIALS_PASSWORD_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err = 0;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || (st.st_mode & S_IRWXO))
		err = ERR_DENIED;
	else
		n = read(fd, password, CREDENTIALS_PASSWORD_MAX);
	close(fd);
	if (err)
		return err;
	n = n > 0 ? (ssize_t)slice_find(slice_of(password, (size_t)n), '\n') : 0;
	while (n > 0 && n < CREDENTIALS_PASSWORD_MAX && password[n - 1] == '\r')
		n--;
	if (n == 0 || n >= CREDENTIALS_PASSWORD_MAX)
		return ERR_SYNTAX;
	password[n] = '\0';
	return 0;
}

static int hash(const EVP_MD *md, char out[static HEX_MAX], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int hash(const EVP_MD *md, char out[static HEX_MAX], const char *fmt, ...)
{
	char text[1024];
	unsigned char raw[EVP_MAX_MD_SIZE];
	struct out hex = out_to(out, HEX_MAX - 1);
	unsigned n = 0;
	va_list args;
	int length, good;

	va_start(args, fmt);
	length = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	good = length > 0 && (size_t)length < sizeof(text) &&
	       EVP_Digest(text, (size_t)length, raw, &n, md, NULL) && n <= 32;
	explicit_bzero(text, sizeof(text));
	if (!good)
		return ERR_LIMIT;
	out_hex(&hex, raw, n);
	out[hex.n] = '\0';
	return 0;
}

struct challenge {
	struct slice realm, nonce, opaque, algorithm;
	bool qop;
	const EVP_MD *md;
};

static int read_challenge(struct slice value, struct challenge *out)
{
	struct sip_auth a;

	if (sip_auth_parse(value, &a) || !slice_eq_nocase(a.scheme, SL("Digest")))
		return ERR_ABSENT;
	out->realm = sip_auth_param(&a, SL("realm"));
	out->nonce = sip_auth_param(&a, SL("nonce"));
	out->opaque = sip_auth_param(&a, SL("opaque"));
	out->algorithm = sip_auth_param(&a, SL("algorithm"));
	out->qop = sip_auth_param(&a, SL("qop")).n != 0;
	out->md = out->algorithm.n == 0 || slice_eq_nocase(out->algorithm, SL("MD5")) ? EVP_md5()
										      : NULL;
	if (slice_eq_nocase(out->algorithm, SL("SHA-256")))
		out->md = EVP_sha256();
	return out->md && out->nonce.n ? 0 : ERR_ABSENT;
}

static int write_answer(struct out *o, const struct challenge *c, const char *user,
			const char *password, const char *method, const char *uri)
{
	char ha1[HEX_MAX], ha2[HEX_MAX], response[HEX_MAX], cnonce[17];
	int err = hash(c->md, ha1, "%s:%.*s:%s", user, SLICE_ARGS(c->realm), password);

	visit_token(cnonce);
	if (!err)
		err = hash(c->md, ha2, "%s:%s", method, uri);
	if (!err && c->qop)
		err = hash(c->md, response, "%s:%.*s:00000001:%s:auth:%s", ha1,
			   SLICE_ARGS(c->nonce), cnonce, ha2);
	else if (!err)
		err = hash(c->md, response, "%s:%.*s:%s", ha1, SLICE_ARGS(c->nonce), ha2);
	explicit_bzero(ha1, sizeof(ha1));
	if (err)
		return err;
	out_fmt(o, "Digest username=\"%s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%s\", ", user,
		SLICE_ARGS(c->realm), SLICE_ARGS(c->nonce), uri);
	out_fmt(o, "response=\"%s\"", response);
	if (c->algorithm.n)
		out_fmt(o, ", algorithm=%.*s", SLICE_ARGS(c->algorithm));
	if (c->opaque.n)
		out_fmt(o, ", opaque=\"%.*s\"", SLICE_ARGS(c->opaque));
	if (c->qop)
		out_fmt(o, ", qop=auth, nc=00000001, cnonce=\"%s\"", cnonce);
	out_z(o, "\r\n");
	return o->err;
}

int credentials_write(struct out *o, struct slice response, const char *user, const char *password,
		      const char *method, const char *uri)
{
	static const char *const names[][2] = {{"WWW-Authenticate", "Authorization: "},
					       {"Proxy-Authenticate", "Proxy-Authorization: "}};
	struct challenge c;
	struct slice value;

	for (size_t i = 0; i < 2; i++)
		for (unsigned k = 0; (value = sip_text_header(response, names[i][0], k)).n; k++)
			if (read_challenge(value, &c) == 0) {
				out_z(o, names[i][1]);
				return write_answer(o, &c, user, password, method, uri);
			}
	return ERR_ABSENT;
}
