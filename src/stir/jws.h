/* The signature of a PASSporT: base64url (RFC 4648 5) and ES256 (RFC 7518 3.4). */
#ifndef HW_STIR_JWS_H
#define HW_STIR_JWS_H

#include <openssl/evp.h>

#include "base/out.h"

#define JWS_SIGNATURE_BYTES 64 /* r and s of P-256 */

/* Without padding, line ends or bits that mean nothing. ERR_SYNTAX, ERR_SPACE. */
int jws_decode(struct slice text, uint8_t *out, size_t size, size_t *out_n) must_check;
void jws_encode(struct out *o, const uint8_t *bytes, size_t n);

/* True for a key on P-256, which is what ES256 is made with. */
bool jws_key_fits(EVP_PKEY *key);
bool jws_verify(EVP_PKEY *key, struct slice text, const uint8_t signature[JWS_SIGNATURE_BYTES]);
/* ERR_NOMEM. */
int jws_sign(EVP_PKEY *key, struct slice text, uint8_t out[JWS_SIGNATURE_BYTES]) must_check;

#endif
