/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_CERT_PRIVATE_H
#define SB_CERT_CERT_PRIVATE_H

#include <stdatomic.h>

#include <openssl/x509.h>

#include "cert/cert.h"

/* Private to src/cert. Everything is computed when the certificate is made, so
 * that reading needs no lock. */
struct cert {
	atomic_uint refs;
	X509 *x509;
	uint8_t *der;
	size_t der_len;
	uint8_t sha256[SHA256_SIZE];
	struct cert_name subject, issuer;
	uint8_t *subject_der, *issuer_der, *serial_der; /* libcrypto's memory */
	size_t subject_der_len, issuer_der_len, serial_der_len;
	char *serial_text;
	char *signature_text;
	time_t not_before, not_after;
	char **alt_names;
	size_t alt_name_count;
	bool key_usable;
	struct public_key key;
	struct error key_error; /* why it is not usable */
	char key_text[48];
	uint8_t key_identifier[64]; /* CKA_IDs are no longer */
	size_t key_identifier_len;
};

/* The name of c's issuer is the subject of issuer. Cheap. */
bool cert_names_fit(const struct cert *c, const struct cert *issuer);

#endif
