/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "pkcs11/internal.h"

/* The hot path: one C_SignInit and one C_Sign on a session of the pool. No
 * memory is allocated and nothing is logged. */

enum { ECDSA_HALF_MAX = 48 };

static const struct {
	CK_MECHANISM_TYPE hash;
	CK_ULONG mgf;
} pss_hashes[] = {
	[HASH_SHA1] = { CKM_SHA_1, CKG_MGF1_SHA1 },
	[HASH_SHA256] = { CKM_SHA256, CKG_MGF1_SHA256 },
	[HASH_SHA384] = { CKM_SHA384, CKG_MGF1_SHA384 },
	[HASH_SHA512] = { CKM_SHA512, CKG_MGF1_SHA512 },
};

static const struct {
	enum key_type type;
	enum mech_id mech;
	CK_MECHANISM_TYPE ck;
	const char *name;
} schemes[] = {
	[SIGN_RSA_PKCS1] = { KEY_RSA, MECH_RSA_PKCS, CKM_RSA_PKCS,
			     "CKM_RSA_PKCS" },
	[SIGN_RSA_PSS] = { KEY_RSA, MECH_RSA_PSS, CKM_RSA_PKCS_PSS,
			   "CKM_RSA_PKCS_PSS" },
	[SIGN_ECDSA] = { KEY_EC, MECH_ECDSA, CKM_ECDSA, "CKM_ECDSA" },
};
enum { SCHEME_COUNT = sizeof(schemes) / sizeof(schemes[0]) };

/* One half of a raw ECDSA signature as a DER INTEGER; returns its length. */
static size_t put_integer(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t pad;

	while (n > 1 && !*p) {
		p++;
		n--;
	}
	pad = *p & 0x80 ? 1 : 0;
	out[0] = 0x02;
	out[1] = (uint8_t)(n + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, p, n);
	return 2 + pad + n;
}

/* r and s side by side become a SEQUENCE of two INTEGERs (RFC 3279 2.2.3). */
static size_t ecdsa_to_der(const uint8_t *raw, size_t half, uint8_t *out)
{
	uint8_t body[2 * (ECDSA_HALF_MAX + 3)];
	size_t n = put_integer(raw, half, body);
	size_t at = 0;

	n += put_integer(raw + half, half, body + n);
	out[at++] = 0x30;
	if (n >= 0x80)
		out[at++] = 0x81;
	out[at++] = (uint8_t)n;
	memcpy(out + at, body, n);
	return at + n;
}

static int finish(enum sign_scheme scheme, unsigned bits, const uint8_t *raw,
		  CK_ULONG raw_len, uint8_t sig[KEY_SIGNATURE_MAX],
		  size_t *sig_len, struct error *e)
{
	if (scheme != SIGN_ECDSA) {
		if (raw_len != (bits + 7) / 8)
			return error_set(e, ERR_TOKEN,
					 "C_Sign: %lu bytes for %u bits",
					 raw_len, bits);
		memcpy(sig, raw, raw_len);
		*sig_len = raw_len;
		return 0;
	}
	if (raw_len != 2 * ((CK_ULONG)bits / 8) || raw_len > 2 * ECDSA_HALF_MAX)
		return error_set(e, ERR_TOKEN, "C_Sign: %lu bytes for P-%u",
				 raw_len, bits);
	*sig_len = ecdsa_to_der(raw, raw_len / 2, sig);
	return 0;
}

int sign_with(struct session *s, CK_OBJECT_HANDLE o, enum sign_scheme scheme,
	      unsigned bits, enum hash_alg alg, const uint8_t *digest,
	      uint8_t sig[KEY_SIGNATURE_MAX], size_t *sig_len, struct error *e)
{
	CK_MECHANISM mech = { schemes[scheme].ck, NULL, 0 };
	uint8_t input[DIGEST_INFO_MAX], raw[KEY_SIGNATURE_MAX];
	CK_RSA_PKCS_PSS_PARAMS pss;
	CK_ULONG n, raw_len = sizeof(raw);
	CK_RV rv;

	if (scheme == SIGN_RSA_PKCS1) {
		n = digest_info(alg, digest, input);
	} else {
		n = hash_size(alg);
		memcpy(input, digest, n);
	}
	if (scheme == SIGN_RSA_PSS) {
		pss.hashAlg = pss_hashes[alg].hash;
		pss.mgf = pss_hashes[alg].mgf;
		pss.sLen = n;
		mech.pParameter = &pss;
		mech.ulParameterLen = sizeof(pss);
	} else if (scheme == SIGN_ECDSA && n > bits / 8) {
		n = bits / 8; /* FIPS 186-4 6.4: the leftmost bits count */
	}
	rv = CALL(s->c, C_SignInit, s->h, &mech, o);
	if (rv != CKR_OK)
		return session_fail(s, rv, "C_SignInit", e);
	rv = CALL(s->c, C_Sign, s->h, input, n, raw, &raw_len);
	if (rv != CKR_OK)
		return session_fail(s, rv, "C_Sign", e);
	return finish(scheme, bits, raw, raw_len, sig, sig_len, e);
}

/* --- a key of the pool */

static bool handle_is_stale(const struct error *e)
{
	return e->native == (long)CKR_KEY_HANDLE_INVALID ||
	       e->native == (long)CKR_OBJECT_HANDLE_INVALID;
}

/* A handle that the token no longer knows is looked up again once: the key may
 * have been replaced, or its session copy lost. */
static int sign_on(struct token_key *k, struct session *s,
		   enum sign_scheme scheme, enum hash_alg alg,
		   const uint8_t *digest, uint8_t sig[KEY_SIGNATURE_MAX],
		   size_t *sig_len, struct error *e)
{
	CK_OBJECT_HANDLE o;

	if (key_handle(k, s, &o, e) < 0)
		return -1;
	if (sign_with(s, o, scheme, k->pub.bits, alg, digest, sig, sig_len,
		      e) == 0)
		return 0;
	if (!handle_is_stale(e))
		return -1;
	key_forget(k, s);
	if (key_handle(k, s, &o, e) < 0)
		return -1;
	return sign_with(s, o, scheme, k->pub.bits, alg, digest, sig, sig_len,
			 e);
}

int token_key_sign(struct token_key *k, enum sign_scheme scheme,
		   enum hash_alg alg, const uint8_t *digest,
		   uint8_t sig[KEY_SIGNATURE_MAX], size_t *sig_len,
		   struct error *e)
{
	struct session s;

	if (!token_key_can(k, scheme))
		return error_set(e, ERR_UNSUPPORTED,
				 "the token does not sign with %s for this key",
				 (unsigned)scheme < SCHEME_COUNT
				     ? schemes[scheme].name
				     : "such a mechanism");
	for (unsigned attempt = 1;; attempt++) {
		bool again;
		int rc;

		if (pool_take(k->t, &s, e) < 0)
			return -1;
		rc = sign_on(k, &s, scheme, alg, digest, sig, sig_len, e);
		again = rc < 0 && pool_try_again(k->t, &s, attempt);
		pool_give(k->t, &s);
		if (rc == 0)
			atomic_fetch_add_explicit(&k->t->signatures, 1,
						  memory_order_relaxed);
		if (!again)
			return rc;
	}
}

static int signer_sign(void *arg, enum sign_scheme scheme, enum hash_alg alg,
		       const uint8_t *digest, uint8_t sig[KEY_SIGNATURE_MAX],
		       size_t *sig_len, struct error *e)
{
	return token_key_sign(arg, scheme, alg, digest, sig, sig_len, e);
}

struct signer token_key_signer(struct token_key *k)
{
	return (struct signer){ signer_sign, k, k->pub };
}

/* --- trials */

static int trial(struct session *s, CK_OBJECT_HANDLE o,
		 const struct public_key *pub, enum sign_scheme scheme,
		 struct error *e)
{
	uint8_t digest[SHA256_SIZE], sig[KEY_SIGNATURE_MAX];
	size_t n;

	random_bytes(digest, sizeof(digest));
	if (sign_with(s, o, scheme, pub->bits, HASH_SHA256, digest, sig, &n,
		      e) < 0)
		return -1;
	return public_key_verify(pub, scheme, HASH_SHA256, digest,
				 view_of(sig, n), e);
}

/* Some tokens list a mechanism and refuse it for this key or these parameters:
 * only a signature tells. */
int sign_probe(struct session *s, CK_OBJECT_HANDLE o,
	       const struct public_key *pub, unsigned *can_out, struct error *e)
{
	*can_out = 0;
	for (unsigned i = 0; i < SCHEME_COUNT; i++) {
		const struct mech *m = &s->c->mechs[schemes[i].mech];

		if (schemes[i].type != pub->type || !m->present)
			continue;
		if (trial(s, o, pub, (enum sign_scheme)i, e) == 0)
			*can_out |= 1U << i;
		else if (session_is_spent(s))
			return -1;
	}
	return 0;
}

int sign_trial(struct session *s, CK_OBJECT_HANDLE o,
	       const struct public_key *pub, struct error *e)
{
	if (pub->type == KEY_EC)
		return trial(s, o, pub, SIGN_ECDSA, e);
	if (!s->c->mechs[MECH_RSA_PKCS].present)
		return trial(s, o, pub, SIGN_RSA_PSS, e);
	return trial(s, o, pub, SIGN_RSA_PKCS1, e);
}
