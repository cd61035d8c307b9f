#include "tls/names.h"

#include <openssl/x509v3.h>

#include "base/out.h"

static struct slice text_of(const ASN1_STRING *s)
{
	return slice_of((const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

/* A NUL or a blank within would be read as another name by others. */
static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '*' || s.p[i] == 0x7f)
			return false;
	return s.n > 0 && s.n < CONFIG_HOST_MAX;
}

static void add(struct tls_facts *f, struct slice name)
{
	if (is_name(name) && f->name_count < TLS_NAMES_MAX &&
	    slice_to_z(name, f->names[f->name_count], CONFIG_HOST_MAX))
		f->name_count++;
}

/* The host of "sip:example.com"; nothing of one with a user, which is a person's (7.1 1.). */
static struct slice domain_of(struct slice uri)
{
	struct slice rest = slice_from(uri, 4);

	if (!slice_starts_nocase(uri, SL("sip:")) || slice_find(rest, '@') < rest.n)
		return slice_of(NULL, 0);
	rest = slice_first(rest, slice_find(rest, ';'));
	return slice_first(rest, slice_find(rest, ':'));
}

static void add_kind(const GENERAL_NAMES *list, int kind, struct tls_facts *f)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(list, i);

		if (n->type != kind)
			continue;
		add(f, kind == GEN_URI ? domain_of(text_of(n->d.uniformResourceIdentifier))
				       : text_of(n->d.dNSName));
	}
}

static void add_addresses(const GENERAL_NAMES *list, struct tls_facts *f)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(list, i);
		struct ip_addr a = {0};
		char text[IP_TEXT_MAX];
		struct slice bytes;

		if (n->type != GEN_IPADD)
			continue;
		bytes = text_of(n->d.iPAddress);
		if (bytes.n != 4 && bytes.n != 16)
			continue;
		a.family = bytes.n == 4 ? IP_V4 : IP_V6;
		memcpy(a.bytes, bytes.p, bytes.n);
		add(f, slice_z(ip_text(&a, text)));
	}
}

static struct slice common_name(const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (at < 0)
		return slice_of(NULL, 0);
	return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

void tls_names_write(const X509 *cert, struct tls_facts *out)
{
	GENERAL_NAMES *list = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	out->name_count = 0;
	if (!list) {
		if (X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) < 0)
			add(out, common_name(cert));
		return;
	}
	add_kind(list, GEN_URI, out);
	if (out->name_count == 0)
		add_kind(list, GEN_DNS, out);
	add_addresses(list, out);
	GENERAL_NAMES_free(list);
}

/* What is shown is escaped by whoever shows it; here it only loses what cannot stand in a text. */
static void show(struct slice s, char out[static TLS_SUBJECT_MAX])
{
	(void)slice_to_z(s, out, TLS_SUBJECT_MAX);
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p > 0x7e)
			*p = '?';
}

void tls_subject_write(const X509 *cert, char out[static TLS_SUBJECT_MAX])
{
	struct slice name = common_name(cert);
	struct tls_facts f;

	if (name.n) {
		show(name, out);
		return;
	}
	tls_names_write(cert, &f);
	if (f.name_count)
		show(slice_z(f.names[0]), out);
	else if (!X509_NAME_oneline(X509_get_subject_name(cert), out, TLS_SUBJECT_MAX) || !out[0])
		show(SL("(no name)"), out);
}
