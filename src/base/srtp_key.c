#include "base/srtp_key.h"

/* RFC 3711 8.2, 4568 6.2, 6188 2, 7714 12 and 14.2. */
static const struct srtp_suite_row rows[SRTP_SUITE_COUNT] = {
	[SRTP_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", 32, 12, 16, 16, true},
	[SRTP_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, 16, 16, true},
	[SRTP_AES_256_CM_SHA1_80] = {"AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10, false},
	[SRTP_AES_192_CM_SHA1_80] = {"AES_192_CM_HMAC_SHA1_80", 24, 14, 10, 10, false},
	[SRTP_AES_128_CM_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, false},
	[SRTP_AES_256_CM_SHA1_32] = {"AES_256_CM_HMAC_SHA1_32", 32, 14, 4, 10, false},
	[SRTP_AES_192_CM_SHA1_32] = {"AES_192_CM_HMAC_SHA1_32", 24, 14, 4, 10, false},
	[SRTP_AES_128_CM_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, false},
};

const struct srtp_suite_row *srtp_suite_row(unsigned suite)
{
	return suite > SRTP_NONE && suite < SRTP_SUITE_COUNT ? &rows[suite] : NULL;
}

enum srtp_suite srtp_suite_by_name(struct slice name)
{
	for (unsigned i = SRTP_NONE + 1; i < SRTP_SUITE_COUNT; i++)
		if (slice_eq_nocase(name, slice_z(rows[i].name)))
			return (enum srtp_suite)i;
	return SRTP_NONE;
}

size_t srtp_master_bytes(unsigned suite)
{
	const struct srtp_suite_row *row = srtp_suite_row(suite);

	return row ? (size_t)row->key_bytes + row->salt_bytes : 0;
}

bool srtp_key_valid(const struct srtp_key *key)
{
	return srtp_suite_row(key->suite) && key->mki_bytes <= SRTP_MKI_BYTES_MAX;
}

bool srtp_key_eq(const struct srtp_key *a, const struct srtp_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
