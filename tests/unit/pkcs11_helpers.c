/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/pkcs11_helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "tests/lib/test_token.h"
#include "tests/lib/unit.h"

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s failed\n", what);
		abort();
	}
}

static void take_number(EVP_PKEY *pkey, const char *name, struct secret *out)
{
	struct error e = ERROR_INIT;
	BIGNUM *n = NULL;

	must(EVP_PKEY_get_bn_param(pkey, name, &n) == 1, name);
	must(secret_alloc(out, (size_t)BN_num_bytes(n), &e) == 0, name);
	BN_bn2bin(n, out->ptr);
	BN_free(n);
}

static void take_point(EVP_PKEY *pkey, struct secret *out)
{
	struct error e = ERROR_INIT;
	uint8_t point[200];
	size_t n;

	must(EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
					     point, sizeof(point), &n) == 1,
	     "point");
	must(secret_copy(out, view_of(point, n), &e) == 0, "point");
}

void make_material(struct key_material *m, enum key_type type, unsigned bits)
{
	const char *curve = bits == 256 ? "P-256" : "P-384";
	struct error e = ERROR_INIT;
	unsigned char *spki = NULL;
	EVP_PKEY *pkey;
	int n;

	memset(m, 0, sizeof(*m));
	pkey = type == KEY_RSA ? EVP_RSA_gen(bits) : EVP_EC_gen(curve);
	must(pkey != NULL, "key generation");
	n = i2d_PUBKEY(pkey, &spki);
	must(n > 0 && public_key_from_spki(view_of(spki, (size_t)n), &m->pub,
					   &e) == 0,
	     "public key");
	OPENSSL_free(spki);
	if (type == KEY_RSA) {
		take_number(pkey, OSSL_PKEY_PARAM_RSA_N, &m->n);
		take_number(pkey, OSSL_PKEY_PARAM_RSA_E, &m->e);
		take_number(pkey, OSSL_PKEY_PARAM_RSA_D, &m->d);
		take_number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &m->p);
		take_number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, &m->q);
		take_number(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1, &m->dp);
		take_number(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2, &m->dq);
		take_number(pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, &m->qi);
	} else {
		take_number(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &m->d);
		take_point(pkey, &m->point);
	}
	EVP_PKEY_free(pkey);
}

int sign_and_verify(struct token_key *k, enum sign_scheme scheme,
		    enum hash_alg alg, struct error *e)
{
	uint8_t digest[SHA512_SIZE], sig[KEY_SIGNATURE_MAX];
	size_t n = 0;

	random_bytes(digest, sizeof(digest));
	if (token_key_sign(k, scheme, alg, digest, sig, &n, e) < 0)
		return -1;
	return public_key_verify(token_key_public(k), scheme, alg, digest,
				 view_of(sig, n), e);
}

void make_member(struct set_member *m, struct fake_certificate *room,
		 const char *role, const char *label, unsigned seed)
{
	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < sizeof(room->der); i++)
		room->der[i] = (uint8_t)(seed * 31 + i * (seed % 7 + 1));
	memcpy(room->der, &seed, sizeof(seed));
	snprintf(room->label, sizeof(room->label), "%s", label);
	snprintf(m->role, sizeof(m->role), "%s", role);
	m->label = room->label;
	m->der = view_of(room->der, sizeof(room->der));
	m->subject = view_of("0", 1);
	sha256_of(m->der, m->sha256);
	memcpy(m->id.bytes, m->sha256, SHA1_SIZE);
	m->id.len = SHA1_SIZE;
}

/* A machine that does much beside takes its time. */
enum { STATE_WAIT_MS = 60000 };

bool wait_for_state(struct token *t, enum token_state wanted)
{
	int64_t deadline = clock_monotonic_ms() + STATE_WAIT_MS;
	struct timespec nap = { 0, 5000000L };
	struct token_info info;

	do {
		token_get_info(t, &info);
		if (info.state == wanted)
			return true;
		nanosleep(&nap, NULL);
	} while (clock_monotonic_ms() < deadline);
	unit_note("state is %s: %s", token_state_name(info.state), info.reason);
	return false;
}

bool wait_for_sessions(struct token *t, unsigned wanted)
{
	int64_t deadline = clock_monotonic_ms() + STATE_WAIT_MS;
	struct timespec nap = { 0, 5000000L };
	struct token_info info;

	do {
		token_get_info(t, &info);
		if (info.sessions_open == wanted)
			return true;
		nanosleep(&nap, NULL);
	} while (clock_monotonic_ms() < deadline);
	unit_note("%u sessions are open", (unsigned)info.sessions_open);
	return false;
}

int listed(const char *words)
{
	char command[1024];
	int n = -1;
	FILE *p;

	snprintf(command, sizeof(command),
		 "pkcs11-tool --module %s --login --pin %s --list-objects "
		 "2>/dev/null | grep -c \"%s\"",
		 TEST_TOKEN_MODULE, TEST_TOKEN_PIN, words);
	p = popen(command, "r");
	if (p && fscanf(p, "%d", &n) != 1)
		n = -1;
	if (p)
		pclose(p);
	return n;
}
