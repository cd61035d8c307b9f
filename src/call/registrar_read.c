#include "call/registrar_impl.h"
#include "proto/sip/sip_write.h"

/* ---- names of ours ---- */

/* What a name is derived from; bytes that do not fit are of no consequence: phones that long are
 * refused before. */
#define SEED_BYTES_MAX 2048

struct seed {
	char text[SEED_BYTES_MAX];
	struct out o;
};

static void seed_add(struct seed *s, struct slice part)
{
	out_bytes(&s->o, part);
	out_char(&s->o, '\n');
}

static void seed_init(struct seed *s, const struct registrar *r, const struct reg_request *q,
		      const char *what)
{
	s->o = out_to(s->text, sizeof(s->text));
	seed_add(s, slice_z(what));
	seed_add(s, slice_z(r->config->phones[q->phone.owner.index].name));
	seed_add(s, slice_z(q->aor));
}

/* `n` bytes of the keyed hash in hexadecimal. */
static void seed_write(const struct seed *s, const struct registrar *r, struct out *o, size_t n)
{
	struct hash_key other = {r->key.k0, ~r->key.k1};
	uint64_t both[2] = {hash_bytes(&r->key, out_slice(&s->o)),
			    hash_bytes(&other, out_slice(&s->o))};
	uint8_t bytes[sizeof(both)];

	memcpy(bytes, both, sizeof(both));
	out_hex(o, bytes, n);
}

void reg_call_id_write(const struct registrar *r, const struct reg_request *q, struct out *o)
{
	struct seed s;

	seed_init(&s, r, q, "call-id");
	seed_add(&s, q->msg->call_id);
	seed_write(&s, r, o, 16);
}

void reg_tag_write(const struct registrar *r, const struct reg_request *q, struct out *o)
{
	struct seed s;

	seed_init(&s, r, q, "tag");
	seed_add(&s, q->msg->call_id);
	seed_add(&s, q->msg->from.tag);
	seed_write(&s, r, o, 8);
}

/* A phone that names its instance keeps its token when it restarts. */
static void write_token(const struct registrar *r, const struct reg_request *q,
			struct reg_contact *c)
{
	struct out o = out_to(c->token, sizeof(c->token) - 1);
	struct seed s;

	seed_init(&s, r, q, "token");
	if (c->instance[0]) {
		seed_add(&s, slice_z(c->instance));
	} else {
		seed_add(&s, q->msg->call_id);
		seed_add(&s, c->na.uri_text);
	}
	out_z(&o, REG_TOKEN_PREFIX);
	seed_write(&s, r, &o, (BINDING_TOKEN_MAX - sizeof(REG_TOKEN_PREFIX)) / 2);
	c->token[o.n] = '\0';
}

/* ---- contacts ---- */

static uint32_t expires_of(const struct sip_msg *msg, const struct sip_name_addr *na)
{
	struct slice text;
	uint32_t s = REG_EXPIRES_S;

	if (msg->expires_s >= 0)
		s = msg->expires_s > REG_EXPIRES_MAX_S ? REG_EXPIRES_MAX_S
						       : (uint32_t)msg->expires_s;
	/* RFC 3261 20.10: what is no number counts as 3600. */
	if (sip_param_get(na->params, SL("expires"), &text) &&
	    slice_u32(text, REG_EXPIRES_MAX_S, &s))
		s = slice_find(text, '-') < text.n ? REG_EXPIRES_S : REG_EXPIRES_MAX_S;
	return s;
}

static void read_instance(struct reg_contact *c)
{
	struct slice instance, reg_id = slice_of(NULL, 0);
	struct out o = out_to(c->instance, sizeof(c->instance) - 1);

	if (!sip_param_get(c->na.params, SL("+sip.instance"), &instance))
		return;
	(void)sip_param_get(c->na.params, SL("reg-id"), &reg_id);
	out_bytes(&o, instance);
	out_char(&o, ';');
	out_bytes(&o, reg_id);
	if (o.err)
		o.n = 0;
	c->instance[o.n] = '\0';
}

static enum reason read_contact(struct reg_request *q, struct slice value)
{
	struct reg_contact *c = &q->contact[q->contact_count];

	*c = (struct reg_contact){0};
	if (sip_name_addr_parse(value, &c->na))
		return REASON_sip_contact;
	if (c->na.wildcard) {
		q->wildcard = true;
		return REASON_NONE;
	}
	/* mailto: and the like may stand in a Contact; they are no way to a phone. */
	if (c->na.uri.scheme != SIP_SCHEME_SIP && c->na.uri.scheme != SIP_SCHEME_SIPS)
		return REASON_NONE;
	if (c->na.uri_text.n >= BINDING_URI_MAX)
		return REASON_response_too_long;
	c->expires_s = expires_of(q->msg, &c->na);
	read_instance(c);
	q->contact_count++;
	return REASON_NONE;
}

static enum reason read_contacts(const struct registrar *r, struct reg_request *q)
{
	struct sip_values v = sip_values_of(q->msg, SIP_H_CONTACT);
	enum reason why = REASON_NONE;
	struct slice value;

	while (why == REASON_NONE && q->contact_count < REG_CONTACTS_MAX &&
	       sip_values_next(&v, &value))
		why = read_contact(q, value);
	/* RFC 3261 10.2.2: "*" stands alone and with Expires: 0. */
	if (why == REASON_NONE && q->wildcard && (q->contact_count || q->msg->expires_s != 0))
		why = REASON_sip_contact;
	for (size_t i = 0; why == REASON_NONE && i < q->contact_count; i++) {
		struct binding *b = reg_binding_find(r, q, &q->contact[i]);

		if (b)
			(void)slice_to_z(slice_z(b->token), q->contact[i].token, BINDING_TOKEN_MAX);
		else
			write_token(r, q, &q->contact[i]);
	}
	return why;
}

struct binding *reg_binding_find(const struct registrar *r, const struct reg_request *q,
				 const struct reg_contact *c)
{
	struct slice aor = slice_z(q->aor), uri = c->na.uri_text;
	struct hash_node *n = hash_first(&r->by_aor, hash_bytes(&r->key, aor));

	for (; n; n = hash_next(n)) {
		struct binding *b = container_of(n, struct binding, by_aor);

		if (!slice_eq(slice_z(b->aor), aor) || b->phones != q->phone.owner.index)
			continue;
		if (b->instance[0] && c->instance[0]) {
			if (strcmp(b->instance, c->instance) == 0)
				return b;
			continue;
		}
		if (!slice_eq(slice_z(b->contact), uri))
			continue;
		if (slice_eq(slice_z(b->call_id), q->msg->call_id) ||
		    ip_eq(&b->source.remote.addr, &q->phone.path.remote.addr))
			return b;
	}
	return NULL;
}

/* ---- the whole ---- */

/* "user@host" of To as the PBX sees it. */
static enum reason read_aor(struct reg_request *q)
{
	const struct sip_uri *to = &q->msg->to.uri;
	struct out o = out_to(q->aor, sizeof(q->aor) - 1);
	struct ip_addr literal;

	if (to->scheme != SIP_SCHEME_SIP && to->scheme != SIP_SCHEME_SIPS)
		return REASON_uri_scheme;
	if (to->user.n == 0)
		return REASON_sip_to;
	out_bytes(&o, to->user);
	out_char(&o, '@');
	if (ip_parse(to->host, &literal) == 0)
		side_write_host(&o, &q->pbx);
	else
		out_bytes(&o, to->host);
	if (o.err || !slice_to_z(to->user, q->user, sizeof(q->user)))
		return REASON_response_too_long;
	q->aor[o.n] = '\0';
	for (size_t i = to->user.n; i < o.n; i++)
		q->aor[i] = ascii_lower(q->aor[i]);
	return REASON_NONE;
}

/* Who registers for sips: does so over TLS, and is reached over TLS from the PBX on (RFC
 * 5630 5.1.1, 5.4). */
static enum reason check_sips(const struct reg_request *q)
{
	bool sips = q->msg->uri.scheme == SIP_SCHEME_SIPS;

	for (size_t i = 0; i < q->contact_count; i++)
		sips = sips || q->contact[i].na.uri.scheme == SIP_SCHEME_SIPS;
	if (!sips)
		return REASON_NONE;
	if (!transport_secure((enum transport)q->phone.path.transport))
		return REASON_sips_in_clear;
	return transport_secure((enum transport)q->pbx.path.transport) ? REASON_NONE
								       : REASON_sips_not_possible;
}

enum reason reg_request_read(const struct registrar *r, const struct path *from, uint16_t phones,
			     const struct sip_msg *msg, struct reg_request *out)
{
	struct config_owner phone = {.kind = OWNER_PHONES, .index = phones},
			    pbx = {.kind = OWNER_PBX};
	enum reason why;

	*out = (struct reg_request){.msg = msg};
	if (side_make(r->config, from, phone, &out->phone))
		return REASON_source_unknown;
	pbx.index = r->config->phones[phones].to;
	if (side_to_peer(r->config, pbx, &out->pbx))
		return REASON_peer_unreachable;
	if (msg->uri.scheme != SIP_SCHEME_SIP && msg->uri.scheme != SIP_SCHEME_SIPS)
		return REASON_uri_scheme;
	if (msg->call_id.n >= BINDING_CALL_ID_MAX)
		return REASON_response_too_long;
	why = read_aor(out);
	why = why == REASON_NONE ? read_contacts(r, out) : why;
	return why == REASON_NONE ? check_sips(out) : why;
}

uint64_t reg_credentials_of(const struct registrar *r, const struct sip_msg *msg)
{
	static const struct slice fixed[] = {SLICE("username"), SLICE("realm"), SLICE("nonce"),
					     SLICE("uri"), SLICE("algorithm")};
	const struct sip_header *h = sip_header_first(msg, SIP_H_AUTHORIZATION);
	struct seed s = {.o = out_to(s.text, sizeof(s.text))};
	struct sip_auth auth;
	uint64_t hash;

	if (!h)
		h = sip_header_first(msg, SIP_H_PROXY_AUTHORIZATION);
	if (!h || sip_auth_parse(h->value, &auth))
		return 0;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		seed_add(&s, sip_auth_param(&auth, fixed[i]));
	/* With qop each request has a response of its own (RFC 7616 3.4). */
	if (!sip_auth_param(&auth, SL("qop")).p)
		seed_add(&s, sip_auth_param(&auth, SL("response")));
	hash = hash_bytes(&r->key, out_slice(&s.o));
	return hash ? hash : 1;
}

void reg_write_params(struct out *o, struct slice params)
{
	struct slice rest = params, name, value;

	while (rest.n) {
		const char *from = rest.p;

		if (!sip_param_next(&rest, &name, &value))
			return;
		if (!slice_eq_nocase(name, SL("expires")))
			sip_write_unfolded(o, slice_of(from, (size_t)(rest.p - from)));
	}
}

bool reg_natted(const struct registrar *r, const struct reg_request *q, const struct reg_contact *c)
{
	struct ip_addr said;

	if (!r->config->phones[q->phone.owner.index].nat)
		return false;
	return ip_parse(c->na.uri.host, &said) || !ip_eq(&said, &q->phone.path.remote.addr);
}
