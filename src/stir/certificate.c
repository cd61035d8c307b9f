#include "stir/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

#include "stir/jws.h"
#include "stir/limits.h"
#include "stir/number.h"

#define TN_AUTH_LIST "1.3.6.1.5.5.7.1.26" /* RFC 8226 9 */
#define ENTRIES_MAX  1024		  /* of one TNAuthList that are looked at */

/* ---- TNAuthorizationList ::= SEQUENCE OF CHOICE { [0] spc, [1] range, [2] one } ---- */

struct der {
	const unsigned char *p, *end;
};

/* The next value of whatever kind; false at the end or at nonsense. */
static bool der_next(struct der *d, int *tag, int *class, struct der *out)
{
	const unsigned char *p = d->p;
	long n;
	int r;

	if (p >= d->end)
		return false;
	r = ASN1_get_object(&p, &n, tag, class, d->end - p);
	if ((r & 0x80) || (r & 1) || n < 0 || n > d->end - p)
		return false;
	*out = (struct der){p, p + n};
	d->p = p + n;
	return true;
}

static bool der_enter(struct der *d, int want, struct der *out)
{
	int tag, class;

	return der_next(d, &tag, &class, out) && class == V_ASN1_UNIVERSAL && tag == want;
}

static struct slice text_of(const struct der *d)
{
	return slice_of((const char *)d->p, (size_t)(d->end - d->p));
}

/* A number of at most 15 digits as one. */
static bool value_of(struct slice tn, uint64_t *out)
{
	return number_is_canonical(tn) && slice_u64(tn, UINT64_MAX, out) == 0;
}

static bool range_covers(struct der d, struct slice tn)
{
	struct der seq, start, count;
	uint64_t first, number, n = 0;

	if (!der_enter(&d, V_ASN1_SEQUENCE, &seq) || !der_enter(&seq, V_ASN1_IA5STRING, &start) ||
	    !der_enter(&seq, V_ASN1_INTEGER, &count) || count.end - count.p > 8 ||
	    count.p == count.end || (*count.p & 0x80))
		return false;
	for (; count.p < count.end; count.p++)
		n = n << 8 | *count.p;
	if (text_of(&start).n != tn.n || !value_of(text_of(&start), &first) ||
	    !value_of(tn, &number))
		return false;
	return number >= first && number - first < n;
}

static bool entry_covers(int tag, struct der d, struct slice tn)
{
	struct der text;

	if (tag == 1)
		return range_covers(d, tn);
	if (!der_enter(&d, V_ASN1_IA5STRING, &text) || text.p == text.end)
		return false;
	return tag == 0 || (tag == 2 && slice_eq(text_of(&text), tn));
}

static bool list_covers(struct der d, struct slice tn)
{
	struct der list, entry;
	int tag, class;

	if (!der_enter(&d, V_ASN1_SEQUENCE, &list))
		return false;
	for (int i = 0; i < ENTRIES_MAX && der_next(&list, &tag, &class, &entry); i++)
		if (class == V_ASN1_CONTEXT_SPECIFIC && entry_covers(tag, entry, tn))
			return true;
	return false;
}

static const X509_EXTENSION *auth_list_of(const X509 *cert)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(TN_AUTH_LIST, 1);
	int at = oid ? X509_get_ext_by_OBJ(cert, oid, -1) : -1;

	ASN1_OBJECT_free(oid);
	return at >= 0 ? X509_get_ext(cert, at) : NULL;
}

bool stir_certificate_covers(const struct stir_certificate *c, struct slice tn)
{
	X509_EXTENSION *e = X509_EXTENSION_dup(auth_list_of(c->leaf));
	ASN1_OCTET_STRING *value = e ? X509_EXTENSION_get_data(e) : NULL;
	struct der d = {0};
	bool covered = false;

	if (value) {
		d.p = ASN1_STRING_get0_data(value);
		d.end = d.p + ASN1_STRING_length(value);
		covered = list_covers(d, tn);
	}
	X509_EXTENSION_free(e);
	return covered;
}

/* ---- reading ---- */

static uint64_t seconds_of(const ASN1_TIME *t)
{
	struct tm tm;
	time_t s = t && ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;

	return s > 0 ? (uint64_t)s : 0;
}

static const char *read_pem(struct slice pem, X509 **leaf, STACK_OF(X509) * chain)
{
	BIO *bio = pem.n <= STIR_BODY_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	const char *why = NULL;
	X509 *next;

	if (!bio)
		return "memory ran out, or there is too much of it";
	*leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	while (*leaf && !why && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (sk_X509_num(chain) + 1 >= STIR_CHAIN_MAX)
			why = "there are too many certificates";
		if (why || !sk_X509_push(chain, next))
			X509_free(next);
	}
	BIO_free(bio);
	ERR_clear_error();
	return *leaf ? why : "there is no certificate (PEM)";
}

/* Also notes when the first of the chain ends. */
static const char *lead_to_anchor(X509 *leaf, STACK_OF(X509) * chain, X509_STORE *anchors,
				  uint64_t now_s, uint64_t *until_s)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	const char *why = "memory ran out";
	STACK_OF(X509) * whole;

	if (ctx && X509_STORE_CTX_init(ctx, anchors, leaf, chain) == 1) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

		X509_VERIFY_PARAM_set_depth(param, STIR_CHAIN_MAX);
		X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
		why = X509_verify_cert(ctx) == 1
			      ? NULL
			      : X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
		whole = X509_STORE_CTX_get0_chain(ctx);
		for (int i = 0; !why && i < sk_X509_num(whole); i++) {
			uint64_t s = seconds_of(X509_get0_notAfter(sk_X509_value(whole, i)));

			*until_s = s < *until_s ? s : *until_s;
		}
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return why;
}

static const char *judge(struct stir_certificate *c)
{
	if (!auth_list_of(c->leaf))
		return "it names no telephone numbers and no provider (TNAuthList, RFC 8226)";
	c->key = X509_get_pubkey(c->leaf);
	ERR_clear_error();
	return jws_key_fits(c->key) ? NULL : "its key is not on P-256, which ES256 needs";
}

static const char *read(struct slice pem, X509_STORE *anchors, uint64_t now_s,
			struct stir_certificate *out)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct stir_certificate c = {.until_s = UINT64_MAX};
	const char *why = chain ? read_pem(pem, &c.leaf, chain) : "memory ran out";

	if (!why)
		why = judge(&c);
	if (!why && anchors)
		why = lead_to_anchor(c.leaf, chain, anchors, now_s, &c.until_s);
	else if (!why)
		c.until_s = seconds_of(X509_get0_notAfter(c.leaf));
	sk_X509_pop_free(chain, X509_free);
	if (why)
		stir_certificate_done(&c);
	else
		*out = c;
	return why;
}

const char *stir_certificate_read(struct slice pem, X509_STORE *anchors, uint64_t now_s,
				  struct stir_certificate *out)
{
	return read(pem, anchors, now_s, out);
}

const char *stir_certificate_own(struct slice pem, struct stir_certificate *out)
{
	return read(pem, NULL, 0, out);
}

void stir_certificate_done(struct stir_certificate *c)
{
	EVP_PKEY_free(c->key);
	X509_free(c->leaf);
	*c = (struct stir_certificate){0};
}
