/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_TESTS_LIB_TEST_CERTS_H
#define SB_TESTS_LIB_TEST_CERTS_H

#include <stdbool.h>
#include <time.h>

#include "base/key.h"

/* Keys, certificates and their files, made inside tests with libcrypto (whose
 * headers stay out of this one: wolfSSL's clash with them). Whatever cannot be
 * made ends the process with a message. Strings are the caller's to free(). */

struct test_key;

/* The n-th key of that kind in this process, made at its first use: "rsa1024",
 * "rsa2048", "rsa3072", "rsa4096", "ecP256", "ecP384", "ecP521", "ed25519",
 * "rsapss2048", "dsa1024", "multiprime2048", any curve as "curve-secp256k1" or,
 * with its parameters written out, "explicit-prime256v1"; "modulus9000" is RSA
 * without a private key. Never freed. */
struct test_key *test_key(const char *kind, unsigned n);
void test_key_public(const struct test_key *k, struct public_key *out);
/* A signer that signs with it in software. */
struct signer test_key_signer(const struct test_key *k);

/* A key as a file. format: "pkcs1", "sec1" (both "traditional"), "pkcs8",
 * "public", "explicit" (SEC1 with own curve parameters); with a cipher name
 * ("DES-EDE3-CBC", "AES-256-CBC") and a password traditional forms get RFC 1421
 * headers and PKCS#8 gets PBES2, with cipher "pbes1-3des" or "scrypt" those. */
char *test_key_pem(const struct test_key *k, const char *format,
		   const char *cipher, const char *password);

/* A common name of any ASN.1 type and bytes. */
struct test_common_name {
	int type; /* universal tag: 12 UTF8String, 19 PrintableString, ... */
	const char *bytes;
	size_t len;
};

struct test_cert_options {
	const char *subject; /* "/C=GB/O=Example/CN=host"; NULL: empty name */
	const struct test_key *key;
	const char *issuer;                /* NULL: as subject */
	const struct test_key *issuer_key; /* NULL: self-signed */
	time_t not_before, not_after;      /* 0: an hour ago, in a year */
	bool ca;
	bool v1;                    /* no extensions at all */
	const char *alt_names;      /* openssl syntax, "DNS:a,IP:192.0.2.1" */
	const char *extended_usage; /* "serverAuth,clientAuth" */
	const char *usage;          /* "keyCertSign" */
	const char *digest;         /* "SHA256" when NULL */
	long serial;                /* 0: counted */
	const char *constraints;    /* basicConstraints instead of ca's; "" none
				     */
	const char *extensions;     /* more of them, lines of an openssl file */
	const struct test_key *authority; /* whose identifier stands in the
					   * authorityKeyIdentifier */
	const struct test_common_name *common_names; /* behind subject */
	size_t common_name_count;
};

char *test_cert_pem(const struct test_cert_options *o);

/* A PEM block of any bytes. */
char *test_pem(const char *label, const void *p, size_t n);
/* Concatenation of texts up to a NULL. */
char *test_join(const char *first, ...) __attribute__((sentinel));

/* Run the openssl program with these arguments (sh quoting). */
void test_openssl(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The whole text of a file, and the other way. */
char *test_read_file(const char *path);
void test_write_file(const char *path, const char *text);

#endif
