/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_KEY_FILE_H
#define SB_CERT_KEY_FILE_H

#include "base/key.h"

/* A private key from PEM: PKCS#1, SEC1, PKCS#8, encrypted PKCS#8 (RFC 5958) or
 * legacy encrypted PEM (Proc-Type, DEK-Info; the form of openssl genrsa -des3).
 * Decrypted only in locked memory (libcrypto's secure heap is not used: a
 * struct secret receives the numbers and every copy is wiped).
 *
 * ERR_KEY: no key, several keys, damaged (line named); ERR_KEY_PASSWORD: a
 * password is needed, or the given one is wrong (said apart where it can be
 * told); ERR_KEY_UNSUPPORTED: e.g. "RSA 1024 bits: at least 2048 needed",
 * "Ed25519"; ERR_LIMIT past 64 KiB. A password for an unencrypted key is
 * ignored. Pure; any thread. */
int key_file_parse(struct view pem, struct view password,
		   struct key_material *out, struct error *e) MUST_CHECK;

#endif
