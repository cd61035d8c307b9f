#include "guard/r2_digest.h"

#include "base/mem.h"

#define HEADERS	 2
#define TEXT_MAX 512 /* bytes of what names a digest; what is longer is told apart by these */

static const enum sip_header_id answers[HEADERS] = {SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION};
static const enum sip_header_id challenges[HEADERS] = {SIP_H_WWW_AUTHENTICATE,
						       SIP_H_PROXY_AUTHENTICATE};

int r2_digests_init(struct r2_digests *d, const struct hash_key *key)
{
	*d = (struct r2_digests){.key = *key};
	d->entries = mem_zalloc((size_t)R2_DIGEST_SETS * R2_DIGEST_WAYS, sizeof(*d->entries));
	return d->entries ? 0 : ERR_NOMEM;
}

void r2_digests_done(struct r2_digests *d)
{
	mem_free(d->entries);
	*d = (struct r2_digests){0};
}

static uint64_t name_of(const struct r2_digests *d, const struct sip_auth *auth, bool answer)
{
	char text[TEXT_MAX];
	struct out o = out_to(text, sizeof(text));

	out_char(&o, answer ? 'a' : 'c');
	out_bytes(&o, slice_first(sip_auth_param(auth, SL("nonce")), TEXT_MAX / 2));
	if (answer) {
		out_char(&o, ' ');
		out_bytes(&o, slice_first(sip_auth_param(auth, SL("response")), TEXT_MAX / 3));
	}
	return hash_bytes(&d->key, out_slice(&o)) | 1;
}

/* The entry of this name, or the one that it would take. */
static struct r2_digest_entry *entry_of(const struct r2_digests *d, uint64_t name)
{
	struct r2_digest_entry *set = &d->entries[name / 2 % R2_DIGEST_SETS * R2_DIGEST_WAYS];
	struct r2_digest_entry *oldest = set;

	for (size_t i = 0; i < R2_DIGEST_WAYS; i++) {
		if (set[i].name == name)
			return &set[i];
		if (set[i].at_ms < oldest->at_ms)
			oldest = &set[i];
	}
	return oldest;
}

static bool holds(const struct r2_digest_entry *e, uint64_t name, uint64_t now_ms)
{
	return e->name == name && now_ms - e->at_ms < R2_DIGEST_MS;
}

bool r2_digest_replayed(struct r2_digests *d, const struct sip_msg *request,
			const struct ip_addr *source, uint64_t now_ms)
{
	bool replayed = false;

	for (size_t i = 0; i < HEADERS; i++)
		for (const struct sip_header *h = sip_header_first(request, answers[i]); h;
		     h = sip_header_next(request, h)) {
			struct r2_digest_entry *e;
			struct sip_auth auth;
			uint64_t name;

			if (sip_auth_parse(h->value, &auth))
				continue;
			name = name_of(d, &auth, true);
			e = entry_of(d, name);
			if (holds(e, name, now_ms) && !ip_eq(&e->from, source))
				replayed = true;
			else
				*e = (struct r2_digest_entry){name, now_ms, *source};
		}
	return replayed;
}

void r2_digest_challenged(struct r2_digests *d, const struct sip_msg *response, uint64_t now_ms)
{
	for (size_t i = 0; i < HEADERS; i++)
		for (const struct sip_header *h = sip_header_first(response, challenges[i]); h;
		     h = sip_header_next(response, h)) {
			struct sip_auth auth;
			uint64_t name;

			if (sip_auth_parse(h->value, &auth) ||
			    sip_auth_param(&auth, SL("qop")).n == 0)
				continue;
			name = name_of(d, &auth, false);
			*entry_of(d, name) =
				(struct r2_digest_entry){.name = name, .at_ms = now_ms};
		}
}

bool r2_digest_downgraded(const struct r2_digests *d, const struct sip_msg *request,
			  uint64_t now_ms)
{
	for (size_t i = 0; i < HEADERS; i++)
		for (const struct sip_header *h = sip_header_first(request, answers[i]); h;
		     h = sip_header_next(request, h)) {
			struct sip_auth auth;
			uint64_t name;

			if (sip_auth_parse(h->value, &auth) || sip_auth_param(&auth, SL("qop")).n)
				continue;
			name = name_of(d, &auth, false);
			if (holds(entry_of(d, name), name, now_ms))
				return true;
		}
	return false;
}
