/* EN: SIP over TLS, as a server offers it. */
#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "assess/checks/table.h"
#include "assess/checks/tls_try.h"

#define SIPS_PORT	 5061
#define EXPIRY_WARN_DAYS 30

static enum verdict no_tls(struct visit *v, int err)
{
	if (err == -ECONNREFUSED || err == -ETIMEDOUT || err == 0)
		return visit_absent(v, "it speaks no TLS at port %d (see EN-01)", SIPS_PORT);
	return visit_failed(v, "TLS", err);
}

/* The usual handshake; VERDICT_CLEAN: `out` has it. */
static enum verdict usual(struct visit *v, const char *ca_file, struct tls_seen *out)
{
	int err = tls_try(v, &(struct tls_ask){.port = SIPS_PORT, .ca_file = ca_file}, out);

	if (err || !out->done || !out->certificate) {
		tls_seen_done(out);
		return no_tls(v, err);
	}
	return VERDICT_CLEAN;
}

enum verdict en01_no_tls(struct visit *v)
{
	struct tls_seen seen;
	int err = tls_try(v, &(struct tls_ask){.port = SIPS_PORT}, &seen);
	bool done = !err && seen.done;

	tls_seen_done(&seen);
	if (done)
		return VERDICT_CLEAN;
	if (err && err != -ECONNREFUSED && err != -ETIMEDOUT)
		return visit_failed(v, "TLS", err);
	return visit_found(v, &(struct found){.port = SIPS_PORT}, "TCP port %d %s", SIPS_PORT,
			   err == -ECONNREFUSED ? "is closed"
			   : err		? "does not answer"
						: "answers, but a TLS handshake fails");
}

enum verdict en03_old_tls(struct visit *v)
{
	static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};
	enum verdict verdict = VERDICT_CLEAN;
	struct tls_seen seen;
	enum verdict first = usual(v, NULL, &seen);

	if (first != VERDICT_CLEAN && first != VERDICT_ABSENT)
		return first;
	tls_seen_done(&seen);
	for (size_t i = 0; i < 2; i++) {
		int err = tls_try(v,
				  &(struct tls_ask){.port = SIPS_PORT,
						    .version_min = versions[i],
						    .version_max = versions[i],
						    .ciphers = "ALL:@SECLEVEL=0"},
				  &seen);

		if (err)
			return first == VERDICT_ABSENT ? first : visit_failed(v, "TLS", err);
		if (seen.done)
			verdict = visit_found(v, &(struct found){.port = SIPS_PORT},
					      "%s is accepted (%s)", seen.version, seen.cipher);
		tls_seen_done(&seen);
	}
	return verdict == VERDICT_CLEAN ? first : verdict;
}

enum verdict en04_weak_ciphers(struct visit *v)
{
	static const struct {
		const char *ciphers, *what;
	} groups[] = {
		{"eNULL:@SECLEVEL=0", "no encryption"},
		{"aNULL:!eNULL:@SECLEVEL=0", "no authentication"},
		{"3DES:RC4:DES:IDEA:SEED:@SECLEVEL=0", "an old cipher"},
		{"kRSA:!eNULL:@SECLEVEL=0", "no forward secrecy"},
	};
	enum verdict verdict = VERDICT_CLEAN;
	struct tls_seen seen;
	enum verdict first = usual(v, NULL, &seen);

	if (first != VERDICT_CLEAN)
		return first;
	tls_seen_done(&seen);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int err = tls_try(v,
				  &(struct tls_ask){.port = SIPS_PORT,
						    .version_max = TLS1_2_VERSION,
						    .ciphers = groups[i].ciphers},
				  &seen);

		if (err == ERR_NOMEM)
			continue; /* this OpenSSL has none of the group any more */
		if (err)
			return visit_failed(v, "TLS", err);
		if (seen.done)
			verdict = visit_found(v, &(struct found){.port = SIPS_PORT},
					      "%s: %s is accepted", groups[i].what, seen.cipher);
		tls_seen_done(&seen);
	}
	return verdict;
}

enum verdict en05_expiry(struct visit *v)
{
	struct tls_seen seen;
	enum verdict verdict = usual(v, NULL, &seen);
	int days = 0, seconds = 0;

	if (verdict != VERDICT_CLEAN)
		return verdict;
	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(seen.certificate)) != 1)
		verdict = visit_untested(v, "the end of its validity cannot be read");
	else if (days < 0 || seconds < 0)
		verdict = visit_found(v, &(struct found){.port = SIPS_PORT},
				      "its certificate expired %d days ago", -days);
	else if (days < EXPIRY_WARN_DAYS)
		verdict = visit_found(
			v,
			&(struct found){.port = SIPS_PORT, .severity = VISIT_LEVEL(ASSESS_MEDIUM)},
			"its certificate expires in %d days", days);
	tls_seen_done(&seen);
	return verdict;
}

/* The domains that the asset serves: its own key, else those of the pbx section with its address.
 */
static struct slice domain_of(const struct visit *v)
{
	const struct config *c = v->config;
	const struct config_asset *a = v->target->asset;

	if (a->domain_count)
		return a->domains[0];
	for (size_t i = 0; i < c->pbx_count; i++)
		if (c->pbxs[i].domain_count && ip_eq(&c->pbxs[i].peer.at.addr, &v->target->address))
			return c->pbxs[i].domains[0];
	return (struct slice){0};
}

/* RFC 5922 7.1: a SIP URI among the alternative names, else a DNS name; no wildcards. */
static bool names_domain(const X509 *x, struct slice domain)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	char uri[256];
	int n = snprintf(uri, sizeof(uri), "sip:%.*s", SLICE_ARGS(domain));
	bool found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const ASN1_IA5STRING *text = name->type == GEN_URI
						     ? name->d.uniformResourceIdentifier
					     : name->type == GEN_DNS ? name->d.dNSName
								     : NULL;
		struct slice s = text ? slice_of((const char *)ASN1_STRING_get0_data(text),
						 (size_t)ASN1_STRING_length(text))
				      : (struct slice){0};

		found |= name->type == GEN_URI && slice_eq_nocase(s, slice_of(uri, (size_t)n));
		found |= name->type == GEN_DNS && slice_eq_nocase(s, domain);
	}
	GENERAL_NAMES_free(names);
	return found;
}

enum verdict en06_wrong_name(struct visit *v)
{
	struct slice domain = domain_of(v);
	struct tls_seen seen;
	enum verdict verdict;

	if (!domain.n)
		return visit_not_asked(v, "its asset section names no domain");
	verdict = usual(v, NULL, &seen);
	if (verdict != VERDICT_CLEAN)
		return verdict;
	if (!names_domain(seen.certificate, domain))
		verdict = visit_found(v, &(struct found){.port = SIPS_PORT},
				      "no alternative name of its certificate is sip:%.*s or %.*s",
				      SLICE_ARGS(domain), SLICE_ARGS(domain));
	tls_seen_done(&seen);
	return verdict;
}

enum verdict en07_untrusted(struct visit *v)
{
	struct tls_seen seen;
	enum verdict verdict = usual(v, v->config->tls.ca, &seen);
	long why;

	if (verdict != VERDICT_CLEAN)
		return verdict;
	why = seen.verify;
	tls_seen_done(&seen);
	if (why == X509_V_OK || why == X509_V_ERR_CERT_HAS_EXPIRED)
		return VERDICT_CLEAN; /* expiry is another check's */
	return visit_found(v, &(struct found){.port = SIPS_PORT},
			   "its certificate is not trusted: %s",
			   X509_verify_cert_error_string(why));
}

enum verdict en08_weak_key(struct visit *v)
{
	struct tls_seen seen;
	enum verdict verdict = usual(v, NULL, &seen);
	int digest = NID_undef, bits, type;

	if (verdict != VERDICT_CLEAN)
		return verdict;
	bits = EVP_PKEY_get_bits(X509_get0_pubkey(seen.certificate));
	type = EVP_PKEY_get_base_id(X509_get0_pubkey(seen.certificate));
	(void)X509_get_signature_info(seen.certificate, &digest, NULL, NULL, NULL);
	if ((type == EVP_PKEY_RSA && bits < 2048) || (type == EVP_PKEY_EC && bits < 224))
		verdict = visit_found(v, &(struct found){.port = SIPS_PORT}, "its key has %d bits",
				      bits);
	if (digest == NID_md5 || digest == NID_sha1)
		verdict = visit_found(v, &(struct found){.port = SIPS_PORT},
				      "its certificate is signed with %s", OBJ_nid2sn(digest));
	tls_seen_done(&seen);
	return verdict;
}

/* TLS 1.3 tells of a refused certificate only behind the handshake: a keep-alive (RFC 5626 3.5.1)
 * shows whether it talks to us. */
enum verdict en09_any_client(struct visit *v)
{
	struct tls_ask ask = {.port = SIPS_PORT, .after = SL("\r\n\r\n")};
	struct tls_seen none, own;
	enum verdict verdict = VERDICT_CLEAN;
	int err;

	if (!v->target->asset->mutual_tls)
		return visit_not_asked(
			v, "its asset section does not say that it must ask for clients' "
			   "certificates (mutual-tls)");
	err = tls_try(v, &ask, &none);
	tls_seen_done(&none);
	ask.own_certificate = true;
	err = err ? err : tls_try(v, &ask, &own);
	if (err)
		return no_tls(v, err);
	tls_seen_done(&own);
	if (none.done && none.answered)
		verdict = visit_found(v, &(struct found){.port = SIPS_PORT},
				      "it talks to a client without a certificate");
	if (own.done && own.answered)
		verdict = visit_found(v, &(struct found){.port = SIPS_PORT},
				      "it talks to a client whose certificate nobody signed");
	return verdict;
}
