/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SB_CERT_SUBJECT_H
#define SB_CERT_SUBJECT_H

#include <openssl/x509v3.h>

#include "cert/issue.h"

/* Private to src/cert: what somebody typed, checked and turned into a name and
 * into alternative names. The caller frees the result with libcrypto. NULL:
 * ERR_INPUT naming the part or entry. */

X509_NAME *subject_make(const struct subject_parts *parts,
			struct error *e) MUST_CHECK;
/* An empty list for count 0. */
GENERAL_NAMES *alt_names_make(const char *const *names, size_t count,
			      struct error *e) MUST_CHECK;

#endif
